"""What had to be kept of who left goes when its time is over; and who steals a dump meanwhile has nothing of it."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from models import purging
from tests.api.test_freezing import admin_freeze
from tests.models.test_dump import dump
from tests.support.encodings import found
from tests.support.leaving import YEAR, Leaver, leaver, live, purge, relative_of
from tests.support.payment import Till
from tests.support.people import identity_of, insurance_of
from tests.support.records import lab
from tests.support.service import Service, refused

DAY = 86_400
TABLES = (
    "resolutions",
    "refusals",
    "accesses",
    "break_glasses",
    "appointments",
    "waitings",
    "record_consents",
    "records",
)


async def rows_of(service: Service, person_id: UUID) -> dict[str, int]:
    """How many rows each table has of a person."""
    return {
        table: await service.value(f"SELECT count(*) FROM {table} WHERE person_id = $1", person_id) for table in TABLES
    }


async def erased(service: Service, person_id: UUID, me: Leaver) -> bool:
    """Whether the person's row is of nobody any more."""
    (row,) = await service.sql("SELECT health_card_id, erase_at FROM people WHERE id = $1", person_id)
    return bool(row["health_card_id"] != me.card["health_card_id"] and row["erase_at"] is None)


async def test_three_years_after_the_last_of_it_all_is_erased_and_not_a_day_before(service: Service) -> None:
    me = await leaver(service)
    await live(me)
    person_id = await me.person_id()
    await me.left()
    before = await rows_of(service, person_id)
    assert {table for table, count in before.items() if count} == {*TABLES} - {"refusals", "records"}
    await service.move_time(3 * YEAR - 2 * DAY)
    await purge(service)
    assert await rows_of(service, person_id) == before
    await service.move_time(3 * YEAR + 2 * DAY)
    await purge(service)
    assert await rows_of(service, person_id) == dict.fromkeys(TABLES, 0)
    assert await erased(service, person_id, me)
    of_cards = "card_id IN (SELECT id FROM cards WHERE person_id = $1)"
    assert await service.value(f"SELECT count(*) FROM consents WHERE {of_cards}", person_id) == 0
    rules = "SELECT count(*) FROM record_consent_rules r WHERE NOT EXISTS (SELECT 1 FROM record_consents c WHERE c.id = r.consent_id)"
    assert await service.value(rules) == 0


async def test_a_code_of_an_erased_persons_card_is_refused_and_not_taken_for_forged(service: Service) -> None:
    me = await leaver(service)
    person_id = await me.person_id()
    await me.left()
    await purge(service)
    assert await erased(service, person_id, me)
    made = await service.own_code(me.card, iat=int(service.now()))
    refused(await service.scan(await service.hospital(), made.text), 403, "card-revoked")


async def test_who_never_went_anywhere_is_erased_at_the_next_turn_and_may_come_back_as_somebody_new(
    service: Service,
) -> None:
    me = await leaver(service)
    person_id = await me.person_id()
    await me.left()
    await purge(service)
    assert await erased(service, person_id, me)
    again = await me.back()
    assert await again.person_id() != person_id
    assert again.card["health_card_id"] == me.card["health_card_id"]
    window = await again.at()
    assert (window.card["name"], window.card["id_number"]) == (me.person.name, me.person.id_number)


async def test_who_came_back_is_not_erased_and_who_leaves_again_is_kept_from_then(service: Service) -> None:
    me = await leaver(service)
    await me.at()
    person_id = await me.person_id()
    await me.left()
    again = await me.back()
    assert await again.person_id() == person_id
    await service.move_time(4 * YEAR)
    await purge(service)
    again = Leaver(service, me.person, await service.patient(me.person), again.card)
    await again.at()
    await again.left()
    await purge(service)
    assert (await rows_of(service, person_id))["resolutions"] == 2
    await service.move_time(7 * YEAR + 3 * DAY)
    await purge(service)
    assert await erased(service, person_id, me)


async def test_what_came_later_is_kept_its_three_years_too(service: Service) -> None:
    me = await leaver(service)
    window = await me.at()
    person_id = await me.person_id()
    await me.left()
    await service.sql("UPDATE resolutions SET at = at + interval '1 year' WHERE id = $1", window.resolution_id)
    await service.move_time(3 * YEAR + 2 * DAY)
    await purge(service)
    assert (await rows_of(service, person_id))["resolutions"] == 1
    await service.move_time(4 * YEAR + 3 * DAY)
    await purge(service)
    assert await erased(service, person_id, me)


async def test_whom_a_registrar_froze_is_erased_when_that_is_taken_back(service: Service) -> None:
    me = await leaver(service)
    person_id = await me.person_id()
    await admin_freeze(service, me.card)
    await me.left()
    await purge(service)
    assert not await erased(service, person_id, me)
    await admin_freeze(service, me.card, "unfreeze")
    await service.move_time(DAY + 5)
    await purge(service)
    assert await erased(service, person_id, me)


async def test_much_is_deleted_in_batches(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "AT_ONCE", 5)
    me = await leaver(service)
    window = await me.at()
    for _ in range(12):
        await window.get()
    person_id = await me.person_id()
    await me.left()
    await service.move_time(3 * YEAR + 2 * DAY)
    await purge(service)
    assert await rows_of(service, person_id) == dict.fromkeys(TABLES, 0)
    assert await erased(service, person_id, me)


