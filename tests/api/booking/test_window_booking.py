"""A window books, cancels and fulfils for whom it scanned, at its own hospital; the patient sees each act."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.api.test_accesses import accesses
from tests.api.test_clerks import WHO, shift
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
    utc,
)
from tests.support.service import Service, refused

NOBODYS = "00000000-0000-4000-8000-000000000000"
Row = dict[str, Any]


class Window:
    """A scanned person at a hospital's window."""

    def __init__(self, clinic: Clinic, resolution: Row) -> None:
        self.clinic = clinic
        self.resolution = resolution
        self.path = f"/v1/hospital/resolutions/{resolution['resolution_id']}/appointments"

    async def listed(self, **query: Any) -> httpx.Response:
        return await self.clinic.service.http.get(self.path, headers=self.clinic.who, params=query)

    async def post(self, more: str, body: Row, **headers: str) -> httpx.Response:
        return await self.clinic.service.http.post(
            f"{self.path}{more}", headers={**self.clinic.who, **headers}, json=body
        )

    async def book(self, slot: Row, **headers: str) -> httpx.Response:
        return await self.post("", {"slot_id": slot["slot_id"]}, **headers)

    async def cancel(self, appointment: Row, body: Row | None = None, **headers: str) -> httpx.Response:
        return await self.post(f"/{appointment['appointment_id']}/cancel", body or {}, **headers)

    async def fulfil(self, appointment: Row, **headers: str) -> httpx.Response:
        return await self.post(f"/{appointment['appointment_id']}/fulfil", {}, **headers)

    async def all(self) -> list[httpx.Response]:
        """An answer of each call, over ids that are nobody's."""
        nobodys = {"slot_id": NOBODYS, "appointment_id": NOBODYS}
        return [await self.listed(), await self.book(nobodys), await self.cancel(nobodys), await self.fulfil(nobodys)]


async def at_window(clinic: Clinic, person: Booker, services: list[str] | None = None, **more: Any) -> Window:
    return Window(clinic, await person.scanned(clinic, services, **more))


async def uses(person: Booker) -> list[Row]:
    """What windows did with booking alone, newest first."""
    return [one for one in await accesses(person.service, person.me, person.card) if "identity" not in one["what"]]


# Booking


