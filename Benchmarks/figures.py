#!/usr/bin/env python3
"""The figures of docs/BENCHMARKS.md as a table, and the pages that quote them.

    Benchmarks/figures.py            fills the marks of all pages from docs/figures.tsv (make figures)
    Benchmarks/figures.py --measured writes docs/figures.tsv from docs/BENCHMARKS.md first (make bench, make bench-net)
    Benchmarks/figures.py --check    exits 1, naming what is stale, and changes nothing

A page quotes a figure between two comments, which a renderer hides:

    <!-- figure:core.A.mean -->49.8 ns<!-- /figure -->       value and unit
    <!-- value:core.A.mean -->49.8<!-- /figure -->           the value alone, for a column whose head says the unit
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "docs/BENCHMARKS.md"
TABLE = ROOT / "docs/figures.tsv"
COLUMNS = ["name", "value", "unit", "machine", "cores", "L2", "date", "command"]
MARK = re.compile(r"<!-- (figure|value):([\w.]+) -->(.*?)<!-- /figure -->", re.S)

# Rows of the table of the section Network, by what the page calls them.
NETWORK = {
    "one order at a time, spin, nothing kept": "net.lone.spin.memory",
    "one order at a time, park, nothing kept": "net.lone.park.memory",
    "one order at a time, journaled, park": "net.lone.park.journal",
    "one order at a time, journaled, spin": "net.lone.spin.journal",
    "100,000 orders/s, evenly, journaled": "net.even.journal",
    "64 connections x 64, nothing kept": "net.64x64.memory",
    "64 connections x 64, journaled": "net.64x64.journal",
    "64 connections x 16, nothing kept": "net.64x16.memory",
    "64 connections x 64, nothing kept, pipelined": "net.64x64.pipelined",
}


def section(page, title):
    """The text of `## title`."""
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.M | re.S)[1]


def cells(line):
    """The cells of a row of a Markdown table."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def split(text):
    """Value and unit of `p50 9.55 us`, `2.34 M/s` or `fdatasync 106 us`."""
    value, unit = re.search(r"([\d.]+) (\S+)$", text).groups()
    return value, {"us": "µs", "M/s": "million messages/s"}.get(unit, unit)


def millions(count):
    """A count a second as `2.10`, for the unit million."""
    return f"{int(count) / 1e6:.3g}" if int(count) >= 1e7 else f"{int(count) / 1e6:.2f}"


def figures(page):
    """Name, value, unit, section and command of every figure that pages may quote."""
    for title, name in [("Core", "core"), ("The order book alone", "book")]:
        for row in re.findall(r"^\| [A-H]\.flow .*$", section(page, title), re.M):
            shape, *rest = cells(row)
            keys = ["mean", "fastest", "p50", "p99"] if name == "core" else ["swift", None, "p50", "p99", None, "cpp"]
            for key, value in zip(keys, rest):
                if key:
                    yield f"{name}.{shape[0]}.{key}", value, "ns", "Ledger", "make bench"
    network = section(page, "Network")
    for row in re.findall(r"^\| .* \|$", network, re.M):
        name = NETWORK.get(cells(row)[0])
        if not name:
            continue
        _, figure, p99, reference = cells(row)[:4]
        yield name, *split(figure), "Network", "make bench-net"
        yield f"{name}.p99", *split(p99), "Network", "make bench-net"
        yield f"{name}.reference", *split(reference), "Network", "make bench-net"
    checked = re.search(r"^Readings checked.*: (\d+) a second", network, re.M)[1]
    yield "net.readings", checked, "readings/s", "Network", "make bench-net"
    journal = section(page, "Journal")
    for key, name in [("sync", "journal.sync"), ("one", "journal.lone")]:
        p50, p99 = re.search(rf"^{key} +p50 (\d+) us, p99 (\d+) us", journal, re.M).groups()
        yield f"{name}.p50", p50, "µs", "Ledger", "make bench"
        yield f"{name}.p99", p99, "µs", "Ledger", "make bench"
    for pattern, name in [
        (r"^group +(\d+)", "journal.group"),
        (r"^read +(\d+) commands/s \(hashes\)", "journal.read.hashes"),
        (r"^read +(\d+) commands/s \(checksums\)", "journal.read.checksums"),
    ]:
        count = re.search(pattern, journal, re.M)[1]
        yield name, millions(count), "million commands/s", "Ledger", "make bench"
    ledger = section(page, "Ledger")
    for words, name in [("make and hash", "ledger.make"), ("apply", "ledger.apply"), ("verify", "ledger.verify")]:
        count = re.search(rf"^{words}: (\d+) transfers/s", ledger, re.M)[1]
        yield name, millions(count), "million transfers/s", "Ledger", "make bench"
    batch = re.search(r"^apply: .*median ([\d.]+) ms", ledger, re.M)[1]
    yield "ledger.apply.batch", f"{float(batch):.1f}", "ms", "Ledger", "make bench"
    statement = re.search(r"^statement of one account: ([\d.]+) ms", ledger, re.M)[1]
    yield "ledger.statement", f"{float(statement):.0f}", "ms", "Ledger", "make bench"


def table(page):
    """The rows of docs/figures.tsv."""
    rows = []
    for name, value, unit, where, command in figures(page):
        measured = re.findall(r"^Measured (\S+) on (.+), (\d+) cores, L2 (.+?) a core", section(page, where), re.M)
        date, machine, cores, cache = measured[-1]
        rows.append([name, value, unit, machine, cores, cache, date, command])
    return "".join("\t".join(row) + "\n" for row in [COLUMNS] + rows)


def filled(text, known, path):
    """The page with every mark's figure as the table has it."""

    def replace(mark):
        kind, name, _ = mark.groups()
        if name not in known:
            sys.exit(f"{path}: docs/figures.tsv has no figure {name}")
        value, unit = known[name]
        shown = value if kind == "value" else f"{value} {unit}"
        return f"<!-- {kind}:{name} -->{shown}<!-- /figure -->"

    return MARK.sub(replace, text)


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else "--fill"
    if mode not in ("--fill", "--measured", "--check"):
        sys.exit(__doc__)
    fresh = table(BENCHMARKS.read_text()) if mode != "--fill" else TABLE.read_text()
    changes = [(TABLE, fresh)] if mode != "--fill" else []
    known = {row[0]: (row[1], row[2]) for row in (line.split("\t") for line in fresh.splitlines()[1:])}
    for page in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("clients/*/*.md")]):
        changes.append((page, filled(page.read_text(), known, page.relative_to(ROOT))))
    stale = [path for path, text in changes if not path.exists() or path.read_text() != text]
    for path, text in changes:
        if path in stale and mode != "--check":
            path.write_text(text)
            print("wrote", path.relative_to(ROOT))
    if stale and mode == "--check":
        sys.exit("stale: " + ", ".join(str(path.relative_to(ROOT)) for path in stale) + "; run make figures")


main()
