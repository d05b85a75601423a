"""Floods: a session far beyond its message rate limit, connections that send nothing, and bytes that are not
messages. Each flood is limited (rejects 9003, then 9004; closed; closed), and other sessions are not delayed."""

import asyncio
import random

from clients import latencies
from market import ANA, BEN, INSTRUMENT, LOST, SETTINGS, Server

CODES = (9003, 9004)  # The session is throttled; the session is terminated.
BOUNDS = SETTINGS + ["client.messages=2000", "client.messagesCutoff=4000", "connections=256"]


def run(market, quick):
    orders = 200 if quick else 2_000
    for what, fault, rounds in (("a session sends without end", orders_without_end, 1 if quick else 20),
                                ("connections that say nothing", silence, 1 if quick else 10),
                                ("bytes that are no messages", noise, 1 if quick else 10)):
        yield (f"flood: {what}", rounds, *asyncio.run(case(market, fault, rounds, orders)))


async def case(market, fault, rounds, orders):
    """Trades during a flood. Returns the result, and the problem or None."""
    data = market.copy("floods")
    server = Server(market.program, data, BOUNDS)
    calm, acknowledged = await latencies(market, server, orders)
    chance, met = random.Random(19), 0
    task = asyncio.create_task(repeat(fault, market, server, chance, rounds))
    loud, more = await latencies(market, server, orders)
    try:
        met, taken = await asyncio.wait_for(task, 300)
    except LOST as problem:
        server.kill()
        return "", f"the session was lost: {problem!r}"
    server.kill()
    problem = await asyncio.to_thread(market.verify, data, acknowledged | more)
    if met == 0:
        problem = problem or "the flood was not limited"
    if loud > 10 * calm + 0.02:
        problem = problem or f"other sessions were delayed: {loud * 1e3:.1f} ms p50, {calm * 1e3:.1f} before"
    return (f"{taken} accepted, {met} limited; others' orders {loud * 1e3:.2f} ms p50, "
            f"{calm * 1e3:.2f} before"), problem


async def repeat(fault, market, server, chance, rounds):
    met = taken = 0
    for _ in range(rounds):
        more, came = await fault(market, server, chance)
        met, taken = met + more, taken + came
    return met, taken


async def orders_without_end(market, server, chance):
    """Returns the number of limited messages, and that of accepted orders."""
    client = await market.connect(server, ANA)
    refused = taken = 0
    try:
        for number in range(100):
            for _ in range(100):
                client.send("NewOrder", clientOrderId=number_of_order(), account=ANA,
                            instrument=INSTRUMENT, side="buy", price=100, quantity=100,
                            timeInForce="immediateOrCancel", flags=[])
            await client._writer.drain()
        while True:
            message = await client.receive(timeout=20)
            taken += message.name == "Accepted"
            refused += message.name == "Rejected" and message.code in CODES
    except LOST as end:
        message = getattr(end, "message", None)
        refused += message is not None and message.fields.get("code") in CODES
    client.drop()
    return refused, taken


last_order = 0


def number_of_order():
    """A number above all earlier ones, also above those of other runs on the folder."""
    global last_order
    last_order += 1
    return last_order


async def silence(market, server, chance):
    """Returns the number of connections that the server closed, and that of opened ones."""
    opened, closed = [], 0
    for _ in range(400):
        try:
            opened.append(await asyncio.open_connection("127.0.0.1", server.port))
        except OSError:
            closed += 1
    # Some are told why, others are just closed: the end counts, not the first byte.
    ends = [asyncio.ensure_future(reader.read()) for reader, _ in opened]
    done, waiting = await asyncio.wait(ends, timeout=1)
    for end in waiting:
        end.cancel()
    await asyncio.gather(*ends, return_exceptions=True)
    closed += len(done)
    for _, writer in opened:
        writer.close()
    return closed, len(opened)


async def noise(market, server, chance):
    """Returns the number of connections that the server closed, and that of opened ones."""
    closed = 0
    for _ in range(50):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            writer.write(chance.randbytes(chance.randrange(64, 4096)))
            await writer.drain()
            writer.write_eof()
            while await asyncio.wait_for(reader.read(4096), 20):
                pass
            closed += 1
        except OSError:
            closed += 1
        writer.close()
    return closed, 50
