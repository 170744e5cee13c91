"""What the reading of imaging systems asks of the database: many studies in one statement."""

from typing import Any, NamedTuple
from uuid import UUID

from models.cards import open_person
from models.database import Connection, row, rows
from models.records import Owner
from models.scans import open_patient_number
from models.vault import Vault


class Live(NamedTuple):
    """The live record of a study. `sha256`: of its bytes."""

    record_id: UUID
    person_id: UUID
    health_card_id: str
    sha256: bytes


async def owners(vault: Vault, hospital_id: UUID, numbers: list[str]) -> dict[str, Owner]:
    """The people to whom a hospital gave these numbers, by number; others are left out."""
    by_index = {vault.index("patient-number", f"{hospital_id}:{number}"): number for number in numbers}
    found = await rows(
        "SELECT n.number_index, p.id AS person_id, p.health_card_id, p.sealed AS person_sealed FROM patient_numbers n"
        " JOIN people p ON p.id = n.person_id WHERE n.hospital_id = $1 AND n.number_index = ANY($2)",
        hospital_id,
        list(by_index),
    )
    named = {by_index[bytes(record["number_index"])]: record for record in found}
    return {
        number: Owner(record["person_id"], record["health_card_id"], open_person(vault, record), number)
        for number, record in named.items()
    }


async def live_studies(hospital_id: UUID, keys: list[bytes]) -> dict[bytes, Live]:
    """The live records of a hospital's studies, by source_key."""
    found: list[Any] = await rows(
        "SELECT r.source_key, r.id, r.person_id, p.health_card_id, r.sha256 FROM records r"
        " JOIN people p ON p.id = r.person_id WHERE r.hospital_id = $1 AND r.source_key = ANY($2) AND r.live",
        hospital_id,
        keys,
    )
    return {
        bytes(record["source_key"]): Live(
            record["id"], record["person_id"], record["health_card_id"], bytes(record["sha256"])
        )
        for record in found
    }


async def corrected_by_hand(hospital_id: UUID, person_id: UUID, key: bytes, *, using: Connection) -> bool:
    """Whether the hospital itself posted something in place of a study's record: the PACS does not overrule it."""
    found = await row(
        "SELECT 1 FROM records r JOIN records s ON s.id = r.superseded_by"
        " WHERE r.person_id = $1 AND r.hospital_id = $2 AND r.source_key = $3 AND s.source <> 'dicomweb' LIMIT 1",
        person_id,
        hospital_id,
        key,
        using=using,
    )
    return found is not None


async def number_at(vault: Vault, hospital_id: UUID, person_id: UUID) -> str | None:
    """The hospital's own number of a person, if it gave one."""
    found = await row(
        "SELECT sealed FROM patient_numbers WHERE hospital_id = $1 AND person_id = $2", hospital_id, person_id
    )
    return open_patient_number(vault, found["sealed"], hospital_id, person_id) if found else None


async def raw_of(vault: Vault, record_id: UUID) -> bytes:
    """A record's bytes."""
    found = await row("SELECT sealed FROM records WHERE id = $1", record_id)
    return vault.open(found["sealed"], "records", "sealed", record_id) if found else b"{}"