async def test_a_window_books_and_the_patient_sees_the_appointment_and_is_told(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    window = await at_window(clinic, person)
    answer = await window.book(slot)
    assert (answer.status_code, answer.json()["booked_by"]) == (201, "hospital")
    assert await person.appointments() == [answer.json()]
    assert [message["ref"] for message in await person.messages("booked")] == [answer.json()["appointment_id"]]
    assert (await window.listed()).json() == {"appointments": [answer.json()], "next_cursor": None}


async def test_the_persons_limits_hold_at_the_window_too(service: Service) -> None:
    clinic, (person, other) = await new_clinic(service), await new_bookers(service, 2)
    start = clinic.day()
    _, _, (slot, full, free) = await clinic.session(start, [1, 1, 1])
    _, _, (same_time,) = await clinic.session(start, [9])
    _, _, (unopened,) = await clinic.session(clinic.day(2), [1], opens_at=utc(clinic.day(1, 23)))
    stopped, _, (gone,) = await clinic.session(clinic.day(3), [1])
    await clinic.post(f"{stopped}/stop", {"reason": "停"})
    await other.booked(full)
    window = await at_window(clinic, person)
    refused(await window.book(full), 409, "slot-full")
    await person.booked(slot)
    for wanted, code in (
        (free, "already-booked"),
        (same_time, "time-conflict"),
        (unopened, "slot-not-open"),
        (gone, "session-stopped"),
    ):
        refused(await window.book(wanted), 409, code)
    for hour in (14, 15):
        assert (await window.book((await clinic.session(clinic.day(1, hour), [1]))[2][0])).status_code == 201
    refused(await window.book((await clinic.session(clinic.day(1, 16), [1]))[2][0]), 409, "daily-limit")


async def test_another_hospitals_slot_and_appointment_are_not_found_at_the_window(service: Service) -> None:
    here, there, person = await new_clinic(service), await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await there.session(there.day(), [2])
    mine = await person.booked(slot)
    window = await at_window(here, person)
    refused(await window.book(slot), 404, "not-found")
    refused(await window.cancel(mine), 404, "not-found")
    refused(await window.fulfil(mine), 404, "not-found")
    assert (await window.listed()).json()["appointments"] == []
    assert await person.appointments() == [mine]
    assert await uses(person) == []


async def test_another_persons_appointment_is_as_absent_as_none(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    _, _, (slot,) = await clinic.session(clinic.day(), [2])
    mine = await one.booked(slot)
    window = await at_window(clinic, two)
    for call in (window.cancel, window.fulfil):
        theirs = refused(await call(mine), 404, "not-found")
        absent = refused(await call({"appointment_id": NOBODYS}), 404, "not-found")
        assert {**theirs, "request_id": None} == {**absent, "request_id": None}
    assert await one.appointments() == [mine]


async def test_another_hospitals_resolution_opens_nothing(service: Service) -> None:
    here, there, person = await new_clinic(service), await new_clinic(service), await new_booker(service)
    window = await at_window(here, person)
    for answer in await Window(there, window.resolution).all():
        refused(answer, 404, "not-found")


async def test_a_resolution_that_expired_opens_nothing(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    window = await at_window(clinic, person)
    await go_to(service, clinic.now() + timedelta(hours=12, seconds=2), clinic)
    for answer in await window.all():
        refused(answer, 410, "resolution-expired")


async def test_a_code_or_client_that_does_not_open_booking_opens_nothing(service: Service) -> None:
    clinic, lame = await new_clinic(service), await new_clinic(service, ("records", "payment"))
    person = await new_booker(service)
    for window in (await at_window(clinic, person, ["records", "payment"]), await at_window(lame, person)):
        for answer in await window.all():
            refused(answer, 403, "service-not-granted")


async def test_a_frozen_card_ends_the_window_also_after_it_is_unfrozen(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    window = await at_window(clinic, person)
    for what in ("freeze", "unfreeze"):
        await service.http.post(f"{person.path}/{what}", headers=person.me, json={})
        for answer in await window.all():
            refused(answer, 403, "card-revoked")
    assert await uses(person) == []


@pytest.mark.parametrize(
    ("more", "body", "pointer"),
    [
        ("", {}, "/slot_id"),
        ("", {"slot_id": "x"}, "/slot_id"),
        ("", {"slot_id": NOBODYS, "person_id": NOBODYS}, "/person_id"),
        (f"/{NOBODYS}/cancel", {"reason": ""}, "/reason"),
        (f"/{NOBODYS}/cancel", {"reason": "x" * 201}, "/reason"),
        (f"/{NOBODYS}/cancel", {"why": "x"}, "/why"),
        (f"/{NOBODYS}/fulfil", {"late": True}, "/late"),
    ],
)
async def test_a_body_of_another_form_is_refused_with_its_field(
    service: Service, more: str, body: Row, pointer: str
) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    assert field(await (await at_window(clinic, person)).post(more, body)) == pointer


# Cancelling and fulfilling


async def test_a_window_cancels_with_a_reason_also_when_it_is_too_late_for_the_patient(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    start = clinic.day()
    _, _, (slot,) = await clinic.session(start, [2], cancel_until=utc(start - timedelta(days=9)))
    first, second = await one.booked(slot), await two.booked(slot)
    refused(await one.cancel(first), 409, "cancel-too-late")
    window = await at_window(clinic, one)
    answer = await window.cancel(first, {"reason": "患者来电取消"})
    gone = {"status": "cancelled", "cancelled_by": "hospital", "ahead": None}
    assert (answer.status_code, answer.json()) == (200, {**first, **gone, "reason": "患者来电取消"})
    assert await one.appointments() == [answer.json()]
    refused(await window.cancel(first), 409, "not-cancellable")
    assert (await (await at_window(clinic, two)).cancel(second)).json()["reason"] is None


async def test_only_who_has_arrived_is_fulfilled_and_once(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(0, 9), [1])
    mine = await person.booked(slot)
    refused(await (await at_window(clinic, person)).fulfil(mine), 409, "conflict")
    window = await at_window(clinic, person, step=ARRIVAL)
    arrived = window.resolution["arrival"]
    answer = await window.fulfil(mine)
    assert (answer.status_code, answer.json()) == (200, {**arrived, "status": "fulfilled", "ahead": None})
    refused(await window.fulfil(mine), 409, "conflict")
    refused(await window.cancel(mine), 409, "not-cancellable")
    assert await person.appointments() == [answer.json()]
    assert (await uses(person))[0]["what"] == ["booking"]
    assert len(await uses(person)) == 1


async def test_a_cancelled_appointment_is_not_fulfilled(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(0, 9), [1])
    mine = await person.booked(slot)
    window = await at_window(clinic, person, step=ARRIVAL)
    await person.cancel(mine)
    refused(await window.fulfil(mine), 409, "conflict")


async def test_the_list_is_this_hospitals_newest_first_cancelled_ones_too(service: Service) -> None:
    here, there, person = await new_clinic(service), await new_clinic(service), await new_booker(service)
    made = [await person.booked((await here.session(here.day(n), [1]))[2][0]) for n in (1, 2, 3)]
    await person.booked((await there.session(there.day(4), [1]))[2][0])
    await person.cancel(made[1])
    window = await at_window(here, person)
    whole = (await window.listed()).json()["appointments"]
    assert [(one["appointment_id"], one["status"]) for one in whole] == [
        (made[2]["appointment_id"], "booked"),
        (made[1]["appointment_id"], "cancelled"),
        (made[0]["appointment_id"], "booked"),
    ]
    first = (await window.listed(limit=2)).json()
    second = (await window.listed(limit=2, cursor=first["next_cursor"])).json()
    assert first["appointments"] + second["appointments"] == whole
    assert second["next_cursor"] is None


# What the patient sees


async def test_each_act_is_an_access_with_who_did_it_and_a_refusal_none(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, person = await new_clinic(service, name="长沙市测试医院"), await new_booker(service)
    _, _, (slot, other) = await clinic.session(clinic.day(0, 9), [2, 1])
    said: Row = {"terminal": "W03", "department": "挂号处", "operator": {"id": "n7", "name": "护士七"}}
    window = await at_window(clinic, person, **said)
    mine = (await window.book(slot)).json()
    refused(await window.book(other), 409, "already-booked")
    refused(await window.book({"slot_id": NOBODYS}), 404, "not-found")
    refused(await window.fulfil(mine), 409, "conflict")
    await window.listed()
    (access,) = await uses(person)
    assert access == {
        "access_id": access["access_id"],
        "at": access["at"],
        "hospital": "长沙市测试医院",
        "department": "挂号处",
        "terminal": "W03",
        "operator": {"id": "n7", "name": "护士七"},
        "step": "0101051",
        "what": ["booking"],
        "records": [],
        "break_glass": False,
        "outcome": "allowed",
        "reason": None,
        "act": None,
    }
    assert (await window.cancel(mine)).status_code == 200
    refused(await window.cancel(mine), 409, "not-cancellable")
    assert len(await uses(person)) == 2
    again = (await window.book(slot)).json()
    arriving = await at_window(clinic, person, step=ARRIVAL)
    assert (await arriving.fulfil(again)).status_code == 200
    assert [(one["step"], one["what"]) for one in await uses(person)] == [
        (ARRIVAL, ["booking"]),
        *[("0101051", ["booking"])] * 3,
    ]


async def test_what_the_patient_does_is_no_access(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    await person.cancel(await person.booked(slot))
    assert await accesses(service, person.me, person.card) == []


# Repeating


async def test_the_same_idempotency_key_is_the_same_answer_and_one_act(service: Service) -> None:
    await go_to(service, local(1, 8))
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(0, 9), [5])
    window = await at_window(clinic, person)
    key: Row = {"Idempotency-Key": "k"}
    booked = [await window.book(slot, **key) for _ in range(2)]
    gone = [await window.cancel(booked[0].json(), **key) for _ in range(2)]
    again = (await window.book(slot)).json()
    arriving = await at_window(clinic, person, step=ARRIVAL)
    done = [await arriving.fulfil(again, **key) for _ in range(2)]
    for (first, second), code in ((booked, 201), (gone, 200), (done, 200)):
        assert (first.status_code, second.status_code) == (code, code)
        assert first.content == second.content
        assert second.headers["idempotent-replayed"] == "true"
    assert [one["status"] for one in await person.appointments()] == ["fulfilled", "cancelled"]
    assert len(await uses(person)) == 4


async def test_a_clerk_at_the_window_books_with_the_names_of_the_shift(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    _, clerk = await shift(service, clinic.client)
    desk = Clinic(service, clerk)
    window = await at_window(desk, person)
    assert (await window.book(slot)).status_code == 201
    (access,) = await uses(person)
    assert (access["terminal"], access["operator"]) == (WHO["terminal"], WHO["operator"])
    refused(
        await Window(Clinic(service, {"Cookie": clerk["Cookie"]}), window.resolution).book(slot), 403, "not-allowed"
    )
