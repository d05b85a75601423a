"""An operator sets up 100 households from a file, changes a tariff, swaps meters, stops a customer, and finds out who owes
what. Everything is typed at the program, except what the households' own programs send: readings and orders."""

import asyncio
import csv
import io
import re
import time

from walk import PATIENCE

from joulebook import Client, Rejected, Terminated, read_key_file
from village import (CAP, CAPACITY, HOUSEHOLDS, METERING, STOPPED, Household, Village, energy, money, percent, price)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HOUR = 3_600 * 10**9
SECOND = 10**9
QUICK = ("--set", "settlement.nanoseconds=200000000")     # Settles what is 0.2 s old, in place of a minute.


def run(walk):
    Operator(walk).walk_through()


class Operator:
    def __init__(self, walk):
        self.walk, self.village = walk, Village()
        self.file = walk.folder / "village.yaml"
        # Four whole hours that have passed.
        self.begin = time.time_ns() // HOUR * HOUR - 5 * HOUR

    def walk_through(self):
        self.keys()
        self.market_file()
        self.first_start()
        self.people()
        self.same_file()
        self.other_file()
        self.longer_file()
        asyncio.run(self.day())
        self.settlement()
        self.who_owes()
        self.export()
        self.books_at_the_end()

    # MARK: Before the market opens

    def keys(self):
        walk = self.walk
        (walk.folder / "keys").mkdir()
        sessions = [house.session for house in self.village.households] + [METERING]
        said = [walk.run("admin", "keygen", f"keys/{session}.key") for session in sessions]
        walk.check(f"{len(sessions)} key pairs are made", {(0, f"public key in keys/{number}.pub\n") for number in sessions},
                   {(result.status, result.out) for result in said})
        modes = {oct((walk.folder / f"keys/{number}.key").stat().st_mode & 0o777) for number in sessions}
        walk.check("nobody else can read the private ones", {"0o600"}, modes)
        before = (walk.folder / "keys/2.key").read_text()
        walk.says("a key pair that exists is not replaced", walk.run("admin", "keygen", "keys/2.key"), 74, "keys/2.key")
        walk.check("and stays", before, (walk.folder / "keys/2.key").read_text())

    def market_file(self):
        walk, village = self.walk, self.village
        lines = village.file()
        self.file.write_text("\n".join(lines) + "\n")
        walk.says("the market file has no fault", walk.run("market", "check", "village.yaml"), 0,
                  f"village.yaml: {village.definitions} definitions, no fault")
        wrong = list(lines)
        lot, retail = lines.index("    lot: 1kWh"), lines.index("    retail: 0.32")
        wrong[lot], wrong[retail] = "    lot: 1kwh", "    retail: 0,32"
        (walk.folder / "wrong.yaml").write_text("\n".join(wrong) + "\n")
        walk.says("two slips of the pen are named with their lines", walk.run("market", "check", "wrong.yaml"), 78,
                  f"wrong.yaml:{lot + 1}:", "1kWh", f"wrong.yaml:{retail + 1}:", "0.32")
        walk.check("a server does not start with such a file", (78, False),
                   (walk.start("--market", walk.folder / "wrong.yaml"), walk.data.exists()))

    def first_start(self):
        walk, village = self.walk, self.village
        walk.check("a server starts with the file", None, walk.start("--market", self.file, *QUICK))
        walk.check("and answers", 0, walk.run("wait", f"127.0.0.1:{walk.port}").status)
        walk.check("each definition was one command", str(village.definitions), self.made())
        lists = {
            "participants": {("1", "operator"), (str(METERING), "meters")}
            | {(str(house.participant), f"house-{house.number}") for house in village.households},
            "areas": {(str(area.number), f"11XVILLAGE{area.number}", area.currency, price(area.feed_in),
                       price(area.retail), "300.00", "20.00", percent(area.loss), energy(CAP))
                      for area in village.areas.values()},
            "instruments": {(str(number), str(number), f"SPOT{number}", "open", "0.001", "1.000", "0.00", "1.00",
                             percent(area.maker), percent(area.taker)) for number, area in village.areas.items()},
            "meters": {(str(house.meter), str(house.account), str(house.area), f"{CAPACITY}W", "no", "device")
                       for house in village.households},
            "instructions": {(str(100 + STOPPED), "1", "0.50", "18.000", "", "", "15.000")},
            "orders": set(),
        }
        for name, rows in lists.items():
            walk.check(f"{name}: {len(rows)} rows as in the file", rows, self.rows(name, len(next(iter(rows), ()))))
        public = {number: (walk.folder / f"keys/{number}.pub").read_text().strip()
                  for number in [house.session for house in village.households] + [METERING]}
        rows = {(int(row["session"]), int(row["participant"]), row["roles"], row["publicKey"])
                for row in walk.admin("list sessions --csv").table if row["session"] != "1"}
        walk.check(f"sessions: {len(rows)} rows with their keys",
                   {(number, number, "metering" if number == METERING else "trading", key)
                    for number, key in public.items()}, rows)
        cash = {(str(house.account), village.areas[house.area].currency, money(house.deposit), "0.00")
                for house in village.households}
        found = {(row["account"], row["currency"], row["free"], row["reserved"])
                 for row in walk.admin("list accounts --csv").table}
        walk.check("each account has its deposit", cash, found)

    def people(self):
        walk, village = self.walk, self.village
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(["account", "name", "street", "city"])
        for house in village.households:
            writer.writerow([house.account, house.name, f"Am Bach {house.number}", "Bern"])
        (walk.folder / "customers.csv").write_text(table.getvalue())
        walk.says("the households' names are noted", walk.typed("people import customers.csv"), 0,
                  f"{HOUSEHOLDS} persons, {HOUSEHOLDS} of them new")
        walk.says("again: none is new", walk.typed("people import customers.csv"), 0, "100 persons, 0 of them new")
        walk.check("one is found by its account", "name      Müller, Anna\nstreet    Am Bach 0\ncity      Bern\n",
                   walk.typed("people show 100").out)
        walk.check("the file is its owner's", "0o600", oct((walk.data / "people.sqlite").stat().st_mode & 0o777))
        journal = b"".join(file.read_bytes() for file in (walk.data / "journal").iterdir() if file.is_file())
        walk.check("no name is in the journal, where the labels are", (False, True),
                   ("Müller, Anna".encode() in journal, b"house-42" in journal))

    def same_file(self):
        walk = self.walk
        walk.check("the server stops in order", 0, walk.stop())
        before = self.commands()
        walk.says("the market is as the file says", walk.typed("market diff village.yaml"), 0,
                  "has everything that village.yaml defines")
        walk.check("it starts again with the same file", None, walk.start("--market", self.file, *QUICK))
        walk.check("which makes nothing", "0", self.made())
        walk.check("and stops", 0, walk.stop())
        walk.check("no deposit was paid twice", sorted(money(house.deposit) for house in self.village.households),
                   sorted(self.transfers("deposit")))
        inspected = walk.run("journal", "inspect", walk.data, "--from", before + 1).out.splitlines()
        walk.check("and beside the exchange's own commands nothing came to the journal", set(),
                   {line.split()[3] for line in inspected} - OWN_COMMANDS)

    def other_file(self):
        walk, lines = self.walk, self.village.file()
        feed_in, name = lines.index("    feed-in: 0.08"), lines.index("    name: house-42")
        capacity = len(lines) - 1
        lines[feed_in], lines[name], lines[capacity] = "    feed-in: 0.09", "    name: house-41", "    capacity: 9000"
        (walk.folder / "other.yaml").write_text("\n".join(lines) + "\n")
        before = self.commands()
        first = lines.index("  44:")          # Lines of the definitions are told, not of their fields.
        differences = ["other.yaml:3: area 1: feed-in is 0.08 there, 0.09 here",
                       f"other.yaml:{first + 1}: participant 44: name is house-42 there, house-41 here",
                       f"other.yaml:{capacity - 3}: meter 1099: capacity is 25000 there, 9000 here"]
        said = walk.typed("market diff other.yaml")
        walk.check("a file that differs: each difference, with its line", (70, [f"! {line}" for line in differences]),
                   (said.status, said.out.splitlines()[:3]))
        walk.check("no server starts with it", 78, walk.start("--market", walk.folder / "other.yaml", *QUICK))
        walk.check("which says why", (differences, True),
                   ([line for line in differences if line in walk.log],
                    "nothing was changed" in walk.log))
        walk.check("and has changed nothing", before, self.commands())

    def longer_file(self):
        walk, village = self.walk, self.village
        extra = Household(HOUSEHOLDS, 33 * 10**8)
        village.meter_keys[extra.meter] = Ed25519PrivateKey.generate()
        walk.run("admin", "keygen", f"keys/{extra.session}.key")
        extra.cash = extra.deposit
        self.file.write_text("\n".join(village.file(extra=extra)) + "\n")
        said = walk.typed("market diff village.yaml")
        new = [f"participant {extra.participant}", f"session {extra.session}", f"account {extra.account}",
               f"meter {extra.meter}", f"cap of account {extra.account} in area 2", f"deposit 1 of account {extra.account}"]
        walk.check("a file with one household more: what is missing", sorted(new),
                   sorted(line.rpartition(": ")[2] for line in said.out.splitlines() if line.startswith("+ ")))
        walk.check("it starts with it", None, walk.start("--market", self.file, *QUICK))
        walk.check("which makes just that", str(len(new)), self.made())
        village.households.append(extra)

    # MARK: A day of the market

    async def day(self):
        walk, village = self.walk, self.village
        self.meters = await self.session(METERING)
        await self.readings(0, lambda h: (3_000 + 137 * h, 0) if h % 2 == 0 else (0, 500 + 11 * h))
        await self.trades()
        walk.check("after readings and trades: every balance", village.balances(), self.balances())
        self.cash_of_the_bank()
        self.tariff()
        # The one whose meter is exchanged sends its reading of this hour later.
        await self.readings(1, lambda h: (0, 2_000 + 53 * h), leaving_out={12})
        walk.check("an hour before the new tariff is paid by the former one: every balance", village.balances(),
                   self.balances())
        await self.meter_swap()
        await self.loss_from_a_moment_on()
        await self.stopped_customer()
        await self.stolen_key()
        walk.check("at the end of the day: every balance", village.balances(), self.balances())
        await self.meters.close()

    async def session(self, number):
        return await self.walk.connect(number, self.walk.folder / f"keys/{number}.key")

    async def read(self, house, hour, produced, consumed, meter=None, key=None):
        """Sends a reading. Returns (lost, exported, burned, imported), or the reject's code."""
        begin = self.begin + hour * HOUR
        return await self.read_interval(house, begin, begin + HOUR, produced, consumed, meter, key)

    async def read_interval(self, house, begin, end, produced, consumed, meter=None, key=None):
        house.sequence += 1
        meter = meter or house.meter
        number = self.meters.meter_reading(
            key or self.village.meter_keys[meter], meter, house.sequence, begin, end, produced, consumed)
        try:
            self.answer = await self.meters.wait_for(
                lambda m: m.name == "MeterReadingAck" and m.refSeqNo == number, number=number)
        except Rejected as reject:
            return reject.message.code
        return self.answer.lost, self.answer.exported, self.answer.burned, self.answer.imported

    async def readings(self, hour, amounts, leaving_out=()):
        expected, found = {}, {}
        for house in self.village.households:
            if house.number not in leaving_out:
                found[house.number] = await self.read(house, hour, *amounts(house.number))
                expected[house.number] = self.village.read(house, *amounts(house.number))
        self.walk.check(f"{len(found)} signed readings: lost, exported, burned, imported", expected, found)

    async def trades(self):
        """Each household with an even number sells to its neighbour."""
        village, fills, expected = self.village, [], []
        for seller, buyer in zip(village.households[::2], village.households[1::2]):
            quantity = min(3 + seller.number % 5, seller.energy // 1_000) * 1_000
            if buyer.is_poor or quantity == 0:
                continue
            ticks = 10_000 + 100 * seller.number
            sells, buys = await self.session(seller.session), await self.session(buyer.session)
            await sells.order(seller.account, seller.area, "sell", ticks, quantity)
            await buys.order(buyer.account, buyer.area, "buy", ticks + 1_000, quantity)
            trade = await sells.wait_for(lambda m: m.name == "Trade")
            fills.append((seller.number, trade.price, trade.quantity))
            expected.append((seller.number, ticks, quantity))
            village.trade(seller, buyer, ticks, quantity)
            await sells.close()
            await buys.close()
        self.walk.check(f"{len(expected)} trades between neighbours", expected, fills)

    def cash_of_the_bank(self):
        walk, village = self.walk, self.village
        house = village.households[1]
        account = house.account
        for reference, amount in ((42, 20 * 10**8), (41, 5 * 10**7)):
            walk.says(f"a payment of the bank, {reference}", walk.admin(
                f"deposit {account} {money(amount)} --source 7 --reference {reference}"), 0, "done")
            house.cash += amount
        walk.says("the same payment again has no effect", walk.admin(
            f"deposit {account} 20 --source 7 --reference 42"), 77, "8006 referenceReplayed", "42")
        walk.says("an amount below zero is no deposit", walk.admin(f"deposit {account} -5 --reference 1"), 64,
                  "an amount is positive", "joulebook admin withdraw")
        walk.says("a withdrawal", walk.admin(f"withdraw {account} 2.50 --reference 1"), 0, "done")
        house.cash -= 250_000_000
        walk.says("more than there is cannot be withdrawn", walk.admin(f"withdraw {account} 5000 --reference 2"), 77,
                  "5001 insufficientCash", money(house.cash))

    def tariff(self):
        walk = self.walk
        walk.says("feed-in above retail is refused, with the reason", walk.admin("tariff 1 --feed-in 0.36 --retail 0.35"),
                  77, "8004", "feed-in 0.36 is above retail 0.35")
        walk.says("the tariff changes", walk.admin("tariff 1 --feed-in 0.06 --retail 0.35"), 0, "done")
        found = {row["area"]: (row["feedIn"], row["retail"]) for row in walk.admin("list areas --csv").table}
        walk.check("in its area only", {"1": ("0.06", "0.35"), "2": ("0.05", "0.275")}, found)

    async def meter_swap(self):
        walk, village = self.walk, self.village
        keyed, replaced = village.households[12], village.households[14]
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((self.begin + 2 * HOUR) / 1e9))
        early = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((self.begin + HOUR) / 1e9))
        old = village.meter_keys[keyed.meter]
        for name in ("new", "other"):
            walk.run("admin", "keygen", f"keys/{name}.key")
        of_meter = f"--account {keyed.account} --area 1 --capacity 25000 --public-key keys/new.pub"
        walk.says("a meter gets another key, from a moment on",
                  walk.admin(f"meter {keyed.meter} {of_meter} --from {moment}"), 0, "done")
        new = read_key_file(walk.folder / "keys/new.key")
        walk.check("its reading from before counts with the former key", village.read(keyed, 0, 1_234),
                   await self.read(keyed, 1, 0, 1_234, key=old))
        walk.check("a later one does not (7002)", 7002, await self.read(keyed, 2, 100, 0, key=old))
        walk.check("but with the new key", village.read(keyed, 4_000, 0), await self.read(keyed, 2, 4_000, 0, key=new))
        walk.says("before its last reading it cannot change", walk.admin(
            f"meter {replaced.meter} --account {replaced.account} --area 1 --public-key keys/other.pub --from {early}"),
            77, "7006", moment)
        walk.says("an old meter ends", walk.admin(
            f"meter {replaced.meter} --account 0 --from {moment}"), 0, "done")
        walk.says("and another one takes its place", walk.admin(
            f"meter 2014 --account {replaced.account} --area 1 --capacity 25000 --public-key keys/other.pub"
            f" --from {moment}"), 0, "done")
        walk.check("the old one's readings are of no account (7001)", 7001, await self.read(replaced, 2, 0, 500))
        other = read_key_file(walk.folder / "keys/other.key")
        walk.check("the new one's are its household's", village.read(replaced, 0, 500),
                   await self.read(replaced, 2, 0, 500, meter=2014, key=other))
        found = {row["meter"]: (row["account"], row["publicKey"]) for row in walk.admin("list meters --csv").table}
        public = {name: (walk.folder / f"keys/{name}.pub").read_text().strip() for name in ("new", "other")}
        walk.check("the list of meters has both changes",
                   [(str(keyed.account), public["new"]), (str(replaced.account), public["other"])],
                   [found.get(str(keyed.meter)), found.get("2014")])

    async def loss_from_a_moment_on(self):
        walk, village = self.walk, self.village
        moment = (time.time_ns() // SECOND + 3) * SECOND
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment / 1e9))
        walk.says("a value for later is accepted", walk.admin(f"parameter area 1 loss --to 10 --from {text}"), 0, "done")

        house = village.households[2]
        walk.check("an interval before it has the former loss", village.read(house, 2_000, 0),
                   await self.read(house, 2, 2_000, 0))
        while time.time_ns() < moment + 2 * SECOND:
            await asyncio.sleep(0.1)
        house = village.households[4]
        walk.check("also when it is read later", village.read(house, 2_000, 0), await self.read(house, 2, 2_000, 0))
        # The rated power gives 6 Wh in a second.
        found = await self.read_interval(house, moment, moment + SECOND, 6, 0)
        walk.check("an interval from then on has the new one", village.read(house, 6, 0, loss=100_000), found)
        poor = next(h for h in village.households if h.area == 1 and h.energy == 0 and h.number not in (12, 14, STOPPED))
        found = await self.read_interval(poor, moment, moment + SECOND, 0, 6)
        walk.check("and pays by the new tariff", village.read(poor, 0, 6, retail=35_000), found)

    async def stopped_customer(self):
        walk, village = self.walk, self.village
        house, other = village.households[STOPPED], village.households[9]
        stopped, stays = await self.session(house.session), await self.session(other.session)
        for client, owner in ((stopped, house), (stopped, house), (stays, other)):
            await client.order(owner.account, 1, "buy", 2_000, 2_000)
        other.reserved += village.bid(other, 2_000, 2_000)

        def open_orders():
            return sorted(int(row["account"]) for row in walk.admin("list orders --csv").table)
        walk.check("three orders are open", [house.account, house.account, other.account], open_orders())
        walk.says("the customer is stopped", walk.admin(f"block participant {house.participant}"), 0, "done")
        walk.check("only its orders are gone", [other.account], open_orders())
        reasons = [(await stopped.wait_for(lambda m: m.name == "Canceled")).reason for _ in range(2)]
        walk.check("its program was told why", ["blocked", "blocked"], reasons)
        walk.check("its instruction is gone", [], walk.admin("list instructions --csv").table)
        walk.check("its new order is refused, 6010 for the participant", (6010, 1),
                   await refused(stopped.order(house.account, 1, "buy", 2_000, 2_000)))
        walk.check("its reading counts", village.read(house, 0, 700), await self.read(house, 2, 0, 700))
        walk.check("others trade on", "Accepted", (await stays.order(other.account, 1, "buy", 1_000, 1_000)).name)
        other.reserved += village.bid(other, 1_000, 1_000)
        walk.says("the customer is released", walk.admin(f"release participant {house.participant}"), 0, "done")
        again = await stopped.order(house.account, 1, "buy", 2_000, 1_000)
        walk.check("and enters orders again", ("Accepted", 3), (again.name, len(open_orders())))
        house.reserved += village.bid(house, 2_000, 1_000)
        await stopped.close()
        await stays.close()

    async def stolen_key(self):
        walk, house = self.walk, self.village.households[18]
        client = await self.session(house.session)
        order = await client.order(house.account, 1, "buy", 2_000, 1_000)
        walk.says("a stolen key is revoked", walk.admin(f"session {house.session} --revoke"), 0, "done")
        walk.check("its order is cancelled", False, str(order.orderId) in walk.admin("list orders --csv").out)
        walk.check("its connection ends (1001)", 1001, await ending(client))
        walk.check("nobody logs on with it (1002)", 1002, await ending(self.session(house.session)))

    # MARK: Afterwards

    def settlement(self):
        walk, house = self.walk, self.village.households[1]
        walk.says("the last payment of the day", walk.admin(f"deposit {house.account} 1.25 --source 7 --reference 43"), 0,
                  "done")
        house.cash += 125_000_000
        cash, patience = money(house.cash), PATIENCE * 5
        while cash not in (said := walk.typed(f"ledger balances --account {house.account}")).out and patience > 0:
            time.sleep(0.2)
            patience -= 1
        walk.says("comes to the ledger", said, 0, cash)
        said = walk.typed("ledger verify")
        walk.check("the ledger verifies beside the server", (0, []),
                   (said.status, [line for line in said.out.splitlines() if "PROBLEM" in line or "LOST" in line]))

    def who_owes(self):
        walk, village = self.walk, self.village
        rows = walk.admin("list balances --csv").table
        names = {row["account"]: row["name"] for row in walk.typed("people list --csv").table}
        walk.check(f"{len(village.debts())} households owe, by name and amount", village.debts(),
                   {(names.get(row["account"]), row["free"][1:]) for row in rows if row["free"].startswith("-")})
        owing = [re.split(r"  +", line, maxsplit=3) for line in walk.typed("ledger balances --owing").out.splitlines()]
        walk.check("typed: who owes how much",
                   {(house.name, money(-house.cash)) for house in village.households if house.cash < 0},
                   {(cells[3], cells[2]) for cells in owing if len(cells) == 4 and cells[0].isdigit()})
        ledger = {}
        for line in walk.typed("ledger balances").out.splitlines():
            cells = re.split(r"  +", line)
            if len(cells) == 5:
                ledger[cells[0], cells[1]] = cells[2]
        expected = {}
        for house in village.households:
            expected[str(house.account), village.areas[house.area].currency] = money(house.cash)
            expected[str(house.account), f"energy of area {house.area}"] = energy(house.energy)
        walk.check("the ledger has the same balances",
                   {key: value for key, value in expected.items() if key in ledger or set(value) - set("0.")},
                   {key: value for key, value in ledger.items() if key[0].isdigit()})
        houses = {(f"area {area.number} {role}", area.currency): money(cash) for area in village.areas.values()
                  for role, cash in (("fees", area.fees), ("grid", area.grid)) if cash}
        walk.check("and those of the house", houses, {key: ledger.get(key) for key in houses})
        for number in (0, 5, STOPPED, 12, 14, 61, 98):
            self.bill(village.households[number])

    def bill(self, house):
        """Compares the bill of a household with what the model has counted."""
        said = self.walk.typed(f"ledger statement {house.account}")
        bill = said.out.partition("\nArea ")[2].partition("\nBalance")[0]
        expected = {item: (energy(amount), money(units)) for item, (amount, units) in house.tally.items()}
        # Items without money (production) or without energy (fees) leave that column out.
        found = {}
        for item, (amount, units) in expected.items():
            line = next((line for line in bill.splitlines() if line.startswith(item + " ")), "")
            cells = line[len(item):].split()
            found[item] = (amount if amount in cells or amount == "0.000" and item == "Trading fees" else cells,
                           units if units in cells or item in WITHOUT_MONEY else cells)
        total = sum(units for _, units in house.tally.values())
        words = f"{'To pay' if total < 0 else 'To receive'}: {money(abs(total))}"
        head = f"{house.name}\nAm Bach {house.number}\nBern\n\nAccount {house.account}\n"
        self.walk.check(f"the bill of {house.name}: {words}", (0, expected, True, head),
                        (said.status, found, words + " " in bill, said.out[:len(head)]))

    def export(self):
        walk = self.walk
        said = walk.typed("market export")
        (walk.folder / "exported.yaml").write_text(said.out)
        walk.check("the market is exported", (0, True), (said.status, said.out.startswith("areas:")))
        walk.says("the export says what the market is", walk.typed("market diff exported.yaml"), 0,
                  "has everything that exported.yaml defines")
        lines = walk.typed("market diff village.yaml").out.splitlines()
        changes = {line[2:].split(":", 2)[2].strip() for line in lines if line.startswith("! ")}
        walk.check("the first file differs by what the operator changed", {
            "area 1: feed-in is 0.06 there, 0.08 here", "area 1: retail is 0.35 there, 0.32 here",
            "area 1: loss is 10% there, 2.5% here"},
            {change for change in changes if change.startswith("area")})
        walk.check("in two meters and a key: what was ended does not come back",
                   ({"meter 1012", "meter 1014", "session 20"}, ["- meter 2014 is not in the file"], []),
                   ({change.partition(":")[0] for change in changes if not change.startswith("area")},
                    [line for line in lines if line.startswith("- meter")],
                    [line for line in lines if line.startswith("+")]))

    def books_at_the_end(self):
        walk = self.walk
        walk.check("the server stops", 0, walk.stop())
        walk.check("it starts with its own export", None, walk.start("--market", walk.folder / "exported.yaml"))
        walk.check("which makes nothing", "0", self.made())
        walk.check("every balance is as before", self.village.balances(), self.balances())
        walk.check("it stops", 0, walk.stop())
        for line in (("journal", "verify", walk.data), ("replay", walk.data, "--ledger"),
                     ("ledger", "verify", "--data", walk.data)):
            result = walk.run(*line)
            walk.check(f"joulebook {' '.join(line[:2] if line[0] != 'replay' else ('replay', '--ledger'))}", 0,
                       result.status)

    # MARK: Reading what the program says

    def made(self):
        """How many commands the market file made, from the log; None when it does not say."""
        found = re.search(r"the market is as the market file says.*\bcommands=(\d+)", self.walk.log)
        return found and found[1]

    def rows(self, name, columns):
        """The rows of a list of operators, with so many of the first columns."""
        return {tuple(row.values())[:columns] for row in self.walk.admin(f"list {name} --csv").table}

    def balances(self):
        return {tuple(row[column] for column in ("account", "area", "currency", "free", "reserved", "energy", "cap"))
                for row in self.walk.admin("list balances --csv").table}

    def commands(self):
        """Number of commands in the journal of a stopped server."""
        return int(re.search(r"commands\s+(\d+)", self.walk.run("journal", "verify", self.walk.data).out)[1])

    def transfers(self, code):
        """The amounts of the ledger's transfers with this code."""
        table = csv.DictReader(io.StringIO(self.walk.typed("ledger export").out))
        return [row["amount"] for row in table if row["code"] == code]


# Of every server, whatever its clients do.
OWN_COMMANDS = {"checkpoint", "tick", "settled"}
WITHOUT_MONEY = ("Production", "Losses into storage", "Consumption")


async def refused(order):
    """Code and limit of the reject of what is awaited; None when it was accepted."""
    try:
        await order
    except Rejected as reject:
        return reject.message.code, reject.message.brokenLimit
    return None


async def ending(what):
    """The code with which a session ends or is refused; None when it does neither."""
    try:
        if isinstance(what, Client):
            while True:
                await what.receive(PATIENCE)
        await what
    except Terminated as end:
        return end.message.fields.get("code")
    return None
