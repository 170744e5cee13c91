"""The statement of a day (交易账单, type ALL) as WeChat writes it: a grave accent before every value, yuan, CRLF."""

from datetime import date, datetime, time, timedelta
from typing import Final

from api.sandbox.pay_books import LOCAL, No, PayBooks, PayOrder, PayRefund, local_day

_HEAD: Final = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
_SUM_HEAD: Final = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
READY_AT: Final = time(10, 0)


def check_ready(books: PayBooks, day: date, now: float) -> None:
    """Raises No: WeChat has no statement of that day yet, or never will."""
    if day.isoformat() in books.ready:
        return
    moment = datetime.fromtimestamp(now, LOCAL)
    if moment < datetime.combine(day + timedelta(days=1), READY_AT, LOCAL):
        raise No("STATEMENT_CREATING", "账单生成中，请先检查当前商户号在指定日期内是否有成功的交易")


def statement(books: PayBooks, day: date, appid: str, mchid: str) -> bytes:
    """What succeeded on that day in China: orders, and refunds on the day of their own success. Raises No: none."""
    paid = [one for one in books.orders.values() if one.success_at is not None and local_day(one.success_at) == day]
    back = [one for one in books.refunds.values() if one.success_at is not None and local_day(one.success_at) == day]
    if not paid and not back:
        raise No("NO_STATEMENT_EXIST", "账单文件不存在")
    merchant = (appid, mchid, "0", "")
    rows = [_paid_row(one, merchant) for one in paid]
    rows += [_refund_row(one, books.orders[one.out_trade_no], merchant) for one in back]
    rows.sort(key=lambda row: row[0], reverse=True)
    came, went = sum(one.amount_fen for one in paid), sum(one.refund_fen for one in back)
    sums = (str(len(rows)), _yuan(came), _yuan(went), "0.00", "0.00000", _yuan(came), _yuan(went))
    lines = [_HEAD, *(_line(row) for row in rows), _SUM_HEAD, _line(sums)]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _paid_row(order: PayOrder, merchant: tuple[str, ...]) -> tuple[str, ...]:
    amount = _yuan(order.amount_fen)
    return (
        *(_moment(order.success_at), *merchant, order.transaction_id or "", order.out_trade_no, order.openid),
        *("JSAPI", "SUCCESS", "OTHERS", "CNY", amount, "0.00", "0", "0", "0.00", "0.00", "", ""),
        *(order.description, "", "0.00000", "0.00%", amount, "0.00", ""),
    )


def _refund_row(refund: PayRefund, order: PayOrder, merchant: tuple[str, ...]) -> tuple[str, ...]:
    amount = _yuan(refund.refund_fen)
    return (
        *(_moment(refund.success_at), *merchant, order.transaction_id or "", order.out_trade_no, order.openid),
        *("JSAPI", "REFUND", "OTHERS", "CNY", "0.00", "0.00", refund.refund_id, refund.out_refund_no),
        *(amount, "0.00", "ORIGINAL", "SUCCESS", order.description, "", "0.00000", "0.00%", "0.00", amount, ""),
    )


def _line(values: tuple[str, ...]) -> str:
    return ",".join(f"`{value}" for value in values)


def _moment(at: float | None) -> str:
    return datetime.fromtimestamp(at or 0, LOCAL).strftime("%Y-%m-%d %H:%M:%S")


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
