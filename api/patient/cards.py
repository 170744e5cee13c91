"""Cards: made with the proof of their person, changed with a new proof, closed; insurance beside them."""

from typing import Any, Final
from uuid import UUID

from api.idempotency import keep
from api.patient.proof import Proven, prove
from api.patient.shown import shown_card
from api.patient.standing import own_card, require_standing, still
from api.patient.telling import tell_bound
from api.patient.types import (
    Card,
    CardChange,
    CardList,
    CardRequest,
    GuardianProof,
    InsuranceRequest,
)
from api.policies import POLICIES, PolicyText
from api.problems import (
    CARD_EXISTS,
    CARD_LIMIT,
    INSURANCE_REFUSED,
    NOT_FOUND,
    PROOF_FAILED,
    TOO_MANY_TRIES,
    UNAUTHENTICATED,
    UPSTREAM_FAILED,
    UPSTREAM_TIMEOUT,
    Problem,
)
from api.records.ending import end_choice, end_choice_of_others
from api.web.answers import Answer
from api.web.bodies import invalid
from api.web.calls import Call
from api.web.routes import Caller, Subject
from codes.errors import InvalidValue
from codes.identity import IdDocument, parse_document
from codes.insurance import parse_insurance
from codes.names import parse_name
from codes.phone import parse_phone
from models import cards, verifications
from models.cards import AccountLeft, AlreadyHeld, CardRow, InsuranceData, PersonData, SelfTaken, TooManyCards
from models.database import Connection, transaction

subject = Subject("Patients")
_PROVING: Final = (PROOF_FAILED, TOO_MANY_TRIES, UPSTREAM_FAILED, UPSTREAM_TIMEOUT)


@subject.route(
    "GET", "/v1/patient/cards", Caller.PATIENT, "The account's cards", answers={200: CardList}, limit="patient"
)
async def list_cards(call: Call[None]) -> Answer:
    """All of them: there are ten at most."""
    account_id = await require_standing(call)
    return Answer(200, CardList([shown_card(card) for card in await cards.cards_of(call.services.vault, account_id)]))


@subject.route(
    "POST",
    "/v1/patient/cards",
    Caller.PATIENT,
    "Merge health card, insurance and ID of a person into one card",
    body=CardRequest,
    answers={201: Card},
    problems=(CARD_EXISTS, CARD_LIMIT, INSURANCE_REFUSED, *_PROVING),
    idempotent=True,
    limit="cards",
)
async def create_card(call: Call[CardRequest]) -> Answer:
    """Prove the person, check the insurance, then bind; what fails on the way binds nobody."""
    asked, vault = call.body, call.services.vault
    account_id = await require_standing(call)
    policy = _policy(asked.consent.policy)
    document = parse_document(asked.id_type, asked.id_number, today=await verifications.today())
    name, phone = parse_name(asked.name), parse_phone(asked.phone)
    held = await cards.cards_of(vault, account_id)
    _check_room(held, document, asked.relation)
    number = (
        parse_insurance(asked.insurance.type, asked.insurance.number, asked.insurance.area) if asked.insurance else None
    )
    proven = await prove(call, account_id, asked.relation, asked.proof, name, document, phone)
    insurance = await _insured(call, number, name, document) if number else None
    person = _person(name, document, phone)
    async with transaction() as tx:
        await _lock_account(account_id, using=tx)
        await _spend(proven, using=tx)
        card = await _bind(call, person, insurance, policy, guardian=isinstance(asked.proof, GuardianProof), using=tx)
        return await keep(call, Answer(201, shown_card(card)), using=tx)


