"""SIGKILL at a random time during trading, a hundred times per data folder. At the end every acknowledged order
without a cancel request is open."""

import asyncio
import random
import time

from market import BEN, INSTRUMENT, LOST, Server


ROUNDS_OF_FOLDER = 100


def run(market, quick):
    rounds = 10 if quick else 1_000
    chance = random.Random(9)
    total, done, problem = 0, 0, None
    while done < rounds and not problem:
        count = min(ROUNDS_OF_FOLDER, rounds - done)
        taken, problem = folder(market, count, chance)
        done, total = done + count, total + taken
    yield "kill -9 at a random moment", done, f"{total} acknowledgements, all kept", problem


def folder(market, rounds, chance):
    """Returns the number of acknowledged orders, and the problem or None."""
    data, acknowledged, total = market.copy("kills"), set(), 0
    for number in range(rounds):
        server = Server(market.program, data)
        if server.port is None:
            return total, f"round {number}: it does not start again"
        moment = asyncio.sleep(chance.random() * 0.06)
        total += asyncio.run(round_of(market, server, acknowledged, moment))
    return total, market.verify(data, acknowledged)


async def round_of(market, server, acknowledged, moment):
    """Trades until the server is killed after `moment` seconds. Returns the number of acknowledged orders."""
    taken = 0
    client = await market.connect(server)

    async def trade():
        nonlocal taken
        number = 0
        while server.process.returncode is None:
            number += 1
            if len(acknowledged) > 2_000:
                oldest = min(acknowledged)
                acknowledged.discard(oldest)
                client.send("Cancel", account=BEN, orderId=oldest)
            client.send("NewOrder", clientOrderId=client_order_id(), account=BEN,
                        instrument=INSTRUMENT, side="buy", price=100 * (1 + number % 900),
                        quantity=100, timeInForce="goodTillCancel", flags=[])
            if number % 8 == 0:
                # At most eight orders are unanswered at a time.
                for _ in range(8):
                    accepted = await client.wait_for(lambda m: m.name == "Accepted")
                    acknowledged.add(accepted.orderId)
                    taken += 1

    task = asyncio.create_task(trade())
    await moment
    server.kill()
    try:
        await asyncio.wait_for(task, 5)
    except LOST:
        pass
    client.drop()
    return taken


def client_order_id():
    """A number above all earlier ones."""
    return time.time_ns()
