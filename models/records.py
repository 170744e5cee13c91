"""Records: kept, listed and read by the functions of sql/records.sql; sealed and opened here."""

import hashlib
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from models.cards import PersonData, open_person
from models.database import Connection, row, rows
from models.integrity import IntegrityBroken
from models.keyset import FAR, LAST
from models.scans import READ_RESOLUTION
from models.vault import Vault

KINDS: Final = ("laboratory", "examination", "imaging", "discharge", "note")
LONG_AGO: Final = datetime.fromisoformat("0001-01-02T00:00:00+00:00")


class Item(msgspec.Struct, frozen=True):
    """A test or examination item for which a record is recognised."""

    code: str
    name: str


class Recognition(msgspec.Struct, frozen=True):
    """A mark of mutual recognition: level national, province or city, its area (GB/T 2260) and its text."""

    level: str
    area: str
    mark: str
    items: list[Item]


class Observed(msgspec.Struct, frozen=True):
    """A measured value; `value`, `low` and `high` are decimals as they were posted."""

    code: str
    display: str
    at: datetime
    value: str
    unit: str | None
    low: str | None
    high: str | None
    flag: str | None


class Summary(msgspec.Struct, frozen=True):
    """What a list shows of a record, sealed beside it, and whose it is: a row cannot be made another person's, nor
    readable as another kind. `study`: an imaging study's StudyInstanceUID.
    """

    person_id: UUID
    hospital_id: UUID
    kind: str
    status: str
    title: str
    recognition: Recognition | None = None
    study: str | None = None


class NewRecord(NamedTuple):
    """A record to keep. `source`: api, mllp or dicomweb; `source_key`: what a later message of it corrects."""

    record_id: UUID
    person_id: UUID
    hospital_id: UUID
    card_id: UUID | None
    resolution_id: UUID | None
    kind: str
    status: str
    title: str
    occurred_at: datetime
    sampled_at: datetime
    raw: bytes
    observed: list[Observed]
    replaces: UUID | None
    recognition: Recognition | None
    source: str
    source_key: bytes | None
    study: str | None = None


class Kept(NamedTuple):
    """outcome: kept, or why not: replaces-absent, replaces-other-kind, record-superseded."""

    outcome: str
    record_id: UUID
    posted_at: datetime | None


class RecordRow(NamedTuple):
    """A record as lists show it."""

    record_id: UUID
    person_id: UUID
    hospital_id: UUID
    hospital_name: str
    kind: str
    status: str
    occurred_at: datetime
    sampled_at: datetime
    posted_at: datetime
    replaces: UUID | None
    superseded_by: UUID | None
    size: int
    sha256: bytes
    summary: Summary


class Owner(NamedTuple):
    """The person whom a hospital's own number names."""

    person_id: UUID
    health_card_id: str
    person: PersonData
    patient_number: str


class Wanted(NamedTuple):
    """What a list asks for. `since` and `until` bound occurred_at, `until` not included."""

    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    hospital_id: UUID | None = None
    record_id: UUID | None = None
    history: bool = False
    recognised: bool = False
    item: str | None = None
    within: int | None = None


def item_key(vault: Vault, person_id: UUID, code: str) -> bytes:
    """The hash by which a person's records of an item, or of a measured code, are found."""
    return vault.index("record-item", f"{person_id}:{code}")


async def keep(vault: Vault, new: NewRecord, *, using: Connection) -> Kept:
    """Seal and write a record in the caller's transaction; it supersedes `replaces`."""
    marked, record_id = new.recognition, new.record_id
    items = sorted({item_key(vault, new.person_id, item.code) for item in marked.items}) if marked else []
    codes = sorted({item_key(vault, new.person_id, one.code) for one in new.observed})
    found = await row(
        "SELECT * FROM yima_keep_record($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
        " $19, $20, $21)",
        record_id,
        new.person_id,
        new.hospital_id,
        new.card_id,
        new.resolution_id,
        new.kind,
        new.status,
        new.occurred_at,
        new.sampled_at,
        new.replaces,
        marked.level if marked else None,
        marked.area if marked else None,
        items,
        codes,
        new.source,
        new.source_key,
        len(new.raw),
        hashlib.sha256(new.raw).digest(),
        vault.seal(_summary(new), "records", "summary", record_id),
        vault.seal(new.observed, "records", "observed", record_id) if new.observed else None,
        vault.seal(new.raw, "records", "sealed", record_id),
        using=using,
    )
    assert found is not None  # noqa: S101 - the function returns one row
    return Kept(found["outcome"], record_id, found["posted_at"])


def _summary(new: NewRecord) -> Summary:
    return Summary(new.person_id, new.hospital_id, new.kind, new.status, new.title, new.recognition, new.study)


def open_summary(vault: Vault, record: Any) -> Summary:
    """The summary of a row with record_id, record_person, record_hospital, kind, record_status and summary.

    Raises IntegrityBroken where the row says another person, hospital, kind or status than was sealed.
    """
    found = vault.open_as(Summary, record["summary"], "records", "summary", record["record_id"])
    sealed = (found.person_id, found.hospital_id, found.kind, found.status)
    if sealed != (record["record_person"], record["record_hospital"], record["kind"], record["record_status"]):
        raise IntegrityBroken("records")
    return found


