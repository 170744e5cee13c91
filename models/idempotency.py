"""Requests with an Idempotency-Key: claimed, then answered in the transaction that does the work.

A claim that its worker did not finish (killed, timed out) can be taken over after CLAIM_SECONDS.
"""

from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import msgspec

from models.database import Connection, row
from models.vault import Vault

CLAIM_SECONDS: Final = 20.0
KEPT_HOURS: Final = 24


class Claim(NamedTuple):
    """What is known of a key: this call's to do (`mine`), an answer, another body, or still running."""

    row_id: UUID
    claim: UUID
    mine: bool
    same_body: bool
    answer: tuple[int, bytes] | None
    scope: bytes = b""  # of caller, path and key: the same for each repetition


_CLAIM: Final = f"""
INSERT INTO idempotent_answers AS i (id, scope, body_hash, claim, at, until)
    VALUES ($1, $2, $3, $4, yima_now(), yima_now() + make_interval(secs => $5))
    ON CONFLICT (scope) DO UPDATE SET body_hash = EXCLUDED.body_hash, claim = EXCLUDED.claim, at = EXCLUDED.at,
        until = EXCLUDED.until, status = NULL, sealed = NULL
    WHERE i.at < yima_now() - interval '{KEPT_HOURS} hours'
        OR (i.status IS NULL AND i.until < yima_now() AND i.body_hash = EXCLUDED.body_hash)
    RETURNING i.id
"""


async def claim(vault: Vault, scope: bytes, body_hash: bytes) -> Claim:
    """Claim a key for a body (both as 32-byte hashes)."""
    ours = uuid4()
    taken = await row(_CLAIM, uuid4(), scope, body_hash, ours, CLAIM_SECONDS)
    if taken is not None:
        return Claim(taken["id"], ours, True, True, None, scope)
    found = await row("SELECT id, claim, body_hash, status, sealed FROM idempotent_answers WHERE scope = $1", scope)
    if found is None:  # given up between the two statements
        return await claim(vault, scope, body_hash)
    answer = None
    if found["status"] is not None:
        answer = (found["status"], vault.open(found["sealed"], "idempotent_answers", "sealed", found["id"]))
    return Claim(found["id"], found["claim"], False, found["body_hash"] == body_hash, answer)


async def keep(vault: Vault, claimed: Claim, status: int, body: Any, *, using: Connection) -> bool:
    """Keep the answer, in the transaction that makes it true; False if somebody took the claim over."""
    sealed = vault.seal(msgspec.json.encode(body), "idempotent_answers", "sealed", claimed.row_id)
    kept = await row(
        "UPDATE idempotent_answers SET status = $3, sealed = $4 WHERE id = $1 AND claim = $2 AND status IS NULL RETURNING id",
        claimed.row_id,
        claimed.claim,
        status,
        sealed,
        using=using,
    )
    return kept is not None


async def give_up(claimed: Claim) -> None:
    """Let go of a claim whose work was not done."""
    await row(
        "DELETE FROM idempotent_answers WHERE id = $1 AND claim = $2 AND status IS NULL RETURNING id",
        claimed.row_id,
        claimed.claim,
    )


async def sweep() -> None:
    """Delete what is older than its 24 hours."""
    await row(f"DELETE FROM idempotent_answers WHERE at < yima_now() - interval '{KEPT_HOURS} hours' RETURNING id")
