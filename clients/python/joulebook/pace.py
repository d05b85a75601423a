"""The pace of a session: its messages are counted in seconds as the exchange counts them, so that those that would be
refused with 9003 wait for the next second.

    second begins with the first message after the end of the one before
    │ 1 2 3 ... limit │ the next one waits │ 1 2 3 ...
"""

from __future__ import annotations

import time
from typing import Optional, Union

#: A client's second: a little longer than the exchange's, because the network may bring messages closer together.
SECOND = 1.05
#: Messages that the exchange counts apart, with a limit that nobody reaches: they never wait.
CANCELS = frozenset(("Cancel", "MassCancel"))


class Pace:
    """Counts a session's messages."""

    def __init__(self, limit: Optional[int] = None) -> None:
        #: Messages a second, cancels excepted; `None`: not known.
        self.limit = limit
        self._start, self._count = 0.0, 0

    def count(self, name: str) -> None:
        """Notes that a message is sent."""
        if name in CANCELS:
            return
        now = time.monotonic()
        if now - self._start >= SECOND:
            self._start, self._count = now, 0
        self._count += 1

    def pause(self, name: str, messages: int = 1) -> float:
        """Seconds until so many messages may be sent; 0: at once."""
        if self.limit is None or name in CANCELS:
            return 0.0
        left = self._start + SECOND - time.monotonic()
        return left if left > 0 and self._count + min(messages, self.limit) > self.limit else 0.0

    def learn(self, limit: int) -> None:
        """Takes over the limit that the exchange has named, and waits for its next second."""
        if limit > 0:
            self.limit = limit
            self._start, self._count = time.monotonic(), limit


def pace_of(pace: Union[bool, int]) -> Optional[Pace]:
    """What `connect(pace=...)` says. Raises `ValueError` for what is no number of messages."""
    if pace is False:
        return None
    if pace is True:
        return Pace()
    if not isinstance(pace, int) or pace < 1:
        raise ValueError(f"pace is True or messages a second, at least 1, not {pace!r}")
    return Pace(pace)
