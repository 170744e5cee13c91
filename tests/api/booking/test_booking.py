"""A patient books a place and looks at it: one place for one person, whoever taps how often."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from models.appointments import book
from tests.support.booking import (
    Booker,
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
from tests.support.streams import listening

NOBODYS = "00000000-0000-4000-8000-000000000000"


async def show(person: Booker, appointment: dict[str, Any]) -> httpx.Response:
    path = f"/v1/patient/appointments/{appointment['appointment_id']}"
    return await person.service.http.get(path, headers=person.me)


async def taken(service: Service, slot: dict[str, Any]) -> tuple[int, int]:
    """(places that are taken, live appointments) of a slot: never apart."""
    (row,) = await service.sql(
        "SELECT (SELECT count(*) FROM places WHERE slot_id = $1 AND appointment_id IS NOT NULL) AS places,"
        " (SELECT count(*) FROM appointments WHERE slot_id = $1 AND status <> 'cancelled') AS appointments",
        slot["slot_id"],
    )
    return row["places"], row["appointments"]


# Booking


async def test_an_appointment_tells_where_when_which_number_and_until_when_it_may_be_cancelled(
    service: Service,
) -> None:
    clinic, person = await new_clinic(service, name="长沙市测试医院"), await new_booker(service)
    start = clinic.day()
    _, schedule, (_, slot) = await clinic.session(start, [1, 2], cancel_until=utc(start - timedelta(hours=12)))
    answer = await person.book(slot)
    assert answer.status_code == 201
    mine = answer.json()
    assert mine == {
        "appointment_id": mine["appointment_id"],
        "slot_id": slot["slot_id"],
        "schedule_id": schedule["schedule_id"],
        "hospital": {"hospital_id": clinic.hospital_id, "name": "长沙市测试医院"},
        "department": {"code": "03.01", "name": "内科"},
        "doctor": {"code": "D1", "name": "测试医生", "title": "主任医师"},
        "clinic": "expert",
        "room": "201",
        "date": start.date().isoformat(),
        "start": slot["start"],
        "end": slot["end"],
        "fee_fen": 2500,
        "cancel_until": schedule["cancel_until"],
        "number": 2,
        "status": "booked",
        "booked_by": "patient",
        "arrived_at": None,
        "late": False,
        "ahead": 0,
        "cancelled_by": None,
        "reason": None,
    }
    assert (await show(person, mine)).json() == mine
    assert await person.appointments() == [mine]


async def test_who_booked_is_told_in_both_languages_without_their_name(service: Service) -> None:
    clinic = await new_clinic(service, name="长沙市测试医院")
    person = await new_booker(service, name="欧阳明远")
    _, _, (slot,) = await clinic.session(clinic.day(1, 9), [1])
    mine = await person.booked(slot)
    day = clinic.day(1, 9)
    for language, said in (
        ("zh", f"长沙市测试医院内科测试医生，{day.month}月{day.day}日 09:00–09:10"),
        ("en", f"长沙市测试医院, 内科, 测试医生, {day:%Y-%m-%d} 09:00–09:10"),
    ):
        (message,) = await person.messages("booked", language)
        assert (message["ref"], message["card_id"]) == (mine["appointment_id"], person.card["card_id"])
        assert said in message["text"]
        assert "明远" not in message["text"]


async def test_the_message_comes_by_the_stream_of_events_too(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    async with listening(service.http, person.me) as events:
        mine = await person.booked(slot)
        message = (await events.next("message")).data
    assert (message["kind"], message["ref"]) == ("booked", mine["appointment_id"])


async def test_places_are_given_by_number_and_a_full_slot_says_so(service: Service) -> None:
    clinic, (one, two, three) = await new_clinic(service), await new_bookers(service, 3)
    _, _, (slot, other) = await clinic.session(clinic.day(), [2, 1])
    assert [(await person.booked(slot))["number"] for person in (one, two)] == [1, 2]
    refused(await three.book(slot), 409, "slot-full")
    assert (await three.booked(other))["number"] == 3


async def test_twenty_people_at_once_get_three_places_with_three_numbers(service: Service) -> None:
    clinic, people = await new_clinic(service), await new_bookers(service, 20)
    _, _, (slot,) = await clinic.session(clinic.day(), [3])
    answers = await asyncio.gather(*(person.book(slot) for person in people))
    assert sorted(answer.json()["number"] for answer in answers if answer.status_code == 201) == [1, 2, 3]
    assert [answer.json()["code"] for answer in answers if answer.status_code != 201] == ["slot-full"] * 17
    assert await taken(service, slot) == (3, 3)


async def test_twenty_taps_of_one_person_are_one_appointment_and_one_place(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot, other) = await clinic.session(clinic.day(), [20, 20])
    answers = await asyncio.gather(*(person.book(slot if n % 2 else other) for n in range(20)))
    codes = sorted(answer.json().get("code", "") for answer in answers)
    assert codes == ["", *["already-booked"] * 19]
    sums = [await taken(service, slot), await taken(service, other)]
    assert sorted(sums) == [(0, 0), (1, 1)]
    assert len(await person.messages("booked")) == 1


async def test_booking_is_open_from_the_very_moment_it_opens_until_the_slot_starts(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    start = clinic.day(1, 9)
    _, _, (slot,) = await clinic.session(start, [2], opens_at=utc(start - timedelta(hours=1)))
    tick = timedelta(microseconds=1)
    await stand_at(service, start - timedelta(hours=1) - tick, one, two)
    refused(await one.book(slot), 409, "slot-not-open")
    await stand_at(service, start - timedelta(hours=1))
    await one.booked(slot)
    await stand_at(service, start)
    refused(await two.book(slot), 409, "slot-past")
    await stand_at(service, start - tick)
    await two.booked(slot)


async def test_a_stopped_session_and_a_closed_one_are_not_booked(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, person = await new_clinic(service), await new_booker(service)
    stopped, _, (slot,) = await clinic.session(clinic.day(0, 9), [1])
    closed, _, (other,) = await clinic.session(clinic.day(0, 10), [1])
    await clinic.post(f"{stopped}/stop", {"reason": "停"})
    await clinic.post(f"{closed}/close", {})
    refused(await person.book(slot), 409, "session-stopped")
    refused(await person.book(other), 409, "slot-past")


async def test_a_slot_that_is_nobodys_is_not_found_and_one_of_no_form_is_refused(service: Service) -> None:
    person = await new_booker(service)
    refused(await person.book({"slot_id": NOBODYS}), 404, "not-found")
    for body, pointer in (
        ({}, "/slot_id"),
        ({"slot_id": "x"}, "/slot_id"),
        ({"slot_id": None}, "/slot_id"),
        ({"slot_id": NOBODYS, "number": 1}, "/number"),
    ):
        answer = await service.http.post(f"{person.path}/appointments", headers=person.me, json=body)
        assert field(answer) == pointer


async def test_a_frozen_card_books_nothing_and_keeps_what_it_booked(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(1), [1])
    _, _, (other,) = await clinic.session(clinic.day(2), [1])
    mine = await person.booked(slot)
    await service.http.post(f"{person.path}/freeze", headers=person.me, json={})
    refused(await person.book(other), 403, "card-frozen")
    assert (await show(person, mine)).json()["status"] == "booked"
    assert (await person.cancel(mine)).status_code == 204


async def test_a_freeze_among_bookings_is_never_answered_before_one_that_it_refuses(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    slots = [(await clinic.session(clinic.day(n + 1), [1]))[2][0] for n in range(6)]
    frozen = asyncio.Event()

    async def book(slot: dict[str, Any], n: int) -> tuple[bool, httpx.Response]:
        await asyncio.sleep(n * 0.01)
        return frozen.is_set(), await person.book(slot)

    async def freeze() -> None:
        await asyncio.sleep(0.02)
        await service.http.post(f"{person.path}/freeze", headers=person.me, json={})
        frozen.set()

    answers, _ = await asyncio.gather(asyncio.gather(*(book(slot, n) for n, slot in enumerate(slots))), freeze())
    late = await person.book(slots[0])
    assert {answer.json().get("code") for _, answer in answers} <= {None, "card-frozen"}
    assert {answer.status_code for after, answer in answers if after} <= {403}
    refused(late, 403, "card-frozen")


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Awaitable[Any]]], None]:
    """Has something happen once between what is read for a booking and the statement that books."""

    def happens(what: Callable[[], Awaitable[Any]]) -> None:
        async def book_later(*given: Any, **more: Any) -> Any:
            monkeypatch.setattr("api.booking.deciding.book", book)
            await what()
            return await book(*given, **more)

        monkeypatch.setattr("api.booking.deciding.book", book_later)

    return happens


async def test_a_card_that_is_frozen_after_it_was_read_books_nothing(service: Service, meanwhile: Any) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    meanwhile(lambda: service.http.post(f"{person.path}/freeze", headers=person.me, json={}))
    refused(await person.book(slot), 403, "card-frozen")
    assert await taken(service, slot) == (0, 0)


async def test_a_session_that_is_published_for_others_after_it_was_read_books_nobody_else(
    service: Service, meanwhile: Any
) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    key, _, (slot,) = await clinic.session(clinic.day(), [1])
    meanwhile(lambda: clinic.put(key, clinic.body(clinic.day(), [1], sex="female")))
    refused(await person.book(slot), 422, "slot-not-eligible")
    assert await taken(service, slot) == (0, 0)


async def test_a_slot_that_is_moved_after_it_was_read_is_booked_at_its_new_time(
    service: Service, meanwhile: Any
) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    key, _, (slot,) = await clinic.session(clinic.day(1, 9), [1])
    meanwhile(lambda: clinic.put(key, clinic.body(clinic.day(1, 14), [1])))
    assert (await person.booked(slot))["start"] == utc(clinic.day(1, 14))
    (message,) = await person.messages("booked")
    assert "14:00–14:10" in message["text"]


async def test_a_card_that_is_anothers_or_closed_is_not_found(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    _, _, (slot,) = await clinic.session(clinic.day(), [9])
    thief = Booker(service, two.me, one.card)
    refused(await thief.book(slot), 404, "not-found")
    for what in ("appointments", "waitings"):
        refused(await service.http.get(f"{one.path}/{what}", headers=two.me), 404, "not-found")
    await service.http.delete(one.path, headers=one.me)
    refused(await one.book(slot), 404, "not-found")


# Whose it is


async def test_anothers_appointment_is_as_absent_as_none(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    mine = await one.booked(slot)
    absent = {"appointment_id": NOBODYS}
    for call in (show, Booker.cancel):
        theirs, none = (
            refused(await call(two, mine), 404, "not-found"),
            refused(await call(two, absent), 404, "not-found"),
        )
        assert {**theirs, "request_id": None} == {**none, "request_id": None}
        refused(await call(two, {"appointment_id": "x"}), 404, "not-found")
    assert (await show(one, mine)).json() == mine


async def test_a_self_card_shows_all_of_its_person_and_another_what_was_booked_with_it(service: Service) -> None:
    clinic = await new_clinic(service)
    hers, relatives = await on_two_accounts(service)
    _, _, (slot,) = await clinic.session(clinic.day(1), [1])
    _, _, (other,) = await clinic.session(clinic.day(2), [1])
    own, given = await hers.booked(slot), await relatives.booked(other)
    assert await hers.appointments() == [given, own]
    assert await relatives.appointments() == [given]
    assert (await show(hers, given)).json() == given
    refused(await show(relatives, own), 404, "not-found")
    refused(await relatives.cancel(own), 404, "not-found")
    assert (await hers.cancel(given)).status_code == 204
    assert [one["status"] for one in await relatives.appointments()] == ["cancelled"]


async def test_what_a_closed_card_booked_stays_the_persons(service: Service) -> None:
    clinic = await new_clinic(service)
    hers, relatives = await on_two_accounts(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    mine = await relatives.booked(slot)
    await service.http.delete(relatives.path, headers=relatives.me)
    refused(await show(relatives, mine), 404, "not-found")
    assert await hers.appointments() == [mine]
    assert (await hers.cancel(mine)).status_code == 204


async def test_the_list_is_keyset_newest_first_and_has_cancelled_ones_too(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    made = []
    for n in range(5):
        _, _, (slot,) = await clinic.session(clinic.day(n + 1), [1])
        made.append(await person.booked(slot))
    await person.cancel(made[1])
    whole = await person.appointments()
    assert [one["appointment_id"] for one in whole] == [one["appointment_id"] for one in made[::-1]]
    assert [one["status"] for one in whole] == ["booked", "booked", "booked", "cancelled", "booked"]
    paged: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    for size in (2, 2, 1):
        answer = await service.http.get(f"{person.path}/appointments", headers=person.me, params={"limit": 2, **cursor})
        page = answer.json()
        assert len(page["appointments"]) == size
        paged, cursor = paged + page["appointments"], {"cursor": page["next_cursor"]}
    assert (paged, cursor) == (whole, {"cursor": None})
    for query, pointer in (({"limit": 0}, "/limit"), ({"limit": 101}, "/limit"), ({"cursor": "x"}, "/cursor")):
        assert field(await service.http.get(f"{person.path}/appointments", headers=person.me, params=query)) == pointer


# Repeating


async def test_the_same_idempotency_key_is_the_same_answer_and_one_appointment(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [5])
    key = {"Idempotency-Key": "tap-1"}
    first, second = await person.book(slot, **key), await person.book(slot, **key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    assert await taken(service, slot) == (1, 1)
    refused(await person.book({"slot_id": NOBODYS}, **key), 422, "idempotency-key-reused")


async def test_ten_taps_with_one_idempotency_key_take_one_place(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [5])
    answers = await asyncio.gather(*(person.book(slot, **{"Idempotency-Key": "taps"}) for _ in range(10)))
    assert {answer.json().get("code") for answer in answers} <= {None, "idempotency-in-progress"}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await taken(service, slot) == (1, 1)


async def test_a_refusal_is_not_kept_under_the_key(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    first = await one.booked(slot)
    refused(await two.book(slot, **{"Idempotency-Key": "retry"}), 409, "slot-full")
    await one.cancel(first)
    assert (await two.book(slot, **{"Idempotency-Key": "retry"})).status_code == 201


@pytest.mark.parametrize("what", ["appointments", "waitings"])
async def test_a_hospital_is_no_patient(service: Service, what: str) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    for method in ("GET", "POST"):
        answer = await service.http.request(method, f"{person.path}/{what}", headers=clinic.who, json={})
        refused(answer, 403, "not-allowed")
        refused(await service.http.request(method, f"{person.path}/{what}", json={}), 401, "unauthenticated")
