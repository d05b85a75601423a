"""The Python client under faults: a stopped server, a network that gives up, bytes that are no frames, a server that
does not read, and one that is killed and starts again. Every loss has its cause and ends every call; a client that comes
back by itself loses nothing."""

import asyncio
import os
import signal
import socket

from market import AREA, BEN, INSTRUMENT, SETTINGS, Server

import joulebook.connection
from joulebook import Backoff, BufferFull, Client, ConnectionLost, Rejected

FAST = Backoff(first=0.05, most=0.5)


def run(market, quick):
    for fault, case in (("client: server stopped (SIGSTOP)", silence), ("client: ETIMEDOUT", timed_out),
                        ("client: bytes that are no frames", garbage), ("client: a server that does not read", full),
                        ("client: stopped, then goes on; it resumes", paused)):
        yield (fault, 1, *asyncio.run(with_server(market, case)))
    kills = 3 if quick else 20
    yield ("client: server killed and started again", kills, *asyncio.run(killed(market, kills)))


async def with_server(market, case):
    server = Server(market.program, market.copy("comebacks"))
    try:
        return await asyncio.wait_for(case(market, server), 60)
    except asyncio.TimeoutError:
        return "", "somebody waits for ever"
    finally:
        if server.process.poll() is None:
            os.kill(server.pid, signal.SIGCONT)
        server.kill()


async def connect(market, port, **options):
    return await Client.connect("127.0.0.1", port, BEN + 1, market.ben, cancel_after_ms=None,
                                **{"keep_alive_ms": 1_000, **options})


def order(client, price=100):
    return client.order(BEN, INSTRUMENT, "buy", price, 100)


async def all_end(client, cause):
    """Starts every way of waiting, and returns a problem unless all end with a loss that has this cause."""
    return await waiting_end(client, cause, order(client), client.balance(BEN, 1))


async def waiting_end(client, cause, *requests):
    """Like `all_end`; only these requests are made."""
    calls = [asyncio.ensure_future(call) for call in (
        *requests, client.receive(), client.wait_for(lambda m: False, 50), read_all(client))]
    for end in await asyncio.gather(*calls, return_exceptions=True):
        if not isinstance(end, ConnectionLost) or cause not in str(end):
            return f"a call ended with {end!r}"
    try:
        client.send("BalanceRequest", account=BEN, area=1)
    except ConnectionLost:
        return None
    return "send() returned on a lost connection"


async def read_all(client):
    async for _ in client.messages():
        pass


async def silence(market, server):
    client = await connect(market, server.port)
    await order(client)
    os.kill(server.pid, signal.SIGSTOP)
    return "every call ended after two intervals", await all_end(client, "silent for two keep-alive intervals")


async def timed_out(market, server):
    client = await connect(market, server.port, keep_alive_ms=60_000)
    client._writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1_500)
    os.kill(server.pid, signal.SIGSTOP)
    # The kernel gives up when what it has sent is not taken; a stopped server's buffer fills.
    try:
        while True:
            for _ in range(2_000):
                client.send("BalanceRequest", account=BEN, area=1)
            await asyncio.sleep(0)
    except (BufferFull, ConnectionLost):
        pass
    return "the network's error ended every call", await waiting_end(client, "timed out", client.drain())


