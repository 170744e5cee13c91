"""Approvals: what one custodian asked for, another decides; gates are checked again."""

from typing import Any, Final

from api.admin.keys import CUSTODIAN, READERS, custodian, guarded
from api.admin.types import Approval, ApprovalList, Decided, Decision
from api.problems import (
    APPROVAL_CLOSED,
    KEY_GATE,
    NOT_ALLOWED,
    NOT_FOUND,
    RING_ROLLED_BACK,
    VERSION_CONFLICT,
    Problem,
    Text,
)
from api.schedule import timing_of
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from models.approvals import ApprovalClosed, KeyChanged, OwnRequest, open_approvals
from models.deciding import decide

subject = Subject("Admins")
_OWN: Final = Text("不能审批自己提出的请求。", "Whoever asked does not approve.")


@subject.route(
    "GET",
    "/v1/admin/approvals",
    Caller.ADMIN,
    "What waits for a second custodian",
    answers={200: ApprovalList},
    roles=READERS,
    limit="admin",
)
async def list_approvals(call: Call[None]) -> Answer:
    """Unconfirmed compromises stay until they are decided."""
    return Answer(200, ApprovalList([_shown(record, call.admin.admin_id) for record in await open_approvals()]))


@subject.route(
    "POST",
    "/v1/admin/approvals/<approval_id:str>",
    Caller.ADMIN,
    "Approve or refuse",
    body=Decision,
    answers={200: Decided},
    problems=(NOT_FOUND, NOT_ALLOWED, APPROVAL_CLOSED, VERSION_CONFLICT, KEY_GATE, RING_ROLLED_BACK),
    roles=CUSTODIAN,
    limit="admin",
)
async def decide_approval(call: Call[Decision]) -> Answer:
    """By another custodian than the one who asked, within 24 hours."""
    call.services.keeper.require_current()
    approval_id = call.id_in_path("approval_id")
    timing = timing_of(call.services.settings)
    try:
        key = await guarded(
            lambda: decide(call.services.vault, approval_id, call.body.approve, custodian(call), timing)
        )
    except LookupError:
        raise Problem(NOT_FOUND) from None
    except OwnRequest:
        raise Problem(NOT_ALLOWED, _OWN) from None
    except ApprovalClosed:
        raise Problem(APPROVAL_CLOSED) from None
    except KeyChanged:
        raise Problem(VERSION_CONFLICT) from None
    await call.services.keeper.refresh()
    return Answer(200, Decided(approval_id, call.body.approve, key.kid.hex(), key.state))


def _shown(record: Any, admin_id: Any) -> Approval:
    return Approval(
        record["id"],
        record["kind"],
        record["kid"].hex(),
        record["purpose"],
        record["source"],
        record["to"],
        record["reason"],
        record["requester"],
        record["at"],
        record["expires_at"],
        record["requested_by"] == admin_id,
        record["late"],
    )
