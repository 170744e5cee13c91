"""A hospital publishes its sessions: repeatable, growing, never at the cost of who is booked (api-services.md, Booking)."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.booking import ARRIVAL, Clinic, go_to, local, new_booker, new_bookers, new_clinic, utc
from tests.support.service import Service, refused

Body = dict[str, Any]
PATH = "/v1/hospital/schedules"


async def show(clinic: Clinic, key: str, more: str = "", **query: Any) -> Any:
    return await clinic.service.http.get(f"{PATH}/{key}{more}", headers=clinic.who, params=query)


async def places(service: Service, schedule: Body) -> list[tuple[str, int, bool]]:
    """(slot's key, number, taken) of a session, by number."""
    found = await service.sql(
        "SELECT s.key, p.number, p.appointment_id IS NOT NULL AS taken FROM places p JOIN slots s ON s.id = p.slot_id"
        " WHERE p.schedule_id = $1 ORDER BY p.number",
        schedule["schedule_id"],
    )
    return [(row["key"], row["number"], row["taken"]) for row in found]


# What a publication does


async def test_a_session_is_shown_as_it_was_published_and_publishing_it_again_changes_nothing(service: Service) -> None:
    clinic = await new_clinic(service)
    body = clinic.body(clinic.day(), [2, 1], min_age=14, max_age=70, sex="female")
    made = await clinic.put("A1", body)
    assert made.status_code == 201
    schedule = made.json()
    assert (schedule["key"], schedule["hospital_id"], schedule["status"]) == ("A1", clinic.hospital_id, "open")
    assert {name: schedule[name] for name in body if name != "slots"} == {
        name: body[name] for name in body if name != "slots"
    }
    assert [{**slot, "slot_id": None} for slot in schedule["slots"]] == [
        {**slot, "slot_id": None, "booked": 0, "stopped": False} for slot in body["slots"]
    ]
    again = await clinic.put("A1", body)
    assert (again.status_code, again.json()) == (200, schedule)
    assert (await show(clinic, "A1")).json() == schedule
    (row,) = await service.sql("SELECT version FROM schedules WHERE id = $1", schedule["schedule_id"])
    assert row["version"] == 1, "who books need not read it again"
    assert await places(service, schedule) == [("0", 1, False), ("0", 2, False), ("1", 3, False)]


async def test_slots_may_be_named_in_any_order_and_times_in_any_zone(service: Service) -> None:
    clinic = await new_clinic(service)
    body = clinic.body(clinic.day(), [1, 1, 1])
    made = (await clinic.put("A1", body)).json()
    turned = {**body, "slots": body["slots"][::-1], "cancel_until": clinic.day().isoformat()}
    again = await clinic.put("A1", turned)
    assert (again.status_code, again.json()) == (200, made)


async def test_a_session_without_a_doctor_has_none(service: Service) -> None:
    clinic = await new_clinic(service)
    _, schedule, _ = await clinic.session(clinic.day(), [1], doctor=None)
    assert schedule["doctor"] is None


async def test_growth_and_new_slots_apply_beside_what_is_booked(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    start = clinic.day()
    key, schedule, slots = await clinic.session(start, [1, 1])
    mine = await person.booked(slots[0])
    grown = await clinic.put(key, clinic.body(start, [3, 1, 2]))
    assert grown.status_code == 200
    assert [(slot["capacity"], slot["booked"]) for slot in grown.json()["slots"]] == [(3, 1), (1, 0), (2, 0)]
    assert grown.json()["slots"][0]["slot_id"] == slots[0]["slot_id"]
    assert await places(service, schedule) == [
        *(("0", 1, True), ("1", 2, False), ("0", 3, False), ("0", 4, False), ("2", 5, False), ("2", 6, False))
    ]
    assert await person.appointments() == [mine]


async def test_all_of_a_session_that_nobody_booked_may_change(service: Service) -> None:
    clinic = await new_clinic(service)
    key, schedule, _ = await clinic.session(clinic.day(1), [5, 5])
    other = clinic.body(
        clinic.day(2, 14), [1], fee_fen=0, clinic="special", doctor=None, department={"code": "07", "name": "儿科"}
    )
    changed = await clinic.put(key, other)
    assert changed.status_code == 200
    assert changed.json()["schedule_id"] == schedule["schedule_id"]
    assert {name: changed.json()[name] for name in ("date", "fee_fen", "clinic", "doctor", "department")} == {
        name: other[name] for name in ("date", "fee_fen", "clinic", "doctor", "department")
    }
    assert await places(service, schedule) == [("0", 1, False)]


async def test_empty_slots_beside_a_booked_one_may_be_moved_shrunk_and_dropped(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    start = clinic.day()
    body = clinic.body(start, [1, 5, 5])
    key, _, slots = await clinic.session(start, [1, 5, 5])
    mine = await person.booked(slots[0])
    moved = {**body["slots"][1], "start": utc(start + timedelta(hours=1)), "end": utc(start + timedelta(hours=2))}
    changed = await clinic.put(key, {**body, "slots": [body["slots"][0], {**moved, "capacity": 2}]})
    assert changed.status_code == 200
    assert [(slot["key"], slot["start"], slot["capacity"]) for slot in changed.json()["slots"]] == [
        ("0", mine["start"], 1),
        ("1", moved["start"], 2),
    ]
    assert await person.appointments() == [mine]
    refused(await (await new_booker(service)).book(slots[2]), 404, "not-found")


async def test_a_slot_that_was_dropped_may_come_back_with_numbers_of_its_own(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    start = clinic.day()
    key, schedule, slots = await clinic.session(start, [1, 2])
    await person.booked(slots[0])
    assert (await clinic.put(key, clinic.body(start, [1]))).status_code == 200
    back = (await clinic.put(key, clinic.body(start, [1, 2]))).json()
    assert back["slots"][1]["slot_id"] == slots[1]["slot_id"]
    assert await places(service, schedule) == [("0", 1, True), ("1", 2, False), ("1", 3, False)]


def with_slot(body: Body, n: int, **change: Any) -> Body:
    """The body with one slot changed."""
    return {**body, "slots": [{**slot, **(change if m == n else {})} for m, slot in enumerate(body["slots"])]}


def minutes_on(at: str, minutes: int) -> str:
    """A time of a body, so many minutes on."""
    return utc(datetime.fromisoformat(at) + timedelta(minutes=minutes))


BOOKED: dict[str, tuple[Callable[[Body, Clinic], Body], str]] = {
    "fewer places": (lambda body, _: with_slot(body, 0, capacity=1), "capacity-below-booked"),
    "begins earlier": (
        lambda body, _: with_slot(body, 0, start=minutes_on(body["slots"][0]["start"], -5)),
        "slot-in-use",
    ),
    "ends earlier": (lambda body, _: with_slot(body, 0, end=minutes_on(body["slots"][0]["end"], -5)), "slot-in-use"),
    "dropped": (lambda body, _: {**body, "slots": body["slots"][1:]}, "slot-in-use"),
    "another key": (lambda body, _: with_slot(body, 0, key="another"), "slot-in-use"),
    "another doctor": (lambda body, _: {**body, "doctor": {**body["doctor"], "code": "D2"}}, "slot-in-use"),
    "no doctor": (lambda body, _: {**body, "doctor": None}, "slot-in-use"),
    "another department": (lambda body, _: {**body, "department": {"code": "9", "name": "内科"}}, "slot-in-use"),
    "another clinic": (lambda body, _: {**body, "clinic": "ordinary"}, "slot-in-use"),
    "dearer": (lambda body, _: {**body, "fee_fen": 2501}, "slot-in-use"),
    "cheaper": (lambda body, _: {**body, "fee_fen": 0}, "slot-in-use"),
    "another date": (lambda _, clinic: clinic.body(clinic.day(2), [3, 1]), "slot-in-use"),
    "less time to cancel": (
        lambda body, _: {**body, "cancel_until": minutes_on(body["cancel_until"], -1)},
        "slot-in-use",
    ),
}


async def test_what_is_booked_keeps_its_slot_its_places_and_what_its_people_were_told(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    start = clinic.day()
    key, _, slots = await clinic.session(start, [3, 1])
    mine, theirs = await one.booked(slots[0]), await two.booked(slots[0])
    before = (await show(clinic, key)).json()
    for what, (change, code) in BOOKED.items():
        answer = await clinic.put(key, change(clinic.body(start, [3, 1]), clinic))
        assert (answer.status_code, answer.json()["code"]) == (409, code), what
    assert (await show(clinic, key)).json() == before
    assert (await one.appointments(), await two.appointments()) == ([mine], [theirs])
    assert (await clinic.put(key, with_slot(clinic.body(start, [3, 1]), 0, capacity=2))).status_code == 200


async def test_a_booked_session_may_change_its_room_its_names_and_its_times_of_booking(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    start = clinic.day()
    key, _, slots = await clinic.session(start, [1])
    mine = await person.booked(slots[0])
    change: Body = {
        "room": "305",
        "cancel_until": utc(start + timedelta(minutes=5)),
        "opens_at": utc(start - timedelta(days=9)),
    }
    assert (await clinic.put(key, clinic.body(start, [1], **change))).status_code == 200
    (now,) = await person.appointments()
    assert now == {**mine, "room": "305", "cancel_until": change["cancel_until"]}


async def test_a_cancelled_appointment_holds_nothing(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    start = clinic.day()
    key, _, slots = await clinic.session(start, [2, 1])
    mine = await person.booked(slots[0])
    assert (await person.cancel(mine)).status_code == 204
    body = clinic.body(clinic.day(2), [1], fee_fen=1)
    assert (await clinic.put(key, {**body, "slots": [{**body["slots"][0], "key": "1"}]})).status_code == 200
    (cancelled,) = await person.appointments()
    assert (cancelled["start"], cancelled["status"]) == (mine["start"], "cancelled")


async def test_a_visit_that_is_done_holds_its_slot(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, person = await new_clinic(service), await new_booker(service)
    start = clinic.day(0, 9)
    key, _, slots = await clinic.session(start, [1, 1])
    mine = await person.booked(slots[0])
    here = await person.scanned(clinic, step=ARRIVAL)
    path = f"/v1/hospital/resolutions/{here['resolution_id']}/appointments/{mine['appointment_id']}/fulfil"
    assert (await service.http.post(path, headers=clinic.who, json={})).status_code == 200
    body = clinic.body(start, [1, 1])
    refused(await clinic.put(key, {**body, "slots": body["slots"][1:]}), 409, "slot-in-use")


async def test_a_stopped_session_takes_no_publication_but_the_one_it_has(service: Service) -> None:
    clinic = await new_clinic(service)
    start = clinic.day()
    key, schedule, _ = await clinic.session(start, [1])
    await clinic.post(f"{key}/stop", {"reason": "医生生病"})
    again = await clinic.put(key, clinic.body(start, [1]))
    assert (again.status_code, again.json()["status"]) == (200, "stopped")
    assert again.json()["schedule_id"] == schedule["schedule_id"]
    refused(await clinic.put(key, clinic.body(start, [2])), 409, "session-stopped")


async def test_a_closed_session_takes_no_publication_but_the_one_it_has(service: Service) -> None:
    clinic = await new_clinic(service)
    start = clinic.day(0, 0)
    key, _, _ = await clinic.session(start, [1])
    assert (await clinic.post(f"{key}/close", {})).status_code == 200
    assert (await clinic.put(key, clinic.body(start, [1]))).json()["status"] == "closed"
    refused(await clinic.put(key, clinic.body(start, [2])), 409, "slot-past")


async def test_a_stopped_slot_stays_stopped_when_the_session_is_published_again(service: Service) -> None:
    clinic = await new_clinic(service)
    start = clinic.day()
    key, _, _ = await clinic.session(start, [1, 1])
    await clinic.post(f"{key}/stop", {"reason": "设备维护", "keys": ["0"]})
    grown = await clinic.put(key, clinic.body(start, [9, 9]))
    assert [(slot["stopped"], slot["capacity"]) for slot in grown.json()["slots"]] == [(True, 9), (False, 9)]


async def test_publications_sent_at_once_make_one_session(service: Service) -> None:
    clinic = await new_clinic(service)
    body = clinic.body(clinic.day(), [4])
    answers = await asyncio.gather(*(clinic.put("race", body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["schedule_id"] for answer in answers}) == 1
    assert len(await places(service, answers[0].json())) == 4


async def test_a_shrinking_publication_among_bookings_loses_nobody(service: Service) -> None:
    clinic, people = await new_clinic(service), await new_bookers(service, 4)
    start = clinic.day()
    key, schedule, slots = await clinic.session(start, [4])
    answers = await asyncio.gather(
        *(person.book(slots[0]) for person in people), *(clinic.put(key, clinic.body(start, [n])) for n in (1, 2))
    )
    booked = sum(answer.status_code == 201 for answer in answers[:4])
    assert {answer.json().get("code") for answer in answers[:4]} <= {None, "slot-full"}
    assert {answer.json().get("code") for answer in answers[4:]} <= {None, "capacity-below-booked"}
    (slot,) = (await show(clinic, key)).json()["slots"]
    left = await places(service, schedule)
    assert (slot["booked"], slot["capacity"]) == (booked, len(left))
    assert sum(taken for _, _, taken in left) == booked


# Whose it is


@pytest.mark.parametrize("key", ["内科/1 号%", "a b+c", "..%2F..", "100%25", "?x=1#y", "'; DROP TABLE slots; --"])
async def test_any_printable_key_names_a_session_percent_encoded(service: Service, key: str) -> None:
    clinic = await new_clinic(service)
    path = quote(key, safe="")
    made = await clinic.put(path, clinic.body(clinic.day(), [1]))
    assert (made.status_code, made.json()["key"]) == (201, key)
    assert (await show(clinic, path)).json() == made.json()
    assert (await show(clinic, path, "/appointments")).json() == {"appointments": [], "next_cursor": None}
    assert (await clinic.post(f"{path}/stop", {"reason": "停"})).json() == {"cancelled": 0}


@pytest.mark.parametrize("path", ["%FF", "a%0Ab", "k" * 65, "%E5%86", "a%00"])
async def test_a_key_of_another_form_names_nothing(service: Service, path: str) -> None:
    clinic = await new_clinic(service)
    told = refused(await clinic.put(path, clinic.body(clinic.day(), [1])), 422, "validation-failed")
    assert told["errors"][0]["field"] == "/key"
    refused(await show(clinic, path), 404, "not-found")


async def test_a_key_is_its_hospitals_own(service: Service) -> None:
    clinic, other = await new_clinic(service), await new_clinic(service)
    key, schedule, _ = await clinic.session(clinic.day(), [1])
    for answer in (
        await show(other, key),
        await show(other, key, "/appointments"),
        await other.post(f"{key}/stop", {"reason": "不是我的"}),
        await other.post(f"{key}/close", {}),
    ):
        refused(answer, 404, "not-found")
    assert (await show(clinic, key)).json() == schedule
    theirs = await other.put(key, other.body(other.day(), [7]))
    assert theirs.status_code == 201
    assert theirs.json()["schedule_id"] != schedule["schedule_id"]
    assert (await show(clinic, key)).json() == schedule


async def test_a_client_without_the_scope_of_booking_and_whoever_is_no_hospital_is_refused(service: Service) -> None:
    lame, person = await new_clinic(service, ("records", "payment", "identity:full")), await new_booker(service)
    for who, status, code in (
        (lame.who, 403, "not-allowed"),
        (person.me, 403, "not-allowed"),
        ({}, 401, "unauthenticated"),
    ):
        there = Clinic(service, who)
        for answer in (
            await there.put("A", there.body(there.day(), [1])),
            await show(there, "A"),
            await show(there, "A", "/appointments"),
            await there.post("A/stop", {"reason": "x"}),
            await there.post("A/close", {}),
            await service.http.get("/v1/hospital/changes", headers=who),
        ):
            refused(answer, status, code)


# Who booked it


async def test_a_session_lists_its_appointments_newest_first_with_the_hospitals_own_numbers(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    key, _, slots = await clinic.session(clinic.day(), [1, 1])
    here = await one.scanned(clinic)
    await service.http.put(
        f"/v1/hospital/resolutions/{here['resolution_id']}/patient-number",
        headers=clinic.who,
        json={"patient_number": "P-7"},
    )
    first = await one.booked(slots[0])
    await one.cancel(first)
    second, third = await two.booked(slots[0]), await one.booked(slots[1])
    whole = (await show(clinic, key, "/appointments")).json()
    assert [(one["appointment_id"], one["status"], one["patient_number"]) for one in whole["appointments"]] == [
        (third["appointment_id"], "booked", "P-7"),
        (second["appointment_id"], "booked", None),
        (first["appointment_id"], "cancelled", "P-7"),
    ]
    assert whole["next_cursor"] is None
    paged: list[Body] = []
    cursor: Body = {}
    while len(paged) < 3:
        page = (await show(clinic, key, "/appointments", limit=2, **cursor)).json()
        paged += page["appointments"]
        cursor = {"cursor": page["next_cursor"]}
    assert (paged, cursor) == (whole["appointments"], {"cursor": None})


async def test_a_session_tells_its_hospital_nobodys_name_phone_or_number(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    key, _, slots = await clinic.session(clinic.day(), [1])
    await person.booked(slots[0])
    text = (await show(clinic, key, "/appointments")).text
    assert person.person is not None
    assert not any(told in text for told in (person.person.name, person.person.phone, person.person.id_number))
