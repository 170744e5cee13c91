"""Bills, what was registered for them at the insurer, payments, refunds, and every message that moves money.

Amounts are fen. What a bill is for (visit, items, patient at the insurer) is sealed; quantities and prices are plain,
as the database itself sees to it that no more is given back than was paid.
"""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Bill(Model):
    """What a patient owes a hospital. The parts are the insurer's preview, then its settlement.

    making -> due | failed; due -> settling -> paid -> partly-refunded -> refunded; settling -> due; due -> cancelled;
    `checking` while an upstream's outcome is unknown. making and failed are shown to nobody. `self_paid`: no insurer.
    """

    id = fields.UUIDField(primary_key=True)
    hospital_id = fields.UUIDField()
    person_id = fields.UUIDField()
    card_id = fields.UUIDField()
    resolution_id = fields.UUIDField()
    status = fields.CharField(max_length=16)
    self_paid = fields.BooleanField()
    insutype = fields.CharField(max_length=6, null=True)
    total_fen = fields.BigIntField()
    fund_fen = fields.BigIntField()
    account_fen = fields.BigIntField()
    hospital_fen = fields.BigIntField()
    cash_fen = fields.BigIntField()
    registration_id = fields.UUIDField(null=True)
    sealed = fields.BinaryField()
    at = fields.DatetimeField()
    paid_at = fields.DatetimeField(null=True)

    class Meta:
        table = "bills"
        indexes = (Index(fields=("person_id", "at", "id")), Index(fields=("hospital_id", "at", "id")))


class BillItem(Model):
    """A line of a bill: quantity × price, half up. Its code, name and category are in the bill's sealed part."""

    id = fields.UUIDField(primary_key=True)
    bill_id = fields.UUIDField()
    position = fields.SmallIntField()
    quantity = fields.DecimalField(max_digits=12, decimal_places=4)
    price_fen = fields.BigIntField()
    amount_fen = fields.BigIntField()

    class Meta:
        table = "bill_items"
        unique_together = (("bill_id", "position"),)


class Registration(Model):
    """A visit registered at the insurer (`mdtrt_id`) with one batch of fee details (`chrg_bchno`, ours).

    A bill has one, and each refund of items makes another for the rest. `setl_id`: its settlement that stands;
    settled_*: that settlement's parts.
    """

    id = fields.UUIDField(primary_key=True)
    bill_id = fields.UUIDField()
    refund_id = fields.UUIDField(null=True)
    chrg_bchno = fields.CharField(max_length=30, unique=True)
    mdtrt_id = fields.CharField(max_length=40, null=True)
    total_fen = fields.BigIntField()
    setl_id = fields.CharField(max_length=40, null=True)
    settled_fund = fields.BigIntField(null=True)
    settled_account = fields.BigIntField(null=True)
    settled_hospital = fields.BigIntField(null=True)
    settled_cash = fields.BigIntField(null=True)
    undone = fields.BooleanField(default=False)
    at = fields.DatetimeField()

    class Meta:
        table = "registrations"
        indexes = (Index(fields=("bill_id",)), Index(fields=("setl_id",)))


class Settlement(Model):
    """A settlement that stood at the insurer, kept when it is reversed: which registration's, and by which messages.

    `taken_back`: its parts did not add up, so it is in no ledger; `total_fen` is what it was for.
    """

    id = fields.UUIDField(primary_key=True)
    bill_id = fields.UUIDField()
    registration_id = fields.UUIDField()
    setl_id = fields.CharField(max_length=40)
    total_fen = fields.BigIntField()
    taken_back = fields.BooleanField()
    settled_by = fields.UUIDField()
    settled_at = fields.DatetimeField()
    reversed_by = fields.UUIDField(null=True)
    reversed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "settlements"
        unique_together = (("bill_id", "setl_id"),)


class Payment(Model):
    """The cash part of a bill, by WeChat or at the window. pending -> succeeded | closed; checking: not known.

    `paid_at`: when WeChat says it was paid, also of one that was closed before (it is given back). `code`: the problem
    that closed it. `asked_at`: when WeChat was last asked for it.
    """

    id = fields.UUIDField(primary_key=True)
    bill_id = fields.UUIDField()
    account_id = fields.UUIDField(null=True)
    method = fields.CharField(max_length=6)
    status = fields.CharField(max_length=10)
    amount_fen = fields.BigIntField()
    out_trade_no = fields.CharField(max_length=32, null=True, unique=True)
    prepay = fields.BinaryField(null=True)
    code = fields.CharField(max_length=30, null=True)
    cancelled = fields.BooleanField(default=False)
    client_id = fields.UUIDField(null=True)  # of the hospital that took it at the window
    session_id = fields.UUIDField(null=True)
    at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    asked_at = fields.DatetimeField(null=True)
    paid_at = fields.DatetimeField(null=True)

    class Meta:
        table = "payments"
        indexes = (Index(fields=("bill_id",)),)


