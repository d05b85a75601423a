"""A household bot: zero intelligence with a budget constraint (ZI-C of Gode and Sunder, 1993).

    python household.py HOST PORT SESSION KEY ACCOUNT INSTRUMENT [--seed N]

KEY is an Ed25519 seed of 64 hexadecimal digits. The bot sells when its energy exceeds half of its cap
and buys otherwise. The price is random between the grid's feed-in and retail price, so no trade is worse
than one with the grid. After --patience seconds the rest of an order is cancelled and a new one entered.
"""

import argparse
import asyncio
import random
import time
from typing import Literal, Optional, Tuple

from bots import Market, arguments, connect, market, told
from joulebook import Client, Order, Rejected
from joulebook.messages import BalanceUpdate

Choice = Tuple[Literal["buy", "sell"], int, int]


def draw(book: Market, balance: BalanceUpdate, chance: random.Random) -> Optional[Choice]:
    """A random side, price and quantity; None when there is nothing to trade."""
    surplus = balance.energy - balance.energyCap / 2
    price = book.price(chance.uniform(book.area.feedInPrice, book.area.retailPrice))
    quantity = book.lots(min(abs(surplus), book.instrument.lot * chance.randint(1, 3)))
    return ("sell" if surplus > 0 else "buy", price, quantity) if quantity else None


async def trade_once(bot: Client, args: argparse.Namespace, choice: Choice) -> int:
    """Enters an order, waits, and cancels the rest. Returns the traded energy in Wh."""
    side, price, quantity = choice
    try:
        order = await bot.place(args.account, args.instrument, side, price, quantity)
    except Rejected as rejection:
        print(f"rejected: {rejection}")
        return 0
    await leave(order, args.patience)
    for trade in order.trades:
        print(f"{side} {told(trade)}")
    return order.traded


async def leave(order: Order, patience: float) -> None:
    """Waits until the order is filled, and cancels it when the patience is over."""
    try:
        await order.done(patience)
    except asyncio.TimeoutError:
        try:
            await order.cancel()
        except Rejected:
            # It has traded meanwhile.
            await order.done(30)


async def main(args: argparse.Namespace) -> None:
    bot = await connect(args)
    book = await market(bot, args.instrument)
    chance, traded = random.Random(args.seed), 0
    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        choice = draw(book, await bot.balance(args.account, book.area.area), chance)
        if choice:
            traded += await trade_once(bot, args, choice)
        else:
            await asyncio.sleep(args.patience)
    print(f"traded {traded} Wh")
    await bot.close()


parser = arguments(__doc__.splitlines()[0])
parser.add_argument("--seed", type=int, default=None, help="seed of its random numbers")
parser.add_argument("--patience", type=float, default=2.0,
                    help="seconds before an order is cancelled (default 2)")

if __name__ == "__main__":
    asyncio.run(main(parser.parse_args()))
