"""Sessions close by themselves two hours after their last slot; one worker at a time sees to it."""

import logging
from typing import TYPE_CHECKING
from uuid import UUID

from api.booking.schedules import close_and_tell
from api.leased import Leased
from models import closing, schedules
from models.database import transaction

if TYPE_CHECKING:
    from api.services import Services

_log = logging.getLogger("yima.booking")


class Closing(Leased):
    """Closes what is over."""

    lease = "booking"
    pause = 5.0

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
