"""Reading `text/event-stream` as a client does: events with their ids, within a bounded time."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx

WAIT_SECONDS = 10.0  # for a busy machine; where a figure is promised, the test measures it


class Event(NamedTuple):
    """One event, and the monotonic time at which it came."""

    id: str
    name: str
    data: dict[str, Any]
    came: float


class Stream:
    """An open stream. `next()` waits for one event; `all()` takes what comes within a time."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read(lines))

    async def _read(self, lines: AsyncIterator[str]) -> None:
        fields: dict[str, str] = {}
        async for line in lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            else:
                if "event" in fields:
                    event = Event(fields["id"], fields["event"], json.loads(fields["data"]), time.monotonic())
                    await self._queue.put(event)
                fields = {}
        await self._queue.put(None)

    async def next(self, name: str | None = None, *, within: float = WAIT_SECONDS) -> Event:
        """The next event (of a name)."""
        async with asyncio.timeout(within):
            while True:
                event = await self._queue.get()
                assert event is not None, "the stream ended"
                if name in (None, event.name):
                    return event

    async def some(self, count: int, name: str, quiet: float = 1.2) -> list[Event]:
        """The next `count` events of a name, after which none of that name comes for a while."""
        found = [await self.next(name) for _ in range(count)]
        more = [event for event in await self.all(quiet) if event.name == name]
        assert not more, more
        return found

    async def all(self, seconds: float) -> list[Event]:
        """Every event that comes within so many seconds."""
        found = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                event = await asyncio.wait_for(self._queue.get(), left)
            except TimeoutError:
                break
            if event is None:
                break
            found.append(event)
        return found

    async def ended(self, within: float = WAIT_SECONDS) -> bool:
        """Whether the server ends the stream within this time."""
        try:
            async with asyncio.timeout(within):
                while await self._queue.get() is not None:
                    pass
                return True
        except TimeoutError:
            return False

    def close(self) -> None:
        """Read no more."""
        self._reader.cancel()


@asynccontextmanager
async def listening(http: httpx.AsyncClient, me: dict[str, str], last: str | None = None) -> AsyncIterator[Stream]:
    """The patient's events, from now on or from a Last-Event-ID."""
    headers = {**me, **({"Last-Event-ID": last} if last else {})}
    async with http.stream("GET", "/v1/patient/events", headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        stream = Stream(lines)
        try:
            yield stream
        finally:
            stream.close()
