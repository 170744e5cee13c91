"""A bill at the insurer: the chain of transactions that settles it, and those that undo it again.

2201 registers the visit, 2203 says what it was for, 2204 brings the lines under our `chrg_bchno`, 2206 tells who
would pay what, 2207 settles. 2208 undoes a settlement, 2205 the lines, 2202 the registration, in this order.
2601 undoes one message, by its id, whose outcome nobody knows; it answers nothing, so only a repetition or
reconciliation proves it.

Every transaction takes a `msgid` that its caller wrote down before, and uses it once: the platform refuses an id it
has seen, which is no proof that the first message did nothing. All end as api.upstream.outcomes says: Refused,
Unsent or Unknown.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar

import msgspec

from api.upstream.http import Failure
from api.upstream.insurer import BEIJING, Institution, Insurer
from codes.errors import InvalidValue
from codes.money import Parts, fen_of, parts_of, yuan_of

_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,30}")
_CLOCKS_APART: Final = timedelta(days=2)
_OUTPATIENT: Final = "11"  # med_type 普通门诊
# The platform wants a doctor, a department and a diagnosis, of which a bill knows nothing
_DOCTOR: Final = {"atddr_no": "D000000000000", "dr_name": "门诊医师"}
_DEPARTMENT: Final = {"dept_code": "A02", "dept_name": "全科医疗科", "caty": "A02"}
_DISEASE: Final = {"dise_codg": "R69.x00", "dise_name": "原因不明确的疾病"}

_Output = TypeVar("_Output")


class Patient(NamedTuple):
    """Whom a bill is for, as 1101 and the card say.

    area: where insured (insuplc_admdvs). mdtrt_cert_type, mdtrt_cert_no: the insurance number. psn_cert_type,
    certno: the document.
    """

    psn_no: str
    insutype: str
    area: str
    mdtrt_cert_type: str
    mdtrt_cert_no: str
    name: str
    psn_cert_type: str
    certno: str

    def __repr__(self) -> str:
        return "<Patient>"


class Line(NamedTuple):
    """One line of a bill. `sn`: ours, once in a visit. Money in fen."""

    sn: str
    code: str
    name: str
    category: str
    quantity: Decimal
    price_fen: int
    amount_fen: int


class Settled(NamedTuple):
    """What 2207 made: the platform's settlement number, and who pays what."""

    setl_id: str
    parts: Parts
    at: datetime | None = None  # when, by the platform's clock


class PartsWrong(Exception):
    """The platform's parts do not make the bill. `setl_id`: the settlement that now stands there, to be reversed."""

    def __init__(self, setl_id: str | None) -> None:
        super().__init__("the insurer's parts do not make the bill")
        self.setl_id = setl_id


class _Visit(msgspec.Struct, frozen=True):
    mdtrt_id: str
    psn_no: str | None = None


class _Registered(msgspec.Struct, frozen=True):
    data: _Visit


class _SetlInfo(msgspec.Struct, frozen=True):
    """Amounts are yuan, strings or numbers; Decimal keeps the digits of either."""

    medfee_sumamt: Decimal | None = None
    fund_pay_sumamt: Decimal | None = None
    acct_pay: Decimal | None = None
    hosp_part_amt: Decimal | None = None
    psn_cash_pay: Decimal | None = None
    setl_id: str | None = None
    mdtrt_id: str | None = None
    psn_no: str | None = None
    setl_time: str | None = None


class _Settlement(msgspec.Struct, frozen=True):
    setlinfo: _SetlInfo


class _Reversal(msgspec.Struct, frozen=True):
    setlinfo: _SetlInfo | None = None


