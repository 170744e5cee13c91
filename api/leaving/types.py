"""Requests and answers of leaving (PIPL 45 to 47)."""

import datetime as dt
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.patient.types import Strict


class Removed(msgspec.Struct):
    """What leaving removes at once, in the reader's language."""

    what: Literal["account", "cards", "insurance", "records", "consents", "appointments", "waitings", "messages"]
    text: str


class Kept(msgspec.Struct):
    """What stays, in the reader's language. `until`: the first local date without it; null: as the text says."""

    what: Literal[
        "accesses", "consents", "appointments", "bills", "freeze", "others", "audit", "closed-cards", "technical"
    ]
    text: str
    until: dt.date | None


class Account(msgspec.Struct):
    """An account, and what becomes of it when its user leaves. `cards`: how many are not closed."""

    account_id: UUID
    created_at: datetime
    cards: int
    removed: list[Removed]
    kept: list[Kept]


class LeaveRequest(Strict):
    """Said in so many words, since nothing brings it back."""

    confirm: Annotated[Literal["注销", "DELETE"], Meta(description="The word 注销 or DELETE")]


class Left(msgspec.Struct):
    """When the account was deleted, and what stays."""

    left_at: datetime
    kept: list[Kept]
