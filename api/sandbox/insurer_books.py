"""The simulated insurer's books: what stands there, and what every message did.

Plain data, so that `dump` and `load` keep it over a restart. What is undone stays, marked.
"""

from datetime import date, datetime, timedelta, timezone
from typing import Final

import msgspec

from codes.insurer_files import Entry
from codes.money import Parts

BEIJING: Final = timezone(timedelta(hours=8))
_FILES_KEPT: Final = 200


class Message(msgspec.Struct):
    """A message that came. `subject`: the key of what it did something to. `undone`: by 2601."""

    institution: str
    infno: str
    psn_no: str = ""
    subject: str = ""
    undone: bool = False


class Registration(msgspec.Struct):
    """2201. `visited`: 2203 came. `batches`: keys of the lines under it. `undone`: by 2202 or 2601."""

    institution: str
    psn_no: str
    insutype: str
    ipt_otp_no: str
    batches: list[str] = []
    visited: bool = False
    undone: bool = False


class FeeLine(msgspec.Struct, frozen=True):
    """One line of 2204, fen."""

    sn: str
    category: str
    fen: int


class Batch(msgspec.Struct):
    """The lines of one chrg_bchno. `setl_id`: the settlement that stands over them. `undone`: by 2205 or 2601."""

    mdtrt_id: str
    chrg_bchno: str
    lines: list[FeeLine]
    setl_id: str | None = None
    undone: bool = False


class Reversal(msgspec.Struct, frozen=True):
    """2208. at: Unix seconds."""

    msgid: str
    at: float


class Settlement(msgspec.Struct):
    """2207. `voided`: its message was undone by 2601, as if it had never come: no row of any day."""

    institution: str
    psn_no: str
    insutype: str
    mdtrt_id: str
    batch: str
    msgid: str
    at: float
    parts: Parts
    reversal: Reversal | None = None
    voided: bool = False

    @property
    def stands(self) -> bool:
        """Neither reversed nor voided."""
        return self.reversal is None and not self.voided


class Row(msgspec.Struct, frozen=True):
    """One row of a day."""

    insutype: str
    cash_fen: int
    entry: Entry


class InsurerBooks(msgspec.Struct):
    """All of it. Keys: msgid; mdtrt_id; institution/chrg_bchno (batches); setl_id; file_qury_no."""

    counter: int = 0
    messages: dict[str, Message] = msgspec.field(default_factory=dict)
    barred: set[str] = msgspec.field(default_factory=set)
    registrations: dict[str, Registration] = msgspec.field(default_factory=dict)
    batches: dict[str, Batch] = msgspec.field(default_factory=dict)
    settlements: dict[str, Settlement] = msgspec.field(default_factory=dict)
    files: dict[str, bytes] = msgspec.field(default_factory=dict)

    def dump(self) -> bytes:
        """As JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def load(cls, kept: bytes) -> "InsurerBooks":
        """What `dump` made. Raises msgspec.MsgspecError for anything else."""
        return msgspec.json.decode(kept, type=cls)

    def shown(self) -> list[dict[str, object]]:
        """As GET /sandbox/books shows the settlements, oldest first."""
        return [
            {
                "setl_id": setl_id,
                "fund_fen": one.parts.fund,
                "account_fen": one.parts.account,
                "hospital_fen": one.parts.hospital,
                "cash_fen": one.parts.cash,
                "reversed": not one.stands,
            }
            for setl_id, one in self.settlements.items()
        ]

    def next(self, prefix: str) -> str:
        """A number nobody has."""
        self.counter += 1
        return f"{prefix}{self.counter:012d}"

    def keep(self, file: bytes) -> str:
        """A file's number."""
        number = self.next("fsi/plc/")
        self.files[number] = file
        while len(self.files) > _FILES_KEPT:
            del self.files[next(iter(self.files))]
        return number

    def rows(self, institution: str, first: date, last: date) -> list[Row]:
        """An institution's rows of these local days: settlements, and reversals on the day of each."""
        found = []
        for setl_id, one in self.settlements.items():
            if one.institution != institution or one.voided:
                continue
            if first <= _day(one.at) <= last:
                found.append(_row(setl_id, one, one.msgid, 1))
            if one.reversal and first <= _day(one.reversal.at) <= last:
                found.append(_row(setl_id, one, one.reversal.msgid, -1))
        return found


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, BEIJING).date()


def _row(setl_id: str, one: Settlement, msgid: str, sign: int) -> Row:
    parts = one.parts
    amounts = (sign * parts.total, sign * parts.fund, sign * parts.account)
    return Row(one.insutype, sign * parts.cash, Entry(one.psn_no, one.mdtrt_id, setl_id, msgid, sign < 0, *amounts))
