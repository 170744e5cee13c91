"""Whether the patient's session still stands, and the card that a call names."""

from typing import Any
from uuid import UUID

from api.problems import NOT_FOUND, UNAUTHENTICATED, Problem
from api.web.calls import Call
from models.accounts import standing
from models.cards import CardRow, card_of


async def require_standing(call: Call[Any]) -> UUID:
    """The caller's account. Raises Problem unauthenticated after a sign-out."""
    patient = call.patient
    if not await standing(patient.account_id, patient.session_id, patient.epoch):
        raise Problem(UNAUTHENTICATED)
    return patient.account_id


async def own_card(call: Call[Any]) -> CardRow:
    """The card of the path, of the caller's account. Raises Problem not-found, also for another's."""
    account_id = await require_standing(call)
    return still(await card_of(call.services.vault, account_id, call.id_in_path("card_id")))


def still(card: CardRow | None) -> CardRow:
    """A card that was looked for. Raises Problem not-found if it is not there, or was closed in the meantime."""
    if card is None:
        raise Problem(NOT_FOUND)
    return card
