"""What was done under a key: resolutions since a time, and the alarms of forged signatures."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from models.database import Connection, row, rows


class Uses(NamedTuple):
    """Resolutions under a key since a time: all, and those that are (or were, when it was cut off) open."""

    total: int
    open: int


async def count_uses(kid: bytes, since: datetime, *, using: Connection | None = None) -> Uses:
    """How many resolutions there are under a key since then."""
    found = await row(
        "SELECT count(*) AS n, count(*) FILTER (WHERE r.expires_at > coalesce(k.compromised_at, yima_now())) AS open"
        " FROM resolutions r JOIN keys k ON k.kid = r.kid WHERE r.kid = $1 AND r.at >= $2",
        kid,
        since,
        using=using,
    )
    return Uses(found["n"], found["open"]) if found else Uses(0, 0)


async def newest_uses(kid: bytes, since: datetime, limit: int) -> list[Any]:
    """The newest resolutions under a key since then."""
    return await rows(
        "SELECT r.id, r.at, r.terminal, h.name AS hospital FROM resolutions r JOIN hospitals h ON h.id = r.hospital_id"
        " WHERE r.kid = $1 AND r.at >= $2 ORDER BY r.at DESC, r.id DESC LIMIT $3",
        kid,
        since,
        limit,
    )


async def note_forged(kid: bytes, client_id: UUID, terminal: str) -> None:
    """Keep an alarm."""
    await row(
        "INSERT INTO forged_alarms (id, kid, client_id, terminal, at) VALUES ($1, $2, $3, $4, yima_now()) RETURNING id",
        uuid4(),
        kid,
        client_id,
        terminal,
    )


async def forged_alarms(kid: bytes | None, limit: int) -> tuple[int, list[Any]]:
    """How many alarms there were (under one key, or all), and the newest of them."""
    total = await row("SELECT count(*) AS n FROM forged_alarms WHERE $1::bytea IS NULL OR kid = $1", kid)
    found = await rows(
        "SELECT f.kid, f.at, f.terminal, h.name AS hospital FROM forged_alarms f JOIN clients c ON c.id = f.client_id"
        " JOIN hospitals h ON h.id = c.hospital_id WHERE $1::bytea IS NULL OR f.kid = $1"
        " ORDER BY f.at DESC, f.id DESC LIMIT $2",
        kid,
        limit,
    )
    return (total["n"] if total else 0), found
