"""A market maker: one bid and one ask around a price of its own, moved against its inventory.

    python market_maker.py HOST PORT SESSION KEY ACCOUNT INSTRUMENT [--price P] [--spread S]

It quotes both sides, post-only. The more energy it holds above half of its cap, the lower both quotes
go, and the other way round (the inventory model of Ho and Stoll, 1981, as a straight line). After
each trade, and whenever its balance changes, it moves its quotes with Replace, or enters new ones.
"""

import asyncio
import time
from typing import Dict

from bots import Market, arguments, connect, market
from joulebook import Client, Message


class Quotes:
    """The two orders of the maker and what it wants them to be."""

    def __init__(self, bot: Client, args, book: Market) -> None:
        self.bot, self.args, self.book = bot, args, book
        self.open: Dict[str, Message] = {}
        self.pending: set = set()
        self.traded = 0

    def wanted(self, side: str, balance: Message) -> int:
        """The price of a side, given the inventory."""
        middle = balance.cap / 2 or 1
        skew = (balance.energy - middle) / middle
        half = self.args.spread / 2
        away = half if side == "sell" else -half
        return self.book.price(self.args.price - skew * half + away)

    def update(self, balance: Message) -> None:
        """Moves or enters what is not where it should be."""
        room = {"sell": balance.energy, "buy": balance.cap - balance.energy}
        for side in ("sell", "buy"):
            quantity = self.book.lots(min(room[side], self.args.quantity))
            if side in self.pending or quantity == 0:
                continue
            price, order = self.wanted(side, balance), self.open.get(side)
            if order is None:
                self.pending.add(side)
                self.bot.send("NewOrder", clientOrderId=time.time_ns(), side=side, price=price,
                              account=self.args.account, instrument=self.args.instrument,
                              quantity=quantity, flags=["postOnly"])
            elif order.price != price:
                self.pending.add(side)
                self.bot.send("Replace", clientOrderId=time.time_ns(), orderId=order.orderId,
                              account=self.args.account, price=price, quantity=order.quantity)

    def note(self, message: Message) -> None:
        """Keeps the picture of its own orders."""
        if message.name in ("Accepted", "Replaced"):
            self.open[message.side] = message
            self.pending.discard(message.side)
        elif message.name == "Trade":
            self.traded += message.quantity
            print(f"{message.side} {message.quantity} Wh at {message.price / 1e5:.5f}")
            if message.leaves == 0:
                self.open.pop(message.side, None)
        elif message.name == "Canceled" and message.leaves == 0:
            self.open.pop(message.side, None)
        elif message.name == "Rejected":
            # A quote that would have traded, or that has gone meanwhile: tried again later.
            self.pending.clear()


async def main(args) -> None:
    bot = await connect(args)
    book = await market(bot, args.instrument)
    quotes = Quotes(bot, args, book)
    balance = await bot.balance(args.account, book.area.area)
    end = time.monotonic() + args.seconds
    quotes.update(balance)
    while time.monotonic() < end:
        try:
            message = await bot.receive(timeout=0.2)
        except asyncio.TimeoutError:
            quotes.update(balance)
            continue
        quotes.note(message)
        if message.name == "BalanceUpdate" and message.account == args.account:
            balance = message
            quotes.update(balance)
    await bot.ask("MassCancel", account=args.account, sides="both")
    print(f"traded {quotes.traded} Wh")
    await bot.close()


parser = arguments(__doc__.splitlines()[0])
parser.add_argument("--price", type=float, default=20_000, help="its middle, 1e-5 per kWh")
parser.add_argument("--spread", type=float, default=2_000, help="ask less bid, 1e-5 per kWh")
parser.add_argument("--quantity", type=int, default=2_000, help="Wh of each quote")

if __name__ == "__main__":
    asyncio.run(main(parser.parse_args()))
