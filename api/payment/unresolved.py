"""The list of what no try has ended, for a person to look at."""

from api.payment.types import Unresolved, UnresolvedList
from api.web.answers import Answer
from api.web.calls import Call
from api.web.queries import Page
from api.web.routes import Caller, Subject
from models.money_work import listed

subject = Subject("Payment")


@subject.route(
    "GET",
    "/v1/admin/unresolved-payments",
    Caller.ADMIN,
    "Payments and refunds whose outcome no try has found out",
    query=Page,
    answers={200: UnresolvedList},
    roles=("auditor",),
    limit="admin",
)
async def list_unresolved(call: Call[None]) -> Answer:
    """They go on being tried; nothing is guessed."""
    page = call.query
    found = await listed(page.after(), page.limit + 1)
    shown, following = page.cut(found, lambda record: (record["listed_at"], record["id"]))
    names = ("id", "bill_id", "hospital_id", "kind", "step", "attempts", "at", "due_at", "call", "code")
    return Answer(200, UnresolvedList([Unresolved(*(one[name] for name in names)) for one in shown], following))
