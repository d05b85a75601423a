"""Short writes: the n-th write to journal, snapshot or ledger writes only a part; in half of the cases the disk is
full at the next write. A library that is loaded before the C library injects them (shortwrites.c), because strace
can change the result of a call but not the written bytes."""

import asyncio
import errno
import os
import time

from library import environment, rows_with
from market import Server, await_exit

# part of the path, kind of file
FILES = [(".journal", "the journal"), ("next.snapshot", "a snapshot"), ("ledger.sqlite", "the ledger")]
# bytes that are written (shortwrites.c), errno of the next write
KINDS = [(0, 0, "half"), (1, 0, "1 byte"), (-1, 0, "all but 1"),
         (0, errno.ENOSPC, "half, then ENOSPC"), (1, errno.EIO, "1 byte, then EIO")]


def run(market, quick):
    return rows_with(market, "shortwrites", "short writes", lambda library: rows(market, library, quick))


def rows(market, library, quick):
    places = [2] if quick else [*range(1, 13), 20, 30, 45, 60]
    for part, name in FILES:
        for count, then, words in KINDS[::4] if quick else KINDS:
            tried, ends, problem = 0, {}, None
            for when in places:
                happened, end, problem = case(market, library, part, count, then, when, 40)
                if problem:
                    problem = f"at write {when}: {problem}"
                    break
                if not happened:
                    break  # The run has fewer writes.
                tried += 1
                ends[end] = ends.get(end, 0) + 1
            if not problem and tried == 0:
                problem = "it never happened"
            result = ", ".join(f"{number} {end}" for end, number in sorted(ends.items()))
            yield f"short write to {name}: {words}", tried, result, problem


def wait_for(path, seconds):
    """Waits for a snapshot and a settlement batch."""
    deadline = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def case(market, library, part, count, then, when, orders):
    """Returns whether a write was short, how the server ended, and the problem or None."""
    data, note = market.copy("writes"), market.template.parent / "short.note"
    note.unlink(missing_ok=True)
    if part.startswith("ledger"):
        # The ledger is filled again from the journal during trading.
        for path in data.glob("ledger.sqlite*"):
            path.unlink()
    server = Server(market.program, data, prefix=environment(
        library, SHORT_FILE=part, SHORT_WHEN=when, SHORT_BYTES=count, SHORT_THEN=then,
        SHORT_NOTE=note))
    acknowledged, end = set(), "did not start"
    if server.port is not None:
        acknowledged, end = asyncio.run(market.trade(server, orders))
    if end == "went on":
        if part != ".journal":
            wait_for(note, 2)
        # The orderly end also writes: the last batch and the seal.
        os.kill(server.pid, 15)
        status = await_exit(server.process, 30)
        if status is None:
            server.kill()
            return True, end, "it does not stop"
        server.errors.close()
    else:
        status = await_exit(server.process, 20)
        server.errors.close()
    happened = note.exists()
    if status == 74:
        end = "ended with status 74"
    elif status != 0:
        return happened, end, f"it ended with status {status}"
    elif end != "went on":
        return happened, end, "it stopped in order without a request"
    if status == 74 and then == 0:
        return happened, end, "a short write that could go on ended it"
    return happened, end, market.verify(data, acknowledged)
