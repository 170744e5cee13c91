"""The summary of a record: its kind, name, times and measured values."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import pytest

from api.records.fhir import Facts
from api.records.types import CodeQuery
from tests.records.fhir.examples import JSON, NOW, read, refused_at, report, wbc
from tests.records.fhir.test_subjects import bundle

LAB: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"
SPECIMEN: Final = {"resourceType": "Specimen", "id": "blood"}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def document(**changes: Any) -> JSON:
    made = {
        "resourceType": "DocumentReference",
        "status": "current",
        "date": "2026-11-20T09:00:00+08:00",
        "content": [{"attachment": {"contentType": "application/pdf", "url": "Binary/1", "title": "附件"}}],
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def study(**changes: Any) -> JSON:
    made = {
        "resourceType": "ImagingStudy",
        "status": "available",
        "started": "2026-11-20T09:00:00+08:00",
        "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.840.1"}],
        "subject": {"reference": "Patient/P0001"},
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def coded(code: str, system: str | None = None) -> JSON:
    return {"coding": [{"code": code} | ({"system": system} if system else {})]}


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (report(), "laboratory"),
        (report(category=[coded("LAB")]), "laboratory"),
        (report(category=[coded("X", "urn:local"), coded("LAB", LAB)]), "laboratory"),
        (report(category=None), "laboratory"),
        (report(category=None, result=None), "examination"),
        (report(category=[coded("RAD", LAB)]), "examination"),
        (report(category=[coded("LAB", "urn:local")]), "examination"),
        (study(), "imaging"),
        (document(type=coded("18842-5", "http://loinc.org")), "discharge"),
        (document(type=coded("18842-5", "urn:local")), "note"),
        (document(), "note"),
    ],
)
def test_the_kind(resource: JSON, kind: str) -> None:
    assert read(resource).kind == kind


@pytest.mark.parametrize(
    ("resource", "title"),
    [
        (report(), "血常规"),
        (report(code={"coding": [{"code": "1"}, {"code": "2", "display": "血常规\n 五分类"}]}), "血常规 五分类"),
        (report(code=coded("58410-2", "http://loinc.org")), "58410-2"),
        (report(code={"text": " \u202e血\x07 "}), "血"),
        (report(code={"text": "\u200b"}), "检验报告"),
        (report(code={"text": "长" * 300}), "长" * 200),
        (document(), "附件"),
        (document(description="出院记录"), "附件"),
        (document(type={"text": "出院小结"}), "出院小结"),
        (document(content=[{"attachment": {"url": "Binary/1"}}]), "病历文书"),
        (study(), "影像检查"),
        (study(description="胸部 CT 平扫"), "胸部 CT 平扫"),
        (study(modality=[{"code": "CT"}]), "CT"),
    ],
)
def test_the_title_is_what_a_person_would_call_it(resource: JSON, title: str) -> None:
    assert read(resource).title == title


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2012", utc(2011, 12, 31, 16)),
        ("2012-03", utc(2012, 2, 29, 16)),
        ("2012-03-04", utc(2012, 3, 3, 16)),
        ("2012-03-04T05:06:07Z", utc(2012, 3, 4, 5, 6, 7)),
        ("2012-03-04T05:06:07.123456789+08:00", utc(2012, 3, 3, 21, 6, 7, 123456)),
        ("2016-12-31T23:59:60Z", utc(2016, 12, 31, 23, 59, 59)),
        ("2026-11-29", utc(2026, 11, 28, 16)),  # today in Shanghai
        ("2026", utc(2025, 12, 31, 16)),
        ("2026-11-29T12:05:00+08:00", utc(2026, 11, 29, 4, 5)),  # five minutes ahead
    ],
)
def test_dates_are_moments_of_shanghai(text: str, moment: datetime) -> None:
    facts = read(report(effectiveDateTime=text, contained=[wbc(effectiveDateTime=None), SPECIMEN]))
    assert (facts.occurred_at, facts.sampled_at) == (moment, moment)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30",
        "2026-12",
        "2027",
        "2026-11-29T12:05:01+08:00",
        "9999-12-31T23:59:59-14:00",
        "1899",
        "0001-01-01T00:00:00+14:00",
        "0000",
        "2026-02-30",
        "2026-11-20T24:00:00Z",
    ],
)
def test_a_future_or_impossible_time_is_refused_where_it_stands(text: str) -> None:
    assert refused_at(report(effectiveDateTime=text)) == ["/effectiveDateTime"]
    assert refused_at(report(effectiveDateTime=None, effectivePeriod={"start": text})) == ["/effectivePeriod/start"]
    assert refused_at(document(date=None, context={"period": {"start": text}})) == ["/context/period/start"]
    assert refused_at(study(started=text)) == ["/started"]
    taken = {**SPECIMEN, "collection": {"collectedDateTime": text}}
    assert refused_at(report(contained=[wbc(), taken])) == ["/contained/1/collection/collectedDateTime"]
    assert refused_at(report(contained=[wbc(effectiveDateTime=text), SPECIMEN])) == ["/contained/0/effectiveDateTime"]


def test_today_is_shanghais() -> None:
    late = datetime(2026, 11, 28, 17, tzinfo=UTC)  # one in the morning of the 29th
    assert read(report(effectiveDateTime="2026-11-29", contained=[wbc(effectiveDateTime=None), SPECIMEN]), now=late)


def test_when_it_was_issued_is_not_in_the_future_either() -> None:
    assert refused_at(report(issued="2026-12-01T00:00:00Z")) == ["/issued"]


@pytest.mark.parametrize(
    ("resource", "day"),
    [
        (report(effectiveDateTime=None, effectivePeriod={"start": "2026-11-01", "end": "2026-11-02"}), 1),
        (report(effectiveDateTime=None, effectivePeriod={"end": "2026-11-02"}), 2),
        (report(effectiveDateTime=None, issued="2026-11-03T00:00:00+08:00"), 3),
        (report(effectiveDateTime=None), 20),  # its Observation's
        (document(context={"period": {"start": "2026-11-04"}}), 4),
        (document(), 20),
        (study(started=None, series=[{"uid": "1.2", "modality": {"code": "CT"}, "started": "2026-11-05"}]), 5),
    ],
)
def test_when_it_happened_is_found_in_order(resource: JSON, day: int) -> None:
    assert (read(resource).occurred_at + timedelta(hours=8)).day == day


@pytest.mark.parametrize(
    ("resource", "where"),
    [
        (report(effectiveDateTime=None, contained=[wbc(effectiveDateTime=None), SPECIMEN]), "/effectiveDateTime"),
        (document(date=None), "/date"),
        (study(started=None), "/started"),
    ],
)
def test_a_record_without_any_time_is_told_where_it_belongs(resource: JSON, where: str) -> None:
    assert refused_at(resource) == [where]


def test_a_result_is_as_old_as_its_oldest_sample() -> None:
    def taken(name: str, **collected: Any) -> JSON:
        return {"resourceType": "Specimen", "id": name, "collection": collected}

    facts = read(
        report(
            contained=[
                wbc(),
                taken("blood", collectedDateTime="2026-11-19T08:00:00+08:00"),
                taken("urine", collectedPeriod={"start": "2026-11-18T08:00:00+08:00"}),
            ]
        )
    )
    assert (facts.occurred_at, facts.sampled_at) == (utc(2026, 11, 20, 1), utc(2026, 11, 18, 0))


MONTHS_AGO: Final = "2026-04-01T08:00:00+08:00"


@pytest.mark.parametrize(
    "effective",
    [
        {"effectiveDateTime": MONTHS_AGO},
        {"effectiveInstant": MONTHS_AGO},
        {"effectivePeriod": {"start": MONTHS_AGO, "end": "2026-11-20"}},
        {"effectiveTiming": {"event": ["2026-04-02", MONTHS_AGO]}},
        {"effectiveDateTime": MONTHS_AGO, "valueQuantity": None, "valueString": "阴性"},
    ],
)
def test_without_a_sample_a_report_is_as_old_as_its_oldest_result(effective: JSON) -> None:
    """What was issued today of a result of months ago is no new result."""
    old = wbc(id="old", **{"effectiveDateTime": None, **effective})
    made = report(
        effectiveDateTime=None,
        issued="2026-11-28T08:00:00+08:00",
        contained=[wbc(), old, SPECIMEN],
        result=[{"reference": "#wbc"}, {"reference": "#old"}],
    )
    facts = read(made)
    assert (facts.occurred_at, facts.sampled_at) == (utc(2026, 11, 28), utc(2026, 4, 1))
    taken = {**SPECIMEN, "collection": {"collectedDateTime": "2026-11-19T08:00:00+08:00"}}
    assert read({**made, "contained": [wbc(), old, taken]}).sampled_at == utc(2026, 11, 19), "a sample says it best"


@pytest.mark.parametrize(
    "change", [{"status": "entered-in-error"}, {"status": "cancelled"}, {"effectiveDateTime": None}]
)
def test_without_a_time_of_a_good_result_a_report_is_as_old_as_it_says(change: JSON) -> None:
    made = report(contained=[wbc(**{"effectiveDateTime": MONTHS_AGO, **change}), SPECIMEN])
    assert read(made).sampled_at == utc(2026, 11, 20, 1)


def _values(facts: Facts) -> list[tuple[str, str, str | None, str | None]]:
    return [(one.code, one.value, one.low, one.high) for one in facts.observed]


def test_a_measured_value_keeps_its_digits_range_unit_and_flag() -> None:
    text = (
        '{"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},"effectiveDateTime":"2026-11-20",'
        '"contained":[{"resourceType":"Observation","id":"a","status":"final","code":{"coding":[{"system":"urn:local",'
        '"code":"L1"},{"system":"http://loinc.org","code":"6690-2","display":"WBC"}]},"valueQuantity":{"value":6.30,'
        '"unit":"10^9/L"},"referenceRange":[{"text":"x"},{"low":{"value":3.50},"high":{"value":9.50}}],'
        '"interpretation":[{"coding":[{"code":"N"}]}]}],"result":[{"reference":"#a"}]}'
    )
    [one] = read(text).observed
    assert (one.code, one.display, one.value, one.unit) == ("6690-2", "WBC", "6.30", "10^9/L")
    assert (one.low, one.high, one.flag, one.at) == ("3.50", "9.50", "N", utc(2026, 11, 19, 16))


@pytest.mark.parametrize(
    "change",
    [
        {"valueQuantity": {"value": 6, "comparator": "<"}},
        {"valueQuantity": {"unit": "g"}},
        {"valueQuantity": None, "valueString": "6"},
        {"valueQuantity": None},
        {"code": {"text": "白细胞"}},
        {"status": "entered-in-error"},
        {"status": "cancelled"},
        {"modifierExtension": [{"url": "u", "valueBoolean": True}]},
    ],
)
def test_what_is_no_point_of_a_curve_is_left_out(change: JSON) -> None:
    assert read(report(contained=[wbc(**change), SPECIMEN])).observed == []


A, B = "urn:yima:first:L", "urn:yima:second:L"
LONGEST: Final = 250 - len("urn:local|")


@pytest.mark.parametrize(
    ("codings", "test"),
    [
        ([{"system": "http://loinc.org", "code": "6690-2"}], "6690-2"),
        ([{"system": A, "code": "001"}, {"system": "http://loinc.org", "code": "6690-2"}], "6690-2"),
        ([{"system": A, "code": "001"}, {"system": B, "code": "001"}], f"{A}|001"),
        ([{"system": B, "code": "001"}], f"{B}|001"),
        ([{"system": A, "display": "钾"}, {"system": B, "code": "001"}], f"{B}|001"),
        ([{"code": "001"}], "|001"),
        ([{"code": "6690-2"}], "|6690-2"),
        ([{"system": "http://loinc.org/", "code": "6690-2"}], "http://loinc.org/|6690-2"),
        ([{"system": "urn:local", "code": "x" * LONGEST}], "urn:local|" + "x" * LONGEST),
        ([{"system": "urn:local", "code": "x" * (LONGEST + 1)}], None),
        ([{"system": "http://loinc.org", "code": f"{A}|001"}], None),
        ([{"system": "urn:yima:first", "code": "L|001"}], None),
        ([{"system": "urn:yima|first", "code": "001"}], None),
    ],
)
def test_a_test_is_told_by_its_code_and_whose_code_it_is(codings: list[JSON], test: str | None) -> None:
    """Only LOINC's codes mean the same everywhere: "001" is potassium here and glucose there."""
    facts = read(report(contained=[wbc(code={"coding": codings, "text": "x"}), SPECIMEN]))
    assert [one.code for one in facts.observed] == ([test] if test else [])
    for one in facts.observed:
        assert msgspec.convert({"code": one.code}, CodeQuery).code == test, "its points can be asked for"


