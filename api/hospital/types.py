"""Requests and answers of the hospitals' calls (api.md, Hospitals)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.booking.types import Appointment
from api.patient.types import Insurance, Operator, Strict
from api.texts import Line64, Secret, Terminal

# Code tables of isv-protocol.md: 用卡环节 and 用卡渠道.
Step = Literal["0101011", "0101012", "0101013", "0101014", "0101051", "0101052", "0101053", "0101081", "0101082"]
Channel = Literal["0100", "0200", "0300", "0401", "0402"]


class OperatorGiven(Strict):
    """Who works the scanner."""

    id: Line64
    name: Line64


class ResolutionRequest(Strict):
    """A scanned code, as it was read, with where and for what. A clerk's session names terminal and operator itself."""

    code: Annotated[str, Meta(max_length=16_000, description="What the scanner read")]
    step: Step
    channel: Channel
    terminal: Terminal | None = None
    department: Line64 | None = None
    operator: OperatorGiven | None = None


class ResolvedCard(msgspec.Struct):
    """The person; masked unless the client has the scope identity:full. `birthday` is a date without zone."""

    name: str
    gender: str | None
    birthday: str | None
    id_type: str
    id_number: str
    phone: str
    health_card_id: str


class ServiceLink(msgspec.Struct):
    """Where a granted service is called."""

    href: str


class Resolution(msgspec.Struct):
    """A capability of the client that scanned: 12 hours, what the code and the client both allow."""

    resolution_id: UUID
    resolved_at: datetime
    expires_at: datetime
    step: str
    card: ResolvedCard
    insurance: Insurance | None
    patient_number: str | None
    granted: list[Literal["booking", "records", "payment"]]
    services: dict[str, ServiceLink]
    arrival: Appointment | None


class PatientNumberRequest(Strict):
    """The hospital's own number for the patient."""

    patient_number: Line64


class ClerkSessionRequest(Strict):
    """Sign-in of a clerk at a terminal, once a shift."""

    client_id: Secret
    client_secret: Secret
    terminal: Terminal
    operator: OperatorGiven


class ClerkSession(msgspec.Struct):
    """The shift that goes on."""

    hospital: str
    terminal: str
    operator: Operator
    expires_at: datetime
    expires_in: int


class Token(msgspec.Struct):
    """An access token (RFC 6749 section 5.1)."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class TokenError(msgspec.Struct, omit_defaults=True):
    """An error of the token endpoint (RFC 6749 section 5.2)."""

    error: str
    error_description: str | None = None


class DecodeQuery(msgspec.Struct):
    """The size of a frame: one byte of luma a pixel, row by row."""

    width: Annotated[int, Meta(ge=16, le=1280)]
    height: Annotated[int, Meta(ge=16, le=1280)]


class Decoded(msgspec.Struct):
    """The text of a QR code in the frame, if one was found."""

    text: str | None
