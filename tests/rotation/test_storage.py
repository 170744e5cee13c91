"""Storage fails at the Nth statement of each operation, for every N: the database shows before or after, and the same
call again changes nothing more. Model: OpenBao's keysutil, where memory must equal storage.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tortoise.exceptions import DBConnectionError

from codes.ring import KeyState
from models import rotation
from models.approvals import ApprovalClosed
from models.database import Unavailable
from models.deciding import decide
from models.rotation import StaleVersion
from tests.rotation.desk import LEAD, LIFE_AFTER, ONE, TWO, Desk
from tests.rotation.statements import Statements

Act = Callable[[Desk], Awaitable[Any]]


async def rotated(desk: Desk) -> None:
    await desk.turn()


async def pending(desk: Desk) -> None:
    await desk.rotate()
    await desk.move(LEAD + 1)


async def retired(desk: Desk) -> None:
    await desk.turn()
    await desk.move(LIFE_AFTER + 1)
    await desk.tick()


async def doomed(desk: Desk) -> None:
    await retired(desk)
    await desk.change(await desk.kid(KeyState.RETIRED), KeyState.DESTROY_SCHEDULED)


async def due(desk: Desk) -> None:
    await doomed(desk)
    await desk.move(701)


async def asked(desk: Desk) -> None:
    await rotated(desk)
    await desk.ask(await desk.kid(KeyState.RETIRING), KeyState.ACTIVE)


async def retiring_spent(desk: Desk) -> None:
    await rotated(desk)
    await desk.move(LIFE_AFTER + 1)


async def _approve(desk: Desk) -> Any:
    (open_one,) = await desk.sql("SELECT id FROM approvals ORDER BY at DESC LIMIT 1")
    return await decide(desk.vault, open_one["id"], True, TWO, desk.timing)


def moved(source: KeyState, to: KeyState) -> Act:
    """A custodian's transition of the key that is in a state, by the ring as it was before the trouble."""

    async def act(desk: Desk) -> Any:
        (kid,) = [key.kid for key in await desk.keys() if key.state in (source, to) and key.kid != desk.other]
        return await rotation.transition(desk.vault, kid, to, ONE, "a test", desk.seen, desk.timing)

    return act


async def _compromise(desk: Desk) -> Any:
    return await desk.compromise(desk.first)


@dataclass(frozen=True)
class Operation:
    """`prepare` makes the state before; `act` is the operation; `closed` says that it was done already, instead of an answer."""

    name: str
    act: Act
    prepare: Act | None = None
    closed: type[Exception] | None = None


OPERATIONS = (
    Operation("ask for a rotation", lambda desk: desk.rotate()),
    Operation("activate by hand", moved(KeyState.PENDING, KeyState.ACTIVE), pending, StaleVersion),
    Operation("activate by schedule", lambda desk: desk.tick(), pending),
    Operation("retire by hand", moved(KeyState.RETIRING, KeyState.RETIRED), retiring_spent, StaleVersion),
    Operation("retire by schedule", lambda desk: desk.tick(), retiring_spent),
    Operation("ask to roll back", moved(KeyState.RETIRING, KeyState.ACTIVE), rotated),
    Operation("approve a rolling back", _approve, asked, ApprovalClosed),
    Operation("call a destruction off", moved(KeyState.DESTROY_SCHEDULED, KeyState.RETIRED), doomed, StaleVersion),
    Operation("destroy", lambda desk: desk.tick(), due),
    Operation("compromise the active key", _compromise),
    Operation("compromise the active key beside a pending one", _compromise, pending),
    Operation("compromise a retiring key", _compromise, rotated),
    Operation("confirm a ring that was put back", lambda desk: rotation.confirm_ring(10_000, ONE, "a test")),
)


@pytest.mark.parametrize("answer_lost", (False, True), ids=("statement lost", "answer lost"))
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_storage_fails_at_every_statement(desk: Desk, operation: Operation, answer_lost: bool) -> None:
    desk.first = await desk.kid(KeyState.ACTIVE)
    if operation.prepare:
        await operation.prepare(desk)
    desk.other = await desk.kid(KeyState.ACTIVE)
    desk.seen = await desk.version()
    before = await desk.snapshot()
    with Statements(desk.outside) as statements:
        for number in range(1, 100):
            statements.lose_at(number, after=answer_lost)
            try:
                await operation.act(desk)
            except (*Unavailable, DBConnectionError):
                if await desk.snapshot() == before:
                    continue
                assert answer_lost, f"statement {number} was lost, and something was written"
            break
    assert number > 3, "no statement was counted"
    after = await desk.snapshot()
    assert after != before
    await _again(desk, operation)
    if not operation.name.startswith("confirm"):  # each confirmation of a ring is an act of its own
        assert await desk.snapshot() == after, "the same call again changed something"


async def _again(desk: Desk, operation: Operation) -> None:
    if operation.closed is None:
        await operation.act(desk)
        return
    try:
        await operation.act(desk)
    except operation.closed:
        return
    assert operation.closed is ApprovalClosed  # the same custodian is told the same again
