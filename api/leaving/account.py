"""An account, what becomes of it when its user leaves, and leaving (PIPL 47)."""

from api.leaving.deleting import leave, read_leaving
from api.leaving.telling import kept, removed
from api.leaving.types import Account, LeaveRequest, Left
from api.patient.standing import require_standing
from api.problems import TRY_AGAIN
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from models.leaving import created_at

subject = Subject("Account")


@subject.route(
    "GET",
    "/v1/patient/account",
    Caller.PATIENT,
    "The account, and what leaving removes and keeps",
    answers={200: Account},
    limit="patient",
)
async def show_account(call: Call[None]) -> Answer:
    """As it is now: what is said here is what DELETE does."""
    account_id = await require_standing(call)
    found = await read_leaving(account_id, call)
    made = await created_at(account_id)
    language = call.language
    return Answer(200, Account(account_id, made, found.cards, removed(found, language), kept(found, language)))


@subject.route(
    "DELETE",
    "/v1/patient/account",
    Caller.PATIENT,
    "Delete the account for good",
    body=LeaveRequest,
    answers={200: Left},
    problems=(TRY_AGAIN,),
    limit="cards",
)
async def delete_account(call: Call[LeaveRequest]) -> Answer:
    """Its cards are closed, its sessions end, and what need not be kept is deleted, all in one commit.

    Repeating it is unauthenticated. The same WeChat user may sign in again, to a new account.
    """
    left = await leave(call)
    call.services.outbox.wake()
    return Answer(200, left)
