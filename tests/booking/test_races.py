"""Many at once: nothing is sold twice or lost, no limit is passed, and each transition happens once.

After each race the rows agree (booking_checker.py). `make fault` makes the races large.
"""

import asyncio
import itertools
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable
from typing import Any

import asyncpg
import httpx
import pytest

from tests.fault import booking_checker
from tests.support import crowd
from tests.support.booking import ARRIVAL, Booker, Clinic, new_clinic
from tests.support.service import Service

LONG = bool(os.environ.get("YIMA_TEST_LONG"))
PEOPLE, TAPS, PLACES = (400, 5, 50) if LONG else (60, 5, 12)
ROUNDS = 20 if LONG else 3
BUSY = 100  # calls under way at once
HELD = 0.3  # seconds, far below the 5 s that a lock is waited for

pytestmark = pytest.mark.fault


@pytest.fixture(autouse=True)
async def rows_agree(service: Service) -> AsyncIterator[None]:
    """After each race."""
    yield
    assert not await booking_checker.faults_at(service.services.settings.database_url)


async def bookers(service: Service, count: int) -> list[Booker]:
    """So many people, each with their own card."""
    return [booker(service, one.own) for one in await crowd.strangers(service.services.vault, count)]


def booker(service: Service, held: crowd.Held) -> Booker:
    """Who holds a card."""
    return Booker(service, held.headers, {"card_id": held.card_id})


async def at_once(calls: Iterable[Awaitable[httpx.Response]]) -> list[str]:
    """Make all calls, many at a time; what each was told: its problem's code, or its status."""
    turn = asyncio.Semaphore(BUSY)

    async def one(call: Awaitable[httpx.Response]) -> str:
        async with turn:
            return said(await call)

    return await asyncio.gather(*(one(call) for call in calls))


async def at_the_same_moment(service: Service, table: str, calls: Iterable[Awaitable[httpx.Response]]) -> list[str]:
    """Make all calls while nobody may write a table: what locks too late has looked before, and all write at once."""
    holder = await asyncpg.connect(service.services.settings.database_url)
    try:
        await holder.execute("BEGIN")
        await holder.execute(f"LOCK TABLE {table} IN SHARE MODE")
        told = asyncio.ensure_future(at_once(calls))
        await asyncio.sleep(HELD)
    finally:
        await holder.close()
    return await told


def said(answer: httpx.Response) -> str:
    """The status of what succeeded, else the problem's code."""
    return str(answer.status_code) if answer.is_success else str(answer.json()["code"])


async def numbers(service: Service, schedule: dict[str, Any]) -> list[int]:
    """The numbers that are held."""
    found = await service.sql(
        "SELECT number FROM appointments WHERE schedule_id = $1 AND status <> 'cancelled' ORDER BY number",
        schedule["schedule_id"],
    )
    return [one["number"] for one in found]


async def passed_over(service: Service) -> list[Any]:
    """Free places that somebody in line may have."""
    return await service.sql(booking_checker.PASSED_OVER)


async def test_many_people_tap_for_few_places(service: Service) -> None:
    clinic = await new_clinic(service)
    _, schedule, (slot,) = await clinic.session(clinic.day(), [PLACES])
    people = await bookers(service, PEOPLE)
    began = time.monotonic()
    told = Counter(await at_once(one.book(slot) for _ in range(TAPS) for one in people))
    seconds = time.monotonic() - began
    print(f"\n{PEOPLE} people x {TAPS} taps for {PLACES} places: {dict(told)} in {seconds:.1f} s")
    assert told["201"] == PLACES
    assert told.keys() <= {"201", "slot-full", "already-booked"}
    assert await numbers(service, schedule) == list(range(1, PLACES + 1))
    assert len([change for change in await clinic.changes() if change[0] == "booked"]) == PLACES


