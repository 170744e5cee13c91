"""The official examples (HL7, package hl7.fhir.r4.examples 4.0.1, CC0) of the types that are taken, and means to bend them.

`tests/records/examples` has the 9 files of these types and the 9 `collection` Bundles that begin with a report.
"""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from api.records.fhir import Facts, RecordInvalid, SubjectMismatch, Who, read_resource

FOLDER: Final = Path(__file__).parents[1] / "examples"
FILES: Final = sorted(file.name for file in FOLDER.glob("*.json"))
NOW: Final = datetime(2026, 11, 29, 4, 0, tzinfo=UTC)  # noon in Shanghai
ME: Final = Who("P0001", "8d8a3bf8-6d3f-4a2f-9a53-3f3a9f5f8a10", "110101199003070097")
SOMEBODY_ELSE: Final = "110101199003070011"

JSON = dict[str, Any]


def tree_of(name: str) -> JSON:
    """An example's content."""
    tree: JSON = json.loads((FOLDER / name).read_text())
    return tree


def top_of(tree: JSON) -> tuple[JSON, str]:
    """The report itself and its pointer, also of a Bundle."""
    return (tree["entry"][0]["resource"], "/entry/0/resource") if tree["resourceType"] == "Bundle" else (tree, "")


def patient_of(tree: JSON) -> Who:
    """The person an example is about: "Patient/f201" has the number f201; one names nobody."""
    reference = top_of(tree)[0]["subject"].get("reference", "Patient/none")
    return ME._replace(patient_number=reference.removeprefix("Patient/"))


def report(**changes: Any) -> JSON:
    """A small laboratory report with one result and its sample, changed; None takes an element away."""
    made: JSON = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "LAB"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "58410-2"}], "text": "血常规"},
        "effectiveDateTime": "2026-11-20T09:00:00+08:00",
        "contained": [wbc(), {"resourceType": "Specimen", "id": "blood"}],
        "specimen": [{"reference": "#blood"}],
        "result": [{"reference": "#wbc"}],
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


def wbc(**changes: Any) -> JSON:
    """A contained Observation of white blood cells."""
    made: JSON = {
        "resourceType": "Observation",
        "id": "wbc",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "6690-2"}], "text": "白细胞"},
        "effectiveDateTime": "2026-11-20T09:00:00+08:00",
        "valueQuantity": {"value": 6, "unit": "10^9/L"},
        "referenceRange": [{"low": {"value": 3}, "high": {"value": 9}}],
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


def read(resource: JSON | bytes | str, who: Who = ME, now: datetime = NOW) -> Facts:
    """Reads a resource given as a tree, text or bytes."""
    if isinstance(resource, dict):
        resource = json.dumps(resource)
    return read_resource(resource.encode() if isinstance(resource, str) else resource, who, now)


def refused_at(resource: JSON | bytes | str, who: Who = ME) -> list[str]:
    """The pointers with which a resource is refused: as invalid, or as about somebody else."""
    try:
        read(resource, who)
    except RecordInvalid as error:
        return [fault.pointer for fault in error.faults]
    except SubjectMismatch as error:
        return ["mismatch " + error.pointer]
    return []


def changed(tree: JSON, pointer: str, value: Any) -> JSON:
    """A copy with the value at a pointer replaced, added, or (Ellipsis) taken away; "-" appends to a list."""
    made = copy.deepcopy(tree)
    *way, last = pointer.split("/")[1:]
    place: Any = made
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    if value is ...:
        del place[int(last) if isinstance(place, list) else last]
    elif isinstance(place, list):
        place[len(place) if last == "-" else int(last) : None if last == "-" else int(last) + 1] = [value]
    else:
        place[last] = value
    return made
