"""WeChat Pay's statement of a day (交易账单, type ALL), read strictly: a row changed or lost does not go unnoticed.

UTF-8, lines ending in LF or CRLF: a header, rows whose values each have a grave accent before them, a header of the
sums, and the sums. Amounts are yuan. Columns are found by name, as WeChat adds some at the end from time to time.
"""

from collections.abc import Callable
from itertools import starmap
from operator import itemgetter
from typing import ClassVar, Final, NamedTuple

_STATE: Final = ("交易状态", "退款状态")
_NUMBERS: Final = ("商户订单号", "商户退款单号")
_ROW_MONEY: Final = ("订单金额", "申请退款金额", "应结订单金额", "退款金额")
_SUM_COUNT: Final = "总交易单数"
_SUM_MONEY: Final = ("订单总金额", "申请退款总金额", "应结订单总金额", "退款总金额")  # of _ROW_MONEY, each
_REFUND_STATES: Final = frozenset({"SUCCESS", "PROCESSING", "CHANGE", "FAIL", "CLOSED", "ABNORMAL"})
_SEPARATOR: Final = ",`"
_LONGEST: Final = 15  # characters of an amount


class StatementMalformed(Exception):
    """This is no whole statement. `reason` is a word of ours, never what was read."""

    code: ClassVar[str] = "statement-broken"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Paid(NamedTuple):
    """An order that was paid, fen."""

    out_trade_no: str
    fen: int


class Refunded(NamedTuple):
    """A refund that reached the payer, fen."""

    out_refund_no: str
    out_trade_no: str
    fen: int


class Statement(NamedTuple):
    """What a statement says was paid and what was given back; none twice."""

    paid: list[Paid]
    refunded: list[Refunded]


def read_statement(content: bytes) -> Statement:
    """The payments of a statement and its refunds that succeeded. Raises StatementMalformed for one cut short,
    for other columns than WeChat's, and where its sums are not those of its rows.
    """
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise StatementMalformed("encoding") from None
    if lines[-1].strip() == "":
        lines.pop()
    if len(lines) < 3:
        raise StatementMalformed("short")
    head, *body, sum_head, sums = [line.removesuffix("\r") for line in lines]
    rows = _values(body, _columns(head, (*_STATE, *_NUMBERS, *_ROW_MONEY)))
    money = [[_fen(row[name]) for row in rows] for name in range(4, 8)]
    _check_sums(_columns(sum_head, (_SUM_COUNT, *_SUM_MONEY)), sums, len(rows), [sum(column) for column in money])
    return _entries(rows, money[0], money[1])


class _Columns(NamedTuple):
    """How many values a line has, and how the ones that are asked for are taken."""

    width: int
    take: Callable[[list[str]], tuple[str, ...]]


def _columns(head: str, names: tuple[str, ...]) -> _Columns:
    found = head.split(",")
    if any(found.count(name) != 1 for name in names):
        raise StatementMalformed("columns")
    return _Columns(len(found), itemgetter(*map(found.index, names)))


def _values(lines: list[str], columns: _Columns) -> list[tuple[str, ...]]:
    width, take = columns
    rows = []
    for line in lines:
        values = line.split(_SEPARATOR)
        if len(values) != width or line[:1] != "`":
            raise StatementMalformed("row")
        rows.append(take(values))  # one by one: all values of all rows would be ten times the statement
    return rows


def _check_sums(columns: _Columns, line: str, count: int, money: list[int]) -> None:
    (told,) = _values([line], columns)
    if told[0].removeprefix("`") != str(count) or [_fen(value) for value in told[1:]] != money:
        raise StatementMalformed("sums")


def _fen(yuan: str) -> int:
    whole = yuan[:-3] + yuan[-2:]
    if yuan[-3:-2] != "." or len(yuan) > _LONGEST or len(whole) < 3 or not (whole.isascii() and whole.isdigit()):
        raise StatementMalformed("amount")
    return int(whole)


def _entries(rows: list[tuple[str, ...]], ordered: list[int], returned: list[int]) -> Statement:
    """The rows as what they say. A REVOKED order was never ours to keep, and a refund that failed gave nothing back."""
    paid, refunded = [], []
    for (state, refund_state, order, refund, *_), came, went in zip(rows, ordered, returned, strict=True):
        if state == "SUCCESS":
            paid.append((order, came))
        elif state == "REFUND" and refund_state in _REFUND_STATES:
            if refund_state == "SUCCESS":
                refunded.append((refund, order, went))
        elif state != "REVOKED":
            raise StatementMalformed("state")
    for numbers in ({number for number, *_ in paid}, {number for number, *_ in refunded}):
        if "" in numbers:
            raise StatementMalformed("number")
    if len({number for number, _ in paid}) != len(paid) or len({one[0] for one in refunded}) != len(refunded):
        raise StatementMalformed("twice")
    return Statement(list(starmap(Paid, paid)), list(starmap(Refunded, refunded)))
