"""Runs the three example bots on a new server, where they trade with each other, and checks the result.

    bots.py EXAMPLES_FOLDER PORT OPERATOR_SEED_HEX

Accounts: 1 the market maker (10 kWh of 20), 2 a household with a full battery, 3 a household with an empty
battery, 4 the charging station. The exit code is 0 only when all of them traded, no household traded at a
worse price than the grid's, the sums of energy and cash are unchanged, and a dropped session got every report
after it resumed.
"""

import asyncio
import re
import secrets
import subprocess
import sys
import time

from joulebook import Client, LevelBook, Terminated, read_private_key

AREA, SPOT, EUR = 1, 1, 978
FEED_IN, RETAIL, CAP, CASH = 8_000, 32_000, 20_000, 10**10
ENERGY = {1: 10_000, 2: 20_000, 3: 0, 4: 0}
BOTS = {
    1: ("market_maker.py", ["--seconds", "18", "--spread", "3000"]),
    2: ("household.py", ["--seconds", "8", "--seed", "5", "--patience", "0.3"]),
    3: ("household.py", ["--seconds", "8", "--seed", "6", "--patience", "0.3"]),
    4: ("charging_station.py", ["--seconds", "16", "--energy", "5000"]),
}


async def found(operator, seeds, meter_keys):
    """Creates a market, and an account, a meter and energy for each bot."""
    def public(key):
        return key.public_key().public_bytes_raw()

    await operator.ask("CreateArea", area=AREA, currency=EUR, areaCode="11XBOTS",
                       storageCost=300, storagePrice=20, feedInPrice=FEED_IN, retailPrice=RETAIL)
    await operator.ask("CreateInstrument", instrument=SPOT, area=AREA, symbol="SPOT", tickSize=100,
                       lot=100, lowestPrice=0, highestPrice=100_000)
    for number, seed in seeds.items():
        participant = session = number + 10
        await operator.ask("CreateParticipant", participant=participant, shortName=f"bot{number}")
        await operator.ask("RegisterSession", sessionId=session, participant=participant,
                           publicKey=public(read_private_key(seed)), roles=["trading", "metering"])
        await operator.ask("CreateAccount", account=number, participant=participant)
        await operator.ask("Deposit", account=number, currency=EUR, amount=CASH, reference=1)
        await operator.ask("RegisterMeter", meter=number, account=number, area=AREA,
                           publicKey=public(meter_keys[number]))


async def watch_as(operator, number):
    """Registers an observing session and returns its key."""
    seed = secrets.token_bytes(32)
    await operator.ask("CreateParticipant", participant=number + 10, shortName=f"watcher{number}")
    await operator.ask("RegisterSession", sessionId=number + 10, participant=number + 10,
                       publicKey=read_private_key(seed).public_key().public_bytes_raw(),
                       roles=["trading"])
    return seed


async def produce(port, seeds, meter_keys):
    """Sends a reading of each meter, which credits the initial energy."""
    for number, seed in seeds.items():
        if ENERGY[number] == 0:
            continue
        client = await Client.connect("127.0.0.1", port, number + 10, read_private_key(seed))
        client.meter_reading(meter_keys[number], number, 1, time.time_ns() - 900 * 10**9, time.time_ns(),
                             ENERGY[number], 0)
        await client.wait_for(lambda m: m.name == "MeterReadingAck")
        await client.close()


async def late_cancel(operator):
    """Checks that the reject of one message is not taken for the answer to the next."""
    operator.send("Cancel", account=1, orderId=12345)
    assert (await operator.balance(1, AREA)).account == 1


async def lost_session(port, seeds):
    """Checks that a session that is dropped during a burst gets every report after it resumes."""
    key = read_private_key(seeds[4])
    bot = await Client.connect("127.0.0.1", port, 14, key, cancel_after_ms=None)
    for number in range(1, 41):
        bot.send("NewOrder", clientOrderId=time.time_ns(), account=4, instrument=SPOT, side="buy",
                 price=100 * number, quantity=100)
    seen = set()
    while len(seen) < 10:
        message = await bot.receive(5)
        seen.add(message.seqNo)
    bot.drop()
    position = bot.position
    back = await Client.connect("127.0.0.1", port, 14, key, cancel_after_ms=0, resume=position)
    try:
        while True:
            message = await back.receive(3)
            if message.fields.get("seqNo"):
                seen.add(message.seqNo)
    except (asyncio.TimeoutError, Terminated):
        pass
    assert seen == set(range(1, max(seen) + 1)), "a report is missing"
    number = back.send("MassCancel", account=4, sides="both")
    left = await back.finish()
    assert any(m.fields.get("refSeqNo") == number for m in left), "the mass cancel was not answered"
    await back.close()
    print(f"came back to {len(seen)} reports")


def added_up(orders):
    """Aggregates a book of orders to levels, in the form of LevelBook.depth, for both sides."""
    levels = {}
    for order in orders.values():
        level = levels.setdefault((order.side, order.price), [0, 0, 0])
        for place, more in enumerate((order.total, order.live, 1)):
            level[place] += more
    return levels


