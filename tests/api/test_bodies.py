"""Bodies: strict JSON, bounded, and what is wrong with them told without quoting it (api.md, Conventions)."""

import asyncio
import gzip
import json
from typing import Any

import pytest

from tests.support.service import SCAN, Headers, Service, refused

PATH = "/v1/hospital/resolutions"


@pytest.fixture
async def who(service: Service) -> Headers:
    return {**await service.hospital(), "Content-Type": "application/json"}


MALFORMED: list[tuple[str, bytes]] = [
    ("nothing but a brace", b"{"),
    ("a comma too many", b'{"code": "1",}'),
    ("single quotes", b"{'code': '1'}"),
    ("two values", b"{}{}"),
    ("a word", b"hello"),
    ("NaN", b'{"code": NaN}'),
    ("Infinity", b'{"code": -Infinity}'),
    ("a comment", b'{"code": "1" /* x */}'),
    ("not UTF-8", b'{"code": "\xff\xfe"}'),
    ("overlong UTF-8", b'{"code": "\xc0\xaf"}'),
    ("UTF-16", '{"code": "1"}'.encode("utf-16")),
    ("UTF-8 surrogates", b'{"code": "\xed\xa0\x80"}'),
    ("a byte-order mark", b'\xef\xbb\xbf{"code": "1"}'),
    ("a raw control character", b'{"code": "\x01"}'),
    ("a key twice", json.dumps({"code": "1", **SCAN}).encode()[:-1] + b', "code": "2"}'),
    (
        "a key twice, inside",
        json.dumps({"code": "1", **SCAN}).encode()[:-1] + b', "operator": {"id": "1", "id": "2", "name": "x"}}',
    ),
    ("a key twice, once escaped", json.dumps({"code": "1", **SCAN}).encode()[:-1] + b', "c\\u006fde": "2"}'),
    ("brackets 100,000 deep", b"[" * 30_000 + b"]" * 30_000),
    ("objects 1,000 deep", b'{"a":' * 1000 + b"1" + b"}" * 1000),
    ("a huge number of brackets", b"[[[[[[" * 5000),
    ("a cut escape", b'{"code": "\\u12'),
    ("a lone quote", b'"'),
    ("NUL", b"\x00"),
]


@pytest.mark.parametrize("body", [body for _, body in MALFORMED], ids=[why for why, _ in MALFORMED])
async def test_what_is_no_strict_json_is_body_malformed(service: Service, who: Headers, body: bytes) -> None:
    refused(await service.http.post(PATH, headers=who, content=body), 400, "body-malformed")


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"x"', b"true", b"1e400", b"-0", b"9" * 5000])
async def test_json_that_is_no_object_is_validation_failed_or_malformed(
    service: Service, who: Headers, body: bytes
) -> None:
    answer = await service.http.post(PATH, headers=who, content=body)
    assert answer.json()["code"] in ("validation-failed", "body-malformed")
    assert answer.status_code in (422, 400)


async def test_a_missing_body_lacks_its_fields(service: Service, who: Headers) -> None:
    problem = refused(await service.http.post(PATH, headers=who), 422, "validation-failed")
    assert problem["errors"][0]["field"] == "/code"


async def test_lone_surrogates_and_nul_never_reach_the_database(service: Service) -> None:
    me = {**await service.patient(person := service.person()), "Content-Type": "application/json"}
    for name in ("\\ud800", "a\\udfffb", "\\u0000", "a\\u0000b", "\\u202e\\u0061", "\\uffff", "\\u2028"):
        body = json.dumps(service.card_request(person)).replace(json.dumps(person.name), f'"{name}"')
        answer = await service.http.post("/v1/patient/cards", headers=me, content=body)
        assert answer.status_code in (400, 422), (name, answer.text)


async def test_sixty_four_kib_are_a_body_and_a_byte_more_is_too_large(service: Service, who: Headers) -> None:
    def padded(size: int) -> bytes:
        body = json.dumps({"code": "8601", **SCAN}).encode()
        return body + b" " * (size - len(body))

    refused(await service.http.post(PATH, headers=who, content=padded(65_536)), 400, "code-malformed")
    for size in (65_537, 200_000, 3_000_000):
        answer = await service.http.post(PATH, headers=who, content=padded(size))
        refused(answer, 413, "body-too-large")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "x", "json"])
