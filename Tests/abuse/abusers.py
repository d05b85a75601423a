"""The abusers: each does one thing as fast as it can for some seconds, and says what it got."""

import asyncio
import contextlib
import itertools
import secrets
import socket
import struct
import time

from exchange import (ABUSER, ACCOUNT, AREA, EMPTY, INSTRUMENT, METER, OTHER, POOR, POOR_METER, SECOND)
from joulebook.codec import sign_reading
from session import Session, connect

KINDS = {}


def kind(name, deep=False, quick=False, settings=(), tls=False, health=False, memory=64, times=1):
    """Registers an abuser. `deep`: the book has many orders; `quick`: it runs in `make test`; `memory`: MiB by which
    the server may grow; `times`: how many times as long as other rows, for what can be done only once in some seconds."""
    def add(function):
        KINDS[function.__name__] = dict(name=name, deep=deep, quick=quick, settings=list(settings), tls=tls,
                                        health=health, memory=memory, times=times, run=function)
        return function
    return add


def enter(session_or_codec, account, side, quantity, price=100, **more):
    codec = getattr(session_or_codec, "codec", session_or_codec)
    return bytearray(codec.encode("NewOrder", {
        "seqNo": 1, "sendingTime": 1, "clientOrderId": 1, "account": account, "instrument": INSTRUMENT, "side": side,
        "price": price, "quantity": quantity, "timeInForce": "goodTillCancel", **more}))


async def repeat(context, name, fields, count=100, more=()):
    """One request over and over."""
    session = await context.open()
    frames = [session.frame(name, **fields), *(session.frame(other, **values) for other, values in more)]
    await session.keep_sending(context.seconds, lambda: b"".join(
        session.next(frame) for _ in range(count) for frame in frames))
    await session.settle()
    return session.got()


# Requests

@kind("subscribes to an empty area's tops and leaves, over and over", deep=True, quick=True)
async def tops_of_nothing(context):
    return await repeat(context, "MarketDataSubscribe", dict(area=EMPTY, snapshot="top"),
                        more=[("MarketDataUnsubscribe", dict(area=EMPTY))])


@kind("subscribes to an empty area's levels and leaves", deep=True)
async def levels_of_nothing(context):
    return await repeat(context, "MarketDataSubscribe", dict(area=EMPTY, snapshot="levels"),
                        more=[("MarketDataUnsubscribe", dict(area=EMPTY))])


@kind("subscribes to the orders of the deep book, again and again", deep=True)
async def orders_again(context):
    return await repeat(context, "MarketDataSubscribe", dict(area=AREA, snapshot="orders"), count=2)


@kind("subscribes to the levels of the deep book, again and again", deep=True, quick=True)
async def levels_again(context):
    return await repeat(context, "MarketDataSubscribe", dict(area=AREA, snapshot="levels"), count=2)


@kind("subscribes to the tops of the deep book and leaves", deep=True)
async def tops_again(context):
    return await repeat(context, "MarketDataSubscribe", dict(area=AREA, snapshot="top"),
                        more=[("MarketDataUnsubscribe", dict(area=AREA))])


@kind("asks for missed market data by levels, from the oldest kept", deep=True)
async def levels_missed(context):
    session = await context.open()
    order = enter(session, ACCOUNT, "sell", 1)
    for _ in range(20):
        await session.write(b"".join(session.order(order, price=3 + n) for n in range(500)))
    await session.settle()
    resume = session.frame("MarketDataResume", area=AREA, fromSeqNo=context.market.depth + 2, view="levels")
    await session.keep_sending(context.seconds, lambda: session.next(resume))
    await session.settle()
    return session.got()


@kind("asks for the reference data, over and over")
async def reference(context):
    return await repeat(context, "ReferenceDataRequest", dict(area=0))


@kind("asks why its own deepest order does not trade", deep=True, quick=True)
async def explain(context):
    session = await context.open()
    order = await own_order(context, session)
    request = session.frame("ExplainRequest", account=ACCOUNT, orderId=order)
    await session.keep_sending(context.seconds, lambda: b"".join(session.next(request) for _ in range(200)))
    await session.settle()
    return session.got()


@kind("asks why another's order does not trade", deep=True)
async def explain_foreign(context):
    return await repeat(context, "ExplainRequest", dict(account=OTHER, orderId=context.market.order_of_victim))


@kind("asks for the state of an order, at the rate of orders")
async def states(context):
    return await repeat(context, "OrderStatusRequest", dict(account=OTHER, orderId=context.market.order_of_victim), 500)


