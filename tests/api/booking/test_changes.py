"""What a hospital's system polls: every change once, in order, and none lost behind a transaction that stays open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from tests.support.booking import ARRIVAL, Booker, Clinic, field, go_to, local, new_booker, new_bookers, new_clinic
from tests.support.service import Service, refused

PATH = "/v1/hospital/changes"
Told = tuple[str, str]


async def poll(clinic: Clinic, **query: Any) -> httpx.Response:
    return await clinic.service.http.get(PATH, headers=clinic.who, params=query)


async def feed(clinic: Clinic, count: int) -> list[Told]:
    """All (kind, ref) once there are `count`: any transaction of the database holds them up while it runs."""
    found: list[Told] = []
    for _ in range(100):
        found = await clinic.changes()
        if len(found) >= count:
            break
        await asyncio.sleep(0.05)
    return found


@asynccontextmanager
async def open_transaction(service: Service) -> AsyncIterator[Any]:
    """A connection with a transaction that has its number and is not over."""
    connection = await asyncpg.connect(service.services.settings.database_url)
    try:
        await connection.execute("BEGIN")
        await connection.fetchval("SELECT pg_current_xact_id()::text")
        yield connection
    finally:
        await connection.close()


async def test_a_morning_is_told_in_the_order_in_which_it_happened(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, (one, two, three) = await new_clinic(service), await new_bookers(service, 3)
    key, schedule, (slot,) = await clinic.session(clinic.day(0, 11), [2])
    other, _, (stopped,) = await clinic.session(clinic.day(0, 14), [1])
    a, b = await one.booked(slot), await two.booked(slot)
    await three.wait(schedule)
    assert (await one.cancel(a)).status_code == 204
    (c,) = await three.appointments()
    await go_to(service, clinic.day(0, 9), clinic)
    await two.scanned(clinic, step=ARRIVAL)
    d = await one.booked(stopped)
    await clinic.post(f"{other}/stop", {"reason": "停"})
    await clinic.post(f"{key}/close", {})
    names = {one["appointment_id"]: name for name, one in (("a", a), ("b", b), ("c", c), ("d", d))}
    assert [(kind, names[ref]) for kind, ref in await feed(clinic, 8)] == [
        *(("booked", "a"), ("booked", "b"), ("cancelled", "a"), ("booked", "c"), ("arrived", "b"), ("booked", "d")),
        *(("cancelled", "d"), ("noshow", "c")),
    ]
    shown = (await poll(clinic, limit=100)).json()["changes"]
    assert all(one.keys() == {"at", "kind", "ref"} for one in shown)
    assert [one["at"] for one in shown] == sorted(one["at"] for one in shown)


async def test_a_cursor_goes_on_where_it_stood_also_after_an_empty_page(service: Service) -> None:
    clinic, people = await new_clinic(service), await new_bookers(service, 5)
    _, _, (slot,) = await clinic.session(clinic.day(), [5])
    empty = (await poll(clinic)).json()
    assert empty["changes"] == []
    assert (await poll(clinic, cursor=empty["next_cursor"])).json() == empty
    made = [(await person.booked(slot))["appointment_id"] for person in people]
    await feed(clinic, 5)
    pages, cursor = [], empty["next_cursor"]
    for size in (2, 2, 1, 0):
        page = (await poll(clinic, cursor=cursor, limit=2)).json()
        assert len(page["changes"]) == size
        pages += [one["ref"] for one in page["changes"]]
        again = (await poll(clinic, cursor=cursor, limit=2)).json()
        assert again == page, "the same cursor is the same page"
        cursor = page["next_cursor"]
    assert pages == made
    later = await new_booker(service)
    _, _, (other,) = await clinic.session(clinic.day(2), [1])
    last = await later.booked(other)
    await feed(clinic, 6)
    assert [one["ref"] for one in (await poll(clinic, cursor=cursor)).json()["changes"]] == [last["appointment_id"]]


async def test_a_hospital_is_told_its_own_alone(service: Service) -> None:
    clinic, other, person = await new_clinic(service), await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    mine = await person.booked(slot)
    assert await feed(clinic, 1) == [("booked", mine["appointment_id"])]
    assert await other.changes() == []
    cursor = (await poll(clinic)).json()["next_cursor"]
    assert (await poll(other, cursor=cursor)).json()["changes"] == [], "a cursor opens nothing"


async def test_a_refusal_is_no_change(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    mine = await one.booked(slot)
    refused(await two.book(slot), 409, "slot-full")
    refused(await one.book(slot), 409, "already-booked")
    await one.cancel(mine)
    refused(await one.cancel(mine), 409, "not-cancellable")
    assert await feed(clinic, 2) == [(kind, mine["appointment_id"]) for kind in ("booked", "cancelled")]


@pytest.mark.parametrize("cursor", ["x", "A" * 21, "A" * 23, "A" * 32, "_" * 22, "é" * 22, "A" * 20 + "!!", "A" * 101])
async def test_a_cursor_that_we_did_not_give_is_refused(service: Service, cursor: str) -> None:
    clinic = await new_clinic(service)
    assert field(await poll(clinic, cursor=cursor)) == "/cursor"


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x"])
async def test_a_page_is_one_to_a_hundred(service: Service, limit: str) -> None:
    clinic = await new_clinic(service)
    assert field(await poll(clinic, limit=limit)) == "/limit"


async def test_a_transaction_that_stays_open_holds_later_changes_back_until_it_ends(service: Service) -> None:
    """Else a poller would pass the place at which the open one's change appears, and never see it."""
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    _, _, (slot, other) = await clinic.session(clinic.day(), [1, 1])
    before = await one.booked(slot)
    assert await feed(clinic, 1) == [("booked", before["appointment_id"])]
    slow = "00000000-0000-4000-8000-00000000510e"
    async with open_transaction(service) as connection:
        after = await two.booked(other)
        await connection.execute("SELECT yima_change($1, 'cancelled', $2, yima_now())", clinic.hospital_id, slow)
        for _ in range(3):
            page = (await poll(clinic)).json()
            assert [one["ref"] for one in page["changes"]] == [before["appointment_id"]]
        await connection.execute("COMMIT")
    assert await feed(clinic, 3) == [
        ("booked", before["appointment_id"]),
        ("cancelled", slow),
        ("booked", after["appointment_id"]),
    ]
    rest = (await poll(clinic, cursor=page["next_cursor"])).json()["changes"]
    assert [one["ref"] for one in rest] == [slow, after["appointment_id"]]


