"""A posted resource, from its bytes to its facts."""

import re
from datetime import datetime
from typing import Any, Final

from api.records.fhir.facts import Facts, Fault, KindUnsupported, RecordInvalid, Who
from api.records.fhir.models import model_faults
from api.records.fhir.observations import measured_at, named, observed, results_of
from api.records.fhir.shape import Inside, Walk
from api.records.fhir.strict import parse
from api.records.fhir.subjects import People, check_people, reference_faults
from api.records.fhir.times import Times

KINDS: Final = ("DiagnosticReport", "DocumentReference", "ImagingStudy")
_DISCHARGE: Final = ("http://loinc.org", "18842-5")  # Discharge summary
_SECTIONS: Final = (None, "http://terminology.hl7.org/CodeSystem/v2-0074")
_TITLE: Final = 200
_UID: Final = re.compile(r"(?:urn:oid:)?([0-2](?:\.(?:0|[1-9][0-9]*))+)")

_NO_TYPE: Final = ("必须有 resourceType", "resourceType is required")
_NO_OBJECT: Final = ("应为一个 FHIR 资源", "must be a FHIR resource")
_NO_STATUS: Final = ("必须有 status 的值", "a value of status is required")
_NO_TIME: Final = ("必须说明发生时间", "the time it happened is required")
_NO_UID: Final = ("不是 DICOM UID", "is no DICOM UID")

# By type: where the time it happened stands, best first; the first is the one asked for when there is none.
_MOMENTS: Final = {
    "DiagnosticReport": ("effectiveDateTime", "effectivePeriod", "issued"),
    "DocumentReference": ("date",),
    "ImagingStudy": ("started",),
}
_UNTITLED: Final = {
    "laboratory": "检验报告",
    "examination": "检查报告",
    "imaging": "影像检查",
    "discharge": "出院小结",
    "note": "病历文书",
}


def read_resource(raw: bytes, who: Who, now: datetime) -> Facts:
    """The facts of a DiagnosticReport, DocumentReference or ImagingStudy, or a `collection` Bundle begun by one.

    `raw`: its JSON, at most 1 MiB; `who`: the person it must be about; `now`: the database's clock.
    Raises Malformed, KindUnsupported, RecordInvalid, SubjectMismatch. Costs about a third more than `fhir.resources`
    alone (1 MiB: a second): call it in a thread for records of some size.
    """
    tree = parse(raw)
    _check_kind(tree)
    walk = Walk()
    walk.read(tree)
    faults = walk.faults or model_faults(tree) or reference_faults(walk.referred)
    if faults:
        raise RecordInvalid(faults)
    people = People(who, walk.inside)
    check_people(people, walk.inside, walk.referred)
    return _facts(walk.inside, people, now)


def _check_kind(tree: Any) -> None:
    """Whether it is, or a collection begins with, a resource that is taken."""
    if type(tree) is not dict:
        raise RecordInvalid([Fault("", *_NO_OBJECT)])
    if "resourceType" not in tree:
        raise RecordInvalid([Fault("/resourceType", *_NO_TYPE)])
    if tree["resourceType"] == "Bundle":
        entries = tree.get("entry")
        first = entries[0] if type(entries) is list and entries else None
        tree_ = first.get("resource") if type(first) is dict else None
        if tree.get("type") != "collection" or type(tree_) is not dict or tree_.get("resourceType") not in KINDS:
            raise KindUnsupported
    elif tree["resourceType"] not in KINDS:
        raise KindUnsupported


