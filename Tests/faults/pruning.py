"""Removal of segments during trading: by the running server after its snapshots, with SIGKILL just after the first
removal; and by `journal prune`, which is refused beside a server. At the end everything acknowledged is there. A
new ledger, which the shortened journal cannot fill, is refused with a clear message while trading continues."""

import asyncio
import random
import shutil
import subprocess
import time

from market import ANA, BEN, EUR, INSTRUMENT, SETTINGS, Client, Server, read_key_file
from kills import round_of

RETAINING = SETTINGS + ["journal.retain=200", "snapshot.keep=2"]
IN_USE = 75
FIRST_REMOVAL = 300  # longest wait for the first removal, in seconds


def run(market, quick):
    rounds = 5 if quick else 100
    data, acknowledged, chance = market.copy("pruning"), set(), random.Random(11)
    log = data.parent / (data.name + ".log")
    log.unlink(missing_ok=True)
    total, removed, problem = 0, 0, None
    for number in range(rounds):
        server = Server(market.program, data, RETAINING)
        if server.port is None:
            problem = f"round {number}: it does not start again"
            break
        before = segments(data)
        total += asyncio.run(trade(market, server, data, acknowledged, chance))
        gone = len(before - segments(data))
        if gone == 0:
            problem = f"round {number}: nothing was removed"
            break
        removed += gone
    if not problem:
        settle(market, data)
        problem = market.verify(data, acknowledged)
    yield ("kill -9 while segments are removed", rounds,
           f"{removed} segments removed, {total} acknowledgements, all kept", problem)
    if not problem:
        yield "`journal prune` beside a running server", 1, *by_hand(market, data)
        yield "a new ledger for a shortened journal", 1, *new_ledger(market, data, log)


async def trade(market, server, data, acknowledged, chance):
    """Causes settlement and trades; the server is killed up to 20 ms after the first removal."""
    await settle_something(server, data)
    moment = removal(data, chance.random() * 0.02)
    return await round_of(market, server, acknowledged, moment)


async def removal(data, delay):
    """Waits for the first removal, at most `FIRST_REMOVAL` seconds, and then for `delay` seconds."""
    before, end = segments(data), time.monotonic() + FIRST_REMOVAL
    while before <= segments(data) and time.monotonic() < end:
        await asyncio.sleep(0.001)
    await asyncio.sleep(delay)


def segments(data):
    return {path.name for path in (data / "journal").glob("*.journal")}


async def settle_something(server, data):
    """Makes deposits for one or two settlement batches, because only settled segments are removed."""
    operator = await Client.connect(
        "127.0.0.1", server.port, 1, read_key_file(data / "operator.key"))
    for _ in range(8):
        await operator.ask("Deposit", account=ANA, currency=EUR, amount=10**6,
                           reference=time.time_ns())
    await operator.close()


def settle(market, data):
    """Waits for a batch after the oldest snapshot, which the check of the ledger needs."""
    server = Server(market.program, data, SETTINGS + ["snapshot.commands=0"])
    asyncio.run(settle_something(server, data))
    server.stop()


def by_hand(market, data):
    server = Server(market.program, data, RETAINING + ["snapshot.commands=0"])
    before = sorted(path.name for path in (data / "journal").iterdir())
    result = subprocess.run([market.program, "journal", "prune", str(data), "--keep", "0"],
                            capture_output=True, text=True)
    after = sorted(path.name for path in (data / "journal").iterdir())
    server.stop()
    if result.returncode != IN_USE or f"in use by process {server.pid}" not in result.stderr:
        return "", f"status {result.returncode}: {result.stderr.strip()[:200]}"
    return f"status {IN_USE}, names the process", "files changed" if before != after else None


def new_ledger(market, data, log):
    kept = data.parent / "ledger"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    for path in data.glob("ledger.sqlite*"):
        shutil.move(path, kept / path.name)
    log.write_text("")
    server = Server(market.program, data)
    taken, end = asyncio.run(market.trade(server, 20))
    server.stop()
    text = log.read_text()
    if end != "went on" or not taken:
        return "", f"trading did not go on: {end}"
    if "the ledger needs segments that were removed" not in text or "needed=1 " not in text:
        return "", f"the log does not say so: {text[-300:]}"
    for path in data.glob("ledger.sqlite*"):
        path.unlink()
    for path in kept.iterdir():
        shutil.move(path, data / path.name)
    settle(market, data)
    return "logged, trading continued; settled with the old one", market.verify(data, taken)
