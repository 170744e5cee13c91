"""Who may stand in a waiting list (候补), until when, and how one leaves it."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from tests.api.booking.test_waiting_list import Row, full, given, now_of
from tests.support.booking import (
    Booker,
    Clinic,
    child_of,
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

NOBODYS = "00000000-0000-4000-8000-000000000000"


async def leave(person: Booker, waiting: Row) -> httpx.Response:
    path = f"/v1/patient/waitings/{waiting['waiting_id']}"
    return await person.service.http.delete(path, headers=person.me)


# Time


@pytest.mark.parametrize(("before", "filled"), [(timedelta(), True), (timedelta(microseconds=-1), False)])
async def test_the_line_gives_up_to_the_very_moment_two_hours_before_the_start(
    service: Service, before: timedelta, filled: bool
) -> None:
    line, (person, other) = await full(service, days=2), await new_bookers(service, 2)
    await line.stand(person)
    start = line.clinic.day(2)
    everyone: tuple[Clinic | Booker, ...] = (line.clinic, person, other, *line.holders)
    await stand_at(service, start - timedelta(hours=2) - before, *everyone)
    await line.free()
    assert bool(await given(person)) is filled
    assert (await other.book(line.slots[0])).json().get("code") == ("slot-full" if filled else None)


async def test_waiting_ends_two_hours_before_the_last_start_by_the_clock_alone(service: Service) -> None:
    line, (one, two, late) = await full(service, 2, days=2, minutes=60), await new_bookers(service, 3)
    await line.stand(one, slot=0)
    await line.stand(two)
    start = line.clinic.day(2)
    everyone = (line.clinic, one, two, late)
    await stand_at(service, start - timedelta(hours=2), *everyone)
    assert await now_of(one) == ("expired", None)
    assert (await now_of(two))[0] == "waiting"
    refused(await late.wait(line.schedule, line.slots[0]), 409, "slot-past")
    await stand_at(service, start - timedelta(hours=1))
    assert [await now_of(person) for person in (one, two)] == [("expired", None)] * 2
    refused(await late.wait(line.schedule), 409, "slot-past")
    await service.services.closing.turn(service.services)
    kept = await service.sql("SELECT status FROM waitings WHERE schedule_id = $1", line.schedule["schedule_id"])
    assert [row["status"] for row in kept] == ["expired", "expired"]


async def test_what_the_line_gave_may_be_cancelled_until_it_starts(service: Service) -> None:
    start = local(2, 9)
    line = await full(service, 2, days=2, cancel_until=utc(start - timedelta(hours=12)))
    one, two = await new_bookers(service, 2)
    await line.stand(one, two)
    await asyncio.gather(line.free(0), line.free(1))
    mine, second = await given(one), await given(two)
    assert mine is not None
    assert second is not None
    first, then = sorted(((mine, one), (second, two)), key=lambda both: str(both[0]["start"]))
    await stand_at(service, start - timedelta(microseconds=1), one, two)
    assert (await first[1].cancel(first[0])).status_code == 204
    await stand_at(service, start + timedelta(minutes=10))
    refused(await then[1].cancel(then[0]), 409, "cancel-too-late")


# Leaving


async def test_who_leaves_the_line_is_in_it_no_more(service: Service) -> None:
    line, (one, two) = await full(service), await new_bookers(service, 2)
    await line.stand(one, two)
    (waiting,) = await one.waitings()
    assert (await leave(one, waiting)).status_code == 204
    assert [await now_of(one), await now_of(two)] == [("withdrawn", None), ("waiting", 1)]
    refused(await leave(one, waiting), 409, "conflict")
    await line.free()
    assert [bool(await given(person)) for person in (one, two)] == [False, True]


async def test_who_comes_back_stands_last(service: Service) -> None:
    line, (one, two) = await full(service), await new_bookers(service, 2)
    await line.stand(one, two)
    await leave(one, (await one.waitings())[0])
    assert (await one.wait(line.schedule)).json()["position"] == 2


async def test_a_waiting_that_was_given_a_place_is_left_by_cancelling_that(service: Service) -> None:
    line, person = await full(service), await new_booker(service)
    await line.stand(person)
    await line.free()
    refused(await leave(person, (await person.waitings())[0]), 409, "conflict")
    mine = await given(person)
    assert mine is not None
    assert mine["status"] == "booked"


async def test_leaving_and_being_given_a_place_do_not_both_happen(service: Service) -> None:
    for _ in range(4):
        line, person = await full(service), await new_booker(service)
        await line.stand(person)
        (waiting,) = await person.waitings()
        _, answer = await asyncio.gather(line.free(), leave(person, waiting))
        assert (answer.status_code == 204) is (await given(person) is None)
        assert (await now_of(person))[0] == ("withdrawn" if answer.status_code == 204 else "booked")


async def test_anothers_waiting_is_as_absent_as_none(service: Service) -> None:
    line, (one, two) = await full(service), await new_bookers(service, 2)
    await line.stand(one)
    (waiting,) = await one.waitings()
    theirs = refused(await leave(two, waiting), 404, "not-found")
    absent = refused(await leave(two, {"waiting_id": NOBODYS}), 404, "not-found")
    assert {**theirs, "request_id": None} == {**absent, "request_id": None}
    refused(await leave(two, {"waiting_id": "x"}), 404, "not-found")
    assert await now_of(one) == ("waiting", 1)


# Who may stand


async def test_a_free_place_is_booked_not_waited_for(service: Service) -> None:
    line, person = await full(service, 2), await new_booker(service)
    await line.free(1)
    refused(await person.wait(line.schedule), 409, "slot-free")
    refused(await person.wait(line.schedule, line.slots[1]), 409, "slot-free")
    assert (await person.wait(line.schedule, line.slots[0])).status_code == 201


async def test_a_person_waits_once_for_a_session_over_all_accounts(service: Service) -> None:
    line = await full(service, 2)
    hers, relatives = await on_two_accounts(service)
    answers = await asyncio.gather(*(who.wait(line.schedule) for who in (hers, relatives) for _ in range(4)))
    assert sorted(answer.json().get("code", "") for answer in answers) == ["", *["already-waiting"] * 7]
    refused(await relatives.wait(line.schedule, line.slots[0]), 409, "already-waiting")
    refused(await line.holders[0].wait(line.schedule, line.slots[1]), 409, "already-booked")


async def test_five_at_once_over_all_accounts_and_ended_ones_count_for_nothing(service: Service) -> None:
    clinic, holder = await new_clinic(service), await new_booker(service)
    hers, relatives = await on_two_accounts(service)
    sessions = []
    for n in range(7):
        _, schedule, (slot,) = await clinic.session(clinic.day(n + 1), [1])
        sessions.append((schedule, await holder.booked(slot)))
    answers = await asyncio.gather(*((hers, relatives)[n % 2].wait(sessions[n][0]) for n in range(7)))
    assert sorted(answer.json().get("code", "") for answer in answers) == [""] * 5 + ["waiting-limit"] * 2
    (left,) = [n for n, answer in enumerate(answers) if answer.status_code == 409][:1]
    waits = next(n for n, answer in enumerate(answers) if answer.status_code == 201)
    assert (await holder.cancel(sessions[waits][1])).status_code == 204
    assert (await hers.wait(sessions[left][0])).status_code == 201
    ended = next(one for one in await hers.waitings() if one["status"] == "waiting")
    assert (await leave(hers, ended)).status_code == 204


async def test_a_session_that_is_not_open_stopped_closed_or_of_another_age_is_not_waited_for(service: Service) -> None:
    await go_to(service, local(1, 8))
    person = await new_booker(service)
    stopped, closed = await full(service), await full(service, days=0)
    await stopped.clinic.post(f"{stopped.key}/stop", {"reason": "停"})
    await closed.clinic.post(f"{closed.key}/close", {})
    refused(await person.wait(stopped.schedule), 409, "session-stopped")
    refused(await person.wait(closed.schedule), 409, "slot-past")
    old = await full(service, max_age=99)
    young = await new_clinic(service)
    _, schedule, (slot,) = await young.session(young.day(2), [1], max_age=13)
    child = await child_of(await new_booker(service))
    await child.booked(slot)
    refused(await person.wait(schedule), 422, "slot-not-eligible")
    assert (await person.wait(old.schedule)).status_code == 201
    opens = utc(young.day(1))
    _, unopened, _ = await young.session(young.day(3), [1], opens_at=opens)
    refused(await person.wait(unopened), 409, "slot-not-open")


async def test_a_card_that_is_frozen_or_anothers_stands_in_no_line(service: Service) -> None:
    line, (one, two) = await full(service), await new_bookers(service, 2)
    refused(await Booker(service, two.me, one.card).wait(line.schedule), 404, "not-found")
    await service.http.post(f"{one.path}/freeze", headers=one.me, json={})
    refused(await one.wait(line.schedule), 403, "card-frozen")
    assert await one.waitings() == []


async def test_a_session_or_slot_that_is_not_there_or_not_of_it_is_not_found(service: Service) -> None:
    line, other, person = await full(service), await full(service), await new_booker(service)
    for schedule, slot in (
        ({"schedule_id": NOBODYS}, None),
        (line.schedule, {"slot_id": NOBODYS}),
        (line.schedule, other.slots[0]),
    ):
        refused(await person.wait(schedule, slot), 404, "not-found")
    for body, pointer in (
        ({}, "/schedule_id"),
        ({"schedule_id": "x"}, "/schedule_id"),
        ({"schedule_id": line.schedule["schedule_id"], "slot_id": "x"}, "/slot_id"),
        ({"schedule_id": line.schedule["schedule_id"], "position": 1}, "/position"),
    ):
        answer = await service.http.post(f"{person.path}/waitings", headers=person.me, json=body)
        assert field(answer) == pointer


async def test_the_same_idempotency_key_is_the_same_answer_and_one_place_in_line(service: Service) -> None:
    line, person = await full(service), await new_booker(service)
    body = {"schedule_id": line.schedule["schedule_id"]}
    headers = {**person.me, "Idempotency-Key": "k"}
    first, second = [await service.http.post(f"{person.path}/waitings", headers=headers, json=body) for _ in range(2)]
    assert (first.status_code, first.content) == (201, second.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert len(await person.waitings()) == 1


async def test_a_family_waits_each_with_their_own_card(service: Service) -> None:
    line, mother = await full(service), await new_booker(service)
    child = await child_of(mother)
    await line.stand(mother, child)
    assert [await now_of(mother), await now_of(child)] == [("waiting", 1), ("waiting", 2)]
    await line.free()
    assert [bool(await given(one)) for one in (mother, child)] == [True, False]
    assert (await mother.messages("waiting-booked"))[0]["card_id"] == mother.card["card_id"]


async def test_the_list_is_keyset_newest_first_and_a_self_card_shows_all_of_its_person(service: Service) -> None:
    hers, relatives = await on_two_accounts(service)
    made = []
    for n, who in enumerate((hers, relatives, hers)):
        line = await full(service, days=n + 1)
        made.append((await who.wait(line.schedule)).json())
    assert [one["waiting_id"] for one in await hers.waitings()] == [one["waiting_id"] for one in made[::-1]]
    assert await relatives.waitings() == [made[1]]
    path = f"{hers.path}/waitings"
    found: list[Row] = []
    cursor: Row = {}
    for size in (2, 1):
        page = (await service.http.get(path, headers=hers.me, params={"limit": 2, **cursor})).json()
        assert len(page["waitings"]) == size
        found, cursor = found + page["waitings"], {"cursor": page["next_cursor"]}
    assert (found, cursor) == (made[::-1], {"cursor": None})
