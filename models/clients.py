"""Hospitals and their clients: made, found, disabled; clerks' sessions."""

import hashlib
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from models.database import Connection, row, rows

SCOPES: Final = {"booking": 1, "records": 2, "payment": 4, "identity:full": 8}
CLERK_HOURS: Final = 12


def scope_bits(names: list[str]) -> int:
    """The bit set of scope names. Raises KeyError for an unknown one."""
    bits = 0
    for name in names:
        bits |= SCOPES[name]
    return bits


def scope_names(bits: int) -> list[str]:
    """The names of a bit set, in the table's order."""
    return [name for name, bit in SCOPES.items() if bits & bit]


def secret_hash(secret: str) -> bytes:
    """What is kept of a random secret of 256 bits: its SHA-256."""
    return hashlib.sha256(secret.encode()).digest()


async def add_hospital(name: str, code: str, area: str, *, using: Connection) -> UUID | None:
    """A new hospital's id; None where the code is taken."""
    found = await row(
        "INSERT INTO hospitals (id, name, code, area, created_at) VALUES ($1, $2, $3, $4, yima_now())"
        " ON CONFLICT (code) DO NOTHING RETURNING id",
        uuid4(),
        name,
        code,
        area,
        using=using,
    )
    return found["id"] if found else None


async def hospital(hospital_id: UUID, *, using: Connection | None = None) -> Any | None:
    """A hospital's row."""
    return await row("SELECT * FROM hospitals WHERE id = $1", hospital_id, using=using)


async def hospitals(after: tuple[datetime, UUID] | None, limit: int) -> list[Any]:
    """Hospitals, newest first, keyset."""
    condition = "" if after is None else " WHERE (created_at, id) < ($2, $3)"
    return await rows(
        f"SELECT * FROM hospitals{condition} ORDER BY created_at DESC, id DESC LIMIT $1", limit, *(after or ())
    )


async def hospitals_named(ids: list[UUID]) -> dict[UUID, str]:
    """The names of those of these ids that are hospitals'."""
    found = await rows("SELECT id, name FROM hospitals WHERE id = ANY($1) ORDER BY name, id", list(set(ids)))
    return {record["id"]: record["name"] for record in found}


async def find_hospitals(words: str, after: tuple[datetime, UUID] | None, limit: int) -> list[Any]:
    """Hospitals whose name holds the words, newest first, keyset."""
    condition = "" if after is None else " AND (created_at, id) < ($3, $4)"
    return await rows(
        f"SELECT * FROM hospitals WHERE ($1 = '' OR position(lower($1) IN lower(name)) > 0){condition}"
        " ORDER BY created_at DESC, id DESC LIMIT $2",
        words,
        limit,
        *(after or ()),
    )


async def add_client(
    hospital_id: UUID, name: str, scopes: int, *, hashed_secret: bytes | None, jwks: str | None, using: Connection
) -> UUID:
    """A new client's id."""
    client_id = uuid4()
    await using.execute_query(
        "INSERT INTO clients (id, hospital_id, name, scopes, secret_hash, jwks, enabled, epoch, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, true, 1, yima_now())",
        [client_id, hospital_id, name, scopes, hashed_secret, jwks],
    )
    return client_id


async def clients(hospital_id: UUID) -> list[Any]:
    """A hospital's clients, oldest first."""
    return await rows("SELECT * FROM clients WHERE hospital_id = $1 ORDER BY created_at, id", hospital_id)


async def client(client_id: UUID) -> Any | None:
    """An enabled client's row, with its hospital's name."""
    return await row(
        "SELECT c.*, h.name AS hospital_name FROM clients c JOIN hospitals h ON h.id = c.hospital_id"
        " WHERE c.id = $1 AND c.enabled",
        client_id,
    )


async def standing_client(client_id: UUID, epoch: int) -> Any | None:
    """The client's row if it is enabled and still of this epoch."""
    return await row("SELECT * FROM clients WHERE id = $1 AND enabled AND epoch = $2", client_id, epoch)


async def disable(hospital_id: UUID, client_id: UUID, *, using: Connection) -> bool:
    """Disable a client: its tokens die at once. Repeating changes nothing; False if there is none."""
    found = await row(
        "UPDATE clients SET disabled_at = CASE WHEN enabled THEN yima_now() ELSE disabled_at END, enabled = false,"
        " epoch = CASE WHEN enabled THEN epoch + 1 ELSE epoch END WHERE id = $1 AND hospital_id = $2 RETURNING id",
        client_id,
        hospital_id,
        using=using,
    )
    return found is not None


async def use_assertion(client_id: UUID, jti: str, seconds: float) -> bool:
    """Take a client assertion's jti, once; it is kept for so many seconds."""
    await row("DELETE FROM used_assertions WHERE expires_at < yima_now() RETURNING id")
    taken = await row(
        "INSERT INTO used_assertions (id, client_id, jti, expires_at)"
        " VALUES ($1, $2, $3, yima_now() + make_interval(secs => $4)) ON CONFLICT (client_id, jti) DO NOTHING RETURNING id",
        uuid4(),
        client_id,
        hashlib.sha256(jti.encode("utf-8", "surrogatepass")).hexdigest(),
        seconds,
    )
    return taken is not None


async def begin_clerk_session(
    session_id: UUID, client_id: UUID, terminal: str, operator_id: str, operator_name: str
) -> Any:
    """Begin a shift; the row."""
    return await row(
        "INSERT INTO clerk_sessions (id, client_id, terminal, operator_id, operator_name, created_at, expires_at)"
        f" VALUES ($1, $2, $3, $4, $5, yima_now(), yima_now() + interval '{CLERK_HOURS} hours') RETURNING *",
        session_id,
        client_id,
        terminal,
        operator_id,
        operator_name,
    )


async def clerk_session(session_id: UUID, client_id: UUID) -> Any | None:
    """A shift that goes on, with the hospital's name, while its client stands."""
    return await row(
        "SELECT s.*, h.name AS hospital FROM clerk_sessions s JOIN clients c ON c.id = s.client_id AND c.enabled"
        " JOIN hospitals h ON h.id = c.hospital_id"
        " WHERE s.id = $1 AND s.client_id = $2 AND s.ended_at IS NULL AND s.expires_at > yima_now()",
        session_id,
        client_id,
    )


async def end_clerk_session(session_id: UUID) -> None:
    """End a shift; repeating changes nothing."""
    await row(
        "UPDATE clerk_sessions SET ended_at = yima_now() WHERE id = $1 AND ended_at IS NULL RETURNING id", session_id
    )
