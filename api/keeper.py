"""The key ring in this worker: hinted at, polled, refreshed once for all who miss a key, and stale after 60 s.

LISTEN/NOTIFY is a hint that saves a poll's wait; polling is the net. After each load the worker reports the ring
version that it holds: a new key is activated only when every live worker has reported it.
"""

import asyncio
import contextlib
import logging
import os
import time
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg

from api.clock import Clock
from api.problems import RING_ROLLED_BACK, TRY_AGAIN, Problem
from codes.ring import Purpose
from models.key_rows import RING_CHANNEL, forget_report, note_life, report_ring
from models.keyring import load_ring
from models.vault import Vault

RING_STALE_AFTER: Final = 60.0  # seconds; a worker whose ring is older stops issuing
_UNKNOWN_REMEMBERED: Final = 30.0  # seconds a kid that is not there is not looked up again
_UNKNOWN_MOST: Final = 10_000
_LISTEN_AGAIN: Final = 5.0

_log = logging.getLogger("yima.keys")


class SeenVersion:
    """The highest ring version that this machine has seen, kept in a file: a database put back is noticed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.highest = 0
        self.look()

    def look(self) -> int:
        """The highest version that this machine's workers have seen so far."""
        with contextlib.suppress(OSError, ValueError):
            self.highest = max(self.highest, int(self._path.read_text()))
        return self.highest

    def note(self, version: int) -> None:
        """Keep a version that is higher than any before, whichever worker saw that."""
        if version <= self.highest or version <= self.look():
            return
        self.highest = version
        building = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            building.write_text(str(version))
            building.rename(self._path)


class RingKeeper:
    """Keeps `vault.ring` and the clock fresh."""

    def __init__(
        self, vault: Vault, clock: Clock, *, poll: float, code_life: int, url: str, worker: UUID, seen: SeenVersion
    ) -> None:
        self.vault = vault
        self.clock = clock
        self.rows: dict[bytes, tuple[str, int, bytes]] = {}
        self.seen = seen
        self._poll = poll
        self._code_life = code_life
        self._url = url
        self._worker = worker
        self._loaded_at = float("-inf")
        self._loading: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self._unknown: dict[bytes, float] = {}
        self._hint = asyncio.Event()

    @property
    def age(self) -> float:
        """Seconds since the ring was known to be the database's."""
        return time.monotonic() - self._loaded_at

    @property
    def fresh(self) -> bool:
        """Whether the ring is young enough to issue by and to publish."""
        return self.age < RING_STALE_AFTER

    @property
    def rolled_back(self) -> bool:
        """Whether the database's ring is older than one that was seen: a backup was put back."""
        return self.vault.ring.version < self.seen.highest

    def require_current(self) -> None:
        """Raise Problem ring-rolled-back until a custodian has confirmed a database that was put back."""
        if self.rolled_back:
            raise Problem(RING_ROLLED_BACK, retry_after=30)

    async def require_issuing(self, ring_version: int) -> None:
        """Make the ring the one that the card's statement saw. Raises Problem try-again or ring-rolled-back."""
        if ring_version != self.vault.ring.version or not self.fresh:
            await self.refresh()
        self.require_current()
        self.require_fresh()

    def require_fresh(self) -> None:
        """Raise Problem try-again where the ring is too old to issue by or to publish."""
        if not self.fresh:
            raise Problem(TRY_AGAIN, retry_after=5)

    def published_for(self, max_age: int) -> int:
        """Seconds that a key set of this ring may be kept: the lead counts on one poll, older rings are kept less."""
        return max(0, max_age - int(max(0.0, self.age - self._poll)))

    async def refresh(self) -> None:
        """Load the ring by a query that begins after this call; all who wait meanwhile share the next one.

        The load that is under way may have read before what the caller knows of, a compromise for one.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._load_after(self._loading))
        await asyncio.shield(self._next)

    async def _load_after(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        self._loading, self._next = self._next, None
        await self._load()

    async def refresh_for(self, kid: bytes) -> bool:
        """Look once for a kid that this ring lacks; whether it is there now. The answer no is kept for 30 s."""
        now = time.monotonic()
        if now - self._unknown.get(kid, float("-inf")) < _UNKNOWN_REMEMBERED:
            return self.vault.ring.verifying(kid) is not None
        if len(self._unknown) >= _UNKNOWN_MOST:
            self._unknown.clear()
        self._unknown[kid] = now
        try:
            await self.refresh()
        except Exception:
            self._unknown.pop(kid, None)  # nobody knows yet
            raise
        return self.vault.ring.verifying(kid) is not None

    async def keep(self) -> None:
        """Poll, sooner when hinted, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hint.wait(), self._poll)
            self._hint.clear()
            try:
                await self.refresh()
            except Exception as error:
                _log.warning("key ring not refreshed", extra={"error": type(error).__name__, "age": round(self.age)})

    async def listen(self) -> None:
        """Take hints on a connection of its own (the pool's sessions are never changed), for ever."""
        while True:
            lost = asyncio.Event()
            try:
                connection = await asyncpg.connect(self._url, timeout=5)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(_LISTEN_AGAIN)
                continue
            try:
                connection.add_termination_listener(lambda _, lost=lost: lost.set())
                await connection.add_listener(RING_CHANNEL, self._hinted)
                self._hint.set()  # what was missed meanwhile
                await lost.wait()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(_LISTEN_AGAIN)
            finally:
                connection.terminate()

    async def say_goodbye(self) -> None:
        """Take the report back: activation does not wait for a worker that ended in order."""
        await forget_report(self._worker)

    def _hinted(self, *_: Any) -> None:
        self._hint.set()

    async def _load(self) -> None:
        asked = time.monotonic()
        stored = await load_ring(self.vault)
        answered = time.monotonic()
        self.vault.ring = stored.ring
        self.rows = stored.rows
        self.clock.learn(stored.now, asked, answered)
        await note_life(Purpose.CODE, self._code_life)
        await report_ring(self._worker, f"process {os.getpid()}", stored.ring.version)
        self.seen.note(stored.ring.version)
        self._loaded_at = asked
