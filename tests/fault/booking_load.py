"""People who book, cancel and wait, windows and hospitals that stop sessions, as a load that survives faults."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import httpx

from api.run.root_key import read_root_key
from models import database
from models.keyring import load_ring
from models.vault import Vault
from tests.fault.keyed_load import PAUSE, KeyedLoad
from tests.process.demo import Demo, Headers
from tests.support import crowd

SESSIONS: Final = 6  # on sale at a time, of both hospitals
EVERYTHING: Final = (
    *("POST appointments 201", "POST waitings 201", "DELETE 204", "POST cancel 200", "POST stop 200"),
    "stopped somebody",
)
_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_HALF_HOUR: Final = timedelta(minutes=30)


class BookingLoad(KeyedLoad):
    """All lines share a ledger of statuses, and the sessions that are on sale."""

    def __init__(self, http: httpx.AsyncClient, people: list[crowd.Member], hospitals: list[Headers]) -> None:
        super().__init__(http)
        self.people = people
        self.hospitals = hospitals
        self.sessions: list[tuple[Headers, str, dict[str, Any]]] = []

    # Hospitals

    async def publish(self) -> None:
        """A new session within a month."""
        number, hospital = next(self._keys), self._random.choice(self.hospitals)
        begin = (datetime.now(_SHANGHAI) + timedelta(days=2 + number % 20)).replace(
            hour=8 + number % 9, minute=0, second=0, microsecond=0
        )
        key = f"{self._run}-{number}"
        answer = await self.settle("PUT", f"/v1/hospital/schedules/{key}", hospital, session_body(begin, [1, 1]))
        assert answer.is_success, answer.text
        self.sessions.append((hospital, key, answer.json()))

    async def _hospitals(self) -> None:
        """New sessions come, old ones are stopped: a slot first, then all."""
        while not self._stopping:
            while len(self.sessions) < SESSIONS:
                await self.publish()
            await asyncio.sleep(PAUSE * 4)
            hospital, key, schedule = self.sessions.pop(self._random.randrange(len(self.sessions) // 2))
            await self.stop(hospital, key, [schedule["slots"][0]["key"]])
            await self.stop(hospital, key, None)

    async def stop(self, hospital: Headers, key: str, keys: list[str] | None) -> None:
        """Stop a session, or a slot."""
        body = {"reason": "stopped", "keys": keys}
        answer = await self.settle("POST", f"/v1/hospital/schedules/{key}/stop", hospital, body)
        assert answer.is_success, answer.text
        self.said["stopped somebody"] += answer.json()["cancelled"]

    # People

    async def _person(self, member: crowd.Member) -> None:
        """Books, waits and cancels, now and then at a window."""
        headers, card = member.own.headers, f"/v1/patient/cards/{member.own.card_id}"
        mine: list[str] = []
        while not self._stopping:
            await asyncio.sleep(PAUSE * self._random.random())
            if not self.sessions:
                continue
            _, _, schedule = self._random.choice(self.sessions)
            act = self._random.randrange(10)
            if act < 2:
                await self._at_a_window(member, schedule)
            elif act < 6 or not mine:
                slot = self._random.choice(schedule["slots"])
                made = await self.once(f"{card}/appointments", headers, {"slot_id": slot["slot_id"]})
                if made is not None:
                    mine.append(made["appointment_id"])
                else:
                    wanted = {"schedule_id": schedule["schedule_id"], "slot_id": slot["slot_id"]}
                    await self.once(f"{card}/waitings", headers, wanted)
            else:
                gone = mine.pop(self._random.randrange(len(mine)))
                await self.settle("DELETE", f"/v1/patient/appointments/{gone}", headers)

    async def _at_a_window(self, member: crowd.Member, schedule: dict[str, Any]) -> None:
        """Book, and cancel again."""
        headers, hospital = member.own.headers, next(h for h, _, s in self.sessions if s is schedule)
        code = (await self.settle("POST", f"/v1/patient/cards/{member.own.card_id}/codes", headers, {})).json()["code"]
        scan = {"code": code, "step": "0101051", "channel": "0100", "terminal": "T"}
        resolved = (await self.settle("POST", "/v1/hospital/resolutions", hospital, scan)).json()
        path = f"/v1/hospital/resolutions/{resolved['resolution_id']}/appointments"
        made = await self.once(path, hospital, {"slot_id": schedule["slots"][-1]["slot_id"]})
        if made is not None:
            await self.once(f"{path}/{made['appointment_id']}/cancel", hospital, {})

    @asynccontextmanager
    async def running(self, demo: Demo) -> AsyncIterator["BookingLoad"]:
        """The load, for as long as the block; then every unknown outcome is settled."""
        lines = [self._hospitals(), *(self._person(member) for member in self.people)]
        async with self.under_way(demo, lines):
            yield self

    async def until_all_happened(self, seconds: float = 30) -> None:
        """Go on until each kind of thing was done."""
        await self.until_happened(EVERYTHING, seconds)


def session_body(begin: datetime, capacities: list[int]) -> dict[str, Any]:
    """A session of half-hour slots from a time on."""
    slots = [
        {
            "key": str(n),
            "start": (begin + n * _HALF_HOUR).isoformat(),
            "end": (begin + (n + 1) * _HALF_HOUR).isoformat(),
        }
        for n in range(len(capacities))
    ]
    return {
        "department": {"code": "03", "name": "内科"},
        "doctor": None,
        "clinic": "ordinary",
        "room": "201",
        "date": begin.date().isoformat(),
        "period": "morning",
        "fee_fen": 0,
        "opens_at": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
        "cancel_until": begin.isoformat(),
        "slots": [{**slot, "capacity": capacity} for slot, capacity in zip(slots, capacities, strict=True)],
    }


async def texts_sent(url: str, seconds: float = 30) -> int:
    """Wait until the outbox has nothing more to send; how many texts it sent."""
    deadline = time.monotonic() + seconds
    connection = await asyncpg.connect(url)
    try:
        while await connection.fetchval("SELECT count(*) FROM deliveries WHERE done_at IS NULL AND kind = 'text'"):
            assert time.monotonic() < deadline, "texts are not sent"
            await asyncio.sleep(0.2)
        return int(
            await connection.fetchval("SELECT count(*) FROM deliveries WHERE kind = 'text' AND outcome = 'sent'")
        )
    finally:
        await connection.close()


async def strangers(demo: Demo, count: int) -> list[crowd.Member]:
    """So many new people with cards, in a demo's database and under its keys."""
    await database.connect(demo.database_url)
    try:
        vault = Vault(read_root_key(demo.data / "root.key"), os.urandom)
        vault.ring = (await load_ring(vault)).ring
        return await crowd.strangers(vault, count)
    finally:
        await database.disconnect()


@asynccontextmanager
async def booking_load_on(demo: Demo, people: int) -> AsyncIterator[BookingLoad]:
    """A load of so many people at both hospitals of the demo."""
    members = await strangers(demo, people)
    hospitals = [demo.hospital("hospital"), demo.hospital("second_hospital")]
    limits = httpx.Limits(max_connections=60, max_keepalive_connections=60)
    async with httpx.AsyncClient(base_url=demo.info["base_url"], timeout=20, limits=limits, trust_env=False) as http:
        yield BookingLoad(http, members, hospitals)
