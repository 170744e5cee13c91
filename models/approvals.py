"""Acts that wait for a second custodian: asked for, decided by another, lapsing after 24 hours."""

from typing import Any, Final
from uuid import UUID, uuid4

from codes.ring import KeyState
from models.admins import note
from models.database import Connection, row, rows
from models.key_rows import By, KeyRow

LAPSE_HOURS: Final = 24
TRANSITION, COMPROMISE = "transition", "compromise"


class ApprovalClosed(Exception):
    """It was decided or has lapsed."""


class OwnRequest(Exception):
    """Whoever asked does not approve."""


class KeyChanged(Exception):
    """The key's row changed since it was asked for."""


async def ask(key: KeyRow, to: KeyState, by: By, reason: str, *, using: Connection) -> UUID:
    """An open request for a transition: the one that is there, or a new one."""
    await using.execute_query(
        "UPDATE approvals SET decided_at = yima_now(), approved = false WHERE kid = $1 AND decided_at IS NULL"
        " AND kind = $2 AND (expires_at <= yima_now() OR key_version <> $3)",
        [key.kid, TRANSITION, key.version],
    )
    found = await row(
        'SELECT id FROM approvals WHERE kid = $1 AND "to" = $2 AND kind = $3 AND decided_at IS NULL',
        key.kid,
        to.value,
        TRANSITION,
        using=using,
    )
    if found:
        return UUID(bytes=found["id"].bytes)
    return await _insert(key, key.state, to, TRANSITION, by, reason, using=using)


async def confirm_later(key: KeyRow, source: KeyState, by: By, reason: str, *, using: Connection) -> UUID:
    """A compromise that was made waits to be confirmed by another custodian."""
    return await _insert(key, source, KeyState.COMPROMISED, COMPROMISE, by, reason, using=using)


async def confirmation_of(kid: bytes, *, using: Connection) -> UUID | None:
    """The confirmation of a key's compromise, open or not."""
    found = await row(
        "SELECT id FROM approvals WHERE kid = $1 AND kind = $2 ORDER BY at LIMIT 1", kid, COMPROMISE, using=using
    )
    return found["id"] if found else None


async def _insert(
    key: KeyRow, source: KeyState, to: KeyState, kind: str, by: By, reason: str, *, using: Connection
) -> UUID:
    approval_id = uuid4()
    await using.execute_query(
        'INSERT INTO approvals (id, kid, kind, source, "to", reason, key_version, requested_by, requester, at, expires_at)'
        f" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, yima_now(), yima_now() + interval '{LAPSE_HOURS} hours')",
        [approval_id, key.kid, kind, source.value, to.value, reason, key.version, by.admin_id, by.name],
    )
    details = {"kid": key.kid.hex(), "kind": kind, "to": to.value}
    await note(by.admin_id, by.name, "approval.ask", str(approval_id), reason=reason, details=details, using=using)
    return approval_id


async def open_approvals() -> list[Any]:
    """What waits for a second custodian, oldest first; unconfirmed compromises stay, `late` after 24 hours."""
    return await rows(
        "SELECT a.*, k.purpose, a.expires_at <= yima_now() AS late FROM approvals a JOIN keys k ON k.kid = a.kid"
        " WHERE a.decided_at IS NULL AND (a.kind = $1 OR a.expires_at > yima_now()) ORDER BY a.at",
        COMPROMISE,
    )


async def take(approval_id: UUID, approve: bool, by: By, *, using: Connection) -> Any:
    """Decide an open request, once; its row. The caller checks gates and makes the transition in the same commit.

    Raises LookupError, ApprovalClosed or OwnRequest.
    """
    found = await row(
        "SELECT *, kind <> $2 AND expires_at <= yima_now() AS lapsed FROM approvals WHERE id = $1 FOR UPDATE",
        approval_id,
        COMPROMISE,
        using=using,
    )
    if found is None:
        raise LookupError
    if found["requested_by"] == by.admin_id:
        raise OwnRequest
    if found["decided_at"] is not None:
        if found["decided_by"] == by.admin_id and found["approved"] == approve:
            return found  # the same answer again
        raise ApprovalClosed
    if found["lapsed"]:
        raise ApprovalClosed
    await using.execute_query(
        "UPDATE approvals SET decided_at = yima_now(), decided_by = $2, approved = $3 WHERE id = $1",
        [approval_id, by.admin_id, approve],
    )
    action = "approval.approve" if approve else "approval.refuse"
    details = {"kid": found["kid"].hex(), "kind": found["kind"], "to": found["to"]}
    await note(by.admin_id, by.name, action, str(approval_id), details=details, using=using)
    return found
