"""An OBX as a FHIR R4 Observation. Statuses as HL7's v2-to-FHIR guide maps tables 0085 and 0078."""

import base64
import binascii
import re
from typing import Any, Final

from api.records.mllp.charset import CODECS
from api.records.mllp.parsing import Result, Segment
from api.records.mllp.refused import DATA_TYPE, MISSING, TABLE, error
from api.records.mllp.values import (
    ABSENT,
    clock_time,
    code_text,
    concept,
    date_time,
    moment,
    quantity,
    reference_range,
    unit_of,
)

DELETED: Final = "D"
WRONG: Final = "W"
STATUSES: Final = {
    "A": "amended",
    "B": "amended",
    "C": "corrected",
    "F": "final",
    "I": "registered",
    "N": "cancelled",
    "O": "registered",
    "P": "preliminary",
    "R": "preliminary",
    "S": "preliminary",
    "V": "final",
    WRONG: "entered-in-error",
    "X": "cancelled",
}
_NO_VALUE: Final = {WRONG: "error", "X": "not-performed", "N": "not-asked"}
_FLAGS_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_FLAGS: Final = frozenset(
    (
        *(
            "<",
            ">",
            "A",
            "AA",
            "B",
            "CAR",
            "D",
            "DET",
            "E",
            "EX",
            "EXP",
            "H",
            "HH",
            "HU",
            "I",
            "IE",
            "IND",
            "L",
            "LL",
            "LU",
        ),
        *("N", "NCL", "ND", "NEG", "NR", "NS", "POS", "R", "RR", "S", "SDD", "SYN-R", "SYN-S", "U", "UNE", "W", "WR"),
    )
)
_ARROWS: Final = {"↑": "H", "↓": "L", "↑↑": "HH", "↓↓": "LL"}
_TEXTS: Final = frozenset(("ST", "TX", "FT", "RP", ""))  # of an RP the text alone: what it points at is never fetched
_MIME: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
_MIME_TYPES: Final = frozenset(("application", "audio", "image", "text", "video"))
_MIME_NAMES: Final = {"pdf": "application/pdf", "jpeg": "image/jpeg", "jpg": "image/jpeg", "png": "image/png"}


def status_of(obx: Segment, otherwise: str) -> str:
    """OBX-11, or `otherwise` where it is empty. Raises Refused for a code that is not of table 0085."""
    status = obx.components(11)[0].strip().upper() or otherwise
    if status == "U":
        raise error(
            TABLE, "a change to final without the results is not supported: send the results again", obx.place(11)
        )
    if status not in STATUSES and status != DELETED:
        raise error(TABLE, "this result status is not of table 0085", obx.place(11))
    return status


def observation(result: Result, status: str, hospital_code: str) -> dict[str, Any]:
    """The Observation of a result, without its id. Raises Refused."""
    obx = result.obx
    code = concept(obx.components(3), hospital_code, local=True)
    if code is None:
        raise error(MISSING, "the observation's code is missing", obx.place(3))
    unit = unit_of(obx)
    found: dict[str, Any] = {"resourceType": "Observation", "status": STATUSES[status], "code": code}
    if at := moment(obx, 14):
        found["effectiveDateTime"] = at
    value = {} if status == WRONG else _value(obx, unit, hospital_code)
    if value:
        found |= value
    elif status in _NO_VALUE:
        found["dataAbsentReason"] = {"coding": [{"system": ABSENT, "code": _NO_VALUE[status]}]}
    if status != WRONG and (flags := _flags(obx)):
        found["interpretation"] = flags
    if result.notes:
        found["note"] = [{"text": note} for note in result.notes]
    if status != WRONG and (reference := reference_range(obx, unit)):
        found["referenceRange"] = reference
    return found


