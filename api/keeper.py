"""The key ring in this worker: polled, refreshed once for all who miss a key, and stale after 60 s."""

import asyncio
import logging
import time
from typing import Final

from api.clock import Clock
from models.keyring import load_ring
from models.vault import Vault

RING_STALE_AFTER: Final = 60.0  # seconds; a worker whose ring is older stops issuing
_UNKNOWN_REMEMBERED: Final = 30.0  # seconds a kid that is not there is not looked up again
_UNKNOWN_MOST: Final = 10_000

_log = logging.getLogger("yima.keys")


class RingKeeper:
    """Keeps `vault.ring` and the clock fresh."""

    def __init__(self, vault: Vault, clock: Clock, poll: float) -> None:
        self.vault = vault
        self.clock = clock
        self.poll = poll
        self.rows: dict[bytes, tuple[str, int, bytes]] = {}
        self._loaded_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None
        self._unknown: dict[bytes, float] = {}

    @property
    def age(self) -> float:
        """Seconds since the ring was known to be the database's."""
        return time.monotonic() - self._loaded_at

    @property
    def fresh(self) -> bool:
        """Whether this worker may issue."""
        return self.age < RING_STALE_AFTER

    async def refresh(self) -> None:
        """Load the ring; those who ask while it is under way share the one answer."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._load())
        await asyncio.shield(self._refreshing)

    async def refresh_for(self, kid: bytes) -> bool:
        """Look once for a kid that this ring lacks; whether it is there now. The answer no is kept for 30 s."""
        now = time.monotonic()
        if now - self._unknown.get(kid, float("-inf")) < _UNKNOWN_REMEMBERED:
            return False
        if len(self._unknown) >= _UNKNOWN_MOST:
            self._unknown.clear()
        self._unknown[kid] = now
        await self.refresh()
        return self.vault.ring.verifying(kid) is not None

    async def keep(self) -> None:
        """Poll for ever."""
        while True:
            await asyncio.sleep(self.poll)
            try:
                await self.refresh()
            except Exception as error:
                _log.warning("key ring not refreshed", extra={"error": type(error).__name__, "age": round(self.age)})

    async def _load(self) -> None:
        asked = time.monotonic()
        stored = await load_ring(self.vault)
        answered = time.monotonic()
        self.vault.ring = stored.ring
        self.rows = stored.rows
        self.clock.learn(stored.now, asked, answered)
        self._loaded_at = asked
