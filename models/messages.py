"""What people must be told: messages in the commit that makes them true, and the outbox of text messages."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec

from codes.errors import SealBroken
from models.database import Connection, row, rows
from models.vault import Vault

VERIFICATION_SECONDS = 300
TEXT_HOURS = 24


class Told(NamedTuple):
    """A message, opened."""

    message_id: UUID
    at: datetime
    kind: str
    card_id: UUID | None
    text: dict[str, str]
    ref: str | None
    account_id: UUID


class Job(NamedTuple):
    """A delivery that is due. `payload` is None where the row does not open: it must not hold up the others."""

    job_id: UUID
    kind: str
    payload: dict[str, Any] | None
    attempts: int


async def tell(
    vault: Vault,
    account_id: UUID,
    kind: str,
    text: dict[str, str],
    *,
    card_id: UUID | None = None,
    ref: str | None = None,
    using: Connection,
) -> UUID:
    """Write a message to an account (`text`: zh and en) in the caller's transaction."""
    message_id = uuid4()
    await using.execute_query(
        "INSERT INTO messages (id, account_id, card_id, kind, sealed, ref, at) VALUES ($1, $2, $3, $4, $5, $6, yima_now())",
        [message_id, account_id, card_id, kind, vault.seal(text, "messages", "sealed", message_id), ref],
    )
    return message_id


async def enqueue(
    vault: Vault, kind: str, payload: dict[str, Any], *, seconds: int = TEXT_HOURS * 3600, using: Connection
) -> UUID:
    """Put something to be done outside into the outbox, for at most so many seconds."""
    job_id = uuid4()
    await using.execute_query(
        "INSERT INTO deliveries (id, kind, sealed, attempts, created_at, due_at, expires_at)"
        " VALUES ($1, $2, $3, 0, yima_now(), yima_now(), yima_now() + make_interval(secs => $4))",
        [job_id, kind, vault.seal(payload, "deliveries", "sealed", job_id), float(seconds)],
    )
    return job_id


async def due_jobs(vault: Vault, limit: int = 20) -> list[Job]:
    """What is due, oldest first. What is too late is dropped: a code that has expired is never sent."""
    await row(
        "UPDATE deliveries SET done_at = yima_now(), outcome = 'expired', sealed = ''"
        " WHERE done_at IS NULL AND due_at <= yima_now() AND expires_at <= yima_now() RETURNING id"
    )
    found = await rows(
        "SELECT id, kind, sealed, attempts FROM deliveries WHERE done_at IS NULL AND due_at <= yima_now()"
        " ORDER BY due_at LIMIT $1",
        limit,
    )
    return [Job(r["id"], r["kind"], _payload(vault, r), r["attempts"]) for r in found]


def _payload(vault: Vault, record: Any) -> dict[str, Any] | None:
    try:
        return vault.open_as(dict[str, Any], record["sealed"], "deliveries", "sealed", record["id"])
    except SealBroken:
        return None


async def job_done(job_id: UUID, outcome: str) -> None:
    """It was done, or given up, for good; what it held is erased."""
    await row(
        "UPDATE deliveries SET done_at = yima_now(), outcome = $2, sealed = '' WHERE id = $1 AND done_at IS NULL RETURNING id",
        job_id,
        outcome,
    )


async def job_failed(job_id: UUID, wait: float) -> None:
    """Try again after `wait` seconds, unless another sender did it meanwhile."""
    await row(
        "UPDATE deliveries SET attempts = attempts + 1, due_at = yima_now() + make_interval(secs => $2)"
        " WHERE id = $1 AND done_at IS NULL RETURNING id",
        job_id,
        wait,
    )


def _open(vault: Vault, record: Any) -> Told:
    text = msgspec.json.decode(vault.open(record["sealed"], "messages", "sealed", record["id"]))
    return Told(
        record["id"], record["at"], record["kind"], record["card_id"], text, record["ref"], record["account_id"]
    )


async def messages_of(vault: Vault, account_id: UUID, after: tuple[datetime, UUID] | None, limit: int) -> list[Told]:
    """The account's messages, newest first, keyset."""
    condition = "" if after is None else " AND (at, id) < ($3, $4)"
    found = await rows(
        f"SELECT * FROM messages WHERE account_id = $1{condition} ORDER BY at DESC, id DESC LIMIT $2",
        account_id,
        limit,
        *(after or ()),
    )
    return [_open(vault, record) for record in found]


async def messages_since(vault: Vault, account_ids: list[UUID], since: datetime) -> list[Told]:
    """Messages to these accounts after a point in time, oldest first."""
    found = await rows(
        "SELECT * FROM messages WHERE account_id = ANY($1) AND at > $2 ORDER BY at, id LIMIT 1000", account_ids, since
    )
    return [_open(vault, record) for record in found]
