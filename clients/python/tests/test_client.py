"""The client on the test double: requests, streams, losses, coming back, orders, books and the synchronous client."""

import asyncio
import pathlib
import threading
import time
import unittest
from unittest import mock

import joulebook.sync
from joulebook import (Backoff, BufferFull, Codec, ConnectionLost, LevelBook, MarketPrices, OrderBook, Rejected,
                       Terminated, Throttled)
from joulebook.connection import ENOUGH_UNSENT
from joulebook.messages import Accepted, LevelUpdate, OrderAdd, Trade
from joulebook.testing import Exchange

FAST = Backoff(first=0.01, most=0.05)


class Case(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)
        self.exchange = Exchange()
        await self.exchange.listen()
        self.clients = []
        connect = self.exchange.connect

        async def remembered(*args, **options):
            self.clients.append(await connect(*args, **options))
            return self.clients[-1]
        self.exchange.connect = remembered

    async def asyncTearDown(self):
        for client in self.clients:
            client.drop()
        await self.exchange.stop()
        await asyncio.sleep(0.01)

    async def until(self, condition):
        for _ in range(1_000):
            if condition():
                return
            await asyncio.sleep(0.01)
        self.fail("it did not come to that")


class Requests(Case):
    async def test_concurrent_calls_get_their_own_answers(self):
        bot = await self.exchange.connect()
        self.exchange.balances[7, 1] = {"energy": 70}
        self.exchange.balances[8, 1] = {"energy": 80}
        answers = await asyncio.gather(
            bot.balance(7, 1), bot.order(1, 1, "buy", 100, 10), bot.balance(8, 1), bot.order(1, 1, "buy", 101, 10),
            bot.status(), bot.create_account(5, 1))
        self.assertEqual([answer.name for answer in answers],
                         ["BalanceUpdate", "Accepted", "BalanceUpdate", "Accepted", "Status", "Ack"])
        self.assertEqual((answers[0].energy, answers[2].energy), (70, 80))
        self.assertEqual((answers[1].price, answers[3].price), (100, 101))
        canceled = await asyncio.gather(*(bot.cancel(1, answers[n].orderId) for n in (3, 1)))
        self.assertEqual([each.orderId for each in canceled], [answers[3].orderId, answers[1].orderId])
        await bot.close()

    async def test_nothing_else_is_dropped(self):
        bot = await self.exchange.connect()
        seller = await self.exchange.connect(2)
        await seller.order(2, 1, "sell", 100, 30)
        trades = bot.stream(Trade)
        called = []
        bot.on(Accepted, called.append)
        for _ in range(3):
            await bot.order(1, 1, "buy", 100, 10)
        await bot.balance(1, 1)
        self.assertEqual([(await bot.receive(5)).name for _ in range(3)], ["Trade"] * 3)
        self.assertEqual([(await trades.__anext__()).leaves for _ in range(3)], [0, 0, 0])
        self.assertEqual(len(called), 3)
        # All of the seller's reports wait for their reader.
        self.assertEqual((await seller.wait_for(lambda m: m.name == "Trade" and m.leaves == 0)).quantity, 10)

    async def test_rejects_have_words(self):
        bot = await self.exchange.connect()
        self.exchange.reject_next(6011, 500)
        with self.assertRaises(Rejected) as caught:
            await bot.order(1, 1, "buy", 100, 1_000)
        error = caught.exception
        self.assertEqual((error.code, error.limit), (6011, 500))
        self.assertTrue(error.name and error.meaning and error.cure and error.limit_unit)
        self.assertIn(error.name, str(error))
        with self.assertRaises(Rejected) as caught:
            await bot.cancel(1, 99)
        self.assertEqual(caught.exception.code, 6001)

    async def test_throttles(self):
        bot = await self.exchange.connect()
        self.exchange.reject_next(9007, -50_000)
        with self.assertRaises(Throttled) as caught:
            await bot.balance(1, 1)
        self.assertGreater(caught.exception.retry_after, 0.5)
        patient = await self.exchange.connect(2, wait_when_throttled=True)
        self.exchange.reject_next(9007, 0)
        accepted = await patient.order(1, 1, "buy", 100, 10)
        orders = [m for m in self.exchange.received if m.name == "NewOrder"]
        self.assertEqual((accepted.clientOrderId, len(orders)), (orders[-1].clientOrderId, 2))

    async def test_pace(self):
        self.exchange.limits = {1: 3, 2: 50}
        with mock.patch("joulebook.pace.SECOND", 0.2):
            bot = await self.exchange.connect(pace=True)
            self.assertEqual(bot.messages_per_second, 3)
            start, times = time.monotonic(), []
            self.exchange.take, taken = lambda session, message: (
                times.append((time.monotonic(), message.name)), taken(session, message)), self.exchange.take
            await asyncio.gather(*(bot.order(1, 1, "buy", 100, 10) for _ in range(7)), bot.mass_cancel(1))
            # Cancels do not wait for the orders before them.
            self.assertLessEqual([name for _, name in times].index("MassCancel"), 3)
            orders = [at for at, name in times if name == "NewOrder"]
            self.assertGreater(orders[-1] - start, 0.35)
            # A 9003 names the limit that holds now.
            self.exchange.reject_next(9003, 1)
            await bot.order(1, 1, "buy", 100, 10)
            self.assertEqual(bot.messages_per_second, 1)
        fixed = await self.exchange.connect(2, pace=10)
        self.assertEqual(fixed.messages_per_second, 10)
        plain = await self.exchange.connect(3)
        self.assertIsNone(plain.messages_per_second)
        for wrong in (0, "fast", -1, 1.5):
            with self.assertRaises(ValueError):
                await self.exchange.connect(4, pace=wrong)

    async def test_cancel_of_another_session(self):
        bot, desk = await self.exchange.connect(1), await self.exchange.connect(2)
        order = await bot.place(1, 1, "buy", 100, 10)
        self.assertEqual((await desk.cancel_for(1, order.order_id)).name, "Ack")
        await order.done(5)
        self.assertEqual(order.state, "canceled")
        # What a list has told of it follows, too.
        accepted = await bot.order(1, 1, "buy", 100, 10)
        known = desk._orders.know(Codec().message("OrderStatus", orderId=accepted.orderId, account=1, leaves=10))
        await known.cancel()
        self.assertEqual((known.state, known.leaves, desk.orders), ("canceled", 0, {}))

    async def test_words_of_notes_and_labels(self):
        bot = await self.exchange.connect()
        for wrong in (5, 0, ["a"]):
            with self.assertRaisesRegex(TypeError, "at most 40 bytes"):
                await bot.order(1, 1, "buy", 100, 10, note=wrong)
        with self.assertRaisesRegex(TypeError, "16 ASCII"):
            await bot.set_account(1, label=5)
        await bot.create_account(5, 1, "Flat 5")
        self.assertEqual(self.exchange.received[-1].label, "Flat 5")

    async def test_no_answer_in_time(self):
        bot = await self.exchange.connect()
        self.exchange.is_silent = True
        with self.assertRaises(asyncio.TimeoutError):
            await bot.order(1, 1, "buy", 100, 10, timeout=0.05)
        self.exchange.is_silent = False
        # The late answer is not lost: nobody waits for it any more, so it is in the inbox.
        self.assertEqual((await bot.receive(5)).name, "Accepted")
        self.assertEqual(len(bot.orders), 1)

    async def test_failing_callback_stops_nothing(self):
        bot = await self.exchange.connect()
        problems = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        bot.on("Accepted", lambda _: 1 / 0)
        await bot.order(1, 1, "buy", 100, 10)
        await bot.order(1, 1, "buy", 100, 10)
        self.assertEqual(len(problems), 2)
        with self.assertRaisesRegex(ValueError, "there is no message or event"):
            bot.on("Acepted", print)


