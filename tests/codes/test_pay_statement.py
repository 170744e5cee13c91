"""WeChat's statement: what was paid and given back, and nothing of one that is not whole (pitfall 25)."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes.money import yuan_of
from codes.pay_statement import Paid, Refunded, StatementMalformed, read_statement

HEAD: Final = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
SUM_HEAD: Final = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
FIRST: Final = "`2026-10-26 09:00:00,`wx1,`1900000109,`0,`,`4200001,"


def paid_row(number: str, fen: int, name: str = "门诊缴费", state: str = "SUCCESS") -> str:
    amount = yuan_of(fen)
    return (
        f"{FIRST}`{number},`o-1,`JSAPI,`{state},`ICBC_DEBIT,`CNY,`{amount},`0.00,`0,`0,`0.00,`0.00,`,`,`{name},`,"
        f"`0.03000,`0.60%,`{amount},`0.00,`"
    )


def refund_row(refund: str, number: str, fen: int, state: str = "SUCCESS") -> str:
    amount = yuan_of(fen)
    return (
        f"{FIRST}`{number},`o-1,`JSAPI,`REFUND,`ICBC_DEBIT,`CNY,`0.00,`0.00,`5030,`{refund},`{amount},`0.00,`ORIGINAL,"
        f"`{state},`门诊缴费,`,`-0.02000,`0.60%,`0.00,`{amount},`"
    )


def statement(rows: list[str], came: int, went: int, end: str = "\r\n") -> bytes:
    sums = f"`{len(rows)},`{yuan_of(came)},`{yuan_of(went)},`0.00,`0.01000,`{yuan_of(came)},`{yuan_of(went)}"
    return "".join(line + end for line in (HEAD, *rows, SUM_HEAD, sums)).encode()


ROWS: Final = [
    paid_row("order-0001", 1234),
    paid_row("order-0002", 6600, name="挂号, 门诊"),
    refund_row("refund-0001", "order-0001", 234),
    refund_row("refund-0002", "order-0002", 100, state="PROCESSING"),
]
WHOLE: Final = statement(ROWS, 7834, 334)


def refused(content: bytes) -> str:
    with pytest.raises(StatementMalformed) as caught:
        read_statement(content)
    return caught.value.reason


def test_payments_and_the_refunds_that_succeeded() -> None:
    read = read_statement(WHOLE)
    assert read.paid == [Paid("order-0001", 1234), Paid("order-0002", 6600)]
    assert read.refunded == [Refunded("refund-0001", "order-0001", 234)]


@pytest.mark.parametrize("content", [statement(ROWS, 7834, 334, "\n"), b"\xef\xbb\xbf" + WHOLE, WHOLE.rstrip()])
def test_however_its_lines_end(content: bytes) -> None:
    assert read_statement(content) == read_statement(WHOLE)


def test_columns_are_found_by_name_wherever_wechat_puts_a_new_one() -> None:
    lines = WHOLE.decode().split("\r\n")
    wider = [f"{lines[0]},新增列", *(f"{line},`x" for line in lines[1:5]), *lines[5:]]
    assert read_statement("\r\n".join(wider).encode()) == read_statement(WHOLE)


def test_a_revoked_order_was_never_paid() -> None:
    assert read_statement(statement([paid_row("order-0001", 500, state="REVOKED")], 500, 0)).paid == []


def test_a_day_without_rows() -> None:
    assert read_statement(statement([], 0, 0)) == ([], [])


def test_cut_short_at_any_byte_it_is_refused() -> None:
    for end in range(len(WHOLE.rstrip())):
        refused(WHOLE[:end])


def test_no_changed_byte_changes_an_amount() -> None:
    whole = read_statement(WHOLE)
    amounts = [[one.fen for one in side] for side in whole]
    for at in range(len(WHOLE)):
        for byte in (WHOLE[at] ^ 1, ord("9"), ord("\n"), ord(",")):
            try:
                read = read_statement(WHOLE[:at] + bytes((byte,)) + WHOLE[at + 1 :])
            except StatementMalformed:
                continue
            assert [[one.fen for one in side] for side in read] == amounts, at


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "short"),
        (b"\xff" + WHOLE, "encoding"),
        (WHOLE.replace("商户订单号".encode(), "商户单号".encode()), "columns"),
        (WHOLE.replace("商户退款单号".encode(), "商户订单号".encode()), "columns"),
        (WHOLE.replace("总交易单数".encode(), "总单数".encode()), "columns"),
        (WHOLE.replace(b"CNY,", b"CNY,`CNY,", 1), "row"),
        (WHOLE.replace(b"`2026", b"2026", 1), "row"),
        (statement(ROWS[:3], 7834, 334), "sums"),
        (statement(ROWS, 7835, 334), "sums"),
        (statement(ROWS, 7834, 333), "sums"),
        (WHOLE.replace(b"`4,", b"`5,"), "sums"),
        (WHOLE.replace(b"12.34", b"1e1.34"), "amount"),
        (WHOLE.replace(b"12.34", b"-2.34"), "amount"),
        (WHOLE.replace(b"12.34", "１２.34".encode()), "amount"),
        (WHOLE.replace(b"12.34", b"9" * 5000 + b".34"), "amount"),
        (WHOLE.replace(b"`PROCESSING", b"`success"), "state"),
        (statement([paid_row("order-0001", 1, state="PAID")], 1, 0), "state"),
        (statement([paid_row("", 1)], 1, 0), "number"),
        (statement([paid_row("order-0001", 1)] * 2, 2, 0), "twice"),
        (statement([refund_row("refund-0001", "order-0001", 1)] * 2, 0, 2), "twice"),
    ],
)
def test_what_is_no_whole_statement_is_refused(content: bytes, reason: str) -> None:
    assert refused(content) == reason


numbers = st.text("0123456789abcdef", min_size=6, max_size=32)


@given(
    st.dictionaries(numbers, st.integers(1, 10**10), max_size=5),
    st.dictionaries(numbers, st.integers(1, 10**10), max_size=5),
)
def test_what_is_written_is_read(paid: dict[str, int], refunded: dict[str, int]) -> None:
    rows = [paid_row(number, fen) for number, fen in paid.items()]
    rows += [refund_row(number, "order-0001", fen) for number, fen in refunded.items()]
    read = read_statement(statement(rows, sum(paid.values()), sum(refunded.values())))
    assert read.paid == [Paid(*one) for one in paid.items()]
    assert read.refunded == [Refunded(number, "order-0001", fen) for number, fen in refunded.items()]
