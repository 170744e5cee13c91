"""Work about money that this process holds, and how a message goes out: written first, sent once, its end written."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

from api.run.failpoints import reach
from api.upstream.outcomes import Refused, Unknown, Unsent
from models import bills, money_work
from models.bills import BillRow
from models.database import Connection, transaction
from models.money_work import Work
from models.payments import PaymentRow

if TYPE_CHECKING:
    from api.services import Services

Answer = TypeVar("Answer")
_MARGIN: Final = 6.0  # seconds that a hold outlives the longest call


def hold_seconds(services: "Services") -> float:
    """For how long work is taken on at a time."""
    return services.settings.upstream_timeout_ms / 1000 + _MARGIN


class Held:
    """Work in this process's hands. Every write says the hold's token; HoldLost ends what it does."""

    def __init__(self, services: "Services", work: Work) -> None:
        self.services = services
        self.work = work
        self.vault = services.vault
        self.bill: BillRow | None = None  # as it was read first: nobody else changes it while it is being paid
        self.payment: PaymentRow | None = None  # as it was just begun, for the first step
        self._over = False  # done, or let go until it is due
        self._answered: list[UUID] = []  # messages whose end is written with what comes next

    @property
    def bill_id(self) -> UUID:
        """The bill it is about."""
        return self.work.bill_id

    async def send(
        self,
        call: str,
        about: UUID,
        sending: Callable[[str], Awaitable[Answer]],
        *,
        number: str | None = None,
        institution: str = "",
    ) -> tuple[UUID, Answer]:
        """Write a message, send it with its number (a new msgid of the institution, if none is given), and give its id
        with the answer; the caller writes `done` with what it did.

        Raises Refused, Unsent or Unknown, which are written, or whatever else `sending` raises, which is not.
        """
        message_id, number = await money_work.write(
            self.work,
            call,
            about,
            hold_seconds(self.services),
            number=number,
            institution=institution,
            done=self._answered,
        )
        self._answered = []
        reach("money.send")
        try:
            answer = await sending(number)
        except Refused as refused:
            await money_work.ended(message_id, "refused", refused.code)
            raise
        except Unsent as unsent:
            await money_work.ended(message_id, "unsent", unsent.code)
            raise
        except Unknown as unknown:
            await money_work.ended(message_id, "unknown", unknown.code)
            raise
        reach("money.told")
        return message_id, answer

    async def say(
        self, call: str, about: UUID, sending: Callable[[str], Awaitable[Answer]], *, institution: str = ""
    ) -> Answer:
        """`send` of a message whose answer changes nothing here: its end is written with what comes next."""
        message_id, answer = await self.send(call, about, sending, institution=institution)
        self._answered.append(message_id)
        return answer

    async def release(self) -> None:
        """Let go, if it is still held."""
        await money_work.all_done(self._answered)
        if not self._over:
            await money_work.release(self.work)

    @asynccontextmanager
    async def deciding(self, *, last: bool = False) -> AsyncIterator[Connection]:
        """One transaction over the locked bill, while the work is still held. Raises HoldLost.

        last: it closes with `go` or `finish`, which ask whether the work is held.
        """
        async with transaction() as tx:
            await bills.lock(self.bill_id, using=tx)
            if not last:
                await money_work.keep(self.work, hold_seconds(self.services), using=tx)
            await money_work.all_done(self._answered, using=tx)
            yield tx
            reach("money.keep")
        self._answered = []
        reach("money.kept")

    @property
    def answered(self) -> list[UUID]:
        """Messages whose end is not written yet."""
        return list(self._answered)

    def let_go(self) -> None:
        """What was just committed let the work go, and wrote what was answered."""
        self._answered = []
        self._over = True

    def at_once(self, step: str) -> None:
        """Do another step now; after a crash all begins with the step before, which then changes nothing."""
        self.work = self.work._replace(step=step, attempts=0)

    async def go(self, step: str, *, wait: float = 0.0, using: Connection | None = None) -> None:
        """Move to a step; a transaction that is rolled back must be followed by no other step."""
        self.work = await money_work.go(self.work, step, wait=wait, using=using)
        self._over = wait > 0

    async def later(self) -> bool:
        """Try the step again after a while; False, as a step says that it waits."""
        await money_work.later(self.work)
        return False

    async def wait(self, seconds: float) -> bool:
        """Look again in so many seconds; False, as a step says that it waits."""
        await money_work.wait(self.work, seconds)
        return False

    async def finish(self, *, using: Connection | None = None) -> None:
        """It is done."""
        await money_work.finish(self.work, using=using)
        self._over = True
