"""The waiting list (候补): the commit that frees a place books the first in line whom the limits allow."""

import asyncio
from datetime import date
from typing import Any

from tests.api.booking.test_changes import open_transaction
from tests.support.booking import (
    ARRIVAL,
    Booker,
    Clinic,
    go_to,
    local,
    new_booker,
    new_bookers,
    new_clinic,
)
from tests.support.service import Service, refused

Row = dict[str, Any]


class Line:
    """A session of slots with one place each, all booked by people of their own; and who waits."""

    def __init__(self, clinic: Clinic, key: str, schedule: Row) -> None:
        self.clinic, self.key, self.schedule = clinic, key, schedule
        self.slots: list[Row] = schedule["slots"]
        self.holders: list[Booker] = []
        self.held: list[Row] = []

    async def free(self, n: int = 0) -> None:
        """The holder of a slot cancels."""
        assert (await self.holders[n].cancel(self.held[n])).status_code == 204

    async def stand(self, *people: Booker, slot: int | None = None) -> None:
        """They wait, in this order."""
        for person in people:
            answer = await person.wait(self.schedule, None if slot is None else self.slots[slot])
            assert answer.status_code == 201, answer.text


async def full(service: Service, slots: int = 1, days: int = 1, **more: Any) -> Line:
    """A session that is booked out."""
    clinic = await new_clinic(service)
    key, schedule, _ = await clinic.session(clinic.day(days), [1] * slots, **more)
    line = Line(clinic, key, schedule)
    line.holders = await new_bookers(service, slots)
    line.held = [await person.booked(slot) for person, slot in zip(line.holders, line.slots, strict=True)]
    return line


async def now_of(person: Booker) -> tuple[str, int | None]:
    """(status, position) of the one waiting."""
    (waiting,) = await person.waitings()
    return waiting["status"], waiting["position"]


async def given(person: Booker) -> Row | None:
    """What the line gave."""
    found = [one for one in await person.appointments() if one["booked_by"] == "waiting"]
    return found[0] if found else None


# Standing in line


async def test_a_place_in_line_tells_for_what_and_the_how_manyth(service: Service) -> None:
    line, person = await full(service, 2), await new_booker(service)
    answer = await person.wait(line.schedule, line.slots[1])
    assert answer.status_code == 201
    waiting = answer.json()
    assert waiting == {
        "waiting_id": waiting["waiting_id"],
        "schedule_id": line.schedule["schedule_id"],
        "slot_id": line.slots[1]["slot_id"],
        "hospital": {"hospital_id": line.clinic.hospital_id, "name": "测试医院"},
        "department": line.schedule["department"],
        "doctor": line.schedule["doctor"],
        "date": line.schedule["date"],
        "start": line.slots[1]["start"],
        "end": line.slots[1]["end"],
        "at": waiting["at"],
        "position": 1,
        "status": "waiting",
        "appointment_id": None,
    }
    assert await person.waitings() == [waiting]
    other = await new_booker(service)
    session = (await other.wait(line.schedule)).json()
    assert (session["slot_id"], session["start"], session["end"]) == (None, None, None)


async def test_a_freed_place_goes_to_the_first_in_line_in_the_same_commit_and_they_are_told(service: Service) -> None:
    line, (one, two) = await full(service), await new_bookers(service, 2)
    await line.stand(one, two)
    await line.free()
    mine = await given(one)
    assert mine is not None
    assert (mine["status"], mine["number"], mine["slot_id"]) == ("booked", 1, line.slots[0]["slot_id"])
    (waiting,) = await one.waitings()
    assert (waiting["status"], waiting["position"], waiting["appointment_id"]) == (
        "booked",
        None,
        mine["appointment_id"],
    )
    assert (await given(two), await now_of(two)) == (None, ("waiting", 1))
    (message,) = await one.messages("waiting-booked")
    assert (message["ref"], message["card_id"]) == (mine["appointment_id"], one.card["card_id"])
    assert "1号" in message["text"]
    assert await two.messages("waiting-booked") == []
    told = await service.sql(
        "SELECT kind, xid FROM changes WHERE hospital_id = $1 ORDER BY id DESC LIMIT 2", line.clinic.hospital_id
    )
    assert [row["kind"] for row in told] == ["booked", "cancelled"]
    assert told[0]["xid"] == told[1]["xid"]


