"""The outbox: at least once, one sender at a time, idempotent, and nothing after its time (api.md; issue 3)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from api.outbox import LEASE, Outbox
from models import leases
from models.database import transaction
from models.messages import enqueue
from tests.support.people import identity_of
from tests.support.service import Service


async def queue_text(service: Service, phone: str, text: str = "【一码】你好", **more: Any) -> Any:
    async with transaction() as tx:
        return await enqueue(service.services.vault, "text", {"phone": phone, "text": text}, using=tx, **more)


async def texts(service: Service, phone: str) -> list[str]:
    found = (await service.sandbox.get("/sandbox/outbox", params={"phone": phone})).json()["messages"]
    return [message["text"] for message in found]


async def job(service: Service, job_id: Any) -> Any:
    return (await service.sql("SELECT * FROM deliveries WHERE id = $1", job_id))[0]


@pytest.fixture(autouse=True)
async def only_when_told(shared_service: Service) -> AsyncIterator[None]:
    """The worker's own turns are held, so that a test sees each try: it lacks the lease."""
    await shared_service.sql("DELETE FROM leases")
    holder = uuid4()
    await leases.hold(LEASE, holder, 3600)
    shared_service.services.outbox._holds = False
    yield
    await leases.release(LEASE, holder)


async def test_what_is_due_is_sent_and_its_content_erased(service: Service) -> None:
    phone = service.person().phone
    job_id = await queue_text(service, phone, "内容")
    assert b"\xe5\x86\x85" not in (await job(service, job_id))["sealed"]
    await service.deliver()
    row = await job(service, job_id)
    assert await texts(service, phone) == ["内容"]
    assert (row["outcome"], row["sealed"]) == ("sent", b"")
    await service.deliver()
    assert len(await texts(service, phone)) == 1


@pytest.mark.parametrize("fault", ["http-500", "reset", "error"])
async def test_a_gateway_that_fails_is_tried_again_later(service: Service, fault: str) -> None:
    phone = service.person().phone
    await service.fault("sms", fault)
    job_id = await queue_text(service, phone)
    await service.deliver()
    row = await job(service, job_id)
    assert (row["attempts"], row["done_at"]) == (1, None)
    assert row["due_at"] > row["created_at"]
    assert await texts(service, phone) == []
    await service.move_time(3)
    await service.deliver()
    assert len(await texts(service, phone)) == 1


async def test_waits_double_up_to_ten_minutes(service: Service) -> None:
    phone = service.person().phone
    await service.fault("sms", "http-500", times=100)
    job_id = await queue_text(service, phone)
    waits = []
    for _ in range(12):
        await service.sql("UPDATE deliveries SET due_at = yima_now() WHERE id = $1", job_id)
        await service.deliver()
        waits.append(
            round(
                float(
                    await service.value(
                        "SELECT extract(epoch FROM due_at - yima_now()) FROM deliveries WHERE id = $1", job_id
                    )
                )
            )
        )
    assert waits[0] <= 2
    assert waits[:9] == sorted(waits[:9])
    assert max(waits) <= 600


async def test_an_answer_that_was_lost_sends_no_second_text(service: Service) -> None:
    phone = service.person().phone
    await service.fault("sms", "drop-answer")
    await queue_text(service, phone)
    await service.deliver()
    await service.move_time(5)
    await service.deliver()
    assert len(await texts(service, phone)) == 1


async def test_two_workers_at_once_send_one_text(service: Service) -> None:
    phone = service.person().phone
    for _ in range(5):
        await queue_text(service, phone, f"【一码】{uuid4()}")
    await asyncio.gather(*(Outbox()._send_due(service.services) for _ in range(3)))
    assert len(await texts(service, phone)) == 5


async def test_what_is_too_late_is_never_sent(service: Service) -> None:
    """A code that has expired must not arrive an hour later, when a worker is back."""
    mother, me = service.person(), await service.patient(service.person())
    asked = {"type": "sms", **identity_of(mother)}
    assert (await service.http.post("/v1/patient/verifications", headers=me, json=asked)).status_code == 201
    calls = await service.calls("registry", "agreement")
    await service.move_time(301)
    await service.deliver()
    assert await texts(service, mother.phone) == []
    assert await service.calls("registry", "agreement") == calls
    kept = await service.sql("SELECT outcome, sealed FROM deliveries ORDER BY created_at DESC LIMIT 1")
    assert (kept[0]["outcome"], kept[0]["sealed"]) == ("expired", b"")


async def test_a_job_that_cannot_be_opened_keeps_no_other_from_being_sent(service: Service) -> None:
    phone = service.person().phone
    broken = await queue_text(service, phone, "一")
    await service.sql(
        "UPDATE deliveries SET sealed = sealed || '\\x00', due_at = due_at - interval '1 hour' WHERE id = $1", broken
    )
    good = await queue_text(service, phone, "二")
    await service.deliver()
    assert await texts(service, phone) == ["二"]
    assert (await job(service, good))["outcome"] == "sent"
    row = await job(service, broken)
    assert (row["attempts"], row["done_at"]) == (1, None), "kept, tried again later, and seen in the attempts"


async def test_one_worker_holds_the_lease_until_it_lapses_or_is_given_back(service: Service) -> None:
    one, two = uuid4(), uuid4()
    name = f"t-{uuid4().hex[:8]}"
    assert await leases.hold(name, one, 10)
    assert not await leases.hold(name, two, 10)
    assert await leases.hold(name, one, 10)
    await service.move_time(11)
    assert await leases.hold(name, two, 10)
    assert not await leases.hold(name, one, 10)
    await leases.release(name, one)
    assert not await leases.hold(name, one, 10), "nobody gives back another's lease"
    await leases.release(name, two)
    assert await leases.hold(name, one, 10)


async def test_ten_who_ask_at_once_are_one_holder(service: Service) -> None:
    name = f"t-{uuid4().hex[:8]}"
    held = await asyncio.gather(*(leases.hold(name, uuid4(), 10) for _ in range(10)))
    assert sorted(held) == [False] * 9 + [True]
    assert service


async def test_a_worker_without_the_lease_sends_nothing(service: Service) -> None:
    phone = service.person().phone
    await queue_text(service, phone)
    outbox = Outbox()
    task = asyncio.create_task(outbox.run(service.services))
    outbox.wake()
    await asyncio.sleep(0.2)
    task.cancel()
    assert await texts(service, phone) == []