async def garbage(market, server):
    """A relay between client and server adds bytes to what the server sends."""
    clients = []

    async def relay(reader, writer):
        there = await asyncio.open_connection("127.0.0.1", server.port)
        clients.append(writer)
        try:
            await asyncio.gather(pipe(reader, there[1]), pipe(there[0], writer), return_exceptions=True)
        except asyncio.CancelledError:
            pass

    async def pipe(source, target):
        while data := await source.read(1 << 16):
            target.write(data)
        target.close()

    listener = await asyncio.start_server(relay, "127.0.0.1", 0)
    port, problem = listener.sockets[0].getsockname()[1], None
    for junk in (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", bytes(100), b"\x10\x00\x50\xeb" + bytes(12)):
        client = await connect(market, port)
        await order(client)
        clients[-1].write(junk)
        problem = problem or await all_end(client, "no frame of this protocol")
        await asyncio.sleep(0.2)
    client = await connect(market, port, reconnect=FAST)
    clients[-1].write(b"junk, and then more")
    for _ in range(20):
        await order(client)
    await client.close()
    listener.close()
    return "each ended every call; one that comes back went on", problem


async def full(market, server):
    client = await connect(market, server.port, keep_alive_ms=60_000)
    # A bound of 1 MiB, so that a slow machine reads the answers before the server calls it slow.
    bound, joulebook.connection.MOST_UNSENT = joulebook.connection.MOST_UNSENT, 1 << 20
    sent, answers = 0, []
    client.on("", lambda message: answers.append(message.refSeqNo))
    os.kill(server.pid, signal.SIGSTOP)
    try:
        while True:
            for _ in range(1_000):
                client.send("BalanceRequest", account=BEN, area=1)
                sent += 1
            await asyncio.sleep(0)
    except BufferFull:
        pass
    finally:
        joulebook.connection.MOST_UNSENT = bound
    draining = asyncio.create_task(client.drain())
    await asyncio.sleep(0.2)
    if draining.done():
        return "", "drain() returned although the server reads nothing"
    os.kill(server.pid, signal.SIGCONT)
    await draining
    while len(answers) < sent and client.is_connected:
        await asyncio.sleep(0.1)
    problem = None if answers == list(range(1, sent + 1)) else f"{len(answers)} answers to {sent} questions"
    await client.close()
    return f"BufferFull after {sent} messages; all were answered", problem


async def paused(market, server):
    client = await connect(market, server.port, reconnect=FAST)
    events = []
    client.on("event", lambda event: events.append(event.kind))
    first = await client.place(BEN, INSTRUMENT, "buy", 100, 100)
    os.kill(server.pid, signal.SIGSTOP)
    call = asyncio.create_task(order(client, 200))
    while "lost" not in events:
        await asyncio.sleep(0.1)
    os.kill(server.pid, signal.SIGCONT)
    await call
    status = await client.order_status(BEN, first.order_id)
    await client.close()
    problem = None if "resumed" in events and status.leaves == 100 else f"events {events}, {status}"
    return "the call was answered, the order stands", problem


async def killed(market, kills):
    """Orders and cancels, many at a time, while the server is killed again and again on one port."""
    data = market.copy("comebacks")
    server = Server(market.program, data)
    port = server.port
    client = await connect(market, port, reconnect=FAST)
    reports, losses, known, end = [], [], {}, False
    client.on("", lambda message: message.fields.get("seqNo") and message.is_report and reports.append(message.seqNo))
    feed = await client.book(AREA)
    client.on("event", lambda event: losses.append(event.kind) if event.kind != "retrying" else None)

    async def trade(number):
        while not end:
            entered = await client.place(BEN, INSTRUMENT, "buy", 100 + 100 * number, 100)
            known[entered.order_id] = True
            if len(known) % 3 == 0:
                try:
                    await entered.cancel()
                    known[entered.order_id] = False
                except Rejected as reject:
                    raise AssertionError(f"an order that stands is not known: {reject}") from None

    tasks = [asyncio.create_task(trade(number)) for number in range(20)]
    for _ in range(kills):
        await asyncio.sleep(0.5)
        server.kill()
        server = await asyncio.to_thread(Server, market.program, data, SETTINGS, port=port)
        while losses.count("resumed") + losses.count("restarted") < losses.count("lost") or not client.is_connected:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    end, problem = True, None
    try:
        await asyncio.wait_for(asyncio.gather(*tasks), 30)
        before = {number: (each.leaves, each.price) for number, each in client.orders.items()}
        rows = {each.orderId: (each.leaves, each.price) async for each in client.list_all("orders", account=BEN)}
        expected = {number for number, stands in known.items() if stands}
        if set(rows) != expected or before != rows:
            problem = f"{len(expected)} orders should stand, {len(rows)} do, the client knows {len(before)}"
        if not await book_is(feed, rows):
            problem = f"the book of market data is not the orders: {feed.book.depth(INSTRUMENT, 'buy')}"
        if reports != list(range(1, len(reports) + 1)):
            problem = "reports came twice, not at all or in another order"
        await client.close()
    except (Exception, asyncio.TimeoutError) as error:
        problem = repr(error)
    server.kill()
    return f"{len(known)} orders, {len(reports)} reports, each once and in order", problem


async def book_is(feed, rows):
    """Whether the client's book becomes that of the open orders."""
    levels = {}
    for leaves, price in rows.values():
        levels[price] = levels.get(price, 0) + leaves
    for _ in range(100):
        if {level.price: level.total for level in feed.book.depth(INSTRUMENT, "buy")} == levels:
            return True
        await asyncio.sleep(0.05)
    return False
