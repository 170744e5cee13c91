"""What takes work about money on: the request that began it, and one worker by lease for all that was left."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from uuid import UUID

from api.leased import Leased
from api.payment import cashback, paying, refunding, undoing
from api.payment.held import Held, hold_seconds
from models import money_work
from models.bills import BillRow
from models.money_work import HoldLost, Work
from models.payments import PaymentRow

if TYPE_CHECKING:
    from api.services import Services

_AT_ONCE: Final = 8
_TURN: Final = 64
_log = logging.getLogger("yima.payment")

Step = Callable[[Held], Awaitable[bool]]  # True: go on with the next step; False: it waits, or is done
STEPS: Final[dict[tuple[str, str], Step]] = {
    ("make", "undo"): undoing.undo,
    ("undo", "undo"): undoing.undo,
    ("pay", "settle"): paying.settle,
    ("pay", "prepay"): paying.prepay,
    ("pay", "wait"): paying.wait,
    ("pay", "close"): paying.close,
    ("pay", "undo"): paying.undo,
    ("refund", "preview"): refunding.preview,
    ("refund", "reverse"): refunding.reverse,
    ("refund", "resettle"): refunding.resettle,
    ("refund", "restore"): refunding.restore,
    ("refund", "owe"): refunding.owe,
    ("cashback", "send"): cashback.send,
    ("cashback", "wait"): cashback.wait,
}


async def carry_on(
    services: "Services", work: Work, bill: BillRow | None = None, payment: PaymentRow | None = None
) -> None:
    """Do the steps of held work until it waits or is done, then let go. bill, payment: as they were just read."""
    held = Held(services, work)
    held.bill, held.payment = bill, payment
    try:
        while await STEPS[held.work.kind, held.work.step](held):
            pass
    except HoldLost:
        return
    finally:
        await held.release()


async def take_on(services: "Services", work_id: UUID) -> bool:
    """Take work on and carry it as far as it goes now; False where somebody else holds it, or it must wait its turn."""
    work = await money_work.claim(work_id, hold_seconds(services))
    if work is None:
        return False
    await carry_on(services, work)
    return True


async def press(services: "Services", ref: UUID, seconds: float = 10.0) -> None:
    """Have what is under way about something carried on now, by us or by whoever holds it, for at most so long."""
    until = asyncio.get_running_loop().time() + seconds
    while (work_id := await money_work.live(ref)) is not None:
        if await take_on(services, work_id) or asyncio.get_running_loop().time() > until:
            return
        await asyncio.sleep(0.1)


class Money(Leased):
    """Takes on what is due and held by nobody: what waits, and what a worker left when it died."""

    lease = "payment"
    pause = 0.5

    async def turn(self, services: "Services") -> None:
        """All that is due now."""
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(work_id: UUID) -> None:
            async with room:
                try:
                    await take_on(services, work_id)
                except Exception as error:  # one that cannot be done keeps no other from being done
                    _log.warning("work about money failed", extra={"error": type(error).__name__})
                    await money_work.set_back(work_id)

        await asyncio.gather(*(one(work_id) for work_id in await money_work.due(_TURN)))
