"""Finding a slot: every filter, pages in the order of time, what is free as a hint, and a window's own alone."""

import asyncio
from typing import Any

import pytest

from tests.api.test_clerks import shift
from tests.support.booking import Booker, Clinic, field, go_to, local, new_booker, new_bookers, new_clinic, utc
from tests.support.service import Headers, Service, refused

Row = dict[str, Any]


async def page(service: Service, who: Headers, **query: Any) -> Any:
    """An answer of GET slots; `since` is the parameter `from`."""
    named = {{"since": "from", "to": "to"}.get(name, name): value for name, value in query.items()}
    return await service.http.get("/v1/slots", headers=who, params=named)


async def find(service: Service, who: Headers, clinic: Clinic | None = None, **query: Any) -> list[Row]:
    """The slots of the first page, of one hospital if it is named."""
    answer = await page(service, who, **({"hospital_id": clinic.hospital_id} if clinic else {}), **query)
    assert answer.status_code == 200, answer.text
    found: list[Row] = answer.json()["slots"]
    return found


def ids(slots: list[Row]) -> list[str]:
    return [slot["slot_id"] for slot in slots]


async def test_a_slot_tells_all_that_one_chooses_by(service: Service) -> None:
    clinic, person = await new_clinic(service, name="长沙市测试医院"), await new_booker(service)
    start = clinic.day()
    _, schedule, _ = await clinic.session(start, [3], min_age=14, max_age=70, sex="male")
    (slot,) = await find(service, person.me, clinic)
    assert slot == {
        "slot_id": schedule["slots"][0]["slot_id"],
        "schedule_id": schedule["schedule_id"],
        "key": "0",
        "hospital": {"hospital_id": clinic.hospital_id, "name": "长沙市测试医院"},
        "department": {"code": "03.01", "name": "内科"},
        "doctor": {"code": "D1", "name": "测试医生", "title": "主任医师"},
        "clinic": "expert",
        "room": "201",
        "date": start.date().isoformat(),
        "start": utc(start),
        "end": schedule["slots"][0]["end"],
        "fee_fen": 2500,
        "opens_at": schedule["opens_at"],
        "cancel_until": utc(start),
        "min_age": 14,
        "max_age": 70,
        "sex": "male",
        "capacity": 3,
        "free": 3,
        "status": "free",
    }


async def test_slots_are_found_by_hospital_department_doctor_and_both_dates(service: Service) -> None:
    one, two, person = await new_clinic(service), await new_clinic(service), await new_booker(service)
    department, doctor = {"code": "F-02", "name": "儿科"}, {"code": "F-D", "name": "李医生", "title": "医师"}
    made = [
        await one.session(one.day(1), [1]),
        await one.session(one.day(2), [1], department=department),
        await one.session(one.day(3), [1], department=department, doctor=doctor),
        await two.session(two.day(2, 14), [1], department=department, doctor=doctor),
        await two.session(two.day(3, 14), [1], doctor=None),
    ]
    a, b, c, d, e = [slots[0]["slot_id"] for _, _, slots in made]
    day = [one.day(n).date().isoformat() for n in range(5)]
    expected: list[tuple[Clinic | None, Row, list[str]]] = [
        (one, {}, [a, b, c]),
        (two, {}, [d, e]),
        (None, {"department": "F-02"}, [b, d, c]),
        (one, {"department": "F-02"}, [b, c]),
        (None, {"doctor": "F-D"}, [d, c]),
        (two, {"doctor": "F-D", "department": "F-02"}, [d]),
        (two, {"doctor": "F-D", "department": "03.01"}, []),
        (one, {"since": day[2]}, [b, c]),
        (one, {"to": day[2]}, [a, b]),
        (one, {"since": day[2], "to": day[2]}, [b]),
        (one, {"since": day[3], "to": day[2]}, []),
        (None, {"department": "F-02", "since": day[3], "to": day[4], "free": "true"}, [c]),
        (None, {"department": "%"}, []),
        (None, {"doctor": "' OR 1=1 --"}, []),
    ]
    answers = await asyncio.gather(*(find(service, person.me, clinic, **query) for clinic, query, _ in expected))
    for (_, query, slots), found in zip(expected, answers, strict=True):
        assert ids(found) == slots, query
    nobodys = {"hospital_id": "00000000-0000-4000-8000-000000000000"}
    assert (await page(service, person.me, **nobodys)).json() == {"slots": [], "next_cursor": None}


