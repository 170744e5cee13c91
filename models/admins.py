"""Administrators and the audit of what they do."""

import json
import secrets
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from models.clients import secret_hash
from models.database import Connection, connection, row, rows

ROLES: Final = ("custodian", "registrar", "auditor")
TOKEN_PREFIX: Final = "yadm_"  # noqa: S105 - what tokens begin with
TOKEN_DAYS: Final = 90


async def add_admin(name: str, role: str, *, days: int = TOKEN_DAYS) -> tuple[UUID, str] | None:
    """A new administrator's id and token, shown once; None where the name is taken."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    found = await row(
        "INSERT INTO admins (id, name, role, token_hash, created_at, expires_at)"
        " VALUES ($1, $2, $3, $4, yima_now(), yima_now() + make_interval(days => $5)) ON CONFLICT DO NOTHING RETURNING id",
        uuid4(),
        name,
        role,
        secret_hash(token),
        days,
    )
    return (found["id"], token) if found else None


async def admin_by_token(token: str) -> Any | None:
    """The administrator whose token this is, if it stands; its use is noted at most once a minute."""
    found = await row(
        "SELECT *, last_used_at IS NULL OR last_used_at < yima_now() - interval '1 minute' AS note FROM admins"
        " WHERE token_hash = $1 AND disabled_at IS NULL AND expires_at > yima_now()",
        secret_hash(token),
    )
    if found and found["note"]:
        await row("UPDATE admins SET last_used_at = yima_now() WHERE id = $1 RETURNING id", found["id"])
    return found


async def admin_by_session(admin_id: UUID, session_id: UUID) -> Any | None:
    """The administrator of a page's session, while both stand."""
    return await row(
        "SELECT * FROM admins WHERE id = $1 AND disabled_at IS NULL AND expires_at > yima_now()"
        " AND NOT EXISTS (SELECT 1 FROM ended_sessions e WHERE e.id = $2)",
        admin_id,
        session_id,
    )


async def note(
    admin_id: UUID | None,
    actor: str,
    action: str,
    subject: str,
    *,
    reason: str | None = None,
    details: dict[str, Any] | None = None,
    using: Connection | None = None,
) -> None:
    """Write an entry of the audit, in the transaction of the act."""
    await (using or connection()).execute_query(
        "INSERT INTO audit_entries (at, admin_id, actor, action, subject, reason, details)"
        " VALUES (yima_now(), $1, $2, $3, $4, $5, $6)",
        [admin_id, actor, action, subject, reason, json.dumps(details) if details else None],
    )


async def audit_page(before: int | None, limit: int) -> list[Any]:
    """Entries, newest first."""
    return await rows("SELECT * FROM audit_entries WHERE id < $1 ORDER BY id DESC LIMIT $2", before or 2**62, limit)


async def admins() -> list[Any]:
    """All administrators, without their hashes."""
    return await rows(
        "SELECT id, name, role, created_at, expires_at, last_used_at, disabled_at FROM admins ORDER BY name"
    )


def is_admin_token(text: str) -> bool:
    """Whether a text has the form of an administrator's token."""
    return text.startswith(TOKEN_PREFIX) and len(text) < 100 and text.isascii()


def iso(at: datetime | None) -> str | None:
    """A time as JSON shows it."""
    return at.isoformat().replace("+00:00", "Z") if at else None
