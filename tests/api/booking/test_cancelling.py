"""A patient cancels: once, until the hospital's time, and the place is on sale again."""

import asyncio
from datetime import timedelta

from tests.api.booking.test_booking import show, taken
from tests.support.booking import (
    ARRIVAL,
    Booker,
    go_to,
    local,
    new_booker,
    new_bookers,
    new_clinic,
    stand_at,
    utc,
)
from tests.support.service import Service, refused


async def test_a_cancelled_place_is_on_sale_again_with_its_number_and_the_person_may_book_again(
    service: Service,
) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    _, _, (slot,) = await clinic.session(clinic.day(), [2])
    first, _ = await one.booked(slot), await two.booked(slot)
    answer = await one.cancel(first)
    assert (answer.status_code, answer.content) == (204, b"")
    (cancelled,) = await one.appointments()
    assert cancelled == {**first, "status": "cancelled", "cancelled_by": "patient", "ahead": None}
    again = await one.booked(slot)
    assert (again["number"], again["appointment_id"] != first["appointment_id"]) == (1, True)
    assert await taken(service, slot) == (2, 2)


async def test_ten_taps_on_cancel_cancel_once(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    mine = await person.booked(slot)
    answers = await asyncio.gather(*(person.cancel(mine) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [204] + [409] * 9
    refused(await person.cancel(mine), 409, "not-cancellable")
    assert await taken(service, slot) == (0, 0)


async def test_an_appointment_is_cancelled_until_the_very_moment_the_hospital_named(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    start = clinic.day(1, 9)
    until = start - timedelta(hours=12)
    _, _, (slot,) = await clinic.session(start, [2], cancel_until=utc(until))
    first, second = await one.booked(slot), await two.booked(slot)
    await stand_at(service, until, one, two)
    refused(await two.cancel(second), 409, "cancel-too-late")
    await stand_at(service, until - timedelta(microseconds=1))
    assert (await one.cancel(first)).status_code == 204
    assert (await show(two, second)).json()["status"] == "booked"


async def test_who_has_arrived_may_cancel_and_who_was_seen_may_not(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    _, _, (slot,) = await clinic.session(clinic.day(0, 9), [2])
    left, seen = await one.booked(slot), await two.booked(slot)
    await one.scanned(clinic, step=ARRIVAL)
    assert (await one.cancel(left)).status_code == 204
    here = await two.scanned(clinic, step=ARRIVAL)
    path = f"/v1/hospital/resolutions/{here['resolution_id']}/appointments/{seen['appointment_id']}/fulfil"
    await service.http.post(path, headers=clinic.who, json={})
    refused(await two.cancel(seen), 409, "not-cancellable")
    assert await taken(service, slot) == (1, 1)


async def test_booking_and_cancelling_at_once_leaves_places_and_appointments_equal(service: Service) -> None:
    clinic, people = await new_clinic(service), await new_bookers(service, 6)
    _, _, (slot,) = await clinic.session(clinic.day(), [2])

    async def comes_and_goes(person: Booker) -> None:
        for _ in range(3):
            answer = await person.book(slot)
            if answer.status_code == 201:
                assert (await person.cancel(answer.json())).status_code == 204
            else:
                refused(answer, 409, "slot-full")

    await asyncio.gather(*map(comes_and_goes, people))
    assert await taken(service, slot) == (0, 0)
    assert await service.value("SELECT count(*) FROM places WHERE slot_id = $1", slot["slot_id"]) == 2
