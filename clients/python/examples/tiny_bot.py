"""A bot in 30 lines: bids at the best live ask, or at 0.12 when there is none.

    python tiny_bot.py HOST PORT SESSION KEY_SEED_HEX ACCOUNT AREA INSTRUMENT
"""

import asyncio
import sys
import time

from joulebook import Client, read_private_key


async def main(host, port, session, seed, account, area, instrument):
    bot = await Client.connect(host, int(port), int(session), read_private_key(bytes.fromhex(seed)))
    bot.send("MarketDataSubscribe", area=int(area), snapshot="orders")
    asks, bid = {}, None
    async for message in bot.messages():
        if message.name in ("OrderAdd", "OrderModify") and message.side == "sell":
            asks[message.orderId] = message.price if message.live else None
        elif message.name == "OrderDelete":
            asks.pop(message.orderId, None)
        elif message.name == "Trade":
            print(f"bought {message.quantity} Wh at {message.price / 1e5:.5f}/kWh")
            bid = None
        elif message.name == "Rejected":
            print(f"rejected: code {message.code}, limit {message.brokenLimit}")
        if bid is None and message.name in ("SnapshotEnd", "Trade"):
            live = [price for price in asks.values() if price is not None]
            bid = bot.send(
                "NewOrder", clientOrderId=time.time_ns(), account=int(account), side="buy",
                instrument=int(instrument), price=min(live, default=12_000), quantity=1_000)


if len(sys.argv) != 8:
    sys.exit(__doc__)
asyncio.run(main(*sys.argv[1:8]))
