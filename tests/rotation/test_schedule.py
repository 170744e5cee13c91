"""What the schedule does: once, however many workers tick; late, if it was down; and what it waits for."""

import asyncio
import json
from dataclasses import replace
from uuid import uuid4

import pytest

from codes.lifecycle import Gate, GateRefused
from codes.ring import KeyState, Purpose
from models import leases
from models.key_rows import Timing
from models.rotation import Rotation, StaleVersion, tick
from tests.rotation.desk import LEAD, LIFE_AFTER, TIMING, TWO, Desk

HOUR = 3_600
HOURLY: Timing = replace(TIMING, periods={Purpose.CODE: HOUR})


async def test_one_rotation_a_period_with_four_workers_ticking(desk: Desk) -> None:
    await desk.move(HOUR - LEAD + 1)
    await asyncio.gather(*(tick(desk.vault, HOURLY) for _ in range(4)), return_exceptions=True)
    assert await desk.states() == ["active", "pending"]
    await desk.move(LEAD)
    await asyncio.gather(*(tick(desk.vault, HOURLY) for _ in range(4)), return_exceptions=True)
    assert await desk.states() == ["retiring", "active"]
    await asyncio.gather(*(tick(desk.vault, HOURLY) for _ in range(4)), return_exceptions=True)
    assert await desk.states() == ["retiring", "active"]
    assert len(await desk.sql("SELECT 1 FROM scheduled_rotations")) == 1


async def test_the_lease_has_one_holder_and_passes_on_when_it_died(desk: Desk) -> None:
    one, two = uuid4(), uuid4()
    assert [await leases.hold("ticks", who, 15) for who in (one, two, one)] == [True, False, True]
    await desk.move(16)
    assert [await leases.hold("ticks", who, 15) for who in (two, one)] == [True, False]
    await leases.release("ticks", two)
    assert await leases.hold("ticks", one, 15)


async def test_what_was_missed_while_down_is_caught_up_once(desk: Desk) -> None:
    await desk.move(5 * HOUR)
    await tick(desk.vault, HOURLY)
    await tick(desk.vault, HOURLY)
    assert await desk.states() == ["active", "pending"], "five periods were missed: one key makes up for them"
    await desk.move(LEAD + 1)
    await tick(desk.vault, HOURLY)
    assert await desk.states() == ["retiring", "active"], "and verifiers had their lead all the same"


async def test_a_key_that_retired_and_was_doomed_while_down(desk: Desk) -> None:
    first = await desk.kid(KeyState.ACTIVE)
    await desk.turn()
    await desk.move(LIFE_AFTER + 1)
    await desk.tick()
    await desk.change(first, KeyState.DESTROY_SCHEDULED)
    await desk.move(10 * 86_400)
    await desk.tick()
    assert await desk.states() == ["destroyed", "active"]


async def test_a_period_of_nought_rotates_by_hand_alone(desk: Desk) -> None:
    await desk.move(10 * 365 * 86_400)
    assert await desk.tick() == []
    assert await desk.states() == ["active"]
    assert isinstance(await desk.rotate(at_once=False), Rotation)


async def test_a_key_asked_for_at_the_periods_end_waits_for_it(desk: Desk) -> None:
    desk.timing = HOURLY
    await desk.rotate(at_once=False)
    await desk.move(HOUR - 60)
    await desk.tick()
    assert await desk.states() == ["active", "pending"]
    await desk.move(60)
    await desk.tick()
    assert await desk.states() == ["retiring", "active"]


async def test_now_brings_a_key_forward_that_waited_for_the_periods_end(desk: Desk) -> None:
    desk.timing = HOURLY
    later, sooner = await desk.rotate(at_once=False), await desk.rotate(by=TWO)
    assert (later.kid, sooner.created) == (sooner.kid, False)
    assert sooner.activates_at < later.activates_at
    (noted,) = await desk.sql("SELECT actor, subject FROM audit_entries WHERE action = 'key.sooner'")
    assert (noted["actor"], noted["subject"]) == ("two", later.kid.hex())


async def test_a_period_whose_key_was_stolen_before_it_signed_gets_another(desk: Desk) -> None:
    """And the other purposes' keys go on being looked after meanwhile."""
    await desk.move(HOUR - LEAD + 1)
    await tick(desk.vault, HOURLY)
    await desk.compromise(await desk.kid(KeyState.PENDING))
    await tick(desk.vault, HOURLY)
    assert await desk.states() == ["active", "compromised", "pending"]
    await desk.rotate(purpose=Purpose.TOKEN)
    await desk.move(LEAD + 1)
    await tick(desk.vault, HOURLY)
    assert await desk.states() == ["retiring", "compromised", "active"]
    assert await desk.states(Purpose.TOKEN) == ["retiring", "active"]


