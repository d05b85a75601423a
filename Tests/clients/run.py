"""Runs the scenarios of clients/scenarios.txt with the bots of all languages against a real server.

    run.py PROGRAM BUILD [LANGUAGE ...]

BUILD is the folder with the bots that Tests/clients/build.sh makes."""

import asyncio
import fnmatch
import pathlib
import secrets
import shlex
import ssl
import struct
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "Tests" / "faults"), str(ROOT / "Tests" / "walks"), str(ROOT / "clients" / "python")]
from certificates import certificate  # noqa: E402
from joulebook import Client, read_key_file, read_private_key  # noqa: E402
from market import Server  # noqa: E402

AREA, EUR, OTHER, PATIENCE = 1, 978, 2, 60
TEMPLATES = {"Retransmission": 10, "NewOrder": 20, "Accepted": 40}
QUARTER = 900 * 10**9


class Fault(Exception):
    """A scenario went another way."""


class Relay:
    """Passes the connections of bots to the server, and loses them when told to."""

    def __init__(self):
        self.target, self.writers = 0, set()
        self.reset()

    def reset(self):
        self.is_open, self.is_silent, self.is_newer, self.lost_at = True, False, False, None

    #: Whether the connections are encrypted, so that frames cannot be told apart.
    is_secure = False

    async def start(self):
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        try:
            if not self.is_open:
                raise ConnectionError
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, far_writer}
        self.writers |= pair
        self.bot = writer
        await asyncio.gather(self.pass_on(reader, far_writer), self.pass_on(far_reader, writer, self.as_newer))
        self.writers -= pair

    async def pass_on(self, reader, writer, change=lambda frame: frame):
        try:
            while self.is_secure and (data := await reader.read(65_536)):
                writer.write(data)
            while not self.is_secure and not writer.is_closing():
                head = await reader.readexactly(4)
                frame = head + await reader.readexactly(struct.unpack("<H", head[:2])[0] - 4)
                if struct.unpack_from("<H", frame, 6)[0] == self.lost_at:
                    self.lose()
                if not self.is_silent:
                    writer.write(change(frame))
        except (OSError, asyncio.IncompleteReadError):
            pass
        if not self.is_silent:
            writer.close()

    def as_newer(self, frame):
        """The frame as a server of a later schema would send it, after one of a template that is new."""
        if not self.is_newer:
            return frame
        length, encoding, block, template, schema, _ = struct.unpack_from("<6H", frame)
        head = struct.pack("<6H", length + 8, encoding, block + 8, template, schema, 999)
        unknown = struct.pack("<6HQI", 24, encoding, 12, 999, schema, 999, 7, 7)
        return unknown + head + frame[12:12 + block] + b"\xa5" * 8 + frame[12 + block:]

    def lose(self):
        self.is_open, self.lost_at = False, None
        self.close()

    def close(self):
        for writer in self.writers:
            writer.transport.abort()

    def back(self):
        if self.is_silent:
            self.close()
        self.is_open, self.is_silent = True, False


