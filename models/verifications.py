"""Proofs of a person that were begun: bound to account and subject, one use, 5 minutes, 5 tries."""

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from codes.macs import same
from models.database import Connection, row, transaction
from models.messages import VERIFICATION_SECONDS, enqueue
from models.vault import Vault

TRIES_MOST = 5
FAILURES_A_DAY = 5
TEXTS_A_DAY = 3
_SHANGHAI_DAY = "(yima_now() AT TIME ZONE 'Asia/Shanghai')::date"


class Subject(NamedTuple):
    """Who is to be proven."""

    name: str
    id_type: str
    id_number: str
    phone: str

    def blind(self, vault: Vault, account_id: UUID) -> bytes:
        """What a verification is bound to: account, name, number and phone."""
        return vault.index("verification", "\0".join((str(account_id), *self)))


class Begun(NamedTuple):
    """A verification that was begun."""

    verification_id: UUID
    expires_at: Any


async def begin(vault: Vault, account_id: UUID, kind: str, subject: Subject, code: str | None) -> Begun | None:
    """Begin a proof; what it asks of the outside is done by the outbox. None: no more texts to this phone today.

    Nothing here depends on whether such a person exists.
    """
    verification_id = uuid4()
    phone_index = vault.index("phone", subject.phone)
    async with transaction() as tx:
        await tx.execute_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [phone_index.hex()])
        if kind == "sms":
            sent = await row(
                "SELECT count(*) AS n FROM verifications WHERE phone_index = $1 AND kind = 'sms'"
                f" AND (created_at AT TIME ZONE 'Asia/Shanghai')::date = {_SHANGHAI_DAY}",
                phone_index,
                using=tx,
            )
            if sent and sent["n"] >= TEXTS_A_DAY:
                return None
        made = await row(
            "INSERT INTO verifications (id, account_id, kind, subject_index, phone_index, code_hash, tries, started,"
            " created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, 0, false, yima_now(),"
            " yima_now() + make_interval(secs => $7)) RETURNING expires_at",
            verification_id,
            account_id,
            kind,
            subject.blind(vault, account_id),
            phone_index,
            _code_hash(vault, verification_id, code) if code else None,
            float(VERIFICATION_SECONDS),
            using=tx,
        )
        payload = {"verification_id": str(verification_id), "code": code, **subject._asdict()}
        await enqueue(vault, f"verify-{kind}", payload, seconds=VERIFICATION_SECONDS, using=tx)
    assert made is not None  # noqa: S101 - an insert returns its row
    return Begun(verification_id, made["expires_at"])


def _code_hash(vault: Vault, verification_id: UUID, code: str) -> bytes:
    return vault.index("verification-code", f"{verification_id}:{code}")


async def keep_check(vault: Vault, verification_id: UUID, check_id: str) -> None:
    """Note the upstream's name of a face check that was begun."""
    sealed = vault.seal(check_id.encode(), "verifications", "sealed", verification_id)
    await row(
        "UPDATE verifications SET sealed = $2, started = true WHERE id = $1 RETURNING id", verification_id, sealed
    )


async def try_code(vault: Vault, account_id: UUID, subject: Subject, verification_id: UUID, code: str) -> bool:
    """Whether this is the code that was texted; every try counts, before it is compared."""
    found = await row(
        "UPDATE verifications SET tries = tries + 1 WHERE id = $1 AND account_id = $2 AND kind = 'sms'"
        " AND subject_index = $3 AND used_at IS NULL AND tries < $4 AND expires_at > yima_now() RETURNING code_hash",
        verification_id,
        account_id,
        subject.blind(vault, account_id),
        TRIES_MOST,
    )
    return found is not None and same(found["code_hash"], _code_hash(vault, verification_id, code))


async def face_check_of(vault: Vault, account_id: UUID, subject: Subject, verification_id: UUID) -> str | None:
    """The upstream's name of the face check, if it was begun for this account and subject and can still be used."""
    found = await row(
        "UPDATE verifications SET tries = tries + 1 WHERE id = $1 AND account_id = $2 AND kind = 'face' AND started"
        " AND subject_index = $3 AND used_at IS NULL AND tries < $4 AND expires_at > yima_now() RETURNING sealed",
        verification_id,
        account_id,
        subject.blind(vault, account_id),
        TRIES_MOST,
    )
    return vault.open(found["sealed"], "verifications", "sealed", verification_id).decode() if found else None


async def use(verification_id: UUID, *, using: Connection) -> bool:
    """Spend a verification, in the transaction of what it proves; whether it was still there to spend."""
    spent = await row(
        "UPDATE verifications SET used_at = yima_now() WHERE id = $1 AND used_at IS NULL RETURNING id",
        verification_id,
        using=using,
    )
    return spent is not None


async def failures_today(account_id: UUID) -> int:
    """How often the account failed to prove a person today (Asia/Shanghai)."""
    found = await row(f"SELECT count FROM proof_failures WHERE account_id = $1 AND day = {_SHANGHAI_DAY}", account_id)
    return int(found["count"]) if found else 0


async def take_try(account_id: UUID) -> date | None:
    """Count a proof as failed before it is tried; the day it counts for, or None: the door is closed for the day.

    Counted first, so that proofs sent at once are no more tries than proofs sent one after another.
    """
    found = await row(
        "INSERT INTO proof_failures AS f (id, account_id, day, count)"
        f" VALUES (gen_random_uuid(), $1, {_SHANGHAI_DAY}, 1)"
        " ON CONFLICT (account_id, day) DO UPDATE SET count = f.count + 1 WHERE f.count < $2 RETURNING day",
        account_id,
        FAILURES_A_DAY,
    )
    return found["day"] if found else None


async def give_back(account_id: UUID, day: date) -> None:
    """The try that was taken was no failure."""
    await row(
        "UPDATE proof_failures SET count = count - 1 WHERE account_id = $1 AND day = $2 RETURNING count",
        account_id,
        day,
    )


async def today() -> date:
    """The day in Asia/Shanghai, by the database's clock."""
    found = await row(f"SELECT {_SHANGHAI_DAY} AS day")
    assert found is not None  # noqa: S101 - a SELECT without FROM has a row
    return found["day"]  # type: ignore[no-any-return]  # records are untyped
