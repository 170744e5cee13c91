"""A worker's time: the database's, learnt at each poll, then carried on by the monotonic clock.

The machine's own clock decides nothing (security.md, rule 5).
"""

import time
from datetime import UTC, datetime


class ClockUnknown(Exception):
    """The database's time was not learnt yet."""


class Clock:
    """Seconds since 1970 by the database."""

    def __init__(self) -> None:
        self._offset: float | None = None

    @property
    def known(self) -> bool:
        """Whether the time was learnt."""
        return self._offset is not None

    def learn(self, database_now: datetime, asked: float, answered: float) -> None:
        """Take the database's time, asked for and answered at these monotonic seconds."""
        self._offset = database_now.timestamp() - (asked + answered) / 2

    def now(self) -> float:
        """Seconds since 1970. Raises ClockUnknown."""
        if self._offset is None:
            raise ClockUnknown
        return time.monotonic() + self._offset

    def today(self) -> datetime:
        """The same as a point in time."""
        return datetime.fromtimestamp(self.now(), UTC)
