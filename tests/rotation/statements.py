"""Between the models and PostgreSQL: statements are counted, and the Nth fails or ends this process."""

import os
import signal
from collections.abc import Callable
from types import TracebackType
from typing import Any

import asyncpg

Hit = Callable[[Any], None]


class Statements:
    """Counts statements, BEGIN and COMMIT among them, while it is entered; not those of the test's own connection."""

    def __init__(self, outside: Any = None) -> None:
        self._outside = outside
        self.count = 0
        self._at: int | None = None
        self._before: Hit = _nothing
        self._after: Hit = _nothing

    def lose_at(self, number: int, *, after: bool) -> None:
        """The connection is lost before the Nth statement from now on arrives, or before its answer does."""
        self.count, self._at = 0, number
        self._before, self._after = (_nothing, _lose) if after else (_lose, _nothing)

    def die_at(self, number: int, *, after: bool) -> None:
        """This process is killed before the Nth statement is sent, or when it was answered."""
        self.count, self._at = 0, number
        self._before, self._after = (_nothing, _die) if after else (_die, _nothing)

    def __enter__(self) -> "Statements":
        self._execute, self._plain = asyncpg.Connection._execute, asyncpg.Connection.execute
        asyncpg.Connection._execute = self._counting(self._execute)
        asyncpg.Connection.execute = self._counting_plain(self._plain)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncpg.Connection._execute, asyncpg.Connection.execute = self._execute, self._plain

    def _counting(self, method: Any) -> Any:
        async def counted(connection: Any, query: str, *rest: Any, **named: Any) -> Any:
            if connection is self._outside:
                return await method(connection, query, *rest, **named)
            self.count += 1
            hit = self.count == self._at
            if hit:
                self._before(connection)
            answer = await method(connection, query, *rest, **named)
            if hit:
                self._after(connection)
            return answer

        return counted

    def _counting_plain(self, method: Any) -> Any:
        """BEGIN and COMMIT go another way through asyncpg than statements with values."""
        counted = self._counting(method)

        async def plain(connection: Any, query: str, *values: Any, **named: Any) -> Any:
            way = method if values or query.startswith("ROLLBACK") else counted
            return await way(connection, query, *values, **named)

        return plain


def _nothing(connection: Any) -> None:
    """All is well."""


def _lose(connection: Any) -> None:
    connection.terminate()
    raise asyncpg.ConnectionDoesNotExistError("lost")


def _die(connection: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