def test_a_test_without_a_name_is_shown_by_its_code_alone() -> None:
    [one] = read(report(contained=[wbc(code=coded("001", A)), SPECIMEN])).observed
    assert (one.code, one.display) == (f"{A}|001", "001")


def test_components_and_members_of_panels_count_once() -> None:
    def part(code: str, value: int) -> JSON:
        return {"code": coded(code, "http://loinc.org"), "valueQuantity": {"value": value}}

    pressure = wbc(id="bp", valueQuantity=None, component=[part("8480-6", 120), part("8462-4", 80)])
    panel = wbc(id="panel", valueQuantity=None, hasMember=[{"reference": "#bp"}, {"reference": "#wbc"}])
    ring = wbc(hasMember=[{"reference": "#panel"}])
    facts = read(report(contained=[ring, SPECIMEN, pressure, panel], result=[{"reference": "#panel"}] * 2))
    assert [(code, value) for code, value, *_ in _values(facts)] == [
        ("8480-6", "120"),
        ("8462-4", "80"),
        ("6690-2", "6"),
    ]


def test_results_in_a_bundle_are_found_by_address_and_by_id() -> None:
    uuid = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    parts = [{"fullUrl": uuid, "resource": wbc()}, wbc(id="second"), wbc(id="not-a-result")]
    links = [{"reference": uuid}, {"reference": "Observation/second"}, {"reference": "Observation/elsewhere"}, {}]
    made = bundle(*parts, contained=None, specimen=None, result=[*links[:3], {"display": "x"}])
    assert _values(read(made)) == [("6690-2", "6", "3", "9")] * 2


