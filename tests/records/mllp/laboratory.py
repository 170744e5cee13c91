"""A laboratory's system at the other end of a socket."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from api.records.mllp.framing import framed
from tests.records.mllp.messages import acked

WAIT = 10.0


class Laboratory:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def ack(self, charset: str = "utf-8") -> dict[str, Any]:
        """The next acknowledgement. Raises asyncio.IncompleteReadError where the connection ends before it."""
        block = await asyncio.wait_for(self._reader.readuntil(b"\x1c\r"), WAIT)
        assert block[:1] == b"\x0b"
        return acked(block[1:-2], charset)

    async def send(self, message: str | bytes, charset: str = "utf-8") -> dict[str, Any]:
        """Send a message and read what becomes of it."""
        await self.write(framed(message.encode(charset) if isinstance(message, str) else message))
        return await self.ack(charset)

    async def nothing(self, seconds: float = 0.2) -> bool:
        """Whether nothing is said for so long."""
        try:
            await asyncio.wait_for(self._reader.read(1), seconds)
        except TimeoutError:
            return True
        return False

    async def closed(self) -> bool:
        """Whether the other end closes."""
        return await asyncio.wait_for(self._reader.read(), WAIT) == b""


@asynccontextmanager
async def connected(
    port: int, tls: ssl.SSLContext | None = None, source: str | None = None
) -> AsyncIterator[Laboratory]:
    """A connection to this machine; `source`: the address it comes from."""
    more: dict[str, Any] = {"ssl": tls} if tls else {}
    if source:
        more["local_addr"] = (source, 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **more)
    try:
        yield Laboratory(reader, writer)
    finally:
        writer.close()
