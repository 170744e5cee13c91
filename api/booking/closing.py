"""Sessions close by themselves two hours after their last slot; one worker at a time sees to it."""

import asyncio
import logging
from typing import TYPE_CHECKING, Final
from uuid import UUID

from api.booking.schedules import close_and_tell
from models import closing, leases, schedules
from models.database import transaction

if TYPE_CHECKING:
    from api.services import Services

LEASE: Final = "booking"
LEASE_SECONDS: Final = 15.0
TURN_SECONDS: Final = 5.0

_log = logging.getLogger("yima.booking")


class Closing:
    """One worker's share: all but the lease holder only wait for the lease."""

    def __init__(self) -> None:
        self._holds = False

    async def run(self, services: "Services") -> None:
        """Close for ever what is over; what was missed while down is caught up at the first turn."""
        while True:
            try:
                self._holds = await leases.hold(LEASE, services.worker, LEASE_SECONDS)
                if self._holds:
                    await self.turn(services)
            except Exception as error:
                _log.warning("sessions not closed", extra={"error": type(error).__name__})
            await asyncio.sleep(TURN_SECONDS)

    async def turn(self, services: "Services") -> None:
        """Close what is over now, each session in a transaction of its own: one that cannot be holds up no other."""
        for schedule_id in await closing.over():
            try:
                await self._close(services, schedule_id)
            except Exception as error:
                _log.warning("session not closed", extra={"error": type(error).__name__})
        await closing.expire_waitings()

    async def _close(self, services: "Services", schedule_id: UUID) -> None:
        async with transaction() as tx:
            await schedules.lock(schedule_id, using=tx)
            if await closing.is_over(schedule_id, using=tx):  # else it was extended or closed meanwhile
                await close_and_tell(services.vault, schedule_id, using=tx)

    async def stop(self, services: "Services") -> None:
        """Give the lease back."""
        if self._holds:
            await leases.release(LEASE, services.worker)
