"""Transaction 1101: only ever the person who was asked for."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from api.problems import INSURANCE_REFUSED, UPSTREAM_FAILED, Kind
from api.sandbox import PEOPLE, SandboxSecrets
from api.upstream.http import Http
from api.upstream.insurer import InsuredPerson, Insurer, InsurerConfig
from codes.insurance import parse_insurance
from tests.upstream.outside import CHILD, ME, OTHER, Clients, Sandbox, clients, document, insurance, outcome, raw, told


async def test_everybodys_own_insurance_is_confirmed(ours: Clients) -> None:
    for person in PEOPLE:
        found = await ours.insurer.person(insurance(person), person.name, document(person))
        assert (found.psn_no, found.name, found.gender) == (person.psn_no, person.name, person.gender)
        assert found.birthday == person.birthday
        assert [(one.insutype, one.area) for one in found.insurances] == [(person.insutype, person.insurance.area)]
    assert found.insurances[0].kind == "resident"
    assert CHILD.birthday == date(2018, 5, 20)


async def test_anothers_number_name_or_area_is_refused(ours: Clients) -> None:
    mine, theirs = insurance(ME), insurance(OTHER)
    assert await outcome(ours.insurer.person(theirs, ME.name, document(ME))) is INSURANCE_REFUSED
    assert await outcome(ours.insurer.person(mine, OTHER.name, document(ME))) is INSURANCE_REFUSED
    assert await outcome(ours.insurer.person(mine, ME.name, document(OTHER))) is INSURANCE_REFUSED
    elsewhere = parse_insurance(mine.type, mine.number, "110101")
    assert await outcome(ours.insurer.person(elsewhere, ME.name, document(ME))) is INSURANCE_REFUSED
    unknown = parse_insurance("03", "Z99999999", "430102")
    assert await outcome(ours.insurer.person(unknown, ME.name, document(ME))) is INSURANCE_REFUSED


LIES: list[tuple[dict[str, Any], Kind]] = [
    ({"psn_name": OTHER.name}, INSURANCE_REFUSED),
    ({"psn_name": ""}, INSURANCE_REFUSED),
    ({"psn_name": None}, UPSTREAM_FAILED),
    ({"certno": OTHER.id_number}, INSURANCE_REFUSED),
    ({"gend": "1"}, UPSTREAM_FAILED),
    ({"gend": "9"}, UPSTREAM_FAILED),
    ({"brdy": "1999-01-01"}, UPSTREAM_FAILED),
    ({"brdy": "yesterday"}, UPSTREAM_FAILED),
    ({"psn_no": ""}, UPSTREAM_FAILED),
    ({"psn_no": 4301}, UPSTREAM_FAILED),
    ({"insuinfo": []}, INSURANCE_REFUSED),
    ({"insuinfo": None}, UPSTREAM_FAILED),
    ({"insuplc_admdvs": "110101"}, INSURANCE_REFUSED),
    ({"insuplc_admdvs": "43"}, INSURANCE_REFUSED),
    ({"baseinfo": None}, UPSTREAM_FAILED),
    ({"output": None}, UPSTREAM_FAILED),
    ({"output": []}, UPSTREAM_FAILED),
    ({"infcode": -1}, INSURANCE_REFUSED),
    ({"infcode": "-1"}, INSURANCE_REFUSED),
    ({"infcode": 500}, UPSTREAM_FAILED),
    ({"infcode": None}, UPSTREAM_FAILED),
    ({"infcode": "success"}, UPSTREAM_FAILED),
    ({"msgid": "H43010200001" + "0" * 18}, UPSTREAM_FAILED),
    ({"inf_refmsgid": "H43010200001" + "0" * 18}, UPSTREAM_FAILED),
]


@pytest.mark.parametrize(("lie", "kind"), LIES)
async def test_a_bent_answer_confirms_nothing(sandbox: Sandbox, ours: Clients, lie: dict[str, Any], kind: Kind) -> None:
    await sandbox.fault("insurer", "lie", match={"infno": "1101"}, set=lie)
    assert await outcome(ours.insurer.person(insurance(ME), ME.name, document(ME))) is kind


@pytest.mark.parametrize("shown", [{"infcode": "0"}, {"brdy": "1988-06-18 00:00:00"}])
async def test_the_forms_that_platforms_really_send_are_taken(
    sandbox: Sandbox, ours: Clients, shown: dict[str, Any]
) -> None:
    await sandbox.fault("insurer", "lie", set=shown)
    assert isinstance(await ours.insurer.person(insurance(ME), ME.name, document(ME)), InsuredPerson)


async def test_a_name_with_another_dot_is_the_same_name(sandbox: Sandbox, ours: Clients) -> None:
    person = PEOPLE[2]
    await sandbox.fault("insurer", "lie", set={"psn_name": person.name.replace("·", "•")})
    found = await ours.insurer.person(insurance(person), person.name, document(person))
    assert found.name == person.name


@pytest.mark.parametrize(("code", "kind"), [(-1, INSURANCE_REFUSED), (9999, UPSTREAM_FAILED)])
async def test_the_platforms_no(sandbox: Sandbox, ours: Clients, code: int, kind: Kind) -> None:
    await sandbox.fault("insurer", "error", set={"code": code, "text": "参保状态异常"})
    assert await outcome(ours.insurer.person(insurance(ME), ME.name, document(ME))) is kind


@pytest.mark.parametrize(
    "wrong", [{"insurer_secret": "wrong"}, {"insurer_app_id": "x"}, {"insurer_fixmedins_code": "H99999999999"}]
)
async def test_a_wrong_institution_gets_nothing(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    async with clients(sandbox.base_url, secrets=SandboxSecrets(**wrong)) as ours:
        assert await outcome(ours.insurer.person(insurance(ME), ME.name, document(ME))) is INSURANCE_REFUSED


async def test_the_envelope_is_the_platforms() -> None:
    async with told(raw(b"{}")) as server, clients(server.base_url) as ours:
        await outcome(ours.insurer.person(insurance(ME), ME.name, document(ME)))
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    sent = json.loads(body)
    assert head.startswith(b"POST /fsi/api/rsfComIfsService/callService HTTP/1.1")
    assert b"connection: close" in head.lower()
    assert list(sent) == [
        *("infno", "msgid", "mdtrtarea_admvs", "insuplc_admdvs", "recer_sys_code", "infver", "opter_type", "opter"),
        *("opter_name", "inf_time", "fixmedins_code", "fixmedins_name", "sign_no", "input"),
    ]
    assert sent["infno"] == "1101"
    assert sent["msgid"].startswith("H43010200001202610")
    assert len(sent["msgid"]) == 30
    assert sent["input"] == {
        "data": {
            "mdtrt_cert_type": ME.insurance.type,
            "mdtrt_cert_no": ME.insurance.number,
            "psn_cert_type": "01",
            "certno": ME.id_number,
            "psn_name": ME.name,
        }
    }


def test_message_ids_do_not_repeat(ours: Clients) -> None:
    made = [ours.insurer.message_id() for _ in range(5000)]
    assert len(set(made)) == 5000
    assert {len(one) for one in made} == {30}


async def test_a_wrong_configuration_is_told_at_once() -> None:
    good = InsurerConfig("http://127.0.0.1:1", "H43010200001", "名", "430102")
    assert "seeded" not in repr(replace(good, secret="seeded"))
    async with Http() as http:
        for wrong in (replace(good, fixmedins_code="H1"), replace(good, mdtrtarea_admvs="43")):
            with pytest.raises(ValueError):
                Insurer(wrong, http)
