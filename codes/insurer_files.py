"""The files that hospitals and the insurance platform exchange to reconcile a day (3202, 9101, 9102).

A file is a ZIP of one text: UTF-8, a line per row, columns divided by tabs, no header, `null` for empty. What comes
from outside is read within bounds: one member, and no more text than `MOST_BYTES`.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from typing import ClassVar, Final, NamedTuple

from codes.errors import InvalidValue
from codes.money import fen_of, yuan_of

MOST_BYTES: Final = 50 * 1024 * 1024
_EMPTY: Final = "null"
_DIVIDERS: Final = frozenset("\t\r\n")
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the same rows make the same file

EQUAL: Final = "0"
AMOUNTS_DIFFER: Final = "1"
CENTRE_HAS_MORE: Final = "101"
HOSPITAL_HAS_MORE: Final = "102"
_VERDICTS: Final = frozenset({EQUAL, AMOUNTS_DIFFER, CENTRE_HAS_MORE, HOSPITAL_HAS_MORE})
_FLAGS: Final = {"0": False, "1": True}


class FileInvalid(Exception):
    """Not such a file. `code` says why, never what was read."""

    code: ClassVar[str] = "file-invalid"


class FileBroken(FileInvalid):
    """No ZIP of one readable member, or cut short or changed."""

    code = "file-broken"


class FileTooLarge(FileInvalid):
    """It unpacks to more than MOST_BYTES."""

    code = "file-too-large"


class RowsInvalid(FileInvalid):
    """A row of the wrong columns, or a value that is none of its column."""

    code = "rows-invalid"


class Entry(NamedTuple):
    """One row of a day: a settlement, or its reversal (`refund`), which is a second row of negative amounts.

    Money in fen. msgid: of the message that settled, or reversed.
    """

    psn_no: str
    mdtrt_id: str
    setl_id: str
    msgid: str
    refund: bool
    total_fen: int
    fund_fen: int
    account_fen: int

    def __repr__(self) -> str:
        return "<Entry>"


class Difference(NamedTuple):
    """One row of the platform's answer: how an entry compares, and the centre's amounts for it (fen).

    verdict: EQUAL, AMOUNTS_DIFFER, CENTRE_HAS_MORE (the hospital lacks it) or HOSPITAL_HAS_MORE.
    """

    entry: Entry
    verdict: str
    memo: str


def write_rows(name: str, rows: Iterable[Sequence[str]]) -> bytes:
    """The ZIP of one text `name` that holds `rows`. Raises RowsInvalid for a value with a tab or a line end."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), "".join(map(_line, rows)), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _line(row: Sequence[str]) -> str:
    if any(not _DIVIDERS.isdisjoint(value) for value in row):
        raise RowsInvalid
    return "\t".join(value or _EMPTY for value in row) + "\n"


def read_rows(packed: bytes, columns: int) -> list[tuple[str, ...]]:
    """The rows of such a ZIP, "" for empty. Raises FileBroken, FileTooLarge, RowsInvalid."""
    try:
        text = _unpack(packed).decode("utf-8")
    except UnicodeDecodeError:
        raise RowsInvalid from None
    rows = [
        tuple("" if value == _EMPTY else value for value in line.removesuffix("\r").split("\t"))
        for line in text.removeprefix("\ufeff").split("\n")
        if line.strip()
    ]
    if any(len(row) != columns for row in rows):
        raise RowsInvalid
    return rows


def _unpack(packed: bytes) -> bytes:
    """The one member. What its header says of its size is not believed."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = archive.infolist()
            if len(members) != 1 or members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise FileBroken
            with archive.open(members[0]) as member:
                text = member.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError):
        raise FileBroken from None
    if len(text) > MOST_BYTES:
        raise FileTooLarge
    return text


def write_entries(name: str, entries: Iterable[Entry]) -> bytes:
    """A hospital's day, to be uploaded."""
    return write_rows(
        name,
        (
            (one.psn_no, one.mdtrt_id, one.setl_id, one.msgid, "1" if one.refund else "0", *_amounts(one))
            for one in entries
        ),
    )


def read_entries(packed: bytes) -> list[Entry]:
    """A hospital's day. Raises FileInvalid."""
    return [
        _entry(psn_no, mdtrt_id, setl_id, msgid, flag, amounts)
        for psn_no, mdtrt_id, setl_id, msgid, flag, *amounts in read_rows(packed, 8)
    ]


def write_differences(name: str, differences: Iterable[Difference]) -> bytes:
    """The platform's answer."""
    return write_rows(
        name,
        (
            (*entry[:4], verdict, "1" if entry.refund else "0", memo, *_amounts(entry))
            for entry, verdict, memo in differences
        ),
    )


def read_differences(packed: bytes) -> list[Difference]:
    """The platform's answer. Raises FileInvalid."""
    found = []
    for psn_no, mdtrt_id, setl_id, msgid, verdict, flag, memo, *amounts in read_rows(packed, 10):
        if verdict not in _VERDICTS:
            raise RowsInvalid
        found.append(Difference(_entry(psn_no, mdtrt_id, setl_id, msgid, flag, amounts), verdict, memo))
    return found


def _amounts(entry: Entry) -> tuple[str, str, str]:
    return yuan_of(entry.total_fen), yuan_of(entry.fund_fen), yuan_of(entry.account_fen)


def _entry(psn_no: str, mdtrt_id: str, setl_id: str, msgid: str, flag: str, amounts: Sequence[str]) -> Entry:
    if not setl_id or flag not in _FLAGS:
        raise RowsInvalid
    try:
        total, fund, account = (fen_of(value or "0") for value in amounts)
    except InvalidValue:
        raise RowsInvalid from None
    return Entry(psn_no, mdtrt_id, setl_id, msgid, _FLAGS[flag], total, fund, account)
