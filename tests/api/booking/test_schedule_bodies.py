"""Bodies that make no session, each refused with the field that is wrong; and what a day in Shanghai is."""

import json
from collections.abc import Callable

from tests.api.booking.test_schedules import PATH, Body, minutes_on, show, with_slot
from tests.support.booking import Clinic, field, new_clinic, utc
from tests.support.service import Service, refused


def at_night(clinic: Clinic, *slots: tuple[tuple[int, int, int], tuple[int, int, int]]) -> Body:
    """A session of tomorrow with slots from and to these (days on from it, hour, minute) in Shanghai."""

    def moment(days: int, hour: int, minute: int) -> str:
        return utc(clinic.day(1 + days, hour, minute))

    given = [
        {"key": str(n), "start": moment(*start), "end": moment(*end), "capacity": 1}
        for n, (start, end) in enumerate(slots)
    ]
    return {**clinic.body(clinic.day(1, 12), [1]), "slots": given}


WRONG: list[tuple[str, Callable[[Body], Body]]] = [
    ("/slots/0/capacity", lambda body: with_slot(body, 0, capacity=0)),
    ("/slots/1/capacity", lambda body: with_slot(body, 1, capacity=-1)),
    ("/slots/0/capacity", lambda body: with_slot(body, 0, capacity=10**6)),
    ("/slots/0/capacity", lambda body: with_slot(body, 0, capacity=1.5)),
    ("/slots/0/capacity", lambda body: with_slot(body, 0, capacity="1")),
    ("/slots/1/start", lambda body: with_slot(body, 1, start=body["slots"][0]["start"])),
    ("/slots/1/start", lambda body: with_slot(body, 1, start=minutes_on(body["slots"][1]["start"], -1))),
    (
        "/slots/0/start",
        lambda body: {
            **body,
            "slots": [body["slots"][1], {**body["slots"][0], "end": minutes_on(body["slots"][1]["start"], 1)}],
        },
    ),
    ("/slots/0/end", lambda body: with_slot(body, 0, end=body["slots"][0]["start"])),
    ("/slots/1/end", lambda body: with_slot(body, 1, end=minutes_on(body["slots"][1]["start"], -1))),
    ("/slots/0/start", lambda body: with_slot(body, 0, start=minutes_on(body["slots"][0]["start"], -1440))),
    ("/slots/1/end", lambda body: with_slot(body, 1, end=minutes_on(body["slots"][1]["end"], 1440))),
    ("/slots/0/start", lambda body: with_slot(body, 0, start=body["slots"][0]["start"].removesuffix("Z"))),
    ("/slots/0/start", lambda body: with_slot(body, 0, start="0001-01-01T00:00:00Z")),
    ("/slots/0/start", lambda body: with_slot(body, 0, start="0001-01-01T00:00:00+08:00")),
    ("/slots/0/end", lambda body: with_slot(body, 0, end="9999-12-31T23:59:59-08:00")),
    ("/slots/0/start", lambda body: with_slot(body, 0, start=1780000000)),
    ("/slots/0/key", lambda body: with_slot(body, 0, key="")),
    ("/slots/0/key", lambda body: with_slot(body, 0, key="k" * 65)),
    ("/slots/0/key", lambda body: with_slot(body, 0, key="a\nb")),
    ("/slots/0/room", lambda body: with_slot(body, 0, room="1")),
    ("/slots", lambda body: with_slot(body, 1, key="0")),
    ("/slots", lambda body: {**body, "slots": []}),
    ("/slots", lambda body: {**body, "slots": body["slots"] * 101}),
    ("/date", lambda body: {**body, "date": "2026-02-30"}),
    ("/date", lambda body: {**body, "date": "20260601"}),
    ("/slots/0/start", lambda body: {**body, "date": "0001-01-01", "slots": body["slots"][:1]}),
    ("/slots/0/start", lambda body: {**body, "date": "9999-12-31", "slots": body["slots"][:1]}),
    ("/opens_at", lambda body: {**body, "opens_at": "0001-01-01T00:00:00+08:00"}),
    ("/opens_at", lambda body: {**body, "opens_at": "2026-06-01T08:00:00"}),
    ("/cancel_until", lambda body: {**body, "cancel_until": "9999-12-31T23:59:59Z"}),
    ("/cancel_until", lambda body: {**body, "cancel_until": None}),
    ("/fee_fen", lambda body: {**body, "fee_fen": -1}),
    ("/fee_fen", lambda body: {**body, "fee_fen": 10**9}),
    ("/fee_fen", lambda body: {**body, "fee_fen": 25.5}),
    ("/clinic", lambda body: {**body, "clinic": "vip"}),
    ("/period", lambda body: {**body, "period": "night"}),
    ("/room", lambda body: {**body, "room": "x" * 65}),
    ("/doctor", lambda body: {name: body[name] for name in body if name != "doctor"}),
    ("/doctor/title", lambda body: {**body, "doctor": {"code": "D1", "name": "测试医生"}}),
    ("/department/name", lambda body: {**body, "department": {"code": "1", "name": ""}}),
    ("/min_age", lambda body: {**body, "min_age": -1}),
    ("/max_age", lambda body: {**body, "max_age": 151}),
    ("/max_age", lambda body: {**body, "min_age": 15, "max_age": 14}),
    ("/sex", lambda body: {**body, "sex": "other"}),
    ("/status", lambda body: {**body, "status": "open"}),
]


async def test_a_body_that_makes_no_session_is_refused_with_its_field(service: Service) -> None:
    clinic = await new_clinic(service)
    body = clinic.body(clinic.day(), [1, 1])
    for n, (pointer, change) in enumerate(WRONG):
        assert field(await clinic.put("bad", change(body))) == pointer, n
    refused(await show(clinic, "bad"), 404, "not-found")


async def test_a_body_with_a_key_twice_or_that_is_no_json_is_malformed(service: Service) -> None:
    clinic = await new_clinic(service)
    text = json.dumps(clinic.body(clinic.day(), [1]))
    headers = {**clinic.who, "Content-Type": "application/json"}
    for bad in (
        text.replace('"room"', '"room": "1", "room"'),
        text[:-1],
        text.replace('"fee_fen": 2500', '"fee_fen": NaN'),
    ):
        answer = await service.http.put(f"{PATH}/bad", headers=headers, content=bad)
        refused(answer, 400, "body-malformed")
    refused(await show(clinic, "bad"), 404, "not-found")


async def test_a_session_is_a_day_in_shanghai_from_midnight_to_midnight(service: Service) -> None:
    clinic = await new_clinic(service)
    good = at_night(clinic, ((0, 0, 0), (0, 0, 10)), ((0, 23, 50), (1, 0, 0)))
    assert (await clinic.put("whole-day", good)).status_code == 201
    for pointer, *slot in (
        ("/slots/0/end", (0, 23, 50), (1, 0, 1)),
        ("/slots/0/start", (1, 0, 0), (1, 0, 10)),
        ("/slots/0/start", (-1, 23, 50), (0, 0, 10)),
        ("/slots/0/start", (-1, 23, 50), (0, 0, 0)),
    ):
        assert field(await clinic.put("night", at_night(clinic, (slot[0], slot[1])))) == pointer
