"""How a session comes back by itself after a lost connection.

    lost ──> back-off ──> Establish alone ──> missed reports ──> requests that did not arrive
                             │ the server does not know the session: nothing of it happened
                             └──> Negotiate a new one ──> all requests that wait

A request whose answer is awaited is sent again when it certainly changed nothing: its number did not arrive, or a later
question has been answered and its own answer has not come.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Dict, List, Optional, Union

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .connection import CHUNK, LOG_ON_TIMEOUT
from .errors import ConnectionLost, Terminated
from .message import Message
from .requests import Pending
from .session import Position, Session, next_number

#: The server does not know the session version, or its operator has reset it: a new one is negotiated.
UNKNOWN_VERSION = frozenset((1005, 1013, 1025))
#: Coming back would be refused again, or would throw out somebody else: the session ends.
FINAL = frozenset((0, 1001, 1002, 1007, 1008, 1009, 1015, 1020, 1021, 1023, 1024, 2001, 2002, 2003, 2004, 2005, 2007))


@dataclass(frozen=True)
class Backoff:
    """Pauses between attempts to connect: from `first` seconds, `factor` times longer after each, up to `most`, each
    shortened by up to `jitter` of it at random, so that many clients do not come at once. `attempts` bounds the
    attempts after one loss; `None`: without end."""

    first: float = 0.1
    most: float = 15.0
    factor: float = 2.0
    jitter: float = 0.5
    attempts: Optional[int] = None

    def pause(self, attempt: int) -> float:
        """The pause before an attempt, 0 for the first one, in seconds."""
        whole = min(self.most, self.first * self.factor ** min(attempt, 60))
        return whole * (1 - self.jitter * random.random())


class LogOn:
    """What is needed to log on again."""

    def __init__(self, host: str, port: int, session: int, key: Ed25519PrivateKey, keep_alive_ms: int,
                 cancel_after_ms: Optional[int], ssl: Optional[SSLContext], silence_ms: Optional[int]) -> None:
        self.host, self.port, self.session, self.key = host, port, session, key
        self.keep_alive_ms, self.cancel_after_ms, self.ssl = keep_alive_ms, cancel_after_ms, ssl
        self.patience = None if silence_ms is None else silence_ms / 1_000


class Comeback(Session):
    """A session that may come back by itself."""

    _place: LogOn
    _backoff: Optional[Backoff] = None

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self._coming: Optional["asyncio.Task[None]"] = None
        #: Requests made while there is no connection.
        self._waiting: List[Pending] = []
        self._missed = 0

    async def _start(self, resume: Optional[Position]) -> Message:
        """Logs on over the new connection, and starts reading. `resume`: from where on; `None`: a new session."""
        challenge = await self._challenge()
        self.market = challenge.fields["marketId"]
        self._version = resume.session_version if resume else next_number()
        session: Dict[str, Any] = {"sessionId": self._place.session, "sessionVersion": self._version}
        if resume is None:
            await self._negotiate(challenge, self._place.key, session)
        answer = await self._establish(challenge, self._place.key, {
            **session, "nextSeqNo": None if resume else 1, "keepAliveInterval": self._place.keep_alive_ms,
            "cancelAfter": self._place.cancel_after_ms})
        next_client, next_server = answer.fields["nextClientSeqNo"], answer.fields["nextServerSeqNo"]
        # Numbers that were used before and did not arrive stay used, so that each number has one meaning.
        self._next_seq_no = max(next_client, self._next_seq_no) if resume else next_client
        self._next_report = next_server
        self._held, self._failure = [], None
        if resume is None:
            self._copy_follows = False
        self._missing = range(min(resume.next_report, next_server), next_server) if resume else range(0)
        self._missed = len(self._missing)
        self._heard = True
        if self._missing:
            self._ask_again()
        self._tasks = [asyncio.create_task(self._read_on()),
                       asyncio.create_task(self._keep_alive(self._place.keep_alive_ms / 1_000, self._place.patience))]
        return answer

    # After a loss

    def _fail(self, error: Terminated) -> None:
        is_final = error.code in FINAL and not isinstance(error, ConnectionLost)
        if self._backoff is None or self._is_over or self._terminated is not None or is_final:
            super()._fail(error)
        elif self._failure is None:
            at = Position(self._version, self._missing.start if self._missing else self._next_report)
            self._failure = error
            self._stop()
            self._event("lost", error)
            self._coming = asyncio.create_task(self._come_back(at, error))

    async def _come_back(self, at: Position, error: Terminated) -> None:
        backoff = self._backoff or Backoff()
        attempt, resume = 0, None if error.code in UNKNOWN_VERSION else at
        reset = error if error.code == 1025 else None
        while not self._is_over:
            pause = self._pause(backoff, attempt, error)
            self._event("retrying", error, seconds=pause)
            await asyncio.sleep(pause)
            attempt += 1
            try:
                self._reader, self._writer = await asyncio.wait_for(asyncio.open_connection(
                    self._place.host, self._place.port, ssl=self._place.ssl, limit=CHUNK), LOG_ON_TIMEOUT)
                answer = await self._start(resume)
            except (OSError, asyncio.TimeoutError, Terminated) as problem:
                error = problem if isinstance(problem, Terminated) else ConnectionLost(
                    f"cannot connect: {problem or type(problem).__name__}", problem)
                if error.code in UNKNOWN_VERSION:
                    resume, reset = None, error if error.code == 1025 else reset
                elif resume is not None and error.code == 1004:
                    # Another log-on has begun a higher version: this one is over.
                    self._finish(error)
                    return
                elif (error.code in FINAL and error.code) or attempt == backoff.attempts:
                    self._finish(error)
                    return
                continue
            self._coming = None
            self._send_again(answer, is_new=resume is None)
            if reset is not None:
                self._event("reports_lost", reset)
            return

    @staticmethod
    def _pause(backoff: Backoff, attempt: int, error: Terminated) -> float:
        if error.code == 1022 and error.message is not None:
            return max(1.0, float(error.message.fields["brokenLimit"]) / 1e9)
        return backoff.pause(attempt)

    def _send_again(self, answer: Message, is_new: bool) -> None:
        """Sends the requests that did not arrive, and finds out about those that did."""
        if is_new:
            self._requests.settled.clear()
        arrived = [] if is_new else [
            pending for pending in self._requests.all() if pending.number < answer.fields["nextClientSeqNo"]]
        again = [pending for pending in self._requests.all() if pending not in arrived]
        waiting, self._waiting = self._waiting, []
        for pending in again + waiting:
            if not pending.future.done():
                self._send_request(pending)
        if arrived:
            self._ask_for_the_end_of(arrived)
        self._on_return(is_new)
        if is_new:
            self._event("restarted")
        elif not self._missing:
            self._event("resumed")

    def _ask_for_the_end_of(self, arrived: List[Pending]) -> None:
        """Asks a question, unless all are answered: its answer comes behind the reports of all that was sent before
        it. What has no answer then was rejected outside the sequence, or was a question itself: its answer was
        lost."""
        arrived = [pending for pending in arrived if self._requests.by_number.get(pending.number) is pending]
        if not arrived or self._failure:
            return
        question = Pending("StatusRequest", {"withStateHash": "no"}, asyncio.get_running_loop().create_future())

        def answered(future: "asyncio.Future[Message]") -> None:
            if future.cancelled() or self._failure:
                return
            if future.exception():
                # Too much was asked: later again.
                asyncio.get_running_loop().call_later(1, self._ask_for_the_end_of, arrived)
                return
            for pending in arrived:
                if self._requests.by_number.get(pending.number) is pending and not pending.future.done():
                    if pending.is_numbered:
                        pending.renew(next_number())
                    self._send_request(pending)

        question.future.add_done_callback(answered)
        self._send_request(question)

    def _on_return(self, is_new: bool) -> None:
        """Called when the session is established again, before the missed reports come."""

    def _on_complete(self) -> None:
        self._event("resumed", count=self._missed)

    async def _start_request(self, pending: Pending) -> None:
        if self._coming is not None:
            self._waiting.append(pending)
            return
        try:
            await super()._start_request(pending)
        except ConnectionLost as error:
            self._fail(error)
            if self._coming is None:
                raise
            if not pending.number and pending not in self._waiting:
                self._waiting.append(pending)

    def _send_request(self, pending: Pending) -> None:
        try:
            super()._send_request(pending)
        except ConnectionLost as error:
            self._fail(error)
            if self._coming is None:
                raise
            if not pending.number:
                self._waiting.append(pending)

    def _forget(self, pending: Pending) -> None:
        super()._forget(pending)
        if pending in self._waiting:
            self._waiting.remove(pending)

    def _finish(self, error: Terminated) -> None:
        waiting, self._waiting = self._waiting, []
        super()._finish(error)
        for pending in waiting:
            if not pending.future.done():
                pending.future.set_exception(self._again(error))
        if self._coming is not None and self._coming is not asyncio.current_task():
            self._coming.cancel()
        self._coming = None

    @property
    def is_connected(self) -> bool:
        """Whether the session is established now."""
        return self._failure is None and not self._writer.transport.is_closing()


def backoff_of(reconnect: Union[bool, Backoff]) -> Optional[Backoff]:
    """What `connect(reconnect=...)` says."""
    return reconnect if isinstance(reconnect, Backoff) else Backoff() if reconnect else None
