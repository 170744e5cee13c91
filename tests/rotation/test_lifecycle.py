"""Every transition of security.md 3 by every actor at every gate, and that nothing else is a transition.

Read a row as: a key in state `source` is asked into state `to` by `who`, while `facts` hold; then `refused` is the gate
that keeps it back (None: it may), `opens` the time by which that gate opens by itself, and `custodians` how many it takes.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from codes.lifecycle import (
    SKEW_SECONDS,
    TOKEN_LIFE_SECONDS,
    TRANSITIONS,
    Actor,
    Facts,
    Gate,
    GateRefused,
    check,
    life_after,
    next_step,
)
from codes.ring import KeyState, Purpose

NOW: Final = 1_800_000_000.0
LEAD: Final = 600.0
NEW: Final = None
PENDING, ACTIVE, RETIRING, RETIRED = KeyState.PENDING, KeyState.ACTIVE, KeyState.RETIRING, KeyState.RETIRED
SCHEDULED, DESTROYED, COMPROMISED = KeyState.DESTROY_SCHEDULED, KeyState.DESTROYED, KeyState.COMPROMISED
SCHEDULE, CUSTODIAN = Actor.SCHEDULE, Actor.CUSTODIAN


@dataclass(frozen=True)
class Row:
    name: str
    source: KeyState | None
    to: KeyState
    who: Actor
    facts: dict[str, Any] = field(default_factory=dict)
    refused: Gate | None = None
    opens: float | None = None
    custodians: int = 1


LEAD_PASSED: Final[dict[str, Any]] = {"published_at": NOW - LEAD, "lead": LEAD}
SPENT: Final[dict[str, Any]] = {"retiring_at": NOW - 390, "life_after": 390.0}
DUE: Final[dict[str, Any]] = {"destroy_at": NOW}

TABLE: Final = (
    # A new key
    Row("the schedule makes a key", NEW, PENDING, SCHEDULE),
    Row("a custodian makes a key", NEW, PENDING, CUSTODIAN),
    Row("one is pending", NEW, PENDING, CUSTODIAN, {"other_pending": True}, Gate.ONE_PENDING),
    Row("one is pending, the schedule too", NEW, PENDING, SCHEDULE, {"other_pending": True}, Gate.ONE_PENDING),
    # Activation
    Row("published a lead ago", PENDING, ACTIVE, SCHEDULE, LEAD_PASSED),
    Row("published a lead ago, by hand", PENDING, ACTIVE, CUSTODIAN, LEAD_PASSED),
    Row("never published", PENDING, ACTIVE, CUSTODIAN, {"lead": LEAD}, Gate.PUBLISHED),
    Row(
        "a second too early",
        PENDING,
        ACTIVE,
        CUSTODIAN,
        {"published_at": NOW - LEAD + 1, "lead": LEAD},
        Gate.PUBLISHED,
        opens=NOW + 1,
    ),
    Row(
        "too early, the schedule",
        PENDING,
        ACTIVE,
        SCHEDULE,
        {"published_at": NOW, "lead": LEAD},
        Gate.PUBLISHED,
        opens=NOW + LEAD,
    ),
    Row("a live worker lags", PENDING, ACTIVE, CUSTODIAN, {**LEAD_PASSED, "lagging": 1}, Gate.WORKERS),
    Row("a live worker lags, the schedule", PENDING, ACTIVE, SCHEDULE, {**LEAD_PASSED, "lagging": 3}, Gate.WORKERS),
    Row(
        "its period has not come",
        PENDING,
        ACTIVE,
        SCHEDULE,
        {**LEAD_PASSED, "activate_after": NOW + 60},
        Gate.SCHEDULED,
        opens=NOW + 60,
    ),
    Row("its period comes now", PENDING, ACTIVE, SCHEDULE, {**LEAD_PASSED, "activate_after": NOW}),
    Row(
        "a custodian need not wait for the period",
        PENDING,
        ACTIVE,
        CUSTODIAN,
        {**LEAD_PASSED, "activate_after": NOW + 60},
    ),
    # Retirement
    Row("all it made has expired", RETIRING, RETIRED, SCHEDULE, SPENT),
    Row("all it made has expired, by hand", RETIRING, RETIRED, CUSTODIAN, SPENT),
    Row(
        "its last code may be shown yet",
        RETIRING,
        RETIRED,
        SCHEDULE,
        {"retiring_at": NOW - 389, "life_after": 390.0},
        Gate.IN_USE,
        opens=NOW + 1,
    ),
    Row(
        "its last code may be shown yet, by hand",
        RETIRING,
        RETIRED,
        CUSTODIAN,
        {"retiring_at": NOW, "life_after": 390.0},
        Gate.IN_USE,
        opens=NOW + 390,
    ),
    Row("rows need it", RETIRING, RETIRED, SCHEDULE, {"references": 2}, Gate.IN_USE),
    # Back again
    Row("a bad rotation is rolled back", RETIRING, ACTIVE, CUSTODIAN, custodians=2),
    Row("the schedule rolls nothing back", RETIRING, ACTIVE, SCHEDULE, {}, Gate.ACTOR),
    Row("a retired key is published again", RETIRED, PENDING, CUSTODIAN, custodians=2),
    Row("another is pending", RETIRED, PENDING, CUSTODIAN, {"other_pending": True}, Gate.ONE_PENDING),
    Row("the schedule restores nothing", RETIRED, PENDING, SCHEDULE, {}, Gate.ACTOR),
    # Destruction
    Row("nothing needs it", RETIRED, SCHEDULED, CUSTODIAN, custodians=2),
    Row("rows need it yet", RETIRED, SCHEDULED, CUSTODIAN, {"references": 1}, Gate.IN_USE),
    Row(
        "a backup may need it",
        RETIRED,
        SCHEDULED,
        CUSTODIAN,
        {"retired_at": NOW - 9, "backup_horizon": 10.0},
        Gate.BACKUPS,
        opens=NOW + 1,
    ),
    Row(
        "no backup is as old",
        RETIRED,
        SCHEDULED,
        CUSTODIAN,
        {"retired_at": NOW - 10, "backup_horizon": 10.0},
        custodians=2,
    ),
    Row("it is to be retained", RETIRED, SCHEDULED, CUSTODIAN, {"retain": True}, Gate.RETAINED),
    Row("the schedule dooms nothing", RETIRED, SCHEDULED, SCHEDULE, {}, Gate.ACTOR),
    Row("cancelled a second before it is due", SCHEDULED, RETIRED, CUSTODIAN, {"destroy_at": NOW + 1}),
    Row("cancelled when it is due", SCHEDULED, RETIRED, CUSTODIAN, DUE, Gate.OVERDUE),
    Row("the schedule cancels nothing", SCHEDULED, RETIRED, SCHEDULE, {"destroy_at": NOW + 1}, Gate.ACTOR),
    Row("due", SCHEDULED, DESTROYED, SCHEDULE, DUE, custodians=0),
    Row("not due", SCHEDULED, DESTROYED, SCHEDULE, {"destroy_at": NOW + 9}, Gate.SCHEDULED, opens=NOW + 9),
    Row("never made due", SCHEDULED, DESTROYED, SCHEDULE, {}, Gate.SCHEDULED),
    Row("due, but rows need it after all", SCHEDULED, DESTROYED, SCHEDULE, {**DUE, "references": 1}, Gate.IN_USE),
    Row("due, but retained after all", SCHEDULED, DESTROYED, SCHEDULE, {**DUE, "retain": True}, Gate.RETAINED),
    Row("no custodian destroys", SCHEDULED, DESTROYED, CUSTODIAN, DUE, Gate.ACTOR),
    # A stolen key: one custodian, no gate
    *(
        row
        for state in (PENDING, ACTIVE, RETIRING, RETIRED, SCHEDULED)
        for row in (
            Row(
                f"a stolen {state} key", state, COMPROMISED, CUSTODIAN, {"references": 9, "retain": True, "lagging": 9}
            ),
            Row(f"the schedule cannot call a {state} key stolen", state, COMPROMISED, SCHEDULE, {}, Gate.ACTOR),
        )
    ),
)

OUTSIDE: Final = [
    (source, to, who)
    for source in (NEW, *KeyState)
    for to in KeyState
    for who in Actor
    if (source, to) not in TRANSITIONS
]


@pytest.mark.parametrize("row", TABLE, ids=[f"{r.source or 'new'}->{r.to}: {r.name}" for r in TABLE])
def test_the_table(row: Row) -> None:
    facts = Facts(now=NOW, **row.facts)
    if row.refused is None:
        assert check(row.source, row.to, row.who, facts).custodians == row.custodians
        return
    with pytest.raises(GateRefused) as refused:
        check(row.source, row.to, row.who, facts)
    assert (refused.value.gate, refused.value.not_before) == (row.refused, row.opens)
    assert refused.value.why


@pytest.mark.parametrize(("source", "to", "who"), OUTSIDE)
def test_everything_else_is_refused(source: KeyState | None, to: KeyState, who: Actor) -> None:
    with pytest.raises(GateRefused) as refused:
        check(source, to, who, Facts(now=NOW, **LEAD_PASSED, **SPENT, **DUE))
    assert refused.value.gate is Gate.TABLE


def test_the_table_names_every_transition_by_every_actor() -> None:
    assert {(row.source, row.to, row.who) for row in TABLE} == {(*pair, who) for pair in TRANSITIONS for who in Actor}
    assert len(OUTSIDE) == (8 * 7 - len(TRANSITIONS)) * 2


def test_nothing_leaves_destroyed_and_compromised() -> None:
    assert not [pair for pair in TRANSITIONS if pair[0] in (DESTROYED, COMPROMISED)]


@dataclass(frozen=True)
class Life:
    name: str
    purpose: Purpose
    after: float | None


@pytest.mark.parametrize(
    "life",
    [
        Life("codes: the longest life, skew, and what a verifier may keep", Purpose.CODE, 300 + SKEW_SECONDS + 90),
        Life("tokens: a day and skew", Purpose.TOKEN, TOKEN_LIFE_SECONDS + SKEW_SECONDS),
        Life("printed codes: as long as one stands", Purpose.PRINT, None),
        Life("data: as long as a row refers to it", Purpose.DATA, None),
        Life("index: as long as a row refers to it", Purpose.INDEX, None),
    ],
    ids=lambda life: life.name,
)
def test_how_long_what_a_key_made_stays_good(life: Life) -> None:
    assert life_after(life.purpose, 300, 90) == life.after


@dataclass(frozen=True)
class Step:
    name: str
    state: KeyState
    facts: dict[str, Any]
    expected: tuple[KeyState, float | None, str | None] | None


STEPS: Final = (
    Step("a pending key, all gates open", PENDING, LEAD_PASSED, (ACTIVE, NOW, None)),
    Step(
        "a pending key waits for lead and period: the later one counts",
        PENDING,
        {"published_at": NOW, "lead": 10.0, "activate_after": NOW + 60},
        (ACTIVE, NOW + 60, "not-due"),
    ),
    Step(
        "a pending key waits for a worker: nobody knows until when",
        PENDING,
        {**LEAD_PASSED, "lagging": 1},
        (ACTIVE, None, "workers-hold-ring"),
    ),
    Step("an active key has no gate to wait for", ACTIVE, {}, None),
    Step("a retiring key", RETIRING, {"retiring_at": NOW, "life_after": 9.0}, (RETIRED, NOW + 9, "still-in-use")),
    Step("a key to be destroyed", SCHEDULED, {"destroy_at": NOW + 9}, (DESTROYED, NOW + 9, "not-due")),
    Step("a key to be destroyed and retained", SCHEDULED, {**DUE, "retain": True}, (DESTROYED, None, "retained")),
    *(Step(f"a {state} key stays", state, {}, None) for state in (RETIRED, DESTROYED, COMPROMISED)),
)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_what_comes_next(step: Step) -> None:
    assert next_step(step.state, Facts(now=NOW, **step.facts)) == step.expected
