"""The key schedule: one lease holder makes, activates, retires and destroys keys when their gates hold."""

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from api.settings import Settings
from codes.ring import Purpose
from models import leases
from models.key_rows import Timing
from models.rotation import tick

if TYPE_CHECKING:
    from api.services import Services

LEASE: Final = "key-schedule"
LEASE_SECONDS: Final = 15.0
TICK_SECONDS: Final = 1.0

_log = logging.getLogger("yima.keys")


def timing_of(settings: Settings) -> Timing:
    """The gates' and schedules' settings."""
    periods = {
        Purpose.CODE: settings.rotate_code,
        Purpose.TOKEN: settings.rotate_token,
        Purpose.PRINT: settings.rotate_print,
    }
    return Timing(
        settings.key_lead,
        settings.key_set_max_age,
        settings.key_destroy_wait,
        periods,
        settings.key_backup_horizon,
    )


class Schedule:
    """One worker's share: all but the lease holder only wait for the lease."""

    def __init__(self) -> None:
        self._holds = False

    async def run(self, services: "Services") -> None:
        """Tick for ever; what was missed while down is caught up at the first tick."""
        timing = timing_of(services.settings)
        while True:
            try:
                self._holds = await leases.hold(LEASE, services.worker, LEASE_SECONDS)
                if self._holds and not services.keeper.rolled_back:
                    for done in await tick(services.vault, timing):
                        _log.info("key schedule: %s", done)
            except Exception as error:
                _log.warning("key schedule failed", extra={"error": type(error).__name__})
            await asyncio.sleep(TICK_SECONDS if self._holds else LEASE_SECONDS / 3)

    async def stop(self, services: "Services") -> None:
        """Give the lease back."""
        if self._holds:
            await leases.release(LEASE, services.worker)
