"""Sets up a new exchange and makes its first trade.

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
from typing import Tuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from joulebook import Client, read_private_key  # noqa: E402
from joulebook.messages import OrderAdd, Trade  # noqa: E402

PARTICIPANT, ANA, BEN, AREA, INSTRUMENT, METER = 11, 11, 12, 1, 1, 1


def new_key() -> Tuple[Ed25519PrivateKey, bytes]:
    """A new private key and the 32 bytes of its public key."""
    key = read_private_key(secrets.token_bytes(32))
    return key, key.public_key().public_bytes_raw()


async def open_the_market(operator: Client, ana_key: bytes, ben_key: bytes, meter_key: bytes) -> None:
    """Creates everything that a market needs before its first order."""
    await operator.create_participant(PARTICIPANT, "Ana")
    await operator.create_participant(PARTICIPANT + 1, "Ben")
    await operator.register_session(21, PARTICIPANT, ana_key, ["trading", "metering"])
    await operator.register_session(22, PARTICIPANT + 1, ben_key, ["trading"])
    await operator.create_area(AREA, "10YFIRST-TRADE-A", storage_cost="1500", storage_price="200",
                               feed_in_price="0.08", retail_price="0.30")
    await operator.create_instrument(INSTRUMENT, AREA, "SPOT", tick_size="0.001", lot="100Wh", lowest_price=0,
                                     highest_price="1")
    await operator.create_account(ANA, PARTICIPANT)
    await operator.create_account(BEN, PARTICIPANT + 1)
    await operator.register_meter(METER, ANA, AREA, meter_key)
    await operator.deposit(BEN, "10", reference=1)
    print("operator: the market is open")


async def trade(ana: Client, ben: Client, meter_key: Ed25519PrivateKey) -> None:
    """Ana's ask waits for her meter, then trades with Ben's bid."""
    ask = await ana.place(ANA, INSTRUMENT, "sell", "0.10", "3kWh")
    print(f"ana: asks 3000 Wh at 0.10; covered {ask.covered}, {ask.wait_reason}")
    assert ask.covered == 0 and ask.wait_reason == "awaitingEnergy"

    bid = await ben.place(BEN, INSTRUMENT, "buy", "0.12", "2kWh")
    print(f"ben: bids 2000 Wh at 0.12; covered {bid.covered}")
    assert bid.covered == 2_000

    now = time.time_ns()
    await ana.read_meter(meter_key, METER, 1, now - 900 * 10**9, now, produced="3kWh", consumed=0)
    sold, bought = await ana.wait_for(Trade), await ben.wait_for(Trade)
    print(f"trade {sold.tradeId}: {sold.quantity} Wh at {sold.price / 1e5}")
    assert sold.tradeId == bought.tradeId and sold.quantity == 2_000
    assert bid.state == "filled" and ask.leaves == ask.covered == 1_000


async def iceberg(ana: Client, ben: Client) -> None:
    """An iceberg order: the market sees 500 Wh of it at a time."""
    await ana.book(AREA, "orders")
    market = ana.stream(OrderAdd)
    order = await ben.place(BEN, INSTRUMENT, "buy", "0.09", "1.5kWh", display_quantity="0.5kWh")
    seen = await market.__anext__()
    print(f"ben: an iceberg over {order.quantity} Wh; the market sees {seen.total}")
    assert (order.quantity, seen.total) == (1_500, 500)
    await order.cancel()


async def main(host: str, port: str, operator_session: str, operator_seed: str) -> None:
    (ana_key, ana_public), (ben_key, ben_public), (meter_key, meter_public) = (
        new_key(), new_key(), new_key())
    operator = await Client.connect(
        host, int(port), int(operator_session), read_private_key(bytes.fromhex(operator_seed)))
    await open_the_market(operator, ana_public, ben_public, meter_public)
    ana = await Client.connect(host, int(port), 21, ana_key)
    ben = await Client.connect(host, int(port), 22, ben_key)
    await trade(ana, ben, meter_key)
    await iceberg(ana, ben)
    balance = await ben.balance(BEN, AREA)
    print(f"ben: {balance.energy} Wh, free cash {balance.freeCash / 1e8}")
    assert balance.energy == 2_000
    for client in (ana, ben, operator):
        await client.close()
    print("done")


if len(sys.argv) != 5:
    sys.exit(__doc__)
asyncio.run(main(*sys.argv[1:5]))
