"""The books of the simulated WeChat Pay, and its rules for orders and refunds.

Kept as the real ones are, traps included: a `time_expire` that passed closes nothing, an order's number is used
once for one amount, and a refund that was accepted is not done yet.
"""

import secrets
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, Literal

import msgspec

LOCAL: Final = timezone(timedelta(hours=8))
REFUNDS_MOST: Final = 50  # of one order
REFUND_GAP: Final = 60.0  # seconds between two of one order
REFUND_LIFE: Final = 365 * 86_400.0

_STATUS: Final = {
    "SYSTEM_ERROR": 500,
    "SIGN_ERROR": 401,
    "FREQUENCY_LIMITED": 429,
    "ORDER_NOT_EXIST": 404,
    "RESOURCE_NOT_EXISTS": 404,
    "OUT_TRADE_NO_USED": 403,
    "NOT_ENOUGH": 403,
    "NO_AUTH": 403,
}


class No(Exception):
    """WeChat's answer that says no: {code, message} under a status."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return _STATUS.get(self.code, 400)


class PayOrder(msgspec.Struct):
    """An order. Times are Unix seconds, amounts fen."""

    out_trade_no: str
    prepay_id: str
    amount_fen: int
    description: str
    openid: str
    notify_url: str
    time_expire: str
    made_at: float
    state: Literal["NOTPAY", "SUCCESS", "CLOSED"] = "NOTPAY"
    transaction_id: str | None = None
    success_at: float | None = None
    told: bool = False
    refunds: list[str] = []  # their numbers, oldest first


class PayRefund(msgspec.Struct):
    """A refund."""

    out_refund_no: str
    refund_id: str
    out_trade_no: str
    refund_fen: int
    total_fen: int
    notify_url: str
    made_at: float
    state: Literal["PROCESSING", "SUCCESS"] = "PROCESSING"
    success_at: float | None = None
    told: bool = False


class PayBooks(msgspec.Struct):
    """Everything WeChat Pay remembers, by the merchant's numbers."""

    orders: dict[str, PayOrder] = {}
    refunds: dict[str, PayRefund] = {}
    prepaid: dict[str, str] = {}  # prepay_id -> out_trade_no
    ready: list[str] = []  # days whose statement was asked for before its time

    def dump(self) -> bytes:
        """All of it as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def load(cls, kept: bytes) -> "PayBooks":
        """What `dump` gave."""
        return msgspec.json.decode(kept, type=cls)

    def shown(self) -> list[dict[str, object]]:
        """As GET /sandbox/books shows it."""
        return [
            {
                "out_trade_no": one.out_trade_no,
                "amount_fen": one.amount_fen,
                "refunded_fen": sum(r.refund_fen for r in self.refunds_of(one) if r.state == "SUCCESS"),
                "state": self.trade_state(one),
            }
            for one in self.orders.values()
        ]

    def refunds_of(self, order: PayOrder) -> list[PayRefund]:
        """Its refunds, oldest first."""
        return [self.refunds[number] for number in order.refunds]

    def trade_state(self, order: PayOrder) -> str:
        """WeChat's trade_state: REFUND once anything was given back."""
        given_back = any(one.state == "SUCCESS" for one in self.refunds_of(order))
        return "REFUND" if given_back else order.state

    def order(self, out_trade_no: str) -> PayOrder:
        """Raises No."""
        if out_trade_no not in self.orders:
            raise No("ORDER_NOT_EXIST", "订单不存在")
        return self.orders[out_trade_no]

    def prepay(self, wanted: PayOrder) -> PayOrder:
        """A new order, or the same again. Raises No."""
        held = self.orders.get(wanted.out_trade_no)
        if held is None:
            self.orders[wanted.out_trade_no] = wanted
            self.prepaid[wanted.prepay_id] = wanted.out_trade_no
            return wanted
        if held.state == "SUCCESS":
            raise No("ORDERPAID", "该订单已支付")
        if held.state == "CLOSED":
            raise No("ORDER_CLOSED", "该订单已关闭")
        if (held.amount_fen, held.openid, held.notify_url) != (wanted.amount_fen, wanted.openid, wanted.notify_url):
            raise No("OUT_TRADE_NO_USED", "商户订单号重复")
        return held

    def pay(self, prepay_id: str, now: float) -> PayOrder:
        """The payer pays; after time_expire too, as long as nobody closed the order. Raises No."""
        if prepay_id not in self.prepaid:
            raise No("ORDER_NOT_EXIST", "订单不存在")
        order = self.orders[self.prepaid[prepay_id]]
        if order.state != "NOTPAY":
            raise No("ORDERPAID" if order.state == "SUCCESS" else "ORDER_CLOSED", "订单已支付或已关闭")
        order.state, order.success_at = "SUCCESS", now
        order.transaction_id = f"42000{secrets.randbelow(10**23):023d}"
        return order

    def close(self, out_trade_no: str) -> None:
        """Close an order; a closed one stays closed. Raises No."""
        order = self.order(out_trade_no)
        if order.state == "SUCCESS":
            raise No("ORDERPAID", "该订单已支付")
        order.state = "CLOSED"

    def refund(self, wanted: PayRefund) -> tuple[PayRefund, bool]:
        """The refund, and whether it is new. Raises No."""
        held = self.refunds.get(wanted.out_refund_no)
        if held is not None:
            same = (held.out_trade_no, held.refund_fen, held.total_fen)
            if same != (wanted.out_trade_no, wanted.refund_fen, wanted.total_fen):
                raise No("INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
            return held, False
        self._check_refund(wanted)
        self.refunds[wanted.out_refund_no] = wanted
        self.orders[wanted.out_trade_no].refunds.append(wanted.out_refund_no)
        return wanted, True

    def _check_refund(self, wanted: PayRefund) -> None:
        order = self.orders.get(wanted.out_trade_no)
        if order is None:
            raise No("RESOURCE_NOT_EXISTS", "订单不存在")
        if order.state != "SUCCESS" or order.success_at is None or order.amount_fen != wanted.total_fen:
            raise No("INVALID_REQUEST", "订单未支付，或订单金额不一致")
        if wanted.made_at - order.success_at > REFUND_LIFE:
            raise No("INVALID_REQUEST", "订单已经超过可退款的最大期限")
        before = self.refunds_of(order)
        if len(before) >= REFUNDS_MOST:
            raise No("INVALID_REQUEST", "部分退款次数已超限")
        if sum(one.refund_fen for one in before) + wanted.refund_fen > order.amount_fen:
            raise No("INVALID_REQUEST", "申请退款金额大于订单剩余可退金额")
        if before and wanted.made_at - before[-1].made_at < REFUND_GAP:
            raise No("FREQUENCY_LIMITED", "同一订单的退款间隔不足一分钟")


def local_day(at: float) -> date:
    """The day in China of a moment."""
    return datetime.fromtimestamp(at, LOCAL).date()


def local_time(at: float) -> str:
    """A moment as WeChat writes it in JSON, in China's time."""
    return datetime.fromtimestamp(at, UTC).astimezone(LOCAL).isoformat(timespec="seconds")
