"""An asyncio client: one session on one connection."""

import asyncio
import struct
import time
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, AsyncIterator, Callable, List, Optional, Tuple, Union

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .codec import ENCODING_TYPE, Codec, Message, sign_reading
from .definitions import Definitions


#: Messages that count as reports of the session when they have a seqNo.
REPORTS = frozenset((
    "Accepted", "Replaced", "Canceled", "Trade", "Rejected", "Restated", "MassCancelReport",
    "BalanceUpdate", "TransferReport", "AgentReport", "Ack", "Noted", "MeterReadingAck",
    "ReportCopy", "SettlementNotice"))

#: Most reports that one RetransmitRequest can ask for.
MOST_AGAIN = 10_000


#: What a refused log-on means; docs/reject-codes.md has all codes.
REFUSALS = {
    1002: "no registered session has this identity and a key with which the signature verifies",
    1003: "the timestamp is too far from the server's clock",
    1004: "the session version is not higher than the last one",
    1008: "the session is established on another connection",
    1021: "the exchange needs log-on of a later version; update this client",
    1022: "too many log-ons from this address proved nothing; wait a minute",
    1023: "the session version is more than a day ahead of the server's clock",
    1024: "the operator has replaced the session's key",
    1025: "the operator has reset the session's version; connect again",
}

#: Longest wait for the server's challenge, in seconds.
CHALLENGE_TIMEOUT = 5

_last_version = 0


def _next_version() -> int:
    """The version of a new session: the clock in ns, but above every version before, also when the clock is set back."""
    global _last_version
    _last_version = max(_last_version + 1, time.time_ns())
    return _last_version


def _note_text(note: Union[str, bytes]) -> bytes:
    """The 40 bytes of a note."""
    text = note.encode() if isinstance(note, str) else note
    if len(text) > 40:
        raise ValueError(f"a note has at most 40 bytes, not {len(text)}")
    return text.ljust(40, b"\0")


@dataclass(frozen=True)
class Position:
    """The position of a session, from which it can be resumed after a lost connection."""

    session_version: int
    next_report: int


class Terminated(Exception):
    """The exchange refused or terminated the session, or the connection closed."""

    def __init__(self, message: Optional[Message]) -> None:
        self.message = message
        text = str(message) if message else "the connection closed"
        reason = REFUSALS.get(message.fields.get("code")) if message else None
        super().__init__(f"{text}: {reason}" if reason else text)


class Rejected(Exception):
    """A request was rejected; docs/reject-codes.md explains the code.

    `field`: the field whose value is not allowed, where the code alone does not say which; else None.
    `allowed`: what that field may be."""

    def __init__(self, message: Message, allowed: Optional[str] = None) -> None:
        field = message.fields.get("field")
        self.message, self.field, self.allowed = message, None if field == "none" else field, allowed
        text = f"code {message.code}, limit {message.brokenLimit}"
        super().__init__(f"{text}, {self.field}: {allowed}" if self.field else text)


