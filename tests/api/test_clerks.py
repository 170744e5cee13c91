"""A clerk's shift at /scanner: a cookie, a CSRF token, terminal and operator in every access (api.md, Hospitals)."""

from typing import Any

import httpx
import numpy
import pytest
import zxingcpp

from tests.support.service import Client, Headers, Service, refused

PATH = "/v1/hospital/session"
WHO = {"terminal": "WIN-3", "operator": {"id": "c7", "name": "窗口员工"}}


async def begin(service: Service, client: Client, **change: Any) -> httpx.Response:
    body = {"client_id": client.client_id, "client_secret": client.secret, **WHO, **change}
    answer = await service.http.post(PATH, json=body)
    service.http.cookies.clear()
    return answer


async def shift(service: Service, client: Client | None = None) -> tuple[Headers, Headers]:
    """(the cookie alone, the cookie with its CSRF token) of a new shift."""
    answer = await begin(service, client or await service.client())
    assert answer.status_code == 204, answer.text
    cookie = {"Cookie": f"yima_clerk={answer.cookies['yima_clerk']}"}
    return cookie, {**cookie, "X-CSRF-Token": answer.headers["x-csrf-token"]}


def flags(answer: httpx.Response, name: str) -> set[str]:
    (header,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{name}=")]
    return {part.strip().lower() for part in header.split(";")[1:]}


async def test_the_session_cookie_is_out_of_scripts_and_other_sites_reach(service: Service) -> None:
    answer = await begin(service, await service.client())
    assert answer.content == b""
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= flags(answer, "yima_clerk")
    assert "httponly" not in flags(answer, "yima_csrf")
    assert "samesite=strict" in flags(answer, "yima_csrf")
    assert answer.cookies["yima_csrf"] == answer.headers["x-csrf-token"]


async def test_the_secret_is_in_no_answer(service: Service) -> None:
    client = await service.client()
    answer = await begin(service, client)
    assert client.secret not in str(answer.headers)


@pytest.mark.parametrize("change", [{"client_secret": "wrong"}, {"client_id": "wrong"}])
async def test_wrong_credentials_begin_no_shift(service: Service, change: dict[str, str]) -> None:
    answer = await begin(service, await service.client(), **change)
    refused(answer, 401, "client-refused")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"terminal": "窗口"}, "/terminal"),
        ({"terminal": ""}, "/terminal"),
        ({"operator": {"id": "", "name": "x"}}, "/operator/id"),
        ({"operator": None}, "/operator"),
    ],
)
async def test_a_shift_needs_terminal_and_operator(service: Service, change: dict[str, Any], field: str) -> None:
    answer = await begin(service, await service.client(), **change)
    assert refused(answer, 422, "validation-failed")["errors"][0]["field"] == field


async def test_terminal_and_operator_of_the_shift_go_into_the_access(service: Service) -> None:
    me, card = await service.holder()
    _, clerk = await shift(service)
    body = {"code": await service.code(me, card), "step": "0101051", "channel": "0200"}
    other = {"terminal": "other", "operator": {"id": "x", "name": "somebody"}}
    answer = await service.http.post("/v1/hospital/resolutions", headers=clerk, json={**body, **other})
    assert answer.status_code == 201, answer.text
    path = f"/v1/patient/cards/{card['card_id']}/accesses"
    (access,) = (await service.http.get(path, headers=me)).json()["accesses"]
    assert (access["terminal"], access["operator"]) == (WHO["terminal"], WHO["operator"])


async def test_the_shift_shows_itself(service: Service) -> None:
    cookie, _ = await shift(service, await service.client(name="长沙市测试医院"))
    answer = await service.http.get(PATH, headers=cookie)
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["hospital"], shown["terminal"], shown["operator"]) == (
        "长沙市测试医院",
        WHO["terminal"],
        WHO["operator"],
    )
    assert 43_190 <= shown["expires_in"] <= 43_200


