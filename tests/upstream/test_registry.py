"""The ID registry: every yes is checked against what was asked."""

from typing import Any

import pytest

from api.problems import UPSTREAM_FAILED
from api.sandbox import PEOPLE, SandboxSecrets
from api.upstream.signing import signature
from tests.upstream.outside import CHILD, ME, OTHER, Clients, Sandbox, clients, document, outcome


async def test_name_number_and_phone_agree_only_together(ours: Clients) -> None:
    for person in PEOPLE:
        assert await ours.registry.agrees(person.name, document(person), person.phone)
    assert not await ours.registry.agrees(OTHER.name, document(ME), ME.phone)
    assert not await ours.registry.agrees(ME.name, document(OTHER), ME.phone)
    assert not await ours.registry.agrees(ME.name, document(ME), OTHER.phone)


async def test_a_person_exists_by_name_and_number(ours: Clients) -> None:
    assert await ours.registry.person_exists(CHILD.name, document(CHILD))
    assert not await ours.registry.person_exists(ME.name, document(CHILD))


async def test_only_the_parent_is_the_childs_guardian(ours: Clients) -> None:
    child = (CHILD.name, document(CHILD))
    assert await ours.registry.guardian_of(ME.name, document(ME), *child)
    assert not await ours.registry.guardian_of(OTHER.name, document(OTHER), *child)
    assert not await ours.registry.guardian_of(OTHER.name, document(ME), *child)
    assert not await ours.registry.guardian_of(CHILD.name, document(CHILD), ME.name, document(ME))


async def test_a_face_check_passes_for_the_person_on_their_phone(sandbox: Sandbox, ours: Clients) -> None:
    started = await ours.registry.start_face_check("ref-1", ME.name, document(ME), ME.phone)
    assert started == await ours.registry.start_face_check("ref-1", ME.name, document(ME), ME.phone)
    assert await ours.registry.face_check_passed(started) is True
    await sandbox.fault("registry", "lie", match={"call": "face-check-state"}, set={"status": "pending"})
    assert await ours.registry.face_check_passed(started) is None
    await sandbox.calm()
    await sandbox.fault("registry", "lie", match={"call": "face-check-state"}, set={"status": "failed"})
    assert await ours.registry.face_check_passed(started) is False


async def test_a_face_check_of_somebody_else_starts_alike_and_fails(ours: Clients) -> None:
    started = await ours.registry.start_face_check("ref-2", OTHER.name, document(ME), ME.phone)
    assert await ours.registry.face_check_passed(started) is False
    assert await outcome(ours.registry.face_check_passed("unknown")) is UPSTREAM_FAILED


LIES: list[dict[str, Any]] = [
    {"agrees": "yes"},
    {"agrees": 1},
    {"agrees": None},
    {"request_id": "0" * 32},
    {"request_id": None},
]


@pytest.mark.parametrize("lie", LIES)
async def test_a_bent_answer_is_no_yes(sandbox: Sandbox, ours: Clients, lie: dict[str, Any]) -> None:
    await sandbox.fault("registry", "lie", set=lie)
    assert await outcome(ours.registry.agrees(ME.name, document(ME), ME.phone)) is UPSTREAM_FAILED


@pytest.mark.parametrize("lie", [{"status": "PASSED"}, {"status": True}, {"check_id": "another"}])
async def test_a_bent_face_check_is_no_yes(sandbox: Sandbox, ours: Clients, lie: dict[str, Any]) -> None:
    started = await ours.registry.start_face_check("ref-3", ME.name, document(ME), ME.phone)
    await sandbox.fault("registry", "lie", set=lie)
    assert await outcome(ours.registry.face_check_passed(started)) is UPSTREAM_FAILED


@pytest.mark.parametrize("wrong", [{"registry_app_id": "nobody"}, {"registry_secret": "wrong"}])
async def test_a_wrong_signature_is_refused(sandbox: Sandbox, wrong: dict[str, str]) -> None:
    async with clients(sandbox.base_url, secrets=SandboxSecrets(**wrong)) as ours:
        assert await outcome(ours.registry.agrees(ME.name, document(ME), ME.phone)) is UPSTREAM_FAILED


async def test_an_old_signature_is_refused(sandbox: Sandbox) -> None:
    async with clients(sandbox.base_url) as ours:
        ours.clock.at -= 301
        assert await outcome(ours.registry.agrees(ME.name, document(ME), ME.phone)) is UPSTREAM_FAILED


async def test_a_request_cannot_be_sent_twice_or_changed(sandbox: Sandbox) -> None:
    body, nonce, at = (
        b'{"request_id":"r","person":{"name":"a","id_type":"01","id_number":"b"}}',
        "ab" * 16,
        1_793_000_000,
    )
    made = signature("seeded-registry-secret", "POST", "/v1/persons", str(at), nonce, body)
    head = {"Authorization": f'YIMA-HMAC-SHA256 app="yima", timestamp="{at}", nonce="{nonce}", signature="{made}"'}

    async def post(path: str, content: bytes) -> tuple[int, str]:
        answer = await sandbox.levers.post(path, content=content, headers=head)
        return answer.status_code, answer.json().get("error", {}).get("code", "")

    assert await post("/v1/persons", body + b" ") == (401, "signature-wrong")
    assert await post("/v1/agreements", body) == (401, "signature-wrong")
    assert await post("/v1/persons", body) == (200, "")
    assert await post("/v1/persons", body) == (401, "nonce-used")


def test_the_signature_is_the_described_one() -> None:
    # echo -en 'POST\n/v1/x\n1\n00\n<sha256 of {}>' | openssl dgst -sha256 -hmac secret
    made = signature("secret", "POST", "/v1/x", "1", "00", b"{}")
    assert made == "bbb189ddf4134af0316fb28bf8452d471b2db4242260e6a300722664949b07bf"