class World:
    """A server with an area, and a trader OTHER who takes the other side."""

    def __init__(self, program, folder):
        self.program, self.folder, self.relay = program, pathlib.Path(folder), Relay()
        self.number, self.readings, self.meters = OTHER, 0, {}
        self.options, self.tls = (), None

    async def open(self):
        await self.relay.start()
        self.other_key = read_private_key(secrets.token_bytes(32))
        self.server = Server(self.program, self.folder / "data")
        await self.log_on_operator()
        await self.operator.ask("CreateArea", area=AREA, currency=EUR, areaCode="10YCLIENTS", storageCost=10**12,
                                storagePrice=10**10, feedInPrice=8_000, retailPrice=30_000)
        await self.trader(OTHER, self.other_key)
        self.other = await self.connect(OTHER, self.other_key)
        await self.reading(OTHER, 10**6)

    async def log_on_operator(self):
        self.relay.target = self.server.port
        self.operator = await self.connect(1, read_key_file(self.folder / "data" / "operator.key"))

    async def secure(self):
        """Starts the server again, with a certificate."""
        self.operator.drop(), self.other.drop()
        await asyncio.to_thread(self.server.stop)
        certificate(self.folder)
        self.options = ("--set", f"tls.certificate={self.folder}/server.pem", "--set", f"tls.key={self.folder}/server.key")
        self.tls = ssl.create_default_context(cafile=str(self.folder / "server.pem"))
        self.relay.is_secure = True
        await self.start_again()

    async def start_again(self):
        self.server = Server(self.program, self.folder / "data", options=self.options)
        await self.log_on_operator()
        self.other = await self.connect(OTHER, self.other_key)

    async def connect(self, session, key):
        return await Client.connect("127.0.0.1", self.server.port, session, key, cancel_after_ms=None,
                                    ssl=self.tls)

    async def trader(self, number, key):
        """Participant, session, account and meter of one number."""
        self.meters[number] = read_private_key(secrets.token_bytes(32))
        ask = self.operator.ask
        await ask("CreateParticipant", participant=number, shortName=f"P{number}")
        await ask("RegisterSession", sessionId=number, participant=number, roles=["trading", "metering"],
                  publicKey=key.public_key().public_bytes_raw())
        await ask("CreateAccount", account=number, participant=number)
        await ask("SetCap", account=number, area=AREA, energyCap=10**9)
        await ask("Deposit", account=number, currency=EUR, amount=10**14, reference=1)
        await ask("RegisterMeter", meter=number, account=number, area=AREA, capacity=1 << 42,
                  publicKey=self.meters[number].public_key().public_bytes_raw())

    async def reading(self, meter, produced):
        self.readings += 1
        start = (time.time_ns() // QUARTER - 400 + self.readings) * QUARTER
        number = self.other.meter_reading(self.meters[meter], meter, self.readings, start, start + QUARTER, produced, 0)
        await self.other.wait_for(lambda m: m.name == "MeterReadingAck" and m.refSeqNo == number, number=number)

    async def new_scenario(self):
        """A new number for the session, account, meter and instrument of a scenario."""
        self.number += 1
        await self.trader(self.number, key := read_private_key(secrets.token_bytes(32)))
        await self.operator.ask("CreateInstrument", instrument=self.number, area=AREA, symbol=f"I{self.number}",
                                tickSize=100, lot=100, lowestPrice=0, highestPrice=100_000)
        return key

    async def close(self):
        await self.operator.close()
        await self.other.close()
        return self.server.stop()


class Scenario:
    """One bot that goes through one scenario."""

    def __init__(self, world, command, key):
        self.world, self.command, self.number, self.process = world, command, world.number, None
        self.trusted = world.folder / "server.pem"
        self.key = world.folder / f"{self.number}.key"
        self.set_key(key.private_bytes_raw())

    def set_key(self, seed):
        self.key.touch(mode=0o600)
        self.key.write_text(seed.hex() + "\n")

    async def step(self, verb, words):
        world, number = self.world, self.number
        if verb == "bot":
            arguments = ["127.0.0.1", world.relay.port, number, self.key, number, AREA, number, *words]
            if world.tls:
                arguments.append(self.trusted)
            self.process = await asyncio.create_subprocess_exec(
                *self.command, *map(str, arguments), stdout=asyncio.subprocess.PIPE)
        elif verb == "see":
            await self.see(" ".join(words))
        elif verb == "sees":
            for _ in range(int(words[0])):
                await self.see(" ".join(words[1:]))
        elif verb == "exit":
            await self.end(int(words[0]))
        elif verb in ("sell", "buy"):
            price = int(words[1]) if words[1:] else 12_000
            await world.other.order(OTHER, number, verb, price, int(words[0]))
        elif verb == "until":
            await self.until(*" ".join(words).split(" has "))
        elif verb == "sells":
            await self.sell_many(int(words[0]), int(words[1]))
        elif verb == "reading":
            await world.reading(number, int(words[0]))
        elif verb == "limit":
            await world.operator.set_limit("messagesPerSecond", int(words[0]), session=number)
        elif verb == "wrong":
            self.set_key(secrets.token_bytes(32))
        elif verb == "reset":
            await world.operator.reset_numbers(session_id=number)
        elif verb == "cut":
            await world.operator.cut_session(number)
        elif verb == "lose" and words:
            world.relay.lost_at = TEMPLATES[words[1]]
        elif verb == "silent":
            world.relay.is_silent = True
        elif verb == "newer":
            world.relay.is_newer = True
        elif verb == "garbage":
            world.relay.bot.write(b"\xff" * 64)
        elif verb in ("lose", "back"):
            getattr(world.relay, verb)()
        elif verb in ("kill", "stop"):
            world.operator.drop(), world.other.drop()
            # The relay goes on meanwhile, so that the bot is told.
            await asyncio.to_thread(getattr(world.server, verb))
        elif verb == "start":
            await world.start_again()
        elif verb == "secure":
            await world.secure()
        elif verb == "distrust":
            self.trusted = world.folder / "other" / "server.pem"
            self.trusted.parent.mkdir()
            certificate(self.trusted.parent)
        else:
            raise Fault(f"unknown: {verb}")

    async def sell_many(self, count, quantity):
        first = time.time_ns()
        for index in range(count):
            self.world.other.send(
                "NewOrder", clientOrderId=first + index, account=OTHER, instrument=self.number, side="sell",
                price=12_000, quantity=quantity)
        # The answer comes after the reports of all of them.
        await self.world.other.balance(OTHER, AREA)

    async def line(self):
        return (await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)).decode().rstrip("\n")

    async def see(self, pattern):
        line = await self.line()
        if not fnmatch.fnmatchcase(line, pattern):
            raise Fault(f"printed {line!r} instead of {pattern!r}")

    async def until(self, last, pattern):
        lines = [await self.line()]
        while lines[-1] not in (last, ""):
            lines.append(await self.line())
        if lines[-1] != last or not fnmatch.filter(lines, pattern):
            raise Fault(f"printed {lines}")

    async def end(self, expected):
        rest = (await asyncio.wait_for(self.process.stdout.read(), PATIENCE)).decode()
        status = await asyncio.wait_for(self.process.wait(), PATIENCE)
        if rest or status != expected:
            raise Fault(f"ended with {status} instead of {expected}, after {rest!r}")

    async def clean(self):
        """Ends a bot that still runs, after a fault."""
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self.world.relay.reset()