async def test_many_people_tap_while_others_cancel_and_wait(service: Service) -> None:
    """A freed place is never seen free while somebody waits: it is booked in the commit that frees it."""
    clinic = await new_clinic(service)
    _, schedule, (slot,) = await clinic.session(clinic.day(), [PLACES])
    first, waiting, rest = [await bookers(service, count) for count in (PLACES, PLACES // 2, PEOPLE // 2)]
    made = [await one.booked(slot) for one in first]
    assert set(await at_once(one.wait(schedule) for one in waiting)) == {"201"}
    leaving = len(made) * 3 // 4
    calls = [one.book(slot) for _ in range(TAPS) for one in rest]
    step = len(calls) // leaving
    for n in range(leaving):
        calls.insert(n * step, first[n].cancel(made[n]))
    told = Counter(await at_once(calls))
    told += Counter(await at_once(one.book(slot) for one in rest))  # what the last to cancel gave back
    print(f"\n{leaving} cancel, {len(waiting)} wait, {len(rest)} tap: {dict(told)}")
    assert told["204"] == leaving
    assert told["201"] == leaving - len(waiting)
    assert told.keys() <= {"201", "204", "slot-full", "already-booked"}
    assert await numbers(service, schedule) == list(range(1, PLACES + 1))
    lines = [(await one.waitings())[0]["status"] for one in waiting]
    assert lines == ["booked"] * len(waiting)


async def test_people_stand_in_line_while_others_cancel(service: Service) -> None:
    """Whatever came first, nobody waits beside a free place."""
    clinic = await new_clinic(service)
    for _ in range(ROUNDS):
        _, schedule, (slot,) = await clinic.session(clinic.day(), [6])
        holders, others = await bookers(service, 6), await bookers(service, 6)
        made = [await one.booked(slot) for one in holders]
        calls = zip(
            (one.wait(schedule) for one in others),
            (one.cancel(appointment) for one, appointment in zip(holders, made, strict=True)),
            strict=True,
        )
        told = Counter(await at_the_same_moment(service, "waitings", itertools.chain.from_iterable(calls)))
        assert told["204"] == 6
        assert told.keys() <= {"204", "201", "slot-free"}
        assert len(await numbers(service, schedule)) == told["201"], "who stood in line has a place"
        assert not await passed_over(service)


async def test_one_person_at_forty_sessions_from_four_accounts(service: Service) -> None:
    clinics = [await new_clinic(service) for _ in range(4)]
    for _ in range(ROUNDS // 3):
        (person,) = await crowd.strangers(service.services.vault, 1, accounts=4)
        slots = []
        for n in range(40):
            begin = clinics[n % 4].day(1, 8 + n // 6, n % 6 * 10)
            slots.append((await clinics[n % 4].session(begin, [1]))[2][0])
        cards = [booker(service, held) for held in person.held]
        calls = (cards[n // 4 % 4].book(slot) for n, slot in enumerate(slots))
        told = Counter(await at_the_same_moment(service, "appointments", calls))
        assert told == {"201": 3, "daily-limit": 37}


async def test_one_place_wanted_by_four_cards_of_one_person(service: Service) -> None:
    clinic = await new_clinic(service)
    (person,) = await crowd.strangers(service.services.vault, 1, accounts=4)
    _, _, (slot,) = await clinic.session(clinic.day(), [4])
    cards = [booker(service, held) for held in person.held]
    told = Counter(await at_the_same_moment(service, "appointments", (card.book(slot) for card in cards * 5)))
    assert told == {"201": 1, "already-booked": 19}


async def test_two_slots_at_the_same_time_are_not_both_booked(service: Service) -> None:
    one, two = await new_clinic(service), await new_clinic(service)
    for _ in range(ROUNDS):
        slots = [(await clinic.session(clinic.day(), [1]))[2][0] for clinic in (one, two)]
        (person,) = await bookers(service, 1)
        told = await at_the_same_moment(service, "appointments", (person.book(slot) for slot in slots))
        assert sorted(told) == ["201", "time-conflict"]


async def test_booking_against_a_stop(service: Service) -> None:
    """Who was booked before the stop is cancelled and told by it; after it nobody is booked."""
    clinic = await new_clinic(service)
    for _ in range(ROUNDS):
        key, schedule, (slot,) = await clinic.session(clinic.day(), [20])
        people = await bookers(service, 12)
        stopping = asyncio.create_task(stop_soon(clinic, key))
        told = Counter(await at_the_same_moment(service, "appointments", (one.book(slot) for one in people)))
        stopped = await stopping
        assert told.keys() <= {"201", "session-stopped"}
        assert stopped.json() == {"cancelled": told["201"]}
        assert await numbers(service, schedule) == []
        await service.deliver()
        assert len([one for one in people if await one.messages("session-stopped")]) == told["201"]


async def stop_soon(clinic: Clinic, key: str, **body: Any) -> httpx.Response:
    """Stop a session while others are at it."""
    await asyncio.sleep(0.02)
    return await clinic.post(f"{key}/stop", {"reason": "stopped", **body})


async def test_stopped_by_many_at_once_is_stopped_once(service: Service) -> None:
    clinic = await new_clinic(service)
    key, _, (slot,) = await clinic.session(clinic.day(), [5])
    people = await bookers(service, 5)
    for one in people:
        await one.booked(slot)
    answers = await asyncio.gather(*(clinic.post(f"{key}/stop", {"reason": "stopped"}) for _ in range(8)))
    assert sorted(answer.json()["cancelled"] for answer in answers) == [0] * 7 + [5]
    assert [len(await one.messages("session-stopped")) for one in people] == [1] * 5


async def test_booking_against_a_publication_that_shrinks(service: Service) -> None:
    """Either there are fewer places, or who was quicker keeps theirs: never more people than places."""
    clinic = await new_clinic(service)
    outcomes = Counter[str]()
    for round_ in range(ROUNDS):
        key, schedule, (slot,) = await clinic.session(clinic.day(), [8])
        people = await bookers(service, 10)
        body = clinic.body(clinic.day(), [4], opens_at=schedule["opens_at"])
        calls: list[Awaitable[httpx.Response]] = [one.book(slot) for one in people]
        calls.insert(round_ * 4 % 9, clinic.put(key, body))
        told = Counter(await at_the_same_moment(service, "appointments", calls))
        assert told.keys() <= {"200", "201", "slot-full", "capacity-below-booked"}
        assert told["201"] == (4 if told["200"] else 8), told
        outcomes += told
    print(f"\nbooking against shrinking: {dict(outcomes)}")


async def test_cancelled_many_times_at_once_is_cancelled_once(service: Service) -> None:
    clinic = await new_clinic(service)
    for _ in range(ROUNDS):
        _, _, (slot,) = await clinic.session(clinic.day(), [1])
        (person,) = await bookers(service, 1)
        made = await person.booked(slot)
        told = Counter(await at_the_same_moment(service, "appointments", (person.cancel(made) for _ in range(8))))
        assert told == {"204": 1, "not-cancellable": 7}


async def test_withdrawn_while_a_place_is_given(service: Service) -> None:
    """Either they are out of the line and the next one has it, or they have it."""
    clinic = await new_clinic(service)
    for _ in range(ROUNDS):
        _, schedule, (slot,) = await clinic.session(clinic.day(), [1])
        holder, one, two = await bookers(service, 3)
        made = await holder.booked(slot)
        wait = (await one.wait(schedule)).json()
        await two.wait(schedule)
        leave = service.http.delete(f"/v1/patient/waitings/{wait['waiting_id']}", headers=one.me)
        told = await at_once([holder.cancel(made), leave])
        assert told[0] == "204"
        lines = [(await each.waitings())[0]["status"] for each in (one, two)]
        assert (told[1], lines) in [("204", ["withdrawn", "booked"]), ("conflict", ["booked", "waiting"])]


async def morning(service: Service) -> Clinic:
    """A hospital, at eight o'clock of tomorrow."""
    clinic = await new_clinic(service)
    await service.move_time((clinic.day(1, 8) - clinic.now()).total_seconds())
    return await new_clinic(service)


async def arrivals(service: Service, clinic: Clinic, people: list[Booker]) -> list[Awaitable[httpx.Response]]:
    """The calls that scan everybody's code, each at a terminal of its own."""
    codes = [await service.code(one.me, one.card) for one in people]
    return [service.scan(clinic.who, code, step=ARRIVAL, terminal=f"T{n}") for n, code in enumerate(codes)]


async def test_arriving_against_cancelling_and_closing(service: Service) -> None:
    """Arrived and then cancelled, or cancelled and no longer to arrive; who arrived is never a no-show."""
    clinic = await morning(service)
    seen = Counter[str]()
    for round_ in range(ROUNDS):
        key, schedule, (slot,) = await clinic.session(clinic.day(0, 9), [9])
        people = await bookers(service, 9)
        made = [await one.booked(slot) for one in people]
        calls = await arrivals(service, clinic, people)
        for n in range(4):
            calls.insert(2 * n + 1, people[n].cancel(made[n]))
        calls.insert(round_ * 2 % 9, clinic.post(f"{key}/close", {}))
        answers = [answer for answer in await asyncio.gather(*calls) if answer.status_code != 204]
        arrived = {one["appointment_id"] for answer in answers if (one := answer.json().get("arrival"))}
        kept = await service.sql("SELECT * FROM appointments WHERE schedule_id = $1", schedule["schedule_id"])
        assert arrived == {str(one["id"]) for one in kept if one["arrived_at"] is not None}
        assert not [one for one in kept if one["status"] == "noshow" and one["arrived_at"] is not None]
        assert not [one for one in kept if one["status"] == "booked"]
        seen += Counter(one["status"] for one in kept)
    print(f"\narriving against cancelling and closing: {dict(seen)}")


async def test_an_arrival_during_a_stop_is_told_in_the_order_in_which_it_happened(service: Service) -> None:
    """A stop that waits for one appointment has begun; another one's arrival is not told after its cancellation."""
    clinic = await morning(service)
    key, _, (slot,) = await clinic.session(clinic.day(0, 9), [2])
    people = await bookers(service, 2)
    made = [await one.booked(slot) for one in people]
    (scan,) = await arrivals(service, clinic, people[1:])
    holder = await asyncpg.connect(service.services.settings.database_url)
    await holder.execute("BEGIN")
    await holder.execute("SELECT 1 FROM appointments WHERE id = $1 FOR UPDATE", made[0]["appointment_id"])
    stopping = asyncio.create_task(stop_soon(clinic, key))
    await asyncio.sleep(0.3)
    scanning = asyncio.ensure_future(scan)
    await asyncio.wait({scanning}, timeout=0.3)
    await holder.close()
    assert ((await stopping).json(), (await scanning).status_code) == ({"cancelled": 2}, 201)


async def test_two_publications_that_fill_for_the_same_people_in_opposite_order(service: Service) -> None:
    """Each holds one person and wants the other: no deadlock, everybody is served as the limits allow."""
    one, two = await new_clinic(service), await new_clinic(service)
    for _ in range(ROUNDS):
        people, (blocker,) = await bookers(service, 6), await bookers(service, 1)
        sessions = []
        for clinic, hour, line in ((one, 9, people), (two, 14, people[::-1])):
            key, schedule, (slot,) = await clinic.session(clinic.day(1, hour), [1])
            await blocker.booked(slot)
            for person in line:
                assert said(await person.wait(schedule)) == "201"
            body = clinic.body(clinic.day(1, hour), [7], opens_at=schedule["opens_at"])
            sessions.append((clinic, key, schedule, body))
        told = await at_once(clinic.put(key, body) for clinic, key, _, body in sessions)
        assert told == ["200", "200"]
        for _, _, schedule, _ in sessions:
            assert await numbers(service, schedule) == list(range(1, 8))


async def test_a_publication_fills_while_the_same_people_are_given_freed_places(service: Service) -> None:
    """A growth of one session and cancellations in another, for lines of the same people."""
    one, two = await new_clinic(service), await new_clinic(service)
    for _ in range(ROUNDS):
        people, holders = await bookers(service, 5), await bookers(service, 5)
        key, growing, (first,) = await one.session(one.day(1, 9), [1])
        _, freed, (second,) = await two.session(two.day(1, 14), [5])
        await holders[0].booked(first)
        made = [await holder.booked(second) for holder in holders]
        for person, other in zip(people, people[::-1], strict=True):
            assert [said(await person.wait(growing)), said(await other.wait(freed))] == ["201", "201"]
        calls: list[Awaitable[httpx.Response]] = [
            holder.cancel(appointment) for holder, appointment in zip(holders, made, strict=True)
        ]
        calls.insert(2, one.put(key, one.body(one.day(1, 9), [6], opens_at=growing["opens_at"])))
        assert Counter(await at_once(calls)) == {"204": 5, "200": 1}
        assert [len(await numbers(service, each)) for each in (growing, freed)] == [6, 5]
