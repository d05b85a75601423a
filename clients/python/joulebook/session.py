"""A session: its messages are answers to requests, or are delivered to the inbox, streams and callbacks; it comes back
after a lost connection, and then has every report once and in order."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, AsyncIterator, Callable, Dict, List, Optional, Type, TypeVar, Union, cast, get_args, overload

from .connection import ENOUGH_UNSENT, Connection
from .errors import ConnectionLost, Rejected, Terminated, Throttled
from .events import Callback, Event, EventKind, Hub, Stream
from .inbox import Inbox
from .message import Message
from .messages import AnyMessage
from .pace import CANCELS
from .requests import Pending, Requests

M = TypeVar("M", bound=Message)
N = TypeVar("N", bound=Message)

#: Most reports that one RetransmitRequest can ask for.
MOST_AGAIN = 10_000
#: Longest wait for the server's Terminate when a session is closed, in seconds.
CLOSING_TIMEOUT = 2


@dataclass(frozen=True)
class Position:
    """The position of a session, from which it can be resumed after a lost connection."""

    session_version: int
    next_report: int


_last_number = 0


def next_number() -> int:
    """The clock in ns, but above every number before, also when the clock is set back: for session versions and
    client order ids."""
    global _last_number
    _last_number = max(_last_number + 1, time.time_ns())
    return _last_number


class Session(Connection):
    """Requests, messages and events of a session. It belongs to one event loop; calls may be concurrent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self._hub = Hub()
        self._inbox = Inbox(65_536, self._drop_count)
        self._requests = Requests()
        self._streams: List[Stream[Any]] = []
        self._next_report = 1
        self._missing = range(0)
        self._asked = 0
        self._held: List[Message] = []
        self._copy_follows = False
        self._dropped = 0
        self._is_over = False
        #: Requests of a client with a pace wait here for their turn.
        self._turns = asyncio.Lock()
        #: Whether requests that are rejected with 9003 or 9007 wait and are sent again.
        self._waits_when_throttled = False
        self._last_sent_report: Optional["asyncio.Future[int]"] = None
        self._terminated: Optional["asyncio.Future[None]"] = None

    # Taking messages

    def _take(self, message: Message) -> None:
        handler = self._PROTOCOL.get(message.name)
        if handler:
            handler(self, message)
        elif self._missing:
            self._take_missing(message)
        else:
            self._deliver(message)

    def _deliver(self, message: Message) -> None:
        """Passes a message on to everybody who waits for it, in this order: what the client knows of orders and
        books, requests, callbacks and streams; and the inbox if it answered no request."""
        name, fields = message.name, message.fields
        is_copy = False
        if message.is_report:
            number = fields.get("seqNo")
            if number is not None:
                self._next_report = number + 1
            is_copy, self._copy_follows = self._copy_follows, name == "ReportCopy"
        is_taken = self._observe(message) if not is_copy else False
        if not is_copy:
            is_taken = self._requests.take(message) or is_taken
        self._hub.tell(name, message)
        if self._hub.has_general:
            self._hub.tell("", message)
        if not is_taken:
            self._inbox.put(message, is_copy)

    def _observe(self, message: Message) -> bool:
        """Lets subclasses see a message; returns whether it belongs to them only."""
        return False

    def _take_missing(self, message: Message) -> None:
        """Delivers the reports that were missed; what comes meanwhile is held until all have come."""
        number = message.fields.get("seqNo") if message.is_report else None
        if number is None or number >= self._missing.stop:
            self._held.append(message)
        elif number in self._missing:
            self._missing = range(number + 1, self._missing.stop)
            after = self._next_report
            self._deliver(message)
            self._next_report = max(after, self._next_report)
            if not self._missing:
                self._release()
            elif number + 1 == self._asked:
                self._ask_again()

    def _release(self) -> None:
        held, self._held = self._held, []
        self._missing = range(0)
        self._on_complete()
        for message in held:
            self._take(message)

    def _on_complete(self) -> None:
        """Called when every missed report has been delivered."""

    def _ask_again(self) -> None:
        self._write(self._codec.encode("RetransmitRequest", {
            "sessionVersion": self._version, "timestamp": time.time_ns(),
            "fromSeqNo": self._missing.start, "count": min(len(self._missing), MOST_AGAIN)}))
        self._asked = self._missing[:MOST_AGAIN].stop

    def _retransmit_reject(self, message: Message) -> None:
        if not self._missing:
            self._deliver(message)
        elif message.fields["code"] in (1018, 9003, 9007):
            loop = asyncio.get_running_loop()
            loop.call_later(0.5, lambda: self._ask_again() if self._missing and not self._failure else None)
        else:
            self._event("reports_lost", Rejected(message), len(self._missing))
            self._release()

    def _not_applied(self, message: Message) -> None:
        first, count = message.fields["fromSeqNo"], message.fields["missing"]
        self._deliver(message)
        for pending in self._requests.all():
            if first <= pending.number < first + count:
                self._send_request(pending)

    def _finished_sending(self, message: Message) -> None:
        if self._last_sent_report is None or self._last_sent_report.done():
            self._deliver(message)
        else:
            self._last_sent_report.set_result(message.fields["lastSeqNo"] or 0)

    def _terminate(self, message: Message) -> None:
        if self._terminated is not None and not self._terminated.done():
            self._terminated.set_result(None)
            return
        if not self._writer.transport.is_closing():
            self._write(self._codec.encode("Terminate", {"sessionVersion": self._version}))
            self._flush()
            self._writer.close()
        self._fail(Terminated(message))

    def _ignore(self, message: Message) -> None:
        """Messages of the session that say nothing to its user."""

    _PROTOCOL: Dict[str, Callable[["Session", Message], None]] = {
        "Sequence": _ignore, "Retransmission": _ignore, "FinishedReceiving": _ignore,
        "RetransmitReject": _retransmit_reject, "NotApplied": _not_applied,
        "FinishedSending": _finished_sending, "Terminate": _terminate}

    # Events, streams and callbacks

    def _event(self, kind: EventKind, error: Optional[Exception] = None, count: int = 0, seconds: float = 0.0) -> None:
        self._hub.tell(f"event {kind}", event := Event(kind, error, count, seconds))
        self._hub.tell("event", event)

    def _drop_count(self, count: int) -> None:
        self._dropped += count
        if self._dropped == count:
            asyncio.get_running_loop().call_soon(self._tell_dropped)

    def _tell_dropped(self) -> None:
        count, self._dropped = self._dropped, 0
        self._event("dropped", None, count)

    @overload
    def on(self, kind: Type[M], call: Callable[[M], object]) -> Callable[[], None]: ...
    @overload
    def on(self, kind: str, call: Callable[[Any], object]) -> Callable[[], None]: ...

    def on(self, kind: Union[str, Type[Message]], call: Callable[[Any], object]) -> Callable[[], None]:
        """Calls `call` with each message of a kind (a class of `joulebook.messages`, or its name; "": all), or with
        each event of a kind ("lost", "resumed" ...; "event": all), when it arrives; also with answers to requests and
        with drop copies. The result ends it. An error in `call` is reported to the event loop and stops nothing."""
        return self._hub.add(self._kind(kind), call)

    def _kind(self, kind: Union[str, Type[Message]]) -> str:
        if not isinstance(kind, str):
            return kind.__name__
        if kind in self._codec._messages or kind in ("", "event"):
            return kind
        if kind in get_args(EventKind):
            return f"event {kind}"
        raise ValueError(f"there is no message or event {kind!r}; events are {', '.join(get_args(EventKind))}")

    @overload
    def stream(self, __first: Type[M]) -> Stream[M]: ...
    @overload
    def stream(self, __first: Type[M], __second: Type[N]) -> "Stream[Union[M, N]]": ...
    @overload
    def stream(self, *kinds: str) -> Stream[AnyMessage]: ...

    def stream(self, *kinds: Any) -> Any:
        """A stream of the messages of these kinds from now on: one or two classes of `joulebook.messages`, or names;
        of all messages without kinds. Each stream gets each message, whatever others read."""
        return self._stream([self._kind(kind) for kind in kinds] or [""])

    def events(self) -> Stream[Event]:
        """A stream of the session's events from now on: connected, lost, retrying, resumed ..."""
        return cast("Stream[Event]", self._stream(["event"]))

    def _stream(self, kinds: List[str]) -> Stream[Any]:
        removals: List[Callable[[], None]] = []

        def close(stream: Stream[Any]) -> None:
            for remove in removals:
                remove()
            if stream in self._streams:
                self._streams.remove(stream)

        made: Stream[Any] = Stream(close, dropped=self._drop_count)
        removals += [self._hub.add(kind, cast(Callback, made.put)) for kind in kinds]
        self._streams.append(made)
        if self._is_over:
            made.finish(self._end_of_streams())
        return made

    def _end_of_streams(self) -> Optional[Exception]:
        return None if self._failure is None or self._failure.is_orderly else self._again(self._failure)

    # Reading

    @property
    def position(self) -> Position:
        """The present position. With it and the key, `connect(resume=...)` resumes a lost session, in another process
        too: from the first report on that neither a request nor `receive` has returned."""
        numbers = [self._inbox.first_report(), self._missing.start if self._missing else None,
                   self._next_report - self._copy_follows]
        return Position(self._version, min(number for number in numbers if number is not None))

    async def receive(self, timeout: Optional[float] = None) -> AnyMessage:
        """The next message that answered no request. Raises `Terminated` when the session has ended, and
        `asyncio.TimeoutError` after `timeout` seconds."""
        return (await self._receive(timeout))[0]

    async def _receive(self, timeout: Optional[float]) -> "tuple[AnyMessage, bool]":
        while True:
            found = self._inbox.take()
            if found:
                return cast("tuple[AnyMessage, bool]", found)
            if self._is_over and self._failure is not None:
                raise self._again(self._failure)
            await self._inbox.wait(timeout)

    async def messages(self) -> AsyncIterator[AnyMessage]:
        """The messages that answered no request, until the session ends. A loss is raised; an orderly end is the end
        of the iteration."""
        while True:
            try:
                yield await self.receive()
            except Terminated as end:
                if end.is_orderly:
                    return
                raise

    @overload
    async def wait_for(self, condition: Type[M], timeout: float = 30, number: Optional[int] = None,
                       where: Optional[Callable[[M], bool]] = None) -> M: ...
    @overload
    async def wait_for(self, condition: Callable[[AnyMessage], bool], timeout: float = 30,
                       number: Optional[int] = None) -> AnyMessage: ...

    async def wait_for(self, condition: Any, timeout: float = 30, number: Optional[int] = None,
                       where: Optional[Callable[[Any], bool]] = None) -> Any:
        """Receives messages up to the first one that meets `condition`, and returns that one: a function, or a class
        of `joulebook.messages`, with `where` only those that this function accepts. Raises `Rejected` for a reject of
        the message with this sequence `number`, or of any message without `number`, and `asyncio.TimeoutError` after
        `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            message, is_copy = await self._receive(max(0.001, deadline - time.monotonic()))
            if isinstance(condition, type):
                if isinstance(message, condition) and (where is None or where(message)):
                    return message
            elif condition(message):
                return message
            if message.name == "Rejected" and not is_copy and number in (None, message.refSeqNo):
                raise Rejected.of(message)

    # Requests

    async def ask(self, name: str, timeout: float = 30, **fields: Any) -> Message:
        """Sends a message and waits for its answer: the first message that refers to it; Accepted for a new order,
        Replaced for a replace, Canceled for a cancel. Calls may be concurrent. Raises `Rejected`, `Terminated`,
        `ConnectionLost`, and `asyncio.TimeoutError`."""
        return await self._request(name, fields, timeout)

    async def _request(self, name: str, fields: Dict[str, Any], timeout: float = 30, last: Optional[str] = None,
                       before: Optional[Dict[str, Any]] = None, rows: Optional[List[Message]] = None,
                       is_numbered: bool = False) -> Message:
        """Sends a request, perhaps again when it was throttled, and waits for its answer."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            pending = Pending(name, fields, loop.create_future(), last, before, is_numbered)
            timer = loop.call_at(deadline, _expire, pending.future)
            try:
                await self._start_request(pending)
                answer = await pending.future
                if rows is not None:
                    rows += pending.rows
                return answer
            except Throttled as throttle:
                if self._pace and throttle.code == 9003 and name not in CANCELS:
                    self._pace.learn(throttle.limit)
                if not self._waits_when_throttled or loop.time() + throttle.retry_after > deadline:
                    raise
                await asyncio.sleep(throttle.retry_after)
                if is_numbered:
                    pending.renew(next_number())
            finally:
                timer.cancel()
                self._forget(pending)

    @property
    def messages_per_second(self) -> Optional[int]:
        """The messages a second, cancels excepted, to which the requests of a client with `pace` keep; None: without
        `pace`, or as long as the exchange has named no limit."""
        return self._pace.limit if self._pace else None

    async def _wait_for_turn(self, pending: Pending) -> None:
        """Waits until the request can be sent without being refused (9003), or its time is over."""
        while self._pace and not pending.future.done():
            pause = self._pace.pause(pending.name, 2 if pending.before else 1)
            if pause <= 0:
                return
            await asyncio.wait((pending.future,), timeout=pause)

    async def _start_request(self, pending: Pending) -> None:
        if self._pace is None or pending.name in CANCELS:
            return await self._start_now(pending)
        if pending.before and self._pace.limit == 1:
            raise ValueError("a note and its order are two messages, and this session may send 1 a second")
        # One after the other, so that client order ids rise in the order of the calls.
        async with self._turns:
            await self._wait_for_turn(pending)
            await self._start_now(pending)

    async def _start_now(self, pending: Pending) -> None:
        if self._unsent_bytes + self._writer.transport.get_write_buffer_size() > ENOUGH_UNSENT:
            space = asyncio.ensure_future(self.drain())
            try:
                await asyncio.wait((space, pending.future), return_when=asyncio.FIRST_COMPLETED)
            finally:
                space.cancel()
            if space.done() and not space.cancelled():
                space.result()
        # Its time is over while there was no space: it must not be sent then.
        if not pending.future.done():
            self._send_request(pending)

    def _send_request(self, pending: Pending) -> None:
        """Sends a request, or sends it again under a new number."""
        if pending.before:
            self.send("Note", **pending.before)
        self._requests.add(pending, self.send(pending.name, **pending.fields))

    def _forget(self, pending: Pending) -> None:
        self._requests.remove(pending)

    # The end

    def _fail(self, error: Terminated) -> None:
        """Ends the connection for this cause."""
        if self._terminated is not None:
            # This client has sent Terminate: the end is the answer.
            if not self._terminated.done():
                self._terminated.set_result(None)
        elif self._failure is None:
            self._stop()
            self._event("lost", error)
            self._finish(error)

    def _stop(self) -> None:
        """Stops reading and writing on the connection."""
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()
        self._unsent, self._unsent_bytes = [], 0
        if not self._writer.transport.is_closing():
            self._writer.transport.abort()

    def _finish(self, error: Terminated) -> None:
        """Ends the session for everybody who waits."""
        if self._is_over:
            return
        self._failure, self._is_over = error, True
        self._requests.fail(lambda: self._again(error))
        for waiting in (self._last_sent_report, self._terminated):
            if waiting is not None and not waiting.done():
                waiting.set_exception(self._again(error))
                waiting.exception()
        self._event("ended", error)
        for stream in list(self._streams):
            stream.finish(self._end_of_streams())
        self._inbox.wake()

    async def finish(self, timeout: float = 5) -> List[AnyMessage]:
        """Finishes sending, waits until every message is answered and every report has arrived, and returns
        the messages that were not read. A `close` after it loses nothing."""
        self._check()
        loop = asyncio.get_running_loop()
        self._last_sent_report = loop.create_future()
        self._write(self._codec.encode("FinishedSending", {
            "sessionVersion": self._version, "lastSeqNo": (self._next_seq_no - 1) or None}))
        deadline = loop.time() + timeout
        last = await asyncio.wait_for(self._last_sent_report, timeout)
        while self._missing or self._next_report <= last:
            if loop.time() > deadline:
                raise asyncio.TimeoutError
            await asyncio.sleep(0.01)
        self._write(self._codec.encode("FinishedReceiving", {"sessionVersion": self._version}))
        return cast(List[AnyMessage], self._inbox.rest())

    def drop(self) -> None:
        """Aborts the connection without a Terminate, as if it were lost."""
        self._flush()
        self._stop()
        self._finish(ConnectionLost("dropped by this client"))

    async def close(self) -> None:
        """Ends the session in order: sends Terminate, waits for the server's, and closes the connection. Does nothing
        to a session that has ended."""
        if self._failure is None and not self._writer.transport.is_closing():
            self._terminated = asyncio.get_running_loop().create_future()
            self._write(self._codec.encode("Terminate", {"sessionVersion": self._version}))
            self._flush()
            if self._tasks and not self._tasks[0].done():
                try:
                    await asyncio.wait_for(self._terminated, CLOSING_TIMEOUT)
                except (Terminated, asyncio.TimeoutError):
                    pass
        for task in self._tasks:
            task.cancel()
        self._writer.close()
        self._finish(Terminated(None, "closed by this client"))
        try:
            await asyncio.wait_for(self._writer.wait_closed(), CLOSING_TIMEOUT)
        except (OSError, asyncio.TimeoutError):
            self._writer.transport.abort()


def _expire(future: "asyncio.Future[Message]") -> None:
    if not future.done():
        future.set_exception(asyncio.TimeoutError("no answer in time"))
