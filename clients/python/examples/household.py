"""A household bot: zero intelligence with a budget constraint (ZI-C of Gode and Sunder, 1993).

    python household.py HOST PORT SESSION KEY ACCOUNT INSTRUMENT [--seed N]

KEY is an Ed25519 seed of 64 hexadecimal digits. The bot sells when its energy exceeds half of its cap
and buys otherwise. The price is random between the grid's feed-in and retail price, so no trade is worse
than one with the grid. After --patience seconds the rest of an order is cancelled and a new one entered.
"""

import asyncio
import random
import time

from bots import Market, arguments, connect, market
from joulebook import Client, Message


def draw(book: Market, balance: Message, chance: random.Random):
    """A random side, price and quantity; None when there is nothing to trade."""
    surplus = balance.energy - balance.cap / 2
    price = book.price(chance.uniform(book.area.feedInPrice, book.area.retailPrice))
    quantity = book.lots(min(abs(surplus), book.instrument.lot * chance.randint(1, 3)))
    return ("sell" if surplus > 0 else "buy", price, quantity) if quantity else None


async def trade_once(bot: Client, args, choice) -> int:
    """Enters an order, waits, and cancels the rest. Returns the traded energy in Wh."""
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
            return traded  # A reject of the cancel is ignored: the order's last trade report follows.
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
parser.add_argument("--seed", type=int, default=None, help="seed of its random numbers")
parser.add_argument("--patience", type=float, default=2.0, help="seconds before an order is cancelled (default 2)")

if __name__ == "__main__":
    asyncio.run(main(parser.parse_args()))