async def test_a_date_is_one_of_shanghai_from_midnight_to_midnight(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (early,) = await clinic.session(clinic.day(2, 0), [1])
    _, _, (late,) = await clinic.session(clinic.day(2, 23, 50), [1])
    for day, found in ((1, []), (2, [early, late]), (3, [])):
        date = clinic.day(day).date().isoformat()
        assert ids(await find(service, person.me, clinic, since=date, to=date)) == ids(found)


async def test_without_a_date_slots_are_of_today_on_and_with_one_of_then(service: Service) -> None:
    await go_to(service, local(1, 12))
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (gone,) = await clinic.session(clinic.day(-1, 23, 50), [1])
    _, _, (past, ahead) = await clinic.session(clinic.day(0, 11), [1, 1], minutes=90)
    found = await find(service, person.me, clinic)
    assert [(slot["slot_id"], slot["status"]) for slot in found] == [
        (past["slot_id"], "past"),
        (ahead["slot_id"], "free"),
    ]
    yesterday = clinic.day(-1).date().isoformat()
    assert ids(await find(service, person.me, clinic, since=yesterday)) == ids([gone, past, ahead])


async def test_free_alone_leaves_out_what_is_full_stopped_past_or_closed(service: Service) -> None:
    await go_to(service, local(1, 12))
    clinic, person = await new_clinic(service), await new_booker(service)
    _, _, (past, later) = await clinic.session(clinic.day(0, 11), [1, 1], minutes=90)
    partly, _, (stopped, full, free) = await clinic.session(clinic.day(1), [1, 1, 2])
    closed, _, (over,) = await clinic.session(clinic.day(0, 20), [1])
    _, _, (unopened,) = await clinic.session(clinic.day(2), [1], opens_at=utc(clinic.day(1)))
    await person.booked(full)
    await clinic.post(f"{partly}/stop", {"reason": "设备", "keys": ["0"]})
    await clinic.post(f"{closed}/close", {})
    assert [(slot["slot_id"], slot["status"], slot["free"]) for slot in await find(service, person.me, clinic)] == [
        (past["slot_id"], "past", 1),
        (later["slot_id"], "free", 1),
        (over["slot_id"], "past", 1),
        (stopped["slot_id"], "stopped", 1),
        (full["slot_id"], "full", 0),
        (free["slot_id"], "free", 2),
        (unopened["slot_id"], "free", 1),
    ]
    assert ids(await find(service, person.me, clinic, free="true")) == ids([later, free, unopened])
    assert len(await find(service, person.me, clinic, free="false")) == 7


async def test_free_counts_what_is_not_booked_just_now(service: Service) -> None:
    clinic, (one, two) = await new_clinic(service), await new_bookers(service, 2)
    key, _, (slot,) = await clinic.session(clinic.day(), [2])

    async def free() -> tuple[int, str]:
        (shown,) = await find(service, one.me, clinic)
        return shown["free"], shown["status"]

    mine = await one.booked(slot)
    assert await free() == (1, "free")
    await two.booked(slot)
    assert await free() == (0, "full")
    await one.cancel(mine)
    assert await free() == (1, "free")
    await clinic.put(key, clinic.body(clinic.day(), [5]))
    assert await free() == (4, "free")


async def test_pages_go_on_where_the_last_ended_whatever_is_published_and_booked_meanwhile(service: Service) -> None:
    clinic, person = await new_clinic(service), await new_booker(service)
    for _ in range(3):  # the same starts three times over
        await clinic.session(clinic.day(2), [1, 1, 1])
    whole = await find(service, person.me, clinic, limit=100)
    assert [slot["start"] for slot in whole] == sorted(slot["start"] for slot in whole)
    assert len({slot["slot_id"] for slot in whole}) == 9
    paged: list[Row] = []
    cursor: str | None = ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        answer = (await page(service, person.me, hospital_id=clinic.hospital_id, limit=2, **more)).json()
        paged, cursor = paged + answer["slots"], answer["next_cursor"]
        assert cursor is None or len(answer["slots"]) == 2
        await clinic.session(clinic.day(1), [1])  # earlier ones do not shift the pages
        if len(paged) == 4:
            await person.booked(paged[0])
    assert ids(paged) == ids(whole)


async def test_a_window_finds_its_own_hospitals_alone(service: Service) -> None:
    own, other = await new_clinic(service), await new_clinic(service)
    _, _, (slot,) = await own.session(own.day(), [1])
    await other.session(other.day(), [1])
    cookie, _ = await shift(service, own.client)
    for who in (own.who, cookie):
        assert ids(await find(service, who)) == [slot["slot_id"]]
        assert ids(await find(service, who, own)) == [slot["slot_id"]]
        assert await find(service, who, other) == []


async def test_departments_and_their_doctors_are_listed_by_hospital(service: Service) -> None:
    await go_to(service, local(1, 12))
    clinic, other, person = (
        await new_clinic(service, name="甲医院"),
        await new_clinic(service),
        await new_booker(service),
    )
    doctor = {"code": "D2", "name": "李医生", "title": "医师"}
    dermatology, ward = {"code": "05", "name": "皮肤科"}, {"code": "09", "name": "儿科"}
    await clinic.session(clinic.day(0), [1])
    await clinic.session(clinic.day(1), [1])
    await clinic.session(clinic.day(2), [1], doctor=doctor)
    await clinic.session(clinic.day(3), [1], department=dermatology, doctor=None)
    await clinic.session(clinic.day(-1), [1], department=ward)
    await other.session(other.day(1), [1], department=ward)
    hospital = {"hospital_id": clinic.hospital_id, "name": "甲医院"}
    medicine = {"code": "03.01", "name": "内科"}
    expected: list[Row] = [
        {"hospital": hospital, **medicine, "doctors": [clinic.body(clinic.day(), [1])["doctor"], doctor]},
        {"hospital": hospital, **dermatology, "doctors": []},
    ]

    async def listed(who: Headers, **query: str) -> Any:
        return (await service.http.get("/v1/departments", headers=who, params=query)).json()["departments"]

    assert await listed(person.me, hospital_id=clinic.hospital_id) == expected
    assert await listed(clinic.who) == expected
    assert await listed(clinic.who, hospital_id=other.hospital_id) == []
    everywhere = await listed(person.me)
    assert all(one in everywhere for one in expected)
    assert other.hospital_id in {one["hospital"]["hospital_id"] for one in everywhere}


WRONG: list[tuple[Row, str]] = [
    ({"hospital_id": "x"}, "/hospital_id"),
    ({"since": "2026-02-30"}, "/from"),
    ({"since": "yesterday"}, "/from"),
    ({"to": "10000-01-01"}, "/to"),
    ({"free": "maybe"}, "/free"),
    ({"limit": 0}, "/limit"),
    ({"limit": 101}, "/limit"),
    ({"limit": -1}, "/limit"),
    ({"department": "x" * 65}, "/department"),
    ({"doctor": "x" * 65}, "/doctor"),
    ({"cursor": "x"}, "/cursor"),
    ({"cursor": "f" * 32 + "!"}, "/cursor"),
    ({"cursor": "A" * 101}, "/cursor"),
]


async def test_a_question_of_another_form_is_refused_with_its_field(service: Service) -> None:
    person = await new_booker(service)
    for query, pointer in WRONG:
        assert field(await page(service, person.me, **query)) == pointer, query
    for query in ({"since": "0001-01-01"}, {"to": "9999-12-31"}, {"since": "9999-12-31"}, {"to": "0001-01-01"}):
        assert (await page(service, person.me, **query)).status_code == 200, query


@pytest.mark.parametrize("path", ["/v1/slots", "/v1/departments"])
async def test_only_patients_and_clients_of_booking_look(service: Service, path: str) -> None:
    clinic, lame = await new_clinic(service, ("booking",)), await new_clinic(service, ("records", "payment"))
    person = await new_booker(service)
    assert (await service.http.get(path, headers=clinic.who)).status_code == 200
    assert (await service.http.get(path, headers=person.me)).status_code == 200
    refused(await service.http.get(path, headers=lame.who), 403, "not-allowed")
    refused(await service.http.get(path), 401, "unauthenticated")
    await sign_out(person)
    refused(await service.http.get(path, headers=person.me), 401, "unauthenticated")


async def sign_out(person: Booker) -> None:
    assert (await person.service.http.delete("/v1/patient/session", headers=person.me)).status_code == 204


@pytest.mark.parametrize("field", ["department", "doctor"])
async def test_a_code_with_a_control_character_is_looked_for_nowhere(service: Service, field: str) -> None:
    me = await service.patient(service.person())
    answer = await service.http.get("/v1/slots", headers=me, params={field: "a\0b"})
    refused(answer, 422, "validation-failed")
