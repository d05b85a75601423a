"""An abuser's session: raw frames, made once and patched, so that one Python process can send some hundred thousand a
second; answers are counted by name and code."""

import asyncio
import collections
import functools
import struct
import time

from exchange import ROOT  # noqa: F401  (the path of the client)
from joulebook import Client, read_private_key

SEQUENCE, CLIENT_ORDER, PRICE = 12, 28, 36  # Offsets in a NewOrder frame.
REPORTS = ("Accepted", "Rejected")


class Session:
    """One established session, whose frames are counted rather than decoded."""

    def __init__(self, client):
        self.client, self.codec = client, client._codec
        self.reader, self.writer = client._reader, client._writer
        self.next_number = client._next_seq_no
        self.next_order = time.time_ns()
        self.counts = collections.Counter()
        self.sent = 0
        self.bytes_read = 0
        self.ended = None
        self.reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, market, port, name, identity, source="127.0.0.2", reads=True):
        client = await connect(market, port, name, identity, source)
        for task in client._tasks:
            task.cancel()
        session = cls(client)
        if not reads:
            session.reading.cancel()
        return session

    @property
    def unanswered(self):
        return self.sent - sum(self.counts[name] for name in REPORTS)

    def frame(self, name, **fields):
        """A frame with a sequence number to be patched."""
        return bytearray(self.codec.encode(name, {"seqNo": 1, "sendingTime": 1, **fields}))

    def next(self, frame):
        """The frame with the next sequence number."""
        struct.pack_into("<Q", frame, SEQUENCE, self.next_number)
        self.next_number += 1
        self.sent += 1
        return bytes(frame)

    def order(self, frame, price=None):
        """A NewOrder with the next numbers."""
        struct.pack_into("<Q", frame, CLIENT_ORDER, self.next_order)
        self.next_order += 1
        if price is not None:
            struct.pack_into("<q", frame, PRICE, price)
        return self.next(frame)

    async def write(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def keep_sending(self, seconds, block, rate=40_000):
        """Writes what `block()` returns until the time is over or the connection ends, at most `rate` frames a second: above
        its limit a session is refused and then ended, and what the row is about would not be reached."""
        start, before = time.monotonic(), self.sent
        end = start + seconds
        while (left := end - time.monotonic()) > 0 and self.ended is None:
            try:
                # The server may have stopped reading.
                await asyncio.wait_for(self.write(block()), left)
            except (TimeoutError, asyncio.TimeoutError):
                return
            except (ConnectionError, OSError) as problem:
                self.ended = self.ended or repr(problem)
                return
            ahead = (self.sent - before) / rate - (time.monotonic() - start)
            await asyncio.sleep(max(0, min(ahead, end - time.monotonic())))

    async def settle(self, seconds=2.0):
        """Waits until no more answers come."""
        end, before = time.monotonic() + seconds, -1
        while time.monotonic() < end and before != self.bytes_read:
            before = self.bytes_read
            await asyncio.sleep(0.2)

    async def close(self):
        self.reading.cancel()
        self.writer.close()

    async def _read(self):
        rest, names = b"", {number: message.name for number, message in self.codec.schema.messages.items()}
        decoded = 0
        try:
            while True:
                data = await self.reader.read(1 << 20)
                if not data:
                    self.ended = self.ended or "closed"
                    return
                self.bytes_read += len(data)
                data, at = rest + data, 0
                while len(data) - at >= 8:
                    length, template = struct.unpack_from("<H", data, at)[0], struct.unpack_from("<H", data, at + 6)[0]
                    if len(data) - at < length:
                        break
                    name = names.get(template, str(template))
                    self.counts[name] += 1
                    if name in ("Rejected", "Terminate", "RetransmitReject") and decoded < 20_000:
                        decoded += 1
                        code = self.codec.decode(bytes(data[at:at + length])).code
                        self.counts[code] += 1
                        if name == "Terminate":
                            self.ended = str(code)
                    at += length
                rest = data[at:]
        except (ConnectionError, OSError) as problem:
            self.ended = self.ended or repr(problem)

    def got(self):
        """What came back, in words: the codes and how often, and the most frequent messages."""
        codes = [f"{code}: {count}" for code, count in sorted(
            ((c, n) for c, n in self.counts.items() if isinstance(c, int)), key=lambda p: -p[1])[:3]]
        names = [f"{name} {count}" for name, count in self.counts.most_common(6)
                 if isinstance(name, str) and name not in ("Rejected", "Terminate")][:2]
        end = f"ended {self.ended}" if self.ended else ""
        return ", ".join(filter(None, [*names, *codes, end])) or "nothing"


async def connect(market, port, name, identity, source):
    """A client whose connection comes from the address `source`."""
    plain = asyncio.open_connection
    asyncio.open_connection = functools.partial(plain, local_addr=(source, 0))
    try:
        return await Client.connect("127.0.0.1", port, identity, read_private_key(bytes.fromhex(market.keys[name])),
                                    keep_alive_ms=60_000, cancel_after_ms=None)
    finally:
        asyncio.open_connection = plain
