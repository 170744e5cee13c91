"""Everything of an account as one download (PIPL 45), streamed page by page: nothing of it is held whole.

Of the account's own person all is said unmasked; of another's card, what its holder sees. Neither a card's handle nor
what WeChat calls the account leaves the service.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

from sanic.response import HTTPResponse, ResponseStream

from api.booking.shown import SHANGHAI, shown_appointment, shown_waiting
from api.patient.shown import shown_access, shown_card, shown_insurance, shown_message
from api.patient.standing import require_standing
from api.payment.shown import shown_bill
from api.records.patients import bundle, seen_by
from api.records.shown import shown_to_patient
from api.web.answers import API_HEADERS, encode
from api.web.calls import Call
from api.web.routes import Caller, Media, Subject
from models import exporting
from models.appointments import appointments_of, waitings_of
from models.bills import bills_of
from models.cards import CardRow, cards_of
from models.consents import speaks_for
from models.leaving import created_at
from models.messages import messages_of
from models.own_records import records_of
from models.recognitions import decided_on
from models.records import Wanted
from models.scans import accesses
from models.vault import Vault

if TYPE_CHECKING:
    from api.services import Services

Row = TypeVar("Row")
Place = tuple[datetime, UUID]
Pages = AsyncIterator[list[Any]]
_PAGE: Final = 100
_VERSION_PAGE: Final = 20  # versions of a choice; each may have a hundred rules
_NEWEST: Final = 2**31 - 1
subject = Subject("Account")


@subject.route(
    "GET",
    "/v1/patient/account/export",
    Caller.PATIENT,
    "Everything of the account as one download",
    answers={200: Media("application/json", "The account, its cards with all that is theirs, and its messages")},
    limit="cards",
    commits=False,
)
async def export_account(call: Call[None]) -> HTTPResponse | ResponseStream:
    """Streamed. Records are in a FHIR Bundle for each card, byte for byte as they were posted."""
    account_id, services, language = await require_standing(call), call.services, call.language
    today = services.clock.today().astimezone(SHANGHAI).date()

    async def stream(response: Any) -> None:
        async for part in everything(services, account_id, language):
            await response.write(part)

    headers = {**API_HEADERS, "Content-Disposition": f'attachment; filename="yima-{today}.json"'}
    if call.request.method == "HEAD":
        return HTTPResponse(None, headers=headers, content_type="application/json")
    return ResponseStream(stream, headers=headers, content_type="application/json")


async def everything(services: "Services", account_id: UUID, language: str) -> AsyncIterator[bytes]:
    """The parts of the download's text."""
    vault = services.vault
    account = {"account_id": account_id, "created_at": await created_at(account_id)}
    yield b'{"exported_at":' + encode(services.clock.today()) + b',"account":' + encode(account) + b',"cards":['
    between = b""
    for card in await cards_of(vault, account_id):
        yield between
        async for part in _whole_card(vault, card):
            yield part
        between = b","
    yield b'],"messages":'
    async for part in _array(_messages(vault, account_id, language)):
        yield part
    yield b',"verifications":' + encode(_plain(await exporting.verifications_of(account_id)))
    yield b',"failed_proofs":' + encode(_plain(await exporting.failures_of(account_id)))
    yield b',"signed_out":' + encode(_plain(await exporting.signed_out_of(account_id))) + b"}"


async def _whole_card(vault: Vault, card: CardRow) -> AsyncIterator[bytes]:
    yield b'{"card":' + encode(_shown(card))
    for name, pages in _PARTS.items():
        yield b',"' + name.encode() + b'":'
        async for part in _array(pages(vault, card)):
            yield part
    yield b',"records":'
    async for part in bundle(vault, card.person_id, await seen_by(card), True):
        yield part
    yield b"}"


async def _array(pages: Pages) -> AsyncIterator[bytes]:
    """The text of an array of all items of all pages."""
    yield b"["
    between = b""
    async for page in pages:
        if page:
            yield between + encode(page)[1:-1]
            between = b","
    yield b"]"


async def _paged(
    read: Callable[[Place | None], Awaitable[list[Row]]], place: Callable[[Row], Place]
) -> AsyncIterator[list[Row]]:
    """All pages of a list by keyset."""
    after: Place | None = None
    while found := await read(after):
        yield found
        after = place(found[-1])


