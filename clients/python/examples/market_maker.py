"""A market maker bot: quotes a bid and an ask around a price, moved against its inventory.

    python market_maker.py HOST PORT SESSION KEY ACCOUNT INSTRUMENT [--price P] [--spread S]

KEY is an Ed25519 seed of 64 hexadecimal digits. The bot quotes both sides, post-only. Both prices fall
linearly with the energy above half of its cap and rise with the energy below it (a linear form of the
inventory model of Ho and Stoll, 1981). After each trade and each change of its balance it updates its
quotes with Replace or enters new ones.
"""

import asyncio
import time
from typing import Dict

from bots import Market, arguments, connect, market
from joulebook import Client, Message


class Quotes:
    """The two orders of the market maker and their desired prices and quantities."""

    def __init__(self, bot: Client, args, book: Market) -> None:
        self.bot, self.args, self.book = bot, args, book
        self.open: Dict[str, Message] = {}
        self.pending: set = set()
        self.traded = 0

    def wanted(self, side: str, balance: Message) -> int:
        """The desired price of a side for the present inventory."""
        middle = balance.cap / 2 or 1
        skew = (balance.energy - middle) / middle
        half = self.args.spread / 2
        away = half if side == "sell" else -half
        return self.book.price(self.args.price - skew * half + away)

    def update(self, balance: Message) -> None:
        """Replaces or enters the orders that differ from the desired ones."""
        available = {"sell": balance.energy, "buy": balance.cap - balance.energy}
        for side in ("sell", "buy"):
            quantity = self.book.lots(min(available[side], self.args.quantity))
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
        """Updates the known state of its orders from a report."""
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
            # The quote would have traded, or its order is closed: the next update enters it again.
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
parser.add_argument("--price", type=float, default=20_000, help="middle of the quotes, 1e-5 per kWh")
parser.add_argument("--spread", type=float, default=2_000, help="ask minus bid, 1e-5 per kWh")
parser.add_argument("--quantity", type=int, default=2_000, help="quantity of each quote in Wh")

if __name__ == "__main__":
    asyncio.run(main(parser.parse_args()))
