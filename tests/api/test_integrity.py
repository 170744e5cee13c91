"""Whoever can only write the database cannot make one person's code show another (security.md, rule 13)."""

import asyncio
from typing import Any

import pytest

from models.integrity import IntegrityBroken
from tests.support.service import Headers, Service, refused


class Victim:
    """Two holders with a code each, and a hospital."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def prepare(self) -> "Victim":
        self.a, self.b = self.service.person("甲某"), self.service.person("乙某")
        self.mine, self.card_a = await self.service.holder(self.a)
        self.theirs, self.card_b = await self.service.holder(self.b)
        self.who = await self.service.hospital()
        return self

    async def damaged(self, answer: Any, *never: str) -> None:
        refused(answer, 503, "integrity")
        for secret in (
            self.a.name,
            self.b.name,
            self.a.id_number,
            self.b.id_number,
            self.a.phone,
            self.b.phone,
            *never,
        ):
            assert secret not in answer.text


@pytest.fixture
async def victim(own_service: Service) -> Victim:
    return await Victim(own_service).prepare()


CARD_CHANGES = {
    "another person": "person_id = (SELECT person_id FROM cards WHERE id = $2)",
    "another account": "account_id = (SELECT account_id FROM cards WHERE id = $2)",
    "another relation": "relation = CASE WHEN $2::uuid IS NOT NULL THEN 'child' END",
    "another version": "version = version + CASE WHEN $2::uuid IS NOT NULL THEN 1 END",
    "earlier life": "live_since = live_since - CASE WHEN $2::uuid IS NOT NULL THEN interval '1 day' END",
    "frozen": "frozen_by = CASE WHEN $2::uuid IS NOT NULL THEN 'registrar' END",
    "another row's hash": "mac = (SELECT mac FROM cards WHERE id = $2)",
    "no hash": "mac = CASE WHEN $2::uuid IS NOT NULL THEN ''::bytea END",
}


@pytest.mark.parametrize("change", CARD_CHANGES.values(), ids=CARD_CHANGES)
async def test_a_card_row_that_was_written_by_others_shows_nobody(victim: Victim, change: str) -> None:
    service = victim.service
    code = await service.code(victim.mine, victim.card_a)
    ids = victim.card_a["card_id"], victim.card_b["card_id"]
    await service.sql("UPDATE cards SET " + change + " WHERE id = $1", *ids)
    answer = await service.scan(victim.who, code)
    await victim.damaged(answer)
    owner = await service.value("SELECT account_id FROM cards WHERE id = $1", ids[0])
    me = victim.theirs if str(owner) == str((await service.signed_in(victim.b))["account_id"]) else victim.mine
    await reads(service, me, victim)


async def reads(service: Service, me: Headers, victim: Victim) -> None:
    """Every use of the row says integrity."""
    path = f"/v1/patient/cards/{victim.card_a['card_id']}"
    for method, at in (("GET", path), ("POST", f"{path}/codes"), ("POST", f"{path}/freeze"), ("DELETE", path)):
        body: Any = {} if method == "POST" else None
        await victim.damaged(await service.http.request(method, at, headers=me, json=body))


async def test_an_unfreezing_by_sql_resolves_nothing(victim: Victim) -> None:
    service = victim.service
    code = await service.code(victim.mine, victim.card_a)
    await service.http.post(f"/v1/patient/cards/{victim.card_a['card_id']}/freeze", headers=victim.mine, json={})
    await service.sql("UPDATE cards SET status = 'active', frozen_by = '' WHERE id = $1", victim.card_a["card_id"])
    await victim.damaged(await service.scan(victim.who, code))


async def test_handles_that_were_swapped_show_nobody(victim: Victim) -> None:
    service = victim.service
    code = await service.code(victim.mine, victim.card_a)
    ids = [victim.card_a["card_id"], victim.card_b["card_id"]]
    handles = [await service.value("SELECT handle FROM cards WHERE id = $1", each) for each in ids]
    await service.sql("UPDATE cards SET handle = 1 WHERE id = $1", ids[0])
    await service.sql("UPDATE cards SET handle = $2 WHERE id = $1", ids[1], handles[0])
    await service.sql("UPDATE cards SET handle = $2 WHERE id = $1", ids[0], handles[1])
    await victim.damaged(await service.scan(victim.who, code))


async def test_a_damaged_row_ends_its_live_resolution_without_data(victim: Victim) -> None:
    service = victim.service
    found = await service.resolved(victim.who, await service.code(victim.mine, victim.card_a))
    await service.sql("UPDATE cards SET version = version + 1 WHERE id = $1", victim.card_a["card_id"])
    await victim.damaged(
        await service.http.get(f"/v1/hospital/resolutions/{found['resolution_id']}", headers=victim.who)
    )


@pytest.mark.parametrize(("table", "key"), [("people", "id"), ("insurances", "card_id")])
async def test_blobs_that_were_swapped_between_rows_open_for_nobody(victim: Victim, table: str, key: str) -> None:
    service = victim.service
    code = await service.code(victim.mine, victim.card_a)
    rows = await service.sql(f"SELECT {key} AS id, sealed FROM {table} ORDER BY {key}")
    for row, other in zip(rows, reversed(rows), strict=True):
        await service.sql(f"UPDATE {table} SET sealed = $2 WHERE {key} = $1", row["id"], other["sealed"])
    await victim.damaged(await service.scan(victim.who, code))
    await victim.damaged(await service.http.get("/v1/patient/cards", headers=victim.mine))


async def test_health_card_ids_that_were_swapped_show_nobody(victim: Victim) -> None:
    """The hospital finds its patient by this id: A's name over B's id would open B's records."""
    service = victim.service
    code = await service.code(victim.mine, victim.card_a)
    a, b = [victim.card_a["health_card_id"], victim.card_b["health_card_id"]]
    for now, then in ((a, "x" * 64), (b, a), ("x" * 64, b)):
        await service.sql("UPDATE people SET health_card_id = $2 WHERE health_card_id = $1", now, then)
    await victim.damaged(await service.scan(victim.who, code))
    await victim.damaged(await service.http.get("/v1/patient/cards", headers=victim.mine))


