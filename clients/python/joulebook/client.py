"""The client: one session, opened by `await Client.connect(...)`."""

from __future__ import annotations

import asyncio
from ssl import SSLContext
from types import TracebackType
from typing import Optional, Type, Union

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .codec import Codec, Message
from .comeback import Backoff, LogOn, backoff_of
from .connection import CHUNK
from .errors import Rejected, Terminated
from .messages import LimitRow
from .operating import Operating
from .pace import pace_of
from .session import Position

__all__ = ["Client", "Codec", "Message", "Position", "Rejected", "Terminated"]


class Client(Operating):
    """A session with the exchange, opened by `await Client.connect(...)`.

    Requests (`order`, `cancel`, `ask` ...) wait for their own answers and may be concurrent. Every other message is
    kept in order until `receive`, `messages` or `wait_for` takes it, and goes to the streams and callbacks that want
    it. `orders` and `book` keep orders and market data. A client belongs to one event loop; `joulebook.sync` has one
    for programs without.

        async with await Client.connect("127.0.0.1", 9100, session_id=2, key=key) as bot:
            order = await bot.place(account=1, instrument=1, side="sell", price="0.12", quantity="5kWh")
    """

    @classmethod
    async def connect(cls, host: str, port: int, session_id: int, key: Ed25519PrivateKey,
                      keep_alive_ms: int = 5_000, cancel_after_ms: Optional[int] = 0,
                      resume: Optional[Position] = None, ssl: Optional[SSLContext] = None,
                      reconnect: Union[bool, Backoff] = False, wait_when_throttled: bool = False,
                      silence_ms: Optional[int] = None, pace: Union[bool, int] = False) -> "Client":
        """Connects, waits for the server's challenge, negotiates and establishes. Raises `Terminated` when
        refused, `ConnectionLost` (a `ConnectionError`) when no challenge comes, and `OSError` when nobody listens.

        `cancel_after_ms`: time that the session's orders outlive its connection; None: they are kept.
        `resume`: resumes the session of a lost connection. Missed reports arrive in order, each once, before what
        is new.
        `ssl`: context for TLS 1.3, such as `ssl.create_default_context()`; None: plain TCP.
        `reconnect`: True or a `Backoff`: after a loss the client connects and resumes by itself; requests wait
        meanwhile, `send` raises. With `cancel_after_ms` 0 the exchange cancels the orders nevertheless.
        `wait_when_throttled`: requests that are rejected with 9003 or 9007 wait and are sent again within their
        timeout, instead of raising `Throttled`.
        `silence_ms`: longest silence of the server before the connection counts as lost; None: two keep-alive
        intervals.
        `pace`: True: requests wait for their turn instead of being refused because there are too many messages in a
        second (9003): the client asks for the limit of its session (SetLimit) after it has logged on, and keeps to
        what a later 9003 names; it waits after 9007 too. A number: so many messages a second, whatever the limit.
        Cancels never wait, and `send` does not."""
        counted = pace_of(pace)
        place = LogOn(host, port, session_id, key, keep_alive_ms, cancel_after_ms, ssl, silence_ms)
        for pause in (0.05, 0.1, 0.2, None):
            client = cls(*await asyncio.open_connection(host, port, ssl=ssl, limit=CHUNK))
            client._place, client._pace = place, counted
            client._waits_when_throttled = wait_when_throttled or counted is not None
            try:
                await client._start(resume)
                break
            except Terminated as refusal:
                # The server may not have noticed yet that the connection before has just ended.
                if refusal.code != 1008 or pause is None:
                    raise
                await asyncio.sleep(pause)
            except BaseException:
                client._writer.close()
                raise
        client._backoff = backoff_of(reconnect)
        client._event("connected")
        if pace is True:
            await client._learn_limit()
        return client

    async def _learn_limit(self) -> None:
        """Asks for the limit of the session's messages; without an answer, the first 9003 names it."""
        try:
            limits = [row async for row in self.list_all("limits")]
        except (Rejected, asyncio.TimeoutError):
            return
        for row in limits:
            if self._pace and isinstance(row, LimitRow) and row.kind == "messagesPerSecond" \
                    and row.sessionId == self._place.session:
                self._pace.limit = row.inForce

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        await self.close()