@subject.route(
    "GET",
    "/v1/patient/cards/<card_id:str>",
    Caller.PATIENT,
    "One card",
    answers={200: Card},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def show_card(call: Call[None]) -> Answer:
    """The card, its person masked."""
    return Answer(200, shown_card(await own_card(call)))


@subject.route(
    "PATCH",
    "/v1/patient/cards/<card_id:str>",
    Caller.PATIENT,
    "Change phone or name, proven anew",
    body=CardChange,
    answers={200: Card},
    problems=(NOT_FOUND, *_PROVING),
    limit="cards",
)
async def change_card(call: Call[CardChange]) -> Answer:
    """The registry must agree with what the person is called and called at now."""
    asked, vault = call.body, call.services.vault
    card = await own_card(call)
    if asked.phone is None and asked.name is None:
        raise invalid("/phone", "请填写新的手机号或姓名", "give a new phone or name")
    name = parse_name(asked.name) if asked.name is not None else card.person.name
    phone = parse_phone(asked.phone) if asked.phone is not None else card.person.phone
    document = card.person.document
    proven = await prove(call, card.account_id, card.relation, asked.proof, name, document, phone)
    async with transaction() as tx:
        await _spend(proven, using=tx)
        await cards.lock_person(card.person_id, using=tx)
        await cards.save_person(vault, card.person_id, _person(name, document, phone), using=tx)
        changed = await cards.card_of(vault, card.account_id, card.card_id, using=tx)
    return Answer(200, shown_card(still(changed)))


@subject.route(
    "DELETE",
    "/v1/patient/cards/<card_id:str>",
    Caller.PATIENT,
    "Close a card for good",
    answers={204: None},
    problems=(NOT_FOUND,),
    limit="patient",
)
async def close_card(call: Call[None]) -> Answer:
    """Its codes are card-revoked from now on. Of a `self` card the choice of who reads records ends, too."""
    card, vault = await own_card(call), call.services.vault
    async with transaction() as tx:
        await cards.lock_person(card.person_id, using=tx)
        open_card = still(await cards.card_of(vault, card.account_id, card.card_id, using=tx))
        await cards.close(vault, open_card, using=tx)
        if open_card.relation == "self" and not await cards.cards_told(vault, [], [card.person_id], using=tx):
            await end_choice(open_card, using=tx)
    return Answer(204)


@subject.route(
    "PUT",
    "/v1/patient/cards/<card_id:str>/insurance",
    Caller.PATIENT,
    "Merge an insurance into the card",
    body=InsuranceRequest,
    answers={200: Card},
    problems=(NOT_FOUND, INSURANCE_REFUSED, UPSTREAM_FAILED, UPSTREAM_TIMEOUT),
    limit="cards",
)
async def put_insurance(call: Call[InsuranceRequest]) -> Answer:
    """Asks the insurer (transaction 1101) whether it is this person's."""
    card, vault, asked = await own_card(call), call.services.vault, call.body
    try:
        number = parse_insurance(asked.type, asked.number, asked.area)
    except InvalidValue as error:
        raise InvalidValue(error.field.removeprefix("insurance/"), error.zh, error.en) from None
    insurance = await _insured(call, number, card.person.name, card.person.document)
    async with transaction() as tx:
        await cards.lock_person(card.person_id, using=tx)
        still(await cards.card_of(vault, card.account_id, card.card_id, using=tx))
        await cards.put_insurance(vault, card.card_id, insurance, using=tx)
        changed = await cards.card_of(vault, card.account_id, card.card_id, using=tx)
    return Answer(200, shown_card(still(changed)))


def _policy(version: str) -> PolicyText:
    policy = POLICIES.get(version)
    if policy is None:
        raise invalid("/consent/policy", "没有这个版本的告知书", "there is no policy of that version")
    return policy


def _check_room(held: list[CardRow], document: IdDocument, relation: str) -> None:
    """What the transaction checks again; asked first so that no upstream is asked in vain."""
    if any(card.person.document == document for card in held):
        raise Problem(CARD_EXISTS)
    if len(held) >= cards.CARDS_MOST:
        raise Problem(CARD_LIMIT)
    if relation == "self" and any(card.relation == "self" for card in held):
        raise _self_taken()


def _self_taken() -> Problem:
    return invalid("/relation", "账户已有本人卡，请选择与本人的关系", "the account has its own person's card already")


def _person(name: str, document: IdDocument, phone: str) -> PersonData:
    birthday = document.birthday.isoformat() if document.birthday else None
    return PersonData(name, document.type, document.number, phone, document.gender, birthday)


async def _insured(call: Call[Any], number: Any, name: str, document: IdDocument) -> InsuranceData:
    found = await call.services.upstreams.insurer.person(number, name, document)
    first = found.insurances[0]
    return InsuranceData(number.type, number.number, first.area, first.kind)


async def _lock_account(account_id: UUID, *, using: Connection) -> None:
    try:
        await cards.lock_account(account_id, using=using)
    except AccountLeft:
        raise Problem(UNAUTHENTICATED) from None


async def _spend(proven: Proven, *, using: Connection) -> None:
    if proven.verification_id and not await verifications.use(proven.verification_id, using=using):
        raise Problem(PROOF_FAILED)


async def _bind(
    call: Call[CardRequest],
    person: PersonData,
    insurance: InsuranceData | None,
    policy: PolicyText,
    *,
    guardian: bool,
    using: Connection,
) -> CardRow:
    vault, account_id, asked = call.services.vault, call.patient.account_id, call.body
    known = await cards.find_person(vault, person.document, using=using)
    # A guardian's word proves no phone: what the registry agreed to for this person stays.
    kept = known[1] if known and guardian else person
    person_id = await cards.upsert_person(vault, kept, using=using)
    try:
        card_id = await cards.add_card(vault, account_id, person_id, asked.relation, using=using)
    except AlreadyHeld:
        raise Problem(CARD_EXISTS) from None
    except TooManyCards:
        raise Problem(CARD_LIMIT) from None
    except SelfTaken:
        raise _self_taken() from None
    await cards.add_consent(card_id, policy.version, policy.sha256, using=using)
    if insurance:
        await cards.put_insurance(vault, card_id, insurance, using=using)
    card = still(await cards.card_of(vault, account_id, card_id, using=using))
    await tell_bound(vault, card, using=using)
    if asked.relation == "self":
        await end_choice_of_others(vault, card, using=using)
    return card
