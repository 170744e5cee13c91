"""Whose a record is: every subject in it, contained and bundled ones too, is absent or this person."""

from typing import Any, Final

import pytest

from tests.records.fhir.examples import JSON, ME, SOMEBODY_ELSE, read, refused_at, report, wbc

SPECIMEN: Final = {"resourceType": "Specimen", "id": "blood"}
MINE: Final = {"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:local", "value": "P0001"}]}


def bundle(*parts: JSON, **first: Any) -> JSON:
    """A collection that begins with a report."""
    entries: list[JSON] = [{"resource": report(**first)}]
    for part in parts:
        entries.append(part if "resource" in part else {"resource": part})
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.mark.parametrize(
    "subject",
    [
        None,
        {"display": "张三"},
        {"reference": "Patient/P0001"},
        {"reference": "Patient/8d8a3bf8-6d3f-4a2f-9a53-3f3a9f5f8a10"},
        {"reference": "Patient/P0001", "type": "Patient", "display": "张三"},
        {"identifier": {"value": "P0001"}},
        {"identifier": {"value": "110101199003070097", "system": "urn:oid:2.16.156.10011.1.3"}},
        {"identifier": {"value": "8d8a3bf8-6d3f-4a2f-9a53-3f3a9f5f8a10"}, "reference": "Patient/P0001"},
    ],
)
def test_this_person_or_nobody_is_the_subject(subject: JSON | None) -> None:
    read(report(subject=subject))


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/P0002"},
        {"reference": "Patient/p0001"},
        {"reference": "Patient/P0001/_history/1"},
        {"reference": "patient/P0001"},
        {"reference": "Patient/"},
        {"reference": "Patient"},
        {"reference": "P0001"},
        {"reference": "Patient?identifier=P0001"},
        {"reference": "https://a.example/Patient/P0001"},
        {"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"},
        {"reference": "Group/P0001"},
        {"reference": "Device/P0001"},
        {"reference": "Location/P0001"},
        {"reference": "#blood"},
        {"reference": "#"},
        {"display": "质控品", "type": "Device"},
        {"identifier": {"value": SOMEBODY_ELSE}},
        {"identifier": {"system": "urn:local"}},
        {"identifier": {"value": "P0001"}, "type": "Group"},
        {"identifier": {"value": SOMEBODY_ELSE}, "reference": "Patient/P0001"},
        {"identifier": {"value": "P0001"}, "reference": "Patient/P0002"},
    ],
)
def test_anybody_and_anything_else_is_a_mismatch(subject: JSON) -> None:
    assert refused_at(report(subject=subject)) == ["mismatch /subject"]
    in_part = wbc(subject=subject)
    assert refused_at(report(contained=[in_part, SPECIMEN])) == ["mismatch /contained/0/subject"]
    if "#" not in subject.get("reference", ""):
        at = "mismatch /entry/1/resource/subject"
        assert refused_at(bundle(in_part)) == [at]


def test_a_person_without_a_number_at_this_hospital_is_known_by_the_card_and_the_id_number() -> None:
    who = ME._replace(patient_number=None)
    assert refused_at(report(subject={"identifier": {"value": ME.id_number}}), who) == []
    assert refused_at(report(subject={"reference": f"Patient/{ME.health_card_id}"}), who) == []
    for reference in ("Patient/P0001", "Patient/", "Patient/None"):
        assert refused_at(report(subject={"reference": reference}), who) == ["mismatch /subject"]


def test_a_resident_id_number_is_the_same_with_a_small_x() -> None:
    who = ME._replace(id_number="11010519491231002X")
    assert refused_at(report(subject={"identifier": {"value": "11010519491231002x"}}), who) == []


@pytest.mark.parametrize(
    "patient",
    [
        {"id": "p", "identifier": [{"value": "P0001"}]},
        {"id": "p", "identifier": [{"value": "other"}, {"value": "110101199003070097"}]},
        {"id": "p", "identifier": [{"value": "8d8a3bf8-6d3f-4a2f-9a53-3f3a9f5f8a10"}], "name": [{"text": "张三"}]},
    ],
)
def test_a_patient_inside_with_this_persons_identifier_may_be_the_subject(patient: JSON) -> None:
    inside = {"resourceType": "Patient", **patient}
    read(report(contained=[wbc(subject={"reference": "#p"}), SPECIMEN, inside], subject={"reference": "#p"}))
    uuid = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    read(bundle({"fullUrl": uuid, "resource": inside}, subject={"reference": uuid}))
    read(bundle(inside, subject={"reference": "Patient/p"}))
    read(bundle({"fullUrl": "https://a.example/Patient/9", "resource": inside}, subject={"reference": "Patient/9"}))