@pytest.mark.parametrize("purpose", [Purpose.CODE, Purpose.TOKEN, Purpose.PRINT])
async def test_each_purpose_turns_by_itself(desk: Desk, purpose: Purpose) -> None:
    others = {other: await desk.states(other) for other in Purpose if other is not purpose}
    await desk.turn(purpose)
    assert (await desk.states(purpose))[-1] == "active"
    await desk.compromise(await desk.kid(KeyState.ACTIVE, purpose))
    assert (await desk.states(purpose)).count("active") == 1
    assert others == {other: await desk.states(other) for other in others}


@pytest.mark.parametrize("purpose", [Purpose.DATA, Purpose.INDEX, Purpose.ROOT, Purpose.CARD_ID])
async def test_a_kid_of_a_purpose_that_is_not_rotated_here(desk: Desk, purpose: Purpose) -> None:
    kid = await desk.kid(KeyState.ACTIVE, purpose)
    for act in (desk.compromise(kid), desk.ask(kid, KeyState.RETIRED)):
        with pytest.raises(GateRefused) as refused:
            await act
        assert refused.value.gate is Gate.TABLE
    assert await desk.states(purpose) == ["active"]


async def test_a_token_key_retires_a_day_after(desk: Desk) -> None:
    await desk.turn(Purpose.TOKEN)
    await desk.move(86_400)
    await desk.tick()
    assert await desk.states(Purpose.TOKEN) == ["retiring", "active"]
    await desk.move(31)
    await desk.tick()
    assert await desk.states(Purpose.TOKEN) == ["retired", "active"]


async def test_a_report_counts_by_the_databases_time_alone(desk: Desk) -> None:
    """A worker that died without goodbye, and one that never stops reporting an old ring."""
    await desk.report(await desk.version())
    made = await desk.rotate()
    alive = await desk.report(await desk.version() - 1)
    await desk.move(LEAD + 1)
    await desk.report(await desk.version() - 1, alive)
    await desk.tick()
    assert await desk.states() == ["active", "pending"], "the live one lags"
    with pytest.raises(GateRefused) as refused:
        await desk.ask(made.kid, KeyState.ACTIVE)
    assert (refused.value.gate, refused.value.not_before) == (Gate.WORKERS, None)
    await desk.report(await desk.version(), alive)
    await desk.tick()
    assert await desk.states() == ["retiring", "active"], "the dead one does not count"


async def test_ten_rotations_leave_a_row_each_and_nothing_else(desk: Desk) -> None:
    for _ in range(10):
        await desk.turn()
        await desk.move(LIFE_AFTER + 1)
        await desk.tick()
    assert await desk.states() == ["retired"] * 10 + ["active"]
    assert len({key.kid for key in await desk.keys()}) == 11


async def test_every_transition_is_in_the_audit_with_who_when_why_from_and_to(desk: Desk) -> None:
    first = await desk.kid(KeyState.ACTIVE)
    second = await desk.turn()
    await desk.move(LIFE_AFTER + 1)
    await desk.tick()
    await desk.change(first, KeyState.DESTROY_SCHEDULED)
    await desk.change(first, KeyState.RETIRED)
    third = (await desk.compromise(second)).replacement_kid
    assert third
    names = {first.hex(): "first", second.hex(): "second", third.hex(): "third"}
    told = []
    for entry in await desk.sql("SELECT * FROM audit_entries WHERE action = 'key.transition' ORDER BY id"):
        details = json.loads(entry["details"])
        told.append((entry["actor"], names[entry["subject"]], details["from"], details["to"], entry["reason"]))
        assert entry["at"] is not None
    assert told == [
        ("one", "second", None, "pending", None),
        ("schedule", "first", "active", "retiring", None),
        ("schedule", "second", "pending", "active", None),
        ("schedule", "first", "retiring", "retired", None),
        ("two", "first", "retired", "destroy-scheduled", "a test"),
        ("one", "first", "destroy-scheduled", "retired", "a test"),
        ("one", "second", "active", "compromised", "stolen"),
        ("one", "third", None, "active", "stolen"),
    ]


async def test_a_stale_version_changes_nothing(desk: Desk) -> None:
    seen = await desk.version()
    made = await desk.rotate()
    await desk.move(LEAD + 1)
    before = await desk.snapshot()
    with pytest.raises(StaleVersion):
        await desk.ask(made.kid, KeyState.ACTIVE, seen=seen)
    assert await desk.snapshot() == before
