"""The wall clock jumps by a year during trading, forward or backward, and perhaps back. Trading continues,
journaled time never falls and stays correct within moments, orders that expire in an hour remain, and a replay
gives the same hashes. A library that is loaded before the C library makes the jump (clock.c)."""

import asyncio
import mmap
import random
import shutil
import struct
import subprocess
import time

from library import environment, rows_with
from market import BEN, INSTRUMENT, Server

YEAR = 365 * 24 * 3600
HOUR = 3600 * 10**9
# successive errors of the clock
KINDS = [([YEAR], "a year ahead"), ([-YEAR], "a year back"),
         ([YEAR, 0], "a year ahead and right again"), ([-YEAR, 0], "a year back and right again")]


def run(market, quick):
    return rows_with(market, "clock", "wall clock jumps", lambda library: rows(market, library, quick))


def rows(market, library, quick):
    chance = random.Random(13)
    for jumps, words in KINDS:
        rounds, orders, problem = (1 if quick else 10), 0, None
        for number in range(rounds):
            taken, problem = case(market, library, jumps, chance)
            orders += taken
            if problem:
                problem = f"round {number}: {problem}"
                break
        yield (f"wall clock {words}", number + 1,
               f"{orders} orders, journaled time steady, same hashes", problem)
    yield ("wall clock wrong at the start", 4, "refused with status 78, nothing written; accepted when told",
           starts(market, library))


def starts(market, library):
    """Starts a server with a wrong clock. Returns the problem, or None."""
    new, used = market.template.parent / "clock-new", market.copy("clock")
    shutil.rmtree(new, ignore_errors=True)
    for data, seconds, words in ((new, 5 * YEAR, "a new exchange, five years ahead"),
                                 (new, -5 * YEAR, "a new exchange, five years back"),
                                 (used, YEAR, "a year ahead of the journal")):
        clock = WrongClock(market.template.parent / "clock.seconds")
        clock.jump(seconds)
        prefix = environment(library, CLOCK_FILE=clock.path)
        journal = sorted((data / "journal").glob("*.journal"))
        before = [path.read_bytes() for path in journal]
        server = Server(market.program, data, prefix=prefix)
        status = server.process.wait(20) if server.port is None else None
        if status != 78:
            server.kill()
            return f"{words}: status {status}, not 78"
        if [path.read_bytes() for path in journal] != before or data is new and new.exists():
            return f"{words}: something was written"
    server = Server(market.program, used, prefix=prefix, options=["--accept-time"])
    if server.port is None:
        return f"--accept-time: status {server.process.wait(10)}"
    status = server.stop()
    return None if status == 0 else f"--accept-time: it ended with status {status}"


class WrongClock:
    """The error of a server's wall clock in seconds."""

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(16))
        with open(path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 16)

    def jump(self, seconds):
        self._memory[:8] = struct.pack("<q", seconds)

    @property
    def looks(self):
        return struct.unpack("<Q", self._memory[8:])[0]


def case(market, library, jumps, chance):
    """Returns the number of accepted orders, and the problem or None."""
    data = market.copy("clock")
    log = data.parent / (data.name + ".log")
    log.unlink(missing_ok=True)
    clock = WrongClock(data.parent / "clock.seconds")
    start = time.time_ns()
    server = Server(market.program, data,
                    prefix=environment(library, CLOCK_FILE=clock.path))
    orders, problem = asyncio.run(trade(market, server, clock, jumps, chance))
    if problem:
        server.kill()
        return len(orders), problem
    status = server.stop()
    said = server.process.stdout.read().decode()
    if status != 0:
        return len(orders), f"it ended with status {status}"
    alarms = log.read_text().count("ALARM: the system's clock")
    problem = (None if alarms == 1 else f"{alarms} alarms") \
        or times(market, data, start) or hashes(market, data, said) \
        or market.verify(data, orders)
    return len(orders), problem


async def trade(market, server, clock, jumps, chance):
    """Enters orders before, between and after the jumps. Returns the orders, and the problem or None."""
    client = await market.connect(server)
    orders = set()

    async def enter(count):
        for number in range(count):
            orders.add((await client.order(
                BEN, INSTRUMENT, "buy", 100 * (1 + number % 50), 100)).orderId)

    await enter(chance.randrange(5, 40))
    orders.add((await client.order(
        BEN, INSTRUMENT, "buy", 100, 100, time_in_force="goodTillTime",
        expire_time=time.time_ns() + HOUR)).orderId)
    for seconds in jumps:
        looks = clock.looks
        clock.jump(seconds)
        await enter(chance.randrange(20, 60))
        if clock.looks == looks:
            return orders, "the server did not read the wrong clock"
    client.drop()
    return orders, None


def times(market, data, start):
    """Checks that journaled times never fall and stay within the times of the correct clock."""
    result = subprocess.run([market.program, "journal", "inspect", str(data)],
                            capture_output=True, text=True)
    lines = [line.split() for line in result.stdout.splitlines()]
    journaled = [int(words[1]) for words in lines if len(words) > 3 and words[0].isdigit()]
    if result.returncode != 0 or len(journaled) < 30:
        return f"`joulebook journal inspect`: status {result.returncode}, {len(journaled)} commands"
    if any(later < earlier for earlier, later in zip(journaled, journaled[1:])):
        return "journaled time fell"
    if journaled[-1] > time.time_ns() + 10**9 or journaled[-1] < start:
        return f"journaled time ended {(journaled[-1] - time.time_ns()) / 1e9:.0f} s from now"
    return None


def hashes(market, data, said):
    """Checks that a replay gives the hashes that the server printed at its end."""
    result = subprocess.run([market.program, "replay", str(data)], capture_output=True, text=True)
    asked = [line for line in said.splitlines() if " hash " in line]
    if len(asked) != 2 or result.returncode != 0:
        return f"`joulebook replay`: status {result.returncode}; the server said {asked}"
    missing = [line for line in asked if line.split()[-1] not in result.stdout]
    return f"the replay has another hash: {missing}" if missing else None
