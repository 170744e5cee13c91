"""An order from its first report to its last: one is live, and it is the one that the laboratory or hospital meant."""

from typing import Any

import pytest

from tests.records.mllp.laboratory import Laboratory
from tests.records.mllp.messages import msh, obr, obx, oru, pid
from tests.records.mllp.place import Place, numbered
from tests.support import records
from tests.support.service import Client

OF_ANOTHER = "the order is of another patient: withdraw it there first"
MISSING = "results of the earlier report are missing: send the whole report, or mark them D"
HEMOGLOBIN = obx(f3="718-7^血红蛋白^LN", f5="140", f6="g/L", f7="130-175")


def report(
    status: str = "F", sent: str = "10", *, number: str = "P001", value: str = "6.30", notes: str = "", **of: str
) -> str:
    """A report sent at that hour ("": it does not say when), all its results having this status."""
    results = [obx(f5=value, f11=status), *([notes] if notes else [])]
    header = msh(f7=f"20261120{sent}0000" if sent else "")
    return oru(pid(number), obr(f25="C" if status == "W" else status, **of), *results, header=header)


async def told(lab: Laboratory, message: str) -> str:
    """The code of the acknowledgement."""
    return str((await lab.send(message))["MSA-1"])


async def live(place: Place) -> list[tuple[str, str]]:
    """Status and value of the live records, oldest first."""
    both = zip(await place.records(), await place.resources(), strict=True)
    return [(r["status"], str(one["contained"][0]["valueQuantity"]["value"])) for r, one in both if r["live"]]


@pytest.fixture
async def moved(place: Place, hospital: Client) -> list[Any]:
    """P001's order N1, and the number given to somebody else behind it."""
    async with place.lab() as lab:
        assert await told(lab, report(f3="N1")) == "AA"
    kept = await place.records()
    # P0 has another number by now, which changes nothing here.
    await place.service.sql("DELETE FROM patient_numbers WHERE hospital_id = $1", hospital.hospital_id)
    await numbered(place.service, hospital, "P001")
    return kept


async def test_a_correction_does_not_follow_a_number_to_somebody_else(place: Place, moved: list[Any]) -> None:
    async with place.lab() as lab:
        said = await lab.send(report("C", "11", f3="N1", value="7.1"))
    assert (said["MSA-1"], said["MSA-3"]) == ("AE", f"OBR-3: {OF_ANOTHER}")
    assert [(one["id"], one["live"]) for one in await place.records()] == [(moved[0]["id"], True)]


async def test_an_order_is_withdrawn_where_it_is_and_then_kept_for_the_other(place: Place, moved: list[Any]) -> None:
    async with place.lab() as lab:
        assert await told(lab, report("W", "09", f3="N1")) == "AR"  # sent before what it would withdraw
        assert await told(lab, report("W", "11", f3="N1", notes="NTE|1||属于别人")) == "AA"
        assert await told(lab, report("C", "10", f3="N1", value="7.1")) == "AA"
    first, withdrawn, other = await place.records()
    assert (withdrawn["person_id"], withdrawn["replaces"], withdrawn["status"]) == (
        *(first["person_id"], first["id"], "entered-in-error"),
    )
    assert [one["live"] for one in (first, withdrawn, other)] == [False, False, True]
    assert other["person_id"] != first["person_id"]
    _, said, _ = await place.resources()
    assert set(said) == {
        *("resourceType", "meta", "identifier", "status", "category", "code", "effectiveDateTime"),
        "subject",
    }
    assert said["subject"]["reference"] != "Patient/P001"  # which is the other's number by now


async def test_an_order_that_was_sent_for_the_wrong_patient_is_live_once(place: Place, hospital: Client) -> None:
    await numbered(place.service, hospital, "P002")
    async with place.lab() as lab:
        assert await told(lab, report(sent="10", number="P002")) == "AA"
        assert await told(lab, report("C", "11")) == "AE"
        assert await told(lab, report("W", "12", number="P002")) == "AA"
        assert await told(lab, report("C", "11")) == "AA"  # the same again, after what it was told to do first
        assert await told(lab, report("F", "11", number="P002")) == "AE"
    found = await place.records()
    assert [one["live"] for one in found] == [False, False, True]
    assert found[0]["person_id"] == found[1]["person_id"] != found[2]["person_id"]


async def test_a_withdrawn_result_comes_back_by_a_later_message_only(place: Place) -> None:
    async with place.lab() as lab:
        assert [await told(lab, report(*one)) for one in (("F", "10"), ("W", "12"), ("F", "11"))] == ["AA", "AA", "AR"]
        assert await live(place) == []
        assert await told(lab, report("F", "13", value="6.50")) == "AA"
    found = await place.records()
    assert await live(place) == [("final", "6.5")]
    assert found[2]["replaces"] == found[1]["id"]


async def test_a_withdrawal_that_comes_before_its_result_holds(place: Place) -> None:
    async with place.lab() as lab:
        assert [await told(lab, report(*one)) for one in (("W", "12"), ("F", "10"), ("P", "11"))] == ["AA", "AR", "AR"]
    assert await live(place) == []


