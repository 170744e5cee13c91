"""The key schedule: one lease holder makes, activates, retires and destroys keys when their gates hold."""

import logging
from typing import TYPE_CHECKING

from api.leased import Leased
from api.settings import Settings
from codes.ring import Purpose
from models.key_rows import Timing
from models.rotation import tick

if TYPE_CHECKING:
    from api.services import Services

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


class Schedule(Leased):
    """Moves keys along; what was missed while down is caught up at the first turn."""

    lease = "key-schedule"
    pause = 1.0

    async def turn(self, services: "Services") -> None:
        """Do the transitions whose gates hold, unless the ring was rolled back."""
        if not services.keeper.rolled_back:
            for done in await tick(services.vault, timing_of(services.settings)):
                _log.info("key schedule: %s", done)
