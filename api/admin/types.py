"""Requests and answers of the administrators' calls (api.md, Admins)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.patient.types import Strict
from api.texts import Line100, Line500, Secret

Scope = Literal["identity:full", "booking", "records", "payment"]


class HospitalRequest(Strict):
    """A hospital: name, national institution code, six-digit division."""

    name: Line100
    code: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,30}$")]
    area: Annotated[str, Meta(pattern=r"^[0-9]{6}$")]


class Hospital(msgspec.Struct):
    """A hospital."""

    hospital_id: UUID
    name: str
    code: str
    area: str
    created_at: datetime


class HospitalList(msgspec.Struct):
    """Hospitals, newest first."""

    hospitals: list[Hospital]
    next_cursor: str | None


class ClientRequest(Strict):
    """A client: with `jwks` it authenticates by private_key_jwt, else by the secret in the answer."""

    name: Line100
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=4)]
    jwks: dict[str, Any] | None = None


class NewClient(msgspec.Struct, omit_defaults=True):
    """A new client; its secret is shown this once."""

    client_id: UUID
    client_secret: str | None = None


class Client(msgspec.Struct):
    """A client."""

    client_id: UUID
    name: str
    scopes: list[str]
    enabled: bool
    authentication: Literal["secret", "private_key_jwt"]
    created_at: datetime
    disabled_at: datetime | None


class ClientList(msgspec.Struct):
    """A hospital's clients."""

    clients: list[Client]
    next_cursor: str | None = None


class Reason(Strict):
    """Why."""

    reason: Line500


class PersonStatus(msgspec.Struct):
    """How many cards of the person were changed, and what they are now."""

    health_card_id: str
    status: Literal["active", "frozen"]
    cards: int


class AuditEntry(msgspec.Struct):
    """One act of an administrator."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str | None
    details: Any


class AuditList(msgspec.Struct):
    """The audit, newest first."""

    entries: list[AuditEntry]
    next_cursor: str | None


class AuditQuery(msgspec.Struct):
    """`?limit=` and `&cursor=`."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    cursor: Annotated[str, Meta(pattern=r"^[0-9]{1,18}$")] | None = None


class AdminSessionRequest(Strict):
    """An administrator's token, for the pages."""

    token: Secret


class AdminSession(msgspec.Struct):
    """Who is signed in."""

    name: str
    role: str
    expires_at: datetime
    expires_in: int


Purpose = Literal["code", "token", "print"]
State = Literal["pending", "active", "retiring", "retired", "destroy-scheduled", "destroyed", "compromised"]


class NextStep(msgspec.Struct):
    """What the schedule does with a key next; `at` is null while it waits for something other than time."""

    to: str
    at: datetime | None
    waits_for: str | None


class Key(msgspec.Struct):
    """A key version: never its secret."""

    kid: str
    purpose: str
    suite: str
    state: str
    version: int
    created_at: datetime
    published_at: datetime | None
    activated_at: datetime | None
    retiring_at: datetime | None
    retired_at: datetime | None
    destroy_at: datetime | None
    destroyed_at: datetime | None
    compromised_at: datetime | None
    retain: bool
    next: NextStep | None


class Worker(msgspec.Struct):
    """A worker's last report: it is live while that is fresh."""

    worker: UUID
    slot: str
    ring_version: int
    reported_at: datetime
    live: bool


class KeyList(msgspec.Struct):
    """All key versions, and the workers that hold the ring. `rolled_back`: it is older than one already seen."""

    keys: list[Key]
    ring_version: int
    workers: list[Worker]
    rolled_back: bool


class RotationRequest(Strict):
    """`now`: as soon as the gates hold; `scheduled`: at the period's end."""

    purpose: Purpose
    when: Literal["now", "scheduled"]


class RotationAnswer(msgspec.Struct):
    """The pending key, and when it is active at the earliest."""

    kid: str
    state: str
    activates_at: datetime


class CompromiseRequest(Strict):
    """Why, and since when it may have been in other hands (default: since it was activated)."""

    reason: Line500
    since: datetime | None = None


class CompromiseAnswer(msgspec.Struct):
    """What was done: its replacement (if it was active), the confirmation it waits for, resolutions that ended."""

    kid: str
    state: str
    replacement_kid: str | None
    approval_id: UUID
    resolutions_ended: int


class TransitionRequest(Strict):
    """The state to go to, and why."""

    to: State
    reason: Line500


class Waiting(msgspec.Struct):
    """A transition that waits for a second custodian."""

    approval_id: UUID


class Approval(msgspec.Struct):
    """An act that waits for a second custodian; `late`: a compromise not confirmed within 24 hours."""

    approval_id: UUID
    kind: str
    kid: str
    purpose: str
    source: str
    to: str
    reason: str
    requester: str
    at: datetime
    expires_at: datetime
    mine: bool
    late: bool


class ApprovalList(msgspec.Struct):
    """Open approvals, oldest first."""

    approvals: list[Approval]
    next_cursor: str | None = None


class Decision(Strict):
    """Yes or no."""

    approve: bool


class Decided(msgspec.Struct):
    """What was decided, and the key as it is now."""

    approval_id: UUID
    approved: bool
    kid: str
    state: str


class KeyUse(msgspec.Struct):
    """One resolution under a key."""

    resolution_id: UUID
    at: datetime
    hospital: str
    terminal: str


class ForgedAlarm(msgspec.Struct):
    """A good signature over a card that does not exist: where it was scanned."""

    kid: str
    at: datetime
    hospital: str
    terminal: str


class KeyReport(msgspec.Struct):
    """What a key was used for since a time; `resolutions_open`: how many a compromise would end, or has ended."""

    kid: str
    state: str
    since: datetime
    resolutions: int
    resolutions_open: int
    listed: list[KeyUse]
    forged_signatures: int
    alarms: list[ForgedAlarm]


class ReportQuery(msgspec.Struct):
    """`?since=`: default, the key's activation."""

    since: datetime | None = None


class AlarmList(msgspec.Struct):
    """The newest alarms of forged signatures, under any key, and how many there were."""

    forged_signatures: int
    alarms: list[ForgedAlarm]


class RingConfirmed(msgspec.Struct):
    """The ring's version from now on."""

    ring_version: int