@kind("asks for balances, at the rate of orders")
async def balances(context):
    return await repeat(context, "BalanceRequest", dict(account=ACCOUNT, area=AREA), 500)


@kind("asks for the hash of the state without the role", deep=True)
async def hashes(context):
    return await repeat(context, "StatusRequest", dict(withStateHash="yes"), 500)


@kind("asks for its oldest reports, over and over", deep=True)
async def old_reports(context):
    return await reports(context, 1)


@kind("asks for its latest reports, over and over")
async def recent_reports(context):
    session = await context.open()
    order = enter(session, ACCOUNT, "sell", 1)
    await session.write(b"".join(session.order(order) for _ in range(500)))
    await session.settle()
    return await reports(context, 400, session)


async def reports(context, start, session=None):
    session = session or await context.open()
    request = session.codec.encode("RetransmitRequest", dict(
        sessionVersion=session.client._version, timestamp=time.time_ns(), fromSeqNo=start, count=100))
    if start == 1:
        # Its reports are those of this version; it needs some that its recent ones no longer have.
        order = enter(session, ACCOUNT, "sell", 1)
        for _ in range(20):
            await session.write(b"".join(session.order(order) for _ in range(500)))
        await session.settle()
    await session.keep_sending(context.seconds, lambda: request * 20)
    await session.settle()
    return session.got()


# Commands

@kind("enters orders without cash, at the highest rate", quick=True)
async def penniless(context):
    session = await context.open()
    order = enter(session, POOR, "buy", 1_000)
    await session.keep_sending(context.seconds, lambda: b"".join(session.order(order) for _ in range(500)))
    await session.settle()
    return session.got()


@kind("cancels by client order ids that do not exist, with many orders", deep=True, quick=True, memory=160)
async def cancels_unknown(context):
    session = await context.open()
    cancel = session.frame("Cancel", account=ACCOUNT, orderId=0, clientOrderId=7)
    await session.keep_sending(context.seconds, lambda: b"".join(session.next(cancel) for _ in range(500)))
    await session.settle()
    return session.got()


@kind("enters orders as fast as it can, above its rate", quick=True)
async def flood(context):
    session = await context.open()
    order = enter(session, ACCOUNT, "buy", 1, timeInForce="immediateOrCancel")
    await session.keep_sending(context.seconds, lambda: b"".join(session.order(order) for _ in range(1_000)), rate=10**9)
    await session.settle()
    return session.got()


@kind("takes order slots until it may take no more", memory=256)
async def slots(context):
    session = await context.open()
    order = enter(session, ACCOUNT, "sell", 1)
    await session.keep_sending(context.seconds, lambda: b"".join(session.order(order) for _ in range(500)))
    await session.settle()
    return session.got()


@kind("opens price levels until it may open no more", memory=256)
async def levels(context):
    session = await context.open()
    order = enter(session, ACCOUNT, "sell", 1)
    prices = itertools.cycle(range(2, 900_000))
    await session.keep_sending(context.seconds, lambda: b"".join(
        session.order(order, price=next(prices)) for _ in range(500)))
    await session.settle()
    return session.got()


@kind("enters orders that lack cover, after very many that have it", memory=256)
async def uncovered(context):
    session = await context.open()
    order = enter(session, ACCOUNT, "buy", 1)
    await session.keep_sending(context.seconds, lambda: b"".join(session.order(order) for _ in range(500)))
    await session.settle()
    return session.got()


@kind("takes the cover of its 100,000 orders with one order and gives it back", deep=True, memory=256)
async def cover_toggled(context):
    session = await context.open()
    order = enter(session, ACCOUNT, "buy", 1_000_000)

    def pair():
        number = session.next_order
        entered = bytes(session.order(order, price=60_000))
        return entered + session.next(session.frame("Cancel", account=ACCOUNT, orderId=0, clientOrderId=number))

    await session.keep_sending(context.seconds, lambda: b"".join(pair() for _ in range(100)))
    await session.settle()
    return session.got()


@kind("enters thousands of orders and cancels them at once, over and over", memory=256, quick=True)
async def mass_cancels(context):
    session = await context.open()
    order = enter(session, ACCOUNT, "buy", 1)
    cancel = session.frame("MassCancel", account=ACCOUNT, instrument=0, sides="both")
    await session.keep_sending(context.seconds, lambda: b"".join(
        [*(session.order(order) for _ in range(5_000)), session.next(cancel)]))
    await session.settle()
    return session.got()


