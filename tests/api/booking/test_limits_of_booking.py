"""What keeps a person from one more appointment: limits of the person over all accounts, no-shows, age and sex."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.support.booking import (
    SHANGHAI,
    Booker,
    Clinic,
    child_of,
    go_to,
    local,
    new_booker,
    new_clinic,
    on_two_accounts,
    stand_at,
)
from tests.support.service import Service, refused

Slot = dict[str, Any]


async def one_slot(clinic: Clinic, start: datetime, **more: Any) -> Slot:
    """The only slot of a new session."""
    _, _, (slot,) = await clinic.session(start, [9], **more)
    return slot


# One a session, none at the same time, three a date


async def test_a_session_is_booked_once_by_a_person_over_all_their_accounts(service: Service) -> None:
    clinic = await new_clinic(service)
    hers, relatives = await on_two_accounts(service)
    _, _, (slot, other) = await clinic.session(clinic.day(), [2, 2])
    await hers.booked(slot)
    refused(await relatives.book(slot), 409, "already-booked")
    refused(await relatives.book(other), 409, "already-booked")


async def test_two_accounts_that_book_the_same_session_at_once_get_one_appointment(service: Service) -> None:
    clinic = await new_clinic(service)
    hers, relatives = await on_two_accounts(service)
    _, _, (slot, other) = await clinic.session(clinic.day(), [9, 9])
    taps = [who.book(which) for who in (hers, relatives) for which in (slot, other) for _ in range(3)]
    answers = await asyncio.gather(*taps)
    assert sorted(answer.json().get("code", "") for answer in answers) == ["", *["already-booked"] * 11]


async def test_times_may_touch_and_not_overlap_at_any_hospital(service: Service) -> None:
    here, there, person = await new_clinic(service), await new_clinic(service), await new_booker(service)
    start = here.day(1, 9)
    await person.booked(await one_slot(here, start, minutes=30))
    for begins, minutes in ((0, 30), (29, 30), (-29, 30), (10, 5), (-10, 60)):
        slot = await one_slot(there, start + timedelta(minutes=begins), minutes=minutes)
        refused(await person.book(slot), 409, "time-conflict")
    await person.booked(await one_slot(there, start + timedelta(minutes=30)))
    await person.booked(await one_slot(there, start - timedelta(minutes=10)))


async def test_three_a_date_over_hospitals_and_accounts_and_cancelled_ones_count_for_nothing(service: Service) -> None:
    clinics = [await new_clinic(service) for _ in range(2)]
    hers, relatives = await on_two_accounts(service)
    made = [
        await who.booked(await one_slot(clinics[n % 2], clinics[0].day(1, 9 + n)))
        for n, who in enumerate((hers, relatives, hers))
    ]
    fourth = await one_slot(clinics[1], clinics[1].day(1, 23, 50))
    for who in (hers, relatives):
        refused(await who.book(fourth), 409, "daily-limit")
    await relatives.booked(await one_slot(clinics[1], clinics[1].day(2, 0)))
    await hers.cancel(made[0])
    await relatives.booked(fourth)
    refused(await hers.book(await one_slot(clinics[0], clinics[0].day(1, 9))), 409, "daily-limit")


async def test_nine_taps_at_once_for_nine_sessions_of_a_date_get_three(service: Service) -> None:
    clinic = await new_clinic(service)
    hers, relatives = await on_two_accounts(service)
    slots = await asyncio.gather(*(one_slot(clinic, clinic.day(1, 8 + n)) for n in range(9)))
    answers = await asyncio.gather(*((hers, relatives)[n % 2].book(slot) for n, slot in enumerate(slots)))
    assert sorted(answer.json().get("code", "") for answer in answers) == ["", "", "", *["daily-limit"] * 6]


async def test_a_whole_family_is_booked_from_one_account_for_the_same_time(service: Service) -> None:
    clinic, mother = await new_clinic(service), await new_booker(service)
    family = [mother, *[await child_of(mother) for _ in range(3)]]
    _, _, (slot,) = await clinic.session(clinic.day(), [4])
    answers = await asyncio.gather(*(one.book(slot) for one in family))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert [len(await one.appointments()) for one in family] == [1] * 4


# No-shows


async def missed(clinic: Clinic, person: Booker, hour: int) -> datetime:
    """The person books a session of today and does not come; when that was marked."""
    key, _, (slot,) = await clinic.session(clinic.day(0, hour), [1])
    mine = await person.booked(slot)
    assert (await clinic.post(f"{key}/close", {})).json() == {"noshow": 1}
    at = await clinic.service.value("SELECT ended_at FROM appointments WHERE id = $1", mine["appointment_id"])
    assert isinstance(at, datetime)
    return at


async def test_the_third_no_show_in_ninety_days_pauses_booking_for_ninety_days(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (free,) = await clinic.session(clinic.day(95), [1])
    for hour in (10, 12):
        await missed(clinic, person, hour)
        assert await person.messages("booking-paused") == []
    until = await missed(clinic, person, 14) + timedelta(days=90)
    answer = await person.book(free)
    assert datetime.fromisoformat(refused(answer, 403, "booking-paused")["until"]) == until
    (message,) = await person.messages("booking-paused")
    day = until.astimezone(SHANGHAI)
    assert f"暂停至{day.year}年{day.month}月{day.day}日" in message["text"]
    assert message["ref"] == (await person.appointments())[0]["appointment_id"]
    await stand_at(service, until - timedelta(seconds=1), person)
    refused(await person.book(free), 403, "booking-paused")
    await stand_at(service, until)
    await person.booked(free)


async def test_a_pause_holds_at_the_window_in_the_line_and_on_every_account(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, (hers, relatives) = await new_clinic(service), await on_two_accounts(service)
    other = await new_booker(service)
    _, schedule, (full, free) = await clinic.session(clinic.day(3), [1, 1])
    await other.booked(full)
    for hour, who in ((10, hers), (12, relatives), (14, relatives)):
        await missed(clinic, who, hour)
    here = await hers.scanned(clinic)
    path = f"/v1/hospital/resolutions/{here['resolution_id']}/appointments"
    for answer in (
        await relatives.book(free),
        await service.http.post(path, headers=clinic.who, json={"slot_id": free["slot_id"]}),
        await relatives.wait(schedule, full),
    ):
        assert refused(answer, 403, "booking-paused")["until"]
    assert len(await hers.messages("booking-paused")) == 1, "the person is told on their own account"
    assert len(await relatives.messages("booking-paused")) == 1, "and so is who booked"


@pytest.mark.parametrize(("days", "paused"), [(89, True), (91, False)])
async def test_no_shows_count_for_ninety_days(service: Service, days: int, paused: bool) -> None:
    await go_to(service, local(1, 8))
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (free,) = await clinic.session(clinic.day(3), [1])
    await missed(clinic, person, 10)
    await service.sql(
        "UPDATE appointments SET ended_at = ended_at - make_interval(days => $2) WHERE person_id ="
        " (SELECT person_id FROM cards WHERE id = $1)",
        person.card["card_id"],
        days,
    )
    for hour in (12, 14):
        await missed(clinic, person, hour)
    assert len(await person.messages("booking-paused")) == paused
    assert (await person.book(free)).json().get("code") == ("booking-paused" if paused else None)


async def test_what_was_stopped_or_cancelled_is_no_no_show(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, person = await new_clinic(service), await new_booker(service)
    for hour in (10, 12):
        await missed(clinic, person, hour)
    stopped, _, (slot,) = await clinic.session(clinic.day(0, 14), [1])
    await person.booked(slot)
    assert (await clinic.post(f"{stopped}/stop", {"reason": "停诊"})).json() == {"cancelled": 1}
    closed, _, (other,) = await clinic.session(clinic.day(0, 16), [1])
    await person.cancel(await person.booked(other))
    assert (await clinic.post(f"{closed}/close", {})).json() == {"noshow": 0}
    _, _, (free,) = await clinic.session(clinic.day(1), [1])
    await person.booked(free)
    assert await person.messages("booking-paused") == []


# Age and sex


async def test_age_is_counted_on_the_sessions_date(service: Service) -> None:
    clinic = await new_clinic(service)
    year = clinic.now().year + 1
    day = datetime(year, 1, 15, 9, tzinfo=SHANGHAI)
    from_60, to_60 = await one_slot(clinic, day, min_age=60), await one_slot(clinic, day, max_age=60)
    for birthday, may in (
        (date(year - 60, 1, 16), (False, True)),
        (date(year - 60, 1, 15), (True, True)),
        (date(year - 61, 1, 16), (True, True)),
        (date(year - 61, 1, 15), (True, False)),
    ):
        for slot, allowed in zip((from_60, to_60), may, strict=True):
            person = await new_booker(service, birthday=birthday)
            answer = await person.book(slot)
            assert answer.json().get("code") == (None if allowed else "slot-not-eligible"), birthday


async def test_a_child_is_booked_where_children_go_and_its_mother_is_not(service: Service) -> None:
    clinic, mother = await new_clinic(service), await new_booker(service)
    child = await child_of(mother)
    slot = await one_slot(clinic, clinic.day(), max_age=13)
    refused(await mother.book(slot), 422, "slot-not-eligible")
    await child.booked(slot)


async def test_a_birthday_of_29_february_is_kept_on_1_march(service: Service) -> None:
    clinic = await new_clinic(service)
    year = clinic.now().year + 1
    while year % 4 == 0:
        year += 1
    first = [datetime(year, month, day, 9, tzinfo=SHANGHAI) for month, day in ((2, 28), (3, 1))]
    before, after = [await one_slot(clinic, day, min_age=year - 1992) for day in first]
    person = await new_booker(service, birthday=date(1992, 2, 29))
    refused(await person.book(before), 422, "slot-not-eligible")
    await person.booked(after)


@pytest.mark.parametrize("sex", ["male", "female"])
async def test_a_session_for_one_sex_refuses_the_other(service: Service, sex: str) -> None:
    clinic = await new_clinic(service)
    slot = await one_slot(clinic, clinic.day(), sex=sex)
    for female in (True, False):
        person = await new_booker(service, female=female)
        answer = await person.book(slot)
        assert answer.json().get("code") == (None if female == (sex == "female") else "slot-not-eligible")


async def test_a_document_that_tells_no_age_or_sex_is_for_the_window_to_judge(service: Service) -> None:
    clinic = await new_clinic(service)
    person = await new_booker(service, document=("03", "E12345678"))
    for hour, limits in ((9, {"min_age": 14}), (10, {"sex": "female"})):
        _, schedule, (slot,) = await clinic.session(clinic.day(1, hour), [1], **limits)
        assert "窗口" in refused(await person.book(slot), 422, "slot-not-eligible")["detail"]
        refused(await person.wait(schedule), 422, "slot-not-eligible")
        here = await person.scanned(clinic)
        path = f"/v1/hospital/resolutions/{here['resolution_id']}/appointments"
        booked = await service.http.post(path, headers=clinic.who, json={"slot_id": slot["slot_id"]})
        assert (booked.status_code, booked.json()["booked_by"]) == (201, "hospital")
    await person.booked(await one_slot(clinic, clinic.day(1, 11)))


async def test_the_window_too_refuses_whom_the_document_shows_to_be_of_another_age(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service, birthday=date(1950, 1, 1))
    slot = await one_slot(clinic, clinic.day(), max_age=14)
    here = await person.scanned(clinic)
    path = f"/v1/hospital/resolutions/{here['resolution_id']}/appointments"
    answer = await service.http.post(path, headers=clinic.who, json={"slot_id": slot["slot_id"]})
    refused(answer, 422, "slot-not-eligible")
