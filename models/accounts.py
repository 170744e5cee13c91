"""Signing in and out, and whether an account's session still stands."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from models.database import row, rows, transaction
from models.vault import Vault


class WeChatIdentity(NamedTuple):
    """What WeChat says of an account; sealed, and in no answer."""

    openid: str
    unionid: str | None
    session_key: str


class AccountRow(NamedTuple):
    """An account that stands."""

    account_id: UUID
    epoch: int


class Session(NamedTuple):
    """What a patient's token says of its session."""

    account_id: UUID
    session_id: UUID
    epoch: int


STANDS = (
    "EXISTS (SELECT 1 FROM accounts a WHERE a.id = {account} AND a.epoch = {epoch})"
    " AND NOT EXISTS (SELECT 1 FROM ended_sessions e WHERE e.id = {session})"
)


async def sign_in(vault: Vault, identity: WeChatIdentity) -> AccountRow:
    """The account of a WeChat user, made if there is none; what WeChat said last is kept."""
    index = vault.index("openid", identity.openid)
    async with transaction() as tx:
        found = await row(
            "INSERT INTO accounts (id, openid_index, sealed, epoch, created_at) VALUES ($1, $2, '', 1, yima_now())"
            " ON CONFLICT (openid_index) DO UPDATE SET openid_index = EXCLUDED.openid_index"
            " RETURNING id, epoch, xmax = 0 AS made",
            uuid4(),
            index,
            using=tx,
        )
        assert found is not None  # noqa: S101 - an upsert returns its row
        sealed = vault.seal(identity._asdict(), "accounts", "sealed", found["id"])
        await tx.execute_query("UPDATE accounts SET sealed = $2 WHERE id = $1", [found["id"], sealed])
        if found["made"]:  # leaving and coming back gives no new tries
            await tx.execute_query(
                "UPDATE proof_failures SET account_id = $1 WHERE account_id = $2", [found["id"], whoever(index)]
            )
    return AccountRow(found["id"], found["epoch"])


def whoever(openid_index: bytes) -> UUID:
    """Stands for a WeChat user whose account was deleted today, where failed proofs are counted."""
    return UUID(bytes=openid_index[:16])


async def standing(account_id: UUID, session_id: UUID, epoch: int) -> bool:
    """Whether the account still has this epoch and the session was not signed out."""
    found = await row(
        "SELECT " + STANDS.format(account="$1", epoch="$2", session="$3") + " AS stands", account_id, epoch, session_id
    )
    return bool(found and found["stands"])


async def standing_among(sessions: Sequence[Session]) -> set[UUID]:
    """Of these sessions, the ids of those that stand."""
    accounts, ids, epochs = zip(*sessions, strict=True)
    found = await rows(
        "SELECT q.session FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS q(account, session, epoch) WHERE "
        + STANDS.format(account="q.account", epoch="q.epoch", session="q.session"),
        list(accounts),
        list(ids),
        list(epochs),
    )
    return {record["session"] for record in found}


async def openid_of(vault: Vault, account_id: UUID) -> str:
    """The account's WeChat openid."""
    found = await row("SELECT sealed FROM accounts WHERE id = $1", account_id)
    if found is None:
        raise LookupError("no such account")
    return str(vault.open_as(dict[str, str | None], found["sealed"], "accounts", "sealed", account_id)["openid"])


async def end_session(account_id: UUID, session_id: UUID, until: datetime) -> None:
    """Sign one session out; repeating changes nothing."""
    async with transaction() as tx:
        await tx.execute_query("DELETE FROM ended_sessions WHERE until < yima_now()", [])
        await tx.execute_query(
            "INSERT INTO ended_sessions (id, account_id, until) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            [session_id, account_id, until],
        )


async def end_all_sessions(account_id: UUID, epoch: int) -> None:
    """End every session of the account; repeating changes nothing."""
    await row("UPDATE accounts SET epoch = epoch + 1 WHERE id = $1 AND epoch = $2 RETURNING id", account_id, epoch)