class Ends(Case):
    async def ends(self, bot, cause):
        """All ways of waiting end with the same cause."""
        for wait in (bot.receive(5), bot.order(1, 1, "buy", 100, 10), bot.drain()):
            with self.assertRaisesRegex(ConnectionLost, cause):
                await wait
        with self.assertRaisesRegex(ConnectionLost, cause):
            bot.send("BalanceRequest", account=1, area=1)
        with self.assertRaises(ConnectionLost):
            async for _ in bot.messages():
                pass
        await bot.close()

    async def test_cut_while_calls_wait(self):
        bot = await self.exchange.connect()
        events = bot.events()
        self.exchange.is_silent = True
        calls = [asyncio.create_task(bot.balance(1, 1)), asyncio.create_task(bot.receive()),
                 asyncio.create_task(bot.wait_for(lambda m: False))]
        await asyncio.sleep(0.05)
        self.exchange.cut()
        for call in calls:
            with self.assertRaises(ConnectionLost):
                await asyncio.wait_for(call, 5)
        with self.assertRaises(ConnectionLost):
            kinds = []
            async for event in events:
                kinds.append(event.kind)
        self.assertEqual(kinds, ["lost", "ended"])
        await self.ends(bot, "closed|reset|network")

    async def test_garbage(self):
        for garbage in (b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(64), b"\x0c\x00\x50\xeb" + b"\xff" * 8,
                        self.exchange.codec.encode("Accepted", {})[:-8] + bytes(8)):
            bot = await self.exchange.connect()
            self.exchange.write(garbage[:5])
            await asyncio.sleep(0.01)
            self.exchange.write(garbage[5:])
            if garbage[:2] != b"\x50\x00":
                await self.ends(bot, "no frame")

    async def test_end_inside_a_message(self):
        bot = await self.exchange.connect()
        self.exchange.write(self.exchange.codec.encode("Accepted", {})[:10])
        for connection in self.exchange._connections:
            connection.writer.write_eof()
        await self.ends(bot, "inside a message")

    async def test_silence(self):
        bot = await self.exchange.connect(keep_alive_ms=1_000)
        bot._place.keep_alive_ms = 100
        bot._tasks[1].cancel()
        bot._tasks[1] = asyncio.create_task(bot._keep_alive(0.1))
        self.exchange.is_silent = True
        await self.ends(bot, "silent for two keep-alive intervals")

    async def test_error_of_the_network(self):
        bot = await self.exchange.connect()
        bot._reader.set_exception(TimeoutError(110, "Connection timed out"))
        with self.assertRaises(ConnectionLost) as caught:
            await bot.receive(5)
        self.assertIsInstance(caught.exception.__cause__, TimeoutError)
        await self.ends(bot, "timed out")

    async def test_terminate(self):
        bot = await self.exchange.connect()
        self.exchange.send("Terminate", code=3013)
        with self.assertRaises(Terminated) as caught:
            await bot.receive(5)
        self.assertEqual((caught.exception.code, caught.exception.is_orderly), (3013, False))
        self.assertIn("3013 sessionCut", str(caught.exception))
        orderly = await self.exchange.connect()
        self.exchange.send("Terminate")
        self.assertEqual([m async for m in orderly.messages()], [])

    async def test_close_is_orderly(self):
        async with await self.exchange.connect() as bot:
            reader = asyncio.create_task(self.count(bot))
            stream = bot.stream()
            await bot.order(1, 1, "buy", 100, 10)
        self.assertEqual(await asyncio.wait_for(reader, 5), 0)
        self.assertEqual([m.name async for m in stream], ["Accepted"])
        await bot.close()
        with self.assertRaisesRegex(Terminated, "closed by this client"):
            bot.send("BalanceRequest")

    async def count(self, bot):
        return len([m async for m in bot.messages()])

    @mock.patch("joulebook.connection.MOST_UNSENT", 1 << 20)
    async def test_full_buffer(self):
        bot = await self.exchange.connect(keep_alive_ms=60_000)
        for connection in self.exchange._connections:
            connection.reader._transport.pause_reading()
        with self.assertRaises(BufferFull):
            for _ in range(1_000):
                for _ in range(1_000):
                    bot.send("BalanceRequest", account=1, area=1)
                await asyncio.sleep(0)
        number = bot._next_seq_no
        with self.assertRaises(BufferFull):
            bot.send("BalanceRequest")
        self.assertEqual(bot._next_seq_no, number)
        for connection in self.exchange._connections:
            connection.reader._transport.resume_reading()
        await bot.drain()
        bot.send("BalanceRequest")
        bot.drop()

    async def test_no_space_in_time(self):
        bot = await self.exchange.connect(keep_alive_ms=60_000)
        for connection in self.exchange._connections:
            connection.reader._transport.pause_reading()
        while bot._writer.transport.get_write_buffer_size() <= ENOUGH_UNSENT:
            for _ in range(1_000):
                bot.send("BalanceRequest", account=1, area=1)
            await asyncio.sleep(0)
        with self.assertRaises(asyncio.TimeoutError):
            await bot.order(1, 1, "buy", 100, 10, timeout=0.05)
        for connection in self.exchange._connections:
            connection.reader._transport.resume_reading()
        await bot.drain()
        await bot.balance(1, 1)
        self.assertEqual([m for m in self.exchange.received if m.name == "NewOrder"], [])

    async def test_nobody_reads_the_inbox(self):
        bot = await self.exchange.connect()
        bot._inbox._bound = 10
        dropped = []
        bot.on("dropped", dropped.append)
        order = await bot.order(1, 1, "buy", 100, 100)
        self.exchange.trade(order.orderId, 1)
        await bot.receive(5)
        for _ in range(30):
            self.exchange.trade(order.orderId, 1)
        await self.until(lambda: sum(event.count for event in dropped) == 20)
        self.assertEqual((await bot.receive(5)).leaves, 78)