class Settlement:
    """The chain, over the platform's envelope."""

    def __init__(self, insurer: Insurer) -> None:
        self._insurer = insurer

    def message_id(self, institution: Institution) -> str:
        """A msgid to write down and then to use once; see Insurer.message_id for how unique it is."""
        return self._insurer.message_id(institution)

    async def register(
        self, inst: Institution, patient: Patient, visit_number: str, at: datetime, *, msgid: str
    ) -> str:
        """2201: the visit's number at the platform (mdtrt_id). visit_number: the hospital's, kept as ipt_otp_no."""
        data = {
            "psn_no": patient.psn_no,
            "insutype": patient.insutype,
            "begntime": _moment(at),
            "mdtrt_cert_type": patient.mdtrt_cert_type,
            "mdtrt_cert_no": patient.mdtrt_cert_no,
            "psn_cert_type": patient.psn_cert_type,
            "certno": patient.certno,
            "psn_name": patient.name,
            "ipt_otp_no": visit_number,
            **_DOCTOR,
            **_DEPARTMENT,
        }
        async with self._insurer.moving("2201") as call:
            found = await self._insurer.transact(
                call, "2201", {"data": data}, patient.area, _Registered, institution=inst, msgid=msgid
            )
            if not _ID.fullmatch(found.data.mdtrt_id) or found.data.psn_no not in (None, patient.psn_no):
                raise call.unusable("lying")
            return found.data.mdtrt_id

    async def undo_registration(
        self, inst: Institution, patient: Patient, mdtrt_id: str, visit_number: str, *, msgid: str
    ) -> None:
        """2202: the visit never was. Refused while lines stand under it."""
        data = {"psn_no": patient.psn_no, "mdtrt_id": mdtrt_id, "ipt_otp_no": visit_number}
        await self._tell("2202", inst, patient, {"data": data}, msgid)

    async def visit(self, inst: Institution, patient: Patient, mdtrt_id: str, at: datetime, *, msgid: str) -> None:
        """2203: an ordinary outpatient visit, of which no diagnosis is known here."""
        visit = {
            "mdtrt_id": mdtrt_id,
            "psn_no": patient.psn_no,
            "med_type": _OUTPATIENT,
            "begntime": _moment(at),
            "main_cond_dscr": "",
            **_DISEASE,
        }
        disease = {
            "diag_type": "1",
            "diag_srt_no": "1",
            "diag_code": _DISEASE["dise_codg"],
            "diag_name": _DISEASE["dise_name"],
            "diag_dept": _DEPARTMENT["dept_name"],
            "dise_dor_no": _DOCTOR["atddr_no"],
            "dise_dor_name": _DOCTOR["dr_name"],
            "diag_time": _moment(at),
            "vali_flag": "1",
        }
        await self._tell("2203", inst, patient, {"mdtrtinfo": visit, "diseinfo": [disease]}, msgid)

    async def details(
        self, inst: Institution, patient: Patient, mdtrt_id: str, chrg_bchno: str, lines: Sequence[Line], *, msgid: str
    ) -> None:
        """2204: the bill's lines, under a `chrg_bchno` never used before."""
        at = _moment(self._insurer.time())
        feedetail = [_fee(patient, mdtrt_id, chrg_bchno, line, at) for line in lines]
        await self._tell("2204", inst, patient, {"feedetail": feedetail}, msgid)

    async def undo_details(
        self, inst: Institution, patient: Patient, mdtrt_id: str, chrg_bchno: str, *, msgid: str
    ) -> None:
        """2205: the lines never were. Refused while they are settled."""
        data = {"psn_no": patient.psn_no, "mdtrt_id": mdtrt_id, "chrg_bchno": chrg_bchno}
        await self._tell("2205", inst, patient, {"data": data}, msgid)

    async def preview(
        self, inst: Institution, patient: Patient, mdtrt_id: str, chrg_bchno: str, total_fen: int, *, msgid: str
    ) -> Parts:
        """2206: who would pay what; nothing is settled. Raises PartsWrong, too."""
        data = _bill(patient, mdtrt_id, chrg_bchno, total_fen)
        return (await self._settling("2206", inst, patient, data, total_fen, msgid)).parts

    async def settle(
        self, inst: Institution, patient: Patient, mdtrt_id: str, chrg_bchno: str, total_fen: int, *, msgid: str
    ) -> Settled:
        """2207: settled, with who pays what. Raises PartsWrong, too: then the settlement stands and is to be undone."""
        exact = {"fulamt_ownpay_amt": "0", "overlmt_selfpay": "0", "preselfpay_amt": "0", "inscp_scp_amt": "0"}
        data = {**_bill(patient, mdtrt_id, chrg_bchno, total_fen), "invono": "", **exact}
        return await self._settling("2207", inst, patient, data, total_fen, msgid)

    async def reverse(
        self, inst: Institution, patient: Patient, mdtrt_id: str, setl_id: str, *, msgid: str
    ) -> datetime | None:
        """2208: the settlement is undone; its lines stay, to be settled again or undone. When, if the platform tells."""
        data = {"psn_no": patient.psn_no, "mdtrt_id": mdtrt_id, "setl_id": setl_id}
        async with self._insurer.moving("2208") as call:
            output = await self._insurer.transact(
                call, "2208", {"data": data}, patient.area, object, institution=inst, msgid=msgid
            )
        return _reversed_at(output, self._insurer.time())

    async def undo_message(self, inst: Institution, patient: Patient, omsgid: str, oinfno: str, *, msgid: str) -> None:
        """2601: what message `omsgid` of transaction `oinfno` did is undone, and it does nothing if it still comes.

        It succeeds for an id the platform never saw. To repeat it (with a `msgid` of its own) does no harm.
        """
        data = {"psn_no": patient.psn_no, "omsgid": omsgid, "oinfno": oinfno}
        await self._tell("2601", inst, patient, {"data": data}, msgid)

    async def _tell(
        self, infno: str, inst: Institution, patient: Patient, input_: Mapping[str, object], msgid: str
    ) -> None:
        async with self._insurer.moving(infno) as call:
            await self._insurer.transact(call, infno, input_, patient.area, object, institution=inst, msgid=msgid)

    async def _settling(
        self, infno: str, inst: Institution, patient: Patient, data: Mapping[str, str], total_fen: int, msgid: str
    ) -> Settled:
        async with self._insurer.moving(infno) as call:
            found = await self._insurer.transact(
                call, infno, {"data": data}, patient.area, _Settlement, institution=inst, msgid=msgid
            )
            info = found.setlinfo
            about = info.mdtrt_id in (None, data["mdtrt_id"]) and info.psn_no in (None, patient.psn_no)
            if not about or (infno == "2207" and not _ID.fullmatch(info.setl_id or "")):
                raise call.unusable("lying")
            parts = _parts(info, total_fen)
            if parts is None:
                call.failed(Failure("parts"))
        if parts is None:
            raise PartsWrong(info.setl_id if infno == "2207" else None)
        return Settled(info.setl_id or "", parts, _time(info.setl_time, self._insurer.time()))


