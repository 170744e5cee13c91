"""Cards, accesses and messages as the patient sees them."""

from typing import Any

from api.patient.types import Access, Card, Insurance, Message, Operator
from codes.claims import services_to_names
from codes.insurance import InsuranceNumber, InsuranceType
from codes.names import mask_name
from codes.phone import mask_phone
from models.cards import CardRow, InsuranceData, PersonData
from models.messages import Told


def shown_insurance(data: InsuranceData | None, *, whole: bool = False) -> Insurance | None:
    """An insurance, its number masked unless `whole`."""
    if data is None:
        return None
    number = InsuranceNumber(InsuranceType(data.type), data.number, data.area)
    return Insurance(data.type, data.number if whole else number.masked, data.area, data.kind)


def shown_card(card: CardRow) -> Card:
    """A card, its person masked."""
    person: PersonData = card.person
    return Card(
        card.card_id,
        mask_name(person.name),
        person.id_type,
        person.document.masked,
        mask_phone(person.phone),
        card.health_card_id,
        shown_insurance(card.insurance),
        card.relation,
        card.status,
        card.created_at,
    )


def shown_access(record: Any) -> Access:
    """A scan (a resolution or a refused try), or a use of a resolution for a service."""
    services = services_to_names(record["granted"]) if record["granted"] else []
    what = [] if record["reason"] else services if record["used"] else ["identity", *services]
    operator = Operator(record["operator_id"], record["operator_name"]) if record["operator_id"] else None
    return Access(
        record["id"],
        record["at"],
        record["hospital"],
        record["department"],
        record["terminal"],
        operator,
        record["step"],
        what,
        [str(record_id) for record_id in record["records"]],
        record["break_glass_id"] is not None,
        "refused" if record["reason"] else "allowed",
        record["reason"],
        record["act"],
    )


def shown_message(told: Told, language: str) -> Message:
    """A message in the reader's language."""
    text = told.text.get(language) or told.text["zh"]
    return Message(told.message_id, told.at, told.kind, told.card_id, text, told.ref)
