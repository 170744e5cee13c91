"""FHIR R4's structure and required codes, also where the library alone would take anything."""

import json
from typing import Any, Final

import pytest

from tests.records.fhir.examples import JSON, read, refused_at, report, wbc

LINK: Final = [{"url": "u", "valueReference": {"reference": "Basic/1"}}]


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/status", "+"),  # the library's own list of Observation.status ends in it
        ("/status", "FINAL"),
        ("/status", ""),
        ("/valueQuantity/comparator", "~"),
        ("/component/0/valueQuantity/comparator", "="),
        ("/component/0/referenceRange/0/low/comparator", "="),  # a contentReference to Observation.referenceRange
        ("/text/status", "none"),
        ("/identifier/0/use", "primary"),
        ("/meta/tag/0/userSelected", "yes"),
        ("/note/0/authorReference/identifier/use", "x"),
        ("/extension/0/valueContactPoint/system", "wechat"),
        ("/extension/0/valueHumanName/use", "pen-name"),
        ("/extension/0/valueMoney/currency", "RMB"),
        ("/extension/0/valueAttachment/contentType", "no mime"),
        ("/extension/0/valueAttachment/language", "zh_CN"),
        ("/extension/0/valueAttachment/hash", "not base64!"),
        ("/extension/0/valueAttachment/size", -1),
        ("/extension/0/extension/0/valueTiming/repeat/dayOfWeek/0", "monday"),
        ("/language", "中文"),
        ("/id", "a_b"),
        ("/id", "a" * 65),
        ("/effectiveDateTime", "2026-11-20T09:00:00"),  # a time without its zone
        ("/effectiveDateTime", "2026-13"),
        ("/issued", "2026-11-20"),
        ("/valueQuantity/value", "6.30"),  # a number in quotes
        ("/valueQuantity/value", True),
        ("/extension/0/valueBase64Binary", "=AAA"),
        ("/extension/0/valueOid", "urn:oid:3.1"),
        ("/extension/0/valueUri", "javascript:alert(1)"),
        ("/extension/0/url", "a b"),
        ("/code/text", None),
        ("/code/coding/0", "6690-2"),
        ("/code/coding/0/code", " 6690-2"),
        ("/status/value", "final"),
        ("/component/0/component", []),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(pointer: str, value: Any) -> None:
    observation = wbc(
        text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
        identifier=[{"value": "1"}],
        meta={"tag": [{"code": "x"}]},
        note=[{"text": "x", "authorReference": {"identifier": {"value": "1"}}}],
        component=[{"code": {"text": "x"}, "referenceRange": [{"low": {"value": 1}}]}],
        issued="2026-11-20T09:00:00+08:00",
    )
    expected = pointer
    if pointer.startswith("/extension/0/"):
        name = pointer.split("/")[3]
        inner = {"url": "u", "extension": [{"url": "v"}]} if name == "extension" else {"url": "u"}
        observation["extension"] = [inner]
    if pointer == "/status/value":
        value, pointer, expected = {"value": value}, "/status", "/status"
    assert f"/contained/0{expected}" in refused_at(report(contained=[_set(observation, pointer, value)]))


def _set(tree: JSON, pointer: str, value: Any) -> JSON:
    """Sets a value, making the objects and lists on its way."""
    *way, last = pointer.split("/")[1:]
    place: Any = tree
    for step, following in zip(way, [*way, last][1:], strict=True):
        empty: Any = [] if following.isdigit() else {}
        if isinstance(place, list):
            while len(place) <= int(step):
                place.append(empty)
            place = place[int(step)]
        else:
            place = place.setdefault(step, empty)
    if isinstance(place, list):
        place[int(last) :] = [value]
    else:
        place[last] = value
    return tree


@pytest.mark.parametrize("name", ["status", "code"])
def test_what_is_required_is_missed(name: str) -> None:
    assert refused_at(report(**{name: None})) == [f"/{name}"]
    assert refused_at(report(contained=[wbc(**{name: None})])) == [f"/contained/0/{name}"]