class Client:
    """A session with the exchange, opened by `await Client.connect(...)`.

    Messages are queued in order until `receive` or `wait_for` returns them.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._codec = reader, writer, Codec()
        self._next_seq_no = 1
        self._inbox: "asyncio.Queue[Optional[Message]]" = asyncio.Queue()
        self._tasks: list = []
        self._last_sent = 0.0
        self._version = 0
        #: The market's id, 16 bytes: what meters sign their readings for.
        self.market = b""
        #: The areas and instruments that the client was told of, as they are now.
        self.definitions = Definitions()
        self._next_report = 1
        self._missing = range(0)
        self._is_copy = False
        self._copy_follows = False

    @classmethod
    async def connect(cls, host: str, port: int, session_id: int, key: Ed25519PrivateKey,
                      keep_alive_ms: int = 5_000, cancel_after_ms: Optional[int] = 0,
                      resume: Optional[Position] = None,
                      ssl: Optional[SSLContext] = None) -> "Client":
        """Connects, waits for the server's challenge, negotiates and establishes. Raises `Terminated` when
        refused, `ConnectionError` when no challenge comes.

        `cancel_after_ms`: time that the session's orders outlive its connection; None: they are kept.
        `resume`: resumes the session of a lost connection. Missed reports arrive among the new ones,
        each once; sort by `seqNo` if the order matters.
        `ssl`: context for TLS 1.3, such as `ssl.create_default_context()`; None: plain TCP.
        """
        client = cls(*await asyncio.open_connection(host, port, ssl=ssl))
        challenge = await client._challenge()
        client.market = challenge.marketId
        client._version = resume.session_version if resume else _next_version()
        session = {"sessionId": session_id, "sessionVersion": client._version}
        if resume is None:
            await client._log_on("Negotiate", b"JOULEBOOK-NEGOTIATE-2", challenge, key,
                                 {**session, "timestamp": time.time_ns()}, "NegotiationResponse")
        answer = await client._log_on("Establish", b"JOULEBOOK-ESTABLISH-2", challenge, key, {
            **session, "timestamp": time.time_ns(), "nextSeqNo": None if resume else 1,
            "keepAliveInterval": keep_alive_ms, "cancelAfter": cancel_after_ms},
            "EstablishmentAck")
        client._next_seq_no = answer.nextClientSeqNo
        client._next_report = answer.nextServerSeqNo
        if resume and resume.next_report < client._next_report:
            client._missing = range(resume.next_report, client._next_report)
            client._ask_again()
        client._tasks = [asyncio.create_task(client._read_on()),
                         asyncio.create_task(client._keep_alive(keep_alive_ms / 2_000))]
        return client

    async def _challenge(self) -> Message:
        """The first message of a server, which it sends without being asked."""
        try:
            message = await asyncio.wait_for(self._read_message(), CHALLENGE_TIMEOUT)
        except asyncio.TimeoutError:
            self._writer.close()
            raise ConnectionError(
                "the server sent no Challenge; does it know log-on of version 2 (schema 7)?") from None
        if message is None or message.name != "Challenge":
            self._writer.close()
            raise Terminated(message)
        return message

    async def _log_on(self, name: str, tag: bytes, challenge: Message, key: Ed25519PrivateKey,
                      fields: dict, expected: str) -> Message:
        self._writer.write(self._codec.signed(name, fields, tag, challenge, key))
        answer = await self._read_message()
        if answer is None or answer.name != expected:
            self._writer.close()
            raise Terminated(answer)
        return answer

    @property
    def position(self) -> Position:
        """The present position. With it and the key, `connect(resume=...)` resumes a lost session after the last
        report that `receive` has returned."""
        return Position(self._version,
                        self._missing.start if self._missing else self._next_report)

    def _ask_again(self) -> None:
        self._writer.write(self._codec.encode("RetransmitRequest", {
            "sessionVersion": self._version, "timestamp": time.time_ns(),
            "fromSeqNo": self._missing.start, "count": min(len(self._missing), MOST_AGAIN)}))
        self._asked = self._missing[:MOST_AGAIN].stop

    def _count(self, message: Message) -> None:
        """Counts reports, and requests the next part of the missed ones."""
        number = message.fields.get("seqNo")
        if message.name not in REPORTS or number is None:
            return
        if number in self._missing:
            self._missing = range(number + 1, self._missing.stop)
            if self._missing and number + 1 == self._asked:
                self._ask_again()
        else:
            self._next_report = number + 1

    async def _read_message(self) -> Optional[Message]:
        try:
            head = await self._reader.readexactly(4)
            length, encoding = struct.unpack("<HH", head)
            if encoding != ENCODING_TYPE:
                raise ConnectionError(f"encoding type {encoding:#x}")
            return self._codec.decode(head + await self._reader.readexactly(length - 4))
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return Message("Closed", {})

    async def _read_on(self) -> None:
        while True:
            message = await self._read_message()
            if message is None or message.name in ("Sequence", "Retransmission",
                                                   "FinishedReceiving"):
                continue
            self.definitions.take(message)
            await self._inbox.put(message)
            if message.name in ("Terminate", "Closed"):
                return

    async def _keep_alive(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            if time.monotonic() - self._last_sent >= seconds:
                self._writer.write(
                    self._codec.encode("Sequence", {"nextSeqNo": self._next_seq_no}))

    def send(self, name: str, **fields: Any) -> int:
        """Sends a sequenced message and returns its sequence number."""
        number = self._next_seq_no
        self._writer.write(self._codec.encode(
            name, {"seqNo": number, "sendingTime": time.time_ns(), **fields}))
        self._next_seq_no += 1
        self._last_sent = time.monotonic()
        return number

    async def receive(self, timeout: Optional[float] = None) -> Message:
        """The next message. Raises `Terminated` when the session has ended."""
        message = await asyncio.wait_for(self._inbox.get(), timeout)
        if message is None or message.name in ("Terminate", "Closed"):
            raise Terminated(message)
        self._count(message)
        if message.name in REPORTS:
            self._is_copy, self._copy_follows = self._copy_follows, message.name == "ReportCopy"
        return message

    async def messages(self) -> AsyncIterator[Message]:
        """All messages until the session ends."""
        while True:
            try:
                yield await self.receive()
            except Terminated:
                return

    async def wait_for(self, condition: Callable[[Message], bool], timeout: float = 30,
                       number: Optional[int] = None) -> Message:
        """The first message that meets `condition`; earlier messages are dropped. Raises `Rejected` for a
        reject of the message with this sequence `number`, or of any message without `number`, and
        `asyncio.TimeoutError` after `timeout` seconds without a message."""
        deadline = time.monotonic() + timeout
        while True:
            message = await self.receive(max(0.001, deadline - time.monotonic()))
            if condition(message):
                return message
            is_own = message.name == "Rejected" and not self._is_copy
            if is_own and number in (None, message.refSeqNo):
                raise Rejected(message, self._codec.allowed(message.fields.get("field")))

    async def ask(self, name: str, timeout: float = 30, **fields: Any) -> Message:
        """Sends a request and waits for its answer."""
        number = self.send(name, **fields)
        return await self.wait_for(
            lambda m: m.name != "Rejected" and m.fields.get("refSeqNo") == number, timeout, number)

    async def order(self, account: int, instrument: int, side: str, price: int, quantity: int,
                    client_order_id: Optional[int] = None, time_in_force: str = "goodTillCancel",
                    post_only: bool = False, minimum_quantity: int = 0,
                    expire_time: Optional[int] = None, display_quantity: int = 0,
                    on_behalf_of: int = 0, note: Union[str, bytes] = "") -> Message:
        """Enters a limit order and waits for its Accepted.

        `price` is in 1e-5 currency per kWh, quantities are in Wh. `minimum_quantity` must execute on
        entry; `expire_time` is for a goodTillTime order; `display_quantity` is what an iceberg order
        shows, 0 for all of it. `on_behalf_of` is another session of the participant, which gets the
        reports; the result is then an Ack. `note` is up to 40 bytes about the order (text as UTF-8): a
        Noted comes before the Accepted, in drop copies too, and the ledger keeps it.

        Messages before the answer are dropped. A bot that needs every Trade sends NewOrder with `send`
        and reads `messages`."""
        identity = client_order_id or time.time_ns()
        extended: dict = {}
        if minimum_quantity or expire_time is not None or display_quantity or on_behalf_of:
            extended = {"minimumQuantity": minimum_quantity, "expireTime": expire_time,
                        "displayQuantity": display_quantity, "onBehalfOf": on_behalf_of}
        if note:
            self.send("Note", clientOrderId=identity, text=_note_text(note))
        number = self.send(
            "NewOrderExtended" if extended else "NewOrder", clientOrderId=identity,
            account=account, instrument=instrument, side=side, price=price, quantity=quantity,
            timeInForce=time_in_force, flags=["postOnly"] if post_only else [], **extended)
        if on_behalf_of:
            return await self.wait_for(
                lambda m: m.name == "Ack" and m.refSeqNo == number, number=number)
        return await self.wait_for(
            lambda m: m.name == "Accepted" and m.clientOrderId == identity, number=number)

    async def cancel(self, account: int, order_id: int) -> Message:
        """Cancels an order and waits for its Canceled report."""
        number = self.send("Cancel", account=account, orderId=order_id)
        return await self.wait_for(
            lambda m: m.name == "Canceled" and m.orderId == order_id, number=number)

    async def block(self, participant: int = 0, account: Optional[int] = None, session: int = 0,
                    keep_orders: bool = False) -> Message:
        """Blocks one of the three: no new orders, instructions or transfers. Its open orders and standing
        instructions are cancelled unless `keep_orders` is given. For operators and administrators."""
        return await self.ask("SetBlock", participant=participant, account=account, sessionId=session,
                              releases="no", keepsOrders="yes" if keep_orders else "no")

    async def release(self, participant: int = 0, account: Optional[int] = None,
                      session: int = 0) -> Message:
        """Releases what `block` blocked."""
        return await self.ask("SetBlock", participant=participant, account=account, sessionId=session,
                              releases="yes", keepsOrders="no")

    async def cancel_orders(self, participant: int = 0, account: Optional[int] = None,
                            session: int = 0, instrument: Optional[int] = None, sides: str = "both",
                            order_id: Optional[int] = None) -> Message:
        """Cancels open orders of a participant or of a session, or the one order `order_id`, for an operator
        or an administrator. The others of the arguments narrow it down."""
        return await self.ask("CancelOrders", participant=participant, account=account,
                              instrument=instrument, sides=sides, orderId=order_id, sessionId=session)

    async def cancel_instructions(self, participant: int = 0, account: Optional[int] = None,
                                  session: int = 0, instrument: Optional[int] = None) -> Message:
        """Removes standing instructions of a participant or of a session; their open orders stand."""
        return await self.ask("CancelInstructions", participant=participant, account=account,
                              instrument=instrument, sessionId=session)

    async def cut_session(self, session: int) -> Message:
        """Ends a session's connection now; its client gets Terminate with 3013 and may log on again."""
        return await self.ask("CutSession", sessionId=session)

    async def set_limit(self, kind: str, value: int, participant: int = 0,
                        account: Optional[int] = None, session: int = 0) -> Message:
        """Sets a limit; `value` 0 removes it. Kinds: of a session messagesPerSecond; of an account
        orderQuantity (Wh), openOrders, dailyNotional and cashAtRisk (1e-8 currency); of a participant
        accounts and sessions, for its administrator."""
        return await self.ask("SetLimit", participant=participant, account=account, sessionId=session,
                              kind=kind, value=value)

    async def balance(self, account: int, area: int) -> Message:
        """The balance of an account in an area."""
        return await self.ask("BalanceRequest", account=account, area=area)

    async def register_session(self, session_id: int, participant: int, public_key: bytes,
                               roles: list, orders: str = "standard") -> Message:
        """Registers the key of a session identity, or replaces its key and roles. Needs the role
        administration, or participantAdministration for sessions of the own participant that only trade or
        get drop copies.

        `public_key` is the 32 bytes of an Ed25519 key; `roles` has some of trading, metering, administration,
        dropCopy, participantAdministration, surveillance. Another key than before ends the session's
        connections and removes its standing instructions; `orders` says whether its open orders stay: keep,
        cancel, or standard (they are cancelled only when the session is revoked)."""
        return await self.ask("RegisterSession", sessionId=session_id, participant=participant,
                              publicKey=public_key, roles=roles, orders=orders)

    async def revoke_session(self, session_id: int, orders: str = "standard") -> Message:
        """Revokes a session identity: ends its connections, and removes its standing instructions. Needs the
        role administration, or participantAdministration of the own participant, and version 4 of the market
        rules. `orders` is keep or cancel."""
        return await self.register_session(session_id, 0, bytes(32), [], orders)

    async def reset_numbers(self, session_id: Optional[int] = None,
                            account: Optional[int] = None) -> Message:
        """Sets the last version of a session, whose connections end, or the last client order id of an account
        without open orders, to 0. Name one of the two. Needs the role administration."""
        return await self.ask("ResetNumbers", sessionId=session_id or 0, account=account)

    def meter_reading(self, meter_key: Ed25519PrivateKey, meter: int, register_sequence: int,
                      interval_start: int, interval_end: int, produced: int, consumed: int) -> int:
        """Signs a reading in Wh for this market, and sends it. MeterReadingAck is the answer."""
        return self.send(
            "MeterReading", meter=meter, registerSequence=register_sequence,
            intervalStart=interval_start, intervalEnd=interval_end, produced=produced,
            consumed=consumed, signature=sign_reading(
                meter_key, self.market, meter, register_sequence, interval_start, interval_end, produced,
                consumed))

    async def deposit(self, account: int, amount: int, reference: int, source: int = 0,
                      currency: int = 978) -> Message:
        """Credits cash to an account, for an operator; returns the Ack.

        `amount` is in 1e-8 of the currency. A `reference` takes effect once per `source`, in any order;
        source 0 has one series of references for each account."""
        return await self.ask("Deposit", account=account, amount=amount, reference=reference,
                              source=source, currency=currency)

    async def withdraw(self, account: int, amount: int, reference: int, source: int = 0,
                       currency: int = 978) -> Message:
        """Debits free cash of an account, for an operator; like `deposit`."""
        return await self.ask("Withdraw", account=account, amount=amount, reference=reference,
                              source=source, currency=currency)

    async def register_meter(self, meter: int, account: int, area: int, public_key: bytes,
                             capacity: int = 0, from_time: int = 0,
                             own_readings: bool = False) -> Message:
        """Registers a meter, for an operator, or changes a registered one; returns the Ack.

        A change gives it another key or account (0 ends it): intervals that begin before `from_time`
        (ns since 1970; 0: now) belong to the former ones. `own_readings` lets trading sessions of the
        account's participant send its readings; otherwise the role metering is needed."""
        return await self.ask("RegisterMeter", meter=meter, account=account, area=area,
                              publicKey=public_key, capacity=capacity,
                              ownReadings="yes" if own_readings else "no", **{"from": from_time})

    async def set_parameter(self, subject: str, number: int, parameter: str, value: int,
                            from_time: int = 0) -> Message:
        """Changes a parameter of an instrument or an area, for an operator; returns the Ack.

        `subject` is "instrument" (parameters lowestPrice, highestPrice, tick, lot, makerFee, takerFee)
        or "area" (storageCost, storagePrice, lossFactor); `value` is in the unit of the definition.
        `from_time` is when the change takes effect, in ns since 1970 and later than now; 0: at once."""
        return await self.ask("SetParameter", subject=subject, number=number, parameter=parameter,
                              value=value, **{"from": from_time})

    async def reference_data(self, area: Optional[int] = None) -> list:
        """The areas and instruments, as AreaDefinition and InstrumentDefinition; `area` selects one area."""
        number = self.send("ReferenceDataRequest", area=area)
        found: list = []
        while True:
            message = await self.receive(5)
            if message.fields.get("refSeqNo") == number:
                if message.name == "ReferenceDataEnd":
                    return found
                found.append(message)

    async def list_page(self, kind: str, cursor: Optional[int] = None, scope: str = "own",
                        participant: int = 0, account: Optional[int] = None, count: int = 100,
                        from_time: int = 0,
                        to_time: Optional[int] = None) -> Tuple[List[Message], Message]:
        """One page of a list: its rows, and ListEnd with `cursor`, where the next page begins (None: there is
        none), and `through`, the last command before the page.

        `kind` is orders, accounts, instructions, meters, limits, blocks, trades, areas or instruments; for
        operators also participants, sessions and house. `scope` is own, participant (which `participant` names) or all;
        operators may ask for others' rows. `account` selects one account. Rows are OrderStatus; AccountRow,
        CashRow and BalanceUpdate; AgentReport; MeterRow; LimitRow; BlockRow; TradeRow; AreaDefinition;
        InstrumentDefinition; ParticipantRow; SessionRow; CashRow. Of trades, `from_time` and `to_time` (ns
        since 1970; None: now) are the period, and `through` is the last command that is settled. Other messages before the end of the page are dropped: a
        drop copy sends ListRequest with `send` and reads `messages`."""
        number = self.send("ListRequest", cursor=cursor, kind=kind, scope=scope,
                           participant=participant, account=account, count=count,
                           **{"from": from_time, "to": to_time})
        rows: List[Message] = []
        while True:
            message = await self.wait_for(
                lambda m: m.name != "Rejected" and m.fields.get("seqNo") is None
                and m.fields.get("refSeqNo") == number, number=number)
            if message.name == "ListEnd":
                return rows, message
            rows.append(message)

    async def list_all(self, kind: str, **selection: Any) -> AsyncIterator[Message]:
        """All rows of a list, page by page; the arguments are those of `list_page`."""
        cursor: Optional[int] = None
        while True:
            rows, end = await self.list_page(kind, cursor, **selection)
            for row in rows:
                yield row
            cursor = end.cursor
            if cursor is None:
                return

    async def finish(self, timeout: float = 5) -> list:
        """Finishes sending, waits until every message is answered and every report has arrived, and returns
        the remaining messages. A `close` after it loses nothing."""
        self._writer.write(self._codec.encode("FinishedSending", {
            "sessionVersion": self._version, "lastSeqNo": (self._next_seq_no - 1) or None}))
        left: list = []
        last: Optional[int] = None
        while last is None or self.position.next_report <= last:
            message = await self.receive(timeout)
            if message.name == "FinishedSending":
                last = message.lastSeqNo or 0
            else:
                left.append(message)
        self._writer.write(self._codec.encode("FinishedReceiving", {
            "sessionVersion": self._version}))
        return left

    def drop(self) -> None:
        """Aborts the connection without a Terminate, as if it were lost."""
        for task in self._tasks:
            task.cancel()
        self._writer.transport.abort()

    async def close(self) -> None:
        """Terminates the session and closes the connection."""
        self._writer.write(self._codec.encode("Terminate", {}))
        for task in self._tasks:
            task.cancel()
        self._writer.close()
        await self._writer.wait_closed()
