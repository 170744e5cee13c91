"""Requests and answers of the administrators' calls (api.md, Admins)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.patient.types import Strict
from api.texts import Line100, Line500

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
