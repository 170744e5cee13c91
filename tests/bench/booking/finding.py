"""Finding slots among 10^5 against finding them among 100, in two services with a database each."""

import json
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from api.web.queries import cursor
from models import database
from models.clients import add_hospital
from models.database import transaction
from tests.bench.booking.stage import ONE, SHANGHAI
from tests.bench.calls import only
from tests.bench.load import Load, Request

MANY: Final = 100_000
FEW: Final = 100
ASKED: Final = 60  # times in one measurement, one after the other
_A_SESSION: Final = 10  # slots
_DAYS: Final = 10  # to come, and as many that are over; the same for many and for few
_PLACES: Final = 2  # of a slot
_PAGE: Final = 20
_DEPARTMENT: Final = "03.77"

# Every other session is over. Half of the slots of each are full: the first, as what comes first is taken first.
_FILL: Final = f"""
WITH days AS (
    SELECT n, $2::date + CASE n % 2 WHEN 0 THEN n / 2 % {_DAYS} ELSE -2 - n / 2 % {_DAYS} END AS date, n % 2 = 1 AS over
        FROM generate_series(0, $3::int / {_A_SESSION} - 1) n
), made AS (
    INSERT INTO schedules (id, hospital_id, key, department_code, department_name, doctor_code, doctor_name,
            doctor_title, clinic, room, date, period, fee_fen, opens_at, cancel_until, status, version, body_hash,
            last_end, created_at, changed_at)
        SELECT gen_random_uuid(), $1, 'many-' || n, '{_DEPARTMENT}', '测试科', 'D' || n % 50, '测试医生', '主任医师',
            'expert', '201', date, 'morning', 2500, yima_now() - interval '1 day', date::timestamptz,
            CASE WHEN over THEN 'closed' ELSE 'open' END, 1, '', date + interval '1 day', yima_now(), yima_now()
        FROM days RETURNING id, hospital_id, department_code, doctor_code, date
), stretches AS (
    INSERT INTO slots (id, schedule_id, hospital_id, department_code, doctor_code, key, date, start, ends, capacity,
            stopped, dropped, sold_out)
        SELECT gen_random_uuid(), m.id, m.hospital_id, m.department_code, m.doctor_code, n::text, m.date,
            (m.date::timestamp + interval '8 hours' + n * interval '10 minutes') AT TIME ZONE 'Asia/Shanghai',
            (m.date::timestamp + interval '8 hours' + (n + 1) * interval '10 minutes') AT TIME ZONE 'Asia/Shanghai',
            {_PLACES}, false, false, n < {_A_SESSION} / 2
        FROM made m, generate_series(0, {_A_SESSION} - 1) n RETURNING id, schedule_id, key, sold_out
)
INSERT INTO places (id, schedule_id, slot_id, number, appointment_id)
    SELECT gen_random_uuid(), s.schedule_id, s.id, s.key::int * {_PLACES} + n,
        CASE WHEN s.sold_out THEN gen_random_uuid() END
    FROM stretches s, generate_series(1, {_PLACES}) n
"""


class Searches(NamedTuple):
    """Seconds of an answer: as the page asks, only what is free, far down the list, and with no filter at all."""

    page: float
    free: float
    deep: float
    all: float


class Filled(NamedTuple):
    """The hospital that has the slots, and the cursor of a place far down their list."""

    hospital_id: UUID
    deep: str


class Place(NamedTuple):
    """A service that was filled, and the headers of somebody who looks for a slot there."""

    port: int
    headers: dict[str, str]
    filled: Filled


async def fill(count: int) -> Filled:
    """So many slots of one new hospital's one department. The database is connected."""
    async with transaction() as tx:
        hospital_id = await add_hospital("测试医院", "H43010277777", "430102", using=tx)
        assert hospital_id, "the hospital is new"
        async with tx.acquire_connection() as raw:
            await raw.execute("SET LOCAL statement_timeout = 0")
            await raw.execute(_FILL, hospital_id, _tomorrow(), count, timeout=60)
    async with database.connection().acquire_connection() as raw:
        await raw.execute("ANALYZE schedules, slots, places", timeout=60)  # as autovacuum does, a minute later
    found = await database.row(
        "SELECT start, id FROM slots WHERE hospital_id = $1 ORDER BY start, id OFFSET $2", hospital_id, count * 6 // 10
    )
    assert found, "there are more slots than that"
    return Filled(hospital_id, cursor(found["start"], found["id"]))


def searches(load: Load, at: Place) -> Searches:
    """One measurement of each search."""
    here = {"limit": str(_PAGE), "hospital_id": str(at.filled.hospital_id), "department": _DEPARTMENT}
    first = _tomorrow()
    day = {**here, "from": first.isoformat(), "to": (first + timedelta(days=_DAYS)).isoformat()}
    return Searches(
        _seconds(load, at, day),
        _seconds(load, at, {**day, "free": "true"}),
        _seconds(load, at, {**day, "cursor": at.filled.deep}),
        _seconds(load, at, {"limit": str(_PAGE)}),
    )


def _seconds(load: Load, at: Place, query: dict[str, str]) -> float:
    outcome = only(load.run(at.port, [_asked(at, query)] * ASKED, keep=True, connections=ONE), 200)
    if len(json.loads(outcome.bodies[0])["slots"]) != _PAGE:
        raise RuntimeError("the page was not full")
    return outcome.seconds / ASKED


def _asked(at: Place, query: dict[str, str]) -> Request:
    return Request(f"/v1/slots?{urlencode(query)}", at.headers, "", "GET")


def _tomorrow() -> date:
    return datetime.now(SHANGHAI).date() + timedelta(days=1)