def test_the_first_entrys_resource_is_the_record_whatever_stands_before_it() -> None:
    made = bundle()
    made["entry"][0] = {
        "response": {"status": "200", "outcome": {"resourceType": "OperationOutcome", "issue": [_issue()]}},
        **made["entry"][0],
    }
    assert read(made).title == "血常规"


def _issue() -> JSON:
    return {"severity": "information", "code": "informational"}


@pytest.mark.parametrize(
    ("value", "uid"),
    [("urn:oid:1.2.840.1", "1.2.840.1"), ("1.2.840.1", "1.2.840.1"), ("urn:oid:" + "1.2" + "3" * 61, "1.2" + "3" * 61)],
)
def test_the_study_uid(value: str, uid: str) -> None:
    assert read(study(identifier=[{"value": "A1"}, {"system": "urn:dicom:uid", "value": value}])).study == uid


@pytest.mark.parametrize("value", ["x", "urn:oid:1.02", "1.2/../..", "1.2" + "3" * 62, "urn:uuid:1"])
def test_a_study_uid_that_is_none_is_refused(value: str) -> None:
    assert refused_at(study(identifier=[{"system": "urn:dicom:uid", "value": value}])) == ["/identifier/0/value"]


def test_a_study_without_uid_has_none_and_other_types_never_have() -> None:
    assert read(study(identifier=None)).study is None
    assert read(report(identifier=[{"system": "urn:dicom:uid", "value": "x"}])).study is None


def test_nothing_depends_on_the_clock_of_this_machine() -> None:
    assert refused_at(report()) == []
    past = NOW - timedelta(days=30)
    with pytest.raises(Exception, match="record-invalid"):
        read(report(), now=past)
