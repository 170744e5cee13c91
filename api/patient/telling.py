"""What people must be told (security.md, 4), written in the commit that makes it true."""

from codes.names import mask_name
from models.cards import CardRow, cards_of_person
from models.database import Connection
from models.messages import enqueue, tell
from models.vault import Vault


async def tell_bound(vault: Vault, card: CardRow, *, using: Connection) -> None:
    """Another account was given a card of a person: whoever holds that person's own card is told, by text too."""
    others = [
        other
        for other in await cards_of_person(vault, card.person_id, using=using)
        if other.account_id != card.account_id and other.relation == "self"
    ]
    name = mask_name(card.person.name)
    text = {
        "zh": f"{name}的一码卡刚刚被添加到另一个微信账户。如非本人同意，请打开“一码”，在“谁持有我的卡”中移除并冻结。",
        "en": f"A Yima card of {name} was added to another WeChat account. If you did not agree, remove it in Yima under “Who holds my card” and freeze.",
    }
    for other in others:
        await tell(vault, other.account_id, "bound", text, card_id=other.card_id, using=using)
    if others:
        await enqueue(vault, "text", {"phone": others[0].person.phone, "text": f"【一码】{text['zh']}"}, using=using)


async def tell_card(vault: Vault, card: CardRow, kind: str, zh: str, en: str, *, using: Connection) -> None:
    """Tell the account that holds a card what happened to it."""
    await tell(vault, card.account_id, kind, {"zh": zh, "en": en}, card_id=card.card_id, using=using)
