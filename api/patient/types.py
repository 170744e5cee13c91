"""Requests and answers of the patient's calls (api.md, Patients)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.texts import Line20, Name, Number, Secret

Service = Literal["booking", "records", "payment"]
Relation = Literal["self", "child", "parent", "spouse", "other"]
IdTypeCode = Literal["01", "03", "06", "07"]


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    """A request body: a field that is not there is an error, not a wish ignored."""


class Empty(Strict):
    """A body that says nothing."""


class SessionRequest(Strict):
    """wx.login's code."""

    js_code: Secret


class Session(msgspec.Struct):
    """A session: its bearer token lives `expires_in` seconds."""

    token: str
    expires_in: int
    account_id: UUID


class VerificationRequest(Strict):
    """Begin a proof of a person by a texted code or a face check."""

    type: Literal["sms", "face"]
    name: Name
    id_type: IdTypeCode
    id_number: Number
    phone: Number


class Verification(msgspec.Struct):
    """A proof that was begun, whether or not such a person exists."""

    verification_id: UUID
    expires_at: datetime
    expires_in: int


class PhoneProof(Strict, tag_field="type", tag="wechat-phone"):
    """The code of WeChat's phone-number button."""

    code: Secret


class TextProof(Strict, tag_field="type", tag="sms"):
    """The six digits that were texted."""

    verification_id: UUID
    code: Annotated[str, Meta(pattern=r"^[0-9]{6}$")]


class FaceProof(Strict, tag_field="type", tag="face"):
    """A face check that was passed."""

    verification_id: UUID


class GuardianProof(Strict, tag_field="type", tag="guardian"):
    """The verified card of this account whose person is the guardian."""

    card_id: UUID


Proof = PhoneProof | TextProof | FaceProof | GuardianProof


class InsuranceRequest(Strict):
    """An insurance number: type 01 e-voucher, 03 social-security card; area: six-digit division."""

    type: Literal["01", "03"]
    number: Number
    area: Annotated[str, Meta(pattern=r"^[0-9]{6}$")]


class ConsentGiven(Strict):
    """The version of /v1/policies that was agreed to."""

    policy: Line20


class CardRequest(Strict):
    """A new card, with the proof of its person."""

    name: Name
    id_type: IdTypeCode
    id_number: Number
    phone: Number
    relation: Relation
    proof: Proof
    consent: ConsentGiven
    insurance: InsuranceRequest | None = None


class CardChange(Strict):
    """A new phone or name, proven anew."""

    proof: Proof
    phone: Number | None = None
    name: Name | None = None


class Insurance(msgspec.Struct):
    """A card's insurance; the number masked. kind: employee, resident or other."""

    type: str
    number: str
    area: str
    kind: str


class Card(msgspec.Struct):
    """A card, its person masked."""

    card_id: UUID
    name: str
    id_type: str
    id_number: str
    phone: str
    health_card_id: str
    insurance: Insurance | None
    relation: str
    status: str
    created_at: datetime


class CardList(msgspec.Struct):
    """The account's cards."""

    cards: list[Card]
    next_cursor: str | None = None


class CodeRequest(Strict):
    """What the code opens; absent: all three."""

    services: Annotated[list[Service], Meta(min_length=1, max_length=3)] | None = None


class MatrixQuery(msgspec.Struct):
    """`?matrix=true` adds the matrix."""

    matrix: bool = False


class CodeMatrix(msgspec.Struct):
    """size × size bits, row by row, 1 dark, without quiet zone, in base64."""

    size: int
    bits: str


class Code(msgspec.Struct, omit_defaults=True):
    """A dynamic code. `expires_in` and `refresh_after` are seconds from now."""

    code: str
    issued_at: datetime
    expires_at: datetime
    expires_in: int
    refresh_after: int
    services: list[str]
    matrix: CodeMatrix | None = None


class Operator(msgspec.Struct):
    """Who worked the scanner."""

    id: str
    name: str


class Access(msgspec.Struct):
    """One look at, or refused try for, a person's data. `act`: what was done with records or bills."""

    access_id: UUID
    at: datetime
    hospital: str
    department: str | None
    terminal: str
    operator: Operator | None
    step: str
    what: list[str]
    records: list[str]
    break_glass: bool
    outcome: Literal["allowed", "refused"]
    reason: str | None
    act: Literal["read", "posted", "opened", "billed", "paid", "refunded", "cancelled", "looked"] | None = None


class AccessList(msgspec.Struct):
    """Accesses, newest first."""

    accesses: list[Access]
    next_cursor: str | None


class Holder(msgspec.Struct):
    """Another account's card of me."""

    holder_id: UUID
    name: str
    relation: str
    since: datetime


class HolderList(msgspec.Struct):
    """Who else holds a card of me."""

    holders: list[Holder]
    next_cursor: str | None = None


class Message(msgspec.Struct):
    """What a person must be told."""

    message_id: UUID
    at: datetime
    kind: str
    card_id: UUID | None
    text: str
    ref: str | None


class MessageList(msgspec.Struct):
    """Messages, newest first."""

    messages: list[Message]
    next_cursor: str | None


class AllQuery(msgspec.Struct):
    """`?all=true`: every session of the account."""

    all: bool = False
