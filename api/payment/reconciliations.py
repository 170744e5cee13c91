"""What auditors see of reconciliation: a day compared now, comparisons that were made, and why something differs."""

import datetime as dt
from typing import Any, Final, Literal

from api.booking.shown import SHANGHAI
from api.idempotency import keep
from api.payment.reconciling import compare_day, tell
from api.payment.types import (
    Difference,
    ExplainRequest,
    ReconcileRequest,
    Reconciliation,
    ReconciliationList,
    Totals,
)
from api.problems import NOT_FOUND, Problem
from api.records.types import says_something
from api.web.answers import Answer
from api.web.bodies import invalid
from api.web.calls import Call
from api.web.queries import Page
from api.web.routes import Caller, Subject
from models import reconciliations
from models.admins import note
from models.database import transaction

subject = Subject("Payment")
_AUDITOR: Final = ("auditor",)
_DAYS_BACK: Final = 90  # WeChat keeps statements for three months
_LISTED_MOST: Final = 100  # differences of one comparison in a list


class ReconciliationQuery(Page):
    """Those of a local date, of a channel."""

    date: dt.date | None = None
    channel: Literal["wechat", "insurer"] | None = None


@subject.route(
    "GET",
    "/v1/admin/reconciliations",
    Caller.ADMIN,
    "Comparisons of the ledger with WeChat's and the insurer's books",
    query=ReconciliationQuery,
    answers={200: ReconciliationList},
    roles=_AUDITOR,
    limit="admin",
)
async def list_reconciliations(call: Call[None]) -> Answer:
    """Newest first, each with its first 100 differences; all of them stand in the comparison itself."""
    query: ReconciliationQuery = call.query
    found = await reconciliations.listed(query.date, query.channel, query.after(), query.limit + 1)
    shown, following = query.cut(found, lambda record: (record["at"], record["id"]))
    listed: dict[Any, list[Any]] = {record["id"]: [] for record in shown}
    for difference in await reconciliations.differences(list(listed), _LISTED_MOST):
        listed[difference["reconciliation_id"]].append(difference)
    return Answer(200, ReconciliationList([_shown(record, listed[record["id"]]) for record in shown], following))


@subject.route(
    "POST",
    "/v1/admin/reconciliations",
    Caller.ADMIN,
    "Compare a local date's ledger with WeChat's or the insurer's books now",
    body=ReconcileRequest,
    answers={201: Reconciliation},
    roles=_AUDITOR,
    idempotent=True,
    limit="admin",
)
async def reconcile(call: Call[ReconcileRequest]) -> Answer:
    """One that cannot be made is kept as failed, and says why. Nothing corrects itself."""
    asked, admin, services = call.body, call.admin, call.services
    today = services.clock.today().astimezone(SHANGHAI).date()
    if not today - dt.timedelta(days=_DAYS_BACK) <= asked.date <= today:
        raise invalid("/date", "须为今天或过去 90 天内的日期", "today, or one of the 90 days before")
    compared = await compare_day(services, asked.date, asked.channel)
    async with transaction() as tx:
        made = await reconciliations.keep(compared, admin.admin_id, using=tx)
        assert made is not None  # noqa: S101 - only one that nobody asked for can be there already
        record = await reconciliations.reconciliation(made, using=tx)
        details = {"date": asked.date.isoformat(), "channel": asked.channel, "status": compared.status}
        await note(admin.admin_id, admin.name, "reconciliation.run", str(made), details=details, using=tx)
        shown = _shown(record, await reconciliations.differences([made], using=tx))
        answer = await keep(call, Answer(201, shown), using=tx)
    tell(services, compared)
    return answer


@subject.route(
    "GET",
    "/v1/admin/reconciliations/<reconciliation_id:str>",
    Caller.ADMIN,
    "A comparison, with all its differences",
    answers={200: Reconciliation},
    problems=(NOT_FOUND,),
    roles=_AUDITOR,
    limit="admin",
)
async def show_reconciliation(call: Call[None]) -> Answer:
    """Also one that failed."""
    record = await reconciliations.reconciliation(call.id_in_path("reconciliation_id"))
    if record is None:
        raise Problem(NOT_FOUND)
    return Answer(200, _shown(record, await reconciliations.differences([record["id"]])))


@subject.route(
    "POST",
    "/v1/admin/differences/<difference_id:str>/explanation",
    Caller.ADMIN,
    "Explain why something differs",
    body=ExplainRequest,
    answers={200: Difference},
    problems=(NOT_FOUND,),
    roles=_AUDITOR,
    idempotent=True,
    limit="admin",
)
async def explain_difference(call: Call[ExplainRequest]) -> Answer:
    """Again, too: the last explanation is shown, and the audit has every one."""
    text, admin, difference_id = call.body.explanation, call.admin, call.id_in_path("difference_id")
    if not says_something(text):
        raise invalid("/explanation", "没有可见的内容", "nothing that can be read")
    async with transaction() as tx:
        record = await reconciliations.explain(difference_id, admin.admin_id, text, using=tx)
        if record is None:
            raise Problem(NOT_FOUND)
        await note(admin.admin_id, admin.name, "difference.explain", str(difference_id), reason=text, using=tx)
        return await keep(call, Answer(200, _difference(record)), using=tx)


def _shown(record: Any, differences: list[Any]) -> Reconciliation:
    theirs = None
    if record["theirs_count"] is not None:
        theirs = Totals(record["theirs_count"], record["theirs_fen"], record["theirs_refund_fen"])
    return Reconciliation(
        record["id"],
        record["date"],
        record["channel"],
        record["status"],
        record["code"],
        Totals(record["ours_count"], record["ours_fen"], record["ours_refund_fen"]),
        theirs,
        [_difference(one) for one in differences],
        record["at"],
    )


def _difference(record: Any) -> Difference:
    names = ("id", "kind", "ref", "ours_fen", "theirs_fen", "explanation", "explained_at")
    return Difference(*(record[name] for name in names))
