"""The simulated insurer's reconciliation: 3201 sums, 3202 rows, 9101 and 9102 files."""

import base64
import binascii
from datetime import date

from api.sandbox.insurer_books import Row
from api.sandbox.insurer_input import Node, Refusal, amount, needed, node
from api.sandbox.world import World
from codes.insurer_files import (
    AMOUNTS_DIFFER,
    CENTRE_HAS_MORE,
    HOSPITAL_HAS_MORE,
    Difference,
    Entry,
    FileInvalid,
    read_entries,
    write_differences,
)


def totals_3201(world: World, envelope: Node, input_: Node) -> Node:
    """Sums of one insurance type."""
    data = node(input_, "data")
    insutype, optins, _ = needed(data, "insutype", "setl_optins", "clr_type")
    rows = [row for row in _rows(world, envelope, data) if row.insutype == insutype]
    ours = [
        sum(row.entry.total_fen for row in rows),
        sum(row.entry.fund_fen for row in rows),
        sum(row.entry.account_fen for row in rows),
    ]
    theirs = [amount(data, name) for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")]
    same = ours == theirs and str(data.get("fixmedins_setl_cnt")) == str(len(rows))
    told = "平" if same else "不平"
    return {"stmtinfo": {"setl_optins": optins, "stmt_rslt": "0" if same else "1", "stmt_rslt_dscr": told}}


def upload_9101(world: World, envelope: Node, input_: Node) -> Node:
    """A file comes."""
    data = node(input_, "fsUploadIn")
    content, filename, code = needed(data, "in", "filename", "fixmedins_code")
    if code != envelope["fixmedins_code"]:
        raise Refusal("定点医药机构编号不一致")
    try:
        kept = world.insurer_books.keep(base64.b64decode(content, validate=True))
    except binascii.Error:
        raise Refusal("参数[in]格式错误") from None
    return {"file_qury_no": kept, "filename": filename, "fixmedins_code": code}


def compare_3202(world: World, envelope: Node, input_: Node) -> Node:
    """A file's rows compared with ours; the file of the differences."""
    data = node(input_, "data")
    needed(data, "setl_optins", "file_qury_no")
    amount(data, "cash_payamt")
    try:
        entries = read_entries(_file(world, data))
    except FileInvalid:
        raise Refusal("对账明细文件格式错误") from None
    sums = (sum(one.total_fen for one in entries), sum(one.fund_fen for one in entries), str(len(entries)))
    told = (amount(data, "medfee_sumamt"), amount(data, "fund_pay_sumamt"), str(data.get("fixmedins_setl_cnt")))
    if sums != told:
        raise Refusal("对账汇总与明细文件不一致")
    differences = compare(entries, [row.entry for row in _rows(world, envelope, data)])
    kept = world.insurer_books.keep(write_differences("result.txt", differences))
    ends = f"{data['stmt_enddate']} 23:59:59"
    return {"fileinfo": {"file_qury_no": kept, "filename": "result.txt.zip", "dld_endtime": ends}}


def download_9102(world: World, _envelope: Node, input_: Node) -> bytes:
    """The file itself."""
    data = node(input_, "fsDownloadIn")
    needed(data, "file_qury_no", "filename", "fixmedins_code")
    return _file(world, data)


def compare(hospital: list[Entry], centre: list[Entry]) -> list[Difference]:
    """The rows that differ, those the centre lacks last. A row is known by setl_id and whether it is a refund."""
    theirs = {(one.setl_id, one.refund): one for one in hospital}
    found = []
    for one in centre:
        other = theirs.pop((one.setl_id, one.refund), None)
        if other is None:
            found.append(Difference(one, CENTRE_HAS_MORE, "中心多"))
        elif other[5:] != one[5:]:
            found.append(Difference(one, AMOUNTS_DIFFER, "金额不一致"))
    for one in theirs.values():
        found.append(Difference(one._replace(total_fen=0, fund_fen=0, account_fen=0), HOSPITAL_HAS_MORE, "医院多"))
    return found


def _rows(world: World, envelope: Node, data: Node) -> list[Row]:
    first, last = needed(data, "stmt_begndate", "stmt_enddate")
    try:
        return world.insurer_books.rows(envelope["fixmedins_code"], date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        raise Refusal("参数[stmt_begndate]格式错误") from None


def _file(world: World, data: Node) -> bytes:
    found = world.insurer_books.files.get(data["file_qury_no"])
    if found is None:
        raise Refusal("文件不存在")
    return found
