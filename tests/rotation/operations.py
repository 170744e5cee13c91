"""The operations that change keys: for each the state before, the call, and how a call that comes again is told so."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from codes.ring import KeyState
from models import rotation
from models.approvals import ApprovalClosed
from models.deciding import decide
from models.rotation import StaleVersion
from tests.rotation.desk import LEAD, LIFE_AFTER, ONE, TWO, Desk

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

    async def begin(self, desk: Desk) -> None:
        """Make the state before, and remember what the call needs."""
        desk.first = await desk.kid(KeyState.ACTIVE)
        if self.prepare:
            await self.prepare(desk)
        desk.other = await desk.kid(KeyState.ACTIVE)
        desk.seen = await desk.version()


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


async def again(desk: Desk, operation: Operation) -> None:
    """The same call once more."""
    if operation.closed is None:
        await operation.act(desk)
        return
    try:
        await operation.act(desk)
    except operation.closed:
        return
    assert operation.closed is ApprovalClosed  # the same custodian is told the same again
