"""What anybody may read: key sets, health, readiness, metrics, the OpenAPI document (api.md, Open)."""

from typing import Any

import cbor2
from pycose.keys.okp import OKPKey
from pycose.messages.sign1message import Sign1Message

from api.app import all_routes, openapi_document
from codes.keyset import KeySet
from codes.verify import verify
from tests.support.service import Service


async def test_the_cose_key_set_verifies_a_code_offline(service: Service) -> None:
    me, card = await service.holder()
    answer = await service.http.get("/.well-known/yima/keys.cbor")
    assert answer.headers["content-type"] == "application/cose-key-set"
    code = await service.code(me, card)
    assert verify(code, KeySet.from_cbor(answer.content), int(service.now())).use is None


async def test_a_code_of_ours_is_verified_by_pycose(service: Service) -> None:
    me, card = await service.holder()
    number = int((await service.code(me, card))[4:])
    coded = number.to_bytes((number.bit_length() + 7) // 8, "big")
    message = Sign1Message.from_cose_obj(cbor2.loads(coded[1:]), True)
    kid = cbor2.loads(cbor2.loads(coded[1:])[0])[4]
    keys = cbor2.loads((await service.http.get("/.well-known/yima/keys.cbor")).content)
    (found,) = [key for key in keys if key[2] == kid]
    message.key = OKPKey(crv="ED25519", x=found[-2], optional_params={"ALG": "EDDSA"})
    assert message.verify_signature()


async def test_both_key_sets_hold_the_same_public_keys_and_no_private_part(service: Service) -> None:
    cose = cbor2.loads((await service.http.get("/.well-known/yima/keys.cbor")).content)
    answer = await service.http.get("/.well-known/jwks.json")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    jwks = answer.json()["keys"]
    assert len(cose) == len(jwks) == 2
    assert not any("d" in key or "k" in key for key in jwks)
    assert not any(-4 in key or -1 not in key for key in cose)
    for secret in (service.services.vault.ring.issuing(), service.services.vault.ring.printing()):
        for part in (secret.private_bytes()[:32], secret.private_bytes()[32:]):
            assert part not in cbor2.dumps(cose)


async def test_a_key_set_that_did_not_change_is_304(service: Service) -> None:
    for path in ("/.well-known/yima/keys.cbor", "/.well-known/jwks.json"):
        first = await service.http.get(path)
        assert first.headers["cache-control"] == "public, max-age=300"
        for tag in (first.headers["etag"], f'"x", W/{first.headers["etag"]}', "*"):
            again = await service.http.get(path, headers={"If-None-Match": tag})
            assert (again.status_code, again.content) == (304, b"")
        assert (await service.http.get(path, headers={"If-None-Match": '"x"'})).status_code == 200


async def test_a_live_ready_worker_says_so(service: Service) -> None:
    assert (await service.http.get("/healthz")).json() == {"status": "ok"}
    ready = await service.http.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["problems"] == []


async def test_a_worker_that_does_not_know_the_time_is_not_ready(service: Service) -> None:
    service.services.clock._offset = None
    ready = await service.http.get("/readyz")
    assert (ready.status_code, ready.json()["clock"]) == (503, False)
    assert (await service.http.get("/healthz")).status_code == 200
    await service.services.keeper.refresh()
    assert (await service.http.get("/readyz")).status_code == 200


async def test_metrics_have_no_callers_word_in_their_labels(service: Service) -> None:
    person = service.person("陈知夏")
    me, card = await service.holder(person)
    await service.scan(await service.hospital(), await service.code(me, card), terminal="TERMINAL-77")
    await service.http.get("/v1/patient/cards/some-words-of-a-caller", headers=me)
    await service.http.get("/words-of-a-caller")
    text = (await service.http.get("/metrics")).text
    assert 'yima_scans_total{outcome="won"}' in text
    for word in (person.name, person.phone, person.id_number, card["card_id"], "TERMINAL-77", "words-of-a-caller"):
        assert word not in text


async def test_metrics_count_answers_by_route_and_status(service: Service) -> None:
    async def counted() -> float:
        lines = (await service.http.get("/metrics")).text.splitlines()
        name = 'yima_requests_total{route="show_alive",status="200"}'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    before = await counted()
    await service.http.get("/healthz")
    assert await counted() == before + 1


def refs(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(refs, value.values()))
    return set().union(*map(refs, value)) if isinstance(value, list) else set()


async def test_the_openapi_document_has_every_route_and_no_loose_end(service: Service) -> None:
    document = (await service.http.get("/openapi.json")).json()
    assert document == openapi_document()
    operations = {(method.upper(), path) for path, found in document["paths"].items() for method in found}
    routes = {(route.method, route.path.replace("<", "{").replace(":str>", "}")) for route in all_routes()}
    assert operations == routes
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert refs(document) <= names
    ids = [operation["operationId"] for found in document["paths"].values() for operation in found.values()]
    assert len(ids) == len(set(ids))


async def test_docs_are_served_from_here_alone(service: Service) -> None:
    page = await service.http.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
