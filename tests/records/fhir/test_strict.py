"""JSON is read without forgiveness: what is ambiguous, hidden or endless is refused, each with its place."""

import json

import pytest

from api.records.fhir import KindUnsupported, Malformed, RecordInvalid
from tests.records.fhir.examples import read, refused_at, report

LIMIT = 1 << 20


def _text(**changes: object) -> str:
    return json.dumps(report(**changes))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{} {}",
        b"\xef\xbb\xbf{}",
        "血".encode("gb18030"),
        b'{"resourceType":"DiagnosticReport","status":"\xff"}',
        b'{"resourceType":"DiagnosticReport","status":"\xed\xa0\x80"}',
        b'{"resourceType":"DiagnosticReport","status":"a\x00b"}',
        b'{"resourceType":"DiagnosticReport","x":NaN}',
        b'{"resourceType":"DiagnosticReport","x":-Infinity}',
        b'{"resourceType":"DiagnosticReport","x":01}',
        b'{"resourceType":"DiagnosticReport","x":[1,]}',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 65 + b"]" * 65,
    ],
)
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read(raw)


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"x"', b"null"])
def test_json_that_is_no_resource_is_invalid(raw: bytes) -> None:
    assert refused_at(raw) == [""]


def test_one_mebibyte_is_taken_and_one_byte_more_is_not() -> None:
    room = LIMIT - len(_text(conclusion="").encode())
    text = _text(conclusion="x" * room)
    assert len(text) == LIMIT
    read(text)
    with pytest.raises(Malformed):
        read(text + " ")


def test_a_bundle_as_deep_as_records_are_is_taken_and_64_levels_are_the_end() -> None:
    def nested(levels: int) -> dict[str, object]:
        extension: dict[str, object] = {"url": "u", "valueString": "x"}
        for _ in range(levels):
            extension = {"url": "u", "extension": [extension]}
        return report(extension=[extension])

    read(nested(30))  # each level two deep
    with pytest.raises(Malformed):
        read(nested(31))


@pytest.mark.parametrize(
    ("old", "new", "pointer"),
    [
        ('"status": "final", "category"', '"status": "final", "status": "final", "category"', "/status"),
        ('"text": "血常规"', '"text": "a", "text": "b"', "/code/text"),
        ('"id": "wbc"', '"id": "wbc", "id": "rbc"', "/contained/0/id"),
        ('"id": "wbc"', '"a/b~c": 1, "a/b~c": 2', "/contained/0/a~1b~0c"),
    ],
)
def test_a_name_given_twice_is_refused_where_it_stands(old: str, new: str, pointer: str) -> None:
    text = json.dumps(report(), ensure_ascii=False)
    assert old in text
    assert refused_at(text.replace(old, new, 1)) == [pointer]


def test_nul_and_lone_surrogates_are_refused_wherever_they_stand() -> None:
    assert refused_at(report(conclusion="a\x00b")) == ["/conclusion"]
    assert refused_at(report(conclusion="a\udc00b")) == ["/conclusion"]
    assert refused_at(report(**{"con\x00": "x"})) == [""]
    assert refused_at(_text(conclusion="PAIR").replace("PAIR", "\\ud83d\\ude00")) == []  # a pair is a character
    assert refused_at(_text(conclusion="BACK").replace("BACK", "\\\\u0000")) == []  # a backslash, then letters


@pytest.mark.parametrize(
    ("number", "taken"),
    [
        ("6.30", True),
        ("-0", True),
        ("0.10000000000000000001", True),
        ("1E-22", True),
        ("-1.000000000000000000E+245", True),
        ("9" * 64, True),
        ("9" * 65, False),
        ("9" * 5000, False),
        ("0." + "3" * 5000, False),
        ("1e999", False),
        ("1e-99999999999", False),
    ],
)
def test_a_decimal_is_as_long_as_a_decimal_may_be(number: str, taken: bool) -> None:
    text = _text().replace('"value": 6,', f'"value": {number},')
    if taken:
        assert read(text).observed[0].value == number
    else:
        assert refused_at(text) == ["/contained/0/valueQuantity/value"]


@pytest.mark.parametrize("number", ["1.0", "1e0", "2147483648", "-1", "9" * 5000, '"1"', "true"])
def test_an_integer_is_an_integer_in_its_range(number: str) -> None:
    text = _text(presentedForm=[{"size": 77, "url": "Binary/1"}]).replace("77", number)
    assert refused_at(text) == ["/presentedForm/0/size"]


@pytest.mark.parametrize("raw", ['{"resourceType":"Patient"}', '{"resourceType":"Banana"}', '{"resourceType":1}'])
def test_other_types_are_not_supported(raw: str) -> None:
    with pytest.raises(KindUnsupported):
        read(raw)


@pytest.mark.parametrize(
    "bundle",
    [
        {"type": "collection"},
        {"type": "collection", "entry": []},
        {"type": "collection", "entry": [{"fullUrl": "urn:x"}]},
        {"type": "collection", "entry": [1]},
        {"type": "collection", "entry": [{"resource": {"resourceType": "Patient"}}]},
        {"type": "collection", "entry": [{"resource": {"resourceType": "Bundle"}}]},
        {"type": "transaction", "entry": [{"resource": report()}]},
        {"entry": [{"resource": report()}]},
    ],
)
def test_a_bundle_is_a_collection_that_begins_with_a_report(bundle: dict[str, object]) -> None:
    with pytest.raises(KindUnsupported):
        read({"resourceType": "Bundle", **bundle})


def test_a_resource_without_its_type_is_invalid_there() -> None:
    assert refused_at({"status": "final"}) == ["/resourceType"]


def test_a_fault_speaks_both_languages_and_quotes_nothing() -> None:
    with pytest.raises(RecordInvalid) as refused:
        read(report(status="SECRET", conclusion=["SECRET"], SECRET=1))
    assert [fault.pointer for fault in refused.value.faults] == ["/status", "/conclusion", "/SECRET"]
    assert all("SECRET" not in fault.zh + fault.en and fault.zh != fault.en for fault in refused.value.faults)


def test_no_more_than_twenty_faults_are_told() -> None:
    with pytest.raises(RecordInvalid) as refused:
        read(report(**{f"unknown{n}": 1 for n in range(100)}))
    assert len(refused.value.faults) == 20
