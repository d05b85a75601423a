"""A market maker bot: quotes a bid and an ask around a price, moved against its inventory.

    python market_maker.py HOST PORT SESSION KEY ACCOUNT INSTRUMENT [--price P] [--spread S]

KEY is an Ed25519 seed of 64 hexadecimal digits. The bot quotes both sides, post-only. Both prices fall
linearly with the energy above half of its cap and rise with the energy below it (a linear form of the
inventory model of Ho and Stoll, 1981). After each trade and each change of its balance it updates its
quotes: it replaces them, or enters new ones.
"""

import argparse
import asyncio
import time
from typing import Dict, Literal

from bots import Market, arguments, connect, market, told
from joulebook import Client, Order, Rejected
from joulebook.messages import BalanceUpdate, Trade

Side = Literal["buy", "sell"]


class Quotes:
    """The two orders of the market maker."""

    def __init__(self, bot: Client, args: argparse.Namespace, book: Market) -> None:
        self.bot, self.args, self.book = bot, args, book
        self.orders: Dict[Side, Order] = {}
        self.traded = 0

    def wanted(self, side: Side, balance: BalanceUpdate) -> int:
        """The desired price of a side for the present inventory."""
        middle = balance.energyCap / 2 or 1
        skew = (balance.energy - middle) / middle
        half = self.args.spread / 2
        away = half if side == "sell" else -half
        return self.book.price(self.args.price - skew * half + away)

    async def update(self, side: Side, balance: BalanceUpdate) -> None:
        """Replaces or enters the order of a side if it is not the desired one."""
        available = balance.energy if side == "sell" else balance.energyCap - balance.energy
        quantity = self.book.lots(min(available, self.args.quantity))
        price, order = self.wanted(side, balance), self.orders.get(side)
        try:
            if order is not None and order.is_open:
                if order.price != price:
                    await order.replace(price=price)
            elif quantity:
                self.orders[side] = await self.bot.place(
                    self.args.account, self.args.instrument, side, price, quantity, post_only=True)
        except Rejected:
            # The quote would have traded, or has just been filled: the next update enters it again.
            pass

    def note(self, trade: Trade) -> None:
        """Counts a trade."""
        self.traded += trade.quantity
        print(f"{trade.side} {told(trade)}")


async def main(args: argparse.Namespace) -> None:
    bot = await connect(args)
    book = await market(bot, args.instrument)
    quotes = Quotes(bot, args, book)
    bot.on(Trade, quotes.note)
    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        balance = await bot.balance(args.account, book.area.area)
        await asyncio.gather(quotes.update("sell", balance), quotes.update("buy", balance))
        await asyncio.sleep(0.05)
    await bot.mass_cancel(args.account)
    print(f"traded {quotes.traded} Wh")
    await bot.close()


parser = arguments(__doc__.splitlines()[0])
parser.add_argument("--price", type=float, default=20_000, help="middle of the quotes, 1e-5 per kWh")
parser.add_argument("--spread", type=float, default=2_000, help="ask minus bid, 1e-5 per kWh")
parser.add_argument("--quantity", type=int, default=2_000, help="quantity of each quote in Wh")

if __name__ == "__main__":
    asyncio.run(main(parser.parse_args()))
