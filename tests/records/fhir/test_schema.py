"""The table of R4's elements and codes (made by tests/records/make_bindings.py) is whole and says what R4 says."""

import json
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, Final

import pytest

from api.records.fhir.primitives import CHECKS
from api.records.fhir.schema import CONTAINED, resources, type_of

TABLE: Final[dict[str, Any]] = json.loads((files("api.records.fhir") / "r4.json").read_text())


def test_every_type_that_an_element_has_is_there() -> None:
    for name in TABLE["types"]:
        for element, entry in type_of(name).elements.items():
            known = CHECKS if entry.primitive else {**TABLE["types"], "Resource": 1, CONTAINED: 1}
            assert entry.type in known, (name, element)


def test_every_resource_is_one_of_the_librarys_too() -> None:
    for name in resources():
        assert find_spec(f"fhir.resources.R4B.{name.lower()}"), name
        assert name in TABLE["types"]


@pytest.mark.parametrize(
    ("kind", "element", "codes"),
    [
        ("Observation", "status", "registered preliminary final amended corrected cancelled entered-in-error unknown"),
        (
            "DiagnosticReport",
            "status",
            "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown",
        ),
        ("DocumentReference", "status", "current superseded entered-in-error"),
        ("ImagingStudy", "status", "registered available cancelled entered-in-error unknown"),
        ("Identifier", "use", "usual official temp secondary old"),
        ("Quantity", "comparator", "< <= >= >"),
        ("Narrative", "status", "generated extensions additional empty"),
        ("ContactPoint", "system", "phone fax email pager url sms other"),
        ("DocumentReference.relatesTo", "code", "replaces transforms signs appends"),
    ],
)
def test_required_codes_are_r4s(kind: str, element: str, codes: str) -> None:
    assert type_of(kind).elements[element].codes == frozenset(codes.split())


def test_no_set_of_codes_is_empty_and_as_many_elements_are_bound_as_in_r4() -> None:
    assert all(TABLE["sets"].values())
    bound = sum("=" in entry for elements in TABLE["types"].values() for entry in elements.values())
    assert bound > 300


def test_an_element_that_takes_its_content_from_another_has_its_type() -> None:
    assert type_of("Observation.component").elements["referenceRange"].type == "Observation.referenceRange"
    assert type_of("Questionnaire.item").elements["item"].type == "Questionnaire.item"


def test_the_elements_that_name_the_patient_are_known() -> None:
    naming = {
        (name, element) for name in TABLE["types"] for element, entry in type_of(name).elements.items() if entry.patient
    }
    assert {
        ("DiagnosticReport", "subject"),
        ("Observation", "subject"),
        ("ImagingStudy", "subject"),
        ("DocumentReference", "subject"),
        ("DocumentReference.context", "sourcePatientInfo"),
        ("Specimen", "subject"),
        ("Immunization", "patient"),
        ("Task", "for"),
        ("Coverage", "beneficiary"),
        ("ResearchSubject", "individual"),
        ("Composition", "subject"),
        ("Basic", "subject"),
    } <= naming
    assert ("Observation", "performer") not in naming
