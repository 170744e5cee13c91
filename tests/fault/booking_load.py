"""People who book, cancel and wait, windows and hospitals that stop sessions, as a load that survives faults."""

import asyncio
import contextlib
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg
import httpx

from api.run.root_key import read_root_key
from models import database
from models.keyring import load_ring
from models.vault import Vault
from tests.fault.load import Ledger
from tests.process.demo import Demo, Headers
from tests.support import crowd

PAUSE: Final = 0.05
SESSIONS: Final = 6  # on sale at a time, of both hospitals
SETTLE_SECONDS: Final = 40.0
EVERYTHING: Final = (
    *("POST appointments 201", "POST waitings 201", "DELETE 204", "POST cancel 200", "POST stop 200"),
    "stopped somebody",
)
_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_HALF_HOUR: Final = timedelta(minutes=30)
# As if the time had passed after which somebody else takes over what a dead worker began.
_LATER: Final = """
UPDATE idempotent_answers SET until = yima_now() WHERE status IS NULL;
UPDATE leases SET until = yima_now();
"""


class Keyed(NamedTuple):
    """A call with an Idempotency-Key that succeeded: what is sent again, and the first answer."""

    path: str
    headers: Headers
    body: dict[str, Any]
    answer: dict[str, Any]


class BookingLoad:
    """All lines share a ledger of statuses, and the sessions that are on sale."""

    def __init__(self, http: httpx.AsyncClient, people: list[crowd.Member], hospitals: list[Headers]) -> None:
        self.http = http
        self.people = people
        self.hospitals = hospitals
        self.ledger = Ledger()
        self.said: Counter[str] = Counter()
        self.done: list[Keyed] = []
        self.sessions: list[tuple[Headers, str, dict[str, Any]]] = []
        self._random = random.Random(7)
        self._keys = itertools.count()
        self._run = uuid4().hex[:8]
        self._stopping = False

    async def call(self, method: str, path: str, headers: Headers, body: Any = None) -> httpx.Response | None:
        """One call; None where its outcome is not known."""
        more: dict[str, Any] = {} if body is None else {"json": body}
        try:
            answer = await self.http.request(method, path, headers=headers, **more)
        except httpx.TransportError as error:
            self.ledger.note(type(error).__name__, known=False)
            return None
        self.ledger.note(str(answer.status_code), known=answer.status_code != 503)
        return None if answer.status_code == 503 else answer

    async def settle(self, method: str, path: str, headers: Headers, body: Any = None) -> httpx.Response:
        """Call, and again until there is an answer that stands."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            answer = await self.call(method, path, headers, body)
            if answer is not None and not (answer.status_code == 409 and _code(answer) == "idempotency-in-progress"):
                what = f"POST {path.rsplit('/', 1)[-1]}" if method == "POST" else method
                self.said[f"{what} {_code(answer)}"] += 1
                return answer
            assert time.monotonic() < deadline, f"{method} {path} has no answer: {answer and answer.text}"
            await asyncio.sleep(PAUSE)

    async def once(self, path: str, headers: Headers, body: dict[str, Any]) -> dict[str, Any] | None:
        """A POST under a key of its own, written down where it succeeded."""
        keyed = {**headers, "Idempotency-Key": f"{self._run}-{next(self._keys)}"}
        answer = await self.settle("POST", path, keyed, body)
        if not answer.is_success:
            return None
        self.done.append(Keyed(path, keyed, body, answer.json()))
        return dict(answer.json())

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
        tasks = [asyncio.create_task(line) for line in lines]
        try:
            yield self
        finally:
            self._stopping = True
            await asyncio.sleep(1)
            await later(demo.database_url)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)

    async def until_all_happened(self, seconds: float = 30) -> None:
        """Go on until each kind of thing was done."""
        deadline = time.monotonic() + seconds
        while missing := [what for what in EVERYTHING if not self.said[what]]:
            assert time.monotonic() < deadline, f"did not happen: {missing}"
            await asyncio.sleep(PAUSE)

    async def repeated(self) -> list[str]:
        """Calls whose repetition under their key does not give the first answer."""
        wrong = []
        for one in self.done:
            again = await self.settle("POST", one.path, one.headers, one.body)
            if not again.is_success or again.json() != one.answer or "idempotent-replayed" not in again.headers:
                wrong.append(f"{one.path}: {again.status_code} {again.text[:200]}")
        return wrong


def _code(answer: httpx.Response) -> str:
    return str(answer.status_code) if answer.is_success else str(answer.json()["code"])


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


async def later(url: str) -> None:
    """As if what a dead worker began could be taken over."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_LATER)
    finally:
        await connection.close()


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