@pytest.mark.parametrize(
    "patient",
    [
        {"id": "p"},
        {"id": "p", "name": [{"text": "张三"}]},
        {"id": "p", "identifier": [{"value": "P0002"}]},
        {"id": "P0001", "identifier": [{"value": SOMEBODY_ELSE}]},
        {"id": "p", "identifier": [{"value": "P0001"}, {"value": SOMEBODY_ELSE}]},
        {"id": "p", "identifier": [{"system": "P0001"}]},
    ],
)
def test_a_patient_inside_who_is_somebody_else_is_a_mismatch_even_if_nothing_refers_to_it(patient: JSON) -> None:
    inside = {"resourceType": "Patient", **patient}
    assert refused_at(report(contained=[wbc(), SPECIMEN, inside])) == ["mismatch /contained/2"]
    assert refused_at(bundle(inside)) == ["mismatch /entry/1/resource"]
    assert refused_at(bundle(bundle(inside))) == ["mismatch /entry/1/resource/entry/1/resource"]
    assert refused_at(bundle({"resourceType": "Person", **patient})) == ["mismatch /entry/1/resource"]


KNOWN: Final = ME._replace(birthday="1990-03-07", gender="male")


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"birthDate": "1990-03-07", "gender": "male"},
        {"birthDate": "1990-03"},
        {"birthDate": "1990"},
        {"gender": "other"},
        {"gender": "unknown"},
        {"_birthDate": {"extension": [{"url": "u", "valueString": "x"}]}},
        {"identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": ME.id_number}, {"value": "P0001"}]},
        {"identifier": [{"system": "urn:oid:2.16.156.10011.1.3"}, {"value": "P0001"}]},
        {"identifier": [{"system": "urn:another-hospital", "value": "P0001", "assigner": {"display": "另一家医院"}}]},
    ],
    ids=str,
)
def test_a_patient_inside_who_contradicts_nothing_known_of_this_person_is_this_person(told: JSON) -> None:
    inside = {"resourceType": "Patient", **MINE, **told}
    assert refused_at(bundle(inside), KNOWN) == []


@pytest.mark.parametrize(
    "told",
    [
        {"birthDate": "1990-03-08"},
        {"birthDate": "1990-04"},
        {"birthDate": "1991"},
        {"gender": "female"},
        {"identifier": [{"value": "P0001"}, {"system": "urn:oid:2.16.156.10011.1.3", "value": "110101900307009"}]},
        {"identifier": [{"value": "P0001"}, {"system": "2.16.156.10011.1.3", "value": "110101199003070098"}]},
        {"identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "P0001"}]},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["Patient", "Person"])
def test_a_patient_inside_of_another_birth_sex_or_id_number_is_somebody_else(kind: str, told: JSON) -> None:
    """The number alone is soon mistaken for another's: whoever is described beside it must be able to be this person."""
    inside = {**MINE, **told, "resourceType": kind}
    assert refused_at(bundle(inside), KNOWN) == ["mismatch /entry/1/resource"]
    contained = report(contained=[wbc(), SPECIMEN, inside])
    assert refused_at(contained, KNOWN) == ["mismatch /contained/2"]


def test_what_is_not_known_of_this_person_contradicts_nothing() -> None:
    """A passport tells neither birth nor sex."""
    assert refused_at(bundle({**MINE, "birthDate": "1970-01-01", "gender": "female"})) == []


def test_a_number_told_as_a_resident_id_number_is_not_the_hospitals() -> None:
    subject = {"identifier": {"system": "urn:oid:2.16.156.10011.1.3", "value": "P0001"}}
    assert refused_at(report(subject=subject)) == ["mismatch /subject"]


def test_a_patient_inside_by_the_number_alone_is_this_person() -> None:
    read(bundle({"resourceType": "Patient", "id": "P0001"}, subject={"reference": "Patient/P0001"}))


def test_a_relative_inside_is_a_relative_of_this_person() -> None:
    def relative(reference: str) -> JSON:
        return {"resourceType": "RelatedPerson", "id": "r", "patient": {"reference": reference}}

    read(bundle(relative("Patient/P0001")))
    assert refused_at(bundle(relative("Patient/P0002"))) == ["mismatch /entry/1/resource/patient"]


@pytest.mark.parametrize(
    ("where", "part"),
    [
        ("performer/0", {"performer": [{"reference": "Patient/P0002"}]}),
        ("performer/0", {"performer": [{"type": "Patient", "identifier": {"value": "P0002"}}]}),
        ("focus/0", {"focus": [{"reference": "https://a.example/fhir/Patient/P0001"}]}),
        ("extension/0/valueReference", {"extension": [{"url": "u", "valueReference": {"reference": "Patient/P0002"}}]}),
        ("note/0/authorReference", {"note": [{"text": "x", "authorReference": {"reference": "Patient/P0002"}}]}),
    ],
)
def test_whatever_else_leads_to_a_patient_leads_to_this_one(where: str, part: JSON) -> None:
    found = refused_at(report(contained=[wbc(**part), SPECIMEN]))
    assert found == [f"mismatch /contained/0/{where}"]


def test_those_who_work_there_may_be_named() -> None:
    performers = [
        {"reference": "Practitioner/1"},
        {"identifier": {"value": "D-77"}},
        {"display": "检验科"},
        {"reference": "Patient/P0001"},
    ]
    read(report(performer=performers))
    read(report(contained=[wbc(), SPECIMEN, MINE], performer=[{"reference": "#p"}]))
