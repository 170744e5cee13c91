"""What holds for every call: request ids, problems, languages, statuses (api.md, Conventions; RFC 9457)."""

import asyncio
import re
from typing import Any

import pytest

from api.app import all_routes
from api.problems import KINDS
from api.web.routes import Caller
from tests.support.service import Service, refused

ID = "00000000-0000-4000-8000-000000000000"


def path_of(route: Any) -> str:
    return re.sub(r"<\w+:str>", ID, route.path)


def routes(*callers: Caller) -> list[Any]:
    return [route for route in all_routes() if route.caller in callers]


def named(found: list[Any]) -> list[str]:
    return [f"{route.method} {route.path}" for route in found]


async def test_a_request_id_is_echoed(service: Service) -> None:
    for given in ("abc-123", "!" * 64, "0"):
        answer = await service.http.get("/healthz", headers={"X-Request-Id": given})
        assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", [None, "a" * 65, "with space", "\u0001", "a\tb"])
async def test_a_request_id_that_is_none_or_unfit_is_made(service: Service, given: str | None) -> None:
    headers = {b"X-Request-Id": given.encode()} if given is not None and given.isprintable() else {}
    first, second = [await service.http.get("/healthz", headers=headers) for _ in range(2)]
    ids = [answer.headers["x-request-id"] for answer in (first, second)]
    assert all(re.fullmatch("[0-9a-f-]{32,36}", made) for made in ids)
    assert ids[0] != ids[1]


async def test_cr_and_lf_in_a_request_id_forge_no_header(service: Service) -> None:
    host, port = str(service.http.base_url).removeprefix("http://").rstrip("/").split(":")
    for value in (b"x\r\nSet-Cookie: a=b", b"x\nSet-Cookie: a=b", b"x\rSet-Cookie: a=b", b"\x1b[31mred"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: " + value + b"\r\n\r\n")
        said = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        head = said.partition(b"\r\n\r\n")[0].lower()
        assert b"set-cookie" not in head
        assert b"\x1b" not in said


@pytest.mark.parametrize("language", [None, "zh-CN", "en", "en-US,en;q=0.9", "fr", "en;q=0.1,zh;q=0.9", "*", "\u0000"])
async def test_a_problem_has_rfc_9457s_members_in_the_readers_language(service: Service, language: str | None) -> None:
    headers = {"Accept-Language": language} if language and language.isprintable() else {}
    problem = refused(await service.http.get("/v1/patient/cards", headers=headers), 401, "unauthenticated")
    assert problem.keys() == {"type", "title", "status", "code", "detail", "request_id"}
    english = bool(language) and str(language).startswith("en") and "q=0.1" not in str(language)
    assert problem["title"] == KINDS["unauthenticated"].title.get("en" if english else "zh")


@pytest.mark.parametrize("code", KINDS)
async def test_each_problems_type_is_a_page_that_explains_it(service: Service, code: str) -> None:
    page = await service.http.get(f"/problems/{code}")
    assert page.status_code == 200
    assert KINDS[code].title.zh in page.text or KINDS[code].title.en in page.text


@pytest.mark.parametrize(
    "route", routes(Caller.PATIENT, Caller.HOSPITAL, Caller.ADMIN), ids=lambda r: f"{r.method} {r.path}"
)
async def test_every_call_that_needs_a_caller_is_unauthenticated_without_one(service: Service, route: Any) -> None:
    answer = await service.http.request(route.method, path_of(route), json={} if route.body else None)
    refused(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/patient", "/nowhere", "/v1/patient/cards/x/y/z", "/%00", "/..%2fetc"]
)
async def test_what_is_not_there_is_not_found(service: Service, path: str) -> None:
    refused(await service.http.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/patient/cards"),
        ("DELETE", "/healthz"),
        ("GET", "/v1/oauth/token"),
        ("PATCH", "/v1/patient/session"),
    ],
)
async def test_another_method_is_405_and_says_which_are_allowed(service: Service, method: str, path: str) -> None:
    answer = await service.http.request(method, path)
    refused(answer, 405, "method-not-allowed")
    allowed = {route.method for route in all_routes() if route.path == path}
    assert allowed <= {each.strip() for each in answer.headers["allow"].split(",")}
    assert method not in answer.headers["allow"]


