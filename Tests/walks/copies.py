"""A drop copy that knows the open orders of its participant, by the recipe of docs/PROTOCOL.md ("Lists"): the list of open
orders page by page, and reports in the order of their numbers, also over a lost connection."""

import asyncio

from joulebook import Client, Terminated

REPORTS_OF_ORDERS = ("Accepted", "Replaced", "Restated", "Trade", "Canceled")


class Copies:
    """A drop copy session."""

    def __init__(self, port, session, key):
        self.port, self.number, self.key = port, session, key
        self.orders = {}                     # Open orders: id -> (account, price, leaves).
        self.trades = []                     # (order id, price, quantity), once for each side.
        self.reasons = {}                    # Number of cancels by reason.
        self.client = self.task = None
        self.next, self.early = 1, {}
        self.pages, self.ended = [], asyncio.Event()

    async def connect(self, resume=None):
        self.client = await Client.connect("127.0.0.1", self.port, self.number, self.key, resume=resume,
                                           keep_alive_ms=60_000)
        self.task = asyncio.create_task(self._read())

    async def lose(self):
        """Loses the connection, without a word. What has arrived by then is known."""
        position = self.client.position
        self.client.drop()
        self.task.cancel()
        return position

    async def _read(self):
        try:
            while True:
                self._take(await self.client.receive())
        except Terminated:
            pass

    def _take(self, message):
        number = message.fields.get("seqNo")
        if number is None:
            return self._answer(message)
        # What was missed comes mixed with what is new.
        self.early[number] = message
        while self.next in self.early:
            self._apply(self.early.pop(self.next))
            self.next += 1

    def _apply(self, message):
        if message.name not in REPORTS_OF_ORDERS:
            return
        order = message.orderId
        if message.name == "Trade":
            self.trades.append((order, message.price, message.quantity))
        if message.name == "Canceled":
            self.reasons[message.reason] = self.reasons.get(message.reason, 0) + 1
        if message.name == "Accepted":
            self.orders[order] = (message.account, message.price, message.quantity)
        elif order in self.orders:
            price = message.price if message.name == "Replaced" else self.orders[order][1]
            self.orders[order] = (message.account, price, message.leaves)
        if order in self.orders and self.orders[order][2] == 0:
            del self.orders[order]

    # MARK: The snapshot

    async def snapshot(self, count=100):
        """Reads the list of open orders, while reports go on arriving. Returns the number of pages."""
        self.pages, cursor = [], None
        while True:
            self.ended.clear()
            self.client.send("ListRequest", cursor=cursor, kind="orders", scope="own", count=count)
            await asyncio.wait_for(self.ended.wait(), 60)
            cursor = self.pages[-1].cursor
            if cursor is None:
                return len(self.pages)

    def _answer(self, message):
        if message.name == "OrderStatus":
            self.orders[message.orderId] = (message.account, message.price, message.leaves)
        elif message.name == "ListEnd":
            self.pages.append(message)
            self.ended.set()
