#!/usr/bin/env python3
"""Cuts a plot out of the demo's report, as an SVG file of its own.

    docs/images/cut-plot.py report.html Price > docs/images/demo-price.svg

The plot is the one of the first figure whose caption begins with the given words. Colours, fonts and hatching
come from the report's style; the figure's caption and its legend become the head of the picture. The file
follows the reader's preference of light or dark, like the report.
"""
import html
import re
import sys

KEY = re.compile(
    r'<span class="key"><i (?:class="stroke" )?(?:style="(?:background|border-color):var\((--[\w-]+)\)"'
    r'|class="(hatch-[\w-]+)")></i>([^<]*)</span>')
FONT = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif'


def figure(report, caption):
    """Caption, legend and widest drawing of the figure."""
    for found in re.finditer(r"<figure><figcaption><b>([^<]*)</b>(.*?)</figcaption>\s*(<svg .*?</svg>)", report, re.S):
        if html.unescape(found[1]).startswith(caption):
            return found[1], KEY.findall(found[2]), found[3]
    sys.exit(f"no figure of {sys.argv[1]} is called {caption!r}")


def style(report, drawing):
    """The colours, and the rules of the classes that the drawing uses."""
    sheet = re.search(r"<style>(.*?)</style>", report, re.S)[1]
    light = re.search(r":root \{.*?\n\}", sheet, re.S)[0]
    dark = re.search(r"@media \(prefers-color-scheme: dark\) \{.*?\n\}", sheet, re.S)[0]
    sheet = sheet.split("@media (max-width")[0]
    used = set(" ".join(re.findall(r'class="([^"]+)"', drawing)).split())
    rules = re.findall(r"(?:^|(?<=\} ))((?:svg )?\.([\w-]+)(?:, \.[\w-]+)* \{[^}]*\})", sheet, re.M)
    classes = [rule for rule, name in rules if name in used or any("." + use in rule.split(" {")[0].split(", ") for use in used)]
    text = f"text {{ font-family: {FONT}; font-size: 12.5px; fill: var(--soft); }}"
    return "\n".join([light, dark, text, *(rule.removeprefix("svg ") for rule in classes)])


def legend(keys, x, y):
    """Swatches with their words, in a row that begins at x."""
    parts = []
    for colour, hatch, words in keys:
        fill = f"url(#{hatch})" if hatch else f"var({colour})"
        parts.append(f'<rect x="{x}" y="{y - 10}" width="15" height="11" rx="2" style="fill:{fill}"/>')
        parts.append(f'<text x="{x + 21}" y="{y}">{words}</text>')
        x += 46 + round(6.6 * len(words))
    return "".join(parts)


def main():
    report = open(sys.argv[1], encoding="utf-8").read()
    caption, keys, drawing = figure(report, sys.argv[2])
    head, body = re.match(r"<svg ([^>]*)>(.*)</svg>", drawing, re.S).groups()
    width, height = map(int, re.search(r'viewBox="0 0 (\d+) (\d+)"', head).groups())
    label = re.search(r'aria-label="([^"]*)"', head)[1]
    hatches = re.search(r"<defs>.*?</defs>", report, re.S)[0]
    box = f'viewBox="-16 -44 {width + 32} {height + 60}"'
    print(f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-label="{label}">')
    print(f"<style>\n{style(report, drawing)}\n</style>")
    print(hatches)
    print(f'<rect x="-16" y="-44" width="{width + 32}" height="{height + 60}" rx="8" style="fill:var(--paper)"/>')
    print(f'<text x="0" y="-16" style="font-size:15px;font-weight:600;fill:var(--ink)">{caption}</text>')
    print(legend(keys, 40 + 9 * len(caption), -16))
    print(re.sub(r"(<(?:rect|text|line|path|polyline|circle)\b)", r"\n\1", body).strip())
    print("</svg>")


main()
