"""A registration at the insurer brought to where it should be: registered, settled, not settled, gone.

Each function first clears what is in doubt: a message whose outcome nobody knows is undone by 2601, and then what
stands is known. So each may be called again after any end, also by another worker.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar
from uuid import UUID

from asyncpg import UniqueViolationError

from api.payment.held import Held, hold_seconds
from api.run.failpoints import reach
from api.upstream.insurer import Institution
from api.upstream.outcomes import CallEnded, Refused, Unknown
from api.upstream.settlement import Line, PartsWrong, Patient, Settled, Settlement
from codes.money import Parts
from models import money_work, registrations
from models.bills import BillRow, InsuredData, ItemData
from models.registrations import Registration

Answer = TypeVar("Answer")


def patient_of(insured: InsuredData) -> Patient:
    """Whom the insurer's transactions are about."""
    return Patient(
        insured.psn_no,
        insured.insutype,
        insured.area,
        insured.mdtrt_cert_type,
        insured.mdtrt_cert_no,
        insured.name,
        insured.psn_cert_type,
        insured.certno,
    )


def lines_of(items: list[ItemData]) -> list[Line]:
    """The fee details of these items, numbered from 1."""
    return [
        Line(str(n), item.code, item.name, item.category, item.quantity, item.price_fen, item.amount_fen)
        for n, item in enumerate(items, 1)
    ]


