"""The simulated insurer under any messages in any order, undone or repeated: its books always agree with themselves."""

import contextlib
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from api.sandbox import PEOPLE, SandboxSecrets
from api.sandbox.insurer import TRANSACTIONS
from api.sandbox.insurer_books import InsurerBooks
from api.sandbox.insurer_chain import receive
from api.sandbox.insurer_input import Refusal
from api.sandbox.world import World
from tests.upstream.outside import ME, START

CODE = "H43010209999"
DAY = 86_400
ALL_DAYS = (date(2026, 1, 1), date(2027, 12, 31))
VISIT = {
    "psn_no": ME.psn_no,
    "insutype": ME.insutype,
    "begntime": "2026-10-26 09:00:00",
    "ipt_otp_no": "V",
} | dict.fromkeys(("atddr_no", "dr_name", "dept_code", "dept_name", "caty", "med_type"), "x")
VOUCHER = {"mdtrt_cert_type": ME.insurance.type, "mdtrt_cert_no": ME.insurance.number}
SETTLING = {"psn_setlway": "01", "acct_used_flag": "1", "medfee_sumamt": "66.00"}
DISEASE = dict.fromkeys(
    ["diag_type", "diag_srt_no", "diag_code", "diag_name", "diag_dept", "dise_dor_no", "dise_dor_name"], "x"
) | {"diag_time": "x", "vali_flag": "1"}
FEE = {"fee_ocur_time": "x", "med_list_codg": "x", "det_item_fee_sumamt": "66.00", "cnt": "1"}

steps = st.lists(
    st.tuples(
        st.sampled_from(["2201", "2202", "2203", "2204", "2205", "2207", "2207", "2208", "2208", "2601", "2601"]),
        st.integers(0, 5),  # which of what stands in the books
        st.integers(0, 1),  # days later
    ),
    max_size=40,
)


class Teller:
    """Sends messages straight to the transactions."""

    def __init__(self) -> None:
        self.at = START
        self.world = World(PEOPLE, SandboxSecrets(), lambda: self.at, 7200)
        self.sent: list[tuple[str, str]] = []

    @property
    def books(self) -> InsurerBooks:
        return self.world.insurer_books

    def tell(self, infno: str, which: int) -> None:
        msgid = f"{CODE}{len(self.sent):018d}"
        self.sent.append((msgid, infno))
        envelope = {"fixmedins_code": CODE, "insuplc_admdvs": ME.insurance.area, "msgid": msgid, "infno": infno}
        with contextlib.suppress(Refusal):
            receive(self.world, envelope)
            TRANSACTIONS[infno](self.world, envelope, self.input(infno, which))

    def input(self, infno: str, which: int) -> dict[str, Any]:
        visit = nth(self.books.registrations, which)
        key = nth(self.books.batches, which)
        data = {**VISIT, **VOUCHER, **SETTLING, "mdtrt_id": visit}
        if infno == "2601":
            omsgid, oinfno = self.sent[-1 - (which % len(self.sent))]
            return {"data": {"psn_no": ME.psn_no, "omsgid": omsgid, "oinfno": oinfno}}
        if infno == "2204":
            fee = {**FEE, "psn_no": ME.psn_no, "mdtrt_id": visit, "chrg_bchno": f"B{len(self.sent)}"}
            return {"feedetail": [{**fee, "feedetl_sn": str(len(self.sent))}]}
        if infno in ("2205", "2207") and key:
            data |= {"chrg_bchno": self.books.batches[key].chrg_bchno, "mdtrt_id": self.books.batches[key].mdtrt_id}
        if infno == "2208" and (setl_id := nth(self.books.settlements, which)):
            data |= {"setl_id": setl_id, "mdtrt_id": self.books.settlements[setl_id].mdtrt_id}
        return {"data": data, "mdtrtinfo": data, "diseinfo": [DISEASE]}


def nth(of: dict[str, Any], which: int) -> str:
    """One of the newest keys."""
    return list(of)[-1 - which % len(of)] if of else ""


@settings(max_examples=150)
@given(steps)
def test_whatever_comes_the_books_agree_with_themselves(told: list[tuple[str, int, int]]) -> None:
    teller = Teller()
    for infno in ("2201", "2203", "2204", "2207"):
        teller.tell(infno, 0)
    for infno, which, days in told:
        teller.at += days * DAY
        teller.tell(infno, which)
        books = teller.books
        standing = {setl_id: one for setl_id, one in books.settlements.items() if one.stands}
        held = {one.setl_id: key for key, one in books.batches.items() if one.setl_id}
        assert held == {setl_id: one.batch for setl_id, one in standing.items()}
        for one in standing.values():
            assert not books.batches[one.batch].undone
            assert not books.registrations[one.mdtrt_id].undone
        rows = books.rows(CODE, *ALL_DAYS)
        assert sum(row.entry.total_fen for row in rows) == sum(one.parts.total for one in standing.values())
        assert sum(row.cash_fen for row in rows) == sum(one.parts.cash for one in standing.values())
    assert InsurerBooks.load(teller.books.dump()) == teller.books


@given(st.lists(st.tuples(st.sampled_from(["2204", "2207", "2208"]), st.integers(0, 3)), max_size=10))
def test_the_last_message_undone_leaves_what_stood_before(told: list[tuple[str, int]]) -> None:
    teller = Teller()
    for infno in ("2201", "2203", "2204", "2207"):
        teller.tell(infno, 0)
    for infno, which in told:
        before = [one for one in teller.books.shown() if not one["reversed"]]
        teller.tell(infno, which)
        teller.tell("2601", 1)
        assert [one for one in teller.books.shown() if not one["reversed"]] == before
        teller.tell(infno, which)