@pytest.mark.parametrize("by_hand", ["entered-in-error", "corrected"])
async def test_what_the_hospital_corrected_itself_is_not_overruled(
    place: Place, hospital: Client, by_hand: str
) -> None:
    me = await records.patient(place.service)
    window = await me.scanned(hospital)
    path = f"/v1/hospital/resolutions/{window.resolution_id}/patient-number"
    await place.service.http.put(path, headers=window.headers, json={"patient_number": "P007"})
    async with place.lab() as lab:
        assert await told(lab, report(number="P007", f2="B1")) == "AA"
        (first,) = await place.records()
        await window.posted(records.lab(status=by_hand, value="5.00"), replaces=str(first["id"]))
        before = await live(place)
        for message in (
            report("F", "11", number="P007"),
            report("C", "12", number="P007", f2="B1"),
            report("W", "13", number="P007"),
        ):
            said = await lab.send(message)
            assert (said["MSA-1"], "corrected by the hospital" in said["MSA-3"]) == ("AR", True)
    assert await live(place) == before
    assert len(before) == (by_hand == "corrected")


async def test_of_two_sent_at_once_a_final_one_does_not_become_preliminary(place: Place) -> None:
    async with place.lab() as lab:
        for status, sent, code in (
            *(("P", "10", "AA"), ("F", "10", "AA"), ("P", "10", "AR"), ("C", "10", "AA"), ("P", "10", "AR")),
            *(("I", "10", "AR"), ("A", "10", "AR"), ("P", "", "AR"), ("P", "11", "AA")),
        ):
            assert await told(lab, report(status, sent)) == code, (status, sent)
    assert [one for one, _ in await live(place)] == ["preliminary"]


async def test_an_order_known_by_the_placers_number_is_found_when_it_has_the_fillers(place: Place) -> None:
    async with place.lab() as lab:
        for value, numbers in (
            ("6.1", {"f2": "B1", "f3": ""}),
            ("6.2", {"f2": "B1", "f3": "N1"}),
            ("6.3", {"f2": "B1", "f3": ""}),
            ("6.4", {"f3": "N1"}),
        ):
            assert await told(lab, report(value=value, **numbers)) == "AA"
        assert await live(place) == [("final", "6.4")]
        assert await told(lab, report(value="6.5", f2="B1", f3="N2")) == "AA"  # another of the same placer's order
    assert [value for _, value in await live(place)] == ["6.4", "6.5"]


async def test_a_number_used_again_after_months_is_another_order(place: Place) -> None:
    async with place.lab() as lab:
        assert await told(lab, report(value="6.1", f7="20260301081500")) == "AA"
        assert await told(lab, report(value="6.2")) == "AA"
        assert [value for _, value in await live(place)] == ["6.1", "6.2"]
        assert await told(lab, report("C", "11", value="6.3", f7="20260302")) == "AA"  # a correction finds its own
        assert await told(lab, report("C", "11", value="6.4", f7="20260921081500")) == "AA"  # 59 days off
    assert sorted(value for _, value in await live(place)) == ["6.3", "6.4"]


async def test_a_correction_of_one_result_does_not_lose_the_others(place: Place) -> None:
    async with place.lab() as lab:
        assert await told(lab, report("P", "09", notes=HEMOGLOBIN)) == "AA"
        said = await lab.send(report("C", "10", value="6.40"))
        assert (said["MSA-1"], said["ERR-2"], said["ERR-8"]) == ("AE", "OBR^1", f"OBR: {MISSING}")
        assert await told(lab, report("F", "10")) == "AE"
        assert len(await place.records()) == 1
        assert await told(lab, report("C", "10", value="6.40", notes=HEMOGLOBIN)) == "AA"
        assert await told(lab, report("C", "11", notes=HEMOGLOBIN.replace("|F", "|D"))) == "AA"
        assert await told(lab, report("C", "12", value="6.50")) == "AA"  # what was deleted is not missing
        assert await told(lab, report("C", "12", notes=HEMOGLOBIN.replace("|F", "|W"))) == "AA"
        assert await told(lab, report("C", "12", value="6.50")) == "AA"  # nor what was wrong
        assert await told(lab, report("W", "13", notes=HEMOGLOBIN.replace("|F", "|W"))) == "AA"
        assert await told(lab, report("F", "14", value="6.60")) == "AA"
    assert await live(place) == [("final", "6.6")]


async def test_a_message_of_200_reports_is_kept_and_one_of_more_is_not(place: Place) -> None:
    groups = [part for n in range(201) for part in (obr(f2=f"B{n}", f3=f"N{n}"), obx())]
    async with place.lab() as lab:
        said = await lab.send(oru(pid(), *groups))
        assert (said["MSA-1"], said["ERR-2"]) == ("AE", "OBR^201")
        assert await told(lab, oru(pid(), *groups[:400])) == "AA"
    assert len(await place.records()) == 200
    assert len(await live(place)) == 200


async def test_a_number_that_begins_anew_each_day_is_each_days_own(place: Place, hospital: Client) -> None:
    await numbered(place.service, hospital, "P002")
    async with place.lab() as lab:
        assert await told(lab, report(value="6.1", f3="0001", f7="20261118081500")) == "AA"
        assert await told(lab, report(value="6.2", f3="0001", f7="20261119081500")) == "AA"
        assert await told(lab, report(value="6.3", f3="0001", f7="20261120071500", number="P002")) == "AA"
        assert await told(lab, report("C", "12", value="6.25", f3="0001", f7="20261119081500")) == "AA"
    assert [value for _, value in await live(place)] == ["6.1", "6.3", "6.25"]
