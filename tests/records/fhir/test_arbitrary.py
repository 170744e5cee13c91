"""Whatever is posted, a record is read or refused by one of four errors, within seconds."""

import copy
import json
import time
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.records.fhir import KindUnsupported, Malformed, RecordInvalid, SubjectMismatch, prepare, read_resource
from tests.records.fhir.examples import JSON, ME, NOW, report, tree_of, wbc
from tests.records.fhir.test_facts import document, study

SECONDS: Final = 3  # of a core; the worst below take 0.8 here, and a slower machine may run this

RICH: Final = [
    report(
        text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div>'},
        subject={"reference": "#p", "identifier": {"value": "P0001"}},
        performer=[{"reference": "Practitioner/1"}, {"display": "x"}],
        effectiveDateTime=None,
        effectivePeriod={"start": "2026-11-01", "end": "2026-11-02T00:00:00Z"},
        issued="2026-11-03T00:00:00Z",
        presentedForm=[{"contentType": "text/html", "data": "PHA+", "url": "Binary/1", "size": 4}],
        contained=[
            wbc(hasMember=[{"reference": "#wbc"}], component=[{"code": {"text": "x"}, "valueInteger": 1}]),
            {"resourceType": "Specimen", "id": "blood", "collection": {"collectedDateTime": "2026-11-01"}},
            {"resourceType": "Patient", "id": "p", "identifier": [{"value": "P0001"}], "birthDate": "1990"},
        ],
    ),
    document(context={"period": {"start": "2026"}}, type={"coding": [{"code": "18842-5"}]}),
    study(series=[{"uid": "1.2", "modality": {"code": "CT"}, "numberOfInstances": 3}]),
    tree_of("Bundle-lipids.json"),
    tree_of("Bundle-f202.json"),
    tree_of("DocumentReference-example.json"),
]

_WORDS: Final = (
    "resourceType id status code contained subject reference identifier value coding text div extension url entry "
    "resource fullUrl _status valueQuantity effectiveDateTime result category x"
)
_NAMES: Final = st.sampled_from(_WORDS.split())
_TEXTS: Final = st.text(max_size=12) | st.sampled_from(
    [
        "DiagnosticReport",
        "Bundle",
        "Patient",
        "final",
        "#p",
        "#",
        "2026",
        "2026-11-20T09:00:60Z",
        "1.2",
        "http://x/Patient/1",
    ]
)
_LEAVES: Final = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXTS
_VALUES: Final = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=8
)


@pytest.fixture(autouse=True, scope="module")
def _ready() -> None:
    prepare()


def _read(raw: bytes) -> None:
    begun = time.process_time()
    try:
        read_resource(raw, ME, NOW)
    except (KindUnsupported, Malformed, SubjectMismatch):
        pass
    except RecordInvalid as error:
        for fault in error.faults:
            assert fault.pointer == "" or fault.pointer.startswith("/")
    assert time.process_time() - begun < SECONDS


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found = []
    for key, value in list(items):
        found.append((tree, key))
        found += _places(value)
    return found


def _bent(tree: JSON, places: list[int], values: list[Any]) -> JSON:
    """A copy with a value put at each chosen place; Ellipsis takes it away, a function makes it of what is there."""
    made = copy.deepcopy(tree)
    for place, value in zip(places, values, strict=False):
        there = _places(made)
        if not there:
            break
        container, key = there[place % len(there)]
        if value is ...:
            del container[key]
        elif callable(value):
            container[key] = value(container[key])
        else:
            container[key] = copy.deepcopy(value)
    return made


_BENDS: Final = st.sampled_from(
    [..., lambda old: [old], lambda old: [old, old], lambda old: {"value": old}, json.dumps, lambda old: f"{old}x"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(RICH),
    st.lists(st.integers(0, 10_000), min_size=1, max_size=3),
    st.lists(_VALUES | _BENDS, min_size=3, max_size=3),
)
def test_a_bent_record_is_read_or_refused(tree: JSON, places: list[int], values: list[Any]) -> None:
    _read(json.dumps(_bent(tree, places, values)).encode())


@settings(max_examples=150, deadline=None)
@given(_VALUES)
def test_any_json_is_read_or_refused(value: Any) -> None:
    _read(json.dumps(value).encode())
    _read(json.dumps({"resourceType": "DiagnosticReport", "extension": value}).encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 10_000), st.integers(0, 40))
def test_any_bytes_are_read_or_refused(noise: bytes, at: int, length: int) -> None:
    _read(noise)
    raw = json.dumps(RICH[0]).encode()
    at %= len(raw)
    _read(raw[:at] + noise + raw[at + length :])


def _repeated(part: Any, times: int) -> list[Any]:
    return [part] * times


HEAVY: Final[dict[str, JSON]] = {
    "references": report(result=_repeated({"reference": "a"}, 15_000)),
    "names": report(contained=[{"resourceType": "Practitioner", "name": [{"given": _repeated("a", 240_000)}]}]),
    "extensions": report(extension=_repeated({"url": "u", "valueString": "x"}, 30_000)),
    "patients": report(contained=_repeated({"resourceType": "Patient", "id": "P0001"}, 20_000)),
    "unknown names": report(**{f"x{n}": n for n in range(60_000)}),
    "a long code": report(language="a " * 400_000),
    "a long media type": report(presentedForm=[{"contentType": "a/b" + ";a" * 400_000}]),
    "a long reference": report(performer=[{"reference": "/_history/" * 90_000}]),
    "a long style": report(
        text={
            "status": "empty",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml" style="{"a/ *" * 200_000}">x</div>',
        }
    ),
    "deep narrative": report(
        text={
            "status": "empty",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"<p>" * 100_000}{"</p>" * 100_000}</div>',
        }
    ),
    "an attachment": report(presentedForm=[{"data": "AAAA " * 190_000}]),
    "members of members": report(
        contained=[
            wbc(id=f"o{n}", hasMember=[{"reference": f"#o{m}"} for m in range(100)], category=None) for n in range(100)
        ],
        specimen=None,
        result=[{"reference": "#o0"}],
    ),
}


@pytest.mark.parametrize("name", HEAVY)
def test_a_megabyte_made_to_hurt_costs_seconds_at_most(name: str) -> None:
    raw = json.dumps(HEAVY[name], separators=(",", ":")).encode()
    assert len(raw) <= 1 << 20
    _read(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"resourceType":"DiagnosticReport"' + b',"a":1' * 150_000 + b"}",
        b'{"resourceType":"DiagnosticReport","a":[' + b'{"a":1,"a":1},' * 60_000 + b"1]}",
        b'{"resourceType":"DiagnosticReport","a":'
        + b"[" * 50
        + b'"\\u0001",' * 100_000
        + b'"\\u0000"'
        + b"]" * 50
        + b"}",
        b'{"resourceType":"DiagnosticReport","a":' + b"9" * 1_000_000 + b"}",
    ],
    ids=["a name over and over", "twice in many places", "escapes far down", "a long number"],
)
def test_json_made_to_hurt_costs_seconds_at_most(raw: bytes) -> None:
    _read(raw)
