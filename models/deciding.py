"""A second custodian's decision, in one commit with what it decides."""

from uuid import UUID

from codes.lifecycle import check
from codes.ring import KeyState
from models.approvals import TRANSITION, KeyChanged, take
from models.database import transaction
from models.key_rows import By, KeyRow, Timing, facts_of, key_row, lock_ring
from models.rotation import make
from models.vault import Vault


async def decide(vault: Vault, approval_id: UUID, approve: bool, by: By, timing: Timing) -> KeyRow:
    """Approve (the gates are checked again, and the transition made) or refuse; the key as it is then.

    Raises LookupError, ApprovalClosed, OwnRequest, KeyChanged or GateRefused; then nothing was decided.
    """
    async with transaction() as tx:
        _, now = await lock_ring(using=tx)
        asked = await take(approval_id, approve, by, using=tx)
        key = await key_row(vault, asked["kid"], using=tx)
        if asked["decided_at"] is not None or not approve or asked["kind"] != TRANSITION:
            return key
        if key.version != asked["key_version"]:
            raise KeyChanged
        to = KeyState(asked["to"])
        check(key.state, to, by.actor, await facts_of(key, now, timing, using=tx))
        return await make(vault, key, to, by, asked["reason"], now, timing, using=tx)