async def test_a_transaction_that_is_rolled_back_leaves_no_gap_and_no_change(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    async with open_transaction(service) as connection:
        mine = await person.booked(slot)
        await connection.execute("SELECT yima_change($1, 'booked', gen_random_uuid(), yima_now())", clinic.hospital_id)
        await connection.execute("ROLLBACK")
    assert await feed(clinic, 1) == [("booked", mine["appointment_id"])]


async def test_a_poller_among_bookings_sees_each_change_once(service: Service) -> None:
    clinic, people = await new_clinic(service), await new_bookers(service, 6)
    _, _, (slot,) = await clinic.session(clinic.day(), [9])
    seen: list[Told] = []
    over = asyncio.Event()

    async def polls() -> None:
        cursor, last = "", False
        while not last:
            last = over.is_set() and len(seen) >= 36
            page = (await poll(clinic, limit=5, **({"cursor": cursor} if cursor else {}))).json()
            seen.extend((one["kind"], one["ref"]) for one in page["changes"])
            cursor = page["next_cursor"]

    async def comes_and_goes(person: Booker) -> list[str]:
        made = []
        for _ in range(3):
            mine = await person.booked(slot)
            await person.cancel(mine)
            made.append(mine["appointment_id"])
        return made

    async def all_come_and_go() -> list[list[str]]:
        made = await asyncio.gather(*map(comes_and_goes, people))
        over.set()
        return list(made)

    async with asyncio.timeout(20):
        _, made = await asyncio.gather(polls(), all_come_and_go())
    refs = [ref for each in made for ref in each]
    assert sorted(seen) == sorted((kind, ref) for ref in refs for kind in ("booked", "cancelled"))
    assert all(seen.index(("booked", ref)) < seen.index(("cancelled", ref)) for ref in refs)


async def test_a_scan_that_waits_for_a_stop_is_not_told_as_an_arrival_after_the_cancelling(service: Service) -> None:
    """A stop has its transaction's number before the scan has: what it cancels must not arrive in between."""
    await go_to(service, local(1, 8))
    clinic, person = await new_clinic(service), await new_booker(service)
    _, schedule, (slot,) = await clinic.session(clinic.day(0, 9), [1])
    mine = await person.booked(slot)
    code = await service.code(person.me, person.card)
    async with open_transaction(service) as connection:
        await connection.execute("SELECT yima_session_lock($1, true)", schedule["schedule_id"])
        scan = asyncio.create_task(service.resolved(clinic.who, code, step=ARRIVAL))
        await asyncio.wait([scan], timeout=0.3)
        await connection.execute(
            "UPDATE appointments SET status = 'cancelled', cancelled_by = 'hospital', turn = NULL, ended_at = yima_now()"
            " WHERE id = $1 AND status IN ('booked', 'arrived')",
            mine["appointment_id"],
        )
        await connection.execute(
            "SELECT yima_change($1, 'cancelled', $2, yima_now())", clinic.hospital_id, mine["appointment_id"]
        )
        await connection.execute("COMMIT")
        assert (await scan)["arrival"] is None
    assert [kind for kind, _ in await feed(clinic, 2)] == ["booked", "cancelled"]
