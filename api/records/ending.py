"""The end of a person's choice who may read their records, where nobody is left who could withdraw it."""

from api.patient.telling import tell_card
from models.cards import CardRow, cards_of_person
from models.consents import Choice, choice_of, choose
from models.database import Connection
from models.vault import Vault


async def end_choice(card: CardRow, *, using: Connection) -> Choice:
    """A new version without rules, if there are any; what was in force. The caller holds the person's lock."""
    before = await choice_of(card.person_id, using=using)
    if before.rules:
        await choose(card.person_id, card.card_id, card.account_id, before.version, [], using=using)
    return before


async def end_choice_of_others(vault: Vault, card: CardRow, *, using: Connection) -> None:
    """When a person gets a card of their own, what another account chose for them ends, and both are told."""
    before = await choice_of(card.person_id, using=using)
    if not before.rules or before.account_id == card.account_id:
        return
    await end_choice(card, using=using)
    told = [
        one for one in await cards_of_person(vault, card.person_id, using=using) if one.account_id == before.account_id
    ]
    for one in (card, *told):
        await tell_card(
            vault,
            one,
            "consents-ended",
            "本人已有自己的一码：此前由他人作出的病历授权已全部失效，由本人重新决定谁可以看病历。",
            "This person now has a card of their own: what others had permitted of their records has ended, and they decide anew.",
            using=using,
        )
