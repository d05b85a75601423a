"""A real server with a small market for the fault tests: starts it (under strace if asked), trades, records the
acknowledgements, and checks afterwards that everything acknowledged is there."""

import asyncio
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "clients" / "python"))
from joulebook import Client, Rejected, Terminated, read_key_file, read_private_key  # noqa: E402

SETTINGS = ["journal.segment=65536", "capacity.orders=65536", "capacity.priceLevels=4096",
            "settlement.transfers=4", "checkpoint.commands=1000", "ingress.commands=1024",
            "outbox.events=4096", "snapshot.commands=40"]
ANA, BEN, AREA, INSTRUMENT, EUR = 1, 2, 1, 1, 978
STUCK = "none: it does not stop"
LOST = (Terminated, asyncio.TimeoutError, TimeoutError, ConnectionError, OSError)


class Server:
    """One process of `joulebook serve`."""

    def __init__(self, program, data, settings=SETTINGS, prefix=(), wait=True, options=(), port=0):
        self.data = pathlib.Path(data)
        self.errors = open(self.data.parent / (self.data.name + ".log"), "ab")
        command = [*prefix, program, "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
        for setting in settings:
            command += ["--set", setting]
        command += options
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors)
        self.port = self._port() if wait else None

    def _port(self):
        for line in self.process.stdout:
            if line.startswith(b"listening on "):
                return int(line.rsplit(b":", 1)[1])
        return None

    @property
    def pid(self):
        """Process id of the server, also under strace."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        if "strace" in str(self.process.args[0]) and children.exists():
            return int(children.read_text().split()[0])
        return self.process.pid

    def kill(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except (ProcessLookupError, IndexError, FileNotFoundError):
            pass
        self.process.wait(20)
        self.errors.close()

    def stop(self):
        """Stops the server with SIGTERM. Returns its exit status, or `STUCK`."""
        os.kill(self.pid, signal.SIGTERM)
        status = await_exit(self.process, 120)
        if status is None:
            self.stacks()
            self.kill()
            return STUCK
        self.errors.close()
        return status

    def stacks(self):
        """Appends the stacks of all threads to the log, if gdb is installed."""
        if shutil.which("gdb"):
            subprocess.run(["gdb", "-batch", "-p", str(self.pid), "-ex", "thread apply all bt 20"],
                           stdout=self.errors, stderr=subprocess.DEVNULL, timeout=120, check=False)


class Market:
    """A data folder with an area, an instrument and two traders, which is copied for each case."""

    def __init__(self, program, folder):
        self.program, self.template = program, pathlib.Path(folder) / "template"
        self.ana, self.ben, self.meter = (read_private_key(secrets.token_bytes(32))
                                          for _ in range(3))
        server = Server(program, self.template)
        asyncio.run(self._found(server))
        assert server.stop() == 0, "the template's server did not stop in order"

    async def _found(self, server):
        operator = await Client.connect(
            "127.0.0.1", server.port, 1, read_key_file(self.template / "operator.key"))
        acts = [
            ("CreateArea", dict(area=AREA, currency=EUR, areaCode="10YFAULTS", storageCost=10**12,
                                storagePrice=10**10, feedInPrice=8_000, retailPrice=30_000)),
            ("CreateInstrument", dict(instrument=INSTRUMENT, area=AREA, symbol="SPOT",
                                      tickSize=100, lot=100, lowestPrice=0, highestPrice=100_000)),
        ]
        for number, key in ((ANA, self.ana), (BEN, self.ben)):
            acts += [
                ("CreateParticipant", dict(participant=number + 1, shortName="trader")),
                ("RegisterSession", dict(
                    sessionId=number + 1, participant=number + 1,
                    publicKey=key.public_key().public_bytes_raw(),
                    roles=["trading", "metering"])),
                ("CreateAccount", dict(account=number, participant=number + 1)),
                ("Deposit", dict(account=number, currency=EUR, amount=10**15, reference=1)),
            ]
        acts.append(("RegisterMeter", dict(
            meter=1, account=ANA, area=AREA,
            publicKey=self.meter.public_key().public_bytes_raw())))
        for name, fields in acts:
            await operator.ask(name, **fields)
        await operator.close()

    def copy(self, name, parent=None):
        """A new copy of the data folder."""
        target = pathlib.Path(parent or self.template.parent) / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.template, target)
        return target

    async def connect(self, server, who=BEN):
        """Opens a session whose orders outlive its connection."""
        key = self.ben if who == BEN else self.ana
        for _ in range(50):
            try:
                return await Client.connect(
                    "127.0.0.1", server.port, who + 1, key, cancel_after_ms=None)
            except Terminated as refusal:
                # The server has not noticed yet that the previous connection is lost.
                if server.process.poll() is not None:
                    raise
                last = refusal
                await asyncio.sleep(0.1)
        raise last

    async def trade(self, server, count, pause=0.0):
        """Enters `count` resting orders one by one and cancels one after every fifth. Returns the orders
        that are acknowledged as open, and how it ended."""
        open_orders = set()
        try:
            client = await self.connect(server)
            for number in range(count):
                accepted = await client.order(
                    BEN, INSTRUMENT, "buy", 100 * (1 + number % 50), 100)
                open_orders.add(accepted.orderId)
                if number % 5 == 4:
                    order = min(open_orders)
                    client.send("Cancel", account=BEN, orderId=order)
                    # From here on the order may be cancelled without an acknowledgement.
                    open_orders.discard(order)
                    await client.wait_for(lambda m: m.name == "Canceled")
                if pause:
                    await asyncio.sleep(pause)
            client.drop()
            return open_orders, "went on"
        except LOST:
            return open_orders, "connection lost"

    async def missing(self, server, orders):
        """The orders of `orders` that are not open."""
        client = await self.connect(server)
        gone = set()
        for order in sorted(orders):
            try:
                await client.ask("OrderStatusRequest", account=BEN, orderId=order)
            except Rejected:
                gone.add(order)
        client.drop()
        return gone

    def verify(self, data, acknowledged):
        """Starts a server on `data` without faults, checks that all acknowledged orders are open, stops it,
        and verifies journal and ledger. Returns the problem, or None."""
        server = Server(self.program, data)
        if server.port is None:
            return f"does not start again, status {server.process.wait(10)}"
        gone = asyncio.run(self.missing(server, acknowledged))
        status = server.stop()
        if gone:
            return f"{len(gone)} acknowledged orders are lost"
        if status != 0:
            return f"the orderly end came with status {status}"
        for check in (["journal", "verify", str(data)], ["replay", str(data), "--ledger"],
                      ["ledger", "verify", "--data", str(data)]):
            result = subprocess.run([self.program, *check], capture_output=True, text=True)
            if result.returncode != 0:
                return f"`joulebook {' '.join(check[:2])}`: {result.stderr.strip()[:200]}"
        return None


def await_exit(process, seconds):
    """The exit status of `process`, or None when it does not end in time. It counts polls instead of reading
    a clock, so a time in which the whole machine is suspended does not count."""
    for _ in range(max(1, int(seconds / 0.02))):
        if process.poll() is not None:
            return process.returncode
        time.sleep(0.02)
    return process.poll()
