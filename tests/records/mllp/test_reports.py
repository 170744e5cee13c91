"""ORU^R01 groups as FHIR R4 DiagnosticReports: what is said, digit by digit and character by character."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from api.records.fhir import Who, read_resource
from api.records.mllp.charset import decode
from api.records.mllp.header import read_header
from api.records.mllp.parsing import parse, patient_numbers
from api.records.mllp.refused import Refused
from api.records.mllp.reports import Report, Sender, reports
from tests.records.mllp.messages import msh, obr, obx, oru, pid, segment

WHO = Who("P001", "a" * 64, "430102199001011234")
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def reports_of(text: str, charset: str = "UTF-8") -> list[Report]:
    block = text.encode({"UTF-8": "utf-8", "GB18030": "gb18030"}[charset])
    header = read_header(block, charset)
    assert header is not None
    sender = Sender("P001", "H43010200001", charset, header.part(7))
    return reports(parse(decode(block, charset, header.part(18)), header, charset), sender)


def report_of(*segments: str, charset: str = "UTF-8") -> dict[str, Any]:
    """The one report of a message; it keeps the rules of posted ones."""
    (made,) = reports_of(oru(pid(), *segments), charset)
    read_resource(made.raw, WHO, NOW)
    found: dict[str, Any] = json.loads(made.raw, parse_float=str, parse_int=str)
    return found


def result_of(**fields: str) -> dict[str, Any]:
    """The Observation of one OBX."""
    contained: list[dict[str, Any]] = report_of(obr(), obx(**fields))["contained"]
    return contained[0]


def refusal_of(*segments: str, header: str | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        reports_of(oru(*segments, header=header))
    return caught.value


def test_a_blood_count_is_a_laboratory_report_with_its_result() -> None:
    (made,) = reports_of(oru())
    facts = read_resource(made.raw, WHO, NOW)
    assert (facts.kind, facts.title, facts.status) == ("laboratory", "血常规", "final")
    assert facts.occurred_at == datetime(2026, 11, 19, 0, 15, tzinfo=UTC)
    (one,) = facts.observed
    assert (one.code, one.value, one.unit, one.low, one.high, one.flag) == (
        *("6690-2", "6.30", "10*9/L", "3.5", "9.5", "N"),
    )


def test_chinese_in_gb18030_comes_out_as_it_went_in() -> None:
    found = report_of(obr(f4="XCG^血常规（五分类）^L"), obx(f2="ST", f5="未见异常𬱖"), charset="GB18030")
    assert found["code"]["text"] == "血常规（五分类）"
    assert found["contained"][0]["valueString"] == "未见异常𬱖"


@pytest.mark.parametrize(
    ("sent", "value", "comparator"),
    [
        ("6.30", "6.30", None),
        ("+06.30", "6.30", None),
        ("-0.50", "-0.50", None),
        ("0.10000000000000000001", "0.10000000000000000001", None),
        (".5", "0.5", None),
        ("5.", "5", None),
        ("1.20e3", "1.20e3", None),
        ("<0.50", "0.50", "<"),
        ("≥100", "100", ">="),
        ("＞ 9", "9", ">"),
    ],
)
def test_numbers_keep_their_digits(sent: str, value: str, comparator: str | None) -> None:
    found = result_of(f5=sent)["valueQuantity"]
    assert (found["value"], found.get("comparator")) == (value, comparator)


@pytest.mark.parametrize("sent", ["阴性", "1:128", "6,30", "6.30 H", "9" * 60, "1e999"])
def test_what_is_no_number_is_kept_as_text(sent: str) -> None:
    assert result_of(f5=sent)["valueString"] == sent


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"f2": "SN", "f5": "<^0.50"}, {"valueQuantity": {"comparator": "<", "value": "0.50"}}),
        ({"f2": "SN", "f5": "^1^-^2.0"}, {"valueRange": {"low": {"value": "1"}, "high": {"value": "2.0"}}}),
        (
            {"f2": "SN", "f5": "^1^:^128"},
            {"valueRatio": {"numerator": {"value": "1"}, "denominator": {"value": "128"}}},
        ),
        ({"f2": "SN", "f5": "^3^+"}, {"valueString": "^3^+"}),
        ({"f2": "ST", "f5": "A & B ^ C"}, {"valueString": "A & B ^ C"}),
        ({"f2": "TX", "f5": "第一行~第二行"}, {"valueString": "第一行\n第二行"}),
        ({"f2": "FT", "f5": "一\\.br\\二\\F\\三\\E\\"}, {"valueString": "一\n二|三\\"}),
        (
            {"f2": "CWE", "f5": "260385009^阴性^SCT"},
            {
                "valueCodeableConcept": {
                    "coding": [{"system": "http://snomed.info/sct", "code": "260385009", "display": "阴性"}],
                    "text": "阴性",
                }
            },
        ),
        ({"f2": "CE", "f5": "阳性"}, {"valueCodeableConcept": {"text": "阳性"}}),
        ({"f2": "DT", "f5": "20261119"}, {"valueDateTime": "2026-11-19"}),
        ({"f2": "TS", "f5": "202611190815"}, {"valueDateTime": "2026-11-19T08:15:00+08:00"}),
        ({"f2": "TM", "f5": "0815"}, {"valueTime": "08:15:00"}),
        ({"f2": "DT", "f5": "20261319"}, {"valueString": "20261319"}),
        ({"f2": "RP", "f5": "http://10.0.0.1/a^APP"}, {"valueString": "http://10.0.0.1/a^APP"}),
        ({"f2": "NM", "f5": "1~2"}, {"valueString": "1\n2"}),
        ({"f5": '""'}, {}),
        ({"f5": ""}, {}),
    ],
)
def test_values_by_their_type(fields: dict[str, str], value: dict[str, Any]) -> None:
    found = result_of(f6="", **fields)
    assert {name: one for name, one in found.items() if name.startswith("value")} == value


@pytest.mark.parametrize(
    ("sent", "unit"),
    [
        ("10*9/L^10\\S\\9/L^UCUM", {"unit": "10^9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L"}),
        ("g/L^克每升^UCUM", {"unit": "克每升", "system": "http://unitsofmeasure.org", "code": "g/L"}),
        ("mmol/L", {"unit": "mmol/L"}),
        ("10^9/L", {"unit": "10^9/L"}),
        ("×10^12/L", {"unit": "×10^12/L"}),
        ("", {}),
    ],
)
def test_units(sent: str, unit: dict[str, str]) -> None:
    found = result_of(f6=sent)["valueQuantity"]
    assert {name: one for name, one in found.items() if name != "value"} == unit


@pytest.mark.parametrize(
    ("sent", "low", "high"),
    [
        ("3.5-9.5", "3.5", "9.5"),
        ("3.50 - 9.50", "3.50", "9.50"),
        ("3.5~9.5", "3.5", "9.5"),
        ("3.5--9.5", "3.5", "9.5"),
        ("-2.0-3.0", "-2.0", "3.0"),
        ("<5", None, "5"),
        ("≤5.0", None, "5.0"),
        (">10", "10", None),
        ("9-3", None, None),
        ("阴性", None, None),
    ],
)
def test_reference_ranges(sent: str, low: str | None, high: str | None) -> None:
    (found,) = result_of(f7=sent)["referenceRange"]
    assert (found.get("low", {}).get("value"), found.get("high", {}).get("value")) == (low, high)
    assert found["text"] == sent


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [("H", "H", None), ("↑", "H", "↑"), ("hh", "HH", "hh"), ("偏高", None, "偏高"), ("HM", None, "HM")],
)
def test_flags(sent: str, code: str | None, text: str | None) -> None:
    (found,) = result_of(f8=sent)["interpretation"]
    assert ([one["code"] for one in found.get("coding", [])], found.get("text")) == ([code] if code else [], text)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        *(("F", "final"), ("C", "corrected"), ("P", "preliminary"), ("R", "preliminary"), ("A", "amended")),
        *(("X", "cancelled"), ("W", "entered-in-error"), ("I", "registered"), ("V", "final"), ("", "final")),
    ],
)
def test_result_statuses(sent: str, status: str) -> None:
    assert result_of(f11=sent)["status"] == status


def test_a_deleted_result_is_left_out_and_a_wrong_one_has_no_value() -> None:
    found = report_of(obr(), obx(f1="1", f11="D"), obx(f1="2", f11="W"), obx(f1="3", f5="7.1"))
    wrong, good = found["contained"]
    assert ("valueQuantity" in wrong, wrong["dataAbsentReason"]["coding"][0]["code"]) == (False, "error")
    assert good["valueQuantity"]["value"] == "7.1"
    assert found["status"] == "corrected"


def test_a_report_whose_results_are_all_wrong_is_entered_in_error() -> None:
    assert report_of(obr(), obx(f11="W"), obx(f11="D"))["status"] == "entered-in-error"


@pytest.mark.parametrize(
    ("obr_25", "results", "status"),
    [
        *(("F", ["F"], "final"), ("F", ["F", "C"], "corrected"), ("", ["F", "P"], "preliminary"), ("", ["F"], "final")),
        *(("", [], "registered"), ("P", ["F"], "preliminary"), ("C", ["F"], "corrected"), ("A", ["F"], "partial")),
        *(("O", [], "registered"), ("X", ["X"], "cancelled"), ("R", ["F"], "partial")),
        *(("A", ["F", "D"], "partial"), ("", ["P", "D"], "corrected"), ("P", ["D", "P"], "preliminary")),
    ],
)
def test_report_statuses(obr_25: str, results: list[str], status: str) -> None:
    found = report_of(obr(f25=obr_25), *(obx(f11=one) for one in results))
    assert found["status"] == status


@pytest.mark.parametrize(
    ("sent", "at"),
    [
        ("20261119", "2026-11-19"),
        ("202611", "2026-11"),
        ("2026", "2026"),
        ("2026111908", "2026-11-19T08:00:00+08:00"),
        ("202611190815", "2026-11-19T08:15:00+08:00"),
        ("20261119081530.1234-0500", "2026-11-19T08:15:30.1234-05:00"),
    ],
)
def test_times_are_shanghais_where_they_have_no_zone(sent: str, at: str) -> None:
    assert report_of(obr(f7=sent), obx())["effectiveDateTime"] == at


@pytest.mark.parametrize("sent", ["2026-11-19", "20261319", "20260230", "202611192515", "now", "0000", "２０２６"])
def test_what_is_no_time_is_refused_with_its_field(sent: str) -> None:
    refused = refusal_of(pid(), obr(f7=sent), obx())
    assert (refused.code, refused.place) == ("AE", ("OBR", 1, 7))


def test_the_specimen_has_its_kind_and_time() -> None:
    spm = segment("SPM", f1="1", f4="BLD^全血^HL70487", f17="20261119070000", f18="20261119073000")
    found = report_of(obr(), obx(), spm)
    assert found["contained"][0]["collection"] == {"collectedDateTime": "2026-11-19T07:00:00+08:00"}
    assert found["specimen"] == [{"reference": "#specimen-1"}]
    old = report_of(obr(f15="SER&血清&L^^^"), obx())
    assert old["contained"][0]["type"]["text"] == "血清"
    (made,) = reports_of(oru(pid(), obr(), obx(), spm))
    assert read_resource(made.raw, WHO, NOW).sampled_at == datetime(2026, 11, 18, 23, tzinfo=UTC)


def test_notes_go_with_what_they_stand_behind() -> None:
    note = "NTE|1||{}".format
    found = report_of(
        note("of the patient"),
        "PV1|1|O",
        note("of nothing read"),
        obr(),
        note("标本溶血"),
        obx(),
        note("复查\\.br\\确认"),
    )
    assert found["conclusion"] == "标本溶血"
    assert found["contained"][0]["note"] == [{"text": "复查\n确认"}]


def test_a_document_goes_with_the_report() -> None:
    data = base64.b64encode(b"%PDF-1.7 " + bytes(range(256))).decode()
    found = report_of(obr(), obx(f2="ED", f3="PDF^检验报告单", f5=f"LIS^application^pdf^Base64^{data}"))
    assert found["presentedForm"] == [{"contentType": "application/pdf", "data": data, "title": "检验报告单"}]
    assert refusal_of(pid(), obr(), obx(f2="ED", f5="LIS^application^pdf^Base64^%%%")).place == ("OBX", 1, 5)


def test_hex_escapes_are_bytes_of_the_charset() -> None:
    assert result_of(f2="ST", f5="\\XE6B5\\\\X8B\\ok")["valueString"] == "测ok"
    block = "\\X" + "测".encode("gb18030").hex().upper() + "\\"
    assert report_of(obr(), obx(f2="ST", f5=block), charset="GB18030")["contained"][0]["valueString"] == "测"
    assert "charset" in refusal_of(pid(), obr(), obx(f2="ST", f5="\\XFF\\")).text
    assert "charset" in refusal_of(pid(), obr(), obx(f2="ST", f5="\\X00\\")).text
    assert "charset" in refusal_of(pid(), obr(), obx(f2="ST", f5="\\C2842\\")).text


@pytest.mark.parametrize("text", ["C:\\temp\\x", "50\\", "\\Zlocal\\", "\\\\", "\\.sp999999999\\"])
def test_what_is_no_escape_stays_as_it_was_sent(text: str) -> None:
    assert result_of(f2="ST", f5=text)["valueString"] == text


def test_other_delimiters_are_honoured() -> None:
    text = oru().replace("^~\\&", "@*!$").replace("^", "@").replace("|", "#")
    (made,) = reports_of(text.replace("血常规", "血!S!常!F!规|^"))
    assert json.loads(made.raw)["code"]["text"] == "血@常#规|^"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_any_line_end_ends_a_segment(end: str) -> None:
    (made,) = reports_of(oru(pid(), obr(), obx(), end=end))
    assert len(json.loads(made.raw)["result"]) == 1


def test_each_group_is_a_report_of_its_own() -> None:
    made = reports_of(oru(pid(), obr(f3="F1"), obx(), "ORC|RE||F2", obr(f3="", f4="K^血钾^L"), obx()))
    first, second = (json.loads(one.raw) for one in made)
    assert (first["identifier"][0]["value"], second["identifier"][0]["value"]) == ("F1", "F2")
    assert set(made[0].orders).isdisjoint(made[1].orders)


def test_the_order_that_a_correction_is_found_by() -> None:
    def orders(**fields: str) -> tuple[str, ...]:
        (made,) = reports_of(oru(pid(), obr(**fields), obx()))
        return made.orders

    assert orders() == orders(f25="C")
    assert orders(f2="P1")[0] == orders(f2="P2")[0] == orders()[0]  # the filler's number goes first
    assert orders(f3="", f2="P1") == orders(f2="P1")[1:]
    assert orders(f3="", f2="P1") != orders(f3="P1")  # the placer's is another kind of number
    assert orders() != orders(f4="K^血钾^L")
    assert orders(f3="", f2="") == ()


def test_radiology_is_no_laboratory() -> None:
    (made,) = reports_of(oru(pid(), obr(f24="RAD"), obx()))
    assert read_resource(made.raw, WHO, NOW).kind == "examination"


def test_pid_3_repeats() -> None:
    assert numbers_of("V9^^^LAB^VN~430102199001011234^^^^NI~P7^^^LAB^MR~P8") == ["P7", "P8"]


def numbers_of(field: str) -> list[str]:
    block = oru(segment("PID", f3=field), obr(), obx()).encode()
    header = read_header(block, "UTF-8")
    assert header is not None
    return patient_numbers(parse(block.decode(), header, "UTF-8").pid)


@pytest.mark.parametrize("kind", ["", "MR", "MRT", "pi", "PT", "PN", "PE"])
def test_a_number_that_a_hospital_gives_its_patients_is_one(kind: str) -> None:
    assert numbers_of(f"P7^^^LAB^{kind}") == ["P7"]


@pytest.mark.parametrize("kind", ["EN", "EI", "VN", "AN", "SS", "NI", "DR", "PRN", "XX", "门诊"])
def test_a_number_of_another_kind_names_no_patient(kind: str) -> None:
    with pytest.raises(Refused) as caught:
        numbers_of(f"P7^^^LAB^{kind}")
    assert (caught.value.code, caught.value.place) == ("AE", ("PID", 1, 3))
    assert numbers_of(f"P7^^^HR^{kind}~P8^^^LAB^MR") == ["P8"]


@pytest.mark.parametrize(
    "field",
    [
        "P7^^^HIS^PI~P8^^^OTHERHOSP^MR",
        "P7^^^HIS^PI~P7^^^OTHERHOSP^MR",
        "P7~P8^^^OTHERHOSP^MR",
        "P7^^^A&1.2&ISO^MR~P8^^^A&1.3&ISO^MR",
        "~".join(f"P{n}" for n in range(11)),
    ],
)
def test_numbers_of_several_authorities_or_too_many_are_refused(field: str) -> None:
    with pytest.raises(Refused) as caught:
        numbers_of(field)
    assert (caught.value.code, caught.value.place) == ("AE", ("PID", 1, 3))


@pytest.mark.parametrize(
    ("segments", "code", "place"),
    [
        ((obr(), obx()), "AE", ("PID", 1, 0)),
        ((pid(), pid(), obr(), obx()), "AE", ("PID", 2, 0)),
        ((pid(), obx(), obr()), "AE", ("OBX", 1, 0)),
        ((pid(), "ORC|RE"), "AE", ("OBR", 1, 0)),
        ((pid(), obr(f4=""), obx()), "AE", ("OBR", 1, 4)),
        ((pid(), obr(f7="", f22=""), obx()), "AE", ("OBR", 1, 7)),
        ((pid(), obr(f25="Y"), obx()), "AE", ("OBR", 1, 25)),
        ((pid(), obr(), obx(), obx(f3="")), "AE", ("OBX", 2, 3)),
        ((pid(), obr(), obx(f11="U")), "AE", ("OBX", 1, 11)),
        ((pid(), obr(), obx(f11="Q")), "AE", ("OBX", 1, 11)),
        ((pid(), obr(), obx(), obr(), obx()), "AE", ("OBR", 2, 3)),
        ((pid(), obr(f2="P1"), obx(), obr(f2="P1", f3=""), obx()), "AE", ("OBR", 1, 3)),
        ((pid(), *(part for n in range(201) for part in (obr(f3=f"F{n}"), obx()))), "AE", ("OBR", 201, 0)),
        ((pid(), obr(), "not a segment", obx()), "AE", None),
        ((pid(), msh(), pid()), "AR", ("MSH", 2, 0)),
        *(((pid(), obr(), obx(f5=one * 100_001)), "AR", None) for one in "|^~&\\"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    segments: tuple[str, ...], code: str, place: tuple[str, int, int] | None
) -> None:
    refused = refusal_of(*segments)
    assert (refused.code, refused.place) == (code, place)


def test_a_report_of_over_1_mib_is_refused_unless_a_document_makes_it() -> None:
    data = base64.b64encode(bytes(1_300_000)).decode()
    (made,) = reports_of(oru(pid(), obr(), obx(), obx(f2="ED", f5=f"LIS^application^pdf^Base64^{data}")))
    assert json.loads(made.raw)["presentedForm"][0]["data"] == data
    assert read_resource(made.checked, WHO, NOW).observed[0].value == "6.30"
    assert refusal_of(pid(), obr(), obx(f2="ST", f5="x" * 1024 * 1024)).code == "AR"


def test_refusals_do_not_quote() -> None:
    secret = "SECRET-430102199001011234"
    for segments in (
        (pid(secret), obr(f7=secret), obx()),
        (pid(), obr(f25=secret), obx()),
        (pid(), obr(), obx(f11=secret)),
        (pid(), secret, obr()),
        (pid(), obr(), obx(f2="ED", f5=f"{secret}^^^{secret}^{secret}")),
        (pid(), obr(), obx(f5=f"\\M{secret}\\"), secret),
    ):
        assert secret not in refusal_of(*segments).said
