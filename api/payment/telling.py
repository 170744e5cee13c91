"""What people are told of their bills, in the commit that makes it true (zh and en). Never what a bill is for."""

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from codes.money import yuan_of
from codes.names import mask_name
from models import bills, refunds
from models.bills import News, Told
from models.cards import CardRow, cards_told
from models.database import Connection
from models.messages import tell
from models.payments import Letter

if TYPE_CHECKING:
    from api.services import Services

_NAME = "{name}"


def _text(card: CardRow, zh: str, en: str) -> dict[str, str]:
    name = mask_name(card.person.name)
    return {"zh": zh.replace(_NAME, name), "en": en.replace(_NAME, name)}


async def _tell(services: "Services", bill: Told, kind: str, zh: str, en: str, *, using: Connection) -> None:
    """The accounts of the card that the bill was made under, and of the person's own."""
    for card in await cards_told(services.vault, [bill.card_id], [bill.person_id], using=using):
        await tell(
            services.vault,
            card.account_id,
            kind,
            _text(card, zh, en),
            card_id=card.card_id,
            ref=str(bill.bill_id),
            using=using,
        )


async def tell_billed(services: "Services", bill: Told, *, using: Connection) -> None:
    """There is something to pay."""
    total, cash = yuan_of(bill.total), yuan_of(bill.cash)
    await _tell(
        services,
        bill,
        "bill",
        f"{bill.hospital_name}为{{name}}开了账单，共{total}元，需个人支付{cash}元。可在一码里支付，也可到窗口支付。",
        f"{bill.hospital_name} made a bill for {{name}}: {total} yuan, of which {cash} are to be paid. Pay it here or at the window.",
        using=using,
    )


async def tell_cancelled(services: "Services", bill: Told, *, using: Connection) -> None:
    """There is nothing to pay any more."""
    total = yuan_of(bill.total)
    await _tell(
        services,
        bill,
        "bill",
        f"{bill.hospital_name}取消了{{name}}的账单，共{total}元，不需要支付了。",
        f"{bill.hospital_name} cancelled a bill of {{name}} over {total} yuan: nothing is to be paid.",
        using=using,
    )


def _paid(bill: Told) -> tuple[str, str]:
    cash = yuan_of(bill.cash)
    return (
        f"{{name}}在{bill.hospital_name}的账单已支付，个人支付{cash}元。",
        f"The bill of {{name}} at {bill.hospital_name} is paid: {cash} yuan in cash.",
    )


async def tell_paid(services: "Services", bill_id: UUID, *, using: Connection) -> None:
    """It is paid."""
    bill = await bills.told_of(bill_id, using=using)
    await _tell(services, bill, "paid", *_paid(bill), using=using)


def paid_letters(services: "Services", news: News) -> list[Letter]:
    """The same, sealed, for the statement that makes it true."""
    made = []
    for card in news.cards:
        message_id = uuid4()
        sealed = services.vault.seal(_text(card, *_paid(news.bill)), "messages", "sealed", message_id)
        made.append(Letter(message_id, card.account_id, card.card_id, sealed))
    return made


async def tell_refunded(services: "Services", bill_id: UUID, refund_id: UUID, *, using: Connection) -> None:
    """Money is back."""
    bill = await bills.told_of(bill_id, using=using)
    refund = await refunds.refund(services.vault, refund_id, using=using)
    cash = yuan_of(refund.parts.cash if refund else 0)
    await _tell(
        services,
        bill,
        "refunded",
        f"{bill.hospital_name}已为{{name}}退费，退回个人支付{cash}元，按原支付方式退还。",
        f"{bill.hospital_name} refunded {{name}}: {cash} yuan of cash, by the way it was paid.",
        using=using,
    )
