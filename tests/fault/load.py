"""Patients who show codes and terminals that race for them, as a load that survives faults and writes down all it saw."""

import asyncio
import contextlib
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import httpx
import msgspec

from codes.claims import decode, services_to_names
from codes.cose import decode_sign1
from codes.digits import strip_scanned, text_to_bytes
from tests.fault.checker import Answer, Row, Scan, Told, Verdict, answer_of, check, unanswered
from tests.process.demo import Demo, Headers

SETTLE_SECONDS: Final = 40.0  # a code lives 60; what is unknown until then stays unknown
_PAUSE: Final = 0.05
_ROWS: Final = """
SELECT r.cti, r.id, r.at, r.client_id, r.terminal, r.granted, p.health_card_id FROM resolutions r
JOIN cards k ON k.id = r.card_id JOIN people p ON p.id = k.person_id WHERE r.cti = ANY($1)
"""


def cti_of(code: str) -> bytes:
    """The identity of a code."""
    return decode(decode_sign1(text_to_bytes(strip_scanned(code))).payload).cti


class Hospital:
    """A client with its token."""

    def __init__(self, client_id: str, headers: Headers) -> None:
        self.client_id = client_id
        self.headers = headers


class Ledger:
    """All that callers were told."""

    def __init__(self) -> None:
        self.scans: list[Scan] = []
        self.statuses: Counter[str] = Counter()
        self.answered_at: list[float] = []  # when any call ended with something other than unknown

    def note(self, status: str, *, known: bool) -> None:
        """Count a call; `known`: it was answered, and not by 503."""
        self.statuses[status] += 1
        if known:
            self.answered_at.append(time.monotonic())

    @property
    def last_answer(self) -> float:
        """When a call was last answered, on the monotonic clock."""
        return self.answered_at[-1] if self.answered_at else 0.0

    def longest_silence(self) -> float:
        """The longest time without any answered call, in seconds."""
        return max((b - a for a, b in itertools.pairwise(self.answered_at)), default=0.0)

    def unexpected(self) -> dict[str, int]:
        """Answers that no fault explains: 5xx but 503, and refused connections."""
        bad = {s: n for s, n in self.statuses.items() if s.startswith("5") and s != "503"}
        return bad | {s: n for s, n in self.statuses.items() if s in ("ConnectError", "ConnectTimeout", "ReadTimeout")}


class Load:
    """Scans against one address. All terminals of one load share its ledger."""

    def __init__(self, http: httpx.AsyncClient, hospitals: Sequence[Hospital]) -> None:
        self.http = http
        self.hospitals = hospitals
        self.ledger = Ledger()
        self._stopping = False

    async def post(self, path: str, headers: Headers, body: Any) -> httpx.Response | None:
        """One call; None where its outcome is not known."""
        try:
            answer = await self.http.post(path, headers=headers, json=body)
        except httpx.TransportError as error:
            self.ledger.note(type(error).__name__, known=False)
            return None
        self.ledger.note(str(answer.status_code), known=answer.status_code != 503)
        if answer.status_code == 503:
            assert answer.headers["retry-after"], "a 503 says when to come again"
            return None
        return answer

    async def scan(self, hospital: Hospital, code: str, terminal: str) -> Scan:
        """One scan, written down."""
        body = {"code": code, "step": "0101051", "channel": "0100", "terminal": terminal}
        began = time.monotonic()
        answer = await self.post("/v1/hospital/resolutions", hospital.headers, body)
        told, shown = _read(answer)
        done = Scan(cti_of(code), (hospital.client_id, terminal), began, time.monotonic(), told, shown)
        self.ledger.scans.append(done)
        return done

    async def settle(self, hospital: Hospital, code: str, terminal: str) -> Scan:
        """Scan, and again while the outcome is unknown, as a terminal does."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while (done := await self.scan(hospital, code, terminal)).told is Told.UNKNOWN:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(_PAUSE)
        return done

    async def code(self, me: Headers, card_id: str) -> str:
        """A new code, asked for until there is one."""
        while True:
            answer = await self.post(f"/v1/patient/cards/{card_id}/codes", me, {})
            if answer is not None:
                assert answer.status_code == 201, answer.text
                return str(answer.json()["code"])
            await asyncio.sleep(_PAUSE)

    async def race(self, code: str, racers: int) -> list[Scan]:
        """Terminals of all hospitals in turn scan one code at once."""
        turns = itertools.islice(itertools.cycle(self.hospitals), racers)
        return await asyncio.gather(*(self.settle(who, code, f"T{n}") for n, who in enumerate(turns)))

    async def visit(self, me: Headers, card_id: str, racers: int) -> None:
        """Codes shown and raced for, one after the other, until the load stops."""
        while not self._stopping:
            await self.race(await self.code(me, card_id), racers)

    @asynccontextmanager
    async def running(self, me: Headers, card_id: str, *, lines: int = 4, racers: int = 2) -> AsyncIterator["Load"]:
        """The load, for as long as the block; then every unknown outcome is settled."""
        tasks = [asyncio.create_task(self.visit(me, card_id, racers)) for _ in range(lines)]
        try:
            yield self
        finally:
            self._stopping = True
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)
            self._stopping = False

    async def verdict(self, database_url: str) -> Verdict:
        """The checker's verdict over all scans so far. Fails where a used code was never answered."""
        rows = await ledger_rows(database_url, {scan.cti for scan in self.ledger.scans})
        assert not unanswered(self.ledger.scans, rows)
        return check(self.ledger.scans, rows)


def _read(answer: httpx.Response | None) -> tuple[Told, Answer | None]:
    if answer is None:
        return Told.UNKNOWN, None
    if answer.status_code in (200, 201):
        return Told.WON if answer.status_code == 201 else Told.REPLAYED, answer_of(answer.json())
    if answer.status_code == 409 and answer.json()["code"] == "code-already-used":
        return Told.USED, None
    return Told.REFUSED, None


async def ledger_rows(database_url: str, ctis: set[bytes]) -> list[Row]:
    """The rows that the database keeps of these codes."""
    connection = await asyncpg.connect(database_url)
    try:
        found = await connection.fetch(_ROWS, list(ctis))
    finally:
        await connection.close()
    return [Row(r["cti"], (str(r["client_id"]), r["terminal"]), _kept(r)) for r in found]


def _kept(row: Any) -> Answer:
    granted = services_to_names(row["granted"]) if row["granted"] else []
    at = msgspec.to_builtins(row["at"]).replace("+00:00", "Z")
    return Answer(str(row["id"]), at, row["health_card_id"], tuple(sorted(granted)))


@asynccontextmanager
async def load_on(demo: Demo, address: str | None = None) -> AsyncIterator[Load]:
    """A load of both hospitals of the demo, against it or against another worker of its database."""
    hospitals = [
        Hospital(demo.info[which]["client_id"], demo.hospital(which)) for which in ("hospital", "second_hospital")
    ]
    limits = httpx.Limits(max_connections=60, max_keepalive_connections=60)
    base = address or demo.info["base_url"]
    async with httpx.AsyncClient(base_url=base, timeout=20, limits=limits, trust_env=False) as http:
        yield Load(http, hospitals)
