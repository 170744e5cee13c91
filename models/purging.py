"""The end of what had to be kept: people who left long ago, and what came in while somebody was leaving."""

from typing import Final
from uuid import UUID

from models.bills import empty_bills
from models.database import Connection, row, rows
from models.leaving import delete_numbers, delete_records
from models.vault import Vault

AT_ONCE: Final = 1000  # rows of a table that one transaction deletes
_BY_PERSON: Final = ("resolutions", "refusals", "accesses", "break_glasses", "appointments", "waitings")
_ERASED_BYTES: Final = 32

_RECENT: Final = "a.left_at > yima_now() - interval '7 days'"
_NOBODY: Final = "NOT EXISTS (SELECT 1 FROM cards o WHERE o.person_id = c.person_id AND o.status <> 'closed')"
_GONE: Final = f"""
SELECT DISTINCT p.id FROM accounts a JOIN cards c ON c.account_id = a.id JOIN people p ON p.id = c.person_id
WHERE {_RECENT} AND p.erase_at IS NOT NULL AND {_NOBODY}
"""
# Under a `self` card that leaving closed, of a person whom other accounts still hold.
_LATE: Final = f"""
SELECT r.id FROM accounts a JOIN cards c ON c.account_id = a.id JOIN records r ON r.person_id = c.person_id
    AND (r.card_id = c.id OR r.card_id IS NULL) AND r.posted_at > c.live_since - interval '1 minute'
WHERE {_RECENT} AND c.relation = 'self' AND c.live_since > a.left_at - interval '1 minute' AND NOT EXISTS (SELECT 1
    FROM cards o WHERE o.person_id = c.person_id AND o.status <> 'closed' AND o.relation = 'self')
"""


async def sweep(*, using: Connection) -> None:
    """Delete what a call that overlapped a leaving still wrote, and yesterday's tries."""
    gone = [record["id"] for record in await rows(_GONE, using=using)]
    for person_id in gone:
        await delete_records(person_id, [], using=using)
    await delete_numbers(gone, using=using)
    late = [record["id"] for record in await rows(_LATE, using=using)]
    await using.execute_query("DELETE FROM recognition_decisions WHERE record_id = ANY($1)", [late])
    await using.execute_query("DELETE FROM records WHERE id = ANY($1)", [late])
    await using.execute_query(f"DELETE FROM messages m USING accounts a WHERE {_RECENT} AND m.account_id = a.id", [])
    midnight = "date_trunc('day', yima_now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'"
    await using.execute_query(
        f"DELETE FROM verifications v USING accounts a WHERE {_RECENT} AND v.account_id = a.id AND v.created_at < {midnight}",
        [],
    )
    await using.execute_query(
        "DELETE FROM proof_failures WHERE day < (yima_now() AT TIME ZONE 'Asia/Shanghai')::date", []
    )


async def due(limit: int) -> list[UUID]:
    """People of whom nothing has to be kept any more."""
    found = await rows("SELECT id FROM people WHERE erase_at <= yima_now() ORDER BY erase_at LIMIT $1", limit)
    return [record["id"] for record in found]


_STANDS: Final = """
SELECT p.erase_at <= yima_now() AS due, yima_kept_until(p.id) AS until, coalesce(yima_kept_until(p.id) > yima_now(), false) AS kept,
    EXISTS (SELECT 1 FROM cards c WHERE c.person_id = p.id AND c.status <> 'closed') AS held,
    EXISTS (SELECT 1 FROM cards c WHERE c.person_id = p.id AND 'registrar' = ANY (string_to_array(c.frozen_by, ',')))
        AS held_back
FROM people p WHERE p.id = $1
"""


async def erase_some(vault: Vault, person_id: UUID, *, using: Connection) -> bool:
    """Erase a person who is due, or as much of what was kept of them as one transaction should; whether that is all.

    Who came back is not erased; of whom more was kept since, later; whom a registrar froze, when that is taken back.
    """
    await using.execute_query("SELECT 1 FROM people WHERE id = $1 FOR UPDATE", [person_id])
    found = await row(_STANDS, person_id, using=using)
    if found is None or not found["due"]:
        return True
    if found["held"] or found["held_back"] or found["kept"]:
        again = "yima_now() + interval '1 day'" if found["held_back"] else "yima_kept_until(id)"
        later = "NULL" if found["held"] else again
        await using.execute_query(f"UPDATE people SET erase_at = {later} WHERE id = $1", [person_id])
        return True
    if not await _delete_kept(vault, person_id, using=using):
        return False
    await using.execute_query(
        "UPDATE people SET sealed = $2, document_index = $3, health_card_id = $4, erase_at = NULL, updated_at = yima_now()"
        " WHERE id = $1",
        [
            person_id,
            vault.seal(b"", "people", "sealed", person_id),
            vault.random(_ERASED_BYTES),
            vault.random(_ERASED_BYTES).hex(),
        ],
    )
    return True


async def _delete_kept(vault: Vault, person_id: UUID, *, using: Connection) -> bool:
    """Delete AT_ONCE rows of each table at most; whether nothing is left."""
    await delete_records(person_id, [], using=using)
    await delete_numbers([person_id], using=using)
    done = True
    for table in _BY_PERSON:
        found = await rows(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE person_id = $1 LIMIT $2) RETURNING id",
            person_id,
            AT_ONCE,
            using=using,
        )
        done = done and len(found) < AT_ONCE
    done = await empty_bills(vault, person_id, AT_ONCE, using=using) and done
    await using.execute_query(
        "DELETE FROM record_consent_rules WHERE consent_id IN (SELECT id FROM record_consents WHERE person_id = $1)",
        [person_id],
    )
    await using.execute_query("DELETE FROM record_consents WHERE person_id = $1", [person_id])
    for table in ("consents", "insurances"):
        await using.execute_query(
            f"DELETE FROM {table} WHERE card_id IN (SELECT id FROM cards WHERE person_id = $1)", [person_id]
        )
    return done
