"""The scan itself is the arrival: which steps, which appointment, how often, and in what order people are called."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest

from api.hospital.types import Step
from tests.api.booking.test_changes import feed
from tests.support.booking import (
    ARRIVAL,
    Booker,
    Clinic,
    child_of,
    go_to,
    local,
    new_booker,
    new_bookers,
    new_clinic,
    on_two_accounts,
    stand_at,
)
from tests.support.service import ALL_SCOPES, Service, bearer, refused

ARRIVING = {"0101011", "0101012", "0101014"}


async def arrive(person: Booker, clinic: Clinic, **more: Any) -> Any:
    """What a scan at registration made arrived."""
    return (await person.scanned(clinic, step=ARRIVAL, **more))["arrival"]


async def now_of(person: Booker, appointment: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/patient/appointments/{appointment['appointment_id']}"
    shown: dict[str, Any] = (await person.service.http.get(path, headers=person.me)).json()
    return shown


@pytest.fixture
async def morning(service: Service) -> Clinic:
    """A hospital at eight in the morning."""
    await go_to(service, local(1, 8))
    return await new_clinic(service)


async def test_a_scan_at_registration_makes_todays_appointment_arrived(morning: Clinic) -> None:
    person = await new_booker(morning.service)
    _, _, (slot,) = await morning.session(morning.day(0, 9), [1])
    mine = await person.booked(slot)
    found = await person.scanned(morning, step=ARRIVAL)
    assert found["arrival"] == {**mine, "status": "arrived", "arrived_at": found["resolved_at"]}
    assert await now_of(person, mine) == found["arrival"]
    assert await person.appointments() == [found["arrival"]]


@pytest.mark.parametrize("step", get_args(Step))
async def test_sign_in_registration_and_triage_are_arrival_and_no_other_step(morning: Clinic, step: str) -> None:
    person = await new_booker(morning.service)
    _, _, (slot,) = await morning.session(morning.day(0, 9), [1])
    mine = await person.booked(slot)
    found = await person.scanned(morning, step=step)
    assert (found["arrival"] is not None) is (step in ARRIVING)
    assert (await now_of(person, mine))["status"] == ("arrived" if step in ARRIVING else "booked")


async def test_arrival_is_from_the_very_moment_two_hours_before_the_start(service: Service) -> None:
    start = local(1, 14)
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(start, [1])
    await person.booked(slot)
    await stand_at(service, start - timedelta(hours=2, microseconds=1), clinic, person)
    assert await arrive(person, clinic) is None
    await stand_at(service, start - timedelta(hours=2))
    assert (await arrive(person, clinic))["status"] == "arrived"


async def test_arrival_is_until_the_session_is_closed(morning: Clinic) -> None:
    service = morning.service
    in_time, too_late = await new_bookers(service, 2)
    start = morning.day(0, 9)
    key, _, (slot, _) = await morning.session(start, [2, 1])
    await in_time.booked(slot)
    missed = await too_late.booked(slot)
    await stand_at(service, start + timedelta(hours=2), morning)
    arrived = await arrive(in_time, morning)
    assert (arrived["status"], arrived["late"]) == ("arrived", True)
    assert (await morning.post(f"{key}/close", {})).json() == {"noshow": 1}
    assert await arrive(too_late, morning) is None
    assert (await now_of(too_late, missed))["status"] == "noshow"


async def test_the_nearest_start_arrives_first_and_the_next_scan_takes_the_other(morning: Clinic) -> None:
    service, person = morning.service, await new_booker(morning.service)
    starts = [morning.day(0, 8, 20), morning.day(0, 9), morning.day(0, 9, 30)]
    made = [await person.booked((await morning.session(start, [1]))[2][0]) for start in starts]
    await go_to(service, morning.day(0, 8, 50), morning)
    scans = [await arrive(person, morning) for _ in range(4)]
    assert [scan and scan["appointment_id"] for scan in scans] == [
        made[1]["appointment_id"],
        made[0]["appointment_id"],
        made[2]["appointment_id"],
        None,
    ]


async def test_another_hospitals_and_another_dates_appointment_do_not_arrive(morning: Clinic) -> None:
    service = morning.service
    other, person = await new_clinic(service), await new_booker(service)
    there = await person.booked((await other.session(other.day(0, 9), [1]))[2][0])
    tomorrow = await person.booked((await morning.session(morning.day(1, 9), [1]))[2][0])
    assert await arrive(person, morning) is None
    assert [(await now_of(person, one))["status"] for one in (there, tomorrow)] == ["booked", "booked"]
    assert (await arrive(person, other))["appointment_id"] == there["appointment_id"]


async def test_today_is_shanghais_and_changes_at_its_midnight(service: Service) -> None:
    start = local(2, 0, 30)
    clinic, person = await new_clinic(service), await new_booker(service)
    mine = await person.booked((await clinic.session(start, [1]))[2][0])
    midnight = local(2, 0)
    await stand_at(service, midnight - timedelta(microseconds=1), clinic, person)
    assert await arrive(person, clinic) is None, "though it starts in half an hour"
    await stand_at(service, midnight)
    assert (await arrive(person, clinic))["appointment_id"] == mine["appointment_id"]


async def test_a_code_or_a_client_that_does_not_open_booking_makes_nobody_arrived(morning: Clinic) -> None:
    service, person = morning.service, await new_booker(morning.service)
    mine = await person.booked((await morning.session(morning.day(0, 9), [1]))[2][0])
    assert (await person.scanned(morning, ["payment", "records"], step=ARRIVAL))["arrival"] is None
    lame = await service.client(
        tuple(scope for scope in ALL_SCOPES if scope != "booking"), hospital_id=morning.hospital_id
    )
    who = bearer((await service.token(lame)).json()["access_token"])
    code = await service.code(person.me, person.card)
    assert (await service.resolved(who, code, step=ARRIVAL))["arrival"] is None
    assert (await now_of(person, mine))["status"] == "booked"
    assert (await person.scanned(morning, ["booking"], step=ARRIVAL))["arrival"]["status"] == "arrived"


async def test_a_replay_is_equal_byte_for_byte_whatever_came_of_the_appointment(morning: Clinic) -> None:
    service, person = morning.service, await new_booker(morning.service)
    await person.booked((await morning.session(morning.day(0, 9), [1]))[2][0])
    code = await service.code(person.me, person.card)
    first = await service.scan(morning.who, code, step=ARRIVAL)
    again = await service.scan(morning.who, code, step=ARRIVAL)
    found = first.json()
    path = f"/v1/hospital/resolutions/{found['resolution_id']}"
    done = f"{path}/appointments/{found['arrival']['appointment_id']}/fulfil"
    assert (await service.http.post(done, headers=morning.who, json={})).json()["status"] == "fulfilled"
    later = await service.scan(morning.who, code, step=ARRIVAL)
    assert [first.status_code, again.status_code, later.status_code] == [201, 200, 200]
    assert first.content == again.content == later.content
    assert (await service.http.get(path, headers=morning.who)).content == first.content


async def test_a_second_scan_makes_nothing_arrived_again(morning: Clinic) -> None:
    service, person = morning.service, await new_booker(morning.service)
    mine = await person.booked((await morning.session(morning.day(0, 9), [1]))[2][0])
    first = await arrive(person, morning)
    second = await person.scanned(morning, step=ARRIVAL)
    assert second["arrival"] is None
    path = f"/v1/hospital/resolutions/{second['resolution_id']}/appointments"
    assert (await service.http.get(path, headers=morning.who)).json()["appointments"] == [first]
    assert await feed(morning, 2) == [("booked", mine["appointment_id"]), ("arrived", mine["appointment_id"])]


async def test_ten_terminals_at_once_make_one_arrival(morning: Clinic) -> None:
    service, person = morning.service, await new_booker(morning.service)
    mine = await person.booked((await morning.session(morning.day(0, 9), [1]))[2][0])
    codes = [await service.code(person.me, person.card) for _ in range(2)]
    scans = [service.scan(morning.who, code, step=ARRIVAL, terminal=f"T{n}") for code in codes for n in range(5)]
    answers = [answer.json() for answer in await asyncio.gather(*scans) if answer.status_code == 201]
    assert len(answers) == 2
    assert sorted(one["arrival"] is None for one in answers) == [False, True]
    assert await feed(morning, 2) == [("booked", mine["appointment_id"]), ("arrived", mine["appointment_id"])]


async def test_a_refused_scan_makes_nobody_arrived(morning: Clinic) -> None:
    service, person = morning.service, await new_booker(morning.service)
    mine = await person.booked((await morning.session(morning.day(0, 9), [1]))[2][0])
    old = await service.own_code(person.card, iat=int(service.now()) - 600)
    refused(await service.scan(morning.who, old.text, step=ARRIVAL), 410, "code-expired")
    code = await service.code(person.me, person.card)
    await service.http.post(f"{person.path}/freeze", headers=person.me, json={})
    refused(await service.scan(morning.who, code, step=ARRIVAL), 403, "card-revoked")
    assert (await now_of(person, mine))["status"] == "booked"


async def test_what_is_cancelled_stopped_or_done_does_not_arrive(morning: Clinic) -> None:
    service, people = morning.service, await new_bookers(morning.service, 3)
    stopped, _, (slot,) = await morning.session(morning.day(0, 9), [1])
    _, _, (other,) = await morning.session(morning.day(0, 9, 30), [2])
    await people[0].booked(slot)
    await morning.post(f"{stopped}/stop", {"reason": "停"})
    await people[1].cancel(await people[1].booked(other))
    mine = await people[2].booked(other)
    here = await people[2].scanned(morning, step=ARRIVAL)
    path = f"/v1/hospital/resolutions/{here['resolution_id']}/appointments/{mine['appointment_id']}/fulfil"
    await service.http.post(path, headers=morning.who, json={})
    assert [await arrive(person, morning) for person in people] == [None] * 3


async def test_the_person_arrives_whosever_card_is_scanned(morning: Clinic) -> None:
    service = morning.service
    hers, relatives = await on_two_accounts(service)
    mine = await hers.booked((await morning.session(morning.day(0, 9), [1]))[2][0])
    assert (await arrive(relatives, morning))["appointment_id"] == mine["appointment_id"]
    assert (await now_of(hers, mine))["status"] == "arrived"


async def test_a_child_arrives_and_its_mother_does_not(morning: Clinic) -> None:
    mother = await new_booker(morning.service)
    child = await child_of(mother)
    _, _, (slot,) = await morning.session(morning.day(0, 9), [2])
    hers, its = await mother.booked(slot), await child.booked(slot)
    assert (await arrive(child, morning))["appointment_id"] == its["appointment_id"]
    assert (await now_of(mother, hers))["status"] == "booked"


async def test_people_are_called_by_number_and_the_late_last_by_when_they_came(morning: Clinic) -> None:
    service, people = morning.service, await new_bookers(morning.service, 5)
    start = morning.day(0, 9)
    _, _, (first, second) = await morning.session(start, [3, 2], minutes=30)
    one, two, three, four, five = people
    made = [await person.booked(slot) for person, slot in zip(people, [first] * 3 + [second] * 2, strict=True)]
    assert [one["number"] for one in made] == [1, 2, 3, 4, 5]

    async def ahead() -> list[int | None]:
        return [(await now_of(*both))["ahead"] for both in zip(people, made, strict=True)]

    assert (await arrive(three, morning))["ahead"] == 0
    assert await ahead() == [0, 0, 0, 1, 1], "who is booked sees who would be called before"
    assert (await arrive(one, morning))["ahead"] == 0
    assert await ahead() == [0, 1, 1, 2, 2]
    await go_to(service, start + timedelta(minutes=31), morning)
    assert await ahead() == [0, 2, 1, 2, 2], "who is late and not there yet would be last"
    late = await arrive(two, morning)
    assert (late["late"], late["ahead"]) == (True, 2), "after the slot's end: behind all who are there"
    in_time = await arrive(five, morning)
    assert (in_time["late"], in_time["ahead"]) == (False, 2)
    assert await ahead() == [0, 3, 1, 2, 2]
    await go_to(service, start + timedelta(minutes=61), morning)
    assert (await arrive(four, morning))["late"] is True
    assert await ahead() == [0, 3, 1, 4, 2], "among the late, who came first"
    here = await one.scanned(morning)
    path = f"/v1/hospital/resolutions/{here['resolution_id']}/appointments/{made[0]['appointment_id']}/fulfil"
    await service.http.post(path, headers=morning.who, json={})
    assert await ahead() == [None, 2, 0, 3, 1]


async def test_on_the_dot_of_the_slots_end_is_in_time(service: Service) -> None:
    start = local(1, 9)
    clinic, people = await new_clinic(service), await new_bookers(service, 2)
    _, _, (slot,) = await clinic.session(start, [2])
    for person in people:
        await person.booked(slot)
    end = datetime.fromisoformat(slot["end"])
    await stand_at(service, end, clinic, *people)
    assert (await arrive(people[0], clinic))["late"] is False
    await stand_at(service, end + timedelta(microseconds=1))
    assert (await arrive(people[1], clinic))["late"] is True


async def test_a_returned_place_keeps_its_number_and_its_turn(morning: Clinic) -> None:
    one, two, three = await new_bookers(morning.service, 3)
    _, _, (slot,) = await morning.session(morning.day(0, 9), [2])
    first, second = await one.booked(slot), await two.booked(slot)
    assert (await arrive(two, morning))["ahead"] == 0
    await one.cancel(first)
    third = await three.booked(slot)
    assert third["number"] == first["number"] == 1
    assert (await arrive(three, morning))["ahead"] == 0
    assert (await now_of(two, second))["ahead"] == 1


async def test_who_cancels_after_arriving_is_ahead_of_nobody(morning: Clinic) -> None:
    one, two = await new_bookers(morning.service, 2)
    _, _, (slot,) = await morning.session(morning.day(0, 9), [2])
    first, second = await one.booked(slot), await two.booked(slot)
    await arrive(one, morning)
    assert (await now_of(two, second))["ahead"] == 1
    await one.cancel(first)
    assert (await now_of(two, second))["ahead"] == 0
    gone = await now_of(one, first)
    assert (gone["status"], gone["ahead"], gone["arrived_at"] is not None) == ("cancelled", None, True)
