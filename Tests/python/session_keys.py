"""Replaces, revokes and resets sessions with the Python client on a new server.

    session_keys.py PORT OPERATOR_SEED_HEX

The exit code is 0 only when each connection that an operator's command ends learns why, and the session goes on
as the operator has said.
"""

import asyncio
import secrets
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "clients" / "python"))
from joulebook import Client, Rejected, Terminated, read_private_key

AREA, SPOT, EUR, ANA, BOT = 1, 1, 978, 10, 2


def keypair():
    key = read_private_key(secrets.token_bytes(32))
    return key, key.public_key().public_bytes_raw()


async def ends_with(client, code):
    """Waits until the server ends the session, with this code."""
    try:
        while True:
            await client.receive(10)
    except Terminated as end:
        assert end.message.code == code, end


async def rejected(code, limit, request):
    """Expects a reject with this code and limit."""
    try:
        await request
    except Rejected as rejection:
        message = rejection.message
        assert (message.code, message.brokenLimit) == (code, limit), rejection
    else:
        raise AssertionError(f"not rejected with {code}")


async def main():
    port, seed = int(sys.argv[1]), bytes.fromhex(sys.argv[2].strip())
    operator = await Client.connect("127.0.0.1", port, 1, read_private_key(seed))
    await operator.ask("CreateArea", area=AREA, currency=EUR, areaCode="11XKEYS", storageCost=300,
                       storagePrice=20, feedInPrice=8_000, retailPrice=32_000)
    await operator.ask("CreateInstrument", instrument=SPOT, area=AREA, symbol="SPOT", tickSize=100,
                       lot=100, lowestPrice=0, highestPrice=100_000)
    await operator.ask("CreateParticipant", participant=BOT, shortName="ana")
    await operator.ask("CreateAccount", account=ANA, participant=BOT)
    await operator.ask("Deposit", account=ANA, currency=EUR, amount=10**12, reference=1)

    async def bot(key):
        return await Client.connect("127.0.0.1", port, BOT, key)

    async def bid(client, identity):
        return await client.order(ANA, SPOT, "buy", 5_000, 100, client_order_id=identity)

    async def open_orders():
        return (await operator.ask("StatusRequest")).openOrderCount

    first, public = keypair()
    await operator.register_session(BOT, BOT, public, ["trading"])
    client = await bot(first)
    await bid(client, 2**62)
    await rejected(9022, 2**62, bid(client, 2**64 - 1))
    await rejected(9023, 1, operator.reset_numbers(account=ANA))

    second, public = keypair()
    await operator.register_session(BOT, BOT, public, ["trading"])
    await ends_with(client, 1024)
    assert await open_orders() == 1, "cancel on disconnect has cancelled what the operator kept"
    client = await bot(second)
    await operator.register_session(BOT, BOT, public, ["trading"], orders="cancel")
    canceled = await client.wait_for(lambda m: m.name == "Canceled")
    assert canceled.reason == "revoked" and await open_orders() == 0, canceled

    await operator.reset_numbers(account=ANA)
    await bid(client, 1)
    await operator.reset_numbers(session_id=BOT)
    await ends_with(client, 1025)
    client = await bot(second)
    await bid(client, 2)

    await rejected(9021, 0, operator.revoke_session(1))
    await rejected(9020, BOT, operator.register_session(BOT, 1, public, ["trading"]))
    await operator.revoke_session(BOT, orders="cancel")
    await ends_with(client, 1001)
    assert await open_orders() == 0
    try:
        await bot(second)
        raise AssertionError("a revoked key has opened a session")
    except Terminated as end:
        assert end.message.code == 1002, end
    await operator.close()
    print("done")


asyncio.run(main())
