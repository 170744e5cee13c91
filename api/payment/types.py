"""Requests and answers of payment (api-services.md, Payment). Amounts are fen, quantities decimal strings."""

import datetime as dt
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.booking.types import HospitalNamed
from api.patient.types import Strict
from api.texts import Line64, Line200, Line500
from api.upstream.wechat_pay_types import Jsapi

ITEMS_MOST = 200
PaymentStatus = Literal["pending", "succeeded", "closed", "checking"]
RefundStatus = Literal["pending", "succeeded", "failed", "checking"]
Quantity = Annotated[str, Meta(max_length=16, description="Decimal above 0, at most 4 places")]


class ItemGiven(Strict):
    """A line of a bill: quantity × price, half up. `category`: 诊查费, 化验费 and so on."""

    code: Line64
    name: Line64
    category: Line64
    quantity: Quantity
    price_fen: int


class BillRequest(Strict):
    """A bill for the person whose code was scanned. `self_paid`: no insurer, even where there is one."""

    items: Annotated[list[ItemGiven], Meta(min_length=1, max_length=ITEMS_MOST)]
    visit_number: Line64
    self_paid: bool = False


class WindowPaymentRequest(Strict):
    """What the window received: the bill's cash part."""

    received_fen: int


class RefundItemGiven(Strict):
    """How much of an item."""

    item_id: UUID
    quantity: Quantity


class RefundRequest(Strict):
    """Exactly one of `all`, `items` and `amount_fen` (only where no insurer paid); and why."""

    reason: Line200
    all: Literal[True] | None = None
    items: Annotated[list[RefundItemGiven], Meta(min_length=1, max_length=ITEMS_MOST)] | None = None
    amount_fen: int | None = None


class BillItem(msgspec.Struct):
    """A line. `refunded_quantity`: given back, or about to be."""

    item_id: UUID
    code: str
    name: str
    category: str
    quantity: str
    price_fen: int
    amount_fen: int
    refunded_quantity: str


class BillPayment(msgspec.Struct):
    """A payment, in its bill."""

    payment_id: UUID
    method: Literal["wechat", "window"]
    status: PaymentStatus
    amount_fen: int
    at: datetime
    expires_at: datetime | None


class RefundItem(msgspec.Struct):
    """How much of an item was given back."""

    item_id: UUID
    quantity: str


class Refund(msgspec.Struct):
    """What was given back, part by part. `pending`: on its way (WeChat takes one refund a minute of an order).

    kind `late`: a payment that came after it was closed, given back. all: of what was left.
    """

    refund_id: UUID
    bill_id: UUID
    kind: Literal["all", "items", "amount", "late"]
    status: RefundStatus
    total_fen: int
    fund_fen: int
    account_fen: int
    hospital_fen: int
    cash_fen: int
    items: list[RefundItem]
    reason: str
    at: datetime


class Bill(msgspec.Struct):
    """A bill; its total is the sum of the four parts, as it was paid: the insurer's fund, the personal account, what the
    hospital bears, and cash; what stands is that less its refunds. `setl_id`: the insurer's settlement that stands now.

    due -> settling (a payment is under way) -> paid -> partly-refunded -> refunded. `checking`: an upstream's outcome is
    not known yet; do nothing, it is found out.
    """

    bill_id: UUID
    hospital: HospitalNamed
    visit_number: str
    status: Literal["due", "settling", "paid", "partly-refunded", "refunded", "cancelled", "checking"]
    self_paid: bool
    items: list[BillItem]
    total_fen: int
    fund_fen: int
    account_fen: int
    hospital_fen: int
    cash_fen: int
    setl_id: str | None
    payments: list[BillPayment]
    refunds: list[Refund]
    at: datetime
    paid_at: datetime | None


class BillList(msgspec.Struct):
    """Bills, newest first."""

    bills: list[Bill]
    next_cursor: str | None


class Payment(msgspec.Struct):
    """A payment. `jsapi`: what wx.requestPayment takes, while it can be paid by this caller."""

    payment_id: UUID
    bill_id: UUID
    method: Literal["wechat", "window"]
    status: PaymentStatus
    amount_fen: int
    jsapi: Jsapi | None
    expires_at: datetime | None


class LedgerEntry(msgspec.Struct):
    """An amount moved from one account to another; `ref` names the event (setl_id, order, refund) that moved it."""

    entry_id: UUID
    at: datetime
    debit: str
    credit: str
    amount_fen: int
    ref: str
    act: Literal["settled", "reversed", "paid", "refunded"]


class LedgerEntryList(msgspec.Struct):
    """All entries of a bill, oldest first."""

    entries: list[LedgerEntry]


class ReconcileRequest(Strict):
    """A date in China (Asia/Shanghai), and whose books."""

    date: dt.date
    channel: Literal["wechat", "insurer"]


class Totals(msgspec.Struct):
    """Payments and refunds of a date, as one side has them."""

    count: int
    amount_fen: int
    refund_fen: int


class Difference(msgspec.Struct):
    """`ref`: order, refund or settlement, whose reversal has amounts below nothing. Nothing corrects itself."""

    difference_id: UUID
    kind: Literal["missing-ours", "missing-theirs", "amount"]
    ref: str
    ours_fen: int | None
    theirs_fen: int | None
    explanation: str | None
    explained_at: datetime | None


class Reconciliation(msgspec.Struct):
    """A date's ledger beside the other side's books. `code`: why it failed."""

    reconciliation_id: UUID
    date: dt.date
    channel: Literal["wechat", "insurer"]
    status: Literal["matched", "differs", "failed"]
    code: str | None
    ours: Totals
    theirs: Totals | None
    differences: list[Difference]
    at: datetime


class ReconciliationList(msgspec.Struct):
    """Newest first."""

    reconciliations: list[Reconciliation]
    next_cursor: str | None


class ExplainRequest(Strict):
    """Why one side has what the other has not."""

    explanation: Line500


class Unresolved(msgspec.Struct):
    """Something about money that no try has ended: a person must look. `call`: the last message, `code` its answer's."""

    work_id: UUID
    bill_id: UUID
    hospital_id: UUID
    kind: Literal["make", "pay", "refund", "cashback", "undo"]
    step: str
    attempts: int
    since: datetime
    next_at: datetime
    call: str | None
    code: str | None


class UnresolvedList(msgspec.Struct):
    """Newest first."""

    unresolved: list[Unresolved]
    next_cursor: str | None