@pytest.mark.parametrize(
    "name",
    ["x", "0" * 36, ID.upper().replace("0", "A"), "{" + ID + "}", ID.replace("-", ""), "a" * 500, "%00", "' OR '1'='1"],
)
async def test_an_id_of_another_form_is_not_found_like_one_that_is_not_there(service: Service, name: str) -> None:
    me, _ = await service.holder()
    absent = refused(await service.http.get(f"/v1/patient/cards/{ID}", headers=me), 404, "not-found")
    odd = refused(await service.http.get(f"/v1/patient/cards/{name}", headers=me), 404, "not-found")
    assert {**odd, "request_id": ""} == {**absent, "request_id": ""}


@pytest.mark.parametrize("odd", ["%ff", "%ed%a0%80", "%00", "%0d%0a", "%c0%ae", "\u2028", "%"])
async def test_odd_bytes_in_paths_and_queries_are_no_5xx(service: Service, odd: str) -> None:
    me, card = await service.holder()
    who = {**await service.admin("registrar"), "Idempotency-Key": "odd"}
    own = f"/v1/patient/cards/{card['card_id']}"
    answers = [
        await service.http.get(f"/v1/patient/cards/{odd}", headers=me),
        await service.http.get(f"{own}/accesses?cursor={odd}&limit={odd}", headers=me),
        await service.http.post(f"{own}/codes?matrix={odd}", headers=me, json={}),
        await service.http.delete(f"/v1/patient/session?all={odd}", headers=me),
        await service.http.post(
            f"/v1/admin/hospitals/{odd}/clients", headers=who, json={"name": "x", "scopes": ["booking"]}
        ),
        await service.http.post(f"/v1/admin/cards/{odd}/freeze", headers=who, json={"reason": "r"}),
        await service.http.get(f"/v1/slots?department={odd}&from={odd}&cursor={odd}", headers=me),
        await service.http.get(f"/v1/policies/{odd}"),
        await service.http.get(f"/problems/{odd}"),
        await service.http.get(f"/{odd}"),
    ]
    assert [answer.status_code for answer in answers if not 400 <= answer.status_code < 500] == []


async def test_head_of_a_readable_thing_is_its_head(service: Service) -> None:
    me, card = await service.holder()
    for path in ("/healthz", "/v1/patient/cards", f"/v1/patient/cards/{card['card_id']}", "/v1/policies"):
        answer = await service.http.head(path, headers=me)
        assert (answer.status_code, answer.content) == (200, b"")


def is_list(route: Any) -> bool:
    return bool(route.query) and "limit" in route.query.__struct_fields__ and "<" not in route.path


@pytest.mark.parametrize("route", [*filter(is_list, all_routes())], ids=lambda route: route.path)
async def test_a_query_parameter_of_the_wrong_type_is_validation_failed(service: Service, route: Any) -> None:
    callers = {Caller.ADMIN: lambda: service.admin("auditor"), Caller.HOSPITAL: service.hospital}
    who = await callers.get(route.caller, lambda: service.patient(service.person()))()
    refused(await service.http.get(route.path, headers=who, params={"limit": "many"}), 422, "validation-failed")


async def test_head_of_the_events_ends(service: Service) -> None:
    me = await service.patient(service.person())
    answer = await asyncio.wait_for(service.http.head("/v1/patient/events", headers=me), 5)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_an_unforeseen_failure_is_500_without_a_word_of_it(service: Service) -> None:
    me, card = await service.holder()

    async def broken(*_: Any) -> None:
        raise RuntimeError("secret words")

    reader = service.services.cards
    service.services.cards = type("Broken", (), {"read": broken})()
    try:
        answer = await service.http.post(f"/v1/patient/cards/{card['card_id']}/codes", headers=me, json={})
    finally:
        service.services.cards = reader
    refused(answer, 500, "internal")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


async def test_an_unreachable_database_is_503_and_comes_back(service: Service) -> None:
    me, card = await service.holder()
    name = await service.value("SELECT current_database()")
    await service.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()", name
    )
    path = f"/v1/patient/cards/{card['card_id']}"
    answers = [await service.http.get(path, headers=me) for _ in range(30)]
    for answer in answers:
        assert answer.status_code in (200, 503)
        if answer.status_code == 503:
            refused(answer, 503, "try-again")
            assert int(answer.headers["retry-after"]) >= 1
    assert answers[-1].status_code == 200
