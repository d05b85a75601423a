"""What the client raises, and the reject codes with their meaning and cure."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Dict, Optional

from .codec import Codec
from .message import Message

#: Codes of rejects that mean: nothing is wrong with the message, but there were too many.
THROTTLES = frozenset((9003, 9007))


@dataclass(frozen=True)
class RejectCode:
    """A row of the list of reject codes."""

    code: int
    name: str
    #: What is wrong.
    meaning: str
    #: What the limit beside the code is, with its unit; empty: there is none.
    limit: str
    #: What to do.
    cure: str


@lru_cache(maxsize=1)
def reject_codes() -> Dict[int, RejectCode]:
    """All reject codes by number."""
    with open(Path(__file__).with_name("reject-codes.csv"), newline="", encoding="utf-8") as file:
        return {int(row["code"]): RejectCode(int(row["code"]), row["name"], row["meaning"], row["limit"], row["action"])
                for row in csv.DictReader(file)}


def reject_code(code: int) -> RejectCode:
    """The row of a code; of one that this client does not know, a row without words."""
    return reject_codes().get(code) or RejectCode(code, f"code{code}", "This client does not know the code.", "",
                                                  "Look it up in docs/reject-codes.md.")


def in_words(code: int, limit: int) -> str:
    """A code with its name, meaning, limit and cure, as a sentence of an error."""
    row = reject_code(code)
    bound = f" ({row.limit}: {limit})" if row.limit and not row.limit.isdigit() else ""
    return f"{code} {row.name}: {row.meaning.rstrip('.')}{bound}. {row.cure}".rstrip()


class Terminated(Exception):
    """The session has ended: the exchange refused or terminated it, this client closed it, or the connection is lost
    (then it is a `ConnectionLost`)."""

    def __init__(self, message: Optional[Message] = None, cause: str = "") -> None:
        #: NegotiationReject, EstablishmentReject or Terminate of the server; `None`: it said nothing.
        self.message = message
        #: Reject code; 0: an orderly end, or the server said nothing.
        self.code: int = message.fields.get("code", 0) if message else 0
        #: Why, in words.
        self.cause = cause or self._words()
        super().__init__(self.cause)

    def _words(self) -> str:
        if self.message is None:
            return "the connection closed"
        if not self.code:
            return f"{self.message.name} of the server"
        return f"{self.message.name}: {in_words(self.code, self.message.fields.get('brokenLimit', 0))}"

    @property
    def is_orderly(self) -> bool:
        """Whether somebody meant the session to end, and nothing was wrong."""
        return self.code == 0 and not isinstance(self, ConnectionLost)


class ConnectionLost(Terminated, ConnectionError):
    """The connection is lost: a network error, bytes that are no frames, or a server's silence. `__cause__` is the
    error of the network, if there was one."""

    def __init__(self, cause: str, error: Optional[BaseException] = None) -> None:
        Terminated.__init__(self, None, cause)
        self.__cause__ = error


class BufferFull(BufferError):
    """The server does not take what is sent, and the send buffer has reached its bound: nothing was sent. `drain`
    waits until it can be."""


class Rejected(Exception):
    """A request was rejected, and nothing changed. `code` has a name, a meaning and a cure; `limit` is the limit that
    was broken, in the unit that `limit_unit` names. `field` is the field whose value is not allowed, where the code
    alone does not say which, and `allowed` what it may be."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.code: int = message.fields["code"]
        self.limit: int = message.fields["brokenLimit"]
        row = reject_code(self.code)
        self.name, self.meaning, self.cure, self.limit_unit = row.name, row.meaning, row.cure, row.limit
        field = message.fields.get("field", "none")
        self.field: Optional[str] = None if field == "none" else str(field)
        self.allowed = Codec().allowed(self.field)
        words = in_words(self.code, self.limit)
        super().__init__(f"{words} {self.field}: {self.allowed}" if self.field else words)

    @staticmethod
    def of(message: Message) -> "Rejected":
        """The error for a reject: `Throttled` for those that say to slow down."""
        return Throttled(message) if message.fields["code"] in THROTTLES else Rejected(message)


class Throttled(Rejected):
    """Rejected because there were too many messages in a second (9003), or because the participant's work is used up
    (9007). The same message may be sent again after `retry_after` seconds."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        # 9003: the next second. 9007: what is owed is earned back at 100,000 units a second by default.
        owed = max(0, -self.limit) / 100_000 if self.code == 9007 else 0
        #: Seconds to wait.
        self.retry_after: float = min(60.0, (1.0 if self.code == 9003 else 0.1) + owed)