async def test_the_line_is_served_in_order_through_every_kind_of_freeing(service: Service) -> None:
    line, people = await full(service), await new_bookers(service, 4)
    await line.stand(*people)
    assert [await now_of(person) for person in people] == [("waiting", n) for n in (1, 2, 3, 4)]
    await line.free()
    first = await given(people[0])
    assert first is not None
    here = await people[0].scanned(line.clinic)
    path = f"/v1/hospital/resolutions/{here['resolution_id']}/appointments/{first['appointment_id']}/cancel"
    assert (await service.http.post(path, headers=line.clinic.who, json={})).status_code == 200
    second = await given(people[1])
    assert second is not None
    assert (await people[1].cancel(second)).status_code == 204
    assert await given(people[2]) is not None
    assert [await now_of(person) for person in people] == [("booked", None)] * 3 + [("waiting", 1)]


async def test_waits_for_a_slot_and_for_the_session_stand_in_one_line(service: Service) -> None:
    line, (first, second, third, fourth) = await full(service, 2), await new_bookers(service, 4)
    await line.stand(first, slot=1)
    await line.stand(second)
    await line.stand(third, slot=0)
    await line.stand(fourth, slot=1)
    assert [await now_of(one) for one in (first, second, third, fourth)] == [
        ("waiting", 1),
        ("waiting", 2),
        ("waiting", 2),
        ("waiting", 3),
    ]
    await line.free(0)
    assert [bool(await given(one)) for one in (first, second, third, fourth)] == [False, True, False, False]
    assert [await now_of(one) for one in (first, third, fourth)] == [("waiting", 1), ("waiting", 1), ("waiting", 2)]
    await line.free(1)
    mine = await given(first)
    assert mine is not None
    assert mine["slot_id"] == line.slots[1]["slot_id"]


async def test_a_place_that_the_line_gave_is_never_on_sale_in_between(service: Service) -> None:
    """A scalper who cancels and has others tap at once gains nothing."""
    line, person, scalpers = await full(service), await new_booker(service), await new_bookers(service, 5)
    await line.stand(person)

    async def grab(scalper: Booker) -> list[str]:
        return [(await scalper.book(line.slots[0])).json().get("code", "booked") for _ in range(4)]

    _, taps = await asyncio.gather(line.free(), asyncio.gather(*map(grab, scalpers)))
    assert {code for codes in taps for code in codes} == {"slot-full"}
    assert await given(person) is not None
    shown = await service.http.get(
        "/v1/slots", headers=person.me, params={"hospital_id": line.clinic.hospital_id, "free": "true"}
    )
    assert shown.json()["slots"] == []


async def test_ten_places_freed_at_once_go_to_ten_who_wait(service: Service) -> None:
    line, people = await full(service, 6), await new_bookers(service, 8)
    await line.stand(*people)
    await asyncio.gather(*(line.free(n) for n in range(6)))
    got = [await given(person) for person in people]
    assert [bool(mine) for mine in got] == [True] * 6 + [False] * 2
    assert sorted(mine["number"] for mine in got if mine) == [1, 2, 3, 4, 5, 6]


# Who is passed over


async def test_who_is_passed_over_by_a_limit_keeps_their_position_and_gets_the_next_place(service: Service) -> None:
    line, (busy, next_) = await full(service, 2), await new_bookers(service, 2)
    elsewhere = await new_clinic(service)
    _, _, (same_time,) = await elsewhere.session(line.clinic.day(), [1])
    await line.stand(busy, next_)
    await busy.booked(same_time)
    await line.free(0)
    assert (await given(busy), await now_of(busy)) == (None, ("waiting", 1))
    assert await given(next_) is not None
    await line.free(1)
    mine = await given(busy)
    assert mine is not None, "the second slot overlaps nothing"
    assert mine["number"] == 2


async def test_who_books_elsewhere_while_the_place_is_freed_is_passed_over(service: Service) -> None:
    line, (busy, next_) = await full(service), await new_bookers(service, 2)
    _, _, (same_time,) = await (await new_clinic(service)).session(line.clinic.day(), [1])
    await line.stand(busy, next_)
    async with open_transaction(service) as connection:
        outcome = await connection.fetchval(
            "SELECT outcome FROM yima_book(gen_random_uuid(), $1, 1, $2, 1, 'patient', NULL, gen_random_uuid(), '')",
            same_time["slot_id"],
            busy.card["card_id"],
        )
        assert outcome == "booked"
        freeing = asyncio.create_task(line.free())
        await asyncio.wait([freeing], timeout=0.2)
        await connection.execute("COMMIT")
        await freeing
    assert [bool(await given(one)) for one in (busy, next_)] == [False, True]
    assert await now_of(busy) == ("waiting", 1)


