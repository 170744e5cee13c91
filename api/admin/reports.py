"""What a key was used for: asked before a compromise (its consequence in numbers) and after it."""

from datetime import UTC
from typing import Any, Final

from api.admin.keys import READERS, kid_in_path, shown_key
from api.admin.types import AlarmList, ForgedAlarm, KeyReport, KeyUse, ReportQuery
from api.problems import NOT_FOUND
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from models.key_reports import count_uses, forged_alarms, newest_uses

subject = Subject("Admins")
LISTED_MOST: Final = 1000
ALARMS_MOST: Final = 100


@subject.route(
    "GET",
    "/v1/admin/keys/<kid:str>/report",
    Caller.ADMIN,
    "Resolutions under a key since a time, and the alarms of forged signatures",
    query=ReportQuery,
    answers={200: KeyReport},
    problems=(NOT_FOUND,),
    roles=READERS,
    limit="admin",
)
async def report_key(call: Call[None]) -> Answer:
    """The newest thousand are listed; the counts are whole."""
    kid = kid_in_path(call)
    key = await shown_key(call, kid)
    since = call.query.since or key.activated_at or key.created_at
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    count, uses = await count_uses(kid, since), await newest_uses(kid, since, LISTED_MOST)
    forged, alarms = await forged_alarms(kid, LISTED_MOST)
    listed = [KeyUse(record["id"], record["at"], record["hospital"], record["terminal"]) for record in uses]
    return Answer(
        200,
        KeyReport(
            key.kid, key.state, since, count.total, count.open, listed, forged, [_alarm(each) for each in alarms]
        ),
    )


@subject.route(
    "GET",
    "/v1/admin/alarms",
    Caller.ADMIN,
    "The alarms of forged signatures, newest first",
    answers={200: AlarmList},
    roles=READERS,
    limit="admin",
)
async def list_alarms(call: Call[None]) -> Answer:
    """A single one means that a signing key was stolen."""
    forged, alarms = await forged_alarms(None, ALARMS_MOST)
    return Answer(200, AlarmList(forged, [_alarm(each) for each in alarms]))


def _alarm(record: Any) -> ForgedAlarm:
    return ForgedAlarm(record["kid"].hex(), record["at"], record["hospital"], record["terminal"])
