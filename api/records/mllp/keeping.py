"""A message kept: once, all its reports in one transaction, corrections in place of what they correct."""

import hashlib
import re
from datetime import datetime
from typing import Final, NamedTuple
from uuid import uuid4

import asyncpg
import msgspec

from api.records.fhir import Facts, KindUnsupported, Malformed, RecordInvalid, SubjectMismatch, Who, read_resource
from api.records.mllp.header import Header
from api.records.mllp.orders import SOURCE, Slot, lock, slot_of
from api.records.mllp.parsing import Message, Segment, id_numbers, normalised, patient_numbers
from api.records.mllp.refused import DATA_TYPE, DUPLICATE, INTERNAL, UNKNOWN_KEY, Place, Refused, error, reject
from api.records.mllp.reports import Report, withdrawal
from api.records.mllp.values import date_time
from models import lab_messages
from models.database import Connection, transaction
from models.records import NewRecord, Observed, Owner, Recognition, keep, owners
from models.systems import System
from models.vault import Vault

_TRIES: Final = 3
_DASHES: Final = re.compile("[-/.]")
_SEXES: Final = {"M": "male", "F": "female"}  # table 0001; others say nothing of what an identity document says
# Where in a group a part of the DiagnosticReport comes from.
_FIELDS: Final = {"effectiveDateTime": 7, "issued": 22, "status": 25, "code": 4, "identifier": 3, "specimen": 15}


class Seen(NamedTuple):
    """What the database knows before a message is read: its own time, and whether the message was kept before."""

    now: datetime
    kept: bool


class Named(NamedTuple):
    """How a message is told from others: the hash of its sender and control id, and the hash of its content."""

    key: bytes
    digest: bytes


def name(vault: Vault, system: System, header: Header, text: str) -> Named:
    """The hashes of a message. The time of sending (MSH-7) is not part of its content: a resend has another."""
    first, *rest = normalised(text)
    fields = first.lstrip().split(header.delimiters.field)
    if len(fields) > 6:
        fields[6] = ""
    content = "\r".join((header.delimiters.field.join(fields), *rest))
    sender = "\0".join((str(system.hospital_id), header.raw(3), header.raw(4), header.control_id))
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    return Named(vault.index("lab-message", sender), vault.index("lab-content", digest))


async def look(system: System, named: Named) -> Seen:
    """Whether a message was kept before. Raises Refused where its control id was another message's."""
    now, digest = await lab_messages.look(system.hospital_id, named.key)
    if digest is not None and digest != named.digest:
        raise _reused()
    return Seen(now, digest is not None)


async def owner_of(vault: Vault, system: System, message: Message) -> Owner:
    """The person whom PID-3 names at this hospital. Raises Refused."""
    pid = message.pid
    asked = patient_numbers(pid)
    known = await owners(vault, system.hospital_id, asked)
    found = [known[number] for number in asked if number in known]
    if not found:
        raise reject(UNKNOWN_KEY, "no patient of this hospital has this number", pid.place(3))
    if len(found) < len(asked):
        raise error(UNKNOWN_KEY, "one of the numbers is of no patient of this hospital", pid.place(3))
    owner = found[0]
    if any(one.person_id != owner.person_id for one in found):
        raise error(UNKNOWN_KEY, "the numbers are of different patients", pid.place(3))
    _check_person(pid, owner)
    return owner


def _check_person(pid: Segment, owner: Owner) -> None:
    """Raise Refused where PID says what is not so of the person; what cannot be read says nothing."""
    born = date_time(_DASHES.sub("", pid.components(7)[0].strip()[:10]))
    sex = _SEXES.get(pid.components(8)[0].strip().upper())
    known = owner.person.birthday
    if born and known and not known.startswith(born[:10]):
        raise error(UNKNOWN_KEY, "the patient of this number has another date of birth", pid.place(7))
    if sex and owner.person.gender and sex != owner.person.gender:
        raise error(UNKNOWN_KEY, "the patient of this number is of the other sex", pid.place(8))
    if any(one != owner.person.id_number.upper() for one in id_numbers(pid)):
        raise error(UNKNOWN_KEY, "the patient of this number has another resident ID number", pid.place(3))