class Refund(Model):
    """Money given back. pending -> succeeded | failed; checking: not known.

    kind: all, items, amount, or late (a payment that came after it was closed). `owed`: its cash is owed from now on:
    the insurer's side is done. The parts are what it gives back, negative where the rest takes more of one.
    """

    id = fields.UUIDField(primary_key=True)
    bill_id = fields.UUIDField()
    payment_id = fields.UUIDField()
    kind = fields.CharField(max_length=6)
    status = fields.CharField(max_length=10)
    total_fen = fields.BigIntField()
    fund_fen = fields.BigIntField()
    account_fen = fields.BigIntField()
    hospital_fen = fields.BigIntField()
    cash_fen = fields.BigIntField()
    owed = fields.BooleanField(default=False)
    out_refund_no = fields.CharField(max_length=64, null=True, unique=True)
    sealed = fields.BinaryField()
    code = fields.CharField(max_length=30, null=True)
    client_id = fields.UUIDField(null=True)  # of the hospital that gave it back; NULL of a late payment's
    session_id = fields.UUIDField(null=True)
    at = fields.DatetimeField()
    done_at = fields.DatetimeField(null=True)

    class Meta:
        table = "refunds"
        indexes = (Index(fields=("bill_id",)), Index(fields=("payment_id",)))


class RefundItem(Model):
    """How much of an item a refund gives back."""

    id = fields.UUIDField(primary_key=True)
    refund_id = fields.UUIDField()
    bill_id = fields.UUIDField()
    item_id = fields.UUIDField()
    quantity = fields.DecimalField(max_digits=12, decimal_places=4)

    class Meta:
        table = "refund_items"
        unique_together = (("refund_id", "item_id"),)
        indexes = (Index(fields=("item_id",)),)


class LedgerEntry(Model):
    """An amount moved from one account to another by an event that `act` and `ref` name. Never changed.

    `day`: the event's local date (Asia/Shanghai), as the other side's books have it.
    """

    id = fields.UUIDField(primary_key=True)
    bill_id = fields.UUIDField()
    hospital_id = fields.UUIDField()
    act = fields.CharField(max_length=8)
    ref = fields.CharField(max_length=64)
    debit = fields.CharField(max_length=8)
    credit = fields.CharField(max_length=8)
    amount_fen = fields.BigIntField()
    insutype = fields.CharField(max_length=6, null=True)
    at = fields.DatetimeField()
    day = fields.DateField()

    class Meta:
        table = "ledger_entries"
        indexes = (Index(fields=("bill_id",)), Index(fields=("day", "act")))


class MoneyWork(Model):
    """Something under way for a bill, taken on from `step` by whoever holds it, until it is done.

    kind: make, pay, refund (one at a time for a bill, in the order of `seq`), cashback, undo. `ref`: the payment,
    refund or registration it is about. `listed_at`: it went on a person's list, as no try ended it.
    """

    id = fields.UUIDField(primary_key=True)
    seq = fields.BigIntField()
    bill_id = fields.UUIDField()
    kind = fields.CharField(max_length=8)
    ref = fields.UUIDField()
    step = fields.CharField(max_length=10)
    attempts = fields.IntField(default=0)
    at = fields.DatetimeField()
    due_at = fields.DatetimeField()
    held_by = fields.UUIDField(null=True)
    held_until = fields.DatetimeField(null=True)
    listed_at = fields.DatetimeField(null=True)
    done_at = fields.DatetimeField(null=True)

    class Meta:
        table = "money_work"
        indexes = (Index(fields=("bill_id", "seq")),)


class MoneyMessage(Model):
    """A message to an upstream, written before it was sent. `number`: its msgid, out_trade_no or out_refund_no.

    outcome: NULL while it is not known (under way, or its sender died), done, refused, unsent, unknown (no usable
    answer), undone (2601 took it back). `about`: the registration, payment or refund.
    """

    id = fields.UUIDField(primary_key=True)
    work_id = fields.UUIDField()
    bill_id = fields.UUIDField()
    about = fields.UUIDField()
    call = fields.CharField(max_length=10)
    number = fields.CharField(max_length=64)
    outcome = fields.CharField(max_length=8, null=True)
    code = fields.CharField(max_length=40, null=True)
    at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "money_messages"
        indexes = (Index(fields=("about", "at")), Index(fields=("bill_id", "at")))


class Reconciliation(Model):
    """One comparison of a local date's ledger with the other side's books. status: matched, differs or failed."""

    id = fields.UUIDField(primary_key=True)
    date = fields.DateField()
    channel = fields.CharField(max_length=8)
    status = fields.CharField(max_length=8)
    code = fields.CharField(max_length=30, null=True)
    ours_count = fields.IntField()
    ours_fen = fields.BigIntField()
    ours_refund_fen = fields.BigIntField()
    theirs_count = fields.IntField(null=True)
    theirs_fen = fields.BigIntField(null=True)
    theirs_refund_fen = fields.BigIntField(null=True)
    asked_by = fields.UUIDField(null=True)
    at = fields.DatetimeField()

    class Meta:
        table = "reconciliations"
        indexes = (Index(fields=("at", "id")), Index(fields=("date", "channel", "at")))


class Difference(Model):
    """What one side has and the other has not, or has otherwise; somebody explains it, nothing corrects itself."""

    id = fields.UUIDField(primary_key=True)
    reconciliation_id = fields.UUIDField()
    position = fields.IntField()
    kind = fields.CharField(max_length=14)
    ref = fields.CharField(max_length=64)
    ours_fen = fields.BigIntField(null=True)
    theirs_fen = fields.BigIntField(null=True)
    explanation = fields.CharField(max_length=500, null=True)
    explained_by = fields.UUIDField(null=True)
    explained_at = fields.DatetimeField(null=True)

    class Meta:
        table = "differences"
        unique_together = (("reconciliation_id", "position"),)
