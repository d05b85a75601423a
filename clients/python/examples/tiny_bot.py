"""A bot in 30 lines: bids at the best live ask, or at 0.12 when there is none.

    python tiny_bot.py HOST PORT SESSION KEY_SEED_HEX ACCOUNT AREA INSTRUMENT
"""

import asyncio
import sys

from joulebook import Client, Rejected, read_private_key


async def main(host: str, port: str, session: str, seed: str, account: str, area: str,
               instrument: str) -> None:
    key = read_private_key(bytes.fromhex(seed))
    bot = await Client.connect(host, int(port), int(session), key, reconnect=True)
    feed = await bot.book(int(area))
    while True:
        asks = feed.book.depth(int(instrument), "sell")
        live = [level.price for level in asks if level.live]
        try:
            order = await bot.place(int(account), int(instrument), "buy",
                                    min(live, default=12_000), "1kWh")
            await order.done()
            for trade in order.trades:
                print(f"bought {trade.quantity} Wh at {trade.price / 1e5:.5f}/kWh")
        except Rejected as rejection:
            print(f"rejected: {rejection}")
            await asyncio.sleep(1)


if len(sys.argv) != 8:
    sys.exit(__doc__)
asyncio.run(main(*sys.argv[1:8]))