def _facts(inside: list[Inside], people: People, now: datetime) -> Facts:
    """What the lists show of it. Raises RecordInvalid: no time, a future one, no status, a wrong study UID."""
    place = "/entry/0/resource" if inside[0].resource["resourceType"] == "Bundle" else ""
    top = next(part for part in inside if part.pointer == place)
    resource = top.resource
    times = Times(now)
    faults = [] if "status" in resource else [Fault(f"{top.pointer}/status", *_NO_STATUS)]
    sampled = _sampled_at(inside, times)
    occurred = _occurred_at(top, times)
    times.first(resource, top.pointer, "issued", "date")
    study = _study(top, faults)
    kind = _kind(resource)
    occurred = occurred or sampled
    results = results_of(top, inside, people)
    sampled = sampled or measured_at(results, times)
    values = observed(results, times, occurred or now)
    if occurred is None and not times.faults:
        occurred = min((value.at for value in values if value.at != now), default=None)
        if occurred is None:
            faults.append(Fault(f"{top.pointer}/{_MOMENTS[resource['resourceType']][0]}", *_NO_TIME))
    if faults or times.faults or occurred is None:
        raise RecordInvalid(list(dict.fromkeys(faults + times.faults)))
    return Facts(kind, _title(resource, kind), resource["status"], occurred, sampled or occurred, values, study)


def _occurred_at(top: Inside, times: Times) -> datetime | None:
    resource = top.resource
    found = None
    if resource["resourceType"] == "DocumentReference":
        found = times.first(resource.get("context", {}), f"{top.pointer}/context", "period")
    found = found or times.first(resource, top.pointer, *_MOMENTS[resource["resourceType"]])
    if found is None and resource["resourceType"] == "ImagingStudy":
        series = enumerate(resource.get("series", ()))
        begun = [times.first(one, f"{top.pointer}/series/{index}", "started") for index, one in series]
        found = min((at for at in begun if at), default=None)
    return found


def _sampled_at(inside: list[Inside], times: Times) -> datetime | None:
    """When a sample was taken; of several the first, for a result is as old as its oldest sample."""
    taken = []
    for part in inside:
        if part.resource["resourceType"] == "Specimen" and "collection" in part.resource:
            place = f"{part.pointer}/collection"
            taken.append(times.first(part.resource["collection"], place, "collectedDateTime", "collectedPeriod"))
    return min((at for at in taken if at), default=None)


def _codings(concepts: Any) -> list[tuple[str | None, str | None]]:
    return [(c.get("system"), c.get("code")) for concept in concepts for c in concept.get("coding", ())]


def _kind(resource: dict[str, Any]) -> str:
    if resource["resourceType"] == "ImagingStudy":
        return "imaging"
    if resource["resourceType"] == "DocumentReference":
        return "discharge" if _DISCHARGE in _codings([resource.get("type", {})]) else "note"
    categories = resource.get("category", [])
    of_laboratory = any(code == "LAB" and system in _SECTIONS for system, code in _codings(categories))
    return "laboratory" if of_laboratory or (not categories and "result" in resource) else "examination"


def _title(resource: dict[str, Any], kind: str) -> str:
    """What a person would call it, on one line of at most 200 characters."""
    concepts = [resource.get("code"), resource.get("type"), *resource.get("procedureCode", ())]
    words = [resource.get("description")] if kind == "imaging" else []
    words += [named(concept)[1] for concept in concepts]
    words += [content["attachment"].get("title") for content in resource.get("content", ())]
    words += [resource.get("description"), *(code for _, code in _codings(c for c in concepts if c))]
    words += [coding.get("display") or coding.get("code") for coding in resource.get("modality", ())]
    lines = ("".join(c for c in " ".join(word.split()) if c.isprintable()) for word in words if word)
    return next((line for line in lines if line), _UNTITLED[kind])[:_TITLE]


def _study(top: Inside, faults: list[Fault]) -> str | None:
    """The StudyInstanceUID of an ImagingStudy (identifier of system urn:dicom:uid)."""
    if top.resource["resourceType"] != "ImagingStudy":
        return None
    for index, identifier in enumerate(top.resource.get("identifier", ())):
        if identifier.get("system") == "urn:dicom:uid" and "value" in identifier:
            uid = _UID.fullmatch(identifier["value"])
            if uid and len(uid[1]) <= 64:
                return uid[1]
            faults.append(Fault(f"{top.pointer}/identifier/{index}/value", *_NO_UID))
    return None
