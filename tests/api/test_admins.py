"""Roles of every administrator's call, what is written into the audit, hospitals and clients (api.md, Admins)."""

import re
from typing import Any

import pytest

from api.app import all_routes
from api.web.routes import Caller
from models.admins import add_admin
from tests.support.service import Service, bearer, refused

ROLES = ("custodian", "registrar", "auditor")
ID = "00000000-0000-4000-8000-000000000000"
ROUTES = [route for route in all_routes() if route.caller is Caller.ADMIN]
ACTS = [route for route in ROUTES if route.method != "GET" and not route.path.endswith("/session")]
HOSPITALS = "/v1/admin/hospitals"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
@pytest.mark.parametrize("role", ROLES)
async def test_each_call_is_for_its_roles_alone(service: Service, route: Any, role: str) -> None:
    path = re.sub(r"<\w+:str>", ID, route.path)
    answer = await service.http.request(
        route.method, path, headers=await service.admin(role), json={} if route.body else None
    )
    if role in route.roles:
        assert answer.status_code not in (401, 403), answer.text
    else:
        refused(answer, 403, "not-allowed")


def test_who_may_do_what_is_as_api_md_says() -> None:
    """custodian: keys; registrar: hospitals, clients, freezing; auditor: reads."""
    for route in ACTS:
        keys = "/keys" in route.path or "/approvals" in route.path
        if keys or "/hospitals" in route.path or "/cards" in route.path:
            assert route.roles == (("custodian",) if keys else ("registrar",)), route.path
    (audit,) = [route for route in ROUTES if route.path == "/v1/admin/audit"]
    assert audit.roles == ("auditor",)
    assert all(route.roles for route in ROUTES), "no call of an administrator is for everybody"


async def test_a_token_that_expired_or_was_disabled_is_unauthenticated(service: Service) -> None:
    made = await add_admin("short-lived", "auditor", days=1)
    assert made is not None
    headers = bearer(made[1])
    assert (await service.http.get("/v1/admin/audit", headers=headers)).status_code == 200
    await service.move_time(86_401)
    refused(await service.http.get("/v1/admin/audit", headers=headers), 401, "unauthenticated")
    other = await service.admin("auditor")
    await service.sql("UPDATE admins SET disabled_at = yima_now()")
    refused(await service.http.get("/v1/admin/audit", headers=other), 401, "unauthenticated")


@pytest.mark.parametrize("token", ["yadm_", "yadm_" + "A" * 43, "yadm_" + "A" * 200, "yadm_' OR '1'='1"])
async def test_a_guessed_token_is_unauthenticated(service: Service, token: str) -> None:
    refused(await service.http.get("/v1/admin/audit", headers=bearer(token)), 401, "unauthenticated")


async def test_the_token_is_kept_as_a_hash_alone(service: Service) -> None:
    token = (await service.admin("auditor"))["Authorization"].removeprefix("Bearer ")
    rows = await service.sql("SELECT * FROM admins")
    assert token not in str([dict(row) for row in rows])


