"""Idempotency-Key: the first 2xx answer again, for a caller, a path and a body, for 24 hours (api.md)."""

import asyncio
from typing import Any

import pytest

from models import idempotency
from tests.support.service import Headers, Service, refused

CARDS, HOSPITALS = "/v1/patient/cards", "/v1/admin/hospitals"


def hospital(code: str) -> dict[str, str]:
    return {"name": "某医院", "code": code, "area": "430102"}


async def add(service: Service, who: Headers, body: dict[str, Any], key: str | None) -> Any:
    headers = {**who, **({"Idempotency-Key": key} if key is not None else {})}
    return await service.http.post(HOSPITALS, headers=headers, json=body)


async def test_the_first_answer_is_given_again_byte_for_byte(service: Service) -> None:
    who = await service.admin("registrar")
    first, second = [await add(service, who, hospital("H1"), "k") for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert await service.value("SELECT count(*) FROM hospitals WHERE code = 'H1'") == 1


async def test_a_card_is_bound_once_whatever_is_retried(service: Service) -> None:
    person = service.person()
    me = await service.patient(person)
    answers = [await service.bind(me, service.card_request(person), **{"Idempotency-Key": "k"}) for _ in range(3)]
    assert {answer.content for answer in answers} == {answers[0].content}
    assert [answer.status_code for answer in answers] == [201] * 3
    assert len((await service.http.get(CARDS, headers=me)).json()["cards"]) == 1


async def test_the_same_key_with_another_body_is_refused(service: Service) -> None:
    who = await service.admin("registrar")
    await add(service, who, hospital("H2"), "other body")
    refused(await add(service, who, hospital("H3"), "other body"), 422, "idempotency-key-reused")
    assert await service.value("SELECT count(*) FROM hospitals WHERE code = 'H3'") == 0


async def test_a_key_is_of_its_caller_and_its_path(service: Service) -> None:
    one, two = await service.admin("registrar"), await service.admin("registrar")
    made = (await add(service, one, hospital("H4"), "mine")).json()
    assert (await add(service, two, hospital("H5"), "mine")).status_code == 201
    path = f"{HOSPITALS}/{made['hospital_id']}/clients"
    body = {"name": "HIS", "scopes": ["booking"]}
    answer = await service.http.post(path, headers={**one, "Idempotency-Key": "mine"}, json=body)
    assert answer.status_code == 201


async def test_answers_that_say_no_are_not_kept(service: Service) -> None:
    who = await service.admin("registrar")
    await add(service, who, hospital("H6"), None)
    refused(await add(service, who, hospital("H6"), "retry"), 409, "conflict")
    await service.sql("DELETE FROM hospitals WHERE code = 'H6'")
    assert (await add(service, who, hospital("H6"), "retry")).status_code == 201


async def test_what_is_still_running_is_in_progress(service: Service) -> None:
    person = service.person()
    me = await service.patient(person)
    body = service.card_request(person)
    await service.fault("registry", "delay", match={"call": "agreement"}, delay_ms=600)
    running = asyncio.create_task(service.bind(me, body, **{"Idempotency-Key": "slow"}))
    await asyncio.sleep(0.25)
    answer = await service.bind(me, body, **{"Idempotency-Key": "slow"})
    refused(answer, 409, "idempotency-in-progress")
    assert int(answer.headers["retry-after"]) >= 1
    first = await running
    assert first.status_code == 201
    assert (await service.bind(me, body, **{"Idempotency-Key": "slow"})).content == first.content


async def test_ten_at_once_do_it_once(service: Service) -> None:
    who = await service.admin("registrar")
    answers = await asyncio.gather(*(add(service, who, hospital("H7"), "race") for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert await service.value("SELECT count(*) FROM hospitals WHERE code = 'H7'") == 1


async def test_a_claim_whose_worker_died_is_taken_over(service: Service) -> None:
    who = await service.admin("registrar")
    real = idempotency.give_up

    async def died(claimed: Any) -> None:
        return None

    idempotency.give_up = died
    try:
        await service.sql("ALTER TABLE hospitals RENAME TO away")
        assert (await add(service, who, hospital("H8"), "crash")).status_code >= 500
    finally:
        await service.sql("ALTER TABLE away RENAME TO hospitals")
        idempotency.give_up = real
    refused(await add(service, who, hospital("H8"), "crash"), 409, "idempotency-in-progress")
    await service.move_time(idempotency.CLAIM_SECONDS + 1)
    refused(await add(service, who, hospital("H9"), "crash"), 422, "idempotency-key-reused")
    assert (await add(service, who, hospital("H8"), "crash")).status_code == 201


async def test_a_key_is_free_again_after_24_hours(service: Service) -> None:
    who = await service.admin("registrar")
    await add(service, who, hospital("H10"), "daily")
    await service.move_time(24 * 3600 - 60)
    refused(await add(service, who, hospital("H11"), "daily"), 422, "idempotency-key-reused")
    await service.move_time(24 * 3600 + 60)
    assert (await add(service, who, hospital("H11"), "daily")).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 65, "tab\there"])
async def test_a_key_of_another_form_is_refused(service: Service, key: str) -> None:
    who = await service.admin("registrar")
    refused(await add(service, who, hospital("H12"), key), 422, "validation-failed")
    assert await service.value("SELECT count(*) FROM hospitals WHERE code = 'H12'") == 0


async def test_the_kept_answer_is_sealed(service: Service) -> None:
    person = service.person("林知夏")
    me = await service.patient(person)
    card = (await service.bind(me, service.card_request(person), **{"Idempotency-Key": "sealed"})).json()
    kept = await service.sql("SELECT sealed FROM idempotent_answers WHERE sealed IS NOT NULL")
    assert not any(card["card_id"].encode() in row["sealed"] for row in kept)
    assert not any("林".encode() in row["sealed"] for row in kept)


async def test_the_answer_is_kept_in_the_commit_of_the_work(service: Service) -> None:
    who = await service.admin("registrar")
    made = (await add(service, who, hospital("H13"), "commit")).json()
    kept = "SELECT count(*) FROM idempotent_answers WHERE xmin = (SELECT xmin FROM hospitals WHERE id = $1)"
    assert await service.value(kept, made["hospital_id"]) == 1


async def test_a_new_clients_secret_is_shown_again_to_its_retry_alone(service: Service) -> None:
    who = await service.admin("registrar")
    made = (await add(service, who, hospital("H14"), None)).json()
    path, body = f"{HOSPITALS}/{made['hospital_id']}/clients", {"name": "HIS", "scopes": ["booking"]}
    first, again = [
        await service.http.post(path, headers={**who, "Idempotency-Key": "client"}, json=body) for _ in range(2)
    ]
    assert first.json() == again.json()
    assert len(first.json()["client_secret"]) >= 43
