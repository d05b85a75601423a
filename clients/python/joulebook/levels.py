"""Maintains the published depth of an area from a snapshot and the updates after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from .message import Message


@dataclass(frozen=True)
class Level:
    """A price level: price, open quantity, live quantity (both in Wh), and number of orders."""

    price: int
    total: int
    live: int
    orders: int


@dataclass(frozen=True)
class MarketPrices:
    """The market prices of an instrument; None: there is no such order. `buying` is the lowest displayed ask and
    `selling` the highest displayed bid, whether or not there is energy or headroom behind them; `live_ask` and
    `live_bid` are the best prices that can trade now."""

    buying: Optional[int] = None
    selling: Optional[int] = None
    live_ask: Optional[int] = None
    live_bid: Optional[int] = None

    @classmethod
    def of(cls, asks: List[Level], bids: List[Level]) -> "MarketPrices":
        """The prices of both sides of a book, best price first."""
        def first(levels: List[Level]) -> Optional[int]:
            return levels[0].price if levels else None
        return cls(first(asks), first(bids), first([level for level in asks if level.live > 0]),
                   first([level for level in bids if level.live > 0]))


class LevelBook:
    """The price levels of an area. `Client.book` keeps one; or pass it every message of a subscription with snapshot
    "levels".

        client.send("MarketDataSubscribe", area=1, snapshot="levels")
        async for message in client.messages():
            missing = book.take(message)
            if missing is not None:
                client.send("MarketDataResume", area=1, fromSeqNo=missing, view="levels")

    A subscription that replaces one whose snapshot was not complete needs a new book, from its Ack on.
    """

    view = "levels"

    def __init__(self, area: int) -> None:
        self.area = area
        #: Sequence number of the last applied message.
        self.last = 0
        #: Whether a complete snapshot has been applied.
        self.is_complete = False
        self._levels: Dict[Tuple[int, str, int], Level] = {}

    def clear(self) -> None:
        """Makes it empty, for a new snapshot."""
        self._levels, self.is_complete = {}, False

    def depth(self, instrument: int, side: str) -> List[Level]:
        """The levels of one side of an instrument, best price first."""
        levels = [level for (of, on, _), level in self._levels.items()
                  if of == instrument and on == side]
        return sorted(levels, key=lambda level: level.price, reverse=side == "buy")

    def prices(self, instrument: int) -> MarketPrices:
        """The market prices of an instrument."""
        return MarketPrices.of(self.depth(instrument, "sell"), self.depth(instrument, "buy"))

    def take(self, message: Message) -> Optional[int]:
        """Applies a message. After a gap it returns the first missing sequence number, and ignores newer
        messages until the missing ones arrive."""
        fields = message.fields
        if fields.get("area") != self.area:
            return None
        number = fields.get("seqNo")
        if message.name == "LevelSnapshot":
            if self.is_complete:
                self.clear()
            for level in fields["levels"]:
                self._set(fields["instrument"], level)
        elif message.name == "SnapshotEnd":
            if self.is_complete:
                self._levels = {}
            self.last, self.is_complete = number or 0, True
        elif number is None:
            # The snapshot corrects a level that it has sent already.
            if message.name == "LevelUpdate" and not self.is_complete:
                self._set(fields["instrument"], fields)
        elif message.name in ("LevelUpdate", "MarketTrade", "StateChange"):
            if not self.is_complete or number <= self.last:
                return None
            if number != self.last + 1:
                return self.last + 1
            self.last = number
            if message.name == "LevelUpdate":
                self._set(fields["instrument"], fields)
        return None

    def _set(self, instrument: int, level: Mapping[str, Any]) -> None:
        key = (instrument, level["side"], level["price"])
        if level["orderCount"] == 0:
            self._levels.pop(key, None)
        else:
            self._levels[key] = Level(
                level["price"], level["total"], level["live"], level["orderCount"])
