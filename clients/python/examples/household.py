"""A household without intelligence, but with a budget (ZI-C of Gode and Sunder, 1993).

    python household.py HOST PORT SESSION KEY ACCOUNT INSTRUMENT [--seed N]

With more energy than half of its cap it sells, at a price drawn between what the grid would pay and
what the grid would charge; with less it buys, at a price drawn likewise: never a trade that the grid
would have made better. What has not traded after a while is cancelled and drawn anew.
"""

import asyncio
import random
import time

from bots import Market, arguments, connect, market
from joulebook import Client, Message


def draw(book: Market, balance: Message, chance: random.Random):
    """A side, a price and a quantity; nothing when there is nothing to trade."""
    surplus = balance.energy - balance.cap / 2
    price = book.price(chance.uniform(book.area.feedInPrice, book.area.retailPrice))
    quantity = book.lots(min(abs(surplus), book.instrument.lot * chance.randint(1, 3)))
    return ("sell" if surplus > 0 else "buy", price, quantity) if quantity else None


async def trade_once(bot: Client, args, choice) -> int:
    """Enters an order, waits a while, and cancels what is left. Returns the energy traded."""
    side, price, quantity = choice
    identity, order, traded = time.time_ns(), None, 0
    number = bot.send("NewOrder", clientOrderId=identity, account=args.account, side=side,
                      price=price, instrument=args.instrument, quantity=quantity)
    patience, is_leaving = time.monotonic() + args.patience, False
    while True:
        try:
            message = await bot.receive(timeout=max(0.01, patience - time.monotonic()))
        except asyncio.TimeoutError:
            patience = time.monotonic() + args.patience
            if order is not None and not is_leaving:
                bot.send("Cancel", account=args.account, orderId=order)
                is_leaving = True
            continue
        if message.name == "Rejected" and message.refSeqNo == number:
            return traded  # A rejected cancel came too late: the order's last trade is on its way.
        if message.fields.get("clientOrderId") != identity:
            continue
        order = message.orderId
        if message.name == "Trade":
            traded += message.quantity
            print(f"{side} {message.quantity} Wh at {message.price / 1e5:.5f}")
        if message.name in ("Trade", "Canceled") and message.leaves == 0:
            return traded


async def main(args) -> None:
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
parser.add_argument("--seed", type=int, default=None, help="of its dice")
parser.add_argument("--patience", type=float, default=2.0, help="seconds an order stands")

if __name__ == "__main__":
    asyncio.run(main(parser.parse_args()))
