#!/usr/bin/env python3
"""How much core and journal state: invariants and preconditions, for each function that does something.

    Benchmarks/statements.py [--bare]

Counted are functions, initialisers and deinitialisers of more than two lines besides what they state. Not
counted: the codec's lists of fields, texts for people and prefetches; in the core also hashes, the walk of the
invariants, what only judges a command and says why it is refused, and what looks something up: what these
find is stated where it is used.
`--bare` lists the counted functions that state nothing.
"""

import argparse
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
STATED = re.compile(r"\b(invariant|precondition|preconditionFailure|assert|assertionFailure|fatalError)\(")
BEGIN = re.compile(r"^( *)(?:@[\w()]+ )*(?:[\w()]+ )*(?:func (\S+?)[(<]|(init\??)[(<]|(deinit)\b)")
NOT_COUNTED = {
    "Journaling": ["CommandCodec+Read.swift", "CommandCodec+Write.swift", "CommandText.swift",
                   "JournalError.swift", "RecordCursors.swift"],
    "ExchangeCore": ["LookAhead.swift", "Window.swift", "Capacity.swift", "Row.swift",
                     "Queries.swift", "Invariants.swift", "EventHash.swift", "WordHash.swift"],
}
LOOKS_UP = {"find", "open", "probable", "start", "following", "add", "reach"}
JUDGES = re.compile(r"-> (Refusal\?|Bool)\s*(where .*)?{?$")


def functions(text):
    """Name, signature and the body's lines of each function, without those inside another."""
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        begin = BEGIN.match(lines[index])
        if not begin:
            index += 1
            continue
        end = body = index
        while body < len(lines) and not lines[body].rstrip().endswith("{"):
            if lines[body].rstrip().endswith("}") or lines[body].strip() == "":
                break
            body += 1
        signature = " ".join(line.strip() for line in lines[index:body + 1])
        if not lines[body].rstrip().endswith("{"):
            index = body + 1
            continue  # On one line, or without a body.
        end = body + 1
        while lines[end] != begin.group(1) + "}":
            end += 1
        yield (begin.group(2) or begin.group(3) or begin.group(4)), signature, lines[body + 1:end]
        index = end + 1


def weigh(lines):
    """How many lines do something, and how many statements there are."""
    does, stated, depth = 0, 0, 0
    for line in lines:
        code = line.strip()
        if not code or code.startswith("//"):
            continue
        if depth == 0:
            found = STATED.search(code)
            if not found:
                does += 1
                continue
            stated += 1
            if not code.startswith(found.group(0)):
                does += 1
            code = code[found.start():]
        depth = max(0, depth + code.count("(") - code.count(")"))
    return does, stated


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bare", action="store_true", help="names those that state nothing")
    options = parser.parse_args()
    for target in ("Journaling", "ExchangeCore"):
        counted, stated, bare = 0, 0, []
        for path in sorted((ROOT / "Sources" / target).rglob("*.swift")):
            for name, signature, lines in functions(path.read_text()):
                does, says = weigh(lines)
                stated += says
                judges = target == "ExchangeCore" and JUDGES.search(signature)
                if does <= 2 or judges or name in LOOKS_UP or path.name in NOT_COUNTED[target]:
                    continue
                counted += 1
                if says == 0:
                    bare.append(f"{path.relative_to(ROOT)}: {name}")
        print(f"{target:<13} {stated} statements, {counted} functions, {stated / counted:.2f} each; "
              f"{len(bare)} state nothing")
        if options.bare:
            print("\n".join("    " + line for line in bare))


if __name__ == "__main__":
    main()
