"""Official examples are taken under their patient's number, and each alteration of them is refused with its path."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from api.records.fhir import SubjectMismatch, read_resource
from tests.records.fhir.examples import (
    FILES,
    FOLDER,
    JSON,
    ME,
    NOW,
    SOMEBODY_ELSE,
    changed,
    patient_of,
    refused_at,
    top_of,
    tree_of,
)

SUMMARIES: Final = {  # kind, title, occurred_at (UTC), number of measured values
    "DiagnosticReport-102.json": ("laboratory", "DXA BONE DENSITOMETRY", "2008-06-16T16:00:00", 0),
    "DiagnosticReport-f201.json": ("examination", "CT of head-neck", "2012-12-01T11:00:00", 0),
    "DiagnosticReport-pap.json": ("examination", "47527-7", "2013-02-10T23:33:33", 0),
    "DocumentReference-example.json": ("note", "Outpatient Note", "2004-12-22T21:00:00", 0),
    "ImagingStudy-example-xr.json": ("imaging", "XR Wrist 3+ Views", "2017-01-01T08:01:20", 0),
    "ImagingStudy-example.json": ("imaging", "影像检查", "2011-01-01T08:01:20", 0),
    "Bundle-101.json": ("examination", "Complete Blood Count", "2011-03-03T21:30:00", 17),
    "Bundle-ghp.json": ("laboratory", "General Health Profile", "2015-08-16T06:40:17", 42),
    "Bundle-lipids.json": ("examination", "Lipid Panel", "2011-03-03T21:30:00", 4),
    "Bundle-micro.json": ("examination", "Culture, MRSA", "2009-08-09T22:25:44", 4),
}


def test_there_are_nine_files_of_these_types_and_nine_bundles() -> None:
    assert len(FILES) == 18
    assert sum(name.startswith("Bundle-") for name in FILES) == 9


@pytest.mark.parametrize("name", FILES)
def test_an_official_example_is_taken_under_its_patients_number(name: str) -> None:
    facts = read_resource((FOLDER / name).read_bytes(), patient_of(tree_of(name)), NOW)
    if name in SUMMARIES:
        at = facts.occurred_at.isoformat().removesuffix("+00:00")
        assert (facts.kind, facts.title, at, len(facts.observed)) == SUMMARIES[name]


@pytest.mark.parametrize("name", [name for name in FILES if "gingival" not in name])  # that one names nobody
def test_an_official_example_is_refused_under_another_number(name: str) -> None:
    with pytest.raises(SubjectMismatch):
        read_resource((FOLDER / name).read_bytes(), ME, NOW)


OTHER: Final = {"resourceType": "Patient", "id": "somebody", "identifier": [{"value": SOMEBODY_ELSE}]}
DIV: Final = '<div xmlns="http://www.w3.org/1999/xhtml">'
SCRIPT: Final = {"status": "generated", "div": DIV + "<script>alert(1)</script></div>"}
HANDLER: Final = {"status": "generated", "div": DIV + '<p onclick="alert(1)">x</p></div>'}

# What is set (Ellipsis: taken away) where, both from the report itself, and where the fault is then.
ALTERATIONS: Final[dict[str, tuple[str, Any, str]]] = {
    "a status of no value set": ("/status", "banana", "/status"),
    "no status": ("/status", ..., "/status"),
    "a status that is no text": ("/status", 1, "/status"),
    "an element that does not exist": ("/banana", 1, "/banana"),
    "a name of the library's": ("/status__ext", {"id": "x"}, "/status__ext"),
    "comments, which R4 has not": ("/fhir_comments", ["x"], "/fhir_comments"),
    "an object where a list belongs": ("/identifier", {"value": "1"}, "/identifier"),
    "an object as JSON in a text": ("/subject", '{"display":"x"}', "/subject"),
    "an identifier of no use": ("/identifier", [{"use": "banana"}], "/identifier/0/use"),
    "an empty list": ("/identifier", [], "/identifier"),
    "an empty object": ("/identifier", [{}], "/identifier/0"),
    "null in a list": ("/identifier", [None], "/identifier/0"),
    "a version's time that is none": ("/meta", {"lastUpdated": "yesterday"}, "/meta/lastUpdated"),
    "an extension without its url": ("/extension", [{"valueString": "x"}], "/extension/0/url"),
    "two values in one": (
        "/extension",
        [{"url": "u", "valueString": "x", "valueCode": "x"}],
        "/extension/0/valueCode",
    ),
    "a truth in quotes": ("/extension", [{"url": "u", "valueBoolean": "true"}], "/extension/0/valueBoolean"),
    "script in narrative": ("/text", SCRIPT, "/text/div"),
    "an event handler in narrative": ("/text", HANDLER, "/text/div"),
    "a narrative of no status": ("/text", {"status": "banana", "div": DIV + "x</div>"}, "/text/status"),
    "a reference that runs": ("/subject", {"reference": "javascript:alert(1)"}, "/subject/reference"),
    "a reference by http": ("/subject", {"reference": "http://a.example/Patient/1"}, "/subject/reference"),
    "a reference to nothing contained": ("/subject", {"reference": "#nobody"}, "/subject/reference"),
    "somebody else's number": ("/subject", {"reference": "Patient/somebody"}, "mismatch /subject"),
    "somebody else's identifier": ("/subject", {"identifier": {"value": SOMEBODY_ELSE}}, "mismatch /subject"),
    "a group": ("/subject", {"reference": "Group/1"}, "mismatch /subject"),
    "somebody else inside": ("/contained", [OTHER], "mismatch /contained/0"),
    "a contained resource without its type": ("/contained", [{"id": "x"}], "/contained/0/resourceType"),
    "NUL": ("/language", "z\x00h", "/language"),
    "a lone surrogate": ("/language", "z\ud800h", "/language"),
}


def _altered() -> Iterator[tuple[str, str]]:
    for file in FILES:
        for alteration in ALTERATIONS:
            yield file, alteration


def test_there_are_two_hundred_alterations() -> None:
    assert len(list(_altered())) >= 200


@pytest.mark.parametrize("name", FILES)
def test_an_altered_example_is_refused_with_its_path(name: str) -> None:
    tree = tree_of(name)
    if "gingival" in name:
        tree.pop("presentedForm")  # 700 kB that change nothing here
    who, (resource, top) = patient_of(tree), top_of(tree)
    inside = resource.get("contained", [])
    for alteration, (where, value, fault) in ALTERATIONS.items():
        if where == "/contained":
            value, fault = [*inside, *value], fault.replace("/0", f"/{len(inside)}")
        found = refused_at(changed(tree, top + where, value), who)
        word, _, pointer = fault.rpartition(" ")
        assert f"{word} {top}{pointer}".strip() in found, (alteration, found)


FUTURE: Final[dict[str, Callable[[JSON], str]]] = {
    "DiagnosticReport": lambda top: "/effectiveDateTime" if "effectiveDateTime" in top else "/issued",
    "DocumentReference": lambda top: "/context/period/start",
    "ImagingStudy": lambda top: "/started",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("time", ["2026-12-01T00:00:00Z", "2012-02-30T00:00:00Z", "2012-02-01T25:00:00Z", "gestern"])
def test_an_example_of_a_time_that_cannot_be_is_refused_there(name: str, time: str) -> None:
    tree = tree_of(name)
    top, pointer = top_of(tree)
    where = pointer + FUTURE[top["resourceType"]](top)
    assert where in refused_at(changed(tree, where, time), patient_of(tree))


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("Bundle-")])
def test_a_bundles_last_part_is_held_to_the_same(name: str) -> None:
    tree = tree_of(name)
    last = f"/entry/{len(tree['entry']) - 1}/resource"
    who = patient_of(tree)
    assert f"{last}/status" in refused_at(changed(tree, f"{last}/status", "banana"), who)
    assert f"{last}/text/div" in refused_at(changed(tree, f"{last}/text", SCRIPT), who)
    added = {"resource": {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}}
    added["resource"]["subject"] = {"reference": "Patient/somebody"}
    place = f"/entry/{len(tree['entry'])}/resource/subject"
    assert refused_at(changed(tree, "/entry/-", added), who) == [f"mismatch {place}"]