@kind("cancels a deep book at once, with a subscriber to it", deep=True, memory=256, times=4)
async def mass_cancel_deep(context):
    follower = await context.open("second", SECOND)
    await follower.write(follower.next(follower.frame("MarketDataSubscribe", area=AREA, snapshot="none")))
    session = await context.open()
    await asyncio.sleep(context.seconds / 3)
    await session.write(session.next(session.frame("MassCancel", account=ACCOUNT, instrument=0, sides="both")))
    await asyncio.sleep(context.seconds * 2 / 3)
    await follower.settle(10)
    context.expect(session.ended is None and follower.ended is None, "a client that reads was cut")
    return f"{session.got()}; its subscriber: {follower.got()}"


@kind("sweeps a deep book with one order", deep=True, memory=256, times=4)
async def sweep(context):
    session = await context.open("second", SECOND)
    end = time.time_ns()
    reading = dict(meter=POOR_METER, register_sequence=1, interval_start=end - 3_600 * 10**9, interval_end=end,
                   produced=context.market.depth, consumed=0)
    signature = sign_reading(context.market.key("meter"), session.client.market, **reading)
    await session.write(session.next(session.frame(
        "MeterReading", meter=POOR_METER, registerSequence=1, intervalStart=reading["interval_start"],
        intervalEnd=end, produced=context.market.depth, consumed=0, signature=signature)))
    await asyncio.sleep(context.seconds / 3)
    order = enter(session, POOR, "sell", context.market.depth, price=0, timeInForce="immediateOrCancel")
    await session.write(session.order(order))
    await asyncio.sleep(context.seconds * 2 / 3)
    await session.settle(10)
    # Each trade has a report for either side.
    context.expect(session.counts["Trade"] >= context.market.depth, f"it did not sweep the book: {session.got()}")
    return session.got()


@kind("replaces one order as fast as it can")
async def replaces(context):
    session = await context.open()
    order = await own_order(context, session)
    replace = session.frame("Replace", account=ACCOUNT, orderId=order, clientOrderId=1, price=100, quantity=2)
    offset = bytes(session.frame("Replace", account=ACCOUNT, orderId=order, clientOrderId=0x1122334455667788, price=100,
                                 quantity=2)).index(struct.pack("<Q", 0x1122334455667788))

    def block():
        frames = []
        for number in range(500):
            struct.pack_into("<Q", replace, offset, session.next_order)
            session.next_order += 1
            frames.append(session.next(replace))
        return b"".join(frames)
    await session.keep_sending(context.seconds, block)
    await session.settle()
    return session.got()


@kind("moves cash to and fro between its accounts")
async def transfers(context):
    return await repeat(context, "Transfer", dict(clientOrderId=1, fromAccount=ACCOUNT, toAccount=POOR, asset="cash",
                                                  currency=978, area=0, amount=1), 500)


@kind("sends messages with gaps in their numbers")
async def gaps(context):
    session = await context.open()
    order = enter(session, ACCOUNT, "buy", 1, timeInForce="immediateOrCancel")

    def block():
        frames = []
        for _ in range(500):
            session.next_number += 5
            frames.append(session.order(order))
        return b"".join(frames)
    await session.keep_sending(context.seconds, block)
    await session.settle()
    return session.got()


@kind("sends readings with wrong signatures")
async def bad_readings(context):
    return await repeat(context, "MeterReading", dict(
        meter=METER, registerSequence=1, intervalStart=1, intervalEnd=2, produced=0, consumed=0,
        signature=secrets.token_bytes(64)), 100)


@kind("cancels all orders of an account that has none, without end")
async def empty_mass_cancels(context):
    return await repeat(context, "MassCancel", dict(account=POOR, instrument=0, sides="both"), 500)


@kind("lets its standing instruction change without end")
async def instructions(context):
    return await repeat(context, "SetAgent", dict(
        account=ACCOUNT, instrument=INSTRUMENT, sellPrice=100, sellAbove=1, buyPrice=50, buyBelow=10**9, target=10,
        flags=["sells", "buys"]), 200)


# Readers

@kind("subscribes to everything and does not read, while it trades", quick=True, memory=128)
async def does_not_read(context):
    deaf = await context.open("second", SECOND, reads=False)
    await deaf.write(deaf.next(deaf.frame("MarketDataSubscribe", area=AREA, snapshot="none")))
    session = await context.open()
    order = enter(session, ACCOUNT, "sell", 1)  # They wait: there is no energy.
    await session.keep_sending(context.seconds, lambda: b"".join(session.order(order) for _ in range(500)))
    await session.settle()
    return session.got()