def test_a_status_replaced_by_an_extension_is_no_status() -> None:
    absent = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "x"}]}
    assert refused_at(report(status=None, _status=absent)) == ["/status"]


def test_two_types_of_one_value_are_refused() -> None:
    assert refused_at(report(contained=[wbc(valueString="x")])) == ["/contained/0/valueString"]


def test_a_codeable_concept_of_a_required_value_set_has_one_of_its_codes() -> None:
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"

    def with_status(*codings: JSON) -> JSON:
        condition = {"resourceType": "Condition", "id": "c", "clinicalStatus": {"coding": list(codings)}}
        return report(contained=[wbc(), {"resourceType": "Specimen", "id": "blood"}, _of_me(condition)])

    read(with_status({"system": "urn:local", "code": "1"}, {"system": system, "code": "active"}))
    for coding in ({"code": "active"}, {"system": "urn:local", "code": "active"}, {"system": system, "code": "x"}):
        assert refused_at(with_status(coding)) == ["/contained/2/clinicalStatus"]


def _of_me(resource: JSON) -> JSON:
    return {**resource, "subject": {"reference": "Patient/P0001"}}


@pytest.mark.parametrize("name", ["registered", "preliminary", "final", "amended", "corrected", "cancelled"])
def test_every_status_of_an_observation_is_taken(name: str) -> None:
    read(report(contained=[wbc(status=name), {"resourceType": "Specimen", "id": "blood"}]))


def test_values_and_extensions_of_a_list_stand_place_by_place() -> None:
    practitioner = {"resourceType": "Practitioner", "id": "dr"}
    name = {"given": [None, "b"], "_given": [{"extension": [{"url": "u", "valueString": "a"}]}, None]}

    def named(**name: Any) -> JSON:
        return report(
            contained=[wbc(), {"resourceType": "Specimen", "id": "blood"}, {**practitioner, "name": [name]}],
        )

    read(named(**name))
    assert refused_at(named(given=[None])) == ["/contained/2/name/0/given/0"]
    assert refused_at(named(_given=[None])) == ["/contained/2/name/0/_given/0"]


def test_a_contained_resource_contains_none_and_has_an_id_of_its_own() -> None:
    specimen = {"resourceType": "Specimen", "id": "blood"}
    nested = wbc(contained=[specimen])
    assert refused_at(report(contained=[nested, specimen])) == ["/contained/0/contained"]
    assert "/contained/1/id" in refused_at(report(contained=[wbc(), {**specimen, "id": "wbc"}, specimen]))


def test_a_resource_of_another_release_is_unknown() -> None:
    for name in ("SubscriptionTopic", "Element", "DomainResource", "../os", "", 1):
        assert refused_at(report(contained=[{"resourceType": name}])) == ["/contained/0/resourceType"]


def test_html_and_svg_are_taken_as_attachments_for_they_are_only_bytes() -> None:
    page = {"contentType": "text/html; charset=utf-8", "data": "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="}
    drawing = {"contentType": "image/svg+xml", "data": "PHN2Zy8+", "size": 6, "hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk="}
    read(report(presentedForm=[page, drawing]))


def test_a_megabyte_of_results_is_taken() -> None:
    results = [wbc(id=f"o{number}", performer=[{"display": "检验科"}]) for number in range(2_900)]
    links = [{"reference": f"#o{number}"} for number in range(2_900)]
    made = json.dumps(report(contained=results, specimen=None, result=links), ensure_ascii=False, separators=(",", ":"))
    assert 900_000 < len(made.encode()) <= 1 << 20
    assert len(read(made).observed) == 2_900


def test_more_work_than_a_megabyte_of_results_is_refused() -> None:
    assert refused_at(report(extension=[{"url": "u", "valueString": "x"}] * 13_000)) == [""]
