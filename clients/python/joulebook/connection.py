"""One connection: frames, log-on, keep-alive, and the loss of it."""

from __future__ import annotations

import asyncio
import struct
import time
from typing import Any, Dict, List, Mapping, Optional

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .codec import ENCODING_TYPE, Codec
from .errors import BufferFull, ConnectionLost, Terminated
from .message import Message
from .pace import Pace

#: Longest wait for the server's challenge, and for its answers during log-on, in seconds.
CHALLENGE_TIMEOUT, LOG_ON_TIMEOUT = 5, 15
#: Bytes that are read at a time.
CHUNK = 1 << 18
#: Most bytes that may wait to be sent.
MOST_UNSENT = 16 << 20
#: Awaited requests wait while more bytes than these have not been sent.
ENOUGH_UNSENT = 1 << 20

_HEAD = struct.Struct("<HH")


class Connection:
    """A connection and the session's numbers. Subclasses take the messages (`_take`) and the loss (`_fail`)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._codec = reader, writer, Codec()
        #: The market's id, 16 bytes: what meters sign their readings for.
        self.market = b""
        self._version = 0
        self._next_seq_no = 1
        self._tasks: List["asyncio.Task[None]"] = []
        #: Why nothing can be sent; `None` while the session is established.
        self._failure: Optional[Terminated] = None
        self._last_sent = 0.0
        #: Counts what is sent; `None`: nothing waits for its turn.
        self._pace: Optional[Pace] = None
        self._heard = True
        self._unsent: List[bytes] = []
        self._unsent_bytes = 0
        self._flush_is_due = False

    def _take(self, message: Message) -> None:
        raise NotImplementedError

    def _fail(self, error: Terminated) -> None:
        raise NotImplementedError

    # Log-on

    async def _challenge(self) -> Message:
        """The first message of a server, which it sends without being asked."""
        try:
            message = await asyncio.wait_for(self._read_message(), CHALLENGE_TIMEOUT)
        except asyncio.TimeoutError:
            self._writer.close()
            raise ConnectionLost(
                "the server sent no Challenge; does it know log-on of version 2 (schema 7), and does it "
                "expect TLS (ssl=)?") from None
        except ConnectionLost:
            self._writer.close()
            raise
        if message is None or message.name != "Challenge":
            self._writer.close()
            raise Terminated(message)
        return message

    async def _log_on(self, name: str, tag: bytes, challenge: Message, key: Ed25519PrivateKey,
                      fields: Mapping[str, Any], expected: str) -> Message:
        self._writer.write(self._codec.signed(name, fields, tag, challenge, key))
        try:
            answer = await asyncio.wait_for(self._read_message(), LOG_ON_TIMEOUT)
        except asyncio.TimeoutError:
            self._writer.close()
            raise ConnectionLost(f"the server did not answer {name} within {LOG_ON_TIMEOUT} s") from None
        except ConnectionLost:
            self._writer.close()
            raise
        if answer is None or answer.name != expected:
            self._writer.close()
            raise Terminated(answer)
        return answer

    async def _negotiate(self, challenge: Message, key: Ed25519PrivateKey, session: Dict[str, Any]) -> None:
        await self._log_on("Negotiate", b"JOULEBOOK-NEGOTIATE-2", challenge, key,
                           {**session, "timestamp": time.time_ns()}, "NegotiationResponse")

    async def _establish(self, challenge: Message, key: Ed25519PrivateKey, session: Dict[str, Any]) -> Message:
        return await self._log_on("Establish", b"JOULEBOOK-ESTABLISH-2", challenge, key,
                                  {**session, "timestamp": time.time_ns()}, "EstablishmentAck")

    # Reading

    async def _read_message(self) -> Optional[Message]:
        """The next message, during log-on. Raises `ConnectionLost`."""
        try:
            head = await self._reader.readexactly(4)
            length = self._length(head, 0)
            return self._codec.decode(head + await self._reader.readexactly(length - 4))
        except asyncio.IncompleteReadError as end:
            raise ConnectionLost("the server closed the connection", end) from None
        except (OSError, ValueError) as error:
            raise self._loss(error) from None

    @staticmethod
    def _length(data: "bytes | bytearray", at: int) -> int:
        length, encoding = _HEAD.unpack_from(data, at)
        if encoding != ENCODING_TYPE or length < 12:
            raise ValueError(f"length {length}, encoding type {encoding:#x}")
        return int(length)

    @staticmethod
    def _loss(error: BaseException) -> ConnectionLost:
        """The loss that an error is."""
        if isinstance(error, ConnectionLost):
            return error
        if isinstance(error, ValueError):
            return ConnectionLost(f"the server sent what is no frame of this protocol: {error}", error)
        if isinstance(error, OSError):
            return ConnectionLost(f"network error: {error or type(error).__name__}", error)
        return ConnectionLost(f"the client failed: {error!r}", error)

    async def _read_on(self) -> None:
        """Reads frames until the connection ends. Each end has a cause, which is passed to `_fail`."""
        buffer, reader = bytearray(), self._reader
        try:
            while True:
                data = await reader.read(CHUNK)
                if not data:
                    raise ConnectionLost("the server closed the connection"
                                         + (" inside a message" if buffer else ""))
                self._heard = True
                buffer += data
                self._split(buffer)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if reader is self._reader:
                self._fail(self._loss(error))

    def _split(self, buffer: bytearray) -> None:
        """Takes the whole messages of the buffer, and leaves the rest in it."""
        at, end, decode = 0, len(buffer), self._codec.decode
        while end - at >= 4:
            length = self._length(buffer, at)
            if end - at < length:
                break
            message = decode(bytes(buffer[at:at + length]))
            at += length
            if message is not None:
                self._take(message)
        del buffer[:at]

    async def _keep_alive(self, interval: float, patience: Optional[float] = None) -> None:
        """Sends Sequence when nothing else was sent for half an interval, and ends the connection after two
        intervals, or `patience` seconds, in which nothing came. Time in which this program was stopped does not
        count."""
        silence, tick = 0.0, interval / 4
        most = 2 * interval if patience is None else patience
        while True:
            before = time.monotonic()
            await asyncio.sleep(tick)
            now = time.monotonic()
            silence = 0.0 if self._heard else silence + min(now - before, 2 * tick)
            self._heard = False
            if silence >= most:
                what = "two keep-alive intervals" if patience is None else "the time that was allowed"
                self._fail(ConnectionLost(f"the server has been silent for {what} ({most:g} s)"))
                return
            if now - self._last_sent >= interval / 2:
                self._write(self._codec.encode("Sequence", {"nextSeqNo": self._next_seq_no}))
                self._last_sent = now

    # Sending

    def _check(self) -> None:
        """Raises why nothing can be sent."""
        if self._failure is not None:
            raise self._again(self._failure)
        transport = self._writer.transport
        if transport.is_closing():
            error = self._reader.exception()
            raise self._loss(error) if error else ConnectionLost("the connection is closed")
        if self._unsent_bytes + transport.get_write_buffer_size() > MOST_UNSENT:
            raise BufferFull(f"more than {MOST_UNSENT} bytes wait to be sent; await drain()")

    @staticmethod
    def _again(error: Terminated) -> Terminated:
        """A new exception of the same kind, because each raise adds its place to an exception."""
        if isinstance(error, ConnectionLost):
            return ConnectionLost(error.cause, error.__cause__)
        return Terminated(error.message, error.cause)

    def _write(self, frame: bytes) -> None:
        """Writes a frame. The first one is written at once, others of the same turn of the loop together."""
        if self._flush_is_due:
            self._unsent.append(frame)
            self._unsent_bytes += len(frame)
            return
        self._writer.write(frame)
        self._flush_is_due = True
        asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        if self._unsent:
            frames, self._unsent, self._unsent_bytes = self._unsent, [], 0
            if not self._writer.transport.is_closing():
                self._writer.write(b"".join(frames))

    def send(self, name: str, /, **fields: Any) -> int:
        """Sends a sequenced message and returns its sequence number, without waiting for an answer.

        Raises `ValueError` or `TypeError` for a message that cannot be encoded, `ConnectionLost` or `Terminated`
        when there is no session, `BufferFull` when the server does not read. Nothing is sent then."""
        self._check()
        number = self._next_seq_no
        self._write(self._codec.encode(name, {"seqNo": number, "sendingTime": time.time_ns(), **fields}))
        self._next_seq_no = number + 1
        self._last_sent = time.monotonic()
        if self._pace:
            self._pace.count(name)
        return number

    async def drain(self) -> None:
        """Waits until the network has taken most of what was sent. Raises `ConnectionLost`."""
        self._flush()
        if self._failure is not None:
            raise self._again(self._failure)
        try:
            await self._writer.drain()
        except OSError as error:
            if self._failure is not None:
                raise self._again(self._failure) from None
            raise self._loss(error) from None
