"""Maintains the published orders of an area from a snapshot and the updates after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from .levels import Level, MarketPrices
from .message import Message


@dataclass(frozen=True)
class BookOrder:
    """An order of the published book: open quantity, and how much of it can trade now, in Wh."""

    order_id: int
    instrument: int
    side: str
    price: int
    total: int
    live: int


class OrderBook:
    """The published orders of an area. Pass it every message of a subscription with snapshot "orders"; it has the
    same use as a `LevelBook`."""

    view = "orders"

    def __init__(self, area: int) -> None:
        self.area = area
        #: Sequence number of the last applied message.
        self.last = 0
        #: Whether a complete snapshot has been applied.
        self.is_complete = False
        self._orders: Dict[int, BookOrder] = {}

    def clear(self) -> None:
        """Makes it empty, for a new snapshot."""
        self._orders, self.is_complete = {}, False

    def orders(self, instrument: int, side: str) -> List[BookOrder]:
        """The orders of one side of an instrument, best price first, and at a price the oldest first."""
        found = [order for order in self._orders.values() if order.instrument == instrument and order.side == side]
        return sorted(found, key=lambda order: order.price, reverse=side == "buy")

    def depth(self, instrument: int, side: str) -> List[Level]:
        """The levels of one side of an instrument, best price first."""
        levels: Dict[int, Level] = {}
        for order in self.orders(instrument, side):
            level = levels.get(order.price, Level(order.price, 0, 0, 0))
            levels[order.price] = Level(order.price, level.total + order.total, level.live + order.live,
                                        level.orders + 1)
        return list(levels.values())

    def prices(self, instrument: int) -> MarketPrices:
        """The market prices of an instrument."""
        return MarketPrices.of(self.depth(instrument, "sell"), self.depth(instrument, "buy"))

    def take(self, message: Message) -> Optional[int]:
        """Applies a message. After a gap it returns the first missing sequence number, and ignores newer messages
        until the missing ones arrive."""
        fields = message.fields
        if fields.get("area") != self.area:
            return None
        number = fields.get("seqNo")
        if message.name == "SnapshotEnd":
            self.last, self.is_complete = number or 0, True
        elif message.name not in ("OrderAdd", "OrderModify", "OrderDelete", "MarketTrade", "StateChange"):
            return None
        elif number is None:
            # A part of the snapshot, or a correction of one.
            if not self.is_complete:
                self._apply(message.name, fields)
        elif self.is_complete and number > self.last:
            if number != self.last + 1:
                return self.last + 1
            self.last = number
            self._apply(message.name, fields)
        return None

    def _apply(self, name: str, fields: Mapping[str, Any]) -> None:
        if name == "OrderDelete":
            self._orders.pop(fields["orderId"], None)
        elif name in ("OrderAdd", "OrderModify"):
            self._orders[fields["orderId"]] = BookOrder(
                fields["orderId"], fields["instrument"], fields["side"], fields["price"], fields["total"],
                fields["live"])
