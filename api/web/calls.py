"""A call as a handler sees it: who calls, the typed body and query, and the services of this worker."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from sanic.request import Request

from api.problems import NOT_ALLOWED, NOT_FOUND, Problem
from models.idempotency import Claim

if TYPE_CHECKING:
    from api.services import Services
    from api.web.routes import Route

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class Patient:
    """An account's session, as its token says; whether it still stands is read where the work is done."""

    account_id: UUID
    session_id: UUID
    epoch: int
    expires: int


@dataclass(frozen=True, slots=True)
class HospitalCaller:
    """A hospital's client, by its access token or (with `session_id`) by a clerk's cookie."""

    client_id: UUID
    epoch: int
    scopes: int
    session_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class AdminCaller:
    """An administrator whose token stands."""

    admin_id: UUID
    name: str
    role: str
    expires_at: datetime
    session_id: UUID | None = None


@dataclass(slots=True)
class Call(Generic[Body]):
    """One request, read and checked."""

    request: Request
    route: "Route"
    services: "Services"
    request_id: str
    caller: Patient | HospitalCaller | AdminCaller | None
    body: Body
    query: Any
    language: str
    claimed: Claim | None = None

    @property
    def patient(self) -> Patient:
        """The patient who calls."""
        if not isinstance(self.caller, Patient):
            raise Problem(NOT_ALLOWED)
        return self.caller

    @property
    def hospital(self) -> HospitalCaller:
        """The hospital's client that calls."""
        if not isinstance(self.caller, HospitalCaller):
            raise Problem(NOT_ALLOWED)
        return self.caller

    @property
    def admin(self) -> AdminCaller:
        """The administrator who calls."""
        if not isinstance(self.caller, AdminCaller):
            raise Problem(NOT_ALLOWED)
        return self.caller

    def id_in_path(self, name: str) -> UUID:
        """An id of the path. What cannot be an id is not found, as an id that is not there."""
        text = self.request.match_info[name]
        try:
            value = UUID(text)
        except ValueError:
            raise Problem(NOT_FOUND) from None
        if str(value) != text:
            raise Problem(NOT_FOUND)
        return value
