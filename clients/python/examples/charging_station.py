"""A charging station bot: buys energy at once, up to a price limit that rises until the departure.

    python charging_station.py HOST PORT SESSION KEY ACCOUNT INSTRUMENT --energy WH [--price P]

KEY is an Ed25519 seed of 64 hexadecimal digits. The bot sends immediate-or-cancel orders until it has
bought --energy Wh. Its limit rises from the grid's feed-in price to --price in the first half of --seconds.
"""

import argparse
import asyncio
import sys
import time

from bots import Market, arguments, connect, market, told
from joulebook import Client, Rejected


async def take(bot: Client, args: argparse.Namespace, price: int, quantity: int) -> int:
    """Buys what is executable at once and returns the quantity in Wh."""
    try:
        order = await bot.place(args.account, args.instrument, "buy", price, quantity,
                                time_in_force="immediateOrCancel")
    except Rejected as rejection:
        print(f"rejected: {rejection}")
        return 0
    await order.done(30)
    for trade in order.trades:
        print(f"bought {told(trade)}")
    return order.traded


def bid(book: Market, args: argparse.Namespace, elapsed: float) -> int:
    """The present limit price."""
    limit = args.price or book.area.retailPrice
    share = min(1.0, 2 * elapsed / args.seconds)
    return book.price(book.area.feedInPrice + share * (limit - book.area.feedInPrice))


async def main(args: argparse.Namespace) -> int:
    bot = await connect(args)
    book = await market(bot, args.instrument)
    start, charged = time.monotonic(), 0
    while charged < args.energy and time.monotonic() < start + args.seconds:
        # It cannot buy more than its headroom; the rest is bought after the car has drawn energy.
        balance = await bot.balance(args.account, book.area.area)
        quantity = book.lots(min(args.energy - charged, balance.headroom))
        if quantity:
            charged += await take(bot, args, bid(book, args, time.monotonic() - start), quantity)
        await asyncio.sleep(0.2)
    print(f"charged {charged} of {args.energy} Wh")
    await bot.close()
    return 0 if charged >= args.energy else 1


parser = arguments(__doc__.splitlines()[0])
parser.set_defaults(seconds=3_600.0)
parser.add_argument("--energy", type=int, required=True, help="energy that the car needs, in Wh")
parser.add_argument("--price", type=int, default=None,
                    help="price limit, 1e-5 per kWh; the retail price unless given")

if __name__ == "__main__":
    sys.exit(asyncio.run(main(parser.parse_args())))