def _value(obx: Segment, unit: dict[str, str], hospital_code: str) -> dict[str, Any]:
    """value[x] of OBX-5 by OBX-2. What is not what its type says is kept as text, as it was sent."""
    text = obx.text(5)
    if not text:
        return {}
    kind = obx.components(2)[0].strip().upper()
    found = None if len(obx.repetitions(5)) > 1 or kind in _TEXTS else _typed(kind, obx, unit, hospital_code)
    return found or {"valueString": text}


def _typed(kind: str, obx: Segment, unit: dict[str, str], hospital_code: str) -> dict[str, Any] | None:
    first = obx.components(5)
    if kind == "NM":
        number = quantity(obx.text(5), unit)
        return {"valueQuantity": number} if number else None
    if kind == "SN":
        return _structured(first, unit)
    if kind in ("CE", "CWE", "CNE", "CF"):
        coded = concept(first, hospital_code, local=False)
        return {"valueCodeableConcept": coded} if coded else None
    if kind in ("DT", "TS", "DTM"):
        at = date_time(first[0].strip())
        return {"valueDateTime": at} if at else None
    if kind == "TM":
        clock = clock_time(first[0].strip())
        return {"valueTime": clock} if clock else None
    return None


def _structured(parts: list[str], unit: dict[str, str]) -> dict[str, Any] | None:
    """SN: comparator, number, separator, number."""
    comparator, first, separator, second = (one.strip() for one in parts[:4])
    if not separator and not second:
        number = quantity(comparator + first, unit)
        return {"valueQuantity": number} if number else None
    low, high = quantity(first, unit), quantity(second, unit)
    if comparator or low is None or high is None or "comparator" in low or "comparator" in high:
        return None
    if separator == "-" and float(bytes(low["value"])) <= float(bytes(high["value"])):
        return {"valueRange": {"low": low, "high": high}}
    if separator in (":", "/"):
        return {"valueRatio": {"numerator": low, "denominator": high}}
    return None


def _flags(obx: Segment) -> list[dict[str, Any]]:
    """OBX-8: each flag by its code of v3 ObservationInterpretation, or as text."""
    found: list[dict[str, Any]] = []
    for one in obx.repetitions(8):
        said = one[0].strip() or (one[1].strip() if len(one) > 1 else "")
        code = _ARROWS.get(said, code_text(said).upper())
        if code in _FLAGS:
            found.append(
                {"coding": [{"system": _FLAGS_SYSTEM, "code": code}], **({"text": said} if said != code else {})}
            )
        elif said:
            found.append({"text": said})
    return found


def is_attachment(obx: Segment) -> bool:
    """Whether an OBX holds a document (ED), which FHIR keeps with the report."""
    return obx.components(2)[0].strip().upper() == "ED" and bool(obx.raw(5))


def attachment(obx: Segment, charset: str, title: str) -> dict[str, Any]:
    """The Attachment of an ED: source ^ type ^ subtype ^ encoding ^ data. Raises Refused where its data cannot be read."""
    _, kind, subtype, encoding, data = (one.strip() for one in obx.components(5)[:5])
    try:
        if encoding.lower() == "base64":
            content = base64.b64decode("".join(data.split()), validate=True)
        elif encoding.lower() == "hex":
            content = bytes.fromhex(data)
        elif encoding.upper() in ("A", ""):
            content = data.encode(CODECS[charset])
        else:
            raise error(TABLE, "this encoding is not of table 0299", obx.place(5))
    except (binascii.Error, ValueError):
        raise error(DATA_TYPE, "the data is not of its encoding", obx.place(5)) from None
    if not content:
        raise error(DATA_TYPE, "the document is empty", obx.place(5))
    mime = _content_type(kind.lower(), subtype.lower())
    return {"contentType": mime, "data": base64.b64encode(content).decode(), **({"title": title} if title else {})}


def _content_type(kind: str, subtype: str) -> str:
    if kind in _MIME_TYPES and _MIME.fullmatch(subtype) and subtype != "octet-stream":
        return f"{kind}/{subtype}"
    return _MIME_NAMES.get(subtype) or _MIME_NAMES.get(kind) or "application/octet-stream"