def scenarios():
    """Each scenario's name, and its steps."""
    found = []
    for line in (ROOT / "clients" / "scenarios.txt").read_text().splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["scenario"]:
            found.append((" ".join(words[1:]), []))
        elif words:
            found[-1][1].append(words)
    return found


async def run_language(program, language, command):
    """Runs all scenarios with one bot; returns the number of faults."""
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        world = World(program, folder)
        await world.open()
        for name, steps in scenarios():
            scenario = Scenario(world, command, await world.new_scenario())
            started, at = time.monotonic(), ""
            try:
                for step in steps:
                    at = " ".join(step)
                    await scenario.step(step[0], step[1:])
                print(f"{language:6} {name}: as it must ({time.monotonic() - started:.1f} s)", flush=True)
            except (Fault, asyncio.TimeoutError) as fault:
                faults += 1
                print(f"{language:6} {name}: FAULT at '{at}': {str(fault) or 'nothing came'}", flush=True)
            await scenario.clean()
        if (status := await world.close()) != 0:
            faults += 1
            print(f"{language:6} the server ended with {status}")
    return faults


def main():
    program, build, languages = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    commands = {language: shlex.split((build / f"{language}.command").read_text()) for language in languages}
    faults = sum(asyncio.run(run_language(program, *item)) for item in commands.items())
    sys.exit(1 if faults else 0)


main()
