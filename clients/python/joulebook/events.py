"""What happens to a session, and streams of messages and events."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Callable, Deque, Dict, Generic, List, Literal, Optional, TypeVar, Union

from .message import Message

#: Kinds of events:
#: connected: the session is established for the first time.
#: lost: the connection is lost; `error` says why.
#: retrying: the next attempt to connect is made in `seconds`.
#: resumed: the session goes on, and every report that was missed has been delivered; `count` of them were.
#: restarted: the server did not know the session any more, so nothing of it had happened; a new one has begun.
#: reports_lost: `count` missed reports cannot be had; `error` says why.
#: dropped: `count` messages that nobody read were dropped from the inbox or from a stream.
#: ended: the session has ended; `error` says why.
EventKind = Literal["connected", "lost", "retrying", "resumed", "restarted", "reports_lost", "dropped", "ended"]


@dataclass(frozen=True)
class Event:
    """Something that happened to a session."""

    kind: EventKind
    #: Why, where there is a cause.
    error: Optional[Exception] = None
    count: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        parts = [self.kind, f"in {self.seconds:.1f} s" if self.seconds else "",
                 f"({self.count})" if self.count else "", f": {self.error}" if self.error else ""]
        return " ".join(part for part in parts if part).replace(" : ", ": ")


Item = TypeVar("Item")


class Stream(Generic[Item]):
    """Messages or events in the order of their arrival: `async for item in stream`. It begins when it is made, has a
    bound, and ends with the session: an orderly end ends the iteration, any other is raised. `close` ends it."""

    def __init__(self, close: Callable[["Stream[Item]"], None], bound: int = 65_536,
                 dropped: Optional[Callable[[int], None]] = None) -> None:
        self._items: Deque[Item] = deque()
        self._close, self._bound, self._dropped = close, bound, dropped
        self._end: Optional[Exception] = None
        self._is_over = False
        self._waiters: List["asyncio.Future[None]"] = []

    def put(self, item: Item) -> None:
        """Adds an item; of a full stream the oldest one is dropped."""
        if len(self._items) >= self._bound:
            self._items.popleft()
            if self._dropped:
                self._dropped(1)
        self._items.append(item)
        self._wake()

    def finish(self, error: Optional[Exception]) -> None:
        """Ends it behind the items that are waiting, with an error or without."""
        self._end, self._is_over = error, True
        self._wake()

    def close(self) -> None:
        """Ends the stream."""
        self._close(self)
        self.finish(None)

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.pop()
            if not waiter.done():
                waiter.set_result(None)

    def __aiter__(self) -> "Stream[Item]":
        return self

    async def __anext__(self) -> Item:
        while not self._items:
            if self._is_over:
                if self._end is not None:
                    raise self._end
                raise StopAsyncIteration
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        return self._items.popleft()


Callback = Callable[[Union[Message, Event]], object]


class Hub:
    """Passes messages and events on to callbacks and streams, by kind."""

    def __init__(self) -> None:
        self._calls: Dict[str, List[Callback]] = {}

    def add(self, kind: str, call: Callback) -> Callable[[], None]:
        """Adds a callback for a kind ("" for all messages); the result removes it."""
        calls = self._calls.setdefault(kind, [])
        calls.append(call)
        return lambda: calls.remove(call) if call in calls else None

    def tell(self, kind: str, what: Union[Message, Event]) -> None:
        """Calls the callbacks of a kind. An error in one is reported to the loop and stops nothing."""
        calls = self._calls.get(kind)
        for call in list(calls) if calls else ():
            try:
                call(what)
            except Exception as error:
                asyncio.get_running_loop().call_exception_handler({
                    "message": f"a callback for {kind or 'all messages'} failed", "exception": error})

    @property
    def has_general(self) -> bool:
        """Whether anybody wants all messages."""
        return bool(self._calls.get(""))
