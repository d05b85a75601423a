"""What traders and meters send, a method for each message."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator, Dict, List, Literal, Optional, Sequence, Tuple, Union, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .comeback import Comeback
from .errors import Terminated
from .keys import sign_reading
from .message import Message
from .messages import (
    Accepted, Ack, AgentReport, BalanceUpdate, Canceled, Explanation, ListEnd, MassCancelReport, MeterReadingAck,
    OrderStatus, Replaced, Status, TransferReport, words)
from .orders import Order, Orders
from .session import next_number
from .units import Energy, Money, Price, energy_units, money_units


class Trading(Comeback):
    """Orders, transfers, readings, and questions about one's own accounts."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self._orders = Orders(self)
        self._endings: List["asyncio.Future[None]"] = []
        self._looking: Optional["asyncio.Task[Any]"] = None

    @property
    def orders(self) -> Dict[int, Order]:
        """The open orders that this session knows, by order id: those that it was told of, and those of
        `open_orders`. An order leaves when it is filled or canceled; the object keeps its state."""
        return self._orders.open

    def _observe(self, message: Message) -> bool:
        if message.is_report:
            self._orders.take(message)
        return super()._observe(message)

    def _until_end(self) -> "asyncio.Future[None]":
        """A future that fails when the session ends."""
        self._endings = [future for future in self._endings if not future.done()]
        future: "asyncio.Future[None]" = asyncio.get_running_loop().create_future()
        if self._is_over and self._failure:
            future.set_exception(self._again(self._failure))
            future.exception()
        self._endings.append(future)
        return future

    def _finish(self, error: Terminated) -> None:
        super()._finish(error)
        for future in self._endings:
            if not future.done():
                future.set_exception(self._again(error))
                future.exception()

    def _on_return(self, is_new: bool) -> None:
        super()._on_return(is_new)
        if is_new and self.orders:
            self._looking = asyncio.create_task(self._look_again(list(self.orders.values())))

    async def _look_again(self, before: List[Order]) -> None:
        """In a new session, finds out which of the known orders exist."""
        try:
            found = {order.order_id for account in {order.account for order in before}
                     for order in await self.open_orders(account)}
        except Exception:
            return
        for order in before:
            if order.order_id not in found and order.is_open:
                self.orders.pop(order.order_id, None)
                order.end("unknown")

    # Orders

    async def order(self, account: int, instrument: int, side: words.Side, price: Price, quantity: Energy,
                    client_order_id: Optional[int] = None, time_in_force: words.TimeInForce = "goodTillCancel",
                    post_only: bool = False, minimum_quantity: Energy = 0, expire_time: Optional[int] = None,
                    display_quantity: Energy = 0, on_behalf_of: Literal[0] = 0, note: Union[str, bytes] = "",
                    timeout: float = 30, self_trade_prevention: words.SelfTradePrevention = "cancelNewer",
                    outlives_session: bool = False) -> Accepted:
        """Enters a limit order and waits for its Accepted: the order as it stood before it matched.

        `price` is in 1e-5 currency per kWh as a whole number, or in currency per kWh as Decimal or text ("0.21");
        quantities are in Wh, or text with a unit ("1.5kWh"). `minimum_quantity` must execute on entry;
        `expire_time` is for a goodTillTime order; `display_quantity` is what an iceberg order shows, 0 for all of it.
        `note` is up to 40 bytes about the order (text as UTF-8): a Noted comes before the Accepted, in drop copies
        too, and the ledger keeps it. Without `client_order_id` the clock in ns numbers the order. `on_behalf_of` is
        for programs without types: with it the result is an Ack, as of `order_for`.

        Other messages that come meanwhile, such as its Trade, are delivered as always."""
        return cast(Accepted, await self._enter(
            account, instrument, side, price, quantity, client_order_id, time_in_force, timeout, note,
            [word for word, is_set in (("postOnly", post_only), ("outlivesSession", outlives_session)) if is_set],
            self_trade_prevention, {"minimumQuantity": minimum_quantity, "expireTime": expire_time,
                                    "displayQuantity": display_quantity, "onBehalfOf": on_behalf_of}))

    async def order_for(self, session: int, account: int, instrument: int, side: words.Side, price: Price,
                        quantity: Energy, client_order_id: Optional[int] = None,
                        time_in_force: words.TimeInForce = "goodTillCancel", post_only: bool = False,
                        minimum_quantity: Energy = 0, expire_time: Optional[int] = None, display_quantity: Energy = 0,
                        note: Union[str, bytes] = "", timeout: float = 30) -> Ack:
        """Enters a limit order on behalf of another session of the participant, which gets the reports."""
        return cast(Ack, await self._enter(
            account, instrument, side, price, quantity, client_order_id, time_in_force, timeout, note,
            ["postOnly"] if post_only else [], "cancelNewer", {
                "minimumQuantity": minimum_quantity, "expireTime": expire_time, "displayQuantity": display_quantity,
                "onBehalfOf": session}))

    async def market_order(self, account: int, instrument: int, side: words.Side, quantity: Energy,
                           time_in_force: words.TimeInForce = "immediateOrCancel",
                           client_order_id: Optional[int] = None, timeout: float = 30) -> Accepted:
        """Enters a market order, which trades at any price in the band or not at all: immediateOrCancel or
        fillOrKill."""
        return cast(Accepted, await self._enter(
            account, instrument, side, 0, quantity, client_order_id, time_in_force, timeout, "", ["market"],
            "cancelNewer", {}))

    async def _enter(self, account: int, instrument: int, side: str, price: Price, quantity: Energy,
                     client_order_id: Optional[int], time_in_force: str, timeout: float, note: Union[str, bytes],
                     flags: Sequence[str], prevention: str, extended: Dict[str, Any]) -> Message:
        identity = client_order_id or next_number()
        fields: Dict[str, Any] = dict(
            clientOrderId=identity, account=account, instrument=instrument, side=side, price=price, quantity=quantity,
            timeInForce=time_in_force, selfTradePrevention=prevention, flags=flags)
        is_extended = any(value not in (0, None) for value in extended.values())
        text = _note_text(note)
        before = {"clientOrderId": identity, "text": text} if text else None
        return await self._request("NewOrderExtended" if is_extended else "NewOrder",
                                   {**fields, **extended} if is_extended else fields, timeout, before=before,
                                   is_numbered=not client_order_id)

    async def place(self, account: int, instrument: int, side: words.Side, price: Price, quantity: Energy,
                    client_order_id: Optional[int] = None, time_in_force: words.TimeInForce = "goodTillCancel",
                    post_only: bool = False, minimum_quantity: Energy = 0, expire_time: Optional[int] = None,
                    display_quantity: Energy = 0, note: Union[str, bytes] = "", timeout: float = 30,
                    self_trade_prevention: words.SelfTradePrevention = "cancelNewer",
                    outlives_session: bool = False) -> Order:
        """Enters a limit order like `order`, and returns it as an `Order`, whose state follows the reports."""
        accepted = await self.order(
            account, instrument, side, price, quantity, client_order_id, time_in_force, post_only, minimum_quantity,
            expire_time, display_quantity, note=note, timeout=timeout, self_trade_prevention=self_trade_prevention,
            outlives_session=outlives_session)
        # It may have been filled already, and have left the open orders.
        return self._orders.last(accepted)

    async def replace(self, account: int, order_id: int, price: Price, quantity: Energy,
                      client_order_id: Optional[int] = None, timeout: float = 30) -> Replaced:
        """Changes price and quantity in all of an open order and waits for its Replaced."""
        return cast(Replaced, await self._request("Replace", dict(
            account=account, orderId=order_id, price=price, quantity=quantity,
            clientOrderId=client_order_id or next_number()), timeout, is_numbered=not client_order_id))

    async def cancel(self, account: int, order_id: int, timeout: float = 30) -> Canceled:
        """Cancels an order of this session and waits for its Canceled report. Raises `Rejected` (6001) for an order
        that is not open. An order of another session, whose report goes there, is for `cancel_for`; here the result
        is then an Ack."""
        answer = await self._request("Cancel", dict(account=account, orderId=order_id), timeout)
        if answer.name == "Ack":
            self._orders.cancel(order_id)
        return cast(Canceled, answer)

    async def cancel_for(self, account: int, order_id: int, timeout: float = 30) -> Ack:
        """Cancels an order of another session, for that participant's sessions, its administrator or an operator:
        the session of the order gets the Canceled, this one an Ack. Raises `Rejected` (6001) for an order that is not
        open."""
        return cast(Ack, await self.cancel(account, order_id, timeout))

    async def cancel_by_client_id(self, account: int, client_order_id: int, timeout: float = 30) -> Canceled:
        """Cancels an order that is named by its client order id."""
        return cast(Canceled, await self._request(
            "Cancel", dict(account=account, clientOrderId=client_order_id), timeout))

    async def mass_cancel(self, account: int, instrument: Optional[int] = None, sides: words.Sides = "both",
                          timeout: float = 30) -> MassCancelReport:
        """Cancels all open orders of an account, of one instrument or one side. Each has its own Canceled before."""
        return cast(MassCancelReport, await self._request(
            "MassCancel", dict(account=account, instrument=instrument, sides=sides), timeout))

    async def set_agent(self, account: int, instrument: int, sell_price: Optional[Price] = None,
                        sell_above: Energy = 0, buy_price: Optional[Price] = None, buy_below: Energy = 0,
                        target: Energy = 0) -> AgentReport:
        """Leaves a standing instruction with the exchange: sell at `sell_price` while the account's energy is at or
        above `sell_above`, buy at `buy_price` while it is at or below `buy_below`, towards `target`. A threshold of
        -1 is three quarters, or a quarter, of the cap; a target of -1 is half of it. Without both prices the
        instruction is removed."""
        flags = [word for word, price in (("sells", sell_price), ("buys", buy_price)) if price is not None]
        return cast(AgentReport, await self._request("SetAgent", dict(
            account=account, instrument=instrument, sellPrice=sell_price or 0, sellAbove=sell_above,
            buyPrice=buy_price or 0, buyBelow=buy_below, target=target, flags=flags)))

    async def transfer_cash(self, from_account: int, to_account: int, amount: Money, currency: int = 978,
                            client_order_id: Optional[int] = None) -> TransferReport:
        """Moves free cash to another account; `amount` in 1e-8 currency, or text such as "12.50"."""
        return cast(TransferReport, await self._request("Transfer", dict(
            fromAccount=from_account, toAccount=to_account, amount=money_units(amount), asset="cash",
            currency=currency, clientOrderId=client_order_id or next_number()), is_numbered=not client_order_id))

    async def transfer_energy(self, from_account: int, to_account: int, amount: Energy, area: int,
                              client_order_id: Optional[int] = None) -> TransferReport:
        """Moves energy to another account; `amount` in Wh, or text such as "1.5kWh"."""
        return cast(TransferReport, await self._request("Transfer", dict(
            fromAccount=from_account, toAccount=to_account, amount=energy_units(amount), asset="energy",
            area=area, clientOrderId=client_order_id or next_number()), is_numbered=not client_order_id))

    # Questions

    async def order_status(self, account: int, order_id: int) -> OrderStatus:
        """The state of an open order. Raises `Rejected` (6001) for one that is not open."""
        return cast(OrderStatus, await self._request("OrderStatusRequest", dict(account=account, orderId=order_id)))

    async def explain(self, account: int, order_id: int) -> Explanation:
        """Why an open order does not trade."""
        return cast(Explanation, await self._request("ExplainRequest", dict(account=account, orderId=order_id)))

    async def balance(self, account: int, area: int) -> BalanceUpdate:
        """The balance of an account in an area."""
        return cast(BalanceUpdate, await self._request("BalanceRequest", dict(account=account, area=area)))

    async def status(self, with_state_hash: bool = False) -> Status:
        """How the server is: numbers, counts, and for administrators the hash of the state."""
        return cast(Status, await self._request(
            "StatusRequest", dict(withStateHash="yes" if with_state_hash else "no")))

    async def list_page(self, kind: words.ListKind, cursor: Optional[int] = None, scope: words.ListScope = "own",
                        participant: int = 0, account: Optional[int] = None, count: int = 100, from_time: int = 0,
                        to_time: Optional[int] = None, meter: int = 0) -> Tuple[List[Message], ListEnd]:
        """One page of a list: its rows, and ListEnd with `cursor`, where the next page begins (None: there is
        none), and `through`, the last command before the page.

        `kind` is orders, accounts, instructions, meters, limits, blocks, trades, areas or instruments; quarantine,
        or gaps or readings of one `meter`, which sessions with the role metering list of all participants; for
        operators also participants, sessions, changes and house. `scope` is own, participant (which
        `participant` names) or all; operators may ask for others' rows. `account` selects one account. Rows are
        OrderStatus; AccountRow, CashRow and BalanceUpdate; AgentReport; MeterRow; LimitRow; BlockRow; TradeRow;
        AreaDefinition; InstrumentDefinition; ParticipantRow; SessionRow; ParameterChangeRow and MeterChangeRow;
        CashRow; QuarantineRow, ReadingGapRow, ReadingRow. Of gaps and readings, `from_time` and `to_time` are when
        an interval begins. Of trades, `from_time` and `to_time` (ns since 1970; None: now) are the period, and `through` is
        the last command that is settled."""
        rows: List[Message] = []
        end = await self._request("ListRequest", dict(
            cursor=cursor, kind=kind, scope=scope, participant=participant, account=account, count=count,
            meter=meter, fromTime=from_time, toTime=to_time), last="ListEnd", rows=rows)
        return rows, cast(ListEnd, end)

    async def list_all(self, kind: words.ListKind, **selection: Any) -> AsyncIterator[Message]:
        """All rows of a list, page by page; the arguments are those of `list_page`."""
        cursor: Optional[int] = None
        while True:
            rows, end = await self.list_page(kind, cursor, **selection)
            for row in rows:
                yield row
            cursor = end.cursor
            if cursor is None:
                return

    async def open_orders(self, account: Optional[int] = None) -> List[Order]:
        """The open orders of the participant, or of one account, as the exchange has them now; from then on `orders`
        follows those whose reports come to this session."""
        return [self._orders.know(cast(OrderStatus, row)) async for row in self.list_all("orders", account=account)]

    # Meters

    def meter_reading(self, meter_key: Optional[Ed25519PrivateKey], meter: int, register_sequence: int,
                      interval_start: int, interval_end: int, produced: Energy, consumed: Energy,
                      quality: str = "measured") -> int:
        """Signs a reading for this market, and sends it without waiting for its answer. Returns its sequence
        number."""
        return self.send("MeterReading", **self._reading(
            meter_key, meter, register_sequence, interval_start, interval_end, produced, consumed, quality))

    async def read_meter(self, meter_key: Optional[Ed25519PrivateKey], meter: int, register_sequence: int,
                         interval_start: int, interval_end: int, produced: Energy, consumed: Energy,
                         quality: str = "measured") -> MeterReadingAck:
        """Signs a reading for this market, sends it, and waits for what it did. A later version of a known interval has
        a higher `register_sequence`: the MeterReadingAck then says what it changed (`isLaterVersion`). `quality` is
        measured, substituted or estimated. Without a key the reading is sent unsigned, which needs the role metering and
        a meter for which a metering operator answers. Raises `Rejected`; one that the exchange keeps in quarantine
        (7007, 7009, 7014) is followed by ReadingQuarantined with its number."""
        return cast(MeterReadingAck, await self._request("MeterReading", self._reading(
            meter_key, meter, register_sequence, interval_start, interval_end, produced, consumed, quality)))

    def _reading(self, key: Optional[Ed25519PrivateKey], meter: int, sequence: int, start: int, end: int, produced: Energy,
                 consumed: Energy, quality: str) -> Dict[str, Any]:
        made, used = energy_units(produced), energy_units(consumed)
        signature = bytes(64) if key is None else sign_reading(
            key, self.market, meter, sequence, start, end, made, used, quality)
        return dict(meter=meter, registerSequence=sequence, intervalStart=start, intervalEnd=end, produced=made,
                    consumed=used, signature=signature, quality=quality)


def _note_text(note: Union[str, bytes]) -> bytes:
    """The 40 bytes of a note; none for an empty one."""
    text = note.encode() if isinstance(note, str) else note
    if not isinstance(text, (bytes, bytearray)):
        raise TypeError(f"a note is a text or bytes, at most 40 bytes, not {note!r}")
    if len(text) > 40:
        raise ValueError(f"a note has at most 40 bytes, not {len(text)}")
    return bytes(text).ljust(40, b"\0") if text else b""
