"""A test double of the exchange: a small server in the test's own event loop, on which a bot can be tried without
Joulebook.

    async with Exchange() as exchange:
        bot = await exchange.connect()
        order = await bot.place(account=1, instrument=1, side="sell", price="0.12", quantity="5kWh")
        exchange.trade(order.order_id, 2_000)
        exchange.reject_next(9003, limit=10)
        exchange.cut()

It speaks the protocol with frames, sequence numbers and retransmission, and matches orders by price and time; it knows
no cover, no money and no rules, and takes any key. Every other command is answered with Ack.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any, Dict, List, Optional, Set, Tuple

from .client import Client
from .codec import Codec
from .keys import read_private_key
from .message import Message

_ANSWERED = {"Negotiate", "Establish", "Sequence", "RetransmitRequest", "Terminate", "FinishedSending",
             "FinishedReceiving"}


class _Resting:
    """An order of the double's book."""

    def __init__(self, session: "_Session", fields: Dict[str, Any], order_id: int) -> None:
        self.session, self.order_id = session, order_id
        self.client_order_id, self.account = fields["clientOrderId"], fields["account"]
        self.instrument, self.side, self.price = fields["instrument"], fields["side"], fields["price"]
        self.quantity = self.leaves = fields["quantity"]
        self.time_in_force = fields["timeInForce"]

    def said(self, **more: Any) -> Dict[str, Any]:
        """The fields that its reports share."""
        return dict(orderId=self.order_id, clientOrderId=self.client_order_id, account=self.account,
                    instrument=self.instrument, side=self.side, **more)


class _Session:
    """A session identity: its numbers, its reports, and its connection while there is one."""

    def __init__(self, number: int, version: int) -> None:
        self.number, self.version = number, version
        self.next_client = 1
        self.reports: List[bytes] = []
        self.connection: Optional["_Connection"] = None


