"""Resolving a code, reading a resolution again, and who looked at whose data."""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from codes.verify import VerifiedCode
from models.appointments import AppointmentRow, appointment_of
from models.cards import InsuranceData, PersonData, open_person
from models.database import Connection, row, rows
from models.keyset import FAR, LAST
from models.vault import Vault


class Scan(NamedTuple):
    """Where and for what a code was scanned. `step` and `channel`: the code tables of isv-protocol.md."""

    client_id: UUID
    epoch: int
    scopes: int
    terminal: str
    department: str | None
    operator_id: str | None
    operator_name: str | None
    step: str
    channel: str


class Resolved(NamedTuple):
    """A resolution with the person it opened."""

    resolution_id: UUID
    resolved_at: datetime
    expires_at: datetime
    step: str
    granted: int
    scopes: int
    health_card_id: str
    person: PersonData
    insurance: InsuranceData | None
    patient_number: str | None
    card_id: UUID
    person_id: UUID
    hospital_id: UUID
    card_version: int
    account_id: UUID
    arrival: AppointmentRow | None


_RESOLVE: Final = "SELECT * FROM yima_resolve($1, $2, $3, $4, $5, $6, $7::smallint, $8, $9, $10::smallint, $11, $12, $13, $14, $15, $16)"


async def resolve(resolution_id: UUID, code: VerifiedCode, handle: int, scan: Scan) -> Any:
    """One round trip; the record's `outcome` says what happened (resolve.sql)."""
    return await row(
        _RESOLVE,
        resolution_id,
        code.kid,
        handle,
        code.cti,
        code.iat,
        code.exp,
        7 if code.services is None else code.services,
        scan.client_id,
        scan.epoch,
        scan.scopes,
        scan.terminal,
        scan.department,
        scan.operator_id,
        scan.operator_name,
        scan.step,
        scan.channel,
    )


def check_scan_rows(
    vault: Vault, record: Any, kid: bytes, handle: int, known: dict[bytes, tuple[str, int, bytes]]
) -> None:
    """Raise IntegrityBroken unless the key's and the card's rows are as they were sealed.

    `known`: (state, version, hash) of the key rows that this worker checked when it loaded them.
    """
    key = (record["key_state"], record["key_version"], record["key_mac"])
    if known.get(kid) != key:
        vault.rows.check_key(record["key_mac"], kid, "code", "ed25519", record["key_state"], record["key_version"])
    vault.rows.check_card(
        record["card_mac"],
        record["card_id"],
        record["account_id"],
        record["person_id"],
        record["relation"],
        handle,
        record["status"],
        record["frozen_by"],
        record["live_since"],
        record["card_version"],
    )


def open_resolved(vault: Vault, record: Any) -> Resolved:
    """The resolution of a record of yima_resolve or of `read`."""
    person_id, card_id, hospital_id = record["person_id"], record["card_id"], record["hospital_id"]
    insurance, number = record["insurance_sealed"], record["number_sealed"]
    return Resolved(
        record["resolution_id"],
        record["resolved_at"],
        record["expires_at"],
        record["step"],
        record["granted"],
        record["scopes"],
        record["health_card_id"],
        open_person(vault, record),
        vault.open_as(InsuranceData, insurance, "insurances", "sealed", card_id) if insurance else None,
        open_patient_number(vault, number, hospital_id, person_id) if number else None,
        card_id,
        person_id,
        hospital_id,
        record["card_version"],
        record["account_id"],
        appointment_of(record["arrival"]),
    )


# For the client that made it: $1 client, $2 its epoch, $3 the resolution, $4 the token's scopes.
READ_RESOLUTION: Final = """
SELECT r.id AS resolution_id, r.at AS resolved_at, r.expires_at, r.step, r.granted, c.scopes & $4::smallint AS scopes,
    r.card_id, r.person_id, r.hospital_id, r.arrival, p.health_card_id, p.sealed AS person_sealed, i.sealed AS insurance_sealed,
    n.sealed AS number_sealed, k.relation, k.handle, k.status, k.frozen_by, k.live_since, k.version AS card_version,
    k.mac AS card_mac, k.account_id, q.state AS key_state, q.version AS key_version, q.mac AS key_mac, r.kid,
    yima_now() >= r.expires_at AS expired,
    k.status <> 'active' OR r.at <= k.live_since
        OR (q.state = 'compromised' AND r.at >= coalesce(q.revoked_since, '-infinity')) AS revoked
FROM clients c
LEFT JOIN resolutions r ON r.id = $3 AND r.client_id = c.id
LEFT JOIN keys q ON q.kid = r.kid
LEFT JOIN cards k ON k.id = r.card_id
LEFT JOIN people p ON p.id = r.person_id
LEFT JOIN insurances i ON i.card_id = r.card_id
LEFT JOIN patient_numbers n ON n.hospital_id = r.hospital_id AND n.person_id = r.person_id
WHERE c.id = $1 AND c.enabled AND c.epoch = $2
"""


async def read(client_id: UUID, epoch: int, scopes: int, resolution_id: UUID) -> Any | None:
    """A resolution for the client that made it: None if the client does not stand; resolution_id NULL if not its own."""
    return await row(READ_RESOLUTION, client_id, epoch, resolution_id, scopes)


def open_patient_number(vault: Vault, sealed: bytes, hospital_id: UUID, person_id: UUID) -> str:
    """A hospital's number of a person. Its place is the pair, folded into one id."""
    return vault.open(sealed, "patient_numbers", "sealed", _pair(hospital_id, person_id)).decode()


def _pair(hospital_id: UUID, person_id: UUID) -> UUID:
    return UUID(int=hospital_id.int ^ person_id.int)


