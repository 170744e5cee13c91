"""Breaking the glass: opened under a resolution, told, and reviewed."""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from models.database import Connection, row, rows
from models.vault import Vault

MINUTES: Final = 60
REVIEW_DAYS: Final = 7


class Said(msgspec.Struct, frozen=True):
    """What the one who broke it said, sealed."""

    statement: str


class Operator(NamedTuple):
    """Who broke it."""

    id: str
    name: str


class Review(msgspec.Struct, frozen=True):
    """An auditor's note, sealed, with the name under which it was given."""

    note: str
    by: str


class Glass(NamedTuple):
    """A breaking of the glass, opened for who reviews it. `reads`: calls under it that read records."""

    break_glass_id: UUID
    at: datetime
    expires_at: datetime
    hospital: str
    client_id: UUID
    terminal: str
    department: str | None
    operator: Operator
    reason: str
    said: Said
    reads: int
    due_at: datetime
    overdue: bool
    verdict: str | None
    reviewed_at: datetime | None
    review: Review | None


async def open_glass(
    vault: Vault, glass_id: UUID, resolution_id: UUID, operator: Operator, reason: str, said: Said, *, using: Connection
) -> datetime:
    """Open all of the person's records under a resolution; until when."""
    found = await row(
        "INSERT INTO break_glasses (id, resolution_id, card_id, person_id, hospital_id, client_id, terminal, department,"
        " operator_id, operator_name, reason, sealed, at, expires_at) SELECT $1, r.id, r.card_id, r.person_id, r.hospital_id,"
        " r.client_id, r.terminal, r.department, $6, $7, $3, $4, n.t, n.t + make_interval(mins => $5) FROM resolutions r CROSS JOIN"
        " (SELECT yima_now() AS t) n WHERE r.id = $2 RETURNING at, expires_at",
        glass_id,
        resolution_id,
        reason,
        vault.seal(said, "break_glasses", "sealed", glass_id),
        MINUTES,
        *operator,
        using=using,
    )
    assert found is not None  # noqa: S101 - the resolution was just read
    await row(
        "SELECT yima_record_access($1, 'opened', '{}', $2, $3)", resolution_id, glass_id, found["at"], using=using
    )
    expires_at: datetime = found["expires_at"]
    return expires_at


_SHOWN: Final = (
    "SELECT b.*, h.name AS hospital, b.at + make_interval(days => $1) AS due_at,"
    " b.verdict IS NULL AND yima_now() > b.at + make_interval(days => $1) AS overdue,"
    " (SELECT count(*) FROM accesses a WHERE a.break_glass_id = b.id AND a.records <> '{}') AS reads"
    " FROM break_glasses b JOIN hospitals h ON h.id = b.hospital_id"
)


async def waiting(vault: Vault, after: tuple[datetime, UUID] | None, limit: int) -> list[Glass]:
    """Those that nobody has reviewed, oldest first, keyset."""
    condition = "" if after is None else " AND (b.at, b.id) > ($3, $4)"
    found = await rows(
        f"{_SHOWN} WHERE b.verdict IS NULL{condition} ORDER BY b.at, b.id LIMIT $2", REVIEW_DAYS, limit, *(after or ())
    )
    return [_opened(vault, record) for record in found]


async def newest(vault: Vault, reviewed: bool | None, after: tuple[datetime, UUID] | None, limit: int) -> list[Glass]:
    """All, or those reviewed, newest first, keyset."""
    condition = "" if after is None else " AND (b.at, b.id) < ($4, $5)"
    found = await rows(
        f"{_SHOWN} WHERE ($3::boolean IS NULL OR (b.verdict IS NOT NULL) = $3){condition}"
        " ORDER BY b.at DESC, b.id DESC LIMIT $2",
        REVIEW_DAYS,
        limit,
        reviewed,
        *(after or ()),
    )
    return [_opened(vault, record) for record in found]


async def glass(vault: Vault, glass_id: UUID, *, using: Connection | None = None) -> Glass | None:
    """One."""
    found = await row(f"{_SHOWN} WHERE b.id = $2", REVIEW_DAYS, glass_id, using=using)
    return _opened(vault, found) if found else None


async def review(
    vault: Vault, glass_id: UUID, admin_id: UUID, verdict: str, given: Review, *, using: Connection
) -> tuple[UUID, UUID] | None:
    """Give the verdict: the card and the person to be told of it; None where there is one already."""
    found = await row(
        "UPDATE break_glasses SET verdict = $2, review_sealed = $3, reviewed_by = $4, reviewed_at = yima_now()"
        " WHERE id = $1 AND verdict IS NULL RETURNING card_id, person_id",
        glass_id,
        verdict,
        vault.seal(given, "break_glasses", "review_sealed", glass_id),
        admin_id,
        using=using,
    )
    return (found["card_id"], found["person_id"]) if found else None


async def overdue() -> int:
    """How many wait for a verdict longer than they may."""
    found = await row(
        "SELECT count(*) AS n FROM break_glasses WHERE verdict IS NULL AND at < yima_now() - make_interval(days => $1)",
        REVIEW_DAYS,
    )
    return int(found["n"]) if found else 0


def _opened(vault: Vault, record: Any) -> Glass:
    glass_id, review_sealed = record["id"], record["review_sealed"]
    return Glass(
        glass_id,
        record["at"],
        record["expires_at"],
        record["hospital"],
        record["client_id"],
        record["terminal"],
        record["department"],
        Operator(record["operator_id"], record["operator_name"]),
        record["reason"],
        vault.open_as(Said, record["sealed"], "break_glasses", "sealed", glass_id),
        record["reads"],
        record["due_at"],
        record["overdue"],
        record["verdict"],
        record["reviewed_at"],
        vault.open_as(Review, review_sealed, "break_glasses", "review_sealed", glass_id) if review_sealed else None,
    )
