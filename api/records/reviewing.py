"""What auditors see of records: breakings of the glass with their verdicts, and recognition by item."""

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from api.booking.shown import SHANGHAI
from api.idempotency import keep
from api.problems import CONFLICT, NOT_FOUND, Problem, Text
from api.records.types import (
    BreakGlassList,
    BreakGlassShown,
    GlassOperator,
    GlassQuery,
    GlassReview,
    ItemCount,
    ItemCountList,
    ReviewRequest,
    says_something,
)
from api.web.answers import Answer
from api.web.bodies import invalid
from api.web.calls import Call
from api.web.routes import Caller, Subject
from models import glasses
from models.admins import note
from models.cards import cards_told
from models.database import Connection, transaction
from models.glasses import Glass, Review
from models.messages import tell
from models.recognitions import counts

subject = Subject("Admins")
_AUDITOR: Final = ("auditor",)
_REVIEWED: Final = Text("这次破窗查阅已复核。", "This breaking of the glass has its verdict already.")
_DAYS: Final = 30
_VERDICTS: Final = {
    "justified": ("有正当理由", "it was justified"),
    "unjustified": (
        "没有正当理由，可向该医院或其主管部门投诉",
        "it was not justified; you may complain to the hospital or its authority",
    ),
}


@subject.route(
    "GET",
    "/v1/admin/break-glass",
    Caller.ADMIN,
    "Breakings of the glass",
    query=GlassQuery,
    answers={200: BreakGlassList},
    roles=_AUDITOR,
    limit="admin",
)
async def list_break_glass(call: Call[None]) -> Answer:
    """`reviewed=false`: those that wait for a verdict, oldest first; else newest first. Due after 7 days."""
    query: GlassQuery = call.query
    vault = call.services.vault
    if query.reviewed is False:
        found = await glasses.waiting(vault, query.after(), query.limit + 1)
    else:
        found = await glasses.newest(vault, query.reviewed, query.after(), query.limit + 1)
    shown, following = query.cut(found, lambda glass: (glass.at, glass.break_glass_id))
    return Answer(200, BreakGlassList([_shown(glass) for glass in shown], following))


def _shown(glass: Glass) -> BreakGlassShown:
    review = None
    if glass.review is not None and glass.verdict is not None and glass.reviewed_at is not None:
        review = GlassReview(glass.verdict, glass.review.note, glass.review.by, glass.reviewed_at)  # type: ignore[arg-type]
    return BreakGlassShown(
        glass.break_glass_id,
        glass.at,
        glass.expires_at,
        glass.hospital,
        glass.client_id,
        glass.terminal,
        glass.department,
        GlassOperator(glass.operator.id, glass.operator.name),
        glass.reason,
        glass.said.statement,
        glass.reads,
        glass.due_at,
        glass.overdue,
        review,
    )


@subject.route(
    "POST",
    "/v1/admin/break-glass/<break_glass_id:str>/review",
    Caller.ADMIN,
    "Give the verdict on a breaking of the glass",
    body=ReviewRequest,
    answers={200: BreakGlassShown},
    problems=(NOT_FOUND, CONFLICT),
    roles=_AUDITOR,
    idempotent=True,
    limit="admin",
)
async def review_break_glass(call: Call[ReviewRequest]) -> Answer:
    """Once; a second verdict is refused."""
    if not says_something(call.body.note):
        raise invalid("/note", "没有可见的内容", "nothing that can be read")
    vault, admin, glass_id, asked = call.services.vault, call.admin, call.id_in_path("break_glass_id"), call.body
    async with transaction() as tx:
        if await glasses.glass(vault, glass_id, using=tx) is None:
            raise Problem(NOT_FOUND)
        given = Review(asked.note, admin.name)
        whose = await glasses.review(vault, glass_id, admin.admin_id, asked.verdict, given, using=tx)
        if whose is None:
            raise Problem(CONFLICT, _REVIEWED)
        await note(
            admin.admin_id,
            admin.name,
            "break-glass.review",
            str(glass_id),
            details={"verdict": asked.verdict},
            using=tx,
        )
        reviewed = await glasses.glass(vault, glass_id, using=tx)
        assert reviewed is not None  # noqa: S101 - it was there a moment ago, and rows are not deleted
        await _tell(call, reviewed, *whose, using=tx)
        return await keep(call, Answer(200, _shown(reviewed)), using=tx)


async def _tell(call: Call[Any], glass: Glass, card_id: UUID, person_id: UUID, *, using: Connection) -> None:
    """The person is told the verdict, as they were told of the breaking; the auditor's note is not theirs."""
    zh, en = _VERDICTS[glass.verdict or ""]
    at = glass.at.astimezone(SHANGHAI)
    text = {
        "zh": f"{glass.hospital}{at.month}月{at.day}日的破窗查阅已由审计员审核：{zh}。",
        "en": f"An auditor has reviewed what {glass.hospital} opened without consent on {at:%Y-%m-%d}: {en}.",
    }
    vault = call.services.vault
    for card in await cards_told(vault, [card_id], [person_id], using=using):
        ref = str(glass.break_glass_id)
        await tell(vault, card.account_id, "break-glass", text, card_id=card.card_id, ref=ref, using=using)


class CountQuery(msgspec.Struct):
    """Local days, both included; by default the last 30."""

    since: date | None = msgspec.field(default=None, name="from")
    until: date | None = msgspec.field(default=None, name="to")


@subject.route(
    "GET",
    "/v1/admin/recognitions",
    Caller.ADMIN,
    "How often results were recognised or tests repeated, by item",
    query=CountQuery,
    answers={200: ItemCountList},
    roles=_AUDITOR,
    limit="admin",
)
async def count_recognitions(call: Call[None]) -> Answer:
    """Of no person in particular."""
    query: CountQuery = call.query
    until = query.until or call.services.clock.today().astimezone(SHANGHAI).date()
    since = query.since or max(until, date(1901, 1, 1)) - timedelta(days=_DAYS)
    if since.year < 1900 or until.year > 2999:
        raise invalid("/from", "日期超出范围", "out of range: from 1900 to 2999")
    if since > until:
        raise invalid("/from", "开始日期晚于结束日期", "later than `to`")
    items: dict[str, ItemCount] = {}
    for record in await counts(since, until):
        item = items.setdefault(record["item"], ItemCount(record["item"], record["name"], 0, 0, {}))
        if record["decision"] == "accepted":
            item.accepted += record["count"]
        else:
            item.repeated += record["count"]
            item.reasons[record["reason"]] = record["count"]
    return Answer(200, ItemCountList(sorted(items.values(), key=lambda i: (-i.accepted - i.repeated, i.item))))
