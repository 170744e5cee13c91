"""Work that one worker at a time does in turns, by lease: all others only wait for the lease."""

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

from models import leases

if TYPE_CHECKING:
    from api.services import Services

LEASE_SECONDS: Final = 15.0

_log = logging.getLogger("yima.leased")


class Leased(ABC):
    """One worker's share. `lease`: its name; `pause`: seconds between turns."""

    lease: ClassVar[str]
    pause: float

    def __init__(self) -> None:
        self._holds = False

    @abstractmethod
    async def turn(self, services: "Services") -> None:
        """Do what is due now; what was missed while nobody did it is due, too."""

    async def run(self, services: "Services") -> None:
        """Take turns for ever. A turn that fails is logged, and tried again."""
        while True:
            try:
                self._holds = await leases.hold(self.lease, services.worker, max(LEASE_SECONDS, 3 * self.pause))
                if self._holds:
                    await self.turn(services)
            except Exception as error:
                _log.warning("%s: a turn failed", self.lease, extra={"error": type(error).__name__})
            await asyncio.sleep(self.pause if self._holds else LEASE_SECONDS / 3)

    async def stop(self, services: "Services") -> None:
        """Give the lease back."""
        if self._holds:
            await leases.release(self.lease, services.worker)
