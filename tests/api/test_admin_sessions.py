"""An administrator at /admin: a cookie for an hour, and a bearer token that works alone (api.md, Admins)."""

import httpx
import pytest

from models.admins import add_admin
from tests.support.service import Headers, Service, refused

PATH = "/v1/admin/session"
ACT = "/v1/admin/hospitals"


async def sign_in(service: Service, role: str = "registrar") -> tuple[httpx.Response, Headers]:
    """The answer, and the bearer token that was used."""
    token = await service.admin(role)
    answer = await service.http.post(PATH, json={"token": token["Authorization"].removeprefix("Bearer ")})
    service.http.cookies.clear()
    assert answer.status_code == 204, answer.text
    return answer, token


def cookies_of(answer: httpx.Response) -> tuple[Headers, Headers]:
    """(the cookie alone, the cookie with its CSRF token)."""
    cookie = {"Cookie": f"yima_admin={answer.cookies['yima_admin']}"}
    return cookie, {**cookie, "X-CSRF-Token": answer.headers["x-csrf-token"]}


def hospital(code: str) -> dict[str, str]:
    return {"name": "某医院", "code": code, "area": "430102"}


async def test_the_cookie_is_out_of_scripts_and_other_sites_reach(service: Service) -> None:
    answer, token = await sign_in(service)
    by_name = {each.partition("=")[0]: each.lower() for each in answer.headers.get_list("set-cookie")}
    for flag in ("httponly", "samesite=strict", "path=/", "max-age=3600"):
        assert flag in by_name["yima_admin"]
    assert "httponly" not in by_name["yima_admin_csrf"]
    assert token["Authorization"].removeprefix("Bearer ") not in str(answer.headers)


async def test_the_cookie_acts_with_its_csrf_token_alone(service: Service) -> None:
    (answer, _), (other, _) = await sign_in(service), await sign_in(service)
    cookie, whole = cookies_of(answer)
    assert (await service.http.get(PATH, headers=cookie)).json()["role"] == "registrar"
    wrong = [cookie, {**cookie, "X-CSRF-Token": ""}, {**cookie, "X-CSRF-Token": other.headers["x-csrf-token"]}]
    for headers in wrong:
        refused(await service.http.post(ACT, headers=headers, json=hospital("S1")), 403, "not-allowed")
    assert (await service.http.post(ACT, headers=whole, json=hospital("S1"))).status_code == 201


async def test_the_cookie_has_its_holders_role(service: Service) -> None:
    _, whole = cookies_of((await sign_in(service, "auditor"))[0])
    refused(await service.http.post(ACT, headers=whole, json=hospital("S2")), 403, "not-allowed")
    assert (await service.http.get("/v1/admin/audit", headers=whole)).status_code == 200


async def test_it_lasts_an_hour(service: Service) -> None:
    cookie, _ = cookies_of((await sign_in(service))[0])
    await service.move_time(3600 - 10)
    assert (await service.http.get(PATH, headers=cookie)).status_code == 200
    await service.move_time(3601)
    refused(await service.http.get(PATH, headers=cookie), 401, "unauthenticated")


async def test_signing_out_ends_it_for_whoever_kept_the_cookie(service: Service) -> None:
    answer, token = await sign_in(service)
    cookie, whole = cookies_of(answer)
    assert (await service.http.delete(PATH, headers=whole)).status_code == 204
    refused(await service.http.get(PATH, headers=cookie), 401, "unauthenticated")
    assert (await service.http.get(PATH, headers=token)).status_code == 200, "the token itself still stands"


async def test_an_administrator_who_is_disabled_is_out_at_the_next_call(service: Service) -> None:
    cookie, _ = cookies_of((await sign_in(service))[0])
    await service.sql("UPDATE admins SET disabled_at = yima_now()")
    refused(await service.http.get(PATH, headers=cookie), 401, "unauthenticated")


async def test_a_wrong_token_signs_nobody_in(service: Service) -> None:
    made = await add_admin("gone", "auditor", days=1)
    assert made is not None
    await service.move_time(86_401)
    for token in ("yadm_wrong", made[1], "x"):
        answer = await service.http.post(PATH, json={"token": token})
        refused(answer, 401, "unauthenticated")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "header",
    [
        "authorization",
        "x-csrf-token",
        "cookie",
        "idempotency-key",
        "if-match",
        "accept-language",
        "x-request-id",
        "content-type",
        "last-event-id",
    ],
)
@pytest.mark.parametrize("value", [b"\xff\xfe", b"yadm_\xff", b"yima_admin=\xff", b"Bearer yadm_\xff", b"\x80" * 100])
async def test_a_header_that_is_no_text_is_no_5xx(service: Service, header: str, value: bytes) -> None:
    answer, token = await sign_in(service)
    own = {name.lower().encode(): text.encode() for name, text in cookies_of(answer)[1].items()}
    if header in ("if-match", "idempotency-key"):
        own = {b"authorization": token["Authorization"].encode()}
    said = await service.http.post(ACT, headers={**own, header.encode(): value}, json={"name": ""})
    assert 400 <= said.status_code < 500, said.text
