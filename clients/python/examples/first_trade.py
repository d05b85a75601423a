"""Sets up a new exchange and makes its first trade, with PyPI sbe and cryptography only.

    python first_trade.py HOST PORT OPERATOR_SESSION OPERATOR_SEED_HEX

The operator creates an area, an instrument, two accounts and a meter. Ana enters an ask without having
energy, so it waits. Ben enters a bid. Ana's meter reports production, so her ask is covered and trades.
Prints each step. The exit code is 0 only when every step succeeded.
"""

import asyncio
import pathlib
import secrets
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from joulebook import Client, read_private_key  # noqa: E402

PARTICIPANT, ANA, BEN, AREA, INSTRUMENT, METER = 11, 11, 12, 1, 1, 1
EUR = 978


def new_key():
    """A new private key and the 32 bytes of its public key."""
    key = read_private_key(secrets.token_bytes(32))
    return key, key.public_key().public_bytes_raw()


async def open_the_market(operator, ana_key, ben_key, meter_key):
    """Creates everything that a market needs before its first order."""
    acts = [
        ("CreateParticipant", dict(participant=PARTICIPANT, shortName="Ana")),
        ("CreateParticipant", dict(participant=PARTICIPANT + 1, shortName="Ben")),
        ("RegisterSession", dict(sessionId=21, participant=PARTICIPANT, publicKey=ana_key,
                                 roles=["trading", "metering"])),
        ("RegisterSession", dict(sessionId=22, participant=PARTICIPANT + 1, publicKey=ben_key,
                                 roles=["trading"])),
        ("CreateArea", dict(area=AREA, currency=EUR, areaCode="10YFIRST-TRADE-A",
                            storageCost=1_500 * 10**8, storagePrice=200 * 10**8,
                            feedInPrice=8_000, retailPrice=30_000)),
        ("CreateInstrument", dict(instrument=INSTRUMENT, area=AREA, symbol="SPOT", tickSize=100,
                                  lot=100, lowestPrice=0, highestPrice=100_000)),
        ("CreateAccount", dict(account=ANA, participant=PARTICIPANT)),
        ("CreateAccount", dict(account=BEN, participant=PARTICIPANT + 1)),
        ("RegisterMeter", dict(meter=METER, account=ANA, area=AREA, publicKey=meter_key)),
        ("Deposit", dict(account=BEN, currency=EUR, amount=10 * 10**8, reference=1)),
    ]
    for name, fields in acts:
        await operator.ask(name, **fields)
        print(f"operator: {name}")


async def main(host, port, operator_session, operator_seed):
    port = int(port)
    (ana_key, ana_public), (ben_key, ben_public), (meter_key, meter_public) = (
        new_key(), new_key(), new_key())
    operator = await Client.connect(
        host, port, int(operator_session), read_private_key(bytes.fromhex(operator_seed)))
    await open_the_market(operator, ana_public, ben_public, meter_public)
    ana = await Client.connect(host, port, 21, ana_key)
    ben = await Client.connect(host, port, 22, ben_key)

    ask = await ana.order(ANA, INSTRUMENT, "sell", 10_000, 3_000)
    print(f"ana: asks 3000 Wh at 0.10; covered {ask.covered}, {ask.waitReason}")
    assert ask.covered == 0 and ask.waitReason == "awaitingEnergy"

    bid = await ben.order(BEN, INSTRUMENT, "buy", 12_000, 2_000)
    print(f"ben: bids 2000 Wh at 0.12; covered {bid.covered}")
    assert bid.covered == 2_000

    now = time.time_ns()
    ana.meter_reading(meter_key, METER, 1, now - 900 * 10**9, now, produced=3_000, consumed=0)
    covered = await ana.wait_for(lambda m: m.name in ("Restated", "Trade"))
    print(f"ana: {covered.name}, leaves {covered.leaves}")
    trade = covered if covered.name == "Trade" else await ana.wait_for(lambda m: m.name == "Trade")
    bought = await ben.wait_for(lambda m: m.name == "Trade")
    print(f"trade {trade.tradeId}: {trade.quantity} Wh at {trade.price / 1e5}")
    assert trade.tradeId == bought.tradeId and trade.quantity == 2_000

    # An iceberg order: the market sees 500 Wh of it at a time.
    ana.send("MarketDataSubscribe", area=AREA, snapshot="orders")
    await ana.wait_for(lambda m: m.name == "SnapshotEnd")
    iceberg = await ben.order(BEN, INSTRUMENT, "buy", 9_000, 1_500, display_quantity=500)
    seen = await ana.wait_for(lambda m: m.name == "OrderAdd")
    print(f"ben: an iceberg over {iceberg.quantity} Wh; the market sees {seen.total}")
    assert (iceberg.quantity, seen.total) == (1_500, 500)
    await ben.cancel(BEN, iceberg.orderId)

    balance = await ben.balance(BEN, AREA)
    print(f"ben: {balance.energy} Wh, free cash {balance.freeCash / 1e8}")
    assert balance.energy == 2_000
    for client in (ana, ben, operator):
        await client.close()
    print("done")


if len(sys.argv) != 5:
    sys.exit(__doc__)
asyncio.run(main(*sys.argv[1:5]))
