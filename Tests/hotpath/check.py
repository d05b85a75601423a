"""Proves from the compiled code that no command allocates, counts references or asks for access.

Reads the linked release code of ExchangeCore, follows every call from `Exchange.execute` and
`Exchange.lookAhead`, and lists the functions outside it that can be reached. Each must be one of
ALLOWED. That is stronger than counting during a run: it holds for every command there is.

usage: check.py LIBRARY
"""

import collections
import re
import subprocess
import sys

ROOTS = ("$s12ExchangeCore0A0V7execute", "$s12ExchangeCore0A0V9lookAhead")

# What may be called, and by whom (a part of the caller's name; "" for anybody).
ALLOWED = {
    "memcpy": "",
    "memmove": "",
    "memset": "",
    "__stack_chk_fail": "",
    # Division of 128 bits.
    "__divti3": "",
    "__udivti3": "",
    # A command with more events than the buffer holds doubles it; the memory of a very large one is given back.
    "swift_slowAlloc": "EventBufferV",
    "swift_slowDealloc": "EventBufferV",
}

# Says what does not hold and ends the process: what it does no command pays for.
END = "$s11MarketModel15invariantFailed"

HEAD = re.compile(r"^([0-9a-f]+) <(.+)>:$")
PLACE = re.compile(r"^ *([0-9a-f]+):\t")
CALL = re.compile(r"\t(?:call|jmp|bl|b)\s+[0-9a-f]+ <([^>+]+)(?:\+0x[0-9a-f]+)?>")
POINTER = re.compile(r"\t(?:call\s+\*|blr\s)")


def ends_of(library):
    """Where each function ends, by where it begins. Behind one may lie the copy of another that another
    file had too: nobody calls it, and it has no name."""
    listing = subprocess.run(["nm", "-S", library], check=True, capture_output=True, text=True).stdout
    rows = (line.split() for line in listing.splitlines())
    return {int(row[0], 16): int(row[0], 16) + int(row[1], 16) for row in rows if len(row) == 4}


def calls_of(library):
    """Callees by function."""
    ends, end = ends_of(library), None
    listing = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", library], check=True, capture_output=True, text=True
    ).stdout
    calls, function = collections.defaultdict(set), None
    for line in listing.splitlines():
        head, call, place = HEAD.match(line), CALL.search(line), PLACE.match(line)
        if head:
            function, end = head.group(2), ends.get(int(head.group(1), 16))
            calls[function] = set()
        elif end is not None and place and int(place.group(1), 16) >= end:
            continue
        elif call and call.group(1) != function:
            calls[function].add(call.group(1))
        elif POINTER.search(line):
            calls[function].add("a function pointer")
    return calls


def readable(name):
    return subprocess.run(
        ["swift", "demangle", "--simplified", "--compact", name], check=True, capture_output=True,
        text=True).stdout.strip()


def main(library):
    calls = calls_of(library)
    roots = [name for name in calls if name.startswith(ROOTS)]
    if len(roots) < 3:
        sys.exit(f"execute (twice) and lookAhead are not among {len(calls)} functions: {roots}")
    seen, todo, bad = set(), roots, []
    while todo:
        function = todo.pop()
        if function in seen or function.endswith("@plt") or function.startswith(END):
            continue
        seen.add(function)
        for callee in calls.get(function, ()):
            todo.append(callee)
            outside = callee.removesuffix("@plt")
            if outside.startswith(END):
                continue
            if outside != callee or callee not in calls:
                if outside not in ALLOWED or ALLOWED[outside] not in function:
                    bad.append(f"{outside} is called by {readable(function)}")
    for line in sorted(bad):
        print(line)
    if bad:
        sys.exit(f"hot path: {len(bad)} calls that it must not make")
    print(f"hot path: {len(seen)} functions, no allocation, reference count or access check in them")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
