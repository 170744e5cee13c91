"""An OBR group as a FHIR R4 DiagnosticReport with what belongs to it contained."""

import re
from collections import Counter
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from api.records.mllp.observations import (
    DELETED,
    STATUSES,
    WRONG,
    attachment,
    is_attachment,
    observation,
    status_of,
)
from api.records.mllp.parsing import Group, Message, Segment
from api.records.mllp.refused import DUPLICATE, INTERNAL, MISSING, TABLE, error, reject
from api.records.mllp.values import concept, date_time, moment
from api.records.types import RECORD_MOST

_SECTIONS: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
_IDENTIFIERS: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
# Table 0074: what no laboratory does; all else is category LAB.
_NO_LABORATORY: Final = frozenset(
    ("CT", "CTH", "CUS", "EC", "EN", "NMR", "NMS", "OUS", "PF", "PHY", "RAD", "RUS", "RX", "VUS", "XRC")
)
# Table 0123, as HL7's v2-to-FHIR guide maps it.
_STATUSES: Final = {
    **dict.fromkeys("OISN", "registered"),
    **dict.fromkeys("AR", "partial"),
    **dict.fromkeys("PM", "preliminary"),
    "C": "corrected",
    "F": "final",
    "X": "cancelled",
}
_NO_RESULT: Final = ("entered-in-error", "cancelled")
_OF_ORDER: Final = ("resourceType", "meta", "identifier", "status", "category", "code", "effectiveDateTime")
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")


class Report(NamedTuple):
    """A report to keep: its bytes, and what a later one for the same order and service corrects (`orders`: by the
    filler's number, and by the placer's; where it has them).

    `codes`: of its results, deleted ones too.
    `checked`: what is read to check it, the bytes themselves or, where documents make them too many, all but the
    documents' data. `sent`: when the message was written (MSH-7), kept as meta.lastUpdated; None: it does not say.
    """

    raw: bytes
    checked: bytes
    orders: tuple[str, ...]
    codes: frozenset[str]
    obr: Segment
    sent: datetime | None


class Sender(NamedTuple):
    """What a message's reports are made with: the patient's number, the hospital, the charset, and MSH-7."""

    number: str
    hospital_code: str
    charset: str
    sent: str


def reports(message: Message, sender: Sender) -> list[Report]:
    """The reports of a message about the patient of this number. Raises Refused."""
    made = [_report(group, sender) for group in message.groups]
    first = Counter(one.orders[0] for one in made if one.orders)
    seen: set[str] = set()
    for one in made:
        # The placer's number may be of several fillers' orders, but not of one that has no filler, too.
        if seen.intersection(one.orders[:1]) or any(order in first for order in one.orders[1:]):
            raise error(DUPLICATE, "the same order and service twice in one message", one.obr.place(3))
        seen.update(one.orders[:1])
    return made


class Earlier(NamedTuple):
    """What a kept report's own bytes say: when its message was written, and the codes of its results."""

    sent: datetime | None
    codes: frozenset[str]


def earlier(raw: bytes) -> Earlier:
    """What is to be known of a kept report before another takes its place."""
    kept = msgspec.json.decode(raw, type=_Kept)
    sent = kept.meta.get("lastUpdated")
    results = [one for one in kept.contained if one.kind == "Observation" and one.status not in _NO_RESULT]
    return Earlier(datetime.fromisoformat(sent) if sent else None, frozenset(_key(one.code) for one in results))


def withdrawal(raw: bytes, health_card_id: str) -> bytes:
    """A withdrawn report as it is kept with another person than the message names: what it is of, and no more."""
    said = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    kept = {name: said[name] for name in _OF_ORDER if name in said}
    return msgspec.json.encode({**kept, "subject": subject_of(health_card_id)})


class _Part(msgspec.Struct):
    kind: str = msgspec.field(name="resourceType")
    status: str = ""
    code: dict[str, Any] = msgspec.field(default_factory=dict)


class _Kept(msgspec.Struct):
    meta: dict[str, str] = msgspec.field(default_factory=dict)
    contained: list[_Part] = msgspec.field(default_factory=list)


def _report(group: Group, sender: Sender) -> Report:
    obr = group.obr
    code = concept(obr.components(4), sender.hospital_code, local=True)
    if code is None:
        raise error(MISSING, "the service's code is missing", obr.place(4))
    given = _given_status(obr)
    statuses = [status_of(one.obx, "P" if given == "preliminary" else "F") for one in group.results]
    specimens = _specimens(group, sender.hospital_code)
    observations, documents = _results(group, statuses, sender)
    written = date_time(sender.sent) or ""
    sent = written if "T" in written else None
    report = {
        "resourceType": "DiagnosticReport",
        **({"meta": {"lastUpdated": sent}} if sent else {}),
        **({"contained": [*specimens, *observations]} if specimens or observations else {}),
        **_identifiers(group),
        "status": _status(given, statuses),
        "category": [{"coding": [{"system": _SECTIONS, "code": _section(obr)}]}],
        "code": code,
        "subject": subject_of(sender.number),
        "effectiveDateTime": _effective(group),
        **_issued(obr),
        **({"specimen": [_reference(one) for one in specimens]} if specimens else {}),
        **({"result": [_reference(one) for one in observations]} if observations else {}),
        **({"conclusion": "\n".join(group.notes)} if group.notes else {}),
        **({"presentedForm": documents} if documents else {}),
    }
    raw = checked = msgspec.json.encode(report)
    if len(raw) > RECORD_MOST and documents:
        bare = [{name: one for name, one in document.items() if name != "data"} for document in documents]
        checked = msgspec.json.encode({**report, "presentedForm": bare})
    if len(checked) > RECORD_MOST:
        raise reject(INTERNAL, "a report of over 1 MiB without its documents is not kept", obr.place())
    at = datetime.fromisoformat(sent) if sent else None
    return Report(raw, checked, _orders(group, code), _codes(group, sender.hospital_code), obr, at)


