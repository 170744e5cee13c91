"""The id of what a request begins: with an Idempotency-Key the same for each repetition, so that it is begun once.

Kept answers cover a repetition after the answer was written; this covers one after a crash before that. What failed
may be tried again with the same key: each try has the next id.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4, uuid5

from api.web.calls import Call

_KEPT: Final = timedelta(hours=24)  # that a key is known


class Begun(NamedTuple):
    """What an earlier request with the same key and body began. `failed`: nothing came of it."""

    failed: bool
    at: datetime


async def operation(call: Call[Any], look: Callable[[UUID], Awaitable[Begun | None]]) -> tuple[UUID, bool]:
    """(id, whether it was begun before). Without a key: a new id. look: what is known of an id."""
    if call.claimed is None or not call.claimed.scope:
        return uuid4(), False
    said = hashlib.sha256(call.claimed.scope + call.request.body).digest()
    first = tried = UUID(bytes=said[:16], version=5)
    number = 0
    while (known := await look(tried)) is not None:
        if not known.failed and known.at > call.services.clock.today() - _KEPT:
            return tried, True
        number += 1
        tried = uuid5(first, str(number))
    return tried, False