class Comeback(Case):
    async def test_resumes_and_loses_nothing(self):
        bot = await self.exchange.connect(reconnect=FAST, cancel_after_ms=None)
        kinds = []
        bot.on("event", lambda event: kinds.append(event.kind))
        order = await bot.place(1, 1, "sell", 100, 100)
        errors = []

        def lost(_):
            try:
                bot.send("BalanceRequest")
            except ConnectionLost as error:
                errors.append(error)
        bot.on("lost", lost)
        self.exchange.cut()
        for _ in range(5):
            self.exchange.trade(order.order_id, 10)
        # A call made meanwhile waits for the connection.
        other = await bot.place(1, 1, "sell", 101, 5)
        self.assertEqual((order.leaves, order.traded, other.state), (50, 50, "open"))
        self.assertEqual([(await bot.receive(5)).leaves for _ in range(5)], [90, 80, 70, 60, 50])
        self.assertEqual([kind for kind in kinds if kind != "retrying"], ["lost", "resumed"])
        self.assertTrue(bot.is_connected and errors)
        await bot.close()

    async def test_requests_in_flight_happen_once(self):
        bot = await self.exchange.connect(reconnect=FAST, cancel_after_ms=None)
        for _ in range(5):
            self.exchange.is_silent = True
            calls = [asyncio.create_task(bot.order(1, 1, "buy", 100 + n, 10)) for n in range(20)]
            calls.append(asyncio.create_task(bot.balance(1, 1)))
            await asyncio.sleep(0.01)
            self.exchange.cut()
            self.exchange.is_silent = False
            answers = await asyncio.wait_for(asyncio.gather(*calls), 10)
            self.assertEqual([m.name for m in answers], ["Accepted"] * 20 + ["BalanceUpdate"])
        self.assertEqual(len(self.exchange.orders), 100)
        ids = [order.client_order_id for order in self.exchange.orders.values()]
        self.assertEqual(len(set(ids)), 100)

    async def test_an_answer_outside_the_sequence_is_lost(self):
        bot = await self.exchange.connect(reconnect=FAST)
        # The command arrives and is throttled; the reject is lost with the connection.
        self.exchange.reject_next(9003, 10)
        call = asyncio.create_task(bot.order(1, 1, "buy", 100, 10))
        await asyncio.sleep(0)
        taken, connection = self.exchange.take, next(iter(self.exchange._connections))

        def take(session, message):
            taken(session, message)
            connection.writer.transport.abort()
        self.exchange.take = take
        connection.write = lambda data: None
        await self.until(lambda: any(m.name == "NewOrder" for m in self.exchange.received))
        self.exchange.take = taken
        self.assertEqual((await asyncio.wait_for(call, 10)).name, "Accepted")
        self.assertEqual(len(self.exchange.orders), 1)

    async def test_a_server_that_forgot(self):
        bot = await self.exchange.connect(reconnect=FAST)
        kinds = []
        bot.on("event", lambda event: kinds.append(event.kind))
        gone = await bot.place(1, 1, "buy", 100, 10)
        self.exchange.forget()
        await self.exchange.stop()
        call = asyncio.create_task(bot.order(1, 1, "buy", 100, 10))
        await asyncio.sleep(0.1)
        await self.exchange.listen()
        self.assertEqual((await asyncio.wait_for(call, 10)).name, "Accepted")
        self.assertIn("restarted", kinds)
        await self.until(lambda: gone.state == "unknown")

    async def test_a_version_that_was_reset(self):
        bot = await self.exchange.connect(reconnect=FAST)
        events = []
        bot.on("event", events.append)
        gone = await bot.place(1, 1, "buy", 100, 10)
        self.exchange.reject_next(1025)
        self.exchange.cut()
        await self.until(lambda: any(event.kind == "reports_lost" for event in events))
        kinds = [event.kind for event in events]
        self.assertEqual(kinds[-2:], ["restarted", "reports_lost"])
        self.assertEqual(events[-1].error.code, 1025)
        await self.until(lambda: gone.state == "unknown")
        self.assertEqual((await bot.order(1, 1, "buy", 100, 10)).name, "Accepted")

    async def test_a_version_that_is_over(self):
        bot = await self.exchange.connect(reconnect=FAST)
        self.exchange.reject_next(1004, 7)
        self.exchange.cut()
        with self.assertRaises(Terminated) as caught:
            await bot.receive(5)
        self.assertEqual(caught.exception.code, 1004)

    async def test_ends_that_are_final(self):
        for code in (1001, 1008, 1024):
            bot = await self.exchange.connect(reconnect=FAST)
            self.exchange.send("Terminate", code=code)
            with self.assertRaises(Terminated) as caught:
                await bot.receive(5)
            self.assertEqual(caught.exception.code, code)
        bot = await self.exchange.connect(reconnect=Backoff(0.01, 0.01, attempts=3))
        await self.exchange.stop()
        with self.assertRaisesRegex(ConnectionLost, "cannot connect"):
            await bot.receive(5)

    async def test_resumed_by_another_process(self):
        bot = await self.exchange.connect(cancel_after_ms=None)
        order = await bot.order(1, 1, "sell", 100, 100)
        for _ in range(3):
            self.exchange.trade(order.orderId, 10)
        first = await bot.receive(5)
        await self.until(lambda: bot._next_report == 5)
        position = bot.position
        self.assertEqual((first.seqNo, position.next_report), (2, 3))
        bot.drop()
        back = await self.exchange.connect(resume=position)
        self.assertEqual([(await back.receive(5)).seqNo for _ in range(2)], [3, 4])


