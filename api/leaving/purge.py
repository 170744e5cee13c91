"""What had to be kept of those who left goes when its time is over; one worker at a time sees to it."""

import logging
from typing import TYPE_CHECKING, Final
from uuid import UUID

from api.leased import Leased
from models import purging
from models.database import transaction

if TYPE_CHECKING:
    from api.services import Services

_AT_ONCE: Final = 100  # people
_log = logging.getLogger("yima.leaving")


class Purge(Leased):
    """Erases who is due, each person in transactions of their own: one who cannot be holds up no other."""

    lease = "purge"
    pause = 60.0

    async def turn(self, services: "Services") -> None:
        """What came in while somebody left, then who is due."""
        async with transaction() as tx:
            await purging.sweep(using=tx)
        for person_id in await purging.due(_AT_ONCE):
            try:
                await self._erase(services, person_id)
            except Exception as error:
                _log.warning("person not erased", extra={"error": type(error).__name__})

    async def _erase(self, services: "Services", person_id: UUID) -> None:
        done = False
        while not done:
            async with transaction() as tx:
                done = await purging.erase_some(services.vault, person_id, using=tx)