class Exchange:
    """The double. `received` has every message that clients have sent, in order."""

    def __init__(self) -> None:
        self.codec = Codec()
        self.received: List[Message] = []
        #: Orders of the book by order id.
        self.orders: Dict[int, _Resting] = {}
        #: What BalanceRequest is answered with, by account and area: fields of BalanceUpdate.
        self.balances: Dict[Tuple[int, int], Dict[str, Any]] = {}
        #: AreaDefinition and InstrumentDefinition messages: their names and fields.
        self.reference_data: List[Tuple[str, Dict[str, Any]]] = []
        #: Messages a second of sessions that have a limit; it is listed, and nothing is refused by it.
        self.limits: Dict[int, int] = {}
        #: While it is true, the server reads and answers nothing, not even keep-alives.
        self.is_silent = False
        self.port = 0
        self._sessions: Dict[int, _Session] = {}
        self._connections: Set["_Connection"] = set()
        self._rejects: List[Tuple[int, int]] = []
        self._next_order = self._next_trade = 1
        self._last_ids: Dict[int, int] = {}
        self._server: Optional[asyncio.AbstractServer] = None

    async def __aenter__(self) -> "Exchange":
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def listen(self) -> None:
        """Accepts connections on `port`, on a free one at first."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Closes the listener and cuts all connections; `listen` opens it again."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        tasks = [connection.task for connection in self._connections]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def connect(self, session_id: int = 1, **options: Any) -> Client:
        """A client that is logged on; the options are those of `Client.connect`."""
        key = read_private_key(secrets.token_bytes(32))
        return await Client.connect("127.0.0.1", self.port, session_id, key, **options)

    # What happens to clients

    def cut(self) -> None:
        """Cuts all connections, without Terminate."""
        for connection in list(self._connections):
            connection.writer.transport.abort()

    def write(self, data: bytes) -> None:
        """Sends bytes to all clients, whatever they are."""
        for connection in self._connections:
            connection.write(data)

    def send(self, name: str, **fields: Any) -> None:
        """Sends a message to all clients, such as Terminate or market data."""
        self.write(self.codec.encode(name, fields))

    def forget(self) -> None:
        """Forgets all sessions and orders, like a server that lost what was not on disk."""
        self._sessions.clear()
        self.orders.clear()
        self._last_ids.clear()

    def reject_next(self, code: int, limit: int = 0) -> None:
        """Rejects the next command with this code; the reject is outside the sequence, as for 9003."""
        self._rejects.append((code, limit))

    def trade(self, order_id: int, quantity: int, price: Optional[int] = None) -> None:
        """Trades a part of a resting order with somebody who does not exist."""
        order = self.orders[order_id]
        self._fill(order, quantity, order.price if price is None else price, "maker")

    # Its own work

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        self._connections.add(connection)
        try:
            await connection.task
        except (OSError, asyncio.IncompleteReadError, ValueError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(connection)
            if connection.session and connection.session.connection is connection:
                connection.session.connection = None
            writer.close()

    def report(self, session: _Session, name: str, **fields: Any) -> None:
        """A numbered report to a session, kept for retransmission."""
        frame = self.codec.encode(name, {
            "seqNo": len(session.reports) + 1, "transactTime": time.time_ns(), **fields})
        session.reports.append(frame)
        if session.connection is not None:
            session.connection.write(frame)

    def take(self, session: _Session, message: Message) -> None:
        """Does what a command says."""
        fields = message.fields
        number, answer = fields["seqNo"], session.connection
        assert answer is not None
        if self._rejects and message.name != "StatusRequest":
            code, limit = self._rejects.pop(0)
            answer.say("Rejected", refSeqNo=number, code=code, brokenLimit=limit)
        elif message.name in ("NewOrder", "NewOrderExtended"):
            last = self._last_ids.get(fields["account"], 0)
            if (fields["clientOrderId"] or 0) <= last:
                self.report(session, "Rejected", refSeqNo=number, code=4012, brokenLimit=last,
                            account=fields["account"])
                return
            self._last_ids[fields["account"]] = fields["clientOrderId"]
            self._enter(session, dict(fields))
        elif message.name in ("Cancel", "Replace"):
            order = self.orders.get(fields["orderId"]) or next(
                (each for each in self.orders.values() if each.client_order_id == fields["clientOrderId"]
                 and each.account == fields["account"]), None)
            if order is None:
                self.report(session, "Rejected", refSeqNo=number, code=6001, account=fields["account"])
            elif message.name == "Cancel":
                self._cancel(order, "user")
                if order.session is not session:
                    self.report(session, "Ack", refSeqNo=number)
            else:
                self._replace(order, dict(fields))
        elif message.name == "MassCancel":
            found = [order for order in self.orders.values() if order.account == fields["account"]
                     and fields["instrument"] in (None, order.instrument) and fields["sides"] in ("both", order.side)]
            for order in found:
                self._cancel(order, "mass")
            self.report(session, "MassCancelReport", refSeqNo=number, account=fields["account"],
                        orderCount=len(found), sides=fields["sides"])
        elif message.name == "BalanceRequest":
            key = (fields["account"], fields["area"])
            answer.say("BalanceUpdate", refSeqNo=number, account=key[0], area=key[1], **self.balances.get(key, {}))
        elif message.name == "StatusRequest":
            answer.say("Status", refSeqNo=number, openOrderCount=len(self.orders))
        elif message.name == "ReferenceDataRequest":
            for name, row in self.reference_data:
                answer.say(name, refSeqNo=number, **row)
            answer.say("ReferenceDataEnd", refSeqNo=number)
        elif message.name == "ListRequest":
            for other, most in self.limits.items():
                if fields["kind"] == "limits":
                    answer.say("LimitRow", refSeqNo=number, sessionId=other, kind="messagesPerSecond", inForce=most,
                               ofOperator=most)
            answer.say("ListEnd", refSeqNo=number)
        elif message.name.startswith("MarketData"):
            answer.say("Ack", refSeqNo=number)
            for name, row in self.reference_data:
                if message.name == "MarketDataSubscribe" and row.get("area") == fields["area"]:
                    answer.say(name, refSeqNo=number, **row)
            if fields.get("snapshot") in ("orders", "levels"):
                answer.say("SnapshotEnd", refSeqNo=number, area=fields["area"])
        elif message.name == "MeterReading":
            self.report(session, "MeterReadingAck", refSeqNo=number, meter=fields["meter"],
                        registerSequence=fields["registerSequence"], produced=fields["produced"],
                        consumed=fields["consumed"])
        elif message.name != "Note":
            self.report(session, "Ack", refSeqNo=number)

    def _enter(self, session: _Session, fields: Dict[str, Any]) -> None:
        order = _Resting(session, fields, self._next_order)
        self._next_order += 1
        self.report(session, "Accepted", **order.said(
            price=order.price, quantity=order.quantity, covered=order.quantity, timeInForce=order.time_in_force))
        self._match(order, "market" in fields["flags"])
        if order.leaves == 0:
            return
        if order.time_in_force in ("immediateOrCancel", "fillOrKill"):
            self._cancel(order, "immediate")
        else:
            self.orders[order.order_id] = order

    def _match(self, order: _Resting, is_market: bool) -> None:
        """Trades with the resting orders of other accounts, best price first."""
        sign = 1 if order.side == "buy" else -1
        others = [each for each in self.orders.values() if each.instrument == order.instrument
                  and each.side != order.side and each.account != order.account
                  and (is_market or sign * each.price <= sign * order.price)]
        for other in sorted(others, key=lambda each: (sign * each.price, each.order_id)):
            quantity = min(order.leaves, other.leaves)
            if quantity:
                self._fill(order, quantity, other.price, "taker")
                self._fill(other, quantity, other.price, "maker")
                self._next_trade += 1

    def _fill(self, order: _Resting, quantity: int, price: int, liquidity: str) -> None:
        order.leaves -= quantity
        if order.leaves == 0:
            self.orders.pop(order.order_id, None)
        self.report(order.session, "Trade", **order.said(
            tradeId=self._next_trade, price=price, quantity=quantity, leaves=order.leaves, liquidity=liquidity))

    def _cancel(self, order: _Resting, reason: str) -> None:
        self.orders.pop(order.order_id, None)
        self.report(order.session, "Canceled", **order.said(
            canceledQuantity=order.leaves, leaves=0, reason=reason))

    def _replace(self, order: _Resting, fields: Dict[str, Any]) -> None:
        traded = order.quantity - order.leaves
        order.price, order.quantity, order.client_order_id = fields["price"], fields["quantity"], fields["clientOrderId"]
        order.leaves = order.quantity - traded
        self.report(order.session, "Replaced", **order.said(
            price=order.price, quantity=order.quantity, leaves=order.leaves, covered=order.leaves,
            timeInForce=order.time_in_force))

    def session(self, number: int, version: int) -> Optional[_Session]:
        """The session with this version, if it is known."""
        found = self._sessions.get(number)
        return found if found and found.version == version else None

    def open(self, number: int, version: int) -> None:
        """Begins a session version."""
        self._sessions[number] = _Session(number, version)

    def next_reject(self) -> Optional[Tuple[int, int]]:
        """The reject that a log-on gets, if one is due."""
        return self._rejects.pop(0) if self._rejects else None


class _Connection:
    """A client's connection to the double."""

    def __init__(self, exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.exchange, self.reader, self.writer = exchange, reader, writer
        self.session: Optional[_Session] = None
        self.keep_alive: Optional["asyncio.Task[None]"] = None
        self.task = asyncio.create_task(self.serve())

    def write(self, data: bytes) -> None:
        """Sends bytes, unless the client has gone."""
        if not self.writer.transport.is_closing():
            self.writer.write(data)

    def say(self, name: str, **fields: Any) -> None:
        """Sends a message outside the sequence."""
        if "transactTime" in {field.name for field in self.exchange.codec._messages[name].fields}:
            fields = {"transactTime": time.time_ns(), **fields}
        self.write(self.exchange.codec.encode(name, fields))

    async def serve(self) -> None:
        """Answers until the connection ends."""
        self.say("Challenge", marketId=bytes(16), nonce=secrets.token_bytes(32), serverTime=time.time_ns())
        try:
            while True:
                head = await self.reader.readexactly(4)
                frame = head + await self.reader.readexactly(int.from_bytes(head[:2], "little") - 4)
                while self.exchange.is_silent:
                    await asyncio.sleep(0.01)
                message = self.exchange.codec.decode(frame)
                if message is None or not self._answer(message):
                    return
        finally:
            if self.keep_alive:
                self.keep_alive.cancel()

    def _answer(self, message: Message) -> bool:
        """Answers a message; returns whether the connection goes on."""
        fields, exchange = message.fields, self.exchange
        if message.name not in _ANSWERED:
            exchange.received.append(message)
            self._command(message)
            return True
        if message.name in ("Negotiate", "Establish"):
            return self._log_on(message)
        if message.name == "RetransmitRequest" and self.session is not None:
            first, count = fields["fromSeqNo"], fields["count"]
            self.say("Retransmission", sessionVersion=self.session.version, nextSeqNo=first, count=count)
            for frame in self.session.reports[first - 1:first - 1 + count]:
                self.write(frame)
        elif message.name == "FinishedSending" and self.session is not None:
            self.say("FinishedReceiving", sessionVersion=self.session.version)
            self.say("FinishedSending", sessionVersion=self.session.version, lastSeqNo=len(self.session.reports))
        elif message.name == "Terminate":
            self.say("Terminate")
            return False
        return True

    def _command(self, message: Message) -> None:
        session, number = self.session, message.fields["seqNo"]
        # What a connection sent before another one took over the session does not arrive any more.
        if session is None or session.connection is not self or number < session.next_client:
            return
        if number > session.next_client:
            self.say("NotApplied", fromSeqNo=session.next_client, missing=number - session.next_client)
        session.next_client = number + 1
        self.exchange.take(session, message)

    def _log_on(self, message: Message) -> bool:
        fields, exchange = message.fields, self.exchange
        identity, version = fields["sessionId"], fields["sessionVersion"]
        said = dict(sessionId=identity, sessionVersion=version, requestTimestamp=fields["timestamp"])
        is_first = message.name == "Negotiate"
        reject = exchange.next_reject()
        session = exchange.session(identity, version)
        if reject is None and not is_first and session is None:
            reject = (1013, 0)
        if reject is not None:
            self.say("NegotiationReject" if is_first else "EstablishmentReject", code=reject[0],
                     brokenLimit=reject[1], **said)
            return False
        if is_first:
            exchange.open(identity, version)
            self.say("NegotiationResponse", serverTime=time.time_ns(), **said)
            return True
        assert session is not None
        if session.connection is not None:
            session.connection.say("Terminate", code=1008)
            session.connection.writer.close()
        self.session, session.connection = session, self
        self.say("EstablishmentAck", nextClientSeqNo=session.next_client, nextServerSeqNo=len(session.reports) + 1,
                 keepAliveInterval=fields["keepAliveInterval"], **said)
        self.keep_alive = asyncio.create_task(self._keep_alive(fields["keepAliveInterval"] / 2_000))
        return True

    async def _keep_alive(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            if not self.exchange.is_silent and self.session is not None:
                self.say("Sequence", nextSeqNo=len(self.session.reports) + 1)