@kind("subscribes to everything and reads a byte at a time", memory=128)
async def reads_slowly(context):
    deaf = await context.open("second", SECOND, reads=False)
    await deaf.write(deaf.next(deaf.frame("MarketDataSubscribe", area=AREA, snapshot="orders")))

    async def sip():
        with contextlib.suppress(Exception):
            while await deaf.reader.read(1):
                await asyncio.sleep(0.001)
    sipping = asyncio.create_task(sip())
    session = await context.open()
    order = enter(session, ACCOUNT, "sell", 1)
    await session.keep_sending(context.seconds, lambda: b"".join(session.order(order) for _ in range(500)))
    sipping.cancel()
    return session.got()


@kind("sends its orders byte by byte")
async def byte_by_byte(context):
    session = await context.open()
    session.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    order = enter(session, ACCOUNT, "buy", 1, timeInForce="immediateOrCancel")
    end = time.monotonic() + context.seconds
    while time.monotonic() < end and session.ended is None:
        for byte in session.order(order):
            session.writer.write(bytes([byte]))
            await asyncio.sleep(0)
    return session.got()


# Strangers

@kind("opens connections that say nothing, from one address", quick=True)
async def silent(context):
    opened = refused = 0
    sockets, end = [], time.monotonic() + context.seconds
    while time.monotonic() < end:
        for _ in range(50):
            stranger = socket.socket()
            stranger.settimeout(0.5)
            try:
                stranger.bind(("127.0.0.2", 0))
                stranger.connect(("127.0.0.1", context.port))
                sockets.append(stranger)
                opened += 1
            except OSError:
                refused += 1
                stranger.close()
        await asyncio.sleep(0.01)
        if len(sockets) > 2_000:
            for stranger in sockets[:1_000]:
                stranger.close()
            del sockets[:1_000]
    closed = 0
    for stranger in sockets:
        stranger.setblocking(False)
        with contextlib.suppress(OSError):
            closed += stranger.recv(1_000) == b""
        stranger.close()
    return f"{opened} opened, {refused} refused, of the last {len(sockets)} {closed} closed at once"


@kind("connects and leaves without end")
async def comes_and_goes(context):
    return await strangers(context, lambda: b"")


@kind("sends bytes that are no messages", quick=True)
async def noise(context):
    return await strangers(context, lambda: secrets.token_bytes(500))


@kind("logs on with wrong signatures", quick=True)
async def wrong_signatures(context):
    from joulebook.codec import Codec
    codec = Codec()

    def frame():
        return codec.encode("Negotiate", dict(sessionId=1, sessionVersion=time.time_ns(), timestamp=time.time_ns(),
                                              signature=secrets.token_bytes(64)))
    return await strangers(context, frame)


@kind("logs on with a frame that it has seen")
async def replayed(context):
    taken = []
    plain = asyncio.StreamWriter.write

    def record(self, data):
        taken.append(bytes(data))
        return plain(self, data)
    asyncio.StreamWriter.write = record
    try:
        client = await connect(context.market, context.port, "second", SECOND, "127.0.0.1")
        await client.close()
    finally:
        asyncio.StreamWriter.write = plain
    text = await strangers(context, lambda: taken[0] + taken[1])
    context.expect("NegotiationResponse" not in text and "EstablishmentAck" not in text,
                   f"a log-on that was seen is good again: {text}")
    return text


@kind("begins a new version of its session without end")
async def versions(context):
    done, end = 0, time.monotonic() + context.seconds
    while time.monotonic() < end:
        client = await connect(context.market, context.port, "second", SECOND, context.source)
        client.drop()
        done += 1
    return f"{done} versions"


@kind("begins TLS handshakes without end", tls=True)
async def handshakes(context):
    import ssl
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    done = failed = 0
    end = time.monotonic() + context.seconds

    async def one():
        nonlocal done, failed
        while time.monotonic() < end:
            try:
                _, writer = await asyncio.wait_for(asyncio.open_connection(
                    "127.0.0.1", context.port, ssl=trust, local_addr=("127.0.0.2", 0)), 5)
                done += 1
                writer.transport.abort()
            except (OSError, TimeoutError, asyncio.TimeoutError):
                failed += 1
    await asyncio.gather(*(one() for _ in range(16)))
    return f"{done} handshakes, {failed} failed"


