"""What the state machines drive: a store of keys, workers that hold rings, and verifiers that hold key sets.

`Store` is the database. `MemoryStore` keeps it in this process, changed only through `codes.lifecycle`; the real one is
in test_machine_database.py. `Worker` and `Verifier` do what api/keeper.py, api/open/keys.py and a scanner do.
"""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from codes.errors import CodeError, UnknownKey
from codes.issue import IssuedCode, issue
from codes.keys import SigningKey
from codes.keyset import KeySet
from codes.lifecycle import Actor, Facts, GateRefused, check, life_after
from codes.ring import KeyRing, KeyState, Purpose, RingKey
from codes.verify import authenticate, verify

SKEW: Final = 30
POLL: Final = 15
MAX_AGE: Final = 100
LEAD: Final = MAX_AGE + POLL + SKEW  # the least that `serve` accepts
STALE: Final = 60  # of a worker's ring
FRESH: Final = 60  # of a worker's report
DESTROY_WAIT: Final = 700
PERIOD: Final = 2_000
START: Final = 1_800_000_000
ALIVE: Final = (KeyState.PENDING, KeyState.ACTIVE, KeyState.RETIRING)


@dataclass
class Row:
    """A key version, as far as the rules ask. Times in seconds since 1970."""

    key: SigningKey
    state: KeyState
    ring_version: int
    published_at: float
    activate_after: float | None = None
    activated_at: float | None = None
    retiring_at: float | None = None
    destroy_at: float | None = None
    longest_life: int = 0
    erased: bool = False

    @property
    def kid(self) -> bytes:
        return self.key.kid


class Store(Protocol):
    """The database and what is done in it. Refusals are GateRefused."""

    def now(self) -> float: ...
    def move(self, seconds: int) -> None: ...
    def version(self) -> int: ...
    def states(self) -> dict[bytes, KeyState]:
        """By kid, in the order in which the keys were made."""
        ...

    def ring(self) -> KeyRing: ...
    def report(self, worker: int, version: int) -> None: ...
    def note_life(self, seconds: int) -> None: ...
    def rotate(self, at_once: bool) -> None: ...
    def transition(self, kid: bytes, to: KeyState) -> None:
        """By a custodian, or by two where two are needed."""
        ...

    def compromise(self, kid: bytes) -> bytes | None: ...
    def tick(self) -> None: ...


class MemoryStore:
    """The rules alone: each change is one `codes.lifecycle.check` and what belongs to it."""

    def __init__(self) -> None:
        self._now = START
        self._version = 1
        self._made = 0
        self._reports: dict[int, tuple[int, float]] = {}
        self.rows: list[Row] = []
        self._add(KeyState.ACTIVE, activated_at=self._now)

    def now(self) -> float:
        return self._now

    def move(self, seconds: int) -> None:
        self._now += seconds

    def version(self) -> int:
        return self._version

    def states(self) -> dict[bytes, KeyState]:
        return {row.kid: row.state for row in self.rows}

    def ring(self) -> KeyRing:
        keys = [
            RingKey(row.kid, Purpose.CODE, row.state, b"" if row.erased else row.key.private_bytes())
            for row in self.rows
        ]
        return KeyRing(self._version, keys)

    def report(self, worker: int, version: int) -> None:
        self._reports[worker] = (version, self._now)

    def note_life(self, seconds: int) -> None:
        active = self._in(KeyState.ACTIVE)
        assert active is not None
        active.longest_life = max(active.longest_life, seconds)

    def rotate(self, at_once: bool) -> None:
        active, pending = self._in(KeyState.ACTIVE), self._in(KeyState.PENDING)
        assert active is not None
        assert active.activated_at is not None
        after = self._now if at_once else max(self._now, active.activated_at + PERIOD)
        if pending is None:
            check(None, KeyState.PENDING, Actor.CUSTODIAN, Facts(self._now))
            self._add(KeyState.PENDING, activate_after=after)
        elif pending.activate_after is None or after < pending.activate_after:
            pending.activate_after = after

    def transition(self, kid: bytes, to: KeyState) -> None:
        row = self._row(kid)
        assert to is not KeyState.COMPROMISED
        check(row.state, to, Actor.CUSTODIAN, self._facts(row))
        self._make(row, to)

    def compromise(self, kid: bytes) -> bytes | None:
        row = self._row(kid)
        check(row.state, KeyState.COMPROMISED, Actor.CUSTODIAN, self._facts(row))
        was, row.state = row.state, KeyState.COMPROMISED
        pending = self._in(KeyState.PENDING)
        if pending is not None:
            pending.state = KeyState.COMPROMISED
        if was is not KeyState.ACTIVE:
            self._version += 1
            return None
        return self._add(KeyState.ACTIVE, activated_at=self._now).kid

    def tick(self) -> None:
        ahead = {
            KeyState.PENDING: KeyState.ACTIVE,
            KeyState.RETIRING: KeyState.RETIRED,
            KeyState.DESTROY_SCHEDULED: KeyState.DESTROYED,
        }
        for row in list(self.rows):
            to = ahead.get(row.state)
            try:
                if to is not None:
                    check(row.state, to, Actor.SCHEDULE, self._facts(row))
                    self._make(row, to)
            except GateRefused:
                continue
        active = self._in(KeyState.ACTIVE)
        assert active is not None
        assert active.activated_at is not None
        ends = active.activated_at + PERIOD
        if self._now >= ends - LEAD and self._in(KeyState.PENDING) is None:
            self._add(KeyState.PENDING, activate_after=ends)

    def _make(self, row: Row, to: KeyState) -> None:
        self._version += 1
        if to is KeyState.ACTIVE:
            active = self._in(KeyState.ACTIVE)
            assert active is not None
            active.state, active.retiring_at = KeyState.RETIRING, self._now
            row.activated_at, row.retiring_at = self._now, None
        elif to is KeyState.PENDING:
            row.published_at, row.activate_after, row.ring_version = self._now, self._now, self._version
        elif to is KeyState.DESTROY_SCHEDULED:
            row.destroy_at = self._now + DESTROY_WAIT
        row.erased = to is KeyState.DESTROYED
        row.state = to

    def _facts(self, row: Row) -> Facts:
        pending = self._in(KeyState.PENDING)
        return Facts(
            now=self._now,
            published_at=row.published_at,
            activate_after=row.activate_after,
            retiring_at=row.retiring_at,
            destroy_at=row.destroy_at,
            lead=LEAD,
            lagging=sum(
                version < row.ring_version and at > self._now - FRESH for version, at in self._reports.values()
            ),
            other_pending=pending is not None and pending is not row,
            life_after=life_after(Purpose.CODE, row.longest_life, MAX_AGE),
        )

    def _add(self, state: KeyState, **more: Any) -> Row:
        self._made += 1
        self._version += 1
        seed = hashlib.sha512(self._made.to_bytes(4, "big")).digest()
        self.rows.append(Row(SigningKey.from_private(seed), state, self._version, self._now, **more))
        return self.rows[-1]

    def _in(self, state: KeyState) -> Row | None:
        found = [row for row in self.rows if row.state is state]
        assert len(found) < 2 or state not in (KeyState.ACTIVE, KeyState.PENDING)
        return found[0] if found else None

    def _row(self, kid: bytes) -> Row:
        return next(row for row in self.rows if row.kid == kid)


