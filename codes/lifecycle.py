"""The life of a key: one pure state machine (security.md, 3).

A transition is allowed by who asks for it and by its gates, which are facts that the caller read in the same
transaction, by the database's clock. What is refused says which gate and, where time alone opens it, since when.

    (new) ------------> pending            at most one pending per purpose
    pending ----------> active             published long enough; every live worker holds the ring; the old one retires
    retiring ---------> retired            nothing that it made is still good
    retiring ---------> active             two custodians: rolls a bad rotation back
    retired ----------> pending            two custodians; at most one pending per purpose
    retired ----------> destroy-scheduled  two custodians; nothing refers to it, beyond backups, not marked `retain`
    destroy-scheduled -> retired           one custodian, before it is due
    destroy-scheduled -> destroyed         the schedule alone, when it is due; the gates again
    any --------------> compromised        one custodian, at once; a second confirms
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from codes.ring import KeyState, Purpose

SKEW_SECONDS: Final = 30.0
TOKEN_LIFE_SECONDS: Final = 86_400.0


class Actor(StrEnum):
    """Who asks for a transition."""

    SCHEDULE = "schedule"
    CUSTODIAN = "custodian"


class Gate(StrEnum):
    """What kept a transition back."""

    TABLE = "not-in-table"
    ACTOR = "actor"
    ONE_PENDING = "one-pending"
    PUBLISHED = "published-long-enough"
    WORKERS = "workers-hold-ring"
    SCHEDULED = "not-due"
    IN_USE = "still-in-use"
    RETAINED = "retained"
    OVERDUE = "already-due"
    BACKUPS = "backup-horizon"


class GateRefused(Exception):
    """A transition that is not allowed: the gate, why, and (seconds since 1970) when it opens by time alone."""

    def __init__(self, gate: Gate, why: str, not_before: float | None = None) -> None:
        super().__init__(why)
        self.gate = gate
        self.why = why
        self.not_before = not_before


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gates ask of a key and its surroundings. Times in seconds since 1970, durations in seconds.

    `lead`: how long a key is published before it signs. `lagging`: live workers that have not reported the ring
    version that published it. `references`: rows that still need the key. `life_after`: how long what it made last
    stays good after it stopped signing (None: until nothing refers to it). `backup_horizon`: how old a backup may be
    that could still be put back and would need the key.
    """

    now: float
    published_at: float | None = None
    activate_after: float | None = None
    retiring_at: float | None = None
    destroy_at: float | None = None
    lead: float = 0.0
    lagging: int = 0
    other_pending: bool = False
    references: int = 0
    life_after: float | None = None
    retain: bool = False
    retired_at: float | None = None
    backup_horizon: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A transition: who may ask, how many custodians it takes, and its gates in order."""

    actors: frozenset[Actor]
    custodians: int
    gates: tuple[Callable[[Facts], None], ...] = ()


def _one_pending(facts: Facts) -> None:
    if facts.other_pending:
        raise GateRefused(Gate.ONE_PENDING, "the purpose has a pending key already")


def _published(facts: Facts) -> None:
    if facts.published_at is None:
        raise GateRefused(Gate.PUBLISHED, "the key is not published")
    opens = facts.published_at + facts.lead
    if facts.now < opens:
        raise GateRefused(Gate.PUBLISHED, "verifiers may still hold a key set without it", opens)


def _workers(facts: Facts) -> None:
    if facts.lagging:
        raise GateRefused(Gate.WORKERS, f"{facts.lagging} live worker(s) have not reported this key ring yet")


def _due_to_activate(facts: Facts) -> None:
    if facts.activate_after is not None and facts.now < facts.activate_after:
        raise GateRefused(Gate.SCHEDULED, "its period has not come", facts.activate_after)


def _spent(facts: Facts) -> None:
    if facts.life_after is not None and facts.retiring_at is not None:
        opens = facts.retiring_at + facts.life_after
        if facts.now < opens:
            raise GateRefused(Gate.IN_USE, "what it made may still be good", opens)
    if facts.references:
        raise GateRefused(Gate.IN_USE, f"{facts.references} row(s) still need it")


def _unreferenced(facts: Facts) -> None:
    if facts.references:
        raise GateRefused(Gate.IN_USE, f"{facts.references} row(s) still need it")


def _not_retained(facts: Facts) -> None:
    if facts.retain:
        raise GateRefused(Gate.RETAINED, "it is marked to be retained")


def _beyond_backups(facts: Facts) -> None:
    if facts.retired_at is not None and facts.now < facts.retired_at + facts.backup_horizon:
        opens = facts.retired_at + facts.backup_horizon
        raise GateRefused(Gate.BACKUPS, "a backup that could be put back may need it", opens)


def _before_due(facts: Facts) -> None:
    if facts.destroy_at is not None and facts.now >= facts.destroy_at:
        raise GateRefused(Gate.OVERDUE, "its destruction is due already")


def _due_to_destroy(facts: Facts) -> None:
    if facts.destroy_at is None or facts.now < facts.destroy_at:
        raise GateRefused(Gate.SCHEDULED, "its destruction is not due", facts.destroy_at)


_BOTH: Final = frozenset({Actor.SCHEDULE, Actor.CUSTODIAN})
_CUSTODIAN: Final = frozenset({Actor.CUSTODIAN})
_SCHEDULE: Final = frozenset({Actor.SCHEDULE})

_S = KeyState
TRANSITIONS: Final[Mapping[tuple[KeyState | None, KeyState], Rule]] = MappingProxyType(
    {
        (None, _S.PENDING): Rule(_BOTH, 1, (_one_pending,)),
        (_S.PENDING, _S.ACTIVE): Rule(_BOTH, 1, (_published, _workers)),
        (_S.RETIRING, _S.RETIRED): Rule(_BOTH, 1, (_spent,)),
        (_S.RETIRING, _S.ACTIVE): Rule(_CUSTODIAN, 2),
        (_S.RETIRED, _S.PENDING): Rule(_CUSTODIAN, 2, (_one_pending,)),
        (_S.RETIRED, _S.DESTROY_SCHEDULED): Rule(_CUSTODIAN, 2, (_unreferenced, _beyond_backups, _not_retained)),
        (_S.DESTROY_SCHEDULED, _S.RETIRED): Rule(_CUSTODIAN, 1, (_before_due,)),
        (_S.DESTROY_SCHEDULED, _S.DESTROYED): Rule(_SCHEDULE, 0, (_due_to_destroy, _unreferenced, _not_retained)),
        **{(state, _S.COMPROMISED): Rule(_CUSTODIAN, 1) for state in _S if state not in (_S.COMPROMISED, _S.DESTROYED)},
    }
)


def rule_of(source: KeyState | None, to: KeyState) -> Rule:
    """The rule of a transition. Raises GateRefused for one outside the table."""
    rule = TRANSITIONS.get((source, to))
    if rule is None:
        raise GateRefused(Gate.TABLE, f"a key never goes from {source or 'nothing'} to {to}")
    return rule


def check(source: KeyState | None, to: KeyState, actor: Actor, facts: Facts) -> Rule:
    """The rule of a transition that this actor may make now. Raises GateRefused."""
    rule = rule_of(source, to)
    if actor not in rule.actors:
        raise GateRefused(Gate.ACTOR, f"the {actor} does not make this transition")
    for gate in rule.gates:
        gate(facts)
    if actor is Actor.SCHEDULE and to is KeyState.ACTIVE:
        _due_to_activate(facts)
    return rule


def life_after(purpose: Purpose, longest_life: float, key_set_max_age: float) -> float | None:
    """How long after a key stopped signing what it made last may still be good; None: as long as rows refer to it."""
    if purpose is Purpose.CODE:
        return longest_life + SKEW_SECONDS + key_set_max_age
    if purpose is Purpose.TOKEN:
        return TOKEN_LIFE_SECONDS + SKEW_SECONDS
    return None


def next_step(state: KeyState, facts: Facts) -> tuple[KeyState, float | None, str | None] | None:
    """What the schedule will do with a key next: (to, when in seconds since 1970 or None, what it waits for)."""
    ahead = {
        KeyState.PENDING: (KeyState.ACTIVE, (_due_to_activate, _published, _workers)),
        KeyState.RETIRING: (KeyState.RETIRED, (_spent,)),
        KeyState.DESTROY_SCHEDULED: (KeyState.DESTROYED, (_due_to_destroy, _unreferenced, _not_retained)),
    }.get(state)
    if ahead is None:
        return None
    to, gates = ahead
    at: float | None = facts.now
    waits: str | None = None
    for gate in gates:
        try:
            gate(facts)
        except GateRefused as refused:
            waits = waits or refused.gate.value
            at = None if refused.not_before is None or at is None else max(at, refused.not_before)
    return to, at, waits