def read(made: list[Report], owner: Owner, now: datetime) -> list[Facts]:
    """The facts of reports, held to the rules of posted ones. Raises Refused."""
    who = Who(owner.patient_number, owner.health_card_id, owner.person.id_number)
    return [_facts(one, who, now) for one in made]


def _facts(made: Report, who: Who, now: datetime) -> Facts:
    try:
        return read_resource(made.checked, who, now)
    except RecordInvalid as refused:
        fault = refused.faults[0]
        part = fault.pointer.split("/")[1] if "/" in fault.pointer else ""
        said = f"{fault.en} ({fault.pointer.strip('/')})" if fault.pointer else fault.en
        raise error(DATA_TYPE, said, made.obr.place(_FIELDS.get(part, 0))) from None
    except (KindUnsupported, SubjectMismatch, Malformed):
        raise error(DATA_TYPE, "no report that can be kept comes of this group", made.obr.place()) from None


async def keep_once(
    vault: Vault, system: System, named: Named, owner: Owner, made: list[Report], facts: list[Facts]
) -> bool:
    """Keep a message's reports and its hash; False where it was kept before. Raises Refused."""
    for _ in range(_TRIES):
        try:
            async with transaction() as tx:
                return await _keep(vault, system, named, owner, list(zip(made, facts, strict=True)), tx)
        except (_OvertakenError, asyncpg.UniqueViolationError):
            continue  # what was to be replaced was replaced meanwhile
    raise error(INTERNAL, "the same order is being changed by others: send again")


async def _keep(
    vault: Vault, system: System, named: Named, owner: Owner, made: list[tuple[Report, Facts]], tx: Connection
) -> bool:
    taken = await lab_messages.take(system.hospital_id, named.key, named.digest, using=tx)
    if taken != "taken":
        if taken == "other":
            raise _reused()
        return False
    await lock(vault, system.hospital_id, [one for one, _ in made], using=tx)
    for one, facts in made:
        slot = await slot_of(vault, system.hospital_id, owner.person_id, one, facts, using=tx)
        kept = await keep(vault, _record(system, owner, one, facts, slot), using=tx)
        if kept.outcome == "replaces-other-kind":
            raise error(DUPLICATE, "the same order and service was a record of another kind", one.obr.place(24))
        if kept.outcome != "kept":
            raise _OvertakenError
    return True


def _record(system: System, owner: Owner, made: Report, facts: Facts, slot: Slot) -> NewRecord:
    last = slot.last
    person_id = last.person_id if last else owner.person_id  # another's is withdrawn where it is
    return NewRecord(
        record_id=uuid4(),
        person_id=person_id,
        hospital_id=system.hospital_id,
        card_id=None,
        resolution_id=None,
        kind=facts.kind,
        status=facts.status,
        title=facts.title,
        occurred_at=facts.occurred_at,
        sampled_at=facts.sampled_at,
        raw=withdrawal(made.raw, last.health_card_id) if last and person_id != owner.person_id else made.raw,
        observed=[Observed(**msgspec.structs.asdict(one)) for one in facts.observed],
        replaces=last.record_id if last else None,
        recognition=_mark(system, made),
        source=SOURCE,
        source_key=slot.source_key,
    )


def _mark(system: System, made: Report) -> Recognition | None:
    """The hospital's mark, for those of its items whose code is the service's own or alternate one (OBR-4.1, OBR-4.4)."""
    given = system.config.get("recognition")
    if given is None:
        return None
    mark = msgspec.convert(given, Recognition)
    service = made.obr.components(4)
    items = [item for item in mark.items if item.code in (service[0], service[3])]
    return msgspec.structs.replace(mark, items=items) if items else None


class _OvertakenError(Exception):
    """Somebody else's transaction changed what this one was to change."""


def _reused() -> Refused:
    return error(DUPLICATE, "this control id was used for another message", Place("MSH", 1, 10))