async def test_who_has_three_appointments_that_day_is_passed_over(service: Service) -> None:
    line, (busy, next_) = await full(service), await new_bookers(service, 2)
    await line.stand(busy, next_)
    for hour in (13, 14, 15):
        await busy.booked((await line.clinic.session(line.clinic.day(1, hour), [1]))[2][0])
    await line.free()
    assert [bool(await given(one)) for one in (busy, next_)] == [False, True]


async def test_who_booked_in_the_session_themselves_is_passed_over(service: Service) -> None:
    line, (busy, next_) = await full(service, 2), await new_bookers(service, 2)
    await line.stand(busy, slot=0)
    await line.free(1)
    await busy.booked(line.slots[1])
    await line.stand(next_)
    await line.free(0)
    assert [bool(await given(one)) for one in (busy, next_)] == [False, True]


async def test_a_frozen_card_is_passed_over_and_gets_the_next_place_once_it_is_active(service: Service) -> None:
    line, (frozen, next_) = await full(service, 2), await new_bookers(service, 2)
    await line.stand(frozen, next_)
    await service.http.post(f"{frozen.path}/freeze", headers=frozen.me, json={})
    await line.free(0)
    assert [bool(await given(one)) for one in (frozen, next_)] == [False, True]
    await service.http.post(f"{frozen.path}/unfreeze", headers=frozen.me, json={})
    assert await now_of(frozen) == ("waiting", 1)
    await line.free(1)
    assert await given(frozen) is not None


async def test_a_closed_card_is_passed_over(service: Service) -> None:
    line, (gone, next_) = await full(service), await new_bookers(service, 2)
    await line.stand(gone, next_)
    await service.http.delete(gone.path, headers=gone.me)
    await line.free()
    assert await given(next_) is not None


async def test_who_is_paused_is_passed_over(service: Service) -> None:
    await go_to(service, local(1, 8))
    line, (paused, next_) = await full(service), await new_bookers(service, 2)
    await line.stand(paused, next_)
    for hour in (10, 12, 14):
        key, _, (slot,) = await line.clinic.session(line.clinic.day(0, hour), [1])
        await paused.booked(slot)
        await line.clinic.post(f"{key}/close", {})
    await line.free()
    assert [bool(await given(one)) for one in (paused, next_)] == [False, True]


async def test_where_nobody_in_line_may_the_place_is_on_sale(service: Service) -> None:
    line, (frozen, other) = await full(service), await new_bookers(service, 2)
    await line.stand(frozen)
    await service.http.post(f"{frozen.path}/freeze", headers=frozen.me, json={})
    await line.free()
    await other.booked(line.slots[0])


# Publications, and what comes after


async def test_places_that_a_publication_adds_go_to_the_line_first(service: Service) -> None:
    line, people = await full(service), await new_bookers(service, 4)
    await line.stand(*people[:3])
    grown = line.clinic.body(line.clinic.day(), [2, 3])
    answer = await line.clinic.put(line.key, grown)
    assert [(slot["capacity"], slot["booked"]) for slot in answer.json()["slots"]] == [(2, 2), (3, 2)]
    got = [await given(person) for person in people[:3]]
    assert [mine and mine["number"] for mine in got] == [2, 3, 4]
    assert [len(await person.messages("waiting-booked")) for person in people] == [1, 1, 1, 0]
    assert (await people[3].booked(answer.json()["slots"][1]))["number"] == 5


async def test_growth_among_taps_goes_to_the_line_first(service: Service) -> None:
    line, person, scalpers = await full(service), await new_booker(service), await new_bookers(service, 4)
    await line.stand(person)
    taps = [scalper.book(line.slots[0]) for scalper in scalpers]
    _, *answers = await asyncio.gather(
        line.clinic.put(line.key, line.clinic.body(line.clinic.day(), [2])),
        *taps,
        *(s.book(line.slots[0]) for s in scalpers),
    )
    assert {answer.json().get("code") for answer in answers} == {"slot-full"}
    assert await given(person) is not None


