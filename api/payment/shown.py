"""Bills, payments and refunds as patients, windows and auditors see them."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from api.booking.types import HospitalNamed
from api.payment.types import Bill, BillItem, BillList, BillPayment, LedgerEntry, Payment, Refund, RefundItem
from api.web.queries import Page
from models.bills import BillRow, RefundSeen
from models.payments import PaymentRow
from models.refunds import RefundData
from models.vault import Vault

if TYPE_CHECKING:
    from api.services import Services


def quantity_text(quantity: Decimal) -> str:
    """A quantity without closing zeros."""
    return f"{quantity.normalize():f}" if quantity else "0"


def shown_bill(vault: Vault, row: BillRow) -> Bill:
    """A bill."""
    return Bill(
        row.bill_id,
        HospitalNamed(row.hospital_id, row.hospital_name),
        row.data.visit_number,
        row.status,  # type: ignore[arg-type]  # the view shows no other
        row.self_paid,
        [
            BillItem(
                item.item_id,
                item.code,
                item.name,
                item.category,
                quantity_text(item.quantity),
                item.price_fen,
                item.amount_fen,
                quantity_text(row.given_back.get(item.item_id, Decimal(0))),
            )
            for item in row.data.items
        ],
        row.parts.total,
        *row.parts,
        row.setl_id,
        [BillPayment(p.payment_id, p.method, p.status, p.amount_fen, p.at, p.expires_at) for p in row.payments],  # type: ignore[arg-type]
        [shown_refund(vault, row.bill_id, one) for one in row.refunds],
        row.at,
        row.paid_at,
    )


def shown_refund(vault: Vault, bill_id: UUID, row: RefundSeen) -> Refund:
    """A refund."""
    data = vault.open_as(RefundData, row.sealed, "refunds", "sealed", row.refund_id)
    items = [RefundItem(item_id, quantity_text(quantity)) for item_id, quantity in data.quantities.items()]
    return Refund(
        row.refund_id,
        bill_id,
        row.kind,  # type: ignore[arg-type]
        row.status,  # type: ignore[arg-type]
        row.total_fen,
        row.fund_fen,
        row.account_fen,
        row.hospital_fen,
        row.cash_fen,
        items,
        data.reason,
        row.at,
    )


def shown_bills(vault: Vault, found: list[BillRow], page: Page) -> BillList:
    """A page of bills."""
    shown, following = page.cut(found, lambda row: (row.at, row.bill_id))
    return BillList([shown_bill(vault, row) for row in shown], following)


def shown_payment(services: "Services", row: PaymentRow, account_id: UUID | None) -> Payment:
    """A payment; `jsapi` for the account whose phone pays it, while it can be paid."""
    payable = row.status == "pending" and row.prepay_id is not None and not row.cancelled
    if row.account_id != account_id or account_id is None or (row.expires_at and row.now >= row.expires_at):
        payable = False
    prepay = row.prepay_id if payable else None
    return Payment(
        row.payment_id,
        row.bill_id,
        row.method,  # type: ignore[arg-type]
        row.status,  # type: ignore[arg-type]
        row.amount_fen,
        services.upstreams.pay.jsapi(prepay, int(services.clock.now())) if prepay else None,
        row.expires_at,
    )


def shown_entry(record: Any) -> LedgerEntry:
    """An entry of the ledger."""
    names = ("debit", "credit", "amount_fen", "ref", "act")
    return LedgerEntry(record["id"], record["at"], *(record[name] for name in names))
