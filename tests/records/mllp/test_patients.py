"""Whose a message is: the person of the hospital's own number, and nobody whom PID contradicts."""

import pytest

from tests.records.mllp.messages import obr, obx, oru, pid, segment
from tests.records.mllp.place import Place, numbered
from tests.support.service import Client


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("ZZ123^^^HIS^PI~P001^^^HIS^MR", "AE"),
        ("P001^^^HIS^MR~ZZ123^^^HIS^PI", "AE"),
        ("ZZ123^^^HIS^PI~P001^^^OTHERHOSP^MR", "AE"),
        ("ZZ123^^^HIS^PI~P001^^^HR^EN", "AR"),
        ("ZZ123^^^HIS^PI~ZZ124^^^HIS^MR", "AR"),
        ("P001^^^HR^EN", "AE"),
        ("ZZ123^^^HR^EN~P001^^^HIS^MR", "AA"),
    ],
)
async def test_each_number_that_may_name_a_patient_names_the_same(place: Place, field: str, code: str) -> None:
    async with place.lab() as lab:
        said = await lab.send(oru(segment("PID", f3=field), obr(), obx()))
    assert (said["MSA-1"], code == "AA" or "PID-3" in said["MSA-3"]) == (code, True)
    assert len(await place.records()) == (code == "AA")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"f7": "19450101", "f8": "F"}, "PID-7"),
        ({"f7": "19880619"}, "PID-7"),
        ({"f7": "1988-06-19"}, "PID-7"),
        ({"f7": "198807"}, "PID-7"),
        ({"f7": "1987"}, "PID-7"),
        ({"f7": "19880619081500+0800"}, "PID-7"),
        ({"f7": "19880618", "f8": "F"}, "PID-8"),
        ({"f8": "f"}, "PID-8"),
    ],
)
async def test_a_person_of_another_birthday_or_sex_is_another(place: Place, fields: dict[str, str], where: str) -> None:
    async with place.lab() as lab:
        said = await lab.send(oru(pid(**fields), obr(), obx()))
    assert (said["MSA-1"], where in said["MSA-3"]) == ("AE", True), said
    assert not any(value in said["MSA-3"] for value in ("1988", "1945"))
    assert await place.records() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"f7": "19880618", "f8": "M"},
        {"f7": "198806180815", "f8": "U"},
        {"f7": "1988-06-18", "f8": '""'},
        {"f7": "198806"},
        {"f7": "1988"},
        {"f7": "38岁"},
        {"f5": "LIN^ZHIXIA"},
    ],
)
async def test_what_agrees_or_says_nothing_is_kept(place: Place, fields: dict[str, str]) -> None:
    async with place.lab() as lab:
        assert (await lab.send(oru(pid(**fields), obr(), obx())))["MSA-1"] == "AA"


async def test_of_a_person_whose_document_tells_neither_nothing_is_contradicted(place: Place, hospital: Client) -> None:
    await numbered(place.service, hospital, "P003", document=("03", "E55512378"))
    async with place.lab() as lab:
        assert (await lab.send(oru(pid("P003", f7="19450101", f8="F"), obr(), obx())))["MSA-1"] == "AA"
