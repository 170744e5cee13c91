"""Who looked at my data, and what I was told."""

from api.patient.shown import shown_access, shown_message
from api.patient.standing import own_card, require_standing
from api.patient.types import AccessList, MessageList
from api.problems import NOT_FOUND
from api.web.answers import Answer
from api.web.calls import Call
from api.web.queries import Page
from api.web.routes import Caller, Subject
from models.messages import messages_of
from models.scans import accesses

subject = Subject("Patients")


@subject.route(
    "GET",
    "/v1/patient/cards/<card_id:str>/accesses",
    Caller.PATIENT,
    "Who looked at this person's data, refused tries too, newest first",
    query=Page,
    answers={200: AccessList},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def list_accesses(call: Call[None]) -> Answer:
    """A `self` card covers the person, whichever account's card was used."""
    card, page = await own_card(call), call.query
    found = await accesses(card.person_id, card.alone, page.after(), page.limit + 1)
    shown, following = page.cut(found, lambda record: (record["at"], record["id"]))
    return Answer(200, AccessList([shown_access(record) for record in shown], following))


@subject.route(
    "GET",
    "/v1/patient/messages",
    Caller.PATIENT,
    "What the account was told, newest first",
    query=Page,
    answers={200: MessageList},
    limit="patient",
)
async def list_messages(call: Call[None]) -> Answer:
    """Messages of all cards."""
    account_id, page = await require_standing(call), call.query
    found = await messages_of(call.services.vault, account_id, page.after(), page.limit + 1)
    shown, following = page.cut(found, lambda told: (told.at, told.message_id))
    return Answer(200, MessageList([shown_message(told, call.language) for told in shown], following))
