"""The simulated insurer's chain of a bill: 2201 to 2208, and 2601, which undoes a message.

The order is the real one's: registered, visited, lines, settled; undone backwards. A chrg_bchno is used once in an
institution, whatever became of it. A settled bill is settled again only after 2208.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from api.sandbox.insurer_books import BEIJING, Batch, FeeLine, InsurerBooks, Message, Registration, Reversal, Settlement
from api.sandbox.insurer_input import Node, Refusal, amount, count, insured, known, needed, node, nodes
from api.sandbox.insurer_parts import shares
from api.sandbox.people import Person
from api.sandbox.world import World
from codes.money import Parts, yuan_of


def receive(world: World, envelope: Node) -> Message:
    """Note that a message came. Raises Refusal for one that came before, or that 2601 undid before it came."""
    books, msgid = world.insurer_books, envelope["msgid"]
    if msgid in books.messages:
        raise Refusal("报文ID重复")
    if msgid in books.barred:
        raise Refusal("该报文已被冲正")
    message = books.messages[msgid] = Message(envelope["fixmedins_code"], envelope["infno"])
    return message


def register_2201(world: World, envelope: Node, input_: Node) -> Node:
    """Registration of a visit."""
    data = node(input_, "data")
    psn_no, insutype, number, *_ = needed(
        data,
        *("psn_no", "insutype", "ipt_otp_no", "begntime", "mdtrt_cert_type", "mdtrt_cert_no"),
        *("atddr_no", "dr_name", "dept_code", "dept_name", "caty"),
    )
    _own_voucher(world, envelope, data, known(world, envelope, psn_no))
    _check_time(data["begntime"])
    books = world.insurer_books
    mdtrt_id = books.next(envelope["insuplc_admdvs"])
    books.registrations[mdtrt_id] = Registration(envelope["fixmedins_code"], psn_no, insutype, number)
    _did(books, envelope, psn_no, mdtrt_id)
    return {"data": {"mdtrt_id": mdtrt_id, "psn_no": psn_no, "ipt_otp_no": number}}


def undo_registration_2202(world: World, envelope: Node, input_: Node) -> None:
    """The registration undone, if no lines stand under it."""
    books, data = world.insurer_books, node(input_, "data")
    (number,) = needed(data, "ipt_otp_no")
    mdtrt_id, found = _registration(world, envelope, data)
    if found.ipt_otp_no != number:
        raise Refusal("就诊信息不一致")
    _check_bare(books, mdtrt_id)
    found.undone = True
    _did(books, envelope, found.psn_no, mdtrt_id)


def visit_2203(world: World, envelope: Node, input_: Node) -> None:
    """What the visit was for."""
    data = node(input_, "mdtrtinfo")
    needed(data, "med_type", "begntime")
    for disease in nodes(input_, "diseinfo"):
        needed(
            disease,
            *("diag_type", "diag_srt_no", "diag_code", "diag_name", "diag_dept", "dise_dor_no", "dise_dor_name"),
            *("diag_time", "vali_flag"),
        )
    mdtrt_id, found = _registration(world, envelope, data)
    found.visited = True
    _did(world.insurer_books, envelope, found.psn_no, mdtrt_id)


def details_2204(world: World, envelope: Node, input_: Node) -> Node:
    """Lines."""
    books, lines = world.insurer_books, nodes(input_, "feedetail")
    (number,) = needed(lines[0], "chrg_bchno")
    mdtrt_id, found = _registration(world, envelope, lines[0])
    key = f"{envelope['fixmedins_code']}/{number}"
    if key in books.batches:
        raise Refusal("收费批次号重复")
    standing = [books.batches[one] for one in found.batches if not books.batches[one].undone]
    taken = {line.sn for one in standing for line in one.lines}
    made = []
    for line in lines:
        sn, *about = needed(line, "feedetl_sn", "mdtrt_id", "psn_no", "chrg_bchno", "fee_ocur_time", "med_list_codg")
        if about[:3] != [mdtrt_id, found.psn_no, number] or sn in taken:
            raise Refusal("费用明细流水号重复或与就诊信息不一致")
        count(line, "cnt")
        taken.add(sn)
        made.append(FeeLine(sn, str(line.get("exp_content", "")), amount(line, "det_item_fee_sumamt")))
    books.batches[key] = Batch(mdtrt_id, number, made)
    found.batches.append(key)
    _did(books, envelope, found.psn_no, key)
    return {"result": [{"feedetl_sn": one.sn, "det_item_fee_sumamt": yuan_of(one.fen)} for one in made]}


def undo_details_2205(world: World, envelope: Node, input_: Node) -> None:
    """Lines undone, if they are not settled."""
    data = node(input_, "data")
    _, found = _registration(world, envelope, data)
    key, batch = _batch(world, envelope, data)
    _check_unsettled(batch)
    batch.undone = True
    _did(world.insurer_books, envelope, found.psn_no, key)


def preview_2206(world: World, envelope: Node, input_: Node) -> Node:
    """Who would pay what."""
    return {"setlinfo": _settlement(world, envelope, node(input_, "data"))[1]}


def settle_2207(world: World, envelope: Node, input_: Node) -> Node:
    """Settled."""
    books, data = world.insurer_books, node(input_, "data")
    parts, info = _settlement(world, envelope, data)
    key, batch = _batch(world, envelope, data)
    setl_id = books.next("S")
    batch.setl_id = setl_id
    books.settlements[setl_id] = Settlement(
        envelope["fixmedins_code"],
        data["psn_no"],
        data["insutype"],
        batch.mdtrt_id,
        key,
        envelope["msgid"],
        world.now(),
        parts,
    )
    _did(books, envelope, data["psn_no"], setl_id)
    settled_at = datetime.fromtimestamp(world.now(), BEIJING)
    return {"setlinfo": {**info, "setl_id": setl_id, "setl_time": f"{settled_at:%Y-%m-%d %H:%M:%S}"}}


def reverse_2208(world: World, envelope: Node, input_: Node) -> Node:
    """A settlement undone; a second row of the day it is undone on."""
    books, data = world.insurer_books, node(input_, "data")
    (setl_id,) = needed(data, "setl_id")
    mdtrt_id, found = _registration(world, envelope, data)
    settlement = books.settlements.get(setl_id)
    if settlement is None or settlement.mdtrt_id != mdtrt_id:
        raise Refusal("结算信息不存在")
    if not settlement.stands:
        raise Refusal("该结算已撤销")
    settlement.reversal = Reversal(envelope["msgid"], world.now())
    books.batches[settlement.batch].setl_id = None
    _did(books, envelope, found.psn_no, setl_id)
    return {
        "setlinfo": {
            "mdtrt_id": mdtrt_id,
            "setl_id": books.next("R"),
            "medfee_sumamt": yuan_of(-settlement.parts.total),
            "setl_time": f"{datetime.fromtimestamp(world.now(), BEIJING):%Y-%m-%d %H:%M:%S}",
        }
    }


def undo_message_2601(world: World, envelope: Node, input_: Node) -> None:
    """A message undone, or barred if it never came; done again, it does nothing."""
    books = world.insurer_books
    psn_no, omsgid, oinfno = needed(node(input_, "data"), "psn_no", "omsgid", "oinfno")
    known(world, envelope, psn_no)
    if len(omsgid) != 30 or not omsgid.startswith(envelope["fixmedins_code"]):
        raise Refusal("参数[omsgid]格式错误")
    message = books.messages.get(omsgid)
    if message is None:
        books.barred.add(omsgid)
        return
    if message.infno != oinfno or message.psn_no not in ("", psn_no):
        raise Refusal("冲正信息与原交易不一致")
    if message.subject and not message.undone and oinfno in _UNDOING:
        _UNDOING[oinfno](books, message.subject)
        message.undone = True


def _undo_2201(books: InsurerBooks, mdtrt_id: str) -> None:
    _check_bare(books, mdtrt_id)
    books.registrations[mdtrt_id].undone = True


def _undo_2202(books: InsurerBooks, mdtrt_id: str) -> None:
    books.registrations[mdtrt_id].undone = False


def _undo_2204(books: InsurerBooks, key: str) -> None:
    _check_unsettled(books.batches[key])
    books.batches[key].undone = True


def _undo_2205(books: InsurerBooks, key: str) -> None:
    if books.registrations[books.batches[key].mdtrt_id].undone:
        raise Refusal("就诊信息不存在")
    books.batches[key].undone = False


def _undo_2207(books: InsurerBooks, setl_id: str) -> None:
    settlement = books.settlements[setl_id]
    if settlement.reversal:
        raise Refusal("该结算已撤销")
    settlement.voided = True
    books.batches[settlement.batch].setl_id = None


def _undo_2208(books: InsurerBooks, setl_id: str) -> None:
    settlement = books.settlements[setl_id]
    batch = books.batches[settlement.batch]
    _check_unsettled(batch)
    if batch.undone:
        raise Refusal("费用明细不存在")
    settlement.reversal = None
    batch.setl_id = setl_id


_UNDOING: Final[dict[str, Callable[[InsurerBooks, str], None]]] = {
    "2201": _undo_2201,
    "2202": _undo_2202,
    "2204": _undo_2204,
    "2205": _undo_2205,
    "2207": _undo_2207,
    "2208": _undo_2208,
}


def _did(books: InsurerBooks, envelope: Node, psn_no: str, subject: str) -> None:
    message = books.messages[envelope["msgid"]]
    message.psn_no, message.subject = psn_no, subject


def _registration(world: World, envelope: Node, data: Node) -> tuple[str, Registration]:
    """The registration that `mdtrt_id` and `psn_no` name, if it stands."""
    psn_no, mdtrt_id = needed(data, "psn_no", "mdtrt_id")
    known(world, envelope, psn_no)
    found = world.insurer_books.registrations.get(mdtrt_id)
    if found is None or found.undone or (found.institution, found.psn_no) != (envelope["fixmedins_code"], psn_no):
        raise Refusal("就诊信息不存在")
    return mdtrt_id, found


def _batch(world: World, envelope: Node, data: Node) -> tuple[str, Batch]:
    """The lines that `mdtrt_id` and `chrg_bchno` name, if they stand."""
    mdtrt_id, number = needed(data, "mdtrt_id", "chrg_bchno")
    key = f"{envelope['fixmedins_code']}/{number}"
    batch = world.insurer_books.batches.get(key)
    if batch is None or batch.undone or batch.mdtrt_id != mdtrt_id:
        raise Refusal("费用明细不存在")
    return key, batch


def _settlement(world: World, envelope: Node, data: Node) -> tuple[Parts, Node]:
    """The checks of 2206 and 2207, the parts and the answer's setlinfo."""
    needed(data, "med_type", "psn_setlway", "acct_used_flag")
    mdtrt_id, found = _registration(world, envelope, data)
    _own_voucher(world, envelope, data, known(world, envelope, found.psn_no))
    if not found.visited:
        raise Refusal("请先上传门诊就诊信息")
    _, batch = _batch(world, envelope, data)
    _check_unsettled(batch)
    if amount(data, "medfee_sumamt") != sum(line.fen for line in batch.lines):
        raise Refusal("医疗费总额与费用明细合计不一致")
    parts = shares(found.insutype, [(line.category, line.fen) for line in batch.lines])
    info = {
        "mdtrt_id": mdtrt_id,
        "psn_no": found.psn_no,
        "insutype": found.insutype,
        "medfee_sumamt": yuan_of(parts.total),
        "fund_pay_sumamt": yuan_of(parts.fund),
        "psn_part_amt": yuan_of(parts.account + parts.cash),
        "acct_pay": yuan_of(parts.account),
        "psn_cash_pay": yuan_of(parts.cash),
        "hosp_part_amt": yuan_of(parts.hospital),
        "medins_setl_id": envelope["msgid"],
    }
    return parts, info


def _own_voucher(world: World, envelope: Node, data: Node, person: Person) -> None:
    kind, number, insutype = needed(data, "mdtrt_cert_type", "mdtrt_cert_no", "insutype")
    if insured(world, kind, number) is not person or insutype != person.insutype:
        raise Refusal("人员信息与凭证不一致")


def _check_bare(books: InsurerBooks, mdtrt_id: str) -> None:
    if any(not books.batches[key].undone for key in books.registrations[mdtrt_id].batches):
        raise Refusal("存在费用明细，不能撤销就诊登记")


def _check_unsettled(batch: Batch) -> None:
    if batch.setl_id is not None:
        raise Refusal("费用明细已结算")


def _check_time(text: str) -> None:
    try:
        datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        raise Refusal("参数[begntime]格式错误") from None
