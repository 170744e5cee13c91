"""A day at the insurer, compared: 3201 by sums, 3202 row by row, with the files of 9101 and 9102.

All ends as api.upstream.outcomes says; nothing of it moves money, so it may all be asked again, with a new `msgid`.
"""

import base64
import re
from datetime import date
from typing import Final, NamedTuple

import msgspec

from api.upstream.http import Call
from api.upstream.insurer import Institution, Insurer
from codes.money import yuan_of

_OUTPATIENT: Final = "11"  # clr_type 门诊
_FILE: Final = re.compile(r"[0-9A-Za-z_/.-]{1,100}")
_MATCHED: Final = "0"


class Sums(NamedTuple):
    """A day's rows summed, in fen: settlements, less the reversals of that day. rows: of both kinds."""

    total_fen: int
    fund_fen: int
    account_fen: int
    cash_fen: int
    rows: int


class _StmtInfo(msgspec.Struct, frozen=True):
    stmt_rslt: str | int


class _Totals(msgspec.Struct, frozen=True):
    stmtinfo: _StmtInfo


class _File(msgspec.Struct, frozen=True):
    file_qury_no: str


class _FileInfo(msgspec.Struct, frozen=True):
    fileinfo: _File


class InsurerDays:
    """What an institution asks the platform about a day."""

    def __init__(self, insurer: Insurer) -> None:
        self._insurer = insurer

    async def totals(self, inst: Institution, insutype: str, day: date, sums: Sums, *, msgid: str) -> bool:
        """3201: whether the platform's sums of an insurance type on a local day are these."""
        data = {
            "insutype": insutype,
            "clr_type": _OUTPATIENT,
            "acct_pay": yuan_of(sums.account_fen),
            **_summed(inst, day, sums),
        }
        async with self._insurer.moving("3201") as call:
            found = await self._insurer.transact(
                call, "3201", {"data": data}, inst.area, _Totals, institution=inst, msgid=msgid
            )
            return str(found.stmtinfo.stmt_rslt) == _MATCHED

    async def upload(self, inst: Institution, name: str, content: bytes, *, msgid: str) -> str:
        """9101: the file's number at the platform (file_qury_no). name: of letters, ends in .zip."""
        data = {"in": base64.b64encode(content).decode(), "filename": name, "fixmedins_code": inst.code}
        async with self._insurer.moving("9101") as call:
            found = await self._insurer.transact(
                call, "9101", {"fsUploadIn": data}, inst.area, _File, institution=inst, msgid=msgid
            )
            return _number(call, found)

    async def compare(self, inst: Institution, day: date, sums: Sums, file_qury_no: str, *, msgid: str) -> str:
        """3202: the uploaded rows of a local day compared with the platform's; the result file's number."""
        data = {"file_qury_no": file_qury_no, "cash_payamt": yuan_of(sums.cash_fen), **_summed(inst, day, sums)}
        async with self._insurer.moving("3202") as call:
            found = await self._insurer.transact(
                call, "3202", {"data": data}, inst.area, _FileInfo, institution=inst, msgid=msgid
            )
            return _number(call, found.fileinfo)

    async def download(self, inst: Institution, file_qury_no: str, *, msgid: str) -> bytes:
        """9102: the ZIP itself, at most InsurerConfig.file_bytes; codes.insurer_files reads it."""
        data = {"file_qury_no": file_qury_no, "filename": "result.zip", "fixmedins_code": inst.code}
        async with self._insurer.moving("9102") as call:
            return await self._insurer.file(call, {"fsDownloadIn": data}, inst, msgid)


def _number(call: Call, file: _File) -> str:
    if not _FILE.fullmatch(file.file_qury_no):
        raise call.unusable("lying")
    return file.file_qury_no


def _summed(inst: Institution, day: date, sums: Sums) -> dict[str, str]:
    return {
        "setl_optins": inst.area,
        "stmt_begndate": day.isoformat(),
        "stmt_enddate": day.isoformat(),
        "medfee_sumamt": yuan_of(sums.total_fen),
        "fund_pay_sumamt": yuan_of(sums.fund_fen),
        "fixmedins_setl_cnt": str(sums.rows),
    }