@kind("begins TLS handshakes and leaves the server with them, from 64 addresses", tls=True)
async def hellos(context):
    import ssl
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(ssl.SSLWantReadError):
        client.wrap_bio(incoming, outgoing).do_handshake()
    hello = outgoing.read()
    begun = refused = 0
    sockets, end = [], time.monotonic() + context.seconds
    while time.monotonic() < end:
        for host in range(2, 66):
            stranger = socket.socket()
            stranger.settimeout(0.5)
            try:
                stranger.bind((f"127.0.0.{host}", 0))
                stranger.connect(("127.0.0.1", context.port))
                stranger.send(hello)
                sockets.append(stranger)
                begun += 1
            except OSError:
                refused += 1
                stranger.close()
        await asyncio.sleep(0.01)
        for stranger in sockets[:-1_000]:
            stranger.close()
        del sockets[:-1_000]
    for stranger in sockets:
        stranger.close()
    return f"{begun} handshakes begun, {refused} connections refused"


@kind("asks for /health a byte at a time, on many connections", health=True, quick=True)
async def slow_health(context):
    sockets = []
    for _ in range(64):
        stranger = socket.socket()
        stranger.settimeout(0.5)
        with contextlib.suppress(OSError):
            stranger.connect(("127.0.0.1", context.health))
            sockets.append(stranger)
    answered, asked, end = 0, 0, time.monotonic() + context.seconds
    while time.monotonic() < end:
        for stranger in sockets:
            with contextlib.suppress(OSError):
                stranger.send(b"G")
        asked += 1
        answered += await asyncio.to_thread(ask_health, context.health)
        await asyncio.sleep(0.3)
    context.expect(answered == asked, f"/health answered {answered} of {asked} times")
    return f"/health answered {answered} of {asked} times"


def ask_health(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as asker:
        asker.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        return asker.recv(100).startswith(b"HTTP/1.1 ")
    return False


async def strangers(context, data):
    """Connections from one address that send something, read what comes, and leave."""
    from joulebook.codec import Codec
    codec, seen, end = Codec(), {}, time.monotonic() + context.seconds

    async def one():
        while time.monotonic() < end:
            what = "refused"
            with contextlib.suppress(OSError, TimeoutError, asyncio.TimeoutError):
                reader, writer = await asyncio.wait_for(
                    asyncio.open_connection("127.0.0.1", context.port, local_addr=("127.0.0.2", 0)), 2)
                what = "closed"
                if sent := data():
                    writer.write(sent)
                    answer = await asyncio.wait_for(reader.read(-1), 2)
                    at, what = 0, "nothing"
                    while len(answer) - at >= 12:
                        length = struct.unpack_from("<H", answer, at)[0]
                        message = codec.decode(answer[at:at + length])
                        if message and message.name not in ("Challenge",):
                            what = f"{message.name} {message.fields.get('code', '')}".strip()
                        at += max(length, 8)
                writer.close()
            seen[what] = seen.get(what, 0) + 1
    await asyncio.gather(*(one() for _ in range(32)))
    return ", ".join(f"{what}: {count}" for what, count in sorted(seen.items(), key=lambda p: -p[1])[:3])


async def own_order(context, session):
    """An open order of the abuser, at a price behind its others. Asks again while its work is used up, and makes place while
    it has all the orders that an account may have."""
    order = enter(session, ACCOUNT, "buy", 1, price=1)
    session.reading.cancel()
    rest, found, until = b"", None, time.monotonic() + 60
    await session.write(session.order(order, price=1))
    while found is None:
        left = until - time.monotonic()
        if left <= 0:
            raise RuntimeError("no order of the abuser was accepted in a minute")
        data = await asyncio.wait_for(session.reader.read(65_536), left)
        if not data:
            raise RuntimeError("the server closed the abuser's connection")
        rest, at = rest + data, 0
        while len(rest) - at >= 12 and len(rest) - at >= struct.unpack_from("<H", rest, at)[0]:
            length = struct.unpack_from("<H", rest, at)[0]
            message = session.codec.decode(rest[at:at + length])
            at += length
            if message and message.name == "Accepted":
                found = found or message.orderId
            elif message and message.name == "Rejected":
                if message.code == 6005:
                    await session.write(session.next(session.frame(
                        "MassCancel", account=ACCOUNT, instrument=0, sides="both")))
                await asyncio.sleep(0.5)
                await session.write(session.order(order, price=1))
        rest = rest[at:]
    session.counts["Accepted"] += 1
    session.reading = asyncio.create_task(session._read())
    return found
