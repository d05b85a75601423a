"""Orders with a state, kept from the reports of the session."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Callable, Dict, List, Literal, Optional, Union

from .message import Message
from .messages import Accepted, OrderStatus, Trade, words
from .units import Energy, Price

if TYPE_CHECKING:
    from .trading import Trading

#: open: it rests, or waits for cover. filled and canceled: it has left the book. unknown: the exchange does not know it
#: any more, and its end was not reported to this session.
State = Literal["open", "filled", "canceled", "unknown"]


class Order:
    """An order as the last report left it. Prices are in 1e-5 currency per kWh, quantities in Wh."""

    def __init__(self, client: "Trading", first: Union[Accepted, OrderStatus]) -> None:
        self._client = client
        #: Accepted, or the OrderStatus by which the order was found.
        self.first = first
        self.order_id: int = first.orderId
        self.client_order_id: Optional[int] = first.clientOrderId
        self.account: int = first.account
        self.instrument: int = first.instrument
        self.side: words.Side = first.side
        self.time_in_force: words.TimeInForce = first.timeInForce
        self.price: int = first.price
        #: Quantity in all.
        self.quantity: int = first.quantity
        #: Quantity that is still open.
        self.leaves: int = first.leaves if isinstance(first, OrderStatus) else first.quantity
        #: Open quantity that can trade now; the rest waits.
        self.covered: int = first.covered
        self.wait_reason: words.WaitReason = first.waitReason
        self.state: State = "open"
        #: Why it was canceled.
        self.cancel_reason: Optional[words.CancelReason] = None
        #: Its trades that this session knows of, oldest first.
        self.trades: List[Trade] = []
        self._calls: List[Callable[["Order", Message], object]] = []
        self._closed: Optional["asyncio.Future[None]"] = None

    def __repr__(self) -> str:
        return (f"Order({self.order_id}, {self.side} {self.leaves} of {self.quantity} Wh at {self.price / 1e5:.5f}, "
                f"{self.state})")

    @property
    def waiting(self) -> int:
        """Open quantity that waits for energy or headroom, in Wh."""
        return self.leaves - self.covered

    @property
    def traded(self) -> int:
        """Traded quantity that this session knows of, in Wh."""
        return sum(trade.quantity for trade in self.trades)

    @property
    def fees(self) -> int:
        """Fees of the known trades, in 1e-8 currency."""
        return sum(trade.fee for trade in self.trades)

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.state == "open"

    def on_change(self, call: Callable[["Order", Message], object]) -> Callable[[], None]:
        """Calls `call` with the order and the report after each change; the result ends it."""
        self._calls.append(call)
        return lambda: self._calls.remove(call) if call in self._calls else None

    async def done(self, timeout: Optional[float] = None) -> "Order":
        """Waits until the order has left the book, and returns it. Raises `asyncio.TimeoutError`, and `Terminated`
        when the session ends before."""
        if self.is_open:
            if self._closed is None or self._closed.done():
                self._closed = self._client._until_end()
            await asyncio.wait_for(asyncio.shield(self._closed), timeout)
        return self

    async def cancel(self) -> "Order":
        """Cancels it, and returns it. Raises `Rejected` (6001) when it has left the book already."""
        await self._client.cancel(self.account, self.order_id)
        return self

    async def replace(self, price: Optional[Price] = None, quantity: Optional[Energy] = None) -> "Order":
        """Changes price, quantity in all, or both, and returns it. It keeps its order id."""
        await self._client.replace(self.account, self.order_id, self.price if price is None else price,
                                   self.quantity if quantity is None else quantity)
        return self

    def take(self, message: Message) -> None:
        """Applies a report of this order."""
        fields = message.fields
        if message.name == "Trade":
            assert isinstance(message, Trade)
            self.trades.append(message)
            self.leaves = message.leaves
            self.covered = max(0, self.covered - message.quantity)
        elif message.name == "Canceled":
            self.leaves, self.covered = fields["leaves"], fields["covered"]
            self.wait_reason, self.cancel_reason = fields["waitReason"], fields["reason"]
        else:
            self.price = fields["price"]
            self.leaves, self.covered = fields["leaves"], fields["covered"]
            self.wait_reason = fields["waitReason"]
            self.client_order_id = fields["clientOrderId"]
            self.quantity = fields.get("quantity", self.quantity)
        if self.leaves == 0:
            self.end("canceled" if message.name == "Canceled" else "filled")
        for call in list(self._calls):
            try:
                call(self, message)
            except Exception as error:
                asyncio.get_running_loop().call_exception_handler({
                    "message": f"a callback of {self} failed", "exception": error})

    def end(self, state: State) -> None:
        """Notes that it has left the book."""
        self.state, self.covered = state, 0
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)


class Orders:
    """The open orders that a session knows, by order id."""

    def __init__(self, client: "Trading") -> None:
        self._client = client
        self.open: Dict[int, Order] = {}
        # Orders by the Accepted that nobody has asked for yet; an order may be filled before somebody does.
        self._recent: Dict[int, Order] = {}

    def take(self, message: Message) -> None:
        """Applies a report."""
        if message.name == "Accepted":
            assert isinstance(message, Accepted)
            self.open[message.orderId] = self._recent[message.orderId] = Order(self._client, message)
            if len(self._recent) > 4_096:
                del self._recent[next(iter(self._recent))]
        elif message.name in ("Trade", "Canceled", "Restated", "Replaced"):
            known = self.open.get(message.fields["orderId"])
            if known is not None:
                known.take(message)
                if not known.is_open:
                    del self.open[known.order_id]

    def cancel(self, order_id: int) -> None:
        """Notes that an order of another session, whose reports do not come here, was canceled."""
        known = self.open.pop(order_id, None)
        if known is not None:
            known.leaves, known.cancel_reason = 0, "user"
            known.end("canceled")

    def last(self, accepted: Accepted) -> Order:
        """The order of an Accepted that has just come."""
        return self._recent.pop(accepted.orderId, None) or Order(self._client, accepted)

    def know(self, status: OrderStatus) -> Order:
        """The order of a row of a list."""
        order = self.open.get(status.orderId)
        if order is None:
            order = self.open[status.orderId] = Order(self._client, status)
        return order
