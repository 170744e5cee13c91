"""HL7 v2 messages that were kept: each once by its sender and control id (MSH-10), told from others by its content;
and what became of the orders that they report on.
"""

from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

from models.database import Connection, row, rows

# Of one order number, what was observed further apart is of different orders: laboratories use their numbers again.
APART: Final = timedelta(days=60)
# Each record of the order leads to the one that nothing took the place of, whoever posted that.
_LAST: Final = """
WITH RECURSIVE of_order AS (
    SELECT r.id, r.superseded_by FROM records r WHERE r.hospital_id = $1 AND r.source_key = ANY($2)
        AND r.occurred_at BETWEEN $3::timestamptz - $4::interval AND $3::timestamptz + $4::interval
    UNION SELECT n.id, n.superseded_by FROM of_order o JOIN records n ON n.id = o.superseded_by)
SELECT r.id, r.person_id, p.health_card_id, r.live, r.status, r.source, r.source_key
    FROM of_order o JOIN records r ON r.id = o.id JOIN people p ON p.id = r.person_id WHERE o.superseded_by IS NULL
    ORDER BY r.live DESC, greatest(r.occurred_at - $3::timestamptz, $3::timestamptz - r.occurred_at), r.posted_at DESC
"""


class Last(NamedTuple):
    """A record of an order that nothing took the place of: live, or withdrawn. `source`: who posted it."""

    record_id: UUID
    person_id: UUID
    health_card_id: str
    live: bool
    status: str
    source: str
    source_key: bytes | None


async def look(hospital_id: UUID, key: bytes) -> tuple[datetime, bytes | None]:
    """The database's time, and the digest of the message that was kept under this key, if one was."""
    found = await row(
        "SELECT yima_now() AS now, (SELECT digest FROM lab_messages WHERE hospital_id = $1 AND key = $2) AS digest",
        hospital_id,
        key,
    )
    assert found is not None  # noqa: S101 - a statement of one row
    return found["now"], found["digest"]


async def take(hospital_id: UUID, key: bytes, digest: bytes, *, using: Connection) -> Literal["taken", "same", "other"]:
    """Take a key in the caller's transaction; "same" or "other": it was taken, for this content or for another.

    A transaction that is taking the same key is waited for.
    """
    if await row(
        "INSERT INTO lab_messages (hospital_id, key, digest, at) VALUES ($1, $2, $3, yima_now())"
        " ON CONFLICT (hospital_id, key) DO NOTHING RETURNING id",
        hospital_id,
        key,
        digest,
        using=using,
    ):
        return "taken"
    found = await row(
        "SELECT digest FROM lab_messages WHERE hospital_id = $1 AND key = $2", hospital_id, key, using=using
    )
    return "same" if found is not None and found["digest"] == digest else "other"


async def lock_orders(orders: list[bytes], *, using: Connection) -> None:
    """Let no other call change these orders until the transaction ends; one order of locks for all."""
    await rows(
        "SELECT pg_advisory_xact_lock(k.key) FROM (SELECT DISTINCT hashtextextended(o, 0) AS key"
        " FROM unnest($1::text[]) o ORDER BY 1) k",
        [f"lab {order.hex()}" for order in orders],
        using=using,
    )


async def last_of_order(
    hospital_id: UUID, keys: list[bytes], at: datetime, within: timedelta, *, using: Connection
) -> list[Last]:
    """The last records of an order that was first observed within so long of `at`, the live and the nearest first."""
    return [Last(*record.values()) for record in await rows(_LAST, hospital_id, keys, at, within, using=using)]
