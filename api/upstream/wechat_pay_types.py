"""What WeChat Pay and we tell each other: configuration, answers, notices, and what can be wrong with them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

TradeState = Literal["SUCCESS", "REFUND", "NOTPAY", "CLOSED", "REVOKED", "USERPAYING", "PAYERROR"]
RefundState = Literal["PROCESSING", "SUCCESS", "CLOSED", "ABNORMAL"]


@dataclass(frozen=True, slots=True)
class WeChatPayConfig:
    """The merchant at WeChat Pay, in public-key mode. Keys are PEM texts; `api_v3_key` has 32 characters."""

    base_url: str
    mchid: str
    serial: str
    private_key: str = field(repr=False)
    api_v3_key: str = field(repr=False)
    public_key: str = field(repr=False)
    public_key_id: str
    appid: str
    notify_url: str


class Jsapi(msgspec.Struct, frozen=True, rename="camel"):
    """What wx.requestPayment takes; in JSON its names are WeChat's (appId, timeStamp, …)."""

    app_id: str
    time_stamp: str
    nonce_str: str
    package: str
    sign_type: str
    pay_sign: str


class Order(msgspec.Struct, frozen=True):
    """An order as WeChat has it. `amount_fen` is None only where WeChat does not tell it, before payment."""

    state: TradeState
    amount_fen: int | None
    transaction_id: str | None
    success_time: datetime | None


class Refund(msgspec.Struct, frozen=True):
    """A refund as WeChat has it: accepted (PROCESSING) is not done."""

    state: RefundState
    refund_fen: int
    success_time: datetime | None


class Notice(msgspec.Struct, frozen=True):
    """A notification that WeChat signed: a payment that succeeded, or how a refund ended. Amounts are fen."""

    kind: Literal["paid", "refund"]
    out_trade_no: str
    out_refund_no: str | None
    amount_fen: int
    state: str
    success_time: datetime | None
    transaction_id: str | None


class Forged(Exception):
    """This is no notification of WeChat's to us. `reason` is a word of ours; `probe`: WeChat's own test of us."""

    def __init__(self, reason: str, probe: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.probe = probe


class StatementNotReady(Exception):
    """There is no statement of that day, or not yet. `code` is WeChat's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class StatementBroken(Exception):
    """The file that came is not the one WeChat named: `reason` is address, hash, truncated, too-large or not-a-file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Amount(msgspec.Struct):
    """Fen. `refund` is there for refunds."""

    total: int
    refund: int | None = None
    currency: str = "CNY"


class Prepaid(msgspec.Struct):
    """The answer to an order."""

    prepay_id: str


class Transaction(msgspec.Struct):
    """An order in an answer or a notification."""

    appid: str
    mchid: str
    out_trade_no: str
    trade_state: TradeState
    amount: Amount | None = None
    transaction_id: str | None = None
    success_time: datetime | None = None


class RefundAnswer(msgspec.Struct):
    """A refund in an answer."""

    out_trade_no: str
    out_refund_no: str
    status: RefundState
    amount: Amount
    success_time: datetime | None = None


class RefundNotice(msgspec.Struct):
    """A refund in a notification."""

    mchid: str
    out_trade_no: str
    out_refund_no: str
    refund_status: RefundState
    amount: Amount
    transaction_id: str | None = None
    success_time: datetime | None = None


class StatementFile(msgspec.Struct):
    """Where a statement lies, and the hash of what is in it once unpacked."""

    hash_type: str
    hash_value: str
    download_url: str


class Failed(msgspec.Struct):
    """The body of an answer that says no."""

    code: str


class Resource(msgspec.Struct):
    """The encrypted part of a notification."""

    algorithm: str
    ciphertext: str
    nonce: str
    associated_data: str = ""


class Envelope(msgspec.Struct):
    """A notification."""

    event_type: str
    resource_type: str
    resource: Resource
