"""What the reading of imaging systems asks of the database: many studies in one statement."""

from typing import Any, NamedTuple
from uuid import UUID

from models.database import Connection, row, rows
from models.scans import open_patient_number
from models.vault import Vault


class Live(NamedTuple):
    """The live record of a study. `sha256`: of its bytes."""

    record_id: UUID
    person_id: UUID
    health_card_id: str
    sha256: bytes


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