KEY_CHANGES = {
    "state": "state = 'retiring'",
    "version": "version = version + 1",
    "hash": "mac = sha256(mac)",
}


@pytest.mark.parametrize("change", KEY_CHANGES.values(), ids=KEY_CHANGES)
async def test_a_key_row_that_was_written_by_others_resolves_nothing(victim: Victim, change: str) -> None:
    service = victim.service
    code = await service.code(victim.mine, victim.card_a)
    await service.sql("UPDATE keys SET " + change + " WHERE purpose = 'code' AND state = 'active'")
    await victim.damaged(await service.scan(victim.who, code))


async def test_a_retired_key_that_was_revived_by_sql_is_not_loaded(victim: Victim) -> None:
    service = victim.service
    await service.sql("UPDATE keys SET state = 'retired' WHERE purpose = 'print'")
    with pytest.raises(IntegrityBroken):
        await service.services.keeper.refresh()


async def test_the_alarm_counts_each_damaged_row_that_was_met(victim: Victim) -> None:
    service = victim.service
    await service.sql("UPDATE cards SET version = version + 1 WHERE id = $1", victim.card_a["card_id"])
    before = await counted(service)
    await service.http.get("/v1/patient/cards", headers=victim.mine)
    assert await counted(service) == before + 1


async def counted(service: Service) -> float:
    lines = (await service.http.get("/metrics")).text.splitlines()
    return sum(
        float(line.split()[1]) for line in lines if line.startswith('yima_integrity_failures_total{table="cards"}')
    )


async def test_a_damaged_card_harms_nobody_elses(victim: Victim) -> None:
    service = victim.service
    await service.sql("UPDATE cards SET version = version + 1 WHERE id = $1", victim.card_a["card_id"])
    assert (await service.http.get("/v1/patient/cards", headers=victim.theirs)).status_code == 200
    codes = [service.code(victim.theirs, victim.card_b) for _ in range(4)]
    damaged = service.http.post(f"/v1/patient/cards/{victim.card_a['card_id']}/codes", headers=victim.mine, json={})
    *good, bad = await asyncio.gather(*codes, damaged)
    await victim.damaged(bad)
    assert (await service.scan(victim.who, str(good[0]))).status_code == 201