class Watcher:
    """Subscribes to the market by order and by level on two connections. The second one is dropped repeatedly and
    requests the messages that it missed."""

    def __init__(self, port, seeds):
        self.port, self.seeds = port, seeds
        self.orders, self.book, self.losses, self.compared = {}, LevelBook(AREA), 0, 0
        self.known = {}

    async def connect(self, number):
        return await Client.connect(
            "127.0.0.1", self.port, number + 10, read_private_key(self.seeds[number]))

    async def follow_orders(self):
        client = await self.connect(5)
        client.send("MarketDataSubscribe", area=AREA, snapshot="orders")
        async for message in client.messages():
            if message.name in ("OrderAdd", "OrderModify"):
                self.orders[message.orderId] = message
            elif message.name == "OrderDelete":
                del self.orders[message.orderId]
            if message.fields.get("area") == AREA and message.seqNo:
                self.known[message.seqNo] = added_up(self.orders)

    async def follow_levels(self):
        while True:
            client = await self.connect(6)
            if self.losses == 0:
                client.send("MarketDataSubscribe", area=AREA, snapshot="levels")
            else:
                client.send("MarketDataResume", area=AREA, fromSeqNo=self.book.last + 1,
                            view="levels")
            for _ in range(25):
                message = await client.receive()
                missing = self.book.take(message)
                assert missing is None, f"{missing} is missing"
                self.compare()
            client.drop()
            self.losses += 1

    def compare(self):
        """Checks that levels and orders at one sequence number are the same book."""
        expected = self.known.pop(self.book.last, None)
        if expected is None:
            return
        found = {(side, level.price): [level.total, level.live, level.orders]
                 for side in ("buy", "sell") for level in self.book.depth(SPOT, side)}
        assert found == expected, f"at {self.book.last}: {found}, {expected}"
        self.compared += 1


def traded(output):
    """Parses the output of a bot: its trades as (price, Wh)."""
    return [(round(float(price) * 1e5), int(energy))
            for energy, price in re.findall(r"(\d+) Wh at ([\d.]+)", output)]


async def main(examples, port, operator_seed):
    port = int(port)
    seeds = {number: secrets.token_bytes(32) for number in BOTS}
    meter_keys = {number: read_private_key(secrets.token_bytes(32)) for number in BOTS}
    operator = await Client.connect("127.0.0.1", port, 1,
                                    read_private_key(bytes.fromhex(operator_seed)))
    await found(operator, seeds, meter_keys)
    await produce(port, seeds, meter_keys)
    watcher = Watcher(port, {number: await watch_as(operator, number) for number in (5, 6)})
    watching = [asyncio.create_task(watcher.follow_orders()),
                asyncio.create_task(watcher.follow_levels())]
    running = {}
    for number, (script, options) in BOTS.items():
        command = [sys.executable, f"{examples}/{script}", "127.0.0.1", str(port),
                   str(number + 10), seeds[number].hex(), str(number), str(SPOT), *options]
        running[number] = subprocess.Popen(command, stdout=subprocess.PIPE,
                                           stderr=subprocess.STDOUT, text=True)
        if number == 1:
            await asyncio.sleep(1)  # The maker quotes before the others come.
    outputs = {}
    for number, process in running.items():
        output, _ = await asyncio.to_thread(process.communicate, timeout=60)
        outputs[number] = output
        assert process.returncode == 0, f"{BOTS[number][0]} failed:\n{output}"
        assert traded(output), f"{BOTS[number][0]} did not trade:\n{output}"
        print(f"{BOTS[number][0]}: {output.splitlines()[-1]}")
    for number in (2, 3):
        for price, _ in traded(outputs[number]):
            assert FEED_IN <= price <= RETAIL, f"a household traded at {price}"
    assert "charged 5000 of 5000 Wh" in outputs[4]
    for _ in range(40):
        balances = [await operator.balance(number, AREA) for number in BOTS]
        # The exchange cancels the orders of a bot two seconds after its end.
        if all(b.openAsks == b.openBids == b.reservedCash == 0 for b in balances):
            break
        await asyncio.sleep(0.2)
    else:
        raise AssertionError(f"orders are left: {balances}")
    assert sum(b.energy for b in balances) == sum(ENERGY.values()), "energy was not conserved"
    assert sum(b.freeCash for b in balances) == CASH * len(BOTS), "cash was not conserved"
    for task in watching:
        assert not task.done(), task.exception()
        task.cancel()
    assert watcher.losses > 1 and watcher.compared > 20, (watcher.losses, watcher.compared)
    print(f"levels and orders agreed at {watcher.compared} numbers, {watcher.losses} losses")
    await late_cancel(operator)
    await lost_session(port, seeds)
    await operator.close()
    print("done")


asyncio.run(main(*sys.argv[1:4]))