async def audit(service: Service, **query: str) -> Any:
    answer = await service.http.get("/v1/admin/audit", headers=await service.admin("auditor"), params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_every_act_is_in_the_audit_with_actor_subject_and_reason(service: Service) -> None:
    _, card = await service.holder()
    made = await add_admin("registrar-zhang", "registrar")
    assert made is not None
    who = bearer(made[1])
    body = {"name": "某医院", "code": "A-1", "area": "430102"}
    hospital = (await service.http.post(HOSPITALS, headers=who, json=body)).json()["hospital_id"]
    clients = f"{HOSPITALS}/{hospital}/clients"
    client = (await service.http.post(clients, headers=who, json={"name": "HIS", "scopes": ["booking"]})).json()
    await service.http.post(f"{clients}/{client['client_id']}/disable", headers=who, json={})
    freezing = f"/v1/admin/cards/{card['health_card_id']}"
    await service.http.post(f"{freezing}/freeze", headers=who, json={"reason": "lost document"})
    await service.http.post(f"{freezing}/unfreeze", headers=who, json={"reason": "found"})
    found = [entry for entry in (await audit(service))["entries"] if entry["actor"] == "registrar-zhang"]
    assert [(entry["action"], entry["subject"], entry["reason"]) for entry in reversed(found)] == [
        ("hospital.add", hospital, None),
        ("client.add", client["client_id"], None),
        ("client.disable", client["client_id"], None),
        ("card.freeze", card["health_card_id"], "lost document"),
        ("card.unfreeze", card["health_card_id"], "found"),
    ]
    assert client["client_secret"] not in str(found)


async def test_what_was_refused_is_in_no_audit(service: Service) -> None:
    who = await service.admin("registrar")
    before = await service.value("SELECT count(*) FROM audit_entries")
    body = {"name": "某医院", "code": "A-2", "area": "430102"}
    assert (await service.http.post(HOSPITALS, headers=who, json=body)).status_code == 201
    refused(await service.http.post(HOSPITALS, headers=who, json=body), 409, "conflict")
    refused(await service.http.post(f"{HOSPITALS}/{ID}/clients/{ID}/disable", headers=who, json={}), 404, "not-found")
    assert await service.value("SELECT count(*) FROM audit_entries") == before + 1


async def test_the_audit_is_paged_newest_first_without_loss(service: Service) -> None:
    who = await service.admin("registrar")
    for n in range(5):
        await service.http.post(HOSPITALS, headers=who, json={"name": "院", "code": f"P-{n}", "area": "430102"})
    whole = (await audit(service, limit="100"))["entries"]
    paged: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await audit(service, limit="2", **({"cursor": cursor} if cursor else {}))
        paged += page["entries"]
        cursor = page["next_cursor"]
    assert paged == whole
    assert [entry["id"] for entry in whole] == sorted((entry["id"] for entry in whole), reverse=True)


async def test_hospitals_and_clients_are_listed_without_secrets(service: Service) -> None:
    who = await service.admin("registrar")
    body = {"name": "列出的医院", "code": "L-1", "area": "430102"}
    hospital = (await service.http.post(HOSPITALS, headers=who, json=body)).json()
    path = f"{HOSPITALS}/{hospital['hospital_id']}/clients"
    made = (await service.http.post(path, headers=who, json={"name": "HIS", "scopes": ["records", "booking"]})).json()
    listed = await service.http.get(HOSPITALS, headers=who, params={"limit": "1"})
    assert listed.json()["hospitals"] == [hospital]
    answer = await service.http.get(path, headers=await service.admin("auditor"))
    (client,) = answer.json()["clients"]
    assert client["scopes"] == ["booking", "records"]
    assert (client["enabled"], client["authentication"]) == (True, "secret")
    assert made["client_secret"] not in answer.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"code": "有"}, "/code"),
        ({"code": ""}, "/code"),
        ({"area": "4301"}, "/area"),
        ({"other": 1}, "/other"),
    ],
)
async def test_a_wrong_field_of_a_hospital_is_named(service: Service, change: dict[str, Any], field: str) -> None:
    body = {"name": "某医院", "code": "W-1", "area": "430102", **change}
    answer = await service.http.post(HOSPITALS, headers=await service.admin("registrar"), json=body)
    assert refused(answer, 422, "validation-failed")["errors"][0]["field"] == field


@pytest.mark.parametrize("scopes", [[], ["admin"], "booking", ["booking"] * 5, [1]])
async def test_a_client_needs_scopes_that_are_some(service: Service, scopes: Any) -> None:
    hospital = (await service.client()).hospital_id
    body = {"name": "HIS", "scopes": scopes}
    path = f"{HOSPITALS}/{hospital}/clients"
    refused(
        await service.http.post(path, headers=await service.admin("registrar"), json=body), 422, "validation-failed"
    )


async def test_a_client_is_disabled_at_its_own_hospital_alone(service: Service) -> None:
    one, two = await service.client(), await service.client()
    path = f"{HOSPITALS}/{two.hospital_id}/clients/{one.client_id}/disable"
    refused(await service.http.post(path, headers=await service.admin("registrar"), json={}), 404, "not-found")
    assert (await service.token(one)).status_code == 200


async def test_freezing_needs_a_reason(service: Service) -> None:
    me, card = await service.holder()
    path = f"/v1/admin/cards/{card['health_card_id']}/freeze"
    for body in ({}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "a\x00b"}):
        answer = await service.http.post(path, headers=await service.admin("registrar"), json=body)
        refused(answer, 422, "validation-failed")
    shown = (await service.http.get(f"/v1/patient/cards/{card['card_id']}", headers=me)).json()
    assert shown["status"] == "active"
