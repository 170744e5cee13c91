"""Break-glass: all records of a person for an hour, told to the person at once and reviewed by an auditor."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from api.booking.shown import SHANGHAI
from api.hospital.resolutions import live_resolution
from api.idempotency import keep
from api.problems import BREAK_GLASS_REASON_REQUIRED, FieldError, Problem, Text
from api.records.posting import RESOLUTION
from api.records.types import BreakGlassOpened, BreakGlassRequest, says_something
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from codes.names import mask_name
from models.cards import cards_told
from models.clients import hospital
from models.database import Connection, transaction
from models.glasses import MINUTES, Operator, Said, open_glass
from models.messages import enqueue, tell
from models.scans import Resolved

subject = Subject("Records")
_NOTHING: Final = Text("没有可见的内容", "nothing that can be read")
_WHY: Final = {
    "life-threatening": ("危及生命", "a danger to life"),
    "cannot-consent": ("本人无法表示同意", "the person could not consent"),
    "public-health": ("公共卫生需要", "public health"),
}


@subject.route(
    "POST",
    "/v1/hospital/resolutions/<resolution_id:str>/break-glass",
    Caller.HOSPITAL,
    "Open all of the person's records for 60 minutes, for a reason",
    body=BreakGlassRequest,
    body_invalid=BREAK_GLASS_REASON_REQUIRED,
    answers={201: BreakGlassOpened},
    problems=(*RESOLUTION, BREAK_GLASS_REASON_REQUIRED),
    idempotent=True,
    limit="hospital",
)
async def break_glass(call: Call[BreakGlassRequest]) -> Answer:
    """Under this resolution alone. The person is told by message and text message at once, each reading is marked, and
    an auditor reviews it.
    """
    for field, text, least in (
        ("/statement", call.body.statement, 10),
        ("/operator/id", call.body.operator.id, 1),
        ("/operator/name", call.body.operator.name, 1),
    ):
        if not says_something(text, least):
            raise Problem(BREAK_GLASS_REASON_REQUIRED, errors=(FieldError(field, _NOTHING),))
    found, asked, glass_id = await live_resolution(call, "records"), call.body, uuid4()
    said, operator = Said(asked.statement), Operator(asked.operator.id, asked.operator.name)
    vault = call.services.vault
    async with transaction() as tx:
        expires_at = await open_glass(vault, glass_id, found.resolution_id, operator, asked.reason, said, using=tx)
        await _tell(call, found, glass_id, asked.reason, expires_at, using=tx)
        answer = await keep(call, Answer(201, BreakGlassOpened(glass_id, expires_at)), using=tx)
    call.services.metrics.glass(asked.reason)
    return answer


async def _tell(
    call: Call[Any], found: Resolved, glass_id: UUID, reason: str, expires_at: datetime, *, using: Connection
) -> None:
    """Who holds the card that was scanned, the person's own accounts, and the person's phone."""
    vault = call.services.vault
    at = await hospital(found.hospital_id, using=using)
    assert at is not None  # noqa: S101 - hospitals are not deleted
    (zh, en), until = _WHY[reason], expires_at.astimezone(SHANGHAI)
    name = mask_name(found.person.name)
    overnight = (until - timedelta(minutes=MINUTES)).date() != until.date()
    end = (f"{'次日' * overnight}{until:%H:%M}", f"{until:%H:%M}{' the next day' * overnight}")
    text = {
        "zh": f"{at['name']}以“{zh}”为由破窗查阅{name}的全部病历，至{end[0]}止（{MINUTES}分钟）。每次查阅都有记录，并由审计员复核；可在“谁看过”中查看。",
        "en": f"{at['name']} opened all records of {name} without consent ({en}) until {end[1]}, {MINUTES} minutes. Each reading is listed under “who looked” and an auditor reviews it.",
    }
    for card in await cards_told(vault, [found.card_id], [found.person_id], using=using):
        await tell(vault, card.account_id, "break-glass", text, card_id=card.card_id, ref=str(glass_id), using=using)
    await enqueue(vault, "text", {"phone": found.person.phone, "text": f"【一码】{text['zh']}"}, using=using)