async def test_limits_that_a_publication_changes_are_asked_anew_of_who_waits(service: Service) -> None:
    line = await full(service, 2)
    old, young = await new_booker(service, birthday=date(1950, 1, 1)), await new_booker(service)
    await line.stand(old, young)
    body = line.clinic.body(line.clinic.day(), [1, 1])
    assert (await line.clinic.put(line.key, {**body, "max_age": 60})).status_code == 200
    await line.free(0)
    assert [bool(await given(one)) for one in (old, young)] == [False, True]
    assert await now_of(old) == ("waiting", 1)
    assert (await line.clinic.put(line.key, body)).status_code == 200
    await line.free(1)
    assert await given(old) is not None


async def test_a_place_left_free_by_a_limit_goes_to_the_line_when_the_limit_goes(service: Service) -> None:
    line = await full(service)
    old = await new_booker(service, birthday=date(1950, 1, 1))
    await line.stand(old)
    body = line.clinic.body(line.clinic.day(), [1])
    await line.clinic.put(line.key, {**body, "max_age": 60})
    await line.free()
    assert await given(old) is None
    await line.clinic.put(line.key, body)
    assert await given(old) is not None
    assert len(await old.messages("waiting-booked")) == 1


async def test_who_waits_for_the_session_waits_on_for_a_later_slot_that_is_added(service: Service) -> None:
    line, (person, other) = await full(service, days=2), await new_bookers(service, 2)
    await line.stand(person)
    await service.http.post(f"{person.path}/freeze", headers=person.me, json={})
    body, later = line.clinic.body(line.clinic.day(2), [1]), line.clinic.body(line.clinic.day(2, 15), [1])
    added = {**later["slots"][0], "key": "later"}
    answer = await line.clinic.put(line.key, {**body, "slots": [*body["slots"], added], "cancel_until": added["start"]})
    held = await other.booked(answer.json()["slots"][1])
    await go_to(service, line.clinic.day(2, 10), person, other)
    await service.http.post(f"{person.path}/unfreeze", headers=person.me, json={})
    assert await now_of(person) == ("waiting", 1)
    assert (await other.cancel(held)).status_code == 204
    mine = await given(person)
    assert mine is not None
    assert mine["start"] == added["start"]


async def test_a_slot_that_the_line_was_given_is_booked_like_any_other(service: Service) -> None:
    line, (one, two) = await full(service, 2), await new_bookers(service, 2)
    await line.stand(one, slot=1)
    await line.stand(two, slot=0)
    body = line.clinic.body(line.clinic.day(), [1, 1])
    await line.holders[1].cancel(line.held[1])
    mine = await given(one)
    assert mine is not None
    refused(await line.clinic.put(line.key, {**body, "slots": body["slots"][:1]}), 409, "slot-in-use")
    await one.cancel(mine)
    dropped = await line.clinic.put(line.key, {**body, "slots": body["slots"][:1]})
    assert dropped.status_code == 200
    refused(await two.wait(line.schedule, line.slots[1]), 404, "not-found")
    assert await now_of(two) == ("waiting", 1)


async def test_who_waits_for_a_slot_that_is_dropped_waits_no_more(service: Service) -> None:
    line, (frozen, other) = await full(service, 2), await new_bookers(service, 2)
    await line.stand(frozen, slot=1)
    await line.stand(other)
    await service.http.post(f"{frozen.path}/freeze", headers=frozen.me, json={})
    await service.http.post(f"{other.path}/freeze", headers=other.me, json={})
    await line.free(1)
    body = line.clinic.body(line.clinic.day(), [1, 1])
    assert (await line.clinic.put(line.key, {**body, "slots": body["slots"][:1]})).status_code == 200
    assert [await now_of(one) for one in (frozen, other)] == [("expired", None), ("waiting", 1)]


async def test_what_the_line_gave_arrives_by_scan_like_any_other(service: Service) -> None:
    await go_to(service, local(1, 6))
    line, person = await full(service, days=0), await new_booker(service)
    await line.stand(person)
    await line.free()
    await go_to(service, local(1, 8), line.clinic)
    arrived = (await person.scanned(line.clinic, step=ARRIVAL))["arrival"]
    assert (arrived["status"], arrived["booked_by"]) == ("arrived", "waiting")
