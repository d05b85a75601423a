"""Requests that wait for their answers. Which answer is whose: by the number of the message (`refSeqNo`), for new
orders and replaces by account and client order id, for cancels by the order."""

from __future__ import annotations

import asyncio
from typing import Any, Callable, Dict, Hashable, List, Optional, Set, Tuple

from .errors import Rejected
from .message import Message

Key = Tuple[Hashable, ...]


class Pending:
    """A request and what is needed to send it again."""

    def __init__(self, name: str, fields: Dict[str, Any], future: "asyncio.Future[Message]",
                 last: Optional[str] = None, before: Optional[Dict[str, Any]] = None,
                 is_numbered: bool = False) -> None:
        self.name, self.fields, self.future = name, fields, future
        #: Whether the client has chosen its client order id, so that it may choose another one.
        self.is_numbered = is_numbered
        #: Name of the message that ends an answer of several rows; `None`: the first one is the answer.
        self.last = last
        self.rows: List[Message] = []
        #: Fields of the Note that goes before an order.
        self.before = before
        #: Sequence number; 0: it has not been sent on a connection yet.
        self.number = 0
        self.key = _key(name, fields)

    def renew(self, identity: int) -> None:
        """Gives an order that has certainly not happened a new client order id, before it is sent again."""
        self.fields["clientOrderId"] = identity
        if self.before:
            self.before["clientOrderId"] = identity


def _key(name: str, fields: Dict[str, Any]) -> Optional[Key]:
    """By what the report that answers a request is known, where it does not name the request."""
    if name in ("NewOrder", "NewOrderExtended") and not fields.get("onBehalfOf"):
        return "Accepted", fields.get("account"), fields.get("clientOrderId")
    if name == "Replace":
        return "Replaced", fields.get("account"), fields.get("clientOrderId")
    if name == "Cancel":
        order = fields.get("orderId")
        return ("Canceled", fields.get("account"), "order", order) if order else (
            "Canceled", fields.get("account"), "client", fields.get("clientOrderId"))
    return None


class Requests:
    """The requests of a session that are not answered yet."""

    def __init__(self) -> None:
        self.by_number: Dict[int, Pending] = {}
        self._by_key: Dict[Key, List[Pending]] = {}
        #: Cancels whose order was gone already: their rejects say nothing new.
        self.settled: Set[int] = set()

    def add(self, pending: Pending, number: int) -> None:
        """Notes that a request has been sent with this number, perhaps again."""
        self.remove(pending)
        pending.number, pending.key = number, _key(pending.name, pending.fields)
        pending.rows.clear()
        if pending.key:
            self._by_key.setdefault(pending.key, []).append(pending)
        self.by_number[number] = pending

    def remove(self, pending: Pending) -> None:
        """Forgets a request."""
        if self.by_number.get(pending.number) is pending:
            del self.by_number[pending.number]
        same = self._by_key.get(pending.key) if pending.key else None
        if same and pending in same:
            same.remove(pending)
            if not same and pending.key:
                del self._by_key[pending.key]

    def all(self) -> List[Pending]:
        """All of them, in the order in which they were sent."""
        return [self.by_number[number] for number in sorted(self.by_number)]

    def take(self, message: Message) -> bool:
        """Answers the request that a message is the answer to. Returns whether there was one."""
        fields = message.fields
        reference = fields.get("refSeqNo")
        pending = self.by_number.get(reference) if reference is not None else None
        if pending is None:
            if reference in self.settled and message.name == "Rejected":
                self.settled.discard(reference)
                return True
            pending = self._by_report(message)
            if pending and message.fields.get("reason", "user") != "user":
                self.settled.add(pending.number)
        elif pending.name.startswith("MarketData") and message.name not in ("Ack", "Rejected"):
            # The definitions at the beginning of market data.
            return False
        elif pending.last and message.name not in (pending.last, "Rejected"):
            pending.rows.append(message)
            return True
        if pending is None:
            return False
        self.remove(pending)
        if not pending.future.done():
            if message.name == "Rejected":
                pending.future.set_exception(Rejected.of(message))
            else:
                pending.future.set_result(message)
        return True

    def _by_report(self, message: Message) -> Optional[Pending]:
        if not self._by_key or message.name not in ("Accepted", "Replaced", "Canceled"):
            return None
        fields = message.fields
        account = fields["account"]
        if message.name != "Canceled":
            return next(iter(self._by_key.get((message.name, account, fields["clientOrderId"]), ())), None)
        if fields["leaves"] != 0:
            return None
        found = self._by_key.get(("Canceled", account, "order", fields["orderId"])) or self._by_key.get(
            ("Canceled", account, "client", fields["clientOrderId"]))
        return found[0] if found else None

    def fail(self, error: Callable[[], Exception]) -> None:
        """Ends all requests with an error."""
        for pending in self.all():
            self.remove(pending)
            if not pending.future.done():
                pending.future.set_exception(error())
                # Nobody may be waiting for it any more.
                pending.future.exception()