async def test_another_media_type_is_415(service: Service, who: Headers, kind: str) -> None:
    answer = await service.http.post(PATH, headers={**who, "Content-Type": kind}, content=b"{}")
    refused(answer, 415, "media-type-unsupported")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON"])
async def test_json_by_its_other_spellings_is_json(service: Service, who: Headers, kind: str) -> None:
    answer = await service.http.post(
        PATH, headers={**who, "Content-Type": kind}, content=json.dumps({"code": "1", **SCAN})
    )
    refused(answer, 400, "code-malformed")


async def test_a_compressed_body_is_not_unpacked(service: Service, who: Headers) -> None:
    body = gzip.compress(b'{"code": "' + b"1" * 10_000_000 + b'"}')
    headers = {**who, "Content-Encoding": "gzip"}
    refused(await service.http.post(PATH, headers=headers, content=body), 400, "body-malformed")


TYPES: list[Any] = [None, 0, 1.5, True, [], {}, "x", ["x"], {"a": 1}]
BODIES = {
    "/v1/patient/session": ("js_code",),
    "/v1/hospital/session": ("client_id", "client_secret", "terminal", "operator"),
}


@pytest.mark.parametrize(("path", "field"), [(path, field) for path, fields in BODIES.items() for field in fields])
async def test_a_wrong_type_anywhere_is_told_by_its_field(service: Service, path: str, field: str) -> None:
    good: dict[str, Any] = {
        "js_code": "x",
        "client_id": "x",
        "client_secret": "x",
        "terminal": "x",
        "operator": {"id": "1", "name": "x"},
    }
    body = {name: good[name] for name in BODIES[path]}
    for value in TYPES:
        if isinstance(value, str) == isinstance(good[field], str) and isinstance(value, str):
            continue
        problem = refused(await service.http.post(path, json={**body, field: value}), 422, "validation-failed")
        assert problem["errors"][0]["field"].startswith(f"/{field}"), value


async def test_an_unknown_field_is_an_error_and_not_ignored(service: Service) -> None:
    me, card = await service.holder()
    path = f"/v1/patient/cards/{card['card_id']}/codes"
    answer = await service.http.post(path, headers=me, json={"service": ["booking"]})
    assert refused(answer, 422, "validation-failed")["errors"] == [{"field": "/service", "message": "没有这一项"}]


async def test_errors_are_told_in_the_readers_language(service: Service) -> None:
    for language, message in (
        ("en", "this field is required"),
        ("zh-CN", "此项必填"),
        ("en-GB,zh;q=0.5", "this field is required"),
    ):
        answer = await service.http.post("/v1/patient/session", json={}, headers={"Accept-Language": language})
        assert answer.json()["errors"][0]["message"] == message
        assert answer.headers["content-language"] == ("en" if language.startswith("en") else "zh-CN")


async def raw(service: Service, data: bytes, wait: float = 5.0) -> bytes:
    """What the server says to these bytes on a connection of their own."""
    host, port = str(service.http.base_url).removeprefix("http://").rstrip("/").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    await writer.drain()
    try:
        return await asyncio.wait_for(reader.read(4096), wait)
    finally:
        writer.close()


async def test_half_a_request_uses_nothing_and_hurts_nobody(service: Service) -> None:
    me, card = await service.holder()
    who, code = await service.hospital(), await service.code(me, card)
    body = json.dumps({"code": code, **SCAN}).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {who['Authorization']}\r\nContent-Type: application/json\r\n"
    host, port = str(service.http.base_url).removeprefix("http://").rstrip("/").split(":")
    for cut in (10, len(head), len(head) + 20):
        whole = (head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(whole[:cut])
        await writer.drain()
        writer.close()
    assert (await service.scan(who, code)).status_code == 201


@pytest.mark.parametrize(
    "request_line",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["garbage", "version", "tls", "long"],
)
async def test_what_is_no_http_gets_an_answer_that_is_no_5xx(service: Service, request_line: bytes) -> None:
    said = await raw(service, request_line + b"\r\n\r\n")
    assert not said or said.split()[1][:1] == b"4", said[:200]
    assert b"Traceback" not in said


async def test_two_lengths_or_a_length_and_chunks_are_refused(service: Service) -> None:
    for headers in (
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: x\r\n",
    ):
        said = await raw(service, b"POST /v1/patient/session HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n{}")
        assert said.split()[1][:1] in (b"4",) or not said, (headers, said[:300])
