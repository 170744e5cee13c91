"""Whether a hospital's client still stands, and may do what it asks."""

from typing import Any
from uuid import UUID

from api.problems import NOT_ALLOWED, UNAUTHENTICATED, Problem
from api.web.calls import Call
from models.clients import SCOPES, standing_client


async def standing_hospital(call: Call[Any], scope: str) -> UUID:
    """The caller's hospital. Raises Problem unauthenticated, or not-allowed without the scope."""
    caller = call.hospital
    client = await standing_client(caller.client_id, caller.epoch)
    if client is None:
        raise Problem(UNAUTHENTICATED)
    if not client["scopes"] & caller.scopes & SCOPES[scope]:
        raise Problem(NOT_ALLOWED)
    hospital_id: UUID = client["hospital_id"]
    return hospital_id
