"""Messages over a real socket: kept once, corrected, refused with a reason; the connection lives on."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from api.records.mllp.framing import framed
from models.records import Summary
from tests.records.mllp.messages import msh, obr, obx, oru, pid, segment
from tests.records.mllp.place import Place, numbered, register
from tests.support.records import mark
from tests.support.service import Client, Service


async def test_aa_says_that_the_report_is_kept(place: Place) -> None:
    async with place.lab() as lab:
        said = await lab.send(oru(header=msh("M77", f18="UNICODE UTF-8")))
    assert (said["MSA-1"], said["MSA-2"], said["MSA-3"]) == ("AA", "M77", "")
    assert [said[f"MSH-{n}"] for n in (3, 4, 5, 6, 9, 11, 12, 18)] == [
        *("YIMA", "PLATFORM", "LIS", "LAB", "ACK^R01^ACK", "P", "2.5.1", "UNICODE UTF-8"),
    ]
    (kept,) = await place.records()
    assert (kept["kind"], kept["status"], kept["source"], kept["card_id"], kept["resolution_id"]) == (
        *("laboratory", "final", "mllp", None, None),
    )
    (resource,) = await place.resources()
    assert resource["subject"] == {"reference": "Patient/P001"}


async def test_a_gb18030_system_is_read_and_answered_in_gb18030(place: Place, hospital: Client) -> None:
    await register(place.service, hospital, "GB18030", facility="检验科")
    header = msh(f4="检验科", f18="GB 18030-2000")
    async with place.lab() as lab:
        said = await lab.send(
            oru(pid(), obr(f4="XCG^血常规^L"), obx(f2="ST", f5="未见异常𬱖"), header=header), "gb18030"
        )
        assert (said["MSA-1"], said["MSH-6"]) == ("AA", "检验科")
    (resource,) = await place.resources()
    assert resource["contained"][0]["valueString"] == "未见异常𬱖"


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.8.2"])
async def test_each_version_is_answered_in_its_own_way(place: Place, version: str) -> None:
    async with place.lab() as lab:
        said = await lab.send(oru(header=msh(f12=version, f9="ORU^R01")))
        bad = await lab.send(oru(obr(), obx(), header=msh(f12=version, f9="ORU^R01")))
    assert (said["MSA-1"], said["MSH-12"]) == ("AA", version)
    assert said["MSH-9"] == ("ACK^R01" if version < "2.4" else "ACK^R01^ACK")
    assert (bad["MSA-1"], "PID" in bad["MSA-3"], "ERR-3" in bad) == ("AE", True, version >= "2.5")


async def test_two_messages_in_one_packet_are_answered_in_order(place: Place) -> None:
    packet = b"".join(framed(oru(pid(), obr(f3=n), obx(), header=msh(n)).encode()) for n in ("M1", "M2"))
    async with place.lab() as lab:
        await lab.write(packet)
        assert [(one["MSA-1"], one["MSA-2"]) for one in (await lab.ack(), await lab.ack())] == [
            ("AA", "M1"),
            ("AA", "M2"),
        ]
    assert len(await place.records()) == 2


async def test_half_a_block_is_waited_for(place: Place) -> None:
    block = framed(oru(header=msh("M1")).encode())
    async with place.lab() as lab:
        await lab.write(block[:100])
        assert await lab.nothing()
        await lab.write(block[100:])
        assert (await lab.ack())["MSA-2"] == "M1"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_lf_for_cr_is_taken(place: Place, end: str) -> None:
    async with place.lab() as lab:
        assert (await lab.send(oru(pid(), obr(), obx(), end=end)))["MSA-1"] == "AA"
    assert len(await place.records()) == 1


BAD: list[tuple[str, bytes, str, str]] = [
    ("GB18030 sent as UTF-8", oru(pid(), obr(), obx(f2="ST", f5="阴性")).encode("gb18030"), "AE", "charset"),
    ("no PID", oru(obr(), obx()).encode(), "AE", "PID"),
    ("no OBR", oru(pid()).encode(), "AE", "OBR"),
    ("no MSH", b"PID|1||P001\r", "AR", "MSH"),
    ("nothing", b"", "AR", "MSH"),
    ("noise", bytes(range(128, 228)) * 20, "AR", "MSH"),
    ("a MSH cut short", b"MSH|^~", "AR", "MSH"),
    ("letters as delimiters", oru().replace("|", "x").encode(), "AR", "MSH"),
    ("another type", oru(header=msh(f9="ADT^A01")).encode(), "AR", "MSH-9"),
    ("another event", oru(header=msh(f9="ORU^R30")).encode(), "AR", "MSH-9"),
    ("a later version", oru(header=msh(f12="2.9")).encode(), "AR", "MSH-12"),
    ("training", oru(header=msh(f11="T")).encode(), "AR", "MSH-11"),
    ("no control id", oru(header=msh("")).encode(), "AR", "MSH-10"),
    ("a control id that is no text", oru(header=msh("M1")).encode().replace(b"M1", b"M\xfd"), "AR", "MSH-10"),
    ("an unknown number", oru(pid("P999"), obr(), obx()).encode(), "AR", "PID-3"),
    ("no number", oru(segment("PID", f1="1"), obr(), obx()).encode(), "AE", "PID-3"),
    ("a batch", b"BHS|^~\\&|LIS\r" + oru().encode(), "AR", "MSH"),
    ("NUL", oru(pid(), obr(), obx(f2="ST", f5="a\0b")).encode(), "AE", "charset"),
    (
        "a lone surrogate",
        oru(pid(), obr(), obx(f2="ST", f5="\ud800")).encode("utf-8", "surrogatepass"),
        "AE",
        "charset",
    ),
    ("a future date", oru(pid(), obr(f7="20991231"), obx()).encode(), "AE", "OBR-7"),
    ("the same order twice", oru(pid(), obr(), obx(), obr(), obx()).encode(), "AE", "OBR-3"),
    ("too many fields", oru(pid(), obr(), obx(f5="^" * 100_001)).encode(), "AR", "fields"),
]


@pytest.mark.parametrize(("what", "block", "code", "where"), BAD, ids=[one[0] for one in BAD])
async def test_bad_input_is_answered_and_the_connection_lives_on(
    place: Place, what: str, block: bytes, code: str, where: str
) -> None:
    async with place.lab() as lab:
        said = await lab.send(block)
        assert (said["MSA-1"], where in said["MSA-3"]) == (code, True), said
        assert await place.records() == []
        assert (await lab.send(oru()))["MSA-1"] == "AA"
    assert len(await place.records()) == 1


async def test_a_block_of_2_mib_is_taken_and_one_byte_more_is_not(place: Place) -> None:
    most = place.server.bounds.block
    rest = len(oru(pid(), obr(), obx(), "ZZZ|").encode()) + 1
    exact = oru(pid(), obr(), obx(), "ZZZ|" + "x" * (most - rest), header=msh("M1"))
    longer = oru(pid(), obr(), obx(), "ZZZ|" + "x" * (most - rest + 30), header=msh("M22"))
    async with place.lab() as lab:
        assert (await lab.send(longer))["MSA-1"] == "AR"
        exact = exact[:-1] + "x" * (most - len(exact.encode())) + "\r"
        assert len(exact.encode()) == most
        assert (await lab.send(exact))["MSA-1"] == "AA"
        said = await lab.send(exact[:-1] + "x\r")
        assert (said["MSA-1"], said["MSA-2"], "longer" in said["MSA-3"]) == ("AR", "M1", True)
    assert len(await place.records()) == 1


async def test_a_long_document_is_kept_whole(place: Place) -> None:
    data = base64.b64encode(bytes(range(256)) * 6000).decode()
    async with place.lab() as lab:
        said = await lab.send(oru(pid(), obr(), obx(), obx(f2="ED", f5=f"LIS^application^pdf^Base64^{data}")))
    assert said["MSA-1"] == "AA"
    (resource,) = await place.resources()
    assert resource["presentedForm"][0]["data"] == data


async def test_a_repeated_message_is_aa_again_and_not_kept_twice(place: Place) -> None:
    async with place.lab() as lab:
        first = await lab.send(oru(header=msh("M1", f7="20261120083000")))
        again = await lab.send(oru(header=msh("M1", f7="20261120083100"), end="\n"))
    async with place.lab() as lab:
        later = await lab.send(oru(header=msh("M1")))
    assert [one["MSA-1"] for one in (first, again, later)] == ["AA", "AA", "AA"]
    assert len(await place.records()) == 1


async def test_a_control_id_of_another_message_is_no_repetition(place: Place) -> None:
    async with place.lab() as lab:
        await lab.send(oru(header=msh("M1")))
        said = await lab.send(oru(pid(), obr(), obx(f5="7.1"), header=msh("M1")))
        assert (said["MSA-1"], "control id" in said["MSA-3"]) == ("AE", True)
        assert (await lab.send(oru(header=msh("M1", f3="OTHER"))))["MSA-1"] == "AA"  # another sender counts for itself


async def test_what_was_refused_may_be_sent_again_under_its_control_id(place: Place, hospital: Client) -> None:
    async with place.lab() as lab:
        assert (await lab.send(oru(pid("P002"), obr(), obx(), header=msh("M1"))))["MSA-1"] == "AR"
        await numbered(place.service, hospital, "P002")
        assert (await lab.send(oru(pid("P002"), obr(), obx(), header=msh("M1"))))["MSA-1"] == "AA"


async def test_a_message_sent_many_times_at_once_is_kept_once(place: Place) -> None:
    async def send() -> str:
        async with place.lab() as lab:
            return str((await lab.send(oru(header=msh("M1"))))["MSA-1"])

    assert set(await asyncio.gather(*(send() for _ in range(12)))) == {"AA"}
    assert len(await place.records()) == 1


async def test_a_correction_takes_the_place_of_what_it_corrects(place: Place) -> None:
    async with place.lab() as lab:
        for control_id, value, status in (("M1", "6.30", "P"), ("M2", "6.40", "F"), ("M3", "6.50", "C")):
            said = await lab.send(oru(pid(), obr(f25=status), obx(f5=value, f11=status), header=msh(control_id)))
            assert said["MSA-1"] == "AA"
    first, second, third = await place.records()
    assert [one["live"] for one in (first, second, third)] == [False, False, True]
    assert (second["replaces"], third["replaces"], second["superseded_by"]) == (first["id"], second["id"], third["id"])
    assert (third["status"], third["kind"]) == ("corrected", "laboratory")


async def test_a_report_that_comes_late_does_not_replace_what_was_sent_after_it(place: Place) -> None:
    async with place.lab() as lab:
        for sent, value, code in (("20261120090000", "6.50", "AA"), ("20261120085959", "6.40", "AR")):
            said = await lab.send(oru(pid(), obr(), obx(f5=value), header=msh(f7=sent)))
            assert said["MSA-1"] == code
        assert "later report" in said["MSA-3"]
        for sent in ("20261120090000", "20261120010001+0000", "", "20261120"):  # equal, later, and unknown ones replace
            assert (await lab.send(oru(pid(), obr(), obx(f5="6.60"), header=msh(f7=sent))))["MSA-1"] == "AA"
    assert [one["live"] for one in await place.records()] == [False, False, False, False, True]


async def test_a_number_that_is_no_fhir_id_names_the_patient_too(place: Place, hospital: Client) -> None:
    await numbered(place.service, hospital, "门诊 7/号")
    async with place.lab() as lab:
        assert (await lab.send(oru(pid("门诊 7/号"), obr(), obx())))["MSA-1"] == "AA"
    (resource,) = await place.resources()
    assert resource["subject"] == {"identifier": {"value": "门诊 7/号"}}


async def test_a_wrong_report_leaves_and_a_right_one_comes_anew(place: Place) -> None:
    async with place.lab() as lab:
        for status in ("F", "W", "F"):
            assert (await lab.send(oru(pid(), obr(f25=status if status == "F" else "C"), obx(f11=status))))[
                "MSA-1"
            ] == "AA"
    assert [(one["status"], one["live"]) for one in await place.records()] == [
        *(("final", False), ("entered-in-error", False), ("final", True)),
    ]


async def test_corrections_sent_at_once_leave_one_live(place: Place) -> None:
    async def send(n: int) -> str:
        async with place.lab() as lab:
            return str((await lab.send(oru(pid(), obr(), obx(f5=str(n)))))["MSA-1"])

    assert set(await asyncio.gather(*(send(n) for n in range(12)))) == {"AA"}
    found = await place.records()
    assert (len(found), sum(one["live"] for one in found)) == (12, 1)


async def test_the_same_order_of_another_service_is_another_record(place: Place) -> None:
    async with place.lab() as lab:
        for service in ("58410-2^血常规^LN", "K^血钾^L"):
            assert (await lab.send(oru(pid(), obr(f4=service), obx())))["MSA-1"] == "AA"
    assert [one["live"] for one in await place.records()] == [True, True]


async def test_all_groups_of_a_message_are_kept_or_none(place: Place) -> None:
    later = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y%m%d")
    async with place.lab() as lab:
        said = await lab.send(oru(pid(), obr(f3="F1"), obx(), obr(f3="F2", f7=later), obx()))
        assert (said["MSA-1"], said["ERR-2"]) == ("AE", "OBR^2^7")
        assert await place.records() == []
        assert (await lab.send(oru(pid(), obr(f3="F1"), obx(), obr(f3="F2"), obx())))["MSA-1"] == "AA"
    assert len(await place.records()) == 2


async def test_numbers_of_different_patients_are_refused(place: Place, hospital: Client) -> None:
    await numbered(place.service, hospital, "P002")
    both = segment("PID", f3="P001^^^LAB^MR~P002^^^LAB^PI")
    visit = segment("PID", f3="P002^^^LAB^VN~P001^^^LAB^MR")
    other = segment("PID", f3="P001^^^LAB^MR~11010519491231002X^^^^NI")
    async with place.lab() as lab:
        assert (await lab.send(oru(both, obr(), obx())))["MSA-1"] == "AE"
        assert (await lab.send(oru(other, obr(), obx())))["MSA-1"] == "AE"
        assert (await lab.send(oru(visit, obr(), obx())))["MSA-1"] == "AA"


async def test_another_hospitals_number_names_nobody_here(place: Place, service: Service) -> None:
    elsewhere = await service.client()
    await numbered(service, elsewhere, "Q1")
    async with place.lab() as lab:
        assert (await lab.send(oru(pid("Q1"), obr(), obx())))["MSA-1"] == "AR"


async def test_nothing_of_a_message_is_in_the_log(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with place.lab() as lab:
        await lab.send(oru(pid("P001", f5="绝密^姓名"), obr(f3="ORDER-9911"), obx(f5="77.123")))
        await lab.send(oru(pid("P-SECRET"), obr(f3="ORDER-9911"), obx(f5="77.123", f11="Q")))
    lines = [json.dumps({k: str(v) for k, v in one.__dict__.items()}, ensure_ascii=False) for one in caplog.records]
    assert sum('"name": "yima.mllp"' in line for line in lines) == 2
    found: Any = [
        word for word in ("绝密", "ORDER-9911", "77.123", "P-SECRET", "P001") if any(word in x for x in lines)
    ]
    assert found == []


async def test_results_of_marked_services_carry_the_hospitals_mark(place: Place, hospital: Client) -> None:
    given = mark("province", "430000", "湘HR", code="58410-2", name="血常规")
    await register(place.service, hospital, recognition=given)
    async with place.lab() as lab:
        await lab.send(oru())
        await lab.send(oru(pid(), obr(f3="F2", f4="XYZ^别的^L"), obx()))
    vault = place.service.services.vault
    shown = [vault.open_as(Summary, r["summary"], "records", "summary", r["id"]) for r in await place.records()]
    assert [msgspec.to_builtins(one.recognition) for one in shown] == [given, None]