async def test_one_who_cannot_be_erased_holds_up_no_other(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await leaver(service), await leaver(service)
    ids = [await first.person_id(), await second.person_id()]
    await first.left()
    await second.left()
    real = purging.erase_some

    async def broken_for_the_first(vault: Any, person_id: UUID, **more: Any) -> bool:
        if person_id == ids[0]:
            raise RuntimeError
        return await real(vault, person_id, **more)

    monkeypatch.setattr(purging, "erase_some", broken_for_the_first)
    await purge(service)
    assert [await erased(service, *pair) for pair in zip(ids, (first, second), strict=True)] == [False, True]
    monkeypatch.undo()
    await purge(service)
    assert await erased(service, ids[0], first)


async def test_coming_back_while_being_erased_is_either_and_always_whole(service: Service) -> None:
    for _ in range(6):
        me = await leaver(service)
        await me.left()
        _, again = await asyncio.gather(purge(service), me.back())
        await purge(service)
        window = await again.at()
        assert window.card["id_number"] == me.person.id_number


async def test_others_rows_are_left_alone(service: Service) -> None:
    """Of a person whom others hold, and of other people."""
    mother, other = await leaver(service), await leaver(service)
    await live(mother)
    await live(other)
    daughter = await relative_of(mother)
    ids = await mother.person_id(), await other.person_id()
    await mother.left()
    before = [await rows_of(service, person_id) for person_id in ids]
    await service.move_time(4 * YEAR)
    await purge(service)
    assert [await rows_of(service, person_id) for person_id in ids] == before
    daughter.headers = await service.patient(daughter.person)
    assert (await daughter.at()).card["id_number"] == mother.person.id_number


async def blobs_of(service: Service, me: Leaver) -> dict[str, bytes]:
    """Every sealed or hashed value that leaving must destroy."""
    ids = await me.person_id(), await me.account_id()
    columns = {
        ("accounts", "openid_index"): "id = $2",
        ("accounts", "sealed"): "id = $2",
        ("messages", "sealed"): "account_id = $2",
        ("records", "sealed"): "person_id = $1",
        ("records", "summary"): "person_id = $1",
        ("records", "observed"): "person_id = $1",
        ("patient_numbers", "sealed"): "person_id = $1",
        ("patient_numbers", "number_index"): "person_id = $1",
        ("insurances", "sealed"): "card_id IN (SELECT id FROM cards WHERE person_id = $1)",
    }
    blobs = {}
    for (table, column), which in columns.items():
        statement = f"SELECT {column} AS blob FROM {table} WHERE {which} AND ($1::uuid, $2::uuid) IS NOT NULL"
        for number, row in enumerate(await service.sql(statement, *ids)):
            blobs[f"{table}.{column} {number}"] = row["blob"]
    return blobs


async def test_a_dump_after_leaving_holds_nothing_of_it_not_even_sealed(service: Service) -> None:
    me = await leaver(service, service.person("甲乙丙丁戊己"))
    await live(me, raw=lab(title="只在这份报告里的标题"))
    seen = {name: value for name, value in identity_of(me.person).items() if name != "id_type"}
    seen |= {"openid": me.person.openid, "unionid": me.person.unionid, "insurance": insurance_of(me.person)["number"]}
    seen |= {"title": "只在这份报告里的标题", "token": me.headers["Authorization"].removeprefix("Bearer ")}
    blobs = await blobs_of(service, me)
    assert len(blobs) >= 10
    there = dump(service.services.settings.database_url)
    assert all(blob.hex().encode() in there for blob in blobs.values()), "the search finds what is there"
    await me.left()
    await service.deliver()
    after = dump(service.services.settings.database_url)
    assert [what for what, blob in blobs.items() if blob.hex().encode() in after] == []
    assert found(seen, after) == []


async def test_a_dump_after_the_last_of_it_holds_no_identity_not_even_sealed(service: Service) -> None:
    me = await leaver(service)
    till = Till(service, (window := await me.at()).headers, me.headers, me.card, window.resolution_id)
    bill = await till.bill()
    assert (await till.at_window(bill)).status_code == 201
    assert (await till.ask_refund(bill, all=True)).status_code == 201
    sealed = "SELECT sealed FROM bills WHERE id = $1 UNION ALL SELECT sealed FROM refunds WHERE bill_id = $1"
    billed = [found["sealed"].hex().encode() for found in await service.sql(sealed, bill["bill_id"])]
    person_id = await me.person_id()
    (row,) = await service.sql("SELECT sealed, document_index, health_card_id FROM people WHERE id = $1", person_id)
    await me.left()
    values = [row["sealed"].hex().encode(), row["document_index"].hex().encode(), row["health_card_id"].encode()]
    values += billed
    assert all(value in dump(service.services.settings.database_url) for value in values)
    await service.move_time(3 * YEAR + 2 * DAY)
    await purge(service)
    after = dump(service.services.settings.database_url)
    assert [value for value in values if value in after] == []
    assert await service.value("SELECT count(*) FROM ledger_entries WHERE bill_id = $1", bill["bill_id"]) >= 4
