"""Clients that stop reading (SIGSTOP) while others trade, and connections that break inside a message."""

import asyncio
import os
import pathlib
import signal
import subprocess
import sys

from market import ANA, AREA, BEN, INSTRUMENT, SETTINGS, Server

LISTENER = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from joulebook import Client, Terminated, read_private_key
async def main():
    client = await Client.connect("127.0.0.1", int(sys.argv[2]), int(sys.argv[3]),
                                  read_private_key(bytes.fromhex(sys.argv[4])))
    await client.ask("MarketDataSubscribe", area=int(sys.argv[5]))
    print("ready", flush=True)
    async for _ in client.messages(): pass
    print("cut", flush=True)
asyncio.run(main())
"""


def run(market, quick):
    orders = 400 if quick else 4_000
    yield ("client stopped (SIGSTOP)", 1, *asyncio.run(stopped(market, orders)))
    rounds = 20 if quick else 200
    yield ("connection lost inside a message", rounds, *asyncio.run(torn(market, rounds)))


async def stopped(market, orders):
    data = market.copy("stopped")
    server = Server(market.program, data, SETTINGS + ["client.bytes=65536"])
    listener = subprocess.Popen(
        [sys.executable, "-c", LISTENER, str(pathlib.Path(sys.modules["joulebook"].__file__)
                                             .parents[1]), str(server.port), str(ANA + 1),
         market.ana.private_bytes_raw().hex(), str(AREA)], stdout=subprocess.PIPE)
    try:
        assert listener.stdout.readline() == b"ready\n"
        calm, acknowledged = await latencies(market, server, orders)
        os.kill(listener.pid, signal.SIGSTOP)
        loud, more = await latencies(market, server, orders)
        os.kill(listener.pid, signal.SIGCONT)
    finally:
        listener.kill()
        listener.wait()
    server.kill()
    problem = await asyncio.to_thread(market.verify, data, acknowledged | more)
    if loud > 10 * calm + 0.02:
        problem = problem or f"other sessions were delayed: {loud * 1e3:.1f} ms p50, {calm * 1e3:.1f} before"
    return (f"others' orders {loud * 1e3:.2f} ms p50, {calm * 1e3:.2f} before", problem)


async def latencies(market, server, orders):
    client = await market.connect(server)
    loop, times, opened = asyncio.get_running_loop(), [], set()
    for number in range(orders):
        start = loop.time()
        accepted = await client.order(BEN, INSTRUMENT, "buy", 100 * (1 + number % 900), 100)
        times.append(loop.time() - start)
        opened.add(accepted.orderId)
        if len(opened) > 1_500:
            oldest = min(opened)
            opened.discard(oldest)
            await client.cancel(BEN, oldest)
    client.drop()
    return sorted(times)[len(times) // 2], opened


async def torn(market, rounds):
    """Each connection sends two complete orders and a part of a third, then breaks."""
    data = market.copy("torn")
    server = Server(market.program, data)
    opened = set()
    for number in range(rounds):
        client = await market.connect(server)
        for _ in range(2):
            opened.add((await client.order(
                BEN, INSTRUMENT, "buy", 100 * (1 + number % 900), 100)).orderId)
        frame = client._codec.encode("NewOrder", {"seqNo": client._next_seq_no, "side": "buy"})
        client._writer.write(frame[:1 + number % (len(frame) - 1)])
        await client._writer.drain()
        client.drop()
    server.kill()
    return f"{len(opened)} orders acknowledged", await asyncio.to_thread(
        market.verify, data, opened)
