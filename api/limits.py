"""Rate limits by the `limits` library: in Redis where there is one, else this process's own share.

Redis is an accelerator. When it fails or is slow, a breaker opens and the process counts for itself; nothing waits.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from limits import parse
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.storage import storage_from_string
from sanic.request import Request

from api.problems import RATE_LIMITED, Problem
from api.web.calls import AdminCaller, HospitalCaller, Patient

# What each bucket allows, per caller (per address where nobody is signed in).
LIMITS: Final = {
    "session": "60/minute",
    "token": "120/minute",
    "verifications": "20/hour",
    "cards": "30/minute",
    "patient": "300/minute",
    "codes": "60/minute",
    "slots": "600/minute",
    "booking": "60/minute",
    "events": "60/minute",
    "resolutions": "3000/minute",
    "hospital": "3000/minute",
    "decode": "1200/minute",
    "admin": "600/minute",
    "open": "1200/minute",
    "payment": "60/minute",
    "notify": "60000/minute",
}
_REDIS_WAIT: Final = 0.015  # seconds
_BREAKER_SECONDS: Final = 5.0

_log = logging.getLogger("yima.limits")


class Limits:
    """Takes one from a caller's bucket, or raises Problem rate-limited."""

    def __init__(self, redis_url: str, *, enabled: bool, degraded: Callable[[], None]) -> None:
        self.enabled = enabled
        self._items = {name: parse(text) for name, text in LIMITS.items()}
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = MovingWindowRateLimiter(_redis(redis_url)) if redis_url and enabled else None
        self._open_until = 0.0
        self._degraded = degraded

    async def take(self, name: str, request: Request, caller: Patient | HospitalCaller | AdminCaller | None) -> None:
        """Take one of `name` for the caller. Raises Problem rate-limited with Retry-After."""
        if not self.enabled:
            return
        item, who = self._items[name], _who(request, caller)
        limiter = self._shared if self._shared and time.monotonic() >= self._open_until else self._own
        try:
            allowed = await asyncio.wait_for(
                limiter.hit(item, name, who), _REDIS_WAIT if limiter is self._shared else None
            )
        except Exception as error:
            if limiter is self._own:
                raise
            self._break(error)
            allowed = await self._own.hit(item, name, who)
            limiter = self._own
        if not allowed:
            raise Problem(RATE_LIMITED, retry_after=await self._wait(limiter, item, name, who))

    async def _wait(self, limiter: Any, item: Any, name: str, who: str) -> int:
        try:
            stats = await asyncio.wait_for(limiter.get_window_stats(item, name, who), _REDIS_WAIT * 4)
            return max(1, int(stats.reset_time - time.time() + 1))
        except Exception:
            return 1

    def _break(self, error: Exception) -> None:
        if time.monotonic() >= self._open_until:
            _log.warning("rate limits fall back to this process", extra={"error": type(error).__name__})
        self._open_until = time.monotonic() + _BREAKER_SECONDS
        self._degraded()


def _redis(url: str) -> Storage:
    return storage_from_string("async+" + url, implementation="redispy")  # type: ignore[return-value]


def _who(request: Request, caller: Patient | HospitalCaller | AdminCaller | None) -> str:
    for name in ("account_id", "client_id", "admin_id"):
        if (found := getattr(caller, name, None)) is not None:
            return str(found)
    return request.client_ip