def _reversed_at(output: object, now: datetime) -> datetime | None:
    """When 2208 says it was done; it need not say anything."""
    try:
        info = msgspec.convert(output, _Reversal).setlinfo
    except msgspec.ValidationError:
        return None
    return _time(info.setl_time, now) if info else None


def _time(text: str | None, now: datetime) -> datetime | None:
    """A moment of the platform's, or None where it tells none that can be: books are kept by it."""
    try:
        told = datetime.strptime(text or "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    except ValueError:
        return None
    return told if abs(told - now) < _CLOCKS_APART else None


def _moment(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


def _fee(patient: Patient, mdtrt_id: str, chrg_bchno: str, line: Line, at: str) -> dict[str, str]:
    return {
        "feedetl_sn": line.sn,
        "mdtrt_id": mdtrt_id,
        "psn_no": patient.psn_no,
        "chrg_bchno": chrg_bchno,
        "dise_codg": "",
        "rxno": "",
        "rx_circ_flag": "0",
        "fee_ocur_time": at,
        "med_list_codg": line.code,
        "medins_list_codg": line.code,
        "medins_list_name": line.name,
        "det_item_fee_sumamt": yuan_of(line.amount_fen),
        "cnt": f"{line.quantity:f}",
        "pric": yuan_of(line.price_fen),
        "bilg_dept_codg": _DEPARTMENT["dept_code"],
        "bilg_dept_name": _DEPARTMENT["dept_name"],
        "bilg_dr_codg": _DOCTOR["atddr_no"],
        "bilg_dr_name": _DOCTOR["dr_name"],
        "hosp_appr_flag": "0",
        "exp_content": line.category,
    }


def _bill(patient: Patient, mdtrt_id: str, chrg_bchno: str, total_fen: int) -> dict[str, str]:
    return {
        "psn_no": patient.psn_no,
        "mdtrt_cert_type": patient.mdtrt_cert_type,
        "mdtrt_cert_no": patient.mdtrt_cert_no,
        "med_type": _OUTPATIENT,
        "medfee_sumamt": yuan_of(total_fen),
        "psn_setlway": "01",  # by item
        "mdtrt_id": mdtrt_id,
        "chrg_bchno": chrg_bchno,
        "acct_used_flag": "1",
        "insutype": patient.insutype,
    }


def _parts(info: _SetlInfo, total_fen: int) -> Parts | None:
    """The parts, or None if they, or the platform's total, do not make the bill."""
    try:
        found = parts_of(
            _fen(info.medfee_sumamt),
            _fen(info.fund_pay_sumamt),
            _fen(info.acct_pay),
            _fen(info.hosp_part_amt),
            _fen(info.psn_cash_pay),
        )
    except InvalidValue:
        return None
    return found if info.medfee_sumamt is not None and found.total == total_fen else None


def _fen(yuan: Decimal | None) -> int:
    """Fen; what is not there is nothing. An exponent is not written out before it is known to be small."""
    if yuan is None or yuan == 0:
        return 0
    small = yuan.is_finite() and -20 < yuan.adjusted() < 12 and len(yuan.as_tuple().digits) < 40
    return fen_of(f"{yuan:f}" if small else "")