class Chain(NamedTuple):
    """A bill's side of the insurer, in the hands of one piece of work."""

    held: Held
    institution: Institution
    patient: Patient

    @property
    def insurer(self) -> Settlement:
        """The transactions."""
        return self.held.services.upstreams.settlement

    async def _send(self, infno: str, about: UUID, sending: Callable[[str], Awaitable[Answer]]) -> tuple[UUID, Answer]:
        return await self.held.send(infno, about, sending, institution=self.institution.code)

    async def _say(self, infno: str, about: UUID, sending: Callable[[str], Awaitable[Answer]]) -> Answer:
        return await self.held.say(infno, about, sending, institution=self.institution.code)

    async def register(self, registration: Registration, visit_number: str, items: list[ItemData]) -> Parts:
        """2201, 2203, 2204 and 2206: who would pay what. Raises Refused, Unsent, Unknown or PartsWrong."""
        about, at = registration.registration_id, self.held.work.at
        mdtrt_id = registration.mdtrt_id
        if mdtrt_id is None:
            mdtrt_id = await self._say(
                "2201",
                about,
                lambda msgid: self.insurer.register(self.institution, self.patient, visit_number, at, msgid=msgid),
            )
            await registrations.made(about, mdtrt_id)
        visit, batch = mdtrt_id, registration.chrg_bchno
        await self._say(
            "2203", about, lambda msgid: self.insurer.visit(self.institution, self.patient, visit, at, msgid=msgid)
        )
        await self._say(
            "2204",
            about,
            lambda msgid: self.insurer.details(
                self.institution, self.patient, visit, batch, lines_of(items), msgid=msgid
            ),
        )
        return await self._say(
            "2206",
            about,
            lambda msgid: self.insurer.preview(
                self.institution, self.patient, visit, batch, registration.total_fen, msgid=msgid
            ),
        )

    async def clear(self, registration_id: UUID) -> Registration:
        """Undo what is in doubt (2601); the registration as it then stands. Raises Unknown: it still is in doubt."""
        found, doubts = await registrations.registration_in_doubt(registration_id)
        for doubt in doubts:
            try:
                message_id, _ = await self._send(
                    "2601",
                    registration_id,
                    lambda msgid, doubt=doubt: self.insurer.undo_message(  # type: ignore[misc]
                        self.institution, self.patient, doubt.number, doubt.call, msgid=msgid
                    ),
                )
            except CallEnded as ended:  # whatever the answer, what was in doubt stays so
                raise Unknown(ended.code) from None
            async with self.held.deciding() as tx:
                await money_work.ended(message_id, "done", using=tx)
                await money_work.ended(doubt.message_id, "undone", using=tx)
        return found

    async def settle(self, registration_id: UUID) -> Registration:
        """The registration with a settlement that stands (2207). Raises PartsWrong, Refused, Unsent or Unknown.

        After PartsWrong the wrong settlement stands, in no ledger, until `unsettle`.
        """
        found = await self.clear(registration_id)
        if found.setl_id is not None and found.settled is None:
            raise PartsWrong(found.setl_id)
        if found.setl_id is not None:
            return found

        async def settling(msgid: str) -> Settled | PartsWrong:
            try:
                return await self.insurer.settle(
                    self.institution,
                    self.patient,
                    found.mdtrt_id or "",
                    found.chrg_bchno,
                    found.total_fen,
                    msgid=msgid,
                )
            except PartsWrong as wrong:
                return wrong

        message_id, answer = await self._send("2207", registration_id, settling)
        if answer.setl_id is None:
            raise LookupError("a settlement has its number, or its end is unknown")
        parts, at = (answer.parts, answer.at) if isinstance(answer, Settled) else (None, None)
        try:
            seconds = hold_seconds(self.held.services)
            await registrations.settled(self.held.work, seconds, found, answer.setl_id, parts, message_id, at)
            reach("money.kept")
        except UniqueViolationError:  # a number that another settlement has: nobody can tell them apart
            await money_work.ended(message_id, "unknown", "repeated")
            raise Unknown("repeated") from None
        if isinstance(answer, PartsWrong):
            raise answer
        return found._replace(setl_id=answer.setl_id, settled=parts)

    async def unsettle(self, registration_id: UUID) -> None:
        """No settlement of the registration stands any more (2208). Raises Refused, Unsent or Unknown."""
        found = await self.clear(registration_id)
        setl_id = found.setl_id
        if setl_id is None:
            return
        message_id, at = await self._send(
            "2208",
            registration_id,
            lambda msgid: self.insurer.reverse(
                self.institution, self.patient, found.mdtrt_id or "", setl_id, msgid=msgid
            ),
        )
        async with self.held.deciding() as tx:
            await registrations.reversed_(found, message_id, at, using=tx)

    async def undo(self, registration_id: UUID, visit_number: str) -> None:
        """Nothing of the registration is left: 2205 and 2202, or 2601 where its number is not known.

        Raises Unsent or Unknown; what the insurer refuses to undo is not there, or moves no money.
        """
        found = await registrations.registration(registration_id)
        mdtrt_id, batch = found.mdtrt_id, found.chrg_bchno
        if mdtrt_id is not None:
            with suppress(Refused):
                await self._say(
                    "2205",
                    registration_id,
                    lambda msgid: self.insurer.undo_details(
                        self.institution, self.patient, mdtrt_id, batch, msgid=msgid
                    ),
                )
            with suppress(Refused):
                await self._say(
                    "2202",
                    registration_id,
                    lambda msgid: self.insurer.undo_registration(
                        self.institution, self.patient, mdtrt_id, visit_number, msgid=msgid
                    ),
                )
        for doubt in await money_work.doubts(registration_id, ("2201",)) if mdtrt_id is None else []:
            with suppress(Refused):
                await self._say(
                    "2601",
                    registration_id,
                    lambda msgid, doubt=doubt: self.insurer.undo_message(  # type: ignore[misc]
                        self.institution, self.patient, doubt.number, doubt.call, msgid=msgid
                    ),
                )


def chain_of(held: Held, bill: BillRow, insured: InsuredData) -> Chain:
    """The insurer's side of a bill, by its hospital."""
    return Chain(held, institution_of(bill.hospital_code, bill.hospital_name, bill.hospital_area), patient_of(insured))


def institution_of(code: str, name: str, area: str) -> Institution:
    """The fixed-point institution that a hospital is."""
    return Institution(code, name, area)
