"""The checker of booking's rows (tests/fault/booking_checker.py) sees each fault that it names."""

from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import pytest

from tests.fault import booking_checker
from tests.support import crowd
from tests.support.booking import ARRIVAL, Booker, Clinic, new_clinic
from tests.support.service import Service

_OTHER: Final = "gen_random_uuid()"


def _copied(but: str, times: int = 1) -> str:
    """Every booked appointment once more, but for a column."""
    return f"""INSERT INTO appointments SELECT (jsonb_populate_record(a, jsonb_build_object('id', {_OTHER}, {but}))).*
        FROM appointments a, generate_series(1, {times}) WHERE a.status = 'booked'"""


DAMAGES: Final = {
    "an appointment without its place": "UPDATE places SET appointment_id = NULL",
    "a place that is lost": f"UPDATE places SET appointment_id = {_OTHER} WHERE appointment_id IS NULL",
    "a place sold twice": "DROP INDEX appointments_one_a_number;" + _copied(f"'person_id', {_OTHER}"),
    "places that are not the capacity": "DELETE FROM places WHERE appointment_id IS NULL",
    "said to be sold out with a place free": "UPDATE slots SET sold_out = true",
    "an appointment outside its slot": "UPDATE appointments SET start = start - interval '1 hour'",
    "twice in a session": "DROP INDEX appointments_one_a_session;" + _copied("'number', 77"),
    "two at the same time": _copied(f"'schedule_id', {_OTHER}"),
    "more than three a date": _copied(f"'schedule_id', {_OTHER}", 3),
    "waits in more than five lines": f"""INSERT INTO waitings SELECT (jsonb_populate_record(w, jsonb_build_object(
        'id', {_OTHER}, 'schedule_id', {_OTHER}, 'status', 'waiting', 'until', 'infinity'))).*
        FROM waitings w, generate_series(1, 6)""",
    "a place in line that was given nothing": "UPDATE waitings SET appointment_id = NULL",
    "given without a place in line": "DELETE FROM waitings",
    "changes that are not what happened": "DELETE FROM changes WHERE kind = 'cancelled'",
    "changes of nothing": f"UPDATE changes SET ref = {_OTHER}",
    "not told once that it is booked": "DELETE FROM messages WHERE kind = 'booked'",
    "not told once that it is stopped": f"""INSERT INTO messages SELECT (jsonb_populate_record(m, jsonb_build_object(
        'id', {_OTHER}))).* FROM messages m WHERE m.kind = 'session-stopped'""",
    "texts that are not one a stopped appointment": "DELETE FROM deliveries WHERE kind = 'text'",
    "uses by a window that are not recorded once": "DELETE FROM accesses",
    "an arrival that its scan does not show": "UPDATE resolutions SET arrival = NULL",
}


@pytest.fixture(scope="module")
async def database(shared_service: Service) -> AsyncIterator[asyncpg.Connection]:
    """Somebody booked, was given a place, arrived, was cancelled at a window, was stopped; nothing is wrong."""
    service = shared_service
    clinic = await new_clinic(service)
    await service.move_time((clinic.day(1, 8) - clinic.now()).total_seconds())
    await _happen(service, await new_clinic(service))
    connection = await asyncpg.connect(service.services.settings.database_url)
    yield connection
    await connection.close()


async def _happen(service: Service, clinic: Clinic) -> None:
    members = await crowd.strangers(service.services.vault, 4)
    one, two, three, four = (Booker(service, m.own.headers, {"card_id": m.own.card_id}) for m in members)
    _, schedule, (first,) = await clinic.session(clinic.day(0, 15), [1])
    _, _, (soon,) = await clinic.session(clinic.day(0, 9), [1])
    left = await one.booked(first)
    await three.booked(soon)
    assert (await two.wait(schedule)).status_code == 201
    assert (await one.cancel(left)).status_code == 204
    assert (await three.scanned(clinic, step=ARRIVAL))["arrival"]
    key, _, (morning,) = await clinic.session(clinic.day(1, 9), [2])
    await one.booked(morning)
    assert (await clinic.post(f"{key}/stop", {"reason": "stopped"})).json() == {"cancelled": 1}
    _, _, (evening,) = await clinic.session(clinic.day(1, 18), [2])
    await four.booked(evening)
    window = f"/v1/hospital/resolutions/{(await one.scanned(clinic))['resolution_id']}/appointments"
    made = await service.http.post(window, headers=clinic.who, json={"slot_id": evening["slot_id"]})
    assert made.status_code == 201
    gone = await service.http.post(f"{window}/{made.json()['appointment_id']}/cancel", headers=clinic.who, json={})
    assert gone.status_code == 200


async def test_nothing_is_wrong_where_nothing_went_wrong(database: asyncpg.Connection) -> None:
    assert await booking_checker.faults(database.fetch) == []


def test_every_fault_has_its_damage() -> None:
    assert DAMAGES.keys() == booking_checker.FAULTS.keys()


@pytest.mark.parametrize("fault", DAMAGES)
async def test_a_fault_is_seen(database: asyncpg.Connection, fault: str) -> None:
    damage = database.transaction()
    await damage.start()
    try:
        await database.execute(DAMAGES[fault])
        found = await booking_checker.faults(database.fetch)
    finally:
        await damage.rollback()
    assert fault in {one.split(":")[0] for one in found}, found
