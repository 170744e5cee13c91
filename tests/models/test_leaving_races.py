"""Leaving at the same time as something else, and leaving that breaks off: all of it happens, or nothing."""

import asyncio
import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from models import leaving
from models.database import Connection, transaction
from models.messages import tell
from models.records import NewRecord, keep
from tests.support.booking import new_clinic
from tests.support.leaving import Leaver, leaver, live, purge, relative_of
from tests.support.records import lab
from tests.support.service import Service, bearer, refused

RACES = 12


async def assert_left(service: Service, me: Leaver) -> None:
    """Nothing is ahead of the person, and places and appointments agree."""
    person_id = await me.person_id()
    ahead = "SELECT count(*) FROM appointments WHERE person_id = $1 AND status = 'booked'"
    assert await service.value(ahead, person_id) == 0
    waits = "SELECT count(*) FROM waitings WHERE person_id = $1 AND status = 'waiting'"
    assert await service.value(waits, person_id) == 0
    assert await service.value("SELECT status FROM cards WHERE id = $1", me.card["card_id"]) == "closed"


async def assert_places_agree(service: Service) -> None:
    dangling = (
        "SELECT count(*) FROM places p FULL JOIN (SELECT * FROM appointments WHERE status <> 'cancelled') a"
        " ON a.id = p.appointment_id WHERE (p.id IS NULL OR a.id IS NULL) AND (p.id IS NULL OR p.appointment_id IS NOT NULL)"
    )
    assert await service.value(dangling) == 0