async def put_patient_number(vault: Vault, hospital_id: UUID, person_id: UUID, number: str) -> bool:
    """Write a hospital's own number of a person; False where the hospital gave it to another person."""
    index = vault.index("patient-number", f"{hospital_id}:{number}")
    sealed = vault.seal(number.encode(), "patient_numbers", "sealed", _pair(hospital_id, person_id))
    written = await row(
        "INSERT INTO patient_numbers (id, hospital_id, person_id, number_index, sealed, at)"
        " SELECT gen_random_uuid(), $1, $2, $3, $4, yima_now() WHERE NOT EXISTS (SELECT 1 FROM patient_numbers"
        " WHERE hospital_id = $1 AND number_index = $3 AND person_id <> $2)"
        " ON CONFLICT (hospital_id, person_id) DO UPDATE SET number_index = EXCLUDED.number_index,"
        " sealed = EXCLUDED.sealed, at = EXCLUDED.at RETURNING id",
        hospital_id,
        person_id,
        index,
        sealed,
    )
    return written is not None


_ACCESS_COLUMNS: Final = "x.id, x.at, x.card_id, x.person_id, x.terminal, x.operator_id, x.operator_name, x.department, x.step, h.name AS hospital"
_ACCESSES: Final = f"""
SELECT * FROM (
    (SELECT {_ACCESS_COLUMNS}, x.granted, false AS used, ARRAY[]::uuid[] AS records, NULL::text AS act,
        NULL::uuid AS break_glass_id, NULL::text AS reason
        FROM resolutions x JOIN hospitals h ON h.id = x.hospital_id
        WHERE x.person_id = $1 AND ($2::uuid IS NULL OR x.card_id = $2) AND (x.at, x.id) < ($3, $4)
        ORDER BY x.at DESC, x.id DESC LIMIT $5)
    UNION ALL
    (SELECT {_ACCESS_COLUMNS}, NULL::smallint AS granted, false AS used, ARRAY[]::uuid[] AS records, NULL::text AS act,
        NULL::uuid AS break_glass_id, x.reason
        FROM refusals x JOIN hospitals h ON h.id = x.hospital_id
        WHERE x.person_id = $1 AND ($2::uuid IS NULL OR x.card_id = $2) AND (x.at, x.id) < ($3, $4)
        ORDER BY x.at DESC, x.id DESC LIMIT $5)
    UNION ALL
    (SELECT {_ACCESS_COLUMNS}, x.granted, true AS used, x.records, x.act, x.break_glass_id, NULL::text AS reason
        FROM accesses x JOIN hospitals h ON h.id = x.hospital_id
        WHERE x.person_id = $1 AND ($2::uuid IS NULL OR x.card_id = $2) AND (x.at, x.id) < ($3, $4)
        ORDER BY x.at DESC, x.id DESC LIMIT $5)
) all_kinds ORDER BY at DESC, id DESC LIMIT $5
"""


async def accesses(person_id: UUID, card_id: UUID | None, after: tuple[datetime, UUID] | None, limit: int) -> list[Any]:
    """Scans of a person (of one card, where `card_id` is given), refused ones too, and uses; newest first, keyset."""
    at, access_id = after or (FAR, LAST)
    return await rows(_ACCESSES, person_id, card_id, at, access_id, limit)


_PAGE: Final = 1000
_SINCE: Final = f"""
SELECT * FROM (
    SELECT {_ACCESS_COLUMNS}, x.granted, false AS used, ARRAY[]::uuid[] AS records, NULL::text AS act,
        NULL::uuid AS break_glass_id, NULL::text AS reason
        FROM resolutions x JOIN hospitals h ON h.id = x.hospital_id
        WHERE x.person_id = ANY($1) AND (x.at, x.id) > ($2, $3)
    UNION ALL
    SELECT {_ACCESS_COLUMNS}, NULL::smallint AS granted, false AS used, ARRAY[]::uuid[] AS records, NULL::text AS act,
        NULL::uuid AS break_glass_id, x.reason
        FROM refusals x JOIN hospitals h ON h.id = x.hospital_id
        WHERE x.person_id = ANY($1) AND (x.at, x.id) > ($2, $3)
) both_kinds ORDER BY at, id LIMIT {_PAGE}
"""


async def accesses_since(person_ids: list[UUID], since: datetime) -> list[Any]:
    """Scans of these people after a point in time, oldest first."""
    found: list[Any] = []
    page = await rows(_SINCE, person_ids, since, LAST)
    while len(page) == _PAGE:
        found += page
        page = await rows(_SINCE, person_ids, page[-1]["at"], page[-1]["id"])
    return found + page


async def access_to_money(
    client_id: UUID, session_id: UUID | None, resolution_id: UUID, act: str, *, using: Connection
) -> None:
    """Put down that a hospital used a resolution for payment. session_id: the clerk's shift, if one did it."""
    await row(
        "SELECT yima_money_access($1, $2, $3, $4, false, yima_now())",
        resolution_id,
        client_id,
        session_id,
        act,
        using=using,
    )


async def looked_at_money(client_id: UUID, session_id: UUID | None, resolution_id: UUID) -> None:
    """Put down that a hospital looked at a bill after its resolution was over: once an hour for a client and shift."""
    await row(
        "SELECT yima_money_access(r.id, $1, $2, 'looked', false, yima_now()) FROM resolutions r WHERE r.id = $3"
        " AND r.expires_at <= yima_now() AND NOT EXISTS (SELECT 1 FROM accesses a WHERE a.person_id = r.person_id"
        " AND a.at > yima_now() - interval '1 hour' AND a.resolution_id = r.id AND a.client_id = $1 AND a.act = 'looked')",
        client_id,
        session_id,
        resolution_id,
    )