class CutOff(Exception):
    """The worker does not reach the database, or has stopped for it."""


@dataclass
class Worker:
    """A worker process. `cut`: it does not reach the database. `life`: its CODE_LIFE, seconds."""

    number: int
    store: Store
    life: int
    cut: bool = False
    loaded_at: float = float("-inf")
    ring: KeyRing = field(init=False)

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        if self.cut:
            raise CutOff
        self.ring, self.loaded_at = self.store.ring(), self.store.now()
        self.store.note_life(self.life)
        self.store.report(self.number, self.ring.version)

    @property
    def age(self) -> float:
        return self.store.now() - self.loaded_at

    def issue(self) -> IssuedCode:
        """The card's statement says which ring version is current."""
        if self.cut:
            raise CutOff
        if self.ring.version != self.store.version() or self.age >= STALE:
            self.refresh()
        now = int(self.store.now())
        return issue(self.ring.issuing(), handle=7, now=now, life=self.life, services=None, nonce=b"\0\0\0\0")

    def resolve(self, text: str) -> bool:
        """Whether a scan is accepted: an unknown kid is looked up once, the state is read where the work is done."""
        if self.cut:
            raise CutOff
        try:
            code = authenticate(text, self.ring)
        except UnknownKey:
            self.refresh()
            try:
                code = authenticate(text, self.ring)
            except UnknownKey:
                return False
        return self.store.states()[code.kid] in ALIVE

    def publish(self) -> tuple[KeySet, float]:
        """The key set, and until when it may be kept."""
        if self.age >= STALE:
            raise CutOff
        return KeySet(self.ring.published()), self.store.now() + max(0, MAX_AGE - int(max(0, self.age - POLL)))


@dataclass
class Verifier:
    """A scanner without a network most of the time. `clock`: seconds it is off."""

    clock: int = 0
    kept_until: float = float("-inf")
    keys: KeySet | None = None

    def accepts(self, text: str, now: float, source: Worker, *, look: bool = False) -> bool:
        """The offline check. It fetches as Cache-Control allows and, where `look`, once more for an unknown kid."""
        if self.keys is None or now > self.kept_until:
            self.keys, self.kept_until = source.publish()
        try:
            verify(text, self.keys, int(now) + self.clock)
        except UnknownKey:
            if look:
                return replace(self, kept_until=float("-inf")).accepts(text, now, source)
            return False
        except CodeError:
            return False
        return True
