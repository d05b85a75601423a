"""Questions of clients while a sync hangs: no answer contains anything that is not durable. After the sync, reports
and answers arrive in the order of their commands and questions."""

import asyncio
import mmap
import struct

from library import environment, rows_with
from market import AREA, BEN, INSTRUMENT, LOST, SETTINGS, Server

# the journal thread syncs, so that the thread that answers does not block
ASSEMBLIES = {"inline": ["journal.direct=0"], "pipelined": ["assembly=pipelined"]}
QUESTIONS = (("OrderStatusRequest", dict(account=BEN)), ("BalanceRequest", dict(account=BEN, area=AREA)),
             ("ExplainRequest", dict(account=BEN)), ("StatusRequest", {}))
# more than the server queues
MANY = 400


def run(market, quick):
    yield from rows_with(market, "slowsync", "questions while a sync hangs",
                         lambda library: rows(market, library, quick))


def rows(market, library, quick):
    for name, settings in ASSEMBLIES.items():
        rounds, problem = 1 if quick else 10, None
        for number in range(rounds):
            problem = asyncio.run(case(market, library, settings))
            if problem:
                problem = f"round {number}: {problem}"
                break
        yield (f"questions while a sync hangs, {name}", number + 1,
               f"no answer before it ends, then all {MANY + len(QUESTIONS)} in order", problem)


async def case(market, library, settings):
    """Returns the problem, or None."""
    data = market.copy("answers")
    path = data.parent / "sync.held"
    path.write_bytes(bytes(16))
    with open(path, "r+b") as file:
        memory = mmap.mmap(file.fileno(), 16)
    server = Server(market.program, data, SETTINGS + settings,
                    prefix=environment(library, SYNC_FILE=path))
    try:
        client = await market.connect(server)
        first = await client.order(BEN, INSTRUMENT, "buy", 100, 100)
        # Everything is durable, so an answer comes at once.
        await client.ask("StatusRequest", timeout=5)
        memory[:8] = struct.pack("<q", 1)
        client.send("NewOrder", clientOrderId=first.clientOrderId + 1, account=BEN,
                    instrument=INSTRUMENT, side="buy", price=200, quantity=100)
        numbers = []
        for name, fields in QUESTIONS:
            if name in ("OrderStatusRequest", "ExplainRequest"):
                fields = dict(fields, orderId=first.orderId)
            numbers.append(client.send(name, **fields))
        numbers += [client.send("BalanceRequest", account=BEN, area=AREA) for _ in range(MANY)]
        try:
            early = await client.receive(1)
            return f"{early.name} came before the sync had ended"
        except (asyncio.TimeoutError, TimeoutError):
            pass
        if struct.unpack("<q", memory[8:])[0] == 0:
            return "no sync hung"
        memory[:8] = struct.pack("<q", 0)
        return await check(client, numbers)
    except LOST as loss:
        return f"the connection was lost: {loss!r}"
    finally:
        memory[:8] = struct.pack("<q", 0)
        server.kill()


async def check(client, numbers):
    """Checks that the order's reports come first, then one answer for each question."""
    first = await client.receive(5)
    if first.name != "Accepted":
        return f"{first.name} came before the order's report"
    while numbers:
        message = await client.receive(5)
        if message.fields.get("seqNo") is not None:
            continue
        if message.fields.get("refSeqNo") != numbers[0]:
            return f"{message} came instead of the answer to {numbers[0]}"
        numbers.pop(0)
    return None
