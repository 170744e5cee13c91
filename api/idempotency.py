"""Idempotency-Key: the first 2xx answer is kept in the transaction that made it true, and given again."""

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

from sanic.response import HTTPResponse, ResponseStream

from api.problems import IDEMPOTENCY_IN_PROGRESS, IDEMPOTENCY_KEY_REUSED, Problem
from api.web.answers import Answer
from api.web.bodies import invalid
from models import idempotency
from models.database import Connection

if TYPE_CHECKING:
    from api.web.calls import Call

_KEY: Final = re.compile(r"[ -~]{1,64}")


async def answer_once(call: "Call[Any]") -> Answer | HTTPResponse | ResponseStream | None:
    """Run the handler under the caller's key, or give the answer that is kept.

    Raises Problem idempotency-key-reused for another body and idempotency-in-progress while it runs.
    """
    key = call.request.headers["idempotency-key"]
    if not _KEY.fullmatch(key):
        raise invalid("/Idempotency-Key", "须为 1 至 64 个可见 ASCII 字符", "1 to 64 printable ASCII characters")
    vault = call.services.vault
    scope = hashlib.sha256("\0".join((_who(call), call.request.path, key)).encode()).digest()
    claimed = await idempotency.claim(vault, scope, hashlib.sha256(call.request.body).digest())
    if not claimed.same_body:
        raise Problem(IDEMPOTENCY_KEY_REUSED)
    if claimed.answer is not None:
        status, body = claimed.answer
        return Answer(status, body, {"Idempotent-Replayed": "true"})
    if not claimed.mine:
        raise Problem(IDEMPOTENCY_IN_PROGRESS, retry_after=2)
    call.claimed = claimed
    try:
        return await call.route.handler(call)
    except BaseException:
        await idempotency.give_up(claimed)
        raise


async def keep(call: "Call[Any]", answer: Answer, *, using: Connection, mine: bool = True) -> Answer:
    """Keep the answer in the handler's transaction, if the caller sent a key.

    mine: the transaction is given up where a repetition has taken the claim over; False where that one finds by itself
    what was done here.
    """
    if call.claimed is None:
        return answer
    kept = await idempotency.keep(call.services.vault, call.claimed, answer.status, answer.body, using=using)
    if mine and not kept:
        raise Problem(IDEMPOTENCY_IN_PROGRESS, retry_after=2)
    return answer


def _who(call: "Call[Any]") -> str:
    caller = call.caller
    for name in ("account_id", "client_id", "admin_id"):
        if (found := getattr(caller, name, None)) is not None:
            return f"{name}:{found}"
    return "anyone"
