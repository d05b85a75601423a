"""A broker opens 1,000 accounts, limits them, registers its sessions, trades for them, stops and releases, lists, and
reconciles a drop copy with the list, also after a lost connection. Its administrator works over the Python client and
types at the program; the operator only opens the market, and brings the customers' payments."""

import asyncio
import random
import time

from walk import PATIENCE

from book import Book, Customer
from copies import Copies
from joulebook import Rejected, read_key_file
from village import energy, money

CUSTOMERS = 1_000
FIRST = 1_001                                # Number of the first account.
BROKER, SELLER = 2, 3                        # Participants.
# Sessions: the administrator's at the keyboard and that of its program, and others'.
KEYBOARD, PROGRAM, DROP_COPY, SELLS = 9, 10, 20, 30
# Each of these trades for every fourth account.
TRADING = (11, 12, 13, 14)
STOCK = 5_000                                # The seller's account.
EUR = 978
KWH = 1_000
HOUR = 3_600 * 10**9
SIZE = 5_000                                 # The limit of the size of an order, Wh.


def run(walk):
    asyncio.run(Broker(walk).walk_through())


class Broker:
    def __init__(self, walk):
        self.walk, self.random = walk, random.Random(16)
        self.accounts = range(FIRST, FIRST + CUSTOMERS)
        self.book = Book(Customer(account, TRADING[account % 4], (10 + account % 7) * 10**8)
                         for account in self.accounts)
        self.sessions = {}
        self.identity = int(time.time()) * 10**9          # Client order ids rise.

    async def walk_through(self):
        self.market()
        self.admin = await self.connect(PROGRAM)
        await self.open_accounts()
        self.names()
        self.register_sessions()
        await self.payments()
        await self.limits()
        for number in TRADING + (SELLS,):
            self.sessions[number] = await self.connect(number)
        await self.limits_reached()
        await self.reconcile()
        await self.stop_and_release()
        await self.after_a_restart()
        self.books()

    async def connect(self, number):
        return await self.walk.connect(number, self.walk.folder / f"{number}.key")

    def typed(self, line):
        """`joulebook admin`, typed by the broker's administrator."""
        return self.walk.admin(line, "--session", KEYBOARD, "--key", f"{KEYBOARD}.key")

    # MARK: Setting up

    def market(self):
        """What the operator does, once."""
        walk = self.walk
        walk.check("a server starts", None, walk.start("--set", "capacity.orders=65536"))
        for number in (KEYBOARD, PROGRAM, DROP_COPY, SELLS, "meter", *TRADING):
            walk.run("admin", "keygen", f"{number}.key")
        lines = [
            "area 1 --code 11XBROKER --storage-cost 300 --storage-price 20 --feed-in 0.08 --retail 0.32",
            "instrument 1 --area 1 --symbol SPOT --tick 0.001 --lot 1kWh --lowest 0 --highest 1",
            f"participant {BROKER} --name broker", f"participant {SELLER} --name solar-park",
            *(f"session {number} --participant {BROKER} --public-key {number}.pub --role participantAdministration"
              for number in (KEYBOARD, PROGRAM)),
            f"session {SELLS} --participant {SELLER} --public-key {SELLS}.pub --role trading --role metering",
            f"account {STOCK} --participant {SELLER}", f"cap {STOCK} --area 1 --cap 10000kWh",
            f"meter 1 --account {STOCK} --area 1 --public-key meter.pub --capacity 10000000",
            f"limit participant {BROKER} accounts {CUSTOMERS}", f"limit participant {BROKER} sessions 7"]
        for line in lines:
            walk.says(f"operator: {line.split(' --')[0]}", walk.admin(line), 0, "done")

    async def open_accounts(self):
        walk, admin = self.walk, self.admin
        sent = {admin.send("CreateAccount", account=account, participant=BROKER): account for account in self.accounts}
        answered = set()
        while len(answered) < len(sent):
            message = await admin.receive(PATIENCE)
            if message.name in ("Ack", "Rejected"):
                answered.add((message.name, message.refSeqNo))
        walk.check("the administrator opens 1,000 accounts", {("Ack", number) for number in sent}, answered)
        walk.check("one more is above the operator's limit (3012)", (3012, CUSTOMERS), await refused(
            admin.ask("CreateAccount", account=FIRST + CUSTOMERS, participant=BROKER)))
        walk.check("none for another participant (3010)", 3010, (await refused(
            admin.ask("CreateAccount", account=FIRST + CUSTOMERS, participant=SELLER)))[0])
        walk.says("typed, the same is explained", self.typed(f"account {FIRST + CUSTOMERS} --participant {BROKER}"), 77,
                  "3012 participantPart", f"the most: {CUSTOMERS}")

    def names(self):
        walk = self.walk
        rows = ["account,name,city"] + [f"{account},Customer {account},Bern" for account in self.accounts]
        (walk.folder / "customers.csv").write_text("\n".join(rows) + "\n")
        (walk.folder / "office").mkdir()
        walk.says("it notes their names in its own office", walk.run(
            "people", "import", "customers.csv", "--data", "office"), 0, f"{CUSTOMERS} persons, {CUSTOMERS} of them new")
        walk.check("and finds one", "name      Customer 1500\ncity      Bern\n",
                   walk.run("people", "show", 1_500, "--data", "office").out)

    def register_sessions(self):
        walk = self.walk
        for number in TRADING + (DROP_COPY,):
            role = "dropCopy" if number == DROP_COPY else "trading"
            walk.says(f"session {number} is registered, with the role {role}", self.typed(
                f"session {number} --participant {BROKER} --public-key {number}.pub --role {role}"), 0, "done")
        walk.says("one more is above the operator's limit", self.typed(
            f"session 21 --participant {BROKER} --public-key 11.pub --role trading"), 77, "3012", "the most: 7")
        walk.says("it cannot make an operator", self.typed(
            f"session 11 --participant {BROKER} --public-key 11.pub --role administration"), 77,
            "3011 roleNotGrantable", "trading, dropCopy")
        roles = {row["session"]: row["roles"] for row in walk.admin("list sessions --csv").table}
        walk.check("the operator's list has them", {
            "1": "administration", str(KEYBOARD): "participantAdministration", str(PROGRAM): "participantAdministration", str(SELLS): "trading metering",
            str(DROP_COPY): "dropCopy", **{str(number): "trading" for number in TRADING}},
            {number: words for number, words in roles.items()})

    async def payments(self):
        """The operator books the bank's file, which is out of order and has some payments twice."""
        walk = self.walk
        operator = await walk.connect(1, walk.data / "operator.key")
        file = list(self.accounts) + self.random.sample(list(self.accounts), 20)
        self.random.shuffle(file)
        sent = [operator.send("Deposit", account=account, currency=EUR, amount=self.book.customers[account].cash,
                              reference=account, source=9) for account in file]
        codes = {}
        while len(codes) < len(sent):
            message = await operator.receive(PATIENCE)
            if message.name in ("Ack", "Rejected"):
                codes[message.refSeqNo] = (message.fields.get("code"), message.fields.get("brokenLimit"))
        await operator.close()
        known, expected = set(), []
        for account in file:
            expected.append((8006, account) if account in known else (None, None))
            known.add(account)
        walk.check("the bank's file is booked: each payment once, 20 known ones are refused (8006)", expected,
                   [codes[number] for number in sent])

    # MARK: Limits

    async def limits(self):
        walk, admin = self.walk, self.admin
        sent = [admin.send("SetLimit", account=account, kind=kind, value=value) for account in self.accounts
                for kind, value in (("openOrders", 3), ("orderQuantity", SIZE))]
        answered = {}
        while len(answered) < len(sent):
            message = await admin.receive(PATIENCE)
            if message.name in ("Ack", "Rejected"):
                answered[message.refSeqNo] = message.name
        walk.check("2,000 limits are set", {number: "Ack" for number in sent}, answered)
        walk.says("typed: of a day's notional", self.typed(f"limit account {FIRST} dailyNotional 0.50"), 0, "done")
        walk.says("typed: of the cash at risk", self.typed(f"limit account {FIRST + 1} cashAtRisk 0.30"), 0, "done")
        walk.says("typed: of a session's messages", self.typed("limit session 14 messagesPerSecond 20"), 0, "done")
        walk.says("a kind that an account does not have is explained", self.typed(
            f"limit account {FIRST} messagesPerSecond 5"), 64, "is a limit of a session")
        walk.says("a value without its unit is not guessed", self.typed(f"limit account {FIRST} orderQuantity 5"), 64,
                  "5kWh")
        walk.says("nor is one below zero", self.typed(f"limit account {FIRST} openOrders -1"), 64, "0 removes it")
        walk.says("the operator's own limit", walk.admin(f"limit account {FIRST + 2} openOrders 2"), 0, "done")
        walk.says("is the highest that the administrator can set", self.typed(f"limit account {FIRST + 2} openOrders 5"),
                  77, "6015 setByOperator", "the operator's limit is 2")
        walk.says("nor can it limit another participant's account", self.typed(f"limit account {STOCK} openOrders 5"), 77,
                  "3003 foreignAccount")

    async def limits_reached(self):
        walk = self.walk
        day, risk, both, other = (FIRST + number for number in range(4))
        walk.check("an order above the size (6011)", (6011, SIZE), await self.refused(other, 5_000, 6_000))
        for price in (1_000, 2_000, 3_000):
            await self.bid(other, price, KWH)
        walk.check("a fourth open order (6012)", (6012, 3), await self.refused(other, 4_000, KWH))
        for price in (1_000, 2_000):
            await self.bid(both, price, KWH)
        walk.check("of two limits the lower holds (6012)", (6012, 2), await self.refused(both, 4_000, KWH))
        # 4 kWh at 0.10, then at 0.05; the order of 0.40 counts although it is cancelled.
        order = await self.bid(day, 10_000, 4 * KWH)
        await self.sessions[self.book.customers[day].session].cancel(day, order)
        self.book.customers[day].bids.clear()
        walk.check("a day's notional above 0.50 (6013)", (6013, 50_000_000), await self.refused(day, 5_000, 3 * KWH))
        await self.bid(day, 5_000, 2 * KWH)
        await self.bid(risk, 10_000, 2 * KWH)
        walk.check("cash at risk above 0.30 (6014)", (6014, 30_000_000), await self.refused(risk, 6_000, 2 * KWH))
        await self.bid(risk, 5_000, 2 * KWH)
        client = self.sessions[14]
        sent = {client.send("BalanceRequest", account=FIRST + 1, area=1) for _ in range(300)}
        refusals = []
        while sent:
            message = await client.receive(PATIENCE)
            if message.fields.get("refSeqNo") in sent:
                sent.discard(message.refSeqNo)
                if message.name == "Rejected":
                    refusals.append((message.code, message.brokenLimit))
        walk.check("300 messages at once, with 20 a second allowed (9003)", ({(9003, 20)}, True),
                   (set(refusals), len(refusals) >= 100))
        walk.says("a limit is removed with 0", self.typed("limit session 14 messagesPerSecond 0"), 0, "done")

    # MARK: Trading

    async def bid(self, account, price, quantity):
        """Enters a bid for a customer. Returns the order's id."""
        self.identity += 1
        accepted = await self.sessions[self.book.customers[account].session].order(
            account, 1, "buy", price, quantity, client_order_id=self.identity)
        self.book.bid(account, accepted.orderId, price, quantity)
        return accepted.orderId

    async def refused(self, account, price, quantity):
        self.identity += 1
        return await refused(self.sessions[self.book.customers[account].session].order(
            account, 1, "buy", price, quantity, client_order_id=self.identity))

    async def sell(self, price, quantity):
        """The solar park sells at once. Returns what it sold, and what the book says."""
        self.identity += 1
        client = self.sessions[SELLS]
        accepted = await client.order(STOCK, 1, "sell", price, quantity, client_order_id=self.identity,
                                      time_in_force="immediateOrCancel")
        sold, expected = 0, self.book.ask(price, quantity)
        while sold < quantity:
            message = await client.receive(PATIENCE)
            if message.name == "Trade" and message.orderId == accepted.orderId:
                sold += message.quantity
            elif message.name == "Canceled" and message.orderId == accepted.orderId:
                break
        return sold, expected

    async def trade(self, accounts):
        """Each of the accounts bids, and now and then the solar park sells. Returns whether each sale was as the book
        says."""
        sales = []
        for count, account in enumerate(accounts):
            if len(self.book.customers[account].bids) < 3:
                await self.bid(account, self.random.randrange(50, 120) * 100, self.random.randrange(1, 4) * KWH)
            if count % 40 == 39:
                sales.append(await self.sell(self.random.randrange(80, 110) * 100, self.random.randrange(10, 60) * KWH))
        return all(sold == expected for sold, expected in sales)

    async def produce(self):
        client, begin = self.sessions[SELLS], (time.time_ns() // HOUR - 2) * HOUR
        number = client.meter_reading(read_key_file(self.walk.folder / "meter.key"), 1, 1, begin, begin + HOUR,
                                      5_000 * KWH, 0)
        ack = await client.wait_for(lambda m: m.name == "MeterReadingAck", number=number)
        self.stock = 5_000 * KWH
        self.walk.check("the solar park's meter says 5 MWh", (0, 0), (ack.lost, ack.exported))

    async def reconcile(self):
        """A drop copy takes the list of open orders while trading goes on, and follows it."""
        walk, ordinary = self.walk, list(self.accounts)[4:]
        await self.produce()
        walk.check("a first round of orders trades as computed", True, await self.trade(ordinary))
        self.copies = copies = Copies(walk.port, DROP_COPY, read_key_file(walk.folder / f"{DROP_COPY}.key"))
        await copies.connect()
        fills = len(self.book.fills)
        pages, good = await asyncio.gather(copies.snapshot(50), self.trade(ordinary[:400]))
        walk.check("the drop copy reads its snapshot by page while trading goes on", (True, True), (pages > 10, good))
        await self.settled()
        walk.check(f"{len(self.book.open_orders())} open orders: copies and list, as computed",
                   self.book.open_orders(), copies.orders)
        position = await copies.lose()
        walk.check("its connection is lost, and trading goes on", True, await self.trade(ordinary[400:800]))
        walk.check("until then it does not know", True, copies.orders != self.book.open_orders())
        await copies.connect(resume=position)
        walk.check("it comes back while trading goes on", True, await self.trade(ordinary[800:]))
        await self.settled()
        walk.check("and knows every open order", self.book.open_orders(), copies.orders)
        walk.check(f"it has each of {len(self.book.fills) - fills} trades once", sorted(self.book.fills[fills:]),
                   sorted(copies.trades))
        fresh = Copies(walk.port, DROP_COPY, copies.key)
        await copies.lose()
        await fresh.connect()
        await fresh.snapshot()
        walk.check("a new session of it takes the snapshot again", self.book.open_orders(), fresh.orders)
        self.copies = fresh

    async def settled(self):
        """Waits until the drop copy has every report of the commands before: an order of its own comes last."""
        account = FIRST + CUSTOMERS - 1
        for order in list(self.book.customers[account].bids)[:1]:
            await self.sessions[self.book.customers[account].session].cancel(account, order)
            del self.book.customers[account].bids[order]
        last = await self.bid(account, 1_000, KWH)
        for _ in range(PATIENCE * 20):
            if last in self.copies.orders and not self.copies.early:
                return
            await asyncio.sleep(0.05)

    # MARK: Stopping

    async def stop_and_release(self):
        walk, book = self.walk, self.book
        await self.list_orders("the list of open orders, by page")
        gone = book.cancel(lambda customer: customer.session == 11)
        walk.says("session 11 runs away, and is stopped", self.typed("block session 11"), 0, "done")
        await self.known(f"its {gone} orders are gone, by the drop copy")
        walk.check("with the reason", {"blocked": gone}, {
            reason: count for reason, count in self.copies.reasons.items() if reason == "blocked"})
        walk.check("it enters nothing (6010, 3: the session)", (6010, 3),
                   await self.refused(by_session(11), 5_000, KWH))
        walk.check("others do", True, await self.trade([by_session(12), by_session(13)]))
        walk.says("it is released", self.typed("release session 11"), 0, "done")
        await self.bid(by_session(11), 5_000, KWH)
        account = by_session(12)
        gone = book.cancel(lambda customer: customer.account == account)
        walk.says("an account is stopped", self.typed(f"block account {account}"), 0, "done")
        walk.check("it enters nothing (6010, 2: the account)", (6010, 2), await self.refused(account, 5_000, KWH))
        walk.says("it is released", self.typed(f"release account {account}"), 0, "done")
        gone += book.cancel(lambda customer: True)
        walk.says("the whole firm stops", self.typed(f"block participant {BROKER}"), 0, "done")
        await self.known(f"the last of {gone} orders are gone")
        walk.check("nobody enters anything (6010, 1: the participant)", {(6010, 1)},
                   {await self.refused(by_session(number), 5_000, KWH) for number in TRADING})
        walk.says("it is released", self.typed(f"release participant {BROKER}"), 0, "done")
        walk.check("and trades again", True, await self.trade(list(self.accounts)[100:200]))
        walk.says("the operator stops an account", walk.admin(f"block account {FIRST + 9}"), 0, "done")
        book.cancel(lambda customer: customer.account == FIRST + 9)
        walk.says("which the administrator cannot release", self.typed(f"release account {FIRST + 9}"), 77,
                  "6015 setByOperator", f"the operator blocked account {FIRST + 9}")
        walk.says("but the operator", walk.admin(f"release account {FIRST + 9}"), 0, "done")
        await self.list_orders("the list of open orders afterwards")

    async def known(self, what):
        """A step that passed when the drop copy comes to know the open orders as computed."""
        for _ in range(PATIENCE * 20):
            if self.copies.orders == self.book.open_orders():
                break
            await asyncio.sleep(0.05)
        self.walk.check(what, self.book.open_orders(), self.copies.orders)

    async def list_orders(self, what):
        rows = [(row.orderId, (row.account, row.price, row.leaves)) async for row in self.admin.list_all("orders")]
        self.walk.check(f"{what}: {len(rows)} rows", sorted(self.book.open_orders().items()), sorted(rows))

    # MARK: Afterwards

    async def after_a_restart(self):
        walk = self.walk
        rows, cursor = [], None
        for _ in range(5):
            page, end = await self.admin.list_page("accounts", cursor)
            rows, cursor = rows + page, end.cursor
        walk.check("the server is restarted in the middle of a list", (0, None), (walk.stop(), walk.start()))
        self.admin = await self.connect(PROGRAM)
        pages = 5
        while cursor is not None:
            page, end = await self.admin.list_page("accounts", cursor)
            rows, cursor, pages = rows + page, end.cursor, pages + 1
        found = [row.account for row in rows if row.name == "AccountRow"]
        walk.check(f"1,000 accounts on {pages} pages: each once", list(self.accounts), found)
        await self.list_orders("the open orders outlive the restart")
        walk.check("a limit too (6011)", (6011, SIZE), await self.again(FIRST + 3, 6_000))
        await self.admin.close()
        expected = {(str(customer.account), money(customer.cash - customer.reserved), money(customer.reserved),
                     energy(customer.energy)) for customer in self.book.customers.values()}
        table = walk.typed("list accounts --csv", "--session", KEYBOARD, "--key", f"{KEYBOARD}.key",
                           "--connect", f"127.0.0.1:{walk.port}").table
        walk.check("typed: 1,000 rows with cash and energy, as computed", expected, {
            (row["account"], row["free"], row["reserved"], row["energy"] or "0.000") for row in table})
        table = walk.admin(f"list orders --account {FIRST + 3} --csv").table
        walk.check("typed by the operator: one customer's orders", sorted(
            (str(order), *bid) for order, bid in self.book.open_orders().items() if bid[0] == FIRST + 3),
            sorted((row["order"], int(row["account"]), ticks(row["price"]), round(float(row["open"]) * 1_000))
                   for row in table))

    async def again(self, account, quantity):
        client = await self.connect(self.book.customers[account].session)
        self.identity += 1
        found = await refused(client.order(account, 1, "buy", 5_000, quantity, client_order_id=self.identity))
        await client.close()
        return found

    def books(self):
        walk = self.walk
        walk.check("the server stops", 0, walk.stop())
        ledger = {}
        for line in walk.typed("ledger balances").out.splitlines():
            cells = line.split("  ")
            cells = [cell.strip() for cell in cells if cell.strip()]
            if len(cells) == 5 and cells[0].isdigit() and int(cells[0]) in self.book.customers:
                ledger[int(cells[0]), cells[1]] = cells[2]
        expected = {(customer.account, "EUR"): money(customer.cash) for customer in self.book.customers.values()}
        expected |= {(customer.account, "energy of area 1"): energy(customer.energy)
                     for customer in self.book.customers.values() if customer.energy}
        walk.check("the ledger has the customers' cash and energy", expected, ledger)
        for line in (("journal", "verify", walk.data), ("replay", walk.data, "--ledger"),
                     ("ledger", "verify", "--data", walk.data)):
            walk.check(f"joulebook {' '.join(line[:2] if line[0] != 'replay' else ('replay', '--ledger'))}", 0,
                       walk.run(*line).status)


def by_session(number):
    """An account for which this session trades, above those with limits of their own."""
    return next(account for account in range(FIRST + 500, FIRST + 504) if TRADING[account % 4] == number)


def ticks(text):
    """A price as the program prints it, in 1e-5."""
    whole, _, fraction = text.partition(".")
    return int(whole) * 100_000 + int(fraction.ljust(5, "0"))


async def refused(asked):
    """Code and limit of the reject of what is awaited; None when it was accepted."""
    try:
        await asked
    except Rejected as reject:
        return reject.message.code, reject.message.brokenLimit
    return None
