"""A bill at the insurer, as the tests of its chain drive it."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from api.sandbox import PEOPLE, Person
from api.upstream.insurer import BEIJING, Institution, cert_type
from api.upstream.outcomes import CallEnded
from api.upstream.settlement import Line, PartsWrong, Patient, Settled, Settlement
from codes.money import Parts
from tests.upstream.outside import ME, Sandbox, document

HOSPITAL = Institution("H43010209999", "另一家医院", "430102")
AT = datetime(2026, 10, 26, 9, 0, tzinfo=BEIJING)
TODAY = date(2026, 10, 26)  # of the tests' clock, in Beijing
CHILD, RETIRED = PEOPLE[-1], PEOPLE[5]


def patient_of(person: Person) -> Patient:
    return Patient(
        psn_no=person.psn_no,
        insutype=person.insutype,
        area=person.insurance.area,
        mdtrt_cert_type=person.insurance.type,
        mdtrt_cert_no=person.insurance.number,
        name=person.name,
        psn_cert_type=cert_type(document(person)),
        certno=person.id_number,
    )


def line(fen: int, category: str = "化验费", sn: str = "1") -> Line:
    return Line(sn, "250101015", "血常规", category, Decimal("1"), fen, fen)


@dataclass
class Bill:
    """A visit at the insurer, through our client; remembers the ids it wrote down."""

    settlement: Settlement
    sandbox: Sandbox
    patient: Patient = field(default_factory=lambda: patient_of(ME))
    inst: Institution = HOSPITAL
    mdtrt_id: str = ""
    last: str = ""

    def msgid(self) -> str:
        self.last = self.settlement.message_id(self.inst)
        return self.last

    async def begun(self) -> "Bill":
        self.mdtrt_id = await self.settlement.register(self.inst, self.patient, "V1", AT, msgid=self.msgid())
        await self.settlement.visit(self.inst, self.patient, self.mdtrt_id, AT, msgid=self.msgid())
        return self

    async def details(self, *lines: Line, batch: str = "B1") -> None:
        await self.settlement.details(
            self.inst, self.patient, self.mdtrt_id, batch, lines or (line(6600),), msgid=self.msgid()
        )

    async def preview(self, total: int = 6600, batch: str = "B1") -> Parts:
        return await self.settlement.preview(self.inst, self.patient, self.mdtrt_id, batch, total, msgid=self.msgid())

    async def settle(self, total: int = 6600, batch: str = "B1") -> Settled:
        return await self.settlement.settle(self.inst, self.patient, self.mdtrt_id, batch, total, msgid=self.msgid())

    async def reverse(self, setl_id: str) -> None:
        await self.settlement.reverse(self.inst, self.patient, self.mdtrt_id, setl_id, msgid=self.msgid())

    async def undo_details(self, batch: str = "B1") -> None:
        await self.settlement.undo_details(self.inst, self.patient, self.mdtrt_id, batch, msgid=self.msgid())

    async def undo_registration(self) -> None:
        await self.settlement.undo_registration(self.inst, self.patient, self.mdtrt_id, "V1", msgid=self.msgid())

    async def undo(self, omsgid: str, oinfno: str) -> None:
        await self.settlement.undo_message(self.inst, self.patient, omsgid, oinfno, msgid=self.msgid())

    def standing(self) -> list[str]:
        return [str(one["setl_id"]) for one in self.sandbox.app.ctx.world.insurer_books.shown() if not one["reversed"]]


async def ending(made: Awaitable[object]) -> object:
    """The type of end, or what came."""
    try:
        return await made
    except (CallEnded, PartsWrong) as ended:
        return type(ended)
