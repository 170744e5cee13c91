"""Hospitals that post records and their corrections, as a load that survives faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from tests.fault.booking_load import strangers
from tests.fault.keyed_load import PAUSE, KeyedLoad
from tests.process.demo import Demo, Headers
from tests.support import crowd
from tests.support.records import lab

EVERYTHING: Final = ("POST records 201", "POST records record-superseded", "corrected")
_LINES: Final = 2  # of each window: they correct the same records


class Desk:
    """A hospital with an open resolution of a person: where it posts, and what it posted."""

    def __init__(self, headers: Headers, resolution_id: str) -> None:
        self.headers = headers
        self.resolution_id = resolution_id
        self.path = f"/v1/hospital/resolutions/{resolution_id}/records"
        self.posted: list[str] = []


class RecordsLoad(KeyedLoad):
    """Desks post reports, each with a value of its own, and correct what any line of theirs posted."""

    def __init__(self, http: httpx.AsyncClient, desks: list[Desk]) -> None:
        super().__init__(http)
        self.desks = desks

    async def _line(self, desk: Desk) -> None:
        mine = desk.posted
        while not self._stopping:
            await asyncio.sleep(PAUSE * self._random.random())
            corrects = self._random.choice(mine[-3:]) if mine and self._random.random() < 0.6 else None
            made = await self.once(desk.path, desk.headers, posting(f"{self._run}-{next(self._keys)}", corrects))
            if made is not None:
                mine.append(made["record_id"])
                self.said["corrected"] += corrects is not None

    @asynccontextmanager
    async def running(self, demo: Demo) -> AsyncIterator["RecordsLoad"]:
        """The load, for as long as the block; then every unknown outcome is settled."""
        async with self.under_way(demo, [self._line(desk) for desk in self.desks for _ in range(_LINES)]):
            yield self

    async def lost(self) -> list[str]:
        """Answered records that are not read as they were posted."""
        wrong = []
        for one in self.done:
            read = await self.settle("GET", f"{one.path}/{one.answer['record_id']}", one.headers)
            if not read.is_success or read.content not in one.body:
                wrong.append(f"{one.answer['record_id']}: {read.status_code}")
        return wrong


def posting(title: str, replaces: str | None = None) -> bytes:
    """The body that posts a report of this title, perhaps as a correction."""
    more = f',"replaces":"{replaces}"' if replaces else ""
    return f'{{"resource":{lab(title=title)}{more}}}'.encode()


def desks(demo: Demo, people: list[crowd.Member]) -> list[Desk]:
    """Each person's code, scanned at both hospitals."""
    made = []
    for which in ("hospital", "second_hospital"):
        headers = demo.hospital(which)
        for one in people:
            found = demo.scan(headers, demo.code(one.own.headers, {"card_id": one.own.card_id}))
            made.append(Desk(headers, found.json()["resolution_id"]))
    return made


@asynccontextmanager
async def records_load_on(demo: Demo, people: int) -> AsyncIterator[RecordsLoad]:
    """A load of both hospitals of the demo on so many new people."""
    made = desks(demo, await strangers(demo, people))
    limits = httpx.Limits(max_connections=60, max_keepalive_connections=60)
    async with httpx.AsyncClient(base_url=demo.info["base_url"], timeout=20, limits=limits, trust_env=False) as http:
        yield RecordsLoad(http, made)