async def test_two_devices_at_once_leave_once(service: Service) -> None:
    me = await leaver(service)
    await live(me)
    answers = await asyncio.gather(*(me.leave() for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 4


async def test_a_booking_at_the_same_time_is_refused_or_cancelled(service: Service) -> None:
    clinic, outcomes = await new_clinic(service), set[int]()
    for race in range(RACES):
        me = await leaver(service)
        _, _, (slot,) = await clinic.session(clinic.day(2 + race), [1])

        async def late(me: Leaver = me, slot: Any = slot, wait: float = race * 0.002) -> Any:
            await asyncio.sleep(wait)
            return await me.books.book(slot)

        answer, booked = await asyncio.gather(me.leave(), late())
        assert answer.status_code == 200
        assert booked.status_code in (201, 401, 404), booked.text
        outcomes.add(booked.status_code)
        await assert_left(service, me)
        assert await service.value("SELECT appointment_id FROM places WHERE slot_id = $1", slot["slot_id"]) is None
    await assert_places_agree(service)
    assert len(outcomes) > 1, "the races met"


async def test_a_booking_found_behind_the_last_lock_begins_leaving_anew(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, clinic = await leaver(service), await new_clinic(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    real, passes = leaving.lock_bookers, list[int]()

    async def and_booked_just_before(person_ids: list[Any], *, using: Connection) -> None:
        if not passes:
            assert (await me.books.book(slot)).status_code == 201
        passes.append(1)
        await real(person_ids, using=using)

    monkeypatch.setattr(leaving, "lock_bookers", and_booked_just_before)
    await me.left()
    assert len(passes) == 2
    await assert_left(service, me)
    await assert_places_agree(service)


async def test_families_that_leave_at_once_and_hand_places_on_do_not_lock_each_other_out(service: Service) -> None:
    clinic = await new_clinic(service)
    people = [await leaver(service) for _ in range(4)]
    for _ in range(4):
        _, schedule, slots = await clinic.session(clinic.day(), [1])
        holder = people.pop(0)
        people.append(holder)
        assert (await holder.books.book(slots[0])).status_code in (201, 409)
        for other in people[:-1]:
            await other.books.wait(schedule)
    answers = await asyncio.gather(*(one.leave() for one in people))
    assert [answer.status_code for answer in answers] == [200] * 4
    for one in people:
        await assert_left(service, one)
    await assert_places_agree(service)


async def test_a_scan_at_the_same_time_opens_nothing_that_outlives_it(service: Service) -> None:
    outcomes = set[int]()
    who = await service.hospital()
    for race in range(RACES):
        me = await leaver(service)
        code = await service.code(me.headers, me.card)

        async def scan(code: str = code, wait: float = race * 0.002) -> Any:
            await asyncio.sleep(wait)
            return await service.scan(who, code)

        answer, scanned = await asyncio.gather(me.leave(), scan())
        assert answer.status_code == 200
        outcomes.add(scanned.status_code)
        if scanned.status_code == 201:
            path = f"/v1/hospital/resolutions/{scanned.json()['resolution_id']}"
            refused(await service.http.get(path, headers=who), 403, "card-revoked")
        else:
            refused(scanned, 403, "card-revoked")
    assert len(outcomes) > 1, "the races met"


async def test_a_card_whose_proof_was_under_way_is_bound_to_nobody(service: Service) -> None:
    """The proof asks the outside for longer than leaving takes."""
    me, mother = await leaver(service), service.person()
    proof = await service.texted(me.headers, mother)
    await service.fault("registry", "delay", match={"call": "agreement"}, delay_ms=600)
    body = service.card_request(mother, relation="parent", proof=proof)
    binding = asyncio.create_task(service.bind(me.headers, body))
    await asyncio.sleep(0.2)
    await me.left()
    refused(await binding, 401, "unauthenticated")
    assert await service.value("SELECT count(*) FROM cards WHERE account_id = $1", await me.account_id()) == 1


async def test_what_overlapping_calls_still_wrote_is_swept(service: Service) -> None:
    """A posting and a message that read the card before, and commit after."""
    me = await leaver(service)
    window = await me.at()
    person_id, account_id = await me.person_id(), await me.account_id()
    raw, vault = lab().encode(), service.services.vault
    async with transaction() as tx:
        new = await new_record(service, me, window, raw)
        await keep(vault, new, using=tx)
        await tell(vault, account_id, "bound", {"zh": "迟到", "en": "late"}, using=tx)
        await me.left()
    for table, column, value in (("records", "person_id", person_id), ("messages", "account_id", account_id)):
        assert await service.value(f"SELECT count(*) FROM {table} WHERE {column} = $1", value) == 1
    await purge(service)
    for table, column, value in (("records", "person_id", person_id), ("messages", "account_id", account_id)):
        assert await service.value(f"SELECT count(*) FROM {table} WHERE {column} = $1", value) == 0


async def test_of_a_person_whom_others_hold_only_what_came_late_is_swept(service: Service) -> None:
    mother = await leaver(service)
    window = await mother.at()
    daughter = await relative_of(mother)
    hers = await (await daughter.at("丙医院")).posted(lab())
    async with transaction() as tx:
        await keep(service.services.vault, await new_record(service, mother, window, lab().encode()), using=tx)
        await mother.left()
    kept = "SELECT count(*) FROM records WHERE person_id = $1"
    assert await service.value(kept, await daughter.person_id()) == 2
    await purge(service)
    assert await service.value(kept, await daughter.person_id()) == 1
    assert [one["record_id"] for one in (await daughter.get("records")).json()["records"]] == [hers["record_id"]]


async def new_record(service: Service, me: Leaver, window: Any, raw: bytes) -> NewRecord:
    """A record as a posting under this resolution makes it."""

    now = datetime.now(UTC)
    who = (await me.person_id(), UUID(window.hospital_id), UUID(me.card["card_id"]), UUID(window.resolution_id))
    return NewRecord(
        uuid4(), *who, "laboratory", "final", "x", now, now, raw, [], None, None, "api", secrets.token_bytes(8)
    )


@pytest.mark.parametrize(
    "table", ["insurances", "records", "appointments", "accounts", "people", "deliveries", "cards"]
)
async def test_leaving_that_breaks_off_anywhere_has_changed_nothing(service: Service, table: str) -> None:
    me = await leaver(service)
    await live(me)
    before = await everything(service, me)
    await service.sql(
        "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'broken' USING ERRCODE = '57014'; END $$"
    )
    await service.sql(
        f"CREATE TRIGGER broken BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION broken()"
    )
    try:
        refused(await me.leave(), 503, "try-again")
    finally:
        await service.sql(f"DROP TRIGGER broken ON {table}")
    assert await everything(service, me) == before
    await me.left()


TABLES = {
    "accounts": "id = $2",
    "people": "id = $1",
    "cards": "person_id = $1",
    "records": "person_id = $1",
    "record_consents": "person_id = $1",
    "patient_numbers": "person_id = $1",
    "appointments": "person_id = $1",
    "waitings": "person_id = $1",
    "messages": "account_id = $2",
    "insurances": "card_id IN (SELECT id FROM cards WHERE person_id = $1)",
}


async def everything(service: Service, me: Leaver) -> dict[str, list[Any]]:
    """All rows of the person and the account."""
    ids = await me.person_id(), await me.account_id()
    return {
        table: await service.sql(
            f"SELECT * FROM {table} WHERE {which} AND ($1::uuid, $2::uuid) IS NOT NULL ORDER BY 1", *ids
        )
        for table, which in TABLES.items()
    }


async def test_signing_in_at_the_same_time_is_of_the_old_account_and_dead_or_of_a_new_one(service: Service) -> None:
    for _ in range(RACES // 2):
        me = await leaver(service)
        old = str(await me.account_id())
        answer, *signed = await asyncio.gather(me.leave(), *(service.signed_in(me.person) for _ in range(4)))
        assert answer.status_code == 200
        for one in signed:
            cards = await service.http.get("/v1/patient/cards", headers=bearer(one["token"]))
            if one["account_id"] == old:
                refused(cards, 401, "unauthenticated")
            else:
                assert cards.json()["cards"] == []
        assert len({one["account_id"] for one in signed} - {old}) <= 1
