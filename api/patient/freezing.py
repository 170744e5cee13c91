"""Freezing and unfreezing; and who else holds a card of me. A `self` card speaks for its person, on every card."""

from typing import Any

from api.patient.shown import shown_card
from api.patient.standing import own_card, still
from api.patient.telling import tell_card
from api.patient.types import Card, Empty, Holder, HolderList
from api.problems import NOT_ALLOWED, NOT_FOUND, Problem, Text
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from codes.names import mask_name
from models import cards
from models.cards import HOLDER, PERSON, CardRow
from models.database import Connection, transaction

subject = Subject("Patients")
_BY_OTHERS = Text(
    "此卡由机构或本人在其他账户冻结，请联系冻结方解冻。",
    "An office, or the person in another account, froze this card: ask them to unfreeze it.",
)
_ONLY_SELF = Text("只有本人的卡可以查看和移除其他持有者。", "Only one's own card shows and removes other holders.")


@subject.route(
    "POST",
    "/v1/patient/cards/<card_id:str>/freeze",
    Caller.PATIENT,
    "Freeze: no code of it resolves any more, open resolutions end",
    body=Empty,
    answers={200: Card},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def freeze_card(call: Call[Empty]) -> Answer:
    """A `self` card freezes the person's other cards too, whoever holds them."""
    card, vault = await own_card(call), call.services.vault
    by = PERSON if card.relation == "self" else HOLDER
    async with transaction() as tx:
        for each in await _affected(call, card, using=tx):
            await cards.freeze(vault, each, by, using=tx)
            if each.account_id != card.account_id:
                await tell_card(vault, each, "frozen", *_frozen_by_person(each), using=tx)
        changed = await cards.card_of(vault, card.account_id, card.card_id, using=tx)
    return Answer(200, shown_card(still(changed)))


@subject.route(
    "POST",
    "/v1/patient/cards/<card_id:str>/unfreeze",
    Caller.PATIENT,
    "Unfreeze; what a registrar or the person froze only they unfreeze",
    body=Empty,
    answers={200: Card},
    problems=(NOT_FOUND, NOT_ALLOWED),
    limit="patient",
)
async def unfreeze_card(call: Call[Empty]) -> Answer:
    """Takes back what this card's holder froze."""
    card, vault = await own_card(call), call.services.vault
    by = PERSON if card.relation == "self" else HOLDER
    async with transaction() as tx:
        for each in await _affected(call, card, using=tx):
            await cards.unfreeze(vault, each, by, using=tx)
        changed = still(await cards.card_of(vault, card.account_id, card.card_id, using=tx))
        if changed.status == "frozen":
            raise Problem(NOT_ALLOWED, _BY_OTHERS)
    return Answer(200, shown_card(changed))


@subject.route(
    "GET",
    "/v1/patient/cards/<card_id:str>/holders",
    Caller.PATIENT,
    "Which other accounts hold a card of me",
    answers={200: HolderList},
    problems=(NOT_FOUND, NOT_ALLOWED),
    limit="patient",
)
async def list_holders(call: Call[None]) -> Answer:
    """Named by their own card's person, masked; without one, by nothing."""
    card = await _self_card(call)
    others = await cards.cards_of_person(call.services.vault, card.person_id)
    shown = [
        Holder(other.card_id, await _holder_name(call, other), other.relation, other.created_at)
        for other in others
        if other.account_id != card.account_id
    ]
    return Answer(200, HolderList(shown))


@subject.route(
    "DELETE",
    "/v1/patient/cards/<card_id:str>/holders/<holder_id:str>",
    Caller.PATIENT,
    "Close another account's card of me",
    answers={204: None},
    problems=(NOT_FOUND, NOT_ALLOWED),
    limit="patient",
)
async def remove_holder(call: Call[None]) -> Answer:
    """Theirs is closed; they are told."""
    card, vault = await _self_card(call), call.services.vault
    holder_id = call.id_in_path("holder_id")
    async with transaction() as tx:
        await cards.lock_person(card.person_id, using=tx)
        others = await cards.cards_of_person(vault, card.person_id, using=tx)
        theirs = [other for other in others if other.card_id == holder_id and other.account_id != card.account_id]
        if not theirs:
            raise Problem(NOT_FOUND)
        await cards.close(vault, theirs[0], using=tx)
        name = mask_name(card.person.name)
        await tell_card(
            vault,
            theirs[0],
            "closed",
            f"{name}已将您账户中的这张卡移除，卡已停用。",
            f"{name} removed this card from your account; it is closed.",
            using=tx,
        )
    return Answer(204)


async def _self_card(call: Call[None]) -> CardRow:
    card = await own_card(call)
    if card.relation != "self":
        raise Problem(NOT_ALLOWED, _ONLY_SELF)
    return card


async def _affected(call: Call[Any], card: CardRow, *, using: Connection) -> list[CardRow]:
    """This card, and the person's others where it is their own; locked and read again."""
    await cards.lock_person(card.person_id, using=using)
    found = await cards.cards_of_person(call.services.vault, card.person_id, using=using)
    return [each for each in found if card.relation == "self" or each.card_id == card.card_id]


async def _holder_name(call: Call[None], other: CardRow) -> str:
    own = [card for card in await cards.cards_of(call.services.vault, other.account_id) if card.relation == "self"]
    return mask_name(own[0].person.name) if own else "微信用户"


def _frozen_by_person(card: CardRow) -> tuple[str, str]:
    name = mask_name(card.person.name)
    return (
        f"{name}已冻结本人的一码卡，您账户中的这张卡暂停使用。",
        f"{name} froze their Yima card; it cannot be used for now.",
    )