def _plain(found: list[Any]) -> list[dict[str, Any]]:
    return [dict(record) for record in found]


def _shown(card: CardRow) -> Any:
    """The card: whole if it is the person's own, else as its holder sees it."""
    if card.relation != "self":
        return shown_card(card)
    person = card.person
    return {
        "card_id": card.card_id,
        "name": person.name,
        "id_type": person.id_type,
        "id_number": person.id_number,
        "phone": person.phone,
        "gender": person.gender,
        "birthday": person.birthday,
        "health_card_id": card.health_card_id,
        "insurance": shown_insurance(card.insurance, whole=True),
        "relation": card.relation,
        "status": card.status,
        "created_at": card.created_at,
    }


async def _policies(vault: Vault, card: CardRow) -> Pages:
    found = await exporting.policies_agreed(card.account_id, card.person_id)
    yield [{"policy": r["policy"], "text_sha256": r["text_sha256"].hex(), "at": r["at"]} for r in found]


async def _choices(vault: Vault, card: CardRow) -> Pages:
    """Every version of who may read the records, where the card decides it."""
    if not await speaks_for(card.person_id, card.relation):
        return
    before = _NEWEST
    while found := await exporting.choices_before(card.person_id, before, _VERSION_PAGE):
        rules: dict[UUID, list[dict[str, Any]]] = {}
        for rule in _plain(await exporting.rules_of([choice["id"] for choice in found])):
            rules.setdefault(rule.pop("consent_id"), []).append(_rule(rule))
        yield [{"version": c["version"], "at": c["at"], "rules": rules.get(c["id"], [])} for c in found]
        before = found[-1]["version"]


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """As GET consents shows it, with the hospital's name."""
    return {**rule, "hospital_id": rule["hospital_id"] or "*", "kind": rule["kind"] or "*"}


async def _accesses(vault: Vault, card: CardRow) -> Pages:
    async for page in _paged(
        lambda after: accesses(card.person_id, card.alone, after, _PAGE), lambda record: (record["at"], record["id"])
    ):
        yield [shown_access(record) for record in page]


async def _appointments(vault: Vault, card: CardRow) -> Pages:
    async for page in _paged(
        lambda after: appointments_of(card.person_id, card.alone, None, after, _PAGE),
        lambda row: (row.at, row.appointment_id),
    ):
        yield [shown_appointment(row) for row in page]


async def _waitings(vault: Vault, card: CardRow) -> Pages:
    async for page in _paged(
        lambda after: waitings_of(card.person_id, card.alone, after, _PAGE), lambda row: (row.at, row.waiting_id)
    ):
        yield [shown_waiting(row) for row in page]


async def _bills(vault: Vault, card: CardRow) -> Pages:
    alone = await seen_by(card)
    async for page in _paged(
        lambda after: bills_of(vault, card.person_id, alone, None, after, _PAGE), lambda row: (row.at, row.bill_id)
    ):
        yield [shown_bill(vault, row) for row in page]


async def _numbers(vault: Vault, card: CardRow) -> Pages:
    """A hospital shows its number to the person; a holder of somebody else's card is not shown it here, either."""
    if card.relation == "self":
        yield [number._asdict() for number in await exporting.numbers_of(vault, card.person_id)]


async def _listed(vault: Vault, card: CardRow) -> Pages:
    """What lists show of the records: where they are from, marks, and doctors' decisions."""
    alone = await seen_by(card)
    async for page in _paged(
        lambda after: records_of(vault, card.person_id, alone, Wanted(history=True), after, _PAGE),
        lambda row: (row.occurred_at, row.record_id),
    ):
        decided = await decided_on(vault, [row.record_id for row in page])
        yield [shown_to_patient(row, decided.get(row.record_id, [])) for row in page]


async def _messages(vault: Vault, account_id: UUID, language: str) -> Pages:
    async for page in _paged(
        lambda after: messages_of(vault, account_id, after, _PAGE), lambda told: (told.at, told.message_id)
    ):
        yield [shown_message(told, language) for told in page]


# What the download has of each card, beside the card itself and its records.
_PARTS: Final[dict[str, Callable[[Vault, CardRow], Pages]]] = {
    "policies": _policies,
    "consents": _choices,
    "accesses": _accesses,
    "appointments": _appointments,
    "waitings": _waitings,
    "bills": _bills,
    "patient_numbers": _numbers,
    "record_list": _listed,
}