class Orders(Case):
    async def test_states(self):
        bot = await self.exchange.connect()
        other = await self.exchange.connect(2)
        order = await bot.place(1, 1, "sell", "0.12", "5kWh")
        self.assertEqual((order.state, order.price, order.leaves), ("open", 12_000, 5_000))
        changes = []
        order.on_change(lambda order, report: changes.append(report.name))
        await order.replace(price=11_000)
        await other.order(2, 1, "buy", 11_000, 2_000)
        await self.until(lambda: order.trades)
        self.assertEqual((order.price, order.leaves, order.traded), (11_000, 3_000, 2_000))
        self.assertIs(bot.orders[order.order_id], order)
        waiting = asyncio.create_task(order.done(5))
        await asyncio.sleep(0)
        await order.cancel()
        self.assertEqual(((await waiting).state, order.cancel_reason), ("canceled", "user"))
        self.assertEqual(bot.orders, {})
        self.assertEqual(changes, ["Replaced", "Trade", "Canceled"])
        await other.place(2, 1, "sell", 10_000, 10)
        filled = await bot.place(1, 1, "buy", 10_000, 10)
        self.assertEqual((await filled.done(5)).state, "filled")
        lost = await bot.place(1, 1, "buy", 1, 10)
        self.exchange.cut()
        with self.assertRaises(ConnectionLost):
            await lost.done(5)

    async def test_definitions(self):
        bot = await self.exchange.connect()
        self.exchange.reference_data = [("AreaDefinition", {"area": 1, "currency": 978}),
                                        ("InstrumentDefinition", {"area": 1, "instrument": 7, "tickSize": 100})]
        self.assertEqual(len(await bot.reference_data()), 2)
        self.assertEqual(bot.definitions.instruments[7].tickSize, 100)
        self.assertEqual((await bot.subscribe(1)).name, "Ack")
        # A new subscription tells the definitions again.
        self.exchange.send("InstrumentDefinition", area=1, instrument=7, tickSize=200)
        self.exchange.send("StateChange", seqNo=1, area=1, instrument=7, state="halted")
        self.assertEqual((await bot.subscribe(1, "levels")).name, "Ack")
        changed = bot.definitions.instruments[7]
        self.assertEqual((changed.tickSize, changed.state), (100, "open"))
        await bot.wait_for(lambda m: m.name == "StateChange")

    async def test_book(self):
        bot = await self.exchange.connect(reconnect=FAST)
        feed = await bot.book(1)
        self.exchange.send("LevelUpdate", seqNo=1, area=1, instrument=1, side="sell", price=100, total=5, live=5,
                           orderCount=1)
        await feed.changed(5)
        self.assertEqual(feed.book.depth(1, "sell")[0].total, 5)
        self.assertEqual(feed.book.prices(1), MarketPrices(buying=100, live_ask=100))
        # Number 2 is missing: the client asks for it.
        self.exchange.send("LevelUpdate", seqNo=3, area=1, instrument=1, side="sell", price=101, total=5, live=5,
                           orderCount=1)
        await self.until(lambda: [m.fromSeqNo for m in self.exchange.received if m.name == "MarketDataResume"] == [2])
        self.exchange.cut()
        await self.until(lambda: [m.fromSeqNo for m in self.exchange.received if m.name == "MarketDataResume"] == [2, 2])

    async def test_market_prices(self):
        for book in (LevelBook(1), OrderBook(1)):
            self.assertEqual(book.prices(1), MarketPrices())
            # Waiting orders are displayed: the book may overlap, what can trade does not.
            for number, (side, price, live) in enumerate(
                    (("sell", 12_000, 2_000), ("sell", 10_000, 0), ("buy", 9_000, 2_000), ("buy", 11_000, 0)), start=1):
                fields = dict(seqNo=None, area=1, instrument=1, side=side, price=price, total=2_000, live=live)
                if isinstance(book, LevelBook):
                    book.take(LevelUpdate(orderCount=1, **fields))
                else:
                    book.take(OrderAdd(orderId=number, **fields))
            self.assertEqual(book.prices(1), MarketPrices(10_000, 11_000, live_ask=12_000, live_bid=9_000))
            self.assertEqual(book.prices(2), MarketPrices())


