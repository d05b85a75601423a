"""Measures how many orders a second one Python client sends and hears of, pipelined, on a server that it starts.

    python benchmarks/pipelined.py [--program joulebook] [--orders 100000] [--window 2000]

Prints orders a second: sent with `send` and read with `receive`; and entered with `order`, many calls at once. The
orders are bids that rest, at 900 prices; the client and the server share the machine.
"""

import argparse
import asyncio
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from joulebook import Client, read_key_file  # noqa: E402

ACCOUNT, INSTRUMENT, AREA = 1, 1, 1


async def market(client):
    """A market in which the operator's own participant trades."""
    for name, fields in [
            ("CreateArea", dict(area=AREA, currency=978, areaCode="11XBENCH", storageCost=1, storagePrice=1,
                                feedInPrice=8_000, retailPrice=30_000)),
            ("CreateInstrument", dict(instrument=INSTRUMENT, area=AREA, symbol="SPOT", tickSize=1, lot=1,
                                      lowestPrice=0, highestPrice=100_000)),
            ("CreateParticipant", dict(participant=2, shortName="bench")),
            ("RegisterSession", dict(sessionId=2, participant=2, publicKey=client.key.public_key().public_bytes_raw(),
                                     roles=["trading"])),
            ("CreateAccount", dict(account=ACCOUNT, participant=2)),
            ("Deposit", dict(account=ACCOUNT, currency=978, amount=10**17, reference=1)),
            ("SetCap", dict(account=ACCOUNT, area=AREA, energyCap=10**12))]:
        await client.ask(name, **fields)


async def pipelined(bot, orders, window):
    """Sends with at most `window` unanswered orders. Returns orders a second."""
    sent = answered = 0
    start, identity = time.perf_counter(), time.time_ns()
    while answered < orders:
        while sent < orders and sent - answered < window:
            bot.send("NewOrder", clientOrderId=identity + sent, account=ACCOUNT, instrument=INSTRUMENT, side="buy",
                     price=1 + sent % 900, quantity=100, timeInForce="goodTillCancel", flags=[])
            sent += 1
        message = await bot.receive(30)
        assert message.name != "Rejected", message
        answered += message.name == "Accepted"
    return orders / (time.perf_counter() - start)


async def awaited(bot, orders, window):
    """Enters with `window` calls of `order` at a time. Returns orders a second."""
    left = iter(range(orders))

    async def one():
        for number in left:
            await bot.order(ACCOUNT, INSTRUMENT, "buy", 1 + number % 900, 100)

    start = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(window)))
    return orders / (time.perf_counter() - start)


async def main(options):
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([options.program, "serve", "--data", f"{folder}/data", "--listen", "127.0.0.1:0"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            port = int(next(line for line in server.stdout if line.startswith("listening on ")).rsplit(":", 1)[1])
            key = read_key_file(f"{folder}/data/operator.key")
            operator = await Client.connect("127.0.0.1", port, 1, key)
            operator.key = key
            await market(operator)
            for what, run, count in (("send and receive", pipelined, options.orders),
                                     ("order(), many calls at once", awaited, options.orders // 2)):
                bot = await Client.connect("127.0.0.1", port, 2, key)
                print(f"{what}: {await run(bot, count, options.window):,.0f} orders a second", flush=True)
                await bot.close()
        finally:
            server.kill()
            server.wait()


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--program", default="joulebook")
parser.add_argument("--orders", type=int, default=100_000)
parser.add_argument("--window", type=int, default=2_000)

if __name__ == "__main__":
    asyncio.run(main(parser.parse_args()))
