"""A market for the abusers: a data folder with an operator, an abuser with two sessions, an account and a meter, a
victim with an order and a meter, and what the nine honest clients of `joulebook load` trade. It is copied for each row;
a second one has a deep book."""

import asyncio
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests" / "faults"), str(ROOT / "clients" / "python")]
from joulebook import Client, read_key_file, read_private_key  # noqa: E402
from market import Server  # noqa: E402

ABUSER, SECOND, VICTIM = 2, 3, 4            # Sessions; the first two are of one participant.
ACCOUNT, POOR, OTHER = 11, 12, 13           # Accounts: the abuser's two, the victim's.
METER, OTHER_METER, POOR_METER = 1, 2, 3
AREA, EMPTY, EUR = 1, 2, 978
INSTRUMENT, UNUSED = 1, 2
DEEP = 100_000                              # Open orders of the abuser in the deep book.
LATENCY = re.compile(r"p50 ([\d.]+) (\w+) .*p99 ([\d.]+) (\w+) +p99\.9.*max ([\d.]+) (\w+)")
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


class Market:
    """The templates of the data folders."""

    def __init__(self, program, folder, depth=DEEP):
        self.program, self.folder = program, pathlib.Path(folder)
        self.keys = {name: secrets.token_bytes(32).hex()
                     for name in ("abuser", "second", "victim", "meter", "other")}
        self.shallow, self.deep = self.folder / "shallow", None
        server = Server(program, self.shallow, [])
        asyncio.run(self._found(server))
        calm(self, server, 1, "100ms")     # Defines the honest clients' sessions and accounts.
        assert server.stop() == 0, "the template's server did not stop in order"
        self.depth = depth

    def template(self, is_deep):
        """The data folder to copy; the deep book is made when it is first wanted."""
        if not is_deep:
            return self.shallow
        if self.deep is None:
            self.deep = self.folder / "deep"
            shutil.copytree(self.shallow, self.deep)
            server = Server(self.program, self.deep, ["client.messages=1000000", "client.messagesCutoff=4000000"])
            asyncio.run(self._fill(server))
            assert server.stop() == 0, "the deep book's server did not stop in order"
        return self.deep

    def key(self, name):
        return read_private_key(bytes.fromhex(self.keys[name]))

    async def operator(self, server):
        return await Client.connect("127.0.0.1", server.port, 1, read_key_file(server.data / "operator.key"))

    async def _found(self, server):
        operator = await self.operator(server)
        public = {name: self.key(name).public_key().public_bytes_raw() for name in self.keys}
        acts = []
        for area, instrument in ((AREA, INSTRUMENT), (EMPTY, UNUSED)):
            acts += [
                ("CreateArea", dict(area=area, currency=EUR, areaCode=f"10YABUSE{area}", storageCost=10**12,
                                    storagePrice=10**10, feedInPrice=8_000, retailPrice=30_000)),
                ("CreateInstrument", dict(instrument=instrument, area=area, symbol=f"SPOT{area}", tickSize=1,
                                          lot=1, lowestPrice=0, highestPrice=1_000_000))]
        acts += [("CreateParticipant", dict(participant=number, shortName=name))
                 for number, name in ((2, "abuser"), (3, "victim"))]
        acts += [("RegisterSession", dict(sessionId=session, participant=participant, publicKey=public[name],
                                          roles=["trading", "metering"]))
                 for session, participant, name in ((ABUSER, 2, "abuser"), (SECOND, 2, "second"),
                                                    (VICTIM, 3, "victim"))]
        acts += [("CreateAccount", dict(account=account, participant=participant))
                 for account, participant in ((ACCOUNT, 2), (POOR, 2), (OTHER, 3))]
        acts += [("Deposit", dict(account=account, currency=EUR, amount=10**16, reference=1))
                 for account in (ACCOUNT, OTHER)]
        acts += [("RegisterMeter", dict(meter=meter, account=account, area=AREA, publicKey=public[name]))
                 for meter, account, name in ((METER, ACCOUNT, "meter"), (OTHER_METER, OTHER, "other"),
                                           (POOR_METER, POOR, "meter"))]
        for name, fields in acts:
            await operator.ask(name, **fields)
        await operator.close()
        victim = await Client.connect("127.0.0.1", server.port, VICTIM, self.key("victim"), cancel_after_ms=None)
        accepted = await victim.order(OTHER, INSTRUMENT, "buy", 1, 1)
        self.order_of_victim = accepted.orderId
        await victim.close()

    async def _fill(self, server):
        """Fills the abuser's book: one order at each of many prices."""
        from abusers import enter
        from session import Session
        session = await Session.open(self, server.port, "abuser", ABUSER, source="127.0.0.1")
        frame = enter(session.codec, ACCOUNT, "buy", 1)
        number = 0
        while number < self.depth:
            frames = []
            for _ in range(500):
                number += 1
                frames.append(session.order(frame, price=2 + number % 50_000))
            await session.write(b"".join(frames))
            while session.unanswered > 2_000:
                await asyncio.sleep(0.001)
        while session.unanswered > 0:
            await asyncio.sleep(0.01)
        assert session.counts["Accepted"] == self.depth, dict(session.counts)
        await session.close()


def certificate(folder):
    """A certificate for 127.0.0.1 and its key, as files."""
    files = [str(pathlib.Path(folder) / name) for name in ("server.pem", "server.key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-out", files[0], "-keyout", files[1]], check=True, stderr=subprocess.DEVNULL)
    pathlib.Path(files[1]).chmod(0o600)
    return files


def calm(market, server, seconds, warm_up="1s", rate=900, options=()):
    """Nine honest clients for `seconds`. Returns p50, p99 and the longest wait in seconds, and the problem or None."""
    return outcome(honest(market, server, seconds, warm_up, rate, options))


def honest(market, server, seconds, warm_up="500ms", rate=900, options=()):
    return subprocess.Popen(
        [market.program, "load", "--connect", f"127.0.0.1:{server.port}", "--data", str(server.data),
         "--connections", "9", "--rate", str(rate), "--duration", f"{int(seconds * 1000)}ms", "--warm-up", warm_up,
         "--wait", "park", "--quiet", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def outcome(process, patience=120):
    try:
        out, errors = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return None, "the honest clients got no answer"
    found = LATENCY.search(out)
    if process.returncode != 0 or not found:
        return None, f"the honest clients ended with {process.returncode}: {(out + errors).strip()[-300:]}"
    p50, p99, longest = (float(found[n]) * UNITS[found[n + 1]] for n in (1, 3, 5))
    return (p50, p99, longest), None


def memory(pid):
    """Resident memory of a process, bytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def disk(folder):
    """Bytes on disk below a folder, whatever is preallocated included once it is written."""
    return sum(file.stat().st_blocks * 512 for file in pathlib.Path(folder).rglob("*") if file.is_file())