async def previous(hospital_id: UUID, person_id: UUID, source_key: bytes, *, using: Connection) -> UUID | None:
    """The live record of a person with this source_key, if any. Until the transaction ends no other call gets past."""
    await row("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"record {source_key.hex()}", using=using)
    found = await row(
        "SELECT id FROM records WHERE hospital_id = $1 AND source_key = $2 AND live AND person_id = $3",
        hospital_id,
        source_key,
        person_id,
        using=using,
    )
    return found["id"] if found else None


async def owners(vault: Vault, hospital_id: UUID, numbers: list[str]) -> dict[str, Owner]:
    """The people to whom a hospital gave these numbers, by number (HL7 PID-3, DICOM PatientID); others are left out."""
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


# Under a resolution: the gate of every call (models.scans) and what is behind it in one statement and one commit.
_ALLOWED: Final = (
    "coalesce(g.resolution_id IS NOT NULL AND NOT g.expired AND NOT g.revoked AND g.granted & g.scopes & 2 <> 0, false)"
)
_READ_RECORD: Final = (
    f"SELECT g.*, x.*, g.person_id AS record_person FROM ({READ_RESOLUTION}) g CROSS JOIN LATERAL"
    f" yima_read_record({_ALLOWED}, g.resolution_id, g.person_id, g.hospital_id, $5) x"
)
SHOWN: Final = (
    "x.record_id, x.person_id AS record_person, x.hospital_id AS record_hospital, x.hospital_name, x.kind,"
    " x.status AS record_status, x.occurred_at, x.sampled_at, x.posted_at, x.replaces, x.superseded_by, x.size,"
    " x.sha256, x.summary"
)
_LIST_RECORDS: Final = (
    f"SELECT g.*, {SHOWN} FROM ({READ_RESOLUTION}) g LEFT JOIN LATERAL yima_list_records({_ALLOWED}, g.resolution_id,"
    " g.person_id, g.hospital_id, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) x ON true"
)


class Gate(NamedTuple):
    """A hospital's client, and the resolution under which it asks."""

    client_id: UUID
    epoch: int
    resolution_id: UUID
    scopes: int


async def read_under(gate: Gate, record_id: UUID) -> Any | None:
    """The gate's row with the record's columns (record_id NULL where none may be read); None: the client is dead."""
    return await row(_READ_RECORD, *gate, record_id)


async def list_under(
    gate: Gate, person_item: bytes | None, wanted: Wanted, after: tuple[datetime, UUID] | None, limit: int
) -> list[Any]:
    """The gate's row with each of at most limit + 1 records; one row alone, record_id NULL, where there is none."""
    return await rows(
        _LIST_RECORDS,
        *gate,
        wanted.kind,
        wanted.since or LONG_AGO,
        wanted.until or FAR,
        wanted.hospital_id,
        wanted.history,
        wanted.recognised,
        person_item,
        wanted.within,
        *(after or (FAR, LAST)),
        limit,
    )


async def person_under(gate: Gate) -> UUID | None:
    """Whom a client's resolution is of; whether it lives is decided where the work is done."""
    found = await row(
        "SELECT person_id FROM resolutions WHERE id = $1 AND client_id = $2", gate.resolution_id, gate.client_id
    )
    return found["person_id"] if found else None


def listed(vault: Vault, record: Any) -> RecordRow:
    """The record of a row of `list_under`."""
    return RecordRow(
        record["record_id"],
        record["record_person"],
        record["record_hospital"],
        record["hospital_name"],
        record["kind"],
        record["record_status"],
        record["occurred_at"],
        record["sampled_at"],
        record["posted_at"],
        record["replaces"],
        record["superseded_by"],
        record["size"],
        record["sha256"],
        open_summary(vault, record),
    )


async def kept_record(vault: Vault, record_id: UUID, *, using: Connection) -> RecordRow:
    """A record that was just kept, as lists show it."""
    found = await row(f"SELECT {SHOWN} FROM record_rows x WHERE x.record_id = $1", record_id, using=using)
    assert found is not None  # noqa: S101 - the same transaction wrote it
    return listed(vault, found)


WHOLE: Final = (
    "x.id AS record_id, x.person_id AS record_person, x.hospital_id AS record_hospital, x.kind, x.status AS record_status,"
    " x.occurred_at, x.summary, x.sealed"
)


def opened(vault: Vault, record: Any) -> tuple[Summary, bytes]:
    """Summary and posted bytes of a row as `open_summary` takes it, with sealed. Raises IntegrityBroken."""
    return open_summary(vault, record), vault.open(record["sealed"], "records", "sealed", record["record_id"])


async def raw_of(vault: Vault, record_id: UUID, *, using: Connection | None = None) -> bytes | None:
    """A record's posted bytes, for who made it; None where it was deleted."""
    found = await row("SELECT sealed FROM records WHERE id = $1", record_id, using=using)
    return vault.open(found["sealed"], "records", "sealed", record_id) if found else None
