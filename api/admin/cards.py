"""Freezing a person's cards by a registrar, and the audit."""

import json
import re
from typing import Final, Literal
from uuid import UUID

from api.admin.types import AuditEntry, AuditList, AuditQuery, PersonStatus, Reason
from api.patient.telling import tell_card
from api.problems import NOT_FOUND, Problem
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from models import cards
from models.admins import audit_page, note
from models.cards import REGISTRAR, CardRow
from models.database import Connection, transaction

subject = Subject("Admins")
_HEALTH_CARD_ID: Final = re.compile(r"[0-9a-f]{64}")


@subject.route(
    "POST",
    "/v1/admin/cards/<health_card_id:str>/freeze",
    Caller.ADMIN,
    "Freeze every card of a person; they are told",
    body=Reason,
    answers={200: PersonStatus},
    problems=(NOT_FOUND,),
    roles=("registrar",),
    limit="admin",
)
async def freeze_person(call: Call[Reason]) -> Answer:
    """Only a registrar unfreezes it."""
    vault = call.services.vault
    async with transaction() as tx:
        person_id = await _person(call, using=tx)
        found = await cards.cards_of_person(vault, person_id, closed=True, using=tx)
        frozen = _open([await cards.freeze(vault, card, REGISTRAR, using=tx) for card in found])
        for card in frozen:
            await tell_card(
                vault,
                card,
                "frozen",
                "您的一码卡已由管理机构冻结，如有疑问请联系医院或客服。",
                "Your Yima card was frozen by the administration; ask the hospital or support if you have questions.",
                using=tx,
            )
        await _note(call, "card.freeze", using=tx)
    return Answer(200, PersonStatus(call.request.match_info["health_card_id"], "frozen", len(frozen)))


@subject.route(
    "POST",
    "/v1/admin/cards/<health_card_id:str>/unfreeze",
    Caller.ADMIN,
    "Take back a registrar's freeze; they are told",
    body=Reason,
    answers={200: PersonStatus},
    problems=(NOT_FOUND,),
    roles=("registrar",),
    limit="admin",
)
async def unfreeze_person(call: Call[Reason]) -> Answer:
    """What the patient froze stays frozen."""
    vault = call.services.vault
    async with transaction() as tx:
        person_id = await _person(call, using=tx)
        found = await cards.cards_of_person(vault, person_id, closed=True, using=tx)
        left = _open([await cards.unfreeze(vault, card, REGISTRAR, using=tx) for card in found])
        for card in left:
            await tell_card(
                vault,
                card,
                "unfrozen",
                "管理机构已解除对您一码卡的冻结。",
                "The administration lifted its freeze of your Yima card.",
                using=tx,
            )
        await _note(call, "card.unfreeze", using=tx)
    status: Literal["active", "frozen"] = "frozen" if any(card.status == "frozen" for card in left) else "active"
    return Answer(200, PersonStatus(call.request.match_info["health_card_id"], status, len(left)))


def _open(found: list[CardRow]) -> list[CardRow]:
    """Those that are not closed: closed ones only remember the freeze, for the person's next card."""
    return [card for card in found if card.status != "closed"]


async def _person(call: Call[Reason], *, using: Connection) -> UUID:
    health_card_id = call.request.match_info["health_card_id"]
    person_id = None
    if _HEALTH_CARD_ID.fullmatch(health_card_id):
        person_id = await cards.person_by_health_card(health_card_id, using=using)
    if person_id is None:
        raise Problem(NOT_FOUND)
    return person_id


async def _note(call: Call[Reason], action: str, *, using: Connection) -> None:
    admin, subject_id = call.admin, call.request.match_info["health_card_id"]
    await note(admin.admin_id, admin.name, action, subject_id, reason=call.body.reason, using=using)


@subject.route(
    "GET",
    "/v1/admin/audit",
    Caller.ADMIN,
    "What administrators did, newest first",
    query=AuditQuery,
    answers={200: AuditList},
    roles=("auditor",),
    limit="admin",
)
async def list_audit(call: Call[None]) -> Answer:
    """Auditors only."""
    page = call.query
    found = await audit_page(int(page.cursor) if page.cursor else None, page.limit + 1)
    shown = found[: page.limit]
    following = str(shown[-1]["id"]) if len(found) > page.limit else None
    entries = [
        AuditEntry(
            r["id"],
            r["at"],
            r["actor"],
            r["action"],
            r["subject"],
            r["reason"],
            json.loads(r["details"]) if r["details"] else None,
        )
        for r in shown
    ]
    return Answer(200, AuditList(entries, following))