def _results(group: Group, statuses: list[str], sender: Sender) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The Observations of a group and the documents among its results, without what was deleted."""
    observations: list[dict[str, Any]] = []
    documents: list[dict[str, Any]] = []
    for result, status in zip(group.results, statuses, strict=True):
        if status == DELETED or (status == WRONG and is_attachment(result.obx)):
            continue
        found = observation(result, status, sender.hospital_code)
        if is_attachment(result.obx):
            documents.append(attachment(result.obx, sender.charset, found["code"]["text"]))
        else:
            observations.append({"resourceType": "Observation", "id": f"result-{len(observations) + 1}", **found})
    return observations, documents


def subject_of(number: str) -> dict[str, Any]:
    """The patient, as the hospital numbers them."""
    if _ID.fullmatch(number):
        return {"reference": f"Patient/{number}"}
    return {"identifier": {"value": number}}


def _given_status(obr: Segment) -> str | None:
    code = obr.components(25)[0].strip().upper()
    if code and code not in _STATUSES:
        raise error(TABLE, "this result status is not of table 0123, or has nothing to keep", obr.place(25))
    return _STATUSES.get(code)


def _status(given: str | None, results: list[str]) -> str:
    """The report's status: what OBR-25 says, unless its results say that something was wrong."""
    if results and all(one in (DELETED, WRONG) for one in results):
        return "entered-in-error"
    if given in (None, "final") and any(one in ("C", DELETED, WRONG) for one in results):
        return "corrected"
    found = {STATUSES[one] for one in results if one != DELETED}
    return given or next(
        (one for one in ("preliminary", "registered") if one in found), "final" if found else "registered"
    )


def _section(obr: Segment) -> str:
    code = obr.components(24)[0].strip().upper()
    return code if code in _NO_LABORATORY else "LAB"


def _effective(group: Group) -> str:
    """OBR-7, else the time of collection, of receipt, of a result, of the report."""
    obr = group.obr
    tried = [(obr, 7), *((spm, 17) for spm in group.specimens), (obr, 14)]
    for segment, n in [*tried, *((one.obx, 14) for one in group.results), (obr, 22)]:
        if at := moment(segment, n):
            return at
    raise error(MISSING, "the time of the observation is missing", obr.place(7))


def _issued(obr: Segment) -> dict[str, str]:
    """OBR-22, where it is an instant: a day alone is none."""
    at = moment(obr, 22)
    return {"issued": at} if at and "T" in at else {}


def _reference(contained: dict[str, Any]) -> dict[str, str]:
    return {"reference": f"#{contained['id']}"}


def _specimens(group: Group, hospital_code: str) -> list[dict[str, Any]]:
    """SPM segments, or what OBR-15 says where there is none."""
    found = [_specimen(spm, hospital_code) for spm in group.specimens]
    if not found and group.obr.raw(15):
        parts = group.obr.subcomponents(15)
        kind = concept(parts, hospital_code, local=True)
        at = moment(group.obr, 7)
        found = [{**({"type": kind} if kind else {}), **({"collection": {"collectedDateTime": at}} if at else {})}]
    return [{"resourceType": "Specimen", "id": f"specimen-{n}", **one} for n, one in enumerate(found, start=1) if one]


def _specimen(spm: Segment, hospital_code: str) -> dict[str, Any]:
    kind = concept(spm.components(4), hospital_code, local=True)
    collected = moment(spm, 17)
    received = moment(spm, 18)
    return {
        **({"type": kind} if kind else {}),
        **({"receivedTime": received} if received else {}),
        **({"collection": {"collectedDateTime": collected}} if collected else {}),
    }


def _identifiers(group: Group) -> dict[str, Any]:
    """The orders' numbers: the placer's and the filler's."""
    found = []
    for kind, number in (("PLAC", _number(group, 2)), ("FILL", _number(group, 3))):
        if number:
            found.append({"type": {"coding": [{"system": _IDENTIFIERS, "code": kind}]}, "value": number[0]})
    return {"identifier": found} if found else {}


def _number(group: Group, n: int) -> list[str] | None:
    """An order number of OBR (2: the placer's, 3: the filler's) or of its ORC, with who assigned it."""
    for segment in (group.obr, group.orc):
        parts = [one.strip() for one in segment.components(n)[:4]] if segment else []
        if parts and parts[0]:
            return parts
    return None


def _orders(group: Group, code: dict[str, Any]) -> tuple[str, ...]:
    """What a later report corrects: the filler's order number, and the placer's, each with the service."""
    numbers = [(n, number) for n in (3, 2) if (number := _number(group, n))]
    return tuple("&".join([str(n), *(quote(one, safe="") for one in number), _key(code)]) for n, number in numbers)


def _codes(group: Group, hospital_code: str) -> frozenset[str]:
    found = [concept(one.obx.components(3), hospital_code, local=True) for one in group.results]
    return frozenset(_key(code) for code in found if code)


def _key(code: dict[str, Any]) -> str:
    """A CodeableConcept by its first coding, else its text."""
    coding = code["coding"][0] if "coding" in code else {"code": code["text"]}
    return "&".join(quote(one, safe="") for one in (coding.get("system", ""), coding["code"]))
