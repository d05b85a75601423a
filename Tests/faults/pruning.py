"""Segments are removed while orders come in: by the running server, behind its snapshots, with kill -9 at
random moments; by hand, which it refuses. In the end everything acknowledged is there, and a new ledger,
which can no longer be filled, is refused in plain words while trading goes on."""

import asyncio
import random
import shutil
import subprocess
import time

from market import ANA, BEN, EUR, INSTRUMENT, SETTINGS, Client, Server, read_private_key
from kills import round_of

RETAINING = SETTINGS + ["journal.retain=200", "snapshot.keep=2"]
IN_USE = 75


def run(market, quick):
    rounds = 5 if quick else 100
    data, acknowledged, chance = market.copy("pruning"), set(), random.Random(11)
    log = data.parent / (data.name + ".log")
    log.unlink(missing_ok=True)
    total, problem = 0, None
    for number in range(rounds):
        server = Server(market.program, data, RETAINING)
        if server.port is None:
            problem = f"round {number}: it does not start again"
            break
        total += asyncio.run(trade(market, server, data, acknowledged, chance))
    if not problem:
        settle(market, data)
        problem = market.verify(data, acknowledged)
    removed = log.read_text().count("it is in snapshots, and settled")
    if not problem and removed == 0:
        problem = "nothing was removed"
    yield ("kill -9 while segments are removed", rounds,
           f"{removed} segments removed, {total} acknowledgements, all kept", problem)
    if not problem:
        yield "`journal prune` beside a running server", 1, *by_hand(market, data)
        yield "a new ledger for a shortened journal", 1, *new_ledger(market, data, log)


async def trade(market, server, data, acknowledged, chance):
    """A round of trading with enough commands for snapshots, then one that is killed."""
    await settle_something(server, data)
    client = await market.connect(server)
    for number in range(chance.randrange(60)):
        accepted = await client.order(BEN, INSTRUMENT, "buy", 100 * (1 + number % 50), 100)
        acknowledged.add(accepted.orderId)
    client.drop()
    return await round_of(market, server, acknowledged, chance)


async def settle_something(server, data):
    """Deposits enough for a settlement batch or two: only what is settled may go."""
    seed = (data / "operator.key").read_text().strip()
    operator = await Client.connect(
        "127.0.0.1", server.port, 1, read_private_key(bytes.fromhex(seed)))
    for _ in range(8):
        await operator.ask("Deposit", account=ANA, currency=EUR, amount=10**6,
                           reference=time.time_ns())
    await operator.close()


def settle(market, data):
    """The check compares behind the ledger's last batch: there must be one behind the oldest snapshot."""
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
    if "the ledger needs the journal from command 1 on" not in text:
        return "", f"it does not say so: {text[-300:]}"
    for path in data.glob("ledger.sqlite*"):
        path.unlink()
    for path in kept.iterdir():
        shutil.move(path, data / path.name)
    settle(market, data)
    return "said so, traded on; settled on with the old one", market.verify(data, taken)
