"""Maintains the published depth of an area from a snapshot and the updates after it."""

from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple

from .codec import Message


@dataclass(frozen=True)
class Level:
    """A price level: price, open quantity, live quantity (both in Wh), and number of orders."""

    price: int
    total: int
    live: int
    orders: int


class LevelBook:
    """The price levels of an area. Pass it every message of a subscription with snapshot "levels".

        client.send("MarketDataSubscribe", area=1, snapshot="levels")
        async for message in client.messages():
            missing = book.take(message)
            if missing is not None:
                client.send("MarketDataResume", area=1, fromSeqNo=missing, view="levels")

    A subscription that replaces one whose snapshot was not complete needs a new book, from its Ack on.
    """

    def __init__(self, area: int) -> None:
        self.area = area
        #: Sequence number of the last applied message.
        self.last = 0
        #: Whether a complete snapshot has been applied.
        self.is_complete = False
        self._levels: Dict[Tuple[int, str, int], Level] = {}

    def depth(self, instrument: int, side: str) -> List[Level]:
        """The levels of one side of an instrument, best price first."""
        levels = [level for (of, on, _), level in self._levels.items()
                  if of == instrument and on == side]
        return sorted(levels, key=lambda level: level.price, reverse=side == "buy")

    def take(self, message: Message) -> Optional[int]:
        """Applies a message. After a gap it returns the first missing sequence number, and ignores newer
        messages until the missing ones arrive."""
        if message.fields.get("area") != self.area:
            return None
        if message.name == "LevelSnapshot":
            if self.is_complete:
                self._levels, self.is_complete = {}, False
            for level in message.levels:
                self._set(message.instrument, level)
        elif message.name == "SnapshotEnd":
            if self.is_complete:
                self._levels = {}
            self.last, self.is_complete = message.seqNo or 0, True
        elif message.fields.get("seqNo") is None:
            # The snapshot corrects a level that it has sent already.
            if message.name == "LevelUpdate" and not self.is_complete:
                self._set(message.instrument, message.fields)
        elif message.name in ("LevelUpdate", "MarketTrade", "StateChange"):
            if not self.is_complete or message.seqNo <= self.last:
                return None
            if message.seqNo != self.last + 1:
                return self.last + 1
            self.last = message.seqNo
            if message.name == "LevelUpdate":
                self._set(message.instrument, message.fields)
        return None

    def _set(self, instrument: int, level: dict) -> None:
        key = (instrument, level["side"], level["price"])
        if level["orderCount"] == 0:
            self._levels.pop(key, None)
        else:
            self._levels[key] = Level(
                level["price"], level["total"], level["live"], level["orderCount"])