class Synchronous(unittest.TestCase):
    def test_without_a_loop(self):
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()

        def there(work):
            return asyncio.run_coroutine_threadsafe(work, loop).result(10)
        exchange = Exchange()
        there(exchange.listen())
        key = joulebook.read_private_key(bytes(32))
        with joulebook.sync.Client.connect("127.0.0.1", exchange.port, 1, key) as bot:
            trades = bot.stream("Trade")
            order = bot.place(1, 1, "sell", "0.12", "5kWh")
            loop.call_soon_threadsafe(exchange.trade, order.order_id, 5_000)
            self.assertEqual(trades.next(5).leaves, 0)
            self.assertEqual(bot.done(order, 5).state, "filled")
            self.assertEqual(bot.balance(1, 1).name, "BalanceUpdate")
            with self.assertRaises(Rejected):
                bot.cancel(1, order.order_id)
            self.assertEqual(next(bot.messages()).name, "Trade")
            failures = []
            bot.on("Accepted", lambda _: failures.append(self.fails(bot)))
            bot.order(1, 1, "buy", 100, 10)
            self.assertEqual(failures, ["a callback of the session cannot wait for the session"])
        self.assertEqual(list(trades), [])
        there(exchange.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def fails(self, bot):
        try:
            return bot.balance(1, 1)
        except RuntimeError as error:
            return str(error)

    def test_every_method_is_there(self):
        asynchronous, synchronous = joulebook.Client, joulebook.sync.Client
        missing = {name for name in dir(asynchronous) if not name.startswith("_")} - set(dir(synchronous))
        self.assertEqual(missing, set())

    def test_every_message_has_a_method(self):
        folder = pathlib.Path(joulebook.sync.__file__).parent
        source = "".join((folder / f"{name}.py").read_text() for name in (
            "trading", "market", "operating", "session", "connection", "comeback"))
        sent = {m.name for m in joulebook.Codec().schema.messages.values() if m.to_server}
        missing = {name for name in sent if f'"{name}"' not in source} - {"Negotiate", "Establish"}
        self.assertEqual(missing, set())


if __name__ == "__main__":
    unittest.main()
