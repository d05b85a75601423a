"""Reference data and market data: requests, and books that are kept by the client."""

from __future__ import annotations

import asyncio
from typing import Any, Callable, Dict, Generic, List, Literal, Optional, TypeVar, Union, cast, overload

from .book import OrderBook
from .definitions import Definitions
from .errors import Rejected, Terminated
from .levels import LevelBook
from .message import Message
from .messages import Ack, AreaDefinition, InstrumentDefinition, words
from .trading import Trading

Book = TypeVar("Book", LevelBook, OrderBook)

#: The messages of an area's channel, and of the snapshot before it.
CHANNEL = frozenset(("OrderAdd", "OrderModify", "OrderDelete", "MarketTrade", "LevelSnapshot", "LevelUpdate",
                     "SnapshotEnd", "StateChange"))


class Feed(Generic[Book]):
    """A book of an area that the client keeps: it begins with a snapshot, asks for what is missing after a gap, and
    goes on after a lost connection."""

    def __init__(self, client: "MarketData", book: Book) -> None:
        self._client = client
        #: The book: `feed.book.depth(instrument, "sell")`.
        self.book: Book = book
        #: Snapshots that have been asked for.
        self.snapshots = 0
        self._calls: List[Callable[[Message], object]] = []
        self._waiters: List["asyncio.Future[None]"] = []
        self._is_asking = False
        self._task: Optional["asyncio.Task[None]"] = None

    def on_change(self, call: Callable[[Message], object]) -> Callable[[], None]:
        """Calls `call` with each message of the channel after the book has applied it; the result ends it."""
        self._calls.append(call)
        return lambda: self._calls.remove(call) if call in self._calls else None

    async def changed(self, timeout: Optional[float] = None) -> None:
        """Waits for the next message of the channel. Raises `Terminated` when the session ends before."""
        waiter = self._client._until_end()
        self._waiters.append(waiter)
        await asyncio.wait_for(waiter, timeout)

    async def close(self) -> None:
        """Ends the subscription."""
        self._client._feeds.pop(self.book.area, None)
        await self._client.unsubscribe(self.book.area)

    def take(self, message: Message) -> None:
        """Applies a message of the channel."""
        missing = self.book.take(message)
        if missing is not None:
            self.ask()
        for call in list(self._calls):
            try:
                call(message)
            except Exception as error:
                asyncio.get_running_loop().call_exception_handler({
                    "message": "a callback of a market-data feed failed", "exception": error})
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def ask(self) -> None:
        """Asks for what comes after the last applied message, unless that is under way."""
        if not self._is_asking:
            self._is_asking = True
            self._task = asyncio.create_task(self._resume())

    async def _resume(self) -> None:
        try:
            await self.begin()
        except (Rejected, Terminated, asyncio.TimeoutError):
            # After a loss the client asks again when it is back.
            pass
        finally:
            self._is_asking = False

    async def begin(self) -> None:
        """Subscribes: from the last applied message on if the server still has it, else with a new snapshot."""
        if self.book.is_complete:
            try:
                await self._client._request("MarketDataResume", dict(
                    area=self.book.area, fromSeqNo=self.book.last + 1, view=self.book.view))
                return
            except Rejected as reject:
                if reject.code != 8007:
                    raise
        self.book.clear()
        self.snapshots += 1
        await self._client._request("MarketDataSubscribe", dict(area=self.book.area, snapshot=self.book.view))


class MarketData(Trading):
    """Areas, instruments, and what happens in their markets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        #: The areas and instruments that the client was told of, as they are now.
        self.definitions = Definitions()
        self._feeds: Dict[int, Feed[Any]] = {}
        #: Areas with a subscription of another kind than a feed, and its snapshot.
        self._subscribed: Dict[int, str] = {}

    def _observe(self, message: Message) -> bool:
        self.definitions.take(message)
        feed = self._feeds.get(message.fields.get("area", 0)) if message.name in CHANNEL else None
        if feed is None:
            return super()._observe(message)
        feed.take(message)
        return True

    def _on_return(self, is_new: bool) -> None:
        super()._on_return(is_new)
        for feed in self._feeds.values():
            feed._is_asking = False
            feed.ask()
        for area, snapshot in self._subscribed.items():
            if self.is_connected:
                self.send("MarketDataSubscribe", area=area, snapshot=snapshot)

    async def reference_data(self, area: Optional[int] = None,
                             timeout: float = 30) -> List[Union[AreaDefinition, InstrumentDefinition]]:
        """The areas and instruments; `area` selects one area."""
        rows: List[Message] = []
        await self._request("ReferenceDataRequest", dict(area=area), timeout, last="ReferenceDataEnd", rows=rows)
        return cast("List[Union[AreaDefinition, InstrumentDefinition]]", rows)

    @overload
    async def book(self, area: int, view: Literal["levels"] = "levels", timeout: float = 30) -> Feed[LevelBook]: ...
    @overload
    async def book(self, area: int, view: Literal["orders"], timeout: float = 30) -> Feed[OrderBook]: ...

    async def book(self, area: int, view: Literal["levels", "orders"] = "levels",
                   timeout: float = 30) -> Union[Feed[LevelBook], Feed[OrderBook]]:
        """Subscribes to an area's market data, and returns a feed whose book is complete. From then on the client
        keeps it. A session has one subscription of an area; the feed replaces another one. The feed's messages are
        not in the inbox; streams and callbacks get them."""
        feed: Feed[Any] = Feed(self, OrderBook(area) if view == "orders" else LevelBook(area))
        self._feeds[area] = feed
        self._subscribed.pop(area, None)
        await feed.begin()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not feed.book.is_complete:
            await feed.changed(max(0.001, deadline - loop.time()))
        return feed

    async def subscribe(self, area: int, snapshot: words.SnapshotKind = "none") -> Ack:
        """Subscribes to an area's market data without a book. `snapshot` top is the conflated view. After a lost
        connection the client subscribes again, with a new snapshot."""
        self._feeds.pop(area, None)
        self._subscribed[area] = snapshot
        try:
            return cast(Ack, await self._request("MarketDataSubscribe", dict(area=area, snapshot=snapshot)))
        except Rejected:
            self._subscribed.pop(area, None)
            raise

    async def unsubscribe(self, area: int) -> Ack:
        """Ends the subscription to an area's market data."""
        self._subscribed.pop(area, None)
        return cast(Ack, await self._request("MarketDataUnsubscribe", dict(area=area)))

    async def resume_market_data(self, area: int, from_seq_no: int, view: words.ChannelView = "orders") -> Ack:
        """Subscribes from a message of the channel on. Raises `Rejected` (8007) when it is no longer kept."""
        return cast(Ack, await self._request("MarketDataResume", dict(area=area, fromSeqNo=from_seq_no, view=view)))
