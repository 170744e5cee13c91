"""Records as their person sees and takes them, whoever posted them."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from models.cards import check_row
from models.database import row, rows
from models.keyset import FAR, LAST
from models.records import (
    LONG_AGO,
    SHOWN,
    WHOLE,
    Observed,
    RecordRow,
    Wanted,
    item_key,
    listed,
    opened,
)
from models.vault import Vault

# What a patient sees: all of the person (card NULL), or what was posted under one card.
_OWN: Final = "x.person_id = $1 AND ($2::uuid IS NULL OR x.card_id = $2)"


async def records_of(
    vault: Vault,
    person_id: UUID,
    card_id: UUID | None,
    wanted: Wanted,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[RecordRow]:
    """A person's records, newest first, keyset."""
    found = await rows(
        f"SELECT {SHOWN} FROM record_rows x WHERE {_OWN} AND (x.live OR $3) AND ($4::text IS NULL OR x.kind = $4)"
        " AND ($5::uuid IS NULL OR x.hospital_id = $5) AND x.occurred_at >= $6 AND x.occurred_at < $7"
        " AND (x.occurred_at, x.record_id) < ($8, $9) AND ($11::uuid IS NULL OR x.record_id = $11)"
        " ORDER BY x.occurred_at DESC, x.record_id DESC LIMIT $10",
        person_id,
        card_id,
        wanted.history,
        wanted.kind,
        wanted.hospital_id,
        wanted.since or LONG_AGO,
        wanted.until or FAR,
        *(after or (FAR, LAST)),
        limit,
        wanted.record_id,
    )
    return [listed(vault, record) for record in found]


# An account sees all of a person by their `self` card, or by any card where no account ever had a `self` card of them;
# else what was posted under its own card. `c` is a card of the account, `x` a record.
SEES: Final = (
    "c.status <> 'closed' AND c.person_id = x.person_id AND (c.relation = 'self' OR c.id = x.card_id"
    " OR NOT EXISTS (SELECT 1 FROM cards s WHERE s.person_id = x.person_id AND s.relation = 'self'))"
)


async def record_of_account(vault: Vault, record_id: UUID, account_id: UUID) -> Any | None:
    """A record that an account may see, as `open_summary` and `opened` take it, with live. Raises IntegrityBroken where
    the card by which it would see it is not as it was sealed.
    """
    found = await row(
        f"SELECT {WHOLE}, x.live, c.* FROM records x CROSS JOIN LATERAL (SELECT c.id, c.account_id, c.person_id, c.relation,"
        " c.handle, c.status, c.frozen_by, c.live_since, c.version, c.mac FROM cards c"
        f" WHERE c.account_id = $2 AND {SEES} LIMIT 1) c WHERE x.id = $1",
        record_id,
        account_id,
    )
    if found is not None:
        check_row(vault, found)
    return found


async def bytes_of(
    vault: Vault,
    person_id: UUID,
    card_id: UUID | None,
    history: bool,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[tuple[datetime, UUID, bytes]]:
    """(occurred_at, id, posted bytes) of a person's records, newest first, keyset."""
    found = await rows(
        f"SELECT {WHOLE} FROM records x"
        f" WHERE {_OWN} AND (x.live OR $3) AND (x.occurred_at, x.id) < ($4, $5)"
        " ORDER BY x.occurred_at DESC, x.id DESC LIMIT $6",
        person_id,
        card_id,
        history,
        *(after or (FAR, LAST)),
        limit,
    )
    return [(record["occurred_at"], record["record_id"], opened(vault, record)[1]) for record in found]


async def observed_of(
    vault: Vault, person_id: UUID, card_id: UUID | None, code: str | None, limit: int
) -> list[tuple[UUID, list[Observed]]]:
    """(record, what it measured) of a person's good records, newest first; `code`: those that measured it."""
    found = await rows(
        f"SELECT x.id, x.observed FROM records x WHERE {_OWN} AND x.live AND x.observed IS NOT NULL"
        " AND x.status IN ('final', 'amended', 'corrected', 'appended') AND ($3::bytea IS NULL OR x.codes @> ARRAY[$3])"
        " ORDER BY x.occurred_at DESC, x.id DESC LIMIT $4",
        person_id,
        card_id,
        item_key(vault, person_id, code) if code is not None else None,
        limit,
    )
    return [(r["id"], vault.open_as(list[Observed], r["observed"], "records", "observed", r["id"])) for r in found]
