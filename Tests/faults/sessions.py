"""Events that must not end a session or cancel an order: a wall clock that jumps by 20 s, and a server that is
stopped (SIGSTOP) for longer than the keep-alive interval. Ten sessions have an order that is cancelled when their
connection is lost; an eleventh has lost its connection and still has time to return."""

import asyncio
import os
import signal

from clock import WrongClock
from library import environment, rows_with
from market import BEN, INSTRUMENT, LOST, Client, Rejected, Server, read_key_file

SESSIONS = range(10, 20)
KEEP_ALIVE_MS = 1_000
WINDOW_MS = 4_000


def run(market, quick):
    yield from rows_with(market, "clock", "the wall clock jumps by 20 s",
                         lambda library: jumps(market, library, quick))
    rounds, problem = 1 if quick else 5, None
    for number in range(rounds):
        problem = asyncio.run(case(market, stopped))
        if problem:
            problem = f"round {number}: {problem}"
            break
    yield ("the server stopped (SIGSTOP) for 5 s", number + 1,
           "ten sessions continue, one resumes, all orders open", problem)


def jumps(market, library, quick):
    rounds, problem = 1 if quick else 5, None
    for number in range(rounds):
        clock = WrongClock(market.template.parent / "clock.seconds")
        problem = asyncio.run(case(
            market, lambda server, clients: jumping(clients, clock),
            environment(library, CLOCK_FILE=market.template.parent / "clock.seconds")))
        if problem:
            problem = f"round {number}: {problem}"
            break
    yield ("the wall clock jumps by 20 s, ahead and back", number + 1,
           "ten sessions continue, one resumes, all orders open", problem)


async def jumping(clients, clock):
    looks = clock.looks
    for seconds in (20, 0, -20, 0):
        clock.jump(seconds)
        # Trading makes the server read the clock; the other sessions send only keep-alives.
        await clients[0].order(BEN, INSTRUMENT, "buy", 100, 100)
        await asyncio.sleep(0.5)
    return None if clock.looks > looks else "the server did not read the wrong clock"


async def stopped(server, _):
    os.kill(server.pid, signal.SIGSTOP)
    await asyncio.sleep(5)
    os.kill(server.pid, signal.SIGCONT)


async def case(market, disturb, prefix=()):
    """Returns the problem, or None."""
    data = market.copy("sessions")
    server = Server(market.program, data, prefix=prefix)
    try:
        clients = await established(market, server)
        orders = [(await client.order(BEN, INSTRUMENT, "buy", 100 * (1 + number), 100)).orderId
                  for number, client in enumerate(clients)]
        lost = clients[-1]
        position = lost.position
        lost.drop()
        await asyncio.sleep(0.2)
        problem = await disturb(server, clients)
        if problem:
            return problem
        clients[-1] = await connect(market, server, SESSIONS[-1], position)
        await asyncio.sleep(0.6)
        for client, order in zip(clients, orders):
            await client.ask("OrderStatusRequest", timeout=5, account=BEN, orderId=order)
    except Rejected as rejection:
        return f"an order was cancelled: {rejection}"
    except LOST as loss:
        return f"a session was ended: {loss!r}"
    finally:
        server.kill()
    return None


async def established(market, server):
    """Registers the ten sessions."""
    operator = await Client.connect(
        "127.0.0.1", server.port, 1, read_key_file(server.data / "operator.key"))
    for session in SESSIONS:
        await operator.ask("RegisterSession", sessionId=session, participant=BEN + 1,
                           publicKey=market.ben.public_key().public_bytes_raw(), roles=["trading"])
    await operator.close()
    return [await connect(market, server, session) for session in SESSIONS]


async def connect(market, server, session, resume=None):
    # The clients are patient: what is tried is whether the server ends a session.
    return await Client.connect(
        "127.0.0.1", server.port, session, market.ben, keep_alive_ms=KEEP_ALIVE_MS, silence_ms=60_000,
        cancel_after_ms=WINDOW_MS if session == SESSIONS[-1] else 0, resume=resume)
