"""A PostgreSQL that loses connections where a test says: a proxy on a unix socket before the real one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

SOCKET = ".s.PGSQL.5432"


class Lose(Enum):
    """When the connection of the marked statement goes."""

    BEFORE = "before PostgreSQL gets the statement"
    DURING = "when PostgreSQL has it and has not answered"
    AFTER = "when PostgreSQL has committed and answered"


class Proxy:
    """Forwards everything; the statement that carries the marked bytes loses its connection, once."""

    def __init__(self, url: str, folder: Path) -> None:
        parts = urlsplit(url)
        self._real = Path(parse_qs(parts.query)["host"][0]) / SOCKET
        self._own = folder / SOCKET
        self.url = parts._replace(query=f"host={quote(str(folder), safe='')}").geturl()
        self._mark: bytes | None = None
        self._when = Lose.BEFORE
        self.lost = 0

    def lose(self, mark: bytes, when: Lose) -> None:
        """Lose the connection of the next statement that carries these bytes among its parameters."""
        self._mark, self._when = mark, when

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        """The proxy, for as long as the block."""
        server = await asyncio.start_unix_server(self._serve, self._own)
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            back_reader, back_writer = await asyncio.open_unix_connection(self._real)
            answers = asyncio.create_task(_copy(back_reader, writer))
            while data := await reader.read(65536):
                lost = self._take(data)
                if lost is Lose.AFTER:
                    answers.cancel()
                    await asyncio.gather(answers, return_exceptions=True)
                if lost is not Lose.BEFORE:
                    back_writer.write(data)
                    await back_writer.drain()
                if lost is Lose.AFTER:
                    await back_reader.read(1)  # the answer begins to come, so it is committed
                if lost:
                    break
            back_writer.close()
            writer.transport.abort()

    def _take(self, data: bytes) -> Lose | None:
        if self._mark is None or self._mark not in data:
            return None
        self._mark = None
        self.lost += 1
        return self._when


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
