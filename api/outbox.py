"""The outbox: whoever holds the lease sends what is due, at least once, idempotent by the delivery's id."""

import asyncio
import logging
from typing import TYPE_CHECKING, Final
from uuid import UUID

from api.problems import Problem
from codes.errors import SealBroken
from codes.identity import parse_document
from models import idempotency, leases
from models.messages import Job, due_jobs, job_done, job_failed
from models.verifications import keep_check

if TYPE_CHECKING:
    from api.services import Services

LEASE: Final = "outbox"
LEASE_SECONDS: Final = 10.0
_TURN_SECONDS: Final = 0.5
_RENEW_TURNS: Final = 6
_SWEEP_TURNS: Final = 1200
_BACKOFF_MOST: Final = 600.0

_log = logging.getLogger("yima.outbox")


class Outbox:
    """One worker's share in sending; all but the lease holder only wait for the lease."""

    def __init__(self) -> None:
        self._wake = asyncio.Event()
        self._holds = False

    def wake(self) -> None:
        """Something was just put into the outbox by this worker."""
        self._wake.set()

    async def run(self, services: "Services") -> None:
        """Send for ever; an unreachable database is tried again."""
        turn = 0
        while True:
            try:
                if turn % _RENEW_TURNS == 0:
                    self._holds = await leases.hold(LEASE, services.worker, LEASE_SECONDS)
                if self._holds:
                    await self._send_due(services)
                    if turn % _SWEEP_TURNS == 0:
                        await idempotency.sweep()
            except Exception as error:
                self._holds = False
                _log.warning("outbox turn failed", extra={"error": type(error).__name__})
            turn += 1
            await self._sleep()

    async def stop(self, services: "Services") -> None:
        """Give the lease back."""
        if self._holds:
            await leases.release(LEASE, services.worker)

    async def _sleep(self) -> None:
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), _TURN_SECONDS)
        except TimeoutError:
            return

    async def _send_due(self, services: "Services") -> None:
        jobs = await due_jobs(services.vault)
        await asyncio.gather(*(self._send(services, job) for job in jobs))

    async def _send(self, services: "Services", job: Job) -> None:
        try:
            outcome = await _deliver(services, job)
        except Exception as error:  # one that cannot be done keeps no other from being sent
            outcome = None
            said = error.kind.code if isinstance(error, Problem) else type(error).__name__
            _log.warning("delivery failed", extra={"job": job.kind, "error": said, "attempts": job.attempts})
        if outcome is None:
            services.metrics.delivery(job.kind, "failed")
            await job_failed(job.job_id, min(_BACKOFF_MOST, 1.0 * 2**job.attempts))
        else:
            services.metrics.delivery(job.kind, outcome)
            await job_done(job.job_id, outcome)


async def _deliver(services: "Services", job: Job) -> str:
    """Do one job; the word for its outcome. Raises Problem where it is to be tried again."""
    told = job.payload
    if told is None:
        raise SealBroken
    texts, registry = services.upstreams.texts, services.upstreams.registry
    if job.kind == "text":
        await texts.send(str(job.job_id), told["phone"], told["text"])
        return "sent"
    document = parse_document(told["id_type"], told["id_number"])
    if not await registry.agrees(told["name"], document, told["phone"]):
        return "not-agreed"  # nobody is told; the answer that began it said nothing either
    if job.kind == "verify-sms":
        text = (
            f"【一码】验证码 {told['code']}，5分钟内有效，用于把您的卡添加到他人的微信账户。非您本人同意请勿告知他人。"
        )
        await texts.send(str(job.job_id), told["phone"], text)
        return "sent"
    check_id = await registry.start_face_check(told["verification_id"], told["name"], document, told["phone"])
    await keep_check(services.vault, UUID(told["verification_id"]), check_id)
    return "started"
