"""A person's choice (HL7 Consent) of which hospital reads which kinds of records; withdrawn as easily as given."""

from typing import Any, Final
from uuid import UUID

from api.booking.types import HospitalNamed
from api.patient.standing import own_card, still
from api.problems import (
    CONSENT_INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    PRECONDITION_REQUIRED,
    VERSION_CONFLICT,
    FieldError,
    Problem,
    Text,
)
from api.records.types import ConsentRequest, Consents, RuleGiven, sane
from api.web.answers import Answer
from api.web.calls import Call
from api.web.etags import etag
from api.web.routes import Caller, Subject
from models.cards import CardRow, card_of, lock_person
from models.clients import hospitals_named
from models.consents import Choice, Rule, choice_of, choose, speaks_for
from models.database import transaction

subject = Subject("Records")
ANY: Final = "*"
_NOT_THEIRS: Final = Text(
    "本人已有自己的一码，由本人决定谁可以看病历。",
    "This person has a card of their own and decides alone who may read their records.",
)


async def _deciding_card(call: Call[Any]) -> CardRow:
    """The card of the path, if it decides for its person. Raises Problem not-found or not-allowed."""
    card = await own_card(call)
    if not await speaks_for(card.person_id, card.relation):
        raise Problem(NOT_ALLOWED, _NOT_THEIRS)
    return card


async def _shown(choice: Choice) -> Answer:
    named = await hospitals_named([rule.hospital_id for rule in choice.rules if rule.hospital_id is not None])
    rules = [
        RuleGiven(str(r.hospital_id) if r.hospital_id else ANY, r.kind or ANY, r.effect, r.valid_from, r.valid_until)  # type: ignore[arg-type]
        for r in choice.rules
    ]
    hospitals = [HospitalNamed(hospital_id, name) for hospital_id, name in named.items()]
    return Answer(200, Consents(choice.version, rules, hospitals), {"ETag": etag(choice.version)})


@subject.route(
    "GET",
    "/v1/patient/cards/<card_id:str>/consents",
    Caller.PATIENT,
    "Who may read this person's records",
    answers={200: Consents},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def show_consents(call: Call[None]) -> Answer:
    """None at first: no other hospital reads anything. Version 0 is that."""
    card = await _deciding_card(call)
    return await _shown(await choice_of(card.person_id))


@subject.route(
    "PUT",
    "/v1/patient/cards/<card_id:str>/consents",
    Caller.PATIENT,
    "Choose who may read this person's records",
    body=ConsentRequest,
    body_invalid=CONSENT_INVALID,
    answers={200: Consents},
    problems=(NOT_FOUND, CONSENT_INVALID, PRECONDITION_REQUIRED, VERSION_CONFLICT),
    headers=("If-Match",),
    limit="patient",
)
async def put_consents(call: Call[ConsentRequest]) -> Answer:
    """All rules at once; in force with the answer, also in resolutions that are open. The most specific rule decides
    (hospital and kind, hospital, kind, neither; ties: deny), without one nobody but who posted a record reads it.
    """
    card = await _deciding_card(call)
    given = call.request.headers.get("if-match")
    if given is None:
        raise Problem(PRECONDITION_REQUIRED)
    rules = await _checked(call.body.rules)
    async with transaction() as tx:
        await lock_person(card.person_id, using=tx)
        still(await card_of(call.services.vault, card.account_id, card.card_id, using=tx))
        choice = await choice_of(card.person_id, using=tx)
        if given.strip() != etag(choice.version):
            raise Problem(VERSION_CONFLICT)
        if not await speaks_for(card.person_id, card.relation, using=tx):
            raise Problem(NOT_ALLOWED, _NOT_THEIRS)
        version = await choose(card.person_id, card.card_id, card.account_id, choice.version, rules, using=tx)
    return await _shown(Choice(version, rules))


async def _checked(given: list[RuleGiven]) -> list[Rule]:
    """The rules. Raises Problem consent-invalid where one could never be in force, or names no hospital."""
    known = await hospitals_named([UUID(rule.hospital_id) for rule in given if rule.hospital_id != ANY])
    rules = []
    for place, rule in enumerate(given):
        hospital_id = None if rule.hospital_id == ANY else UUID(rule.hospital_id)
        if hospital_id is not None and hospital_id not in known:
            raise _fault(f"/rules/{place}/hospital_id", "没有这家医院", "there is no such hospital")
        for name, at in (("valid_from", rule.valid_from), ("valid_until", rule.valid_until)):
            if at is not None and not sane(at):
                raise _fault(f"/rules/{place}/{name}", "时间超出范围", "out of range: from 1900 to 2999")
        if rule.valid_from and rule.valid_until and rule.valid_from >= rule.valid_until:
            raise _fault(f"/rules/{place}/valid_until", "须晚于开始时间", "must be later than valid_from")
        kind = None if rule.kind == ANY else rule.kind
        rules.append(Rule(hospital_id, kind, rule.effect, rule.valid_from, rule.valid_until))
    return rules


def _fault(field: str, zh: str, en: str) -> Problem:
    return Problem(CONSENT_INVALID, errors=(FieldError(field, Text(zh, en)),))
