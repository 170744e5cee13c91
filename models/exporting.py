"""What an account's download holds beside what its lists show (PIPL 45)."""

from typing import Any, NamedTuple
from uuid import UUID

from models.database import rows
from models.scans import open_patient_number
from models.vault import Vault


class NumberGiven(NamedTuple):
    """A hospital's own number of a person."""

    hospital_id: UUID
    hospital: str
    number: str


async def policies_agreed(account_id: UUID, person_id: UUID) -> list[Any]:
    """What an account agreed to for its cards of a person: policy, text_sha256, at; oldest first."""
    return await rows(
        "SELECT o.policy, o.text_sha256, o.at FROM consents o JOIN cards c ON c.id = o.card_id"
        " WHERE c.account_id = $1 AND c.person_id = $2 ORDER BY o.at, o.id",
        account_id,
        person_id,
    )


async def choices_before(person_id: UUID, version: int, limit: int) -> list[Any]:
    """Versions of a person's choice below one, newest first: version, at."""
    return await rows(
        "SELECT id, version, at FROM record_consents WHERE person_id = $1 AND version < $2 ORDER BY version DESC LIMIT $3",
        person_id,
        version,
        limit,
    )


async def rules_of(choice_ids: list[UUID]) -> list[Any]:
    """The rules of these versions, in order; `hospital`: the name of the one a rule is about."""
    return await rows(
        "SELECT r.consent_id, r.hospital_id, h.name AS hospital, r.kind, r.effect, r.valid_from, r.valid_until"
        " FROM record_consent_rules r LEFT JOIN hospitals h ON h.id = r.hospital_id"
        " WHERE r.consent_id = ANY($1) ORDER BY r.consent_id, r.position",
        choice_ids,
    )


async def numbers_of(vault: Vault, person_id: UUID) -> list[NumberGiven]:
    """The numbers that hospitals gave a person."""
    found = await rows(
        "SELECT n.hospital_id, h.name, n.sealed FROM patient_numbers n JOIN hospitals h ON h.id = n.hospital_id"
        " WHERE n.person_id = $1 ORDER BY n.at, n.id",
        person_id,
    )
    return [
        NumberGiven(r["hospital_id"], r["name"], open_patient_number(vault, r["sealed"], r["hospital_id"], person_id))
        for r in found
    ]


async def verifications_of(account_id: UUID) -> list[Any]:
    """Proofs of a person that an account began, oldest first; what they were of is kept only as a hash."""
    return await rows(
        "SELECT id AS verification_id, kind, created_at, expires_at, used_at, tries FROM verifications"
        " WHERE account_id = $1 ORDER BY created_at, id",
        account_id,
    )


async def failures_of(account_id: UUID) -> list[Any]:
    """How often an account failed to prove a person: day, count."""
    return await rows(
        "SELECT day, count FROM proof_failures WHERE account_id = $1 AND count > 0 ORDER BY day", account_id
    )


async def signed_out_of(account_id: UUID) -> list[Any]:
    """Sessions of an account that were signed out and would not have expired yet: session_id, until."""
    return await rows(
        "SELECT id AS session_id, until FROM ended_sessions WHERE account_id = $1 AND until > yima_now() ORDER BY until",
        account_id,
    )