async def test_a_cookie_without_its_csrf_token_changes_nothing(service: Service) -> None:
    me, card = await service.holder()
    cookie, clerk = await shift(service)
    _, another = await shift(service)
    code = await service.code(me, card)
    body = {"code": code, "step": "0101051", "channel": "0200"}
    for headers in (
        cookie,
        {**cookie, "X-CSRF-Token": ""},
        {**cookie, "X-CSRF-Token": "0" * 64},
        {**cookie, "X-CSRF-Token": another["X-CSRF-Token"]},
    ):
        answer = await service.http.post("/v1/hospital/resolutions", headers=headers, json=body)
        refused(answer, 403, "not-allowed")
        refused(await service.http.delete(PATH, headers=headers), 403, "not-allowed")
    assert (await service.http.post("/v1/hospital/resolutions", headers=clerk, json=body)).status_code == 201


async def test_signing_out_ends_the_cookie_for_whoever_kept_it(service: Service) -> None:
    cookie, clerk = await shift(service)
    answer = await service.http.delete(PATH, headers=clerk)
    assert answer.status_code == 204
    assert {"max-age=0"} <= flags(answer, "yima_clerk")
    refused(await service.http.get(PATH, headers=cookie), 401, "unauthenticated")
    refused(await service.scan(clerk, "8601" + "9" * 200), 401, "unauthenticated")


async def test_a_shift_lasts_12_hours(service: Service) -> None:
    cookie, _ = await shift(service)
    await service.move_time(12 * 3600 - 10)
    assert (await service.http.get(PATH, headers=cookie)).status_code == 200
    await service.move_time(12 * 3600 + 1)
    refused(await service.http.get(PATH, headers=cookie), 401, "unauthenticated")


async def test_disabling_the_client_ends_its_shifts_at_the_next_call(service: Service) -> None:
    me, card = await service.holder()
    client = await service.client()
    cookie, clerk = await shift(service, client)
    path = f"/v1/admin/hospitals/{client.hospital_id}/clients/{client.client_id}/disable"
    assert (await service.http.post(path, headers=await service.admin("registrar"), json={})).status_code == 200
    refused(await service.http.get(PATH, headers=cookie), 401, "unauthenticated")
    refused(await service.scan(clerk, await service.code(me, card)), 401, "unauthenticated")


@pytest.mark.parametrize("cookie", ["", "x", "yc_" + "A" * 108, "y" * 5000])
async def test_a_cookie_that_is_none_of_ours_is_unauthenticated(service: Service, cookie: str) -> None:
    refused(await service.http.get(PATH, headers={"Cookie": f"yima_clerk={cookie}"}), 401, "unauthenticated")


async def test_a_clerks_cookie_is_no_bearer_token_and_a_bearer_token_no_cookie(service: Service) -> None:
    cookie, _ = await shift(service)
    token = cookie["Cookie"].partition("=")[2]
    answer = await service.http.get(PATH, headers={"Authorization": f"Bearer {token}"})
    refused(answer, 403, "not-allowed")
    hospital = (await service.hospital())["Authorization"].removeprefix("Bearer ")
    refused(await service.http.get(PATH, headers={"Cookie": f"yima_clerk={hospital}"}), 401, "unauthenticated")


async def test_the_decoder_reads_a_frame_and_says_when_there_is_none(service: Service) -> None:
    me, card = await service.holder()
    _, clerk = await shift(service)
    code = await service.code(me, card)
    drawn = numpy.asarray(zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode).to_image(scale=4))
    frame = numpy.full((480, 640), 255, numpy.uint8)
    frame[20 : 20 + drawn.shape[0], 30 : 30 + drawn.shape[1]] = drawn[:440, :600]
    headers = {**clerk, "Content-Type": "application/octet-stream"}
    size = {"width": "640", "height": "480"}
    path = "/v1/hospital/decode"
    answer = await service.http.post(path, headers=headers, params=size, content=frame.tobytes())
    assert answer.json() == {"text": code}
    empty = await service.http.post(path, headers=headers, params=size, content=bytes(640 * 480))
    assert empty.json() == {"text": None}
    for query, length in ((size, 10), ({"width": "0", "height": "0"}, 0), ({"width": "9999", "height": "16"}, 16)):
        answer = await service.http.post(path, headers=headers, params=query, content=bytes(length))
        refused(answer, 422, "validation-failed")
    refused(await service.http.post(path, params=size, content=frame.tobytes()), 401, "unauthenticated")
