"""A hospital stops a session (停诊), whole or by slot, or closes it; what is over closes by itself."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.booking import closing
from api.booking.schedules import close_and_tell
from tests.support.booking import (
    ARRIVAL,
    Booker,
    Clinic,
    field,
    go_to,
    local,
    new_booker,
    new_bookers,
    new_clinic,
    on_two_accounts,
    stand_at,
    utc,
)
from tests.support.service import Service, refused

REASON = "医生临时停诊"


async def stop(clinic: Clinic, key: str, *keys: str, reason: str = REASON) -> int:
    """How many were cancelled."""
    answer = await clinic.post(f"{key}/stop", {"reason": reason, **({"keys": list(keys)} if keys else {})})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["cancelled"])


async def status(clinic: Clinic, key: str) -> str:
    path = f"/v1/hospital/schedules/{key}"
    return str((await clinic.service.http.get(path, headers=clinic.who)).json()["status"])


async def texts(service: Service, person: Booker) -> list[str]:
    """What was texted of stopped sessions to a person's phone."""
    assert person.person is not None
    await service.deliver()
    sent = await service.sandbox.get("/sandbox/outbox", params={"phone": person.person.phone})
    return [one["text"] for one in sent.json()["messages"] if "停诊" in one["text"]]


async def only(person: Booker) -> dict[str, Any]:
    (mine,) = await person.appointments()
    return mine


# Stop


async def test_a_stop_cancels_who_is_booked_and_tells_each_once_by_message_and_text(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service, name="长沙市测试医院"), await new_bookers(service, 2)
    start = clinic.day(1, 9)
    key, _, (slot, other) = await clinic.session(start, [1, 1])
    first, second = await one.booked(slot), await two.booked(other)
    assert await stop(clinic, key) == 2
    assert [await stop(clinic, key), await stop(clinic, key, "0")] == [0, 0]
    gone = {"status": "cancelled", "cancelled_by": "hospital", "reason": REASON, "ahead": None}
    assert (await only(one), await only(two)) == ({**first, **gone}, {**second, **gone})
    assert await status(clinic, key) == "stopped"
    for person, mine in ((one, first), (two, second)):
        (message,) = await person.messages("session-stopped")
        assert (message["ref"], message["card_id"]) == (mine["appointment_id"], person.card["card_id"])
        (text,) = await texts(service, person)
        for said in (message["text"], text):
            assert REASON in said
            assert f"长沙市测试医院内科测试医生，{start.month}月{start.day}日" in said
            assert person.person is not None
            assert person.person.name not in said


async def test_a_stop_by_slot_leaves_the_other_slots_until_all_are_stopped(service: Service) -> None:
    clinic, (one, two, three) = await new_clinic(service), await new_bookers(service, 3)
    key, _, (first, second) = await clinic.session(clinic.day(), [2, 2])
    await one.booked(first)
    kept = await two.booked(second)
    assert await stop(clinic, key, "0") == 1
    assert await status(clinic, key) == "open"
    refused(await three.book(first), 409, "session-stopped")
    await three.booked(second)
    assert await only(two) == kept
    assert await texts(service, two) == []
    assert await stop(clinic, key, "0", "1") == 2
    assert await status(clinic, key) == "stopped"


