"""HL7 v2 data types as FHIR R4 ones. Numbers keep their digits: they go into the JSON as they were sent."""

import re
from datetime import datetime, time
from typing import Any, Final
from urllib.parse import quote

import msgspec

from api.records.mllp.parsing import Segment
from api.records.mllp.refused import DATA_TYPE, error

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_SYSTEMS: Final = {
    **dict.fromkeys(("LN", "LOINC"), LOINC),
    **dict.fromkeys(("SCT", "SNM"), "http://snomed.info/sct"),
    **dict.fromkeys(("UCUM", "ISO+"), UCUM),
    "I10": "http://hl7.org/fhir/sid/icd-10",
}
_OID: Final = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
_TIME: Final = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(\.\d{1,4})?)?)?([+-]\d{4})?)?)?)?", re.ASCII
)
_ZONE: Final = "+08:00"  # Asia/Shanghai, where the sender gives none
_NUMBER: Final = r"[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,2})?"
_COMPARED: Final = re.compile(rf"(<=|>=|<|>|≤|≥|＜|＞|=|)\s*({_NUMBER})", re.ASCII)
_COMPARATORS: Final = {"≤": "<=", "≥": ">=", "＜": "<", "＞": ">", "=": ""}
_RANGE: Final = re.compile(rf"({_NUMBER})\s*(?:-{{1,2}}|~|～|—{{1,2}}|–|－|至)\s*({_NUMBER})", re.ASCII)
_POWER: Final = re.compile(r"[×xX*]?10\^\d{1,2}(?:/.*)?")  # 10^9/L, whose ^ is not meant as a delimiter


def moment(segment: Segment, n: int, text: str | None = None) -> str | None:
    """A DTM as a FHIR dateTime, as precise as it was sent; None where the field is empty. Raises Refused."""
    given = (segment.components(n)[0] if text is None else text).strip()
    if not given:
        return None
    found = date_time(given)
    if found is None:
        raise error(DATA_TYPE, "this is no time (YYYY[MM[DD[HHMM[SS[.SSSS]]]]][+/-ZZZZ])", segment.place(n))
    return found


def date_time(text: str) -> str | None:
    """A DTM as a FHIR dateTime, Shanghai's where it has no zone; None: it is none."""
    found = _TIME.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    date = "-".join(one for one in (year, month, day) if one)
    if hour is None:
        whole, shown = f"{date}-01-01"[:10] if month is None else f"{date}-01"[:10], date
    else:
        offset = f"{zone[:3]}:{zone[3:]}" if zone else _ZONE
        whole = shown = f"{date}T{hour}:{minute or '00'}:{second or '00'}{fraction or ''}{offset}"
    try:
        at = datetime.fromisoformat(whole)
    except ValueError:
        return None
    return shown if at.year > 1000 else None


def clock_time(text: str) -> str | None:
    """A TM as a FHIR time; None: it is none."""
    found = re.fullmatch(r"(\d\d)(\d\d)(?:(\d\d)(?:\.\d{1,4})?)?", text, re.ASCII)
    if not found:
        return None
    try:
        return time(int(found[1]), int(found[2]), int(found[3] or 0)).isoformat()
    except ValueError:
        return None


def decimal(text: str) -> msgspec.Raw | None:
    """A number as FHIR's JSON writes it, digit by digit: "+06.30" is 6.30; None: it is none."""
    if not re.fullmatch(_NUMBER, text, re.ASCII):
        return None
    body, exponent = [*re.split("[eE]", text), ""][:2]
    sign = "-" if body.startswith("-") else ""
    whole, _, fraction = body.lstrip("+-").partition(".")
    shown = (
        sign + (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "") + (f"e{exponent}" if exponent else "")
    )
    return msgspec.Raw(shown.encode())


def quantity(text: str, unit: dict[str, str]) -> dict[str, Any] | None:
    """A number, perhaps with a comparator ("<0.5"), in a unit; None: it is none."""
    found = _COMPARED.fullmatch(text)
    number = decimal(found[2]) if found else None
    if found is None or number is None:
        return None
    comparator = _COMPARATORS.get(found[1], found[1])
    return {"value": number, **({"comparator": comparator} if comparator else {}), **unit}


def unit_of(obx: Segment) -> dict[str, str]:
    """OBX-6: `unit`, and code and system where it names UCUM."""
    raw = obx.line(6)
    if _POWER.fullmatch(raw):
        return {"unit": raw}
    code, said, system = (one.strip() for one in obx.components(6)[:3])
    shown = said or code
    if not shown:
        return {}
    if system.upper() == "UCUM" and code:
        return {"unit": shown, "system": UCUM, "code": code_text(code)}
    return {"unit": shown}


def reference_range(obx: Segment, unit: dict[str, str]) -> list[dict[str, Any]]:
    """OBX-7: its text, with the bounds where it has them ("3.5-9.5", "<5", "≥10")."""
    text = obx.line(7)
    if not text:
        return []
    found: dict[str, Any] = {}
    if both := _RANGE.fullmatch(text):
        low, high = decimal(both[1]), decimal(both[2])
        if low is not None and high is not None and float(bytes(low)) <= float(bytes(high)):
            found = {"low": {"value": low, **unit}, "high": {"value": high, **unit}}
    elif one := quantity(text, unit):
        comparator = one.pop("comparator", "")
        found = {"high" if comparator.startswith("<") else "low": one} if comparator else {}
    return [{**found, "text": text}]


def concept(components: list[str], hospital_code: str, *, local: bool) -> dict[str, Any] | None:
    """A CE or CWE as a CodeableConcept; None where it is empty.

    A code without a system, or of a system that has no address, is of the hospital's own; without `local` a code
    without a system is no more than a text.
    """
    parts = [*(one.strip() for one in components), *[""] * 9]
    codings = []
    for code, display, system in (parts[0:3], parts[3:6]):
        if code and (system or local or display):
            found = {"code": code_text(code), **({"display": display} if display else {})}
            codings.append({"system": system_of(system, hospital_code), **found} if system or local else found)
        local = False  # an alternative without a system says nothing
    text = next((one for one in (parts[1], parts[8], parts[4], parts[0]) if one), "")
    if not text:
        return None
    return {**({"coding": codings} if codings else {}), "text": text}


def system_of(name: str, hospital_code: str) -> str:
    """The address of a coding system: of one that HL7 table 0396 names, of an OID, or of the hospital's own."""
    if name.upper() in _SYSTEMS:
        return _SYSTEMS[name.upper()]
    if _OID.fullmatch(name):
        return f"urn:oid:{name}"
    own = f"urn:yima:{quote(hospital_code, safe='')}"
    return f"{own}:{quote(name, safe='')}" if name else own


def code_text(text: str) -> str:
    """A text as FHIR's code: no space but single ones inside."""
    return " ".join(text.split())
