"""A study of a PACS as a FHIR R4 ImagingStudy: equal facts make equal bytes, so that what did not change shows."""

import hashlib
import re
from typing import Any, Final
from uuid import UUID

import msgspec

from api.upstream.dicom_json import Series, Study

_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_ACCESSION: Final = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}],
}
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")  # FHIR's, which a reference holds
_HEALTH_CARD_ID: Final = re.compile(r"[0-9a-fA-F]{64}")
_encode: Final = msgspec.json.Encoder().encode


def source_key(hospital_id: UUID, study: str) -> bytes:
    """What the records of a hospital's study have in common."""
    return hashlib.sha256(b"dicomweb\0" + hospital_id.bytes + study.encode()).digest()


def imaging_study(study: Study, series: list[Series], subject: str, status: str = "available") -> bytes:
    """The resource. `subject`: the hospital's number, or health-card id; entered-in-error: it is not this person's."""
    modalities = study.modalities or sorted({one.modality for one in series if one.modality})
    resource: dict[str, Any] = {
        "resourceType": "ImagingStudy",
        "identifier": _identifiers(study),
        "status": status,
        "modality": [_modality(one) for one in modalities],
        "subject": {"reference": f"Patient/{subject}"}
        if _ID.fullmatch(subject)
        else {"identifier": {"value": subject}},
        "started": study.started,
        "numberOfSeries": study.series,
        "numberOfInstances": study.instances,
        "description": study.description,
        "series": [_series(one, modalities[0] if modalities else "OT") for one in series],
    }
    return _encode({name: value for name, value in resource.items() if value not in (None, [])})


class _Identifier(msgspec.Struct):
    value: str | None = None


class _Subject(msgspec.Struct):
    reference: str = ""
    identifier: _Identifier | None = None


class _Resource(msgspec.Struct):
    subject: _Subject | None = None


class _Entry(msgspec.Struct):
    resource: _Resource | None = None


class _Posted(_Resource):
    entry: list[_Entry] = []


def named_in(raw: bytes) -> str | None:
    """The hospital's number by which a kept ImagingStudy (or the Bundle begun by it) names its patient, if it does."""
    posted = msgspec.json.decode(raw, type=_Posted)
    study = posted.entry[0].resource if posted.entry else posted
    subject = study.subject if study else None
    if subject is None:
        return None
    if subject.reference.startswith("Patient/"):
        number = subject.reference.removeprefix("Patient/")
        return None if _HEALTH_CARD_ID.fullmatch(number) else number
    value = subject.identifier.value if subject.identifier else None
    return None if value is None or _ID.fullmatch(value) else value  # those of letters and digits may be a document's


def _identifiers(study: Study) -> list[dict[str, Any]]:
    uid = {"system": "urn:dicom:uid", "value": f"urn:oid:{study.uid}"}
    return [uid, {"type": _ACCESSION, "value": study.accession}] if study.accession else [uid]


def _modality(code: str) -> dict[str, str]:
    return {"system": _DCM, "code": code}


def _series(series: Series, otherwise: str) -> dict[str, Any]:
    told = {
        "uid": series.uid,
        "number": series.number,
        "modality": _modality(series.modality or otherwise),
        "description": series.description,
        "numberOfInstances": series.instances,
    }
    return {name: value for name, value in told.items() if value is not None}
