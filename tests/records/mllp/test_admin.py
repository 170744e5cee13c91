"""Registrars say which laboratory may send a hospital's results."""

import json
from typing import Any

import pytest

from tests.support.service import Client, Headers, Service, refused

GIVEN = {"charset": "GB18030", "facility": "H1", "addresses": ["10.1.2.0/24"], "certificates": ["ab" * 32]}


@pytest.fixture
async def registrar(service: Service) -> Headers:
    await service.sql("TRUNCATE connected_systems")
    return await service.admin("registrar")


def path(client: Client) -> str:
    return f"/v1/admin/hospitals/{client.hospital_id}/mllp"


async def test_registered_shown_changed_and_taken_out(service: Service, registrar: Headers) -> None:
    client = await service.client()
    refused(await service.http.get(path(client), headers=registrar), 404, "not-found")
    put = await service.http.put(path(client), headers=registrar, json=GIVEN)
    assert (put.status_code, put.json()) == (
        200,
        {**GIVEN, "recognition": None, "hospital_id": client.hospital_id, "version": 1},
    )
    changed = await service.http.put(path(client), headers=registrar, json={"charset": "UTF-8", "addresses": ["::1"]})
    assert (changed.json()["addresses"], changed.json()["facility"], changed.json()["version"]) == (
        ["::1/128"],
        None,
        2,
    )
    assert (await service.http.get(path(client), headers=registrar)).json() == changed.json()
    for _ in range(2):
        assert (await service.http.delete(path(client), headers=registrar)).status_code == 204
    refused(await service.http.get(path(client), headers=registrar), 404, "not-found")
    audit = await service.sql(
        "SELECT action, details FROM audit_entries WHERE subject = $1 ORDER BY id", client.hospital_id
    )
    assert [one["action"] for one in audit] == ["mllp.put", "mllp.put", "mllp.drop"]
    assert json.loads(audit[0]["details"]) == {**GIVEN, "recognition": None}


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"charset": "GBK"}, "/charset"),
        ({"facility": "a|b"}, "/facility"),
        ({"facility": ""}, "/facility"),
        ({"addresses": ["10.1.2.3/24"]}, "/addresses/0"),
        ({"addresses": ["10.0.0.1", "lab.example"]}, "/addresses/1"),
        ({"addresses": ["0.0.0.0/0"]}, "/addresses/0"),
        ({"addresses": ["::/0"]}, "/addresses/0"),
        ({"certificates": ["AB" * 32]}, "/certificates/0"),
        ({"addresses": [], "certificates": []}, "/addresses"),
        ({"password": "x"}, "/password"),
    ],
)
async def test_what_cannot_be_a_sender_is_refused(
    service: Service, registrar: Headers, other: dict[str, Any], field: str
) -> None:
    client = await service.client()
    answer = await service.http.put(path(client), headers=registrar, json={**GIVEN, **other})
    assert [one["field"] for one in refused(answer, 422, "validation-failed")["errors"]] == [field]


async def test_two_hospitals_have_no_sender_in_common(service: Service, registrar: Headers) -> None:
    one, two = await service.client(), await service.client()
    assert (await service.http.put(path(one), headers=registrar, json=GIVEN)).status_code == 200
    refused(await service.http.put(path(two), headers=registrar, json=GIVEN), 409, "conflict")
    assert (await service.http.put(path(two), headers=registrar, json={**GIVEN, "facility": "H2"})).status_code == 200


async def test_only_registrars_write(service: Service, registrar: Headers) -> None:
    client = await service.client()
    for role in ("auditor", "custodian"):
        who = await service.admin(role)
        refused(await service.http.put(path(client), headers=who, json=GIVEN), 403, "not-allowed")
        refused(await service.http.delete(path(client), headers=who), 403, "not-allowed")
    unknown = f"/v1/admin/hospitals/{'0' * 8}-0000-4000-8000-{'0' * 12}/mllp"
    refused(await service.http.put(unknown, headers=registrar, json=GIVEN), 404, "not-found")
