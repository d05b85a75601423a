"""System calls that fail, are delayed, or kill the server: strace injects a fault into the n-th pwrite, fdatasync,
fsync, rename (of snapshots) and renameat (of segments). Each thread counts its own calls, so a case affects all of
journal, preparation of the next segment and ledger that make n calls."""

import asyncio
import shutil

from market import Server, await_exit

# call, action of strace, text in the table
KINDS = [
    ("pwrite64", "error=EIO", "EIO"),
    ("pwrite64", "error=ENOSPC", "ENOSPC"),
    ("pwrite64", "signal=SIGKILL", "kill -9"),
    ("fdatasync", "error=EIO", "EIO"),
    ("fdatasync", "signal=SIGKILL", "kill -9"),
    ("fdatasync", "delay_enter=200000", "200 ms late"),
    ("renameat", "error=EIO", "EIO"),
    ("renameat", "signal=SIGKILL", "kill -9"),
    ("rename", "error=EIO", "EIO"),
    ("rename", "signal=SIGKILL", "kill -9"),
    ("fsync", "error=EIO", "EIO"),
]


def run(market, quick):
    if not shutil.which("strace"):
        yield "calls that fail", 0, "strace is not installed", None
        return
    places = [1, 4] if quick else [*range(1, 21), 25, 30, 40, 60]
    for call, action, words in KINDS:
        tried, ends = 0, {}
        problem = None
        for when in places:
            if call in ("renameat", "rename", "fsync") and when > 3:
                continue
            tried += 1
            end, problem = case(market, call, action, when, 40 if quick else 80)
            ends[end] = ends.get(end, 0) + 1
            if problem:
                problem = f"at call {when}: {problem}"
                break
        result = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
        yield f"{call}: {words}", tried, result, problem


def case(market, call, action, when, orders):
    data = market.copy("calls")
    server = Server(market.program, data, prefix=(
        "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
        "-e", f"inject={call}:{action}:when={when}"))
    acknowledged, end = set(), "did not start"
    if server.port is not None:
        acknowledged, end = asyncio.run(market.trade(server, orders))
    status = await_exit(server.process, 5 if end != "went on" else 0.2)
    if status is not None:
        end = "killed" if action == "signal=SIGKILL" else f"ended with status {status}"
        server.errors.close()
    else:
        server.kill()
    if status not in (None, 74) and "SIGKILL" not in action:
        return end, f"it ended with status {status}, not 74"
    if action.startswith("delay") and end != "went on":
        return end, "a slow disk ended it"
    return end, market.verify(data, acknowledged)
