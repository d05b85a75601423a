"""A newcomer's first hour: the demonstration and its report, a server, two bots that trade, why an order does not trade,
the market in the terminal, a report on what happened, and the end. Slips of the pen are told what is right."""

import asyncio
import hashlib
import pathlib
import re
import secrets
import socket
import time

from certificates import certificate
from joulebook import read_private_key
from pages import Browser
from screen import Screen
from walk import PATIENCE, ROOT

QUARTER = 900 * 10**9


def run(walk):
    Newcomer(walk).walk_through()


class Newcomer:
    def __init__(self, walk):
        self.walk = walk
        self.browser = Browser(walk.folder)

    def walk_through(self):
        self.demonstration()
        self.slips()
        self.first_server()
        asyncio.run(self.two_bots())
        self.reports()
        self.stop()
        self.secured()

    # MARK: The demonstration

    def demonstration(self):
        walk = self.walk
        result = walk.run("demo", "--community", "fontana", "--days", 2, "--report", "demo.html", "--data", "village")
        walk.says("the demonstration trades for two days", result, 0, "self-sufficiency", "report: demo.html")
        walk.check("its log has whole lines only", (False, True), ("\r" in result.errors, all(
            re.fullmatch(r"\d+ %  \d+ of 48 intervals", line) for line in result.errors.splitlines())))
        trades = re.search(r"in ([\d,]+) trades", result.out)[1]
        page = walk.read("demo.html")
        walk.check("its report has the trades, the year and the time zone", [], [
            words for words in (f"in {trades} trades", "5 June to 6 June 2017", "times in UTC") if words not in page])
        self.browser.check(walk, "demo.html")
        self.browser.check(walk, "demo.html", 320)
        before = contents(walk.folder / "village")
        result = walk.run("report", "village", "--out", "village.html")
        walk.says("any data folder has a report", result, 0, "✓ The ledger agrees with the journal", "report: village.html")
        walk.check("with the same trades", True, f"in {trades} trades" in walk.read("village.html"))
        self.browser.check(walk, "village.html")
        walk.check("and is only read", before, contents(walk.folder / "village"))
        walk.says("half a day of it has less", walk.run(
            "report", "village", "--to", "2017-06-05T12:00", "--out", "half.html"), 0, "report: half.html")
        walk.check("and ends there", True, "5 June 2017 00:00 to " in walk.read("half.html"))

    def slips(self):
        """What is mistyped, and what is said."""
        walk = self.walk
        for words, status, said in [
                ("demo --days 99", 64, "has 7 days; choose 1 to 7"),
                ("demo --data village", 64, "the folder is not empty"),
                ("demo --report /nowhere/demo.html", 64, "nothing can be written to /nowhere"),
                ("demo --community bern", 64, "choose simbench, fontana or swiss"),
                ("demo --week may", 64, "choose january, june or october"),
                ("demo --community swiss --week june", 64, "only the data set simbench has weeks"),
                ("report nothing", 78, "nothing contains no exchange"),
                ("ledger balances --data nothing", 78, "nothing contains no exchange"),
                ("replay nothing", 78, "nothing contains no exchange"),
                ("report village --out /nowhere/r.html", 64, "nothing can be written to /nowhere"),
                ("report village --from 2017-06-06 --to 2017-06-05", 64, "--to is not after --from"),
                ("report village --from yesterday", 64, "--from"),
                ("serve --listen nowhere", 78, "127.0.0.1:9100"),
                ("wait 127.0.0.1:1 --timeout 0.2", 75, "no exchange answered at 127.0.0.1:1")]:
            walk.says(f"joulebook {words}", walk.run(*words.split()), status, said)

    # MARK: A server

    def first_server(self):
        walk = self.walk
        walk.run("admin", "keygen", "ana.key")
        walk.run("admin", "keygen", "ben.key")
        text = (ROOT / "Examples" / "village.yaml").read_text()
        for name in ("ana", "ben"):
            public = (walk.folder / f"{name}.pub").read_text().strip()
            text = re.sub(r'public-key: "(d75a|3d40)\w+"', f'public-key: "{public}"', text, count=1)
        self.meter = read_private_key(secrets.token_bytes(32))
        text = re.sub(r'"fc51\w+"', f'"{self.meter.public_key().public_bytes_raw().hex()}"', text)
        (walk.folder / "village.yaml").write_text(without_instruction(text))
        self.manager = Manager(walk.folder / "notify")
        walk.check("a server starts with the market file", None, walk.start(
            "--market", "village.yaml", "--listen", "localhost:0", "--set", "settlement.nanoseconds=200000000",
            environment={"NOTIFY_SOCKET": self.manager.path}))
        walk.check("and tells the service manager that it is ready", ["READY=1", f"STATUS=listening on 127.0.0.1:{walk.port}"],
                   self.manager.told().splitlines())
        walk.says("joulebook wait finds it by its name", walk.run("wait", f"localhost:{walk.port}"), 0)
        walk.says("a page of the market is printed without a terminal", self.top(), 0, "instrument 1 SPOT  open", "EUR/kWh")
        walk.says("of the area and the instrument that are chosen", self.top("--area", 1, "--instrument", 1), 0, "SPOT  open  area 1")
        walk.says("an instrument that is not there is named", self.top("--instrument", 7), 66, "no instrument 7", "admin list instruments")
        walk.says("and an area", self.top("--area", 9), 66, "no area 9", "admin list areas")

    def top(self, *words):
        return self.walk.run("top", "--data", self.walk.data, "--connect", f"127.0.0.1:{self.walk.port}", *words)

    def explained(self, order):
        return self.walk.typed(f"explain {order.orderId}", "--connect", f"127.0.0.1:{self.walk.port}")

    async def two_bots(self):
        walk = self.walk
        ana, ben = [await walk.connect(number, walk.folder / f"{name}.key") for number, name in ((2, "ana"), (3, "ben"))]
        now = time.time_ns() // QUARTER * QUARTER
        number = ana.meter_reading(self.meter, 100, 1, now - QUARTER, now, 2_000, 0)
        await ana.wait_for(lambda m: m.name == "MeterReadingAck" and m.refSeqNo == number)
        # The loss of 2.5 % leaves 1.95 kWh: one lot of the two is covered.
        ask = await ana.order(10, 1, "sell", 11_000, 2_000)
        walk.says("half of an ask waits for the sun", self.explained(ask), 0,
                  "open 2.000 kWh, executable 1.000 kWh, waiting 1.000 kWh",
                  "waits for 1.000 kWh of energy; no better-priced order of the account uses any: the energy that there is "
                  "covers 1.000 kWh of this order", "no live order on the other side\n")
        dear = await ana.order(10, 1, "sell", 12_000, 3_000)
        walk.says("a dearer one names who has the energy", self.explained(dear), 0,
                  "waits for 3.000 kWh of energy, used by better-priced orders of the same account:",
                  f"  order {ask.orderId} at 0.11 uses 1.000 kWh")
        bid = await ben.order(11, 1, "buy", 10_000, 25_000)
        walk.says("a bid above the cap waits for headroom", self.explained(bid), 0, "waits for 5.000 kWh of headroom",
                  "covers 20.000 kWh of this order", "no live order on the other side within its limit, best is 0.11")
        second = await ben.order(11, 1, "buy", 9_000, 1_000)
        walk.says("a second one too, and names the first", self.explained(second), 0, "waits for 1.000 kWh of headroom, used",
                  f"order {bid.orderId} at 0.10 uses 20.000 kWh")
        await self.watched(ana, ben, ask)
        walk.admin("state 1 halted")
        walk.says("of a halted instrument it says that first", self.explained(bid), 0, "instrument halted")
        walk.admin("state 1 open")
        walk.says("an order that has traded is unknown", walk.typed("explain 7", "--connect", f"127.0.0.1:{walk.port}"), 77, "6001")
        for bot in (ana, ben):
            await bot.close()

    async def watched(self, ana, ben, ask):
        """A trade, seen in the terminal."""
        walk = self.walk
        walk.run("admin", "keygen", "top.key")
        walk.says("the terminal gets a session of its own", walk.admin(
            "session 99 --participant 1 --public-key top.pub --role dropCopy"), 0, "done")
        screen = Screen([walk.program, "top", "--session", "99", "--key", "top.key", "--connect", f"127.0.0.1:{walk.port}"],
                        walk.folder, columns=100, rows=30)
        walk.check("the book appears", True, screen.shows("instrument 1 SPOT  open", "0.11", "trades: none since"))
        buy = await ben.order(11, 1, "buy", 11_000, 1_000, time_in_force="immediateOrCancel")
        walk.check("the trade appears while it looks on", True, screen.shows("last 0.11 x 1.000 kWh", "kWh  bought"))
        walk.check("no line is longer than the terminal", True, max(map(len, screen.page())) <= 100)
        screen.resize(60, 16)
        walk.check("the page takes the new size of the terminal", True, screen.waits(
            lambda page: max(map(len, page)) <= 60 and len(page) <= 16 and any("instrument 1" in line for line in page)))
        walk.says("the operator works meanwhile", walk.admin("tariff 1 --feed-in 0.07 --retail 0.33"), 0, "done")
        walk.check("and the new prices of the grid appear", True, screen.resize(120, 24) or screen.shows("grid pays 0.07, charges 0.33"))
        status, restored = screen.type("q")
        walk.check("q ends it, and the terminal is as before", (0, True), (status, restored))
        screen = Screen([walk.program, "top", "--session", "99", "--key", "top.key", "--connect", f"127.0.0.1:{walk.port}"],
                        walk.folder, columns=80, rows=24)
        screen.shows("instrument 1 SPOT")
        walk.check("SIGTERM ends it so too", (0, True), screen.terminate())

    # MARK: What happened

    def reports(self):
        walk = self.walk
        result = walk.run("report", walk.data, "--out", "live.html")
        walk.says("a report beside the running server", result, 0, "✓ The ledger agrees with the journal", "✓ Energy is conserved")
        page = walk.read("live.html")
        walk.check("has the trade, the reading and both accounts", [], [
            words for words in ("1.00 kWh in 1 trades", "2.00 kWh", "<td>10</td>", "<td>11</td>") if words not in page])
        self.browser.check(walk, "live.html")

    def stop(self):
        walk = self.walk
        walk.check("the server stops in order", 0, walk.stop())
        walk.check("and has told the service manager", ["STOPPING=1", "STATUS=draining"], self.manager.told().splitlines())
        before = contents(walk.data)
        walk.says("the folder of the stopped server has a report", walk.run("report", walk.data, "--out", "after.html"), 0,
                  "✓ The ledger agrees with the journal: ", "0 differ")
        walk.check("and is as it was", before, contents(walk.data))
        walk.says("of a time without anything there is none", walk.run(
            "report", walk.data, "--to", "2020-01-01", "--out", "empty.html"), 66, "nothing to report", "--from, --to")
        walk.check("not an empty page", False, (pathlib.Path(walk.folder) / "empty.html").exists())

    def secured(self):
        """A server with TLS, met without."""
        walk = self.walk
        certificate(walk.folder)
        walk.check("a server starts with a certificate", None, walk.start(
            "--set", "tls.certificate=server.pem", "--set", "tls.key=server.key"))
        for words in ("top", "admin status", "load --duration 1s", "explain 1"):
            walk.says(f"{words} without --tls says what is wrong", walk.run(
                *words.split(), "--data", walk.data, "--connect", f"127.0.0.1:{walk.port}"), 69, "the server uses TLS", "--tls")
        walk.says("and with the certificate it works", self.top("--tls-authorities", "server.pem"), 0, "joulebook")
        walk.check("it stops", 0, walk.stop())


class Manager:
    """A service manager: a socket that gets datagrams."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE)

    def told(self):
        """The next datagram."""
        return self.socket.recv(4_096).decode()


def without_instruction(text):
    """The market file without its standing instruction, which would trade too."""
    lines = text.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("    instructions:"))
    end = next(number for number in range(begin + 1, len(lines)) if not lines[number].startswith("      "))
    return "\n".join(lines[:begin] + lines[end:]) + "\n"


def contents(folder):
    """The files of a folder, and hashes of what is in them; SQLite makes and removes its own beside the ledger."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(pathlib.Path(folder).rglob("*"))
            if path.is_file() and not path.name.endswith(("-shm", "-wal"))}
