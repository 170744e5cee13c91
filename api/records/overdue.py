"""The alarm of break-glass: what no auditor has reviewed within 7 days is said again every hour."""

import logging
from typing import TYPE_CHECKING

from api.leased import Leased
from models.glasses import REVIEW_DAYS, overdue

if TYPE_CHECKING:
    from api.services import Services

_log = logging.getLogger("yima.records")


class GlassAlarm(Leased):
    """Looks for breakings of the glass that wait too long; /metrics shows them at any time."""

    lease = "break-glass"
    pause = 3600.0

    async def turn(self, services: "Services") -> None:
        """One line where there are any."""
        if count := await overdue():
            _log.error("break-glass: %d without a verdict for more than %d days", count, REVIEW_DAYS)