async def test_a_stop_takes_who_has_arrived_and_leaves_who_was_seen_missed_or_cancelled(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, (arrived, seen, left) = await new_clinic(service), await new_bookers(service, 3)
    key, _, (slot,) = await clinic.session(clinic.day(0, 9), [3])
    mine = {person: await person.booked(slot) for person in (arrived, seen, left)}
    await left.cancel(mine[left])
    here = [await person.scanned(clinic, step=ARRIVAL) for person in (arrived, seen)][1]
    path = f"/v1/hospital/resolutions/{here['resolution_id']}/appointments/{mine[seen]['appointment_id']}/fulfil"
    await service.http.post(path, headers=clinic.who, json={})
    assert await stop(clinic, key) == 1
    assert [(await only(one))["status"] for one in (arrived, seen, left)] == ["cancelled", "fulfilled", "cancelled"]
    assert (await only(left))["cancelled_by"] == "patient"
    assert [len(await texts(service, one)) for one in (arrived, seen, left)] == [1, 0, 0]


async def test_both_accounts_are_told_and_the_persons_phone_once(service: Service) -> None:
    clinic = await new_clinic(service)
    hers, relatives = await on_two_accounts(service)
    key, _, (slot,) = await clinic.session(clinic.day(), [1])
    mine = await relatives.booked(slot)
    await stop(clinic, key)
    for who in (hers, relatives):
        (message,) = await who.messages("session-stopped")
        assert (message["ref"], message["card_id"]) == (mine["appointment_id"], who.card["card_id"])
    assert len(await texts(service, hers)) == 1


async def test_who_was_stopped_may_book_again_the_same_time_and_date(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    for _ in range(4):
        key, _, (slot,) = await clinic.session(clinic.day(), [1])
        await person.booked(slot)
        assert await stop(clinic, key) == 1


async def test_a_stop_ends_the_waiting_that_it_leaves_without_a_place(service: Service) -> None:
    clinic, (one, two, three, four) = await new_clinic(service), await new_bookers(service, 4)
    key, schedule, (first, second) = await clinic.session(clinic.day(), [1, 1])
    await one.booked(first)
    await two.booked(second)
    await three.wait(schedule, first)
    await four.wait(schedule)
    await stop(clinic, key, "0")
    assert [one["status"] for one in await three.waitings()] == ["expired"]
    assert [(one["status"], one["position"]) for one in await four.waitings()] == [("waiting", 1)]
    assert await four.appointments() == [], "a place that the stop freed is nobody's"
    await stop(clinic, key)
    assert [one["status"] for one in await four.waitings()] == ["expired"]
    refused(await three.wait(schedule), 409, "session-stopped")


async def test_a_slot_that_the_session_has_not_stops_nothing(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    key, _, (slot,) = await clinic.session(clinic.day(), [1])
    mine = await person.booked(slot)
    answer = await clinic.post(f"{key}/stop", {"reason": REASON, "keys": ["0", "nine"]})
    assert field(answer) == "/keys/1"
    assert await only(person) == mine


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/reason"),
        ({"reason": ""}, "/reason"),
        ({"reason": "x" * 201}, "/reason"),
        ({"reason": "a\nb"}, "/reason"),
        ({"reason": REASON, "keys": []}, "/keys"),
        ({"reason": REASON, "keys": [""]}, "/keys/0"),
        ({"reason": REASON, "keys": "0"}, "/keys"),
        ({"reason": REASON, "force": True}, "/force"),
    ],
)
async def test_a_stop_of_another_form_stops_nothing(service: Service, body: dict[str, Any], pointer: str) -> None:
    clinic = await new_clinic(service)
    key, _, _ = await clinic.session(clinic.day(), [1])
    assert field(await clinic.post(f"{key}/stop", body)).startswith(pointer)
    assert await status(clinic, key) == "open"


async def test_an_unknown_session_is_neither_stopped_nor_closed(service: Service) -> None:
    clinic = await new_clinic(service)
    refused(await clinic.post("none/stop", {"reason": REASON}), 404, "not-found")
    refused(await clinic.post("none/close", {}), 404, "not-found")


async def test_nobody_stays_booked_in_a_session_that_is_stopped_among_bookings(service: Service) -> None:
    clinic, people = await new_clinic(service), await new_bookers(service, 8)
    key, schedule, (slot,) = await clinic.session(clinic.day(), [8])
    early, cancelled, late = await asyncio.gather(
        asyncio.gather(*(person.book(slot) for person in people[:4])),
        stop(clinic, key),
        asyncio.gather(*(person.book(slot) for person in people[4:])),
    )
    assert cancelled == sum(answer.status_code == 201 for answer in (*early, *late))
    live = "SELECT count(*) FROM appointments WHERE schedule_id = $1 AND status <> 'cancelled'"
    assert await service.value(live, schedule["schedule_id"]) == 0


async def test_ten_stops_at_once_cancel_and_tell_once(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    key, _, (slot,) = await clinic.session(clinic.day(), [1])
    await person.booked(slot)
    assert sorted(await asyncio.gather(*(stop(clinic, key) for _ in range(10)))) == [0] * 9 + [1]
    assert (len(await person.messages("session-stopped")), len(await texts(service, person))) == (1, 1)


# Close


async def test_a_close_makes_no_shows_of_who_did_not_come_once(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, (came, stayed, waits) = await new_clinic(service), await new_bookers(service, 3)
    key, schedule, (slot,) = await clinic.session(clinic.day(0, 11), [2])
    for person in (came, stayed):
        await person.booked(slot)
    assert (await waits.wait(schedule)).status_code == 201
    await go_to(service, local(1, 9), clinic)
    await came.scanned(clinic, step=ARRIVAL)
    assert (await clinic.post(f"{key}/close", {})).json() == {"noshow": 1}
    assert (await clinic.post(f"{key}/close", {})).json() == {"noshow": 0}
    assert await status(clinic, key) == "closed"
    assert [(await only(one))["status"] for one in (came, stayed)] == ["arrived", "noshow"]
    assert [one["status"] for one in await waits.waitings()] == ["expired"]
    refused(await waits.book(slot), 409, "slot-past")
    refused(await clinic.post(f"{key}/stop", {"reason": REASON}), 409, "slot-past")
    missed = await only(stayed)
    refused(await stayed.cancel(missed), 409, "not-cancellable")


async def test_who_arrived_is_seen_also_after_the_close(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, (came, stayed) = await new_clinic(service), await new_bookers(service, 2)
    key, _, (slot,) = await clinic.session(clinic.day(0, 9), [2])
    for person in (came, stayed):
        await person.booked(slot)
    await came.scanned(clinic, step=ARRIVAL)
    await clinic.post(f"{key}/close", {})
    for person, code in ((came, 200), (stayed, 409)):
        here, mine = await person.scanned(clinic), await only(person)
        path = f"/v1/hospital/resolutions/{here['resolution_id']}/appointments/{mine['appointment_id']}/fulfil"
        assert (await service.http.post(path, headers=clinic.who, json={})).status_code == code


async def test_a_session_of_a_date_to_come_is_not_closed(service: Service) -> None:
    await go_to(service, local(1, 23))
    clinic, person = await new_clinic(service), await new_booker(service)
    key, _, (slot,) = await clinic.session(clinic.day(1, 0), [1])
    mine = await person.booked(slot)
    refused(await clinic.post(f"{key}/close", {}), 409, "conflict")
    assert (await only(person), await status(clinic, key)) == (mine, "open")
    await go_to(service, local(2, 0), clinic)
    assert (await clinic.post(f"{key}/close", {})).json() == {"noshow": 1}


async def test_a_stopped_session_that_is_closed_stays_stopped(service: Service) -> None:
    clinic = await new_clinic(service)
    key, _, _ = await clinic.session(clinic.day(0, 0), [1])
    await stop(clinic, key)
    assert (await clinic.post(f"{key}/close", {})).json() == {"noshow": 0}
    assert await status(clinic, key) == "stopped"


async def test_a_session_closes_by_itself_two_hours_after_its_last_slot(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    key, _, (slot, last) = await clinic.session(clinic.day(1, 9), [1, 1], minutes=60)
    await person.booked(slot)
    end = datetime.fromisoformat(last["end"])
    await stand_at(service, end + timedelta(hours=2, microseconds=-1), clinic, person)
    await service.services.closing.turn(service.services)
    assert (await status(clinic, key), (await only(person))["status"]) == ("open", "booked")
    await stand_at(service, end + timedelta(hours=2))
    await service.services.closing.turn(service.services)
    assert (await status(clinic, key), (await only(person))["status"]) == ("closed", "noshow")


async def test_a_session_that_grew_closes_after_its_new_last_slot(service: Service) -> None:
    clinic = await new_clinic(service)
    start = clinic.day(1, 9)
    key, _, _ = await clinic.session(start, [1], minutes=60)
    assert (await clinic.put(key, clinic.body(start, [1, 1], minutes=60))).status_code == 200
    await stand_at(service, start + timedelta(hours=3, minutes=30), clinic)
    await service.services.closing.turn(service.services)
    assert await status(clinic, key) == "open"


async def test_turns_at_once_and_by_the_hospital_make_one_no_show_and_one_message(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, person = await new_clinic(service), await new_booker(service)
    keys = []
    for hour in (9, 10, 11):
        key, _, (slot,) = await clinic.session(clinic.day(0, hour), [1])
        await person.booked(slot)
        keys.append(key)
    await go_to(service, local(1, 20), clinic, person)
    turn = service.services.closing.turn
    await asyncio.gather(
        *(turn(service.services) for _ in range(3)), *(clinic.post(f"{key}/close", {}) for key in keys)
    )
    assert [one["status"] for one in await person.appointments()] == ["noshow"] * 3
    assert len(await person.messages("booking-paused")) == 1
    told = await clinic.changes()
    assert sum(kind == "noshow" for kind, _ in told) <= 3


async def test_cancelling_at_the_last_moment_and_the_close_do_not_both_happen(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, people = await new_clinic(service), await new_bookers(service, 4)
    key, _, (slot,) = await clinic.session(clinic.day(0, 9), [4], cancel_until=utc(clinic.day(0, 12)))
    made = [await person.booked(slot) for person in people]
    cancels = [person.cancel(mine) for person, mine in zip(people, made, strict=True)]
    closed, *answers = await asyncio.gather(clinic.post(f"{key}/close", {}), *cancels)
    by_patient = sum(answer.status_code == 204 for answer in answers)
    assert closed.json()["noshow"] + by_patient == 4
    left = sorted([(await only(person))["status"] for person in people])
    assert left == ["cancelled"] * by_patient + ["noshow"] * (4 - by_patient)


async def test_a_session_that_cannot_be_closed_holds_up_no_other(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = await new_clinic(service)
    start = clinic.day(1, 9)
    made = [await clinic.session(start + timedelta(hours=n), [1], minutes=30) for n in range(2)]
    keys, first = [key for key, _, _ in made], made[0][1]["schedule_id"]

    async def broken(vault: Any, schedule_id: Any, **using: Any) -> int:
        if str(schedule_id) == first:
            raise RuntimeError
        return await close_and_tell(vault, schedule_id, **using)

    monkeypatch.setattr(closing, "close_and_tell", broken)
    await stand_at(service, start + timedelta(hours=5), clinic)
    await service.services.closing.turn(service.services)
    assert [await status(clinic, key) for key in keys] == ["open", "closed"]
