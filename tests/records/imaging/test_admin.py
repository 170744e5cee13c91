"""Registering a PACS: by registrars, in the audit, its credentials never shown and never in the clear."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.service import Service, refused

GOOD = {"address": "https://pacs.example/dicom-web/", "username": "yima", "password": "口令 secret-7391"}


async def path_of(service: Service) -> str:
    return f"/v1/admin/hospitals/{(await service.client()).hospital_id}/dicomweb"


async def test_a_pacs_is_registered_shown_without_its_secret_and_taken_away(service: Service) -> None:
    who, path = await service.admin("registrar"), await path_of(service)
    refused(await service.http.get(path, headers=who), 404, "not-found")
    put = await service.http.put(path, headers=who, json=GOOD)
    shown = {
        "hospital_id": path.split("/")[-2],
        "address": "https://pacs.example/dicom-web",
        "username": "yima",
        "authentication": "basic",
        "secret": True,
    }
    assert (put.status_code, put.json()) == (200, shown)
    assert (await service.http.get(path, headers=who)).json() == shown
    other = {"address": "http://10.0.0.7:8042/dicom-web", "token": "t0ken-5512"}
    put = await service.http.put(path, headers=who, json=other)
    assert (put.json()["authentication"], put.json()["username"]) == ("bearer", None)
    assert (await service.http.delete(path, headers=who)).status_code == 204
    refused(await service.http.get(path, headers=who), 404, "not-found")
    refused(await service.http.delete(path, headers=who), 404, "not-found")


async def test_each_act_is_in_the_audit_without_the_secret(service: Service) -> None:
    who, path = await service.admin("registrar"), await path_of(service)
    await service.http.put(path, headers=who, json=GOOD)
    await service.http.delete(path, headers=who)
    entries = await service.sql("SELECT action, details::text FROM audit_entries ORDER BY id DESC LIMIT 2")
    assert [entry["action"] for entry in entries] == ["dicomweb.delete", "dicomweb.put"]
    assert "https://pacs.example/dicom-web" in entries[1]["details"]
    assert "secret-7391" not in str(entries)


async def test_neither_address_nor_secret_is_in_the_clear_in_its_row(service: Service) -> None:
    who, path = await service.admin("registrar"), await path_of(service)
    await service.http.put(path, headers=who, json=GOOD)
    rows = str([dict(row) for row in await service.sql("SELECT * FROM connected_systems")])
    assert "secret-7391" not in rows
    assert "pacs.example" not in rows


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"address": "http://pacs.example/dicom-web"}, "/address"),
        ({"address": "https://169.254.169.254/latest"}, "/address"),
        ({"address": "https://yima:pw@pacs.example/"}, "/address"),
        ({"address": "https://pacs.example/?x"}, "/address"),
        ({"address": "gopher://10.0.0.1/"}, "/address"),
        ({"address": "https://" + "a" * 400}, "/address"),
        ({"address": 7}, "/address"),
        ({}, "/address"),
        ({"address": "https://pacs.example", "username": "yima"}, "/password"),
        ({"address": "https://pacs.example", "password": "pw"}, "/password"),
        ({"address": "https://pacs.example", "username": "a:b", "password": "pw"}, "/username"),
        ({"address": "https://pacs.example", "username": "a", "password": "p\r\nX: y"}, "/password"),
        ({"address": "https://pacs.example", "token": "a b"}, "/token"),
        ({**GOOD, "token": "t0ken"}, "/token"),
        ({"address": "https://pacs.example", "other": 1}, "/other"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_kept(service: Service, body: dict[str, Any], field: str) -> None:
    who, path = await service.admin("registrar"), await path_of(service)
    answer = await service.http.put(path, headers=who, json=body)
    assert refused(answer, 422, "validation-failed")["errors"][0]["field"] == field
    refused(await service.http.get(path, headers=who), 404, "not-found")


async def test_only_registrars_and_only_of_a_hospital_that_is_there(service: Service) -> None:
    path = await path_of(service)
    for role in ("auditor", "custodian"):
        refused(await service.http.put(path, headers=await service.admin(role), json=GOOD), 403, "not-allowed")
        refused(await service.http.get(path, headers=await service.admin(role)), 403, "not-allowed")
    nowhere = f"/v1/admin/hospitals/{uuid4()}/dicomweb"
    refused(await service.http.put(nowhere, headers=await service.admin("registrar"), json=GOOD), 404, "not-found")
