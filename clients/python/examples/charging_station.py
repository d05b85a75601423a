"""A charging station: a car is waiting, so it buys now, up to a price, until the car has its energy.

    python charging_station.py HOST PORT SESSION KEY ACCOUNT INSTRUMENT --energy WH [--price P]

Immediate-or-cancel orders take what is live at or below the limit. What cannot be had now is asked
for again a little later; the price it is willing to pay rises from what the grid pays for energy to
the limit as the departure comes nearer.
"""

import asyncio
import sys
import time

from bots import Market, arguments, connect, market
from joulebook import Client


async def take(bot: Client, args, price: int, quantity: int) -> int:
    """Buys what can be had at once; returns how much, in Wh."""
    identity, bought = time.time_ns(), 0
    bot.send("NewOrder", clientOrderId=identity, account=args.account, side="buy", price=price,
             instrument=args.instrument, quantity=quantity, timeInForce="immediateOrCancel")
    while True:
        message = await bot.receive(timeout=30)
        if message.name == "Rejected":
            print(f"rejected: code {message.code}, limit {message.brokenLimit}")
            return bought
        if message.fields.get("clientOrderId") != identity:
            continue
        if message.name == "Trade":
            bought += message.quantity
            print(f"bought {message.quantity} Wh at {message.price / 1e5:.5f}")
        if message.name in ("Trade", "Canceled") and message.leaves == 0:
            return bought


def bid(book: Market, args, elapsed: float) -> int:
    """What it would pay now."""
    limit = args.price or book.area.retailPrice
    share = min(1.0, 2 * elapsed / args.seconds)
    return book.price(book.area.feedInPrice + share * (limit - book.area.feedInPrice))


async def main(args) -> int:
    bot = await connect(args)
    book = await market(bot, args.instrument)
    start, charged = time.monotonic(), 0
    while charged < args.energy and time.monotonic() < start + args.seconds:
        # Only what fits under the cap can be bought: the rest waits for the car to draw it.
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
parser.add_argument("--energy", type=int, required=True, help="what the car needs, Wh")
parser.add_argument("--price", type=int, default=None, help="limit, 1e-5 per kWh; else the grid's")

if __name__ == "__main__":
    sys.exit(asyncio.run(main(parser.parse_args())))
