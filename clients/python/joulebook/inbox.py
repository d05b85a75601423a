"""The messages that no request has taken, until `receive` and its relatives return them."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Callable, Deque, List, Optional, Tuple

from .message import Message


class Inbox:
    """A queue of messages with a bound: when nobody reads, the oldest ones are dropped and counted."""

    def __init__(self, bound: int, dropped: Callable[[int], None]) -> None:
        self._items: Deque[Tuple[Message, bool]] = deque()
        self._bound, self._dropped = bound, dropped
        self._waiters: List["asyncio.Future[None]"] = []
        #: Whether anybody has ever read from it; nobody misses what is dropped before.
        self.is_read = False

    def put(self, message: Message, is_copy: bool) -> None:
        """Adds a message; `is_copy`: it is a drop copy of another session's report."""
        if len(self._items) >= self._bound:
            self._items.popleft()
            if self.is_read:
                self._dropped(1)
        self._items.append((message, is_copy))
        if self._waiters:
            self.wake()

    def take(self) -> Optional[Tuple[Message, bool]]:
        """The oldest message; `None`: there is none."""
        self.is_read = True
        return self._items.popleft() if self._items else None

    def wake(self) -> None:
        """Lets all who wait look again."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait(self, timeout: Optional[float]) -> None:
        """Waits for a message, or for the end of the session. Raises `asyncio.TimeoutError`."""
        loop = asyncio.get_running_loop()
        waiter: "asyncio.Future[None]" = loop.create_future()
        self._waiters.append(waiter)

        def expire() -> None:
            if not waiter.done():
                waiter.set_exception(asyncio.TimeoutError())

        timer = loop.call_later(max(0.0, timeout), expire) if timeout is not None else None
        try:
            await waiter
        finally:
            if timer:
                timer.cancel()
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def first_report(self) -> Optional[int]:
        """The lowest number of a report that waits to be read; for a drop copy that of its ReportCopy."""
        numbers = [number - is_copy for message, is_copy in self._items if message.is_report
                   and (number := message.fields.get("seqNo")) is not None]
        return min(numbers, default=None)

    def rest(self) -> List[Message]:
        """All messages, which are taken out."""
        items = [message for message, _ in self._items]
        self._items.clear()
        return items
