"""Doctors' decisions on recognised records, and how often each item was accepted or repeated."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from models.database import Connection, row, rows
from models.records import Item
from models.vault import Vault


class Decided(NamedTuple):
    """A decision. `reason` if the test is repeated."""

    record_id: UUID
    at: datetime
    hospital: str
    item: Item
    decision: str
    reason: str | None


async def decide(
    vault: Vault,
    record_id: UUID,
    resolution_id: UUID,
    item: Item,
    decision: str,
    reason: str | None,
    *,
    using: Connection,
) -> Decided:
    """Write a decision, and count it, of no person in particular; it takes the place of an earlier one on the same item."""
    await row("SELECT 1 FROM resolutions WHERE id = $1 FOR UPDATE", resolution_id, using=using)  # one after the other
    index = vault.index("recognition-item", f"{record_id}:{item.code}")
    before = await row(
        "DELETE FROM recognition_decisions WHERE resolution_id = $1 AND record_id = $2 AND item_index = $3"
        " RETURNING at, decision, reason",
        resolution_id,
        record_id,
        index,
        using=using,
    )
    if before is not None:
        await _count(item, before["at"], before["decision"], before["reason"], -1, using=using)
    decision_id = uuid4()
    found = await row(
        "INSERT INTO recognition_decisions (id, record_id, person_id, hospital_id, resolution_id, decision, reason,"
        " item_index, sealed, at) SELECT $1, $2, r.person_id, r.hospital_id, r.id, $4, $5, $6, $7, yima_now()"
        " FROM resolutions r WHERE r.id = $3"
        " RETURNING at, (SELECT h.name FROM hospitals h WHERE h.id = hospital_id) AS hospital",
        decision_id,
        record_id,
        resolution_id,
        decision,
        reason,
        index,
        vault.seal(item, "recognition_decisions", "sealed", decision_id),
        using=using,
    )
    assert found is not None  # noqa: S101 - the resolution was just read
    await _count(item, found["at"], decision, reason, 1, using=using)
    return Decided(record_id, found["at"], found["hospital"], item, decision, reason)


async def _count(item: Item, at: datetime, decision: str, reason: str | None, by: int, *, using: Connection) -> None:
    await row(
        "INSERT INTO recognition_counts (day, item, name, decision, reason, count)"
        " VALUES (($1::timestamptz AT TIME ZONE 'Asia/Shanghai')::date, $2, $3, $4, $5, $6)"
        " ON CONFLICT (day, item, decision, reason) DO UPDATE SET count = recognition_counts.count + $6,"
        " name = EXCLUDED.name",
        at,
        item.code,
        item.name,
        decision,
        reason or "",
        by,
        using=using,
    )


async def decided_on(vault: Vault, record_ids: list[UUID]) -> dict[UUID, list[Decided]]:
    """The decisions on these records, oldest first."""
    found = await rows(
        "SELECT d.id, d.record_id, d.at, h.name AS hospital, d.sealed, d.decision, d.reason FROM recognition_decisions d"
        " JOIN hospitals h ON h.id = d.hospital_id WHERE d.record_id = ANY($1) ORDER BY d.at, d.id",
        record_ids,
    )
    decided: dict[UUID, list[Decided]] = {}
    for r in found:
        item = vault.open_as(Item, r["sealed"], "recognition_decisions", "sealed", r["id"])
        one = Decided(r["record_id"], r["at"], r["hospital"], item, r["decision"], r["reason"])
        decided.setdefault(one.record_id, []).append(one)
    return decided


async def counts(since: date, until: date) -> list[Any]:
    """(item, name, decision, reason, count) of local days from since to until, both included."""
    return await rows(
        "SELECT item, (array_agg(name ORDER BY day DESC))[1] AS name, decision, reason, sum(count)::bigint AS count"
        " FROM recognition_counts WHERE day BETWEEN $1 AND $2 AND count > 0 GROUP BY item, decision, reason",
        since,
        until,
    )
