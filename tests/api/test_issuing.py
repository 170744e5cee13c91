"""A code as JSON, matrix, SVG and PNG (api.md, Patients; code-format.md)."""

import base64
import io
from datetime import datetime
from typing import Any

import numpy
import pytest
import zxingcpp
from PIL import Image

from codes.verify import authenticate
from tests.support.service import Headers, Service, refused


async def ask(service: Service, me: Headers, card: dict[str, Any], body: Any = None, **more: Any) -> Any:
    path = f"/v1/patient/cards/{card['card_id']}/codes"
    headers = {**me, **more.pop("headers", {})}
    return await service.http.post(path, headers=headers, json={} if body is None else body, **more)


def decoded(picture: Any) -> str:
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.format == zxingcpp.BarcodeFormat.QRCode
    return str(found.text)


def seconds(text: str) -> float:
    assert text.endswith("Z")
    return datetime.fromisoformat(text).timestamp()


async def test_a_code_says_when_it_ends_and_when_to_ask_again(service: Service) -> None:
    me, card = await service.holder()
    answer = await ask(service, me, card)
    assert answer.status_code == 201
    issued = answer.json()
    assert issued.keys() == {"code", "issued_at", "expires_at", "expires_in", "refresh_after", "services"}
    assert seconds(issued["expires_at"]) - seconds(issued["issued_at"]) == 60
    assert 58 <= issued["expires_in"] <= 60
    assert issued["refresh_after"] in (29, 30)
    assert abs(seconds(issued["issued_at"]) - service.now()) < 3
    assert issued["services"] == ["booking", "records", "payment"]


async def test_times_are_the_databases_not_the_machines(service: Service) -> None:
    me, card = await service.holder()
    await service.move_time(3600)
    issued = (await ask(service, me, card)).json()
    verified = authenticate(issued["code"], service.services.vault.ring)
    database = await service.value("SELECT extract(epoch FROM yima_now())")
    assert abs(verified.iat - float(database)) < 3
    assert verified.exp - verified.iat == 60


@pytest.mark.parametrize("services", [["booking"], ["records", "payment"], ["payment", "booking", "records"]])
async def test_a_code_opens_the_services_that_were_asked_for(service: Service, services: list[str]) -> None:
    me, card = await service.holder()
    issued = (await ask(service, me, card, {"services": services})).json()
    assert sorted(issued["services"]) == sorted(services)
    found = await service.resolved(await service.hospital(), issued["code"])
    assert sorted(found["granted"]) == sorted(services)


@pytest.mark.parametrize("services", [[], ["identity"], ["booking"] * 4, "booking", [1]])
async def test_services_that_are_none_are_refused(service: Service, services: Any) -> None:
    me, card = await service.holder()
    refused(await ask(service, me, card, {"services": services}), 422, "validation-failed")


async def test_no_two_codes_are_the_same(service: Service) -> None:
    me, card = await service.holder()
    codes = {(await ask(service, me, card)).json()["code"] for _ in range(20)}
    assert len(codes) == 20


async def test_issuing_writes_nothing(service: Service) -> None:
    me, card = await service.holder()
    tables = ("cards", "people", "resolutions", "refusals", "accounts", "insurances", "messages", "deliveries")
    whole = " || ".join(
        f"(SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {t} t)" for t in tables
    )
    before = await service.value(f"SELECT {whole}")
    for _ in range(5):
        await ask(service, me, card)
    assert await service.value(f"SELECT {whole}") == before


async def test_the_matrix_is_the_code_bit_by_bit(service: Service) -> None:
    me, card = await service.holder()
    issued = (await ask(service, me, card, params={"matrix": "true"})).json()
    size, bits = issued["matrix"]["size"], base64.b64decode(issued["matrix"]["bits"])
    assert len(bits) == -(-size * size // 8)
    dark = numpy.unpackbits(numpy.frombuffer(bits, numpy.uint8))[: size * size].reshape(size, size)
    drawn = numpy.pad(numpy.kron(1 - dark, numpy.ones((4, 4))) * 255, 16, constant_values=255).astype(numpy.uint8)
    assert decoded(drawn) == issued["code"]
    assert "matrix" not in (await ask(service, me, card)).json()


async def test_a_png_is_a_picture_of_a_code_that_resolves(service: Service) -> None:
    me, card = await service.holder()
    answer = await ask(service, me, card, headers={"Accept": "image/png"})
    assert (answer.status_code, answer.headers["content-type"]) == (201, "image/png")
    assert answer.headers["cache-control"] == "no-store"
    code = decoded(Image.open(io.BytesIO(answer.content)))
    assert (await service.scan(await service.hospital(), code)).status_code == 201


async def test_an_svg_is_a_picture_of_a_code_and_runs_nothing(service: Service) -> None:
    me, card = await service.holder()
    answer = await ask(service, me, card, headers={"Accept": "image/svg+xml"})
    assert (answer.status_code, answer.headers["content-type"]) == (201, "image/svg+xml")
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<script" not in answer.text
    assert answer.text.startswith("<svg")


async def test_a_frozen_card_gives_no_picture_either(service: Service) -> None:
    me, card = await service.holder()
    await service.http.post(f"/v1/patient/cards/{card['card_id']}/freeze", headers=me, json={})
    for accept in ("application/json", "image/png", "image/svg+xml"):
        refused(await ask(service, me, card, headers={"Accept": accept}), 403, "card-frozen")


async def test_a_code_holds_nothing_that_two_scans_could_be_linked_by(service: Service) -> None:
    """cti is sealed anew each time: two codes of one card share no run of bytes but the key's name and lengths."""
    me, card = await service.holder()
    first, second = [
        authenticate((await ask(service, me, card)).json()["code"], service.services.vault.ring) for _ in range(2)
    ]
    assert first.cti != second.cti
    shared = {first.cti[n : n + 3] for n in range(14)} & {second.cti[n : n + 3] for n in range(14)}
    assert not shared


async def test_an_idempotency_key_is_ignored_here(service: Service) -> None:
    me, card = await service.holder()
    headers = {"Idempotency-Key": "the same"}
    one, two = [(await ask(service, me, card, headers=headers)).json()["code"] for _ in range(2)]
    assert one != two


async def test_a_worker_whose_ring_is_older_than_a_minute_issues_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, card = await service.holder()
    keeper = service.services.keeper

    async def nothing_comes() -> None:
        return None

    with monkeypatch.context() as cut_off:
        cut_off.setattr(keeper, "_load", nothing_comes)
        cut_off.setattr(keeper, "_loaded_at", keeper._loaded_at - 61)
        answer = await ask(service, me, card)
        refused(answer, 503, "try-again")
        assert int(answer.headers["retry-after"]) > 0
        ready = await service.http.get("/readyz")
        assert (ready.status_code, ready.json()["key_ring"]) == (503, False)
    await keeper.refresh()
    assert (await ask(service, me, card)).status_code == 201
