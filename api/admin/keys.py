"""Keys: seen, rotated, cut off. Custodians act, auditors read (api.md, Admins; security.md, 3)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from api.admin.types import (
    CompromiseAnswer,
    CompromiseRequest,
    Key,
    KeyList,
    NextStep,
    Reason,
    RingConfirmed,
    RotationAnswer,
    RotationRequest,
    TransitionRequest,
    Waiting,
    Worker,
)
from api.problems import (
    KEY_GATE,
    NOT_FOUND,
    PRECONDITION_REQUIRED,
    RING_ROLLED_BACK,
    VERSION_CONFLICT,
    Problem,
    Text,
)
from api.schedule import timing_of
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from codes.lifecycle import Actor, GateRefused
from codes.ring import KeyState, Purpose
from models import rotation
from models.database import row
from models.key_rows import By, KeyRow, NoSuchKey, Timing, key_rows, next_of, ring_reports
from models.rotation import StaleVersion

subject = Subject("Admins")
CUSTODIAN: Final = ("custodian",)
READERS: Final = ("custodian", "registrar", "auditor")
KID_HEX: Final = 8


@subject.route(
    "GET",
    "/v1/admin/keys",
    Caller.ADMIN,
    "All key versions, what happens to them next, and the workers that hold the ring",
    answers={200: KeyList},
    roles=READERS,
    limit="admin",
)
async def list_keys(call: Call[None]) -> Answer:
    """The ETag is the ring's version, for If-Match."""
    timing = timing_of(call.services.settings)
    ring = await row("SELECT version, yima_now() AS now FROM ring")
    keys, workers = await key_rows(call.services.vault), await ring_reports()
    assert ring is not None  # noqa: S101 - the migration made the row
    shown = [_shown(key, workers, ring["now"], timing) for key in keys]
    reports = [Worker(w["worker"], w["slot"], w["version"], w["at"], w["live"]) for w in workers]
    found = KeyList(shown, ring["version"], reports, call.services.keeper.rolled_back)
    return Answer(200, found, {"ETag": _etag(ring["version"])})


@subject.route(
    "POST",
    "/v1/admin/keys/rotations",
    Caller.ADMIN,
    "Rotate a purpose's key",
    body=RotationRequest,
    answers={201: RotationAnswer, 200: RotationAnswer},
    problems=(RING_ROLLED_BACK,),
    roles=CUSTODIAN,
    limit="admin",
)
async def rotate_key(call: Call[RotationRequest]) -> Answer:
    """201 with a new pending key; 200 with the pending key that is there already."""
    call.services.keeper.require_current()
    made = await rotation.request_rotation(
        call.services.vault,
        Purpose(call.body.purpose),
        call.body.when == "now",
        custodian(call),
        timing_of(call.services.settings),
    )
    await call.services.keeper.refresh()
    return Answer(201 if made.created else 200, RotationAnswer(made.kid.hex(), "pending", made.activates_at))


@subject.route(
    "POST",
    "/v1/admin/keys/<kid:str>/transitions",
    Caller.ADMIN,
    "Make a transition, or ask a second custodian for it",
    body=TransitionRequest,
    answers={200: Key, 202: Waiting},
    problems=(NOT_FOUND, KEY_GATE, PRECONDITION_REQUIRED, VERSION_CONFLICT, RING_ROLLED_BACK),
    roles=CUSTODIAN,
    headers=("If-Match",),
    limit="admin",
)
async def change_key(call: Call[TransitionRequest]) -> Answer:
    """Gates are checked in the transaction that writes."""
    call.services.keeper.require_current()
    seen = seen_version(call)
    timing = timing_of(call.services.settings)
    outcome = await guarded(
        lambda: rotation.transition(
            call.services.vault,
            kid_in_path(call),
            KeyState(call.body.to),
            custodian(call),
            call.body.reason,
            seen,
            timing,
        )
    )
    if outcome.approval_id is not None:
        return Answer(202, Waiting(outcome.approval_id))
    await call.services.keeper.refresh()
    return Answer(200, await shown_key(call, outcome.key.kid), {"ETag": _etag(call.services.vault.ring.version)})


@subject.route(
    "POST",
    "/v1/admin/keys/<kid:str>/compromise",
    Caller.ADMIN,
    "Cut a stolen key off, at once",
    body=CompromiseRequest,
    answers={200: CompromiseAnswer},
    problems=(NOT_FOUND, KEY_GATE),
    roles=CUSTODIAN,
    limit="admin",
)
async def compromise_key(call: Call[CompromiseRequest]) -> Answer:
    """No code under the kid resolves after this answer; repeating gives the same one."""
    since = call.body.since
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    done = await guarded(
        lambda: rotation.compromise(call.services.vault, kid_in_path(call), call.body.reason, since, custodian(call))
    )
    await call.services.keeper.refresh()
    replacement = done.replacement_kid.hex() if done.replacement_kid else None
    return Answer(200, CompromiseAnswer(done.kid.hex(), "compromised", replacement, done.approval_id, done.ended))


@subject.route(
    "POST",
    "/v1/admin/keys/ring/confirm",
    Caller.ADMIN,
    "Go on after the database was restored from a backup",
    body=Reason,
    answers={200: RingConfirmed},
    roles=CUSTODIAN,
    limit="admin",
)
async def confirm_ring(call: Call[Reason]) -> Answer:
    """The ring's version is set above any that was seen."""
    keeper = call.services.keeper
    version = await rotation.confirm_ring(keeper.seen.look(), custodian(call), call.body.reason)
    await keeper.refresh()
    return Answer(200, RingConfirmed(version))


def custodian(call: Call[Any]) -> By:
    """The caller as the state machine knows them."""
    return By(Actor.CUSTODIAN, call.admin.admin_id, call.admin.name)


def kid_in_path(call: Call[Any]) -> bytes:
    """The kid of the path: four bytes in lower-case hex; anything else is not found."""
    text = call.request.match_info["kid"]
    try:
        kid = bytes.fromhex(text)
    except ValueError:
        raise Problem(NOT_FOUND) from None
    if len(text) != KID_HEX or kid.hex() != text:
        raise Problem(NOT_FOUND)
    return kid


def seen_version(call: Call[Any]) -> int:
    """The ring's version in If-Match. Raises Problem precondition-required or version-conflict."""
    header = call.request.headers.get("if-match")
    if header is None:
        raise Problem(PRECONDITION_REQUIRED)
    text = header.strip().removeprefix('"').removesuffix('"').removeprefix("ring-")
    if not text.isascii() or not text.isdigit() or len(text) > 18 or _etag(int(text)) != header.strip():
        raise Problem(VERSION_CONFLICT)
    return int(text)


def _etag(version: int) -> str:
    return f'"ring-{version}"'


async def guarded(act: Callable[[], Any]) -> Any:
    """Run an act of models.rotation; its refusals as problems."""
    try:
        return await act()
    except NoSuchKey:
        raise Problem(NOT_FOUND) from None
    except StaleVersion:
        raise Problem(VERSION_CONFLICT) from None
    except GateRefused as refused:
        raise gate_problem(refused) from None


def gate_problem(refused: GateRefused) -> Problem:
    """The problem key-gate: which gate, why, and when time alone opens it."""
    at = datetime.fromtimestamp(refused.not_before, UTC) if refused.not_before is not None else None
    not_before = at.isoformat().replace("+00:00", "Z") if at else None
    detail = Text(KEY_GATE.todo.zh, f"{refused.why}.")
    return Problem(KEY_GATE, detail, extra={"gate": refused.gate.value, "not_before": not_before})


async def shown_key(call: Call[Any], kid: bytes) -> Key:
    """One key as it is now. Raises Problem not-found."""
    keys, workers = await key_rows(call.services.vault), await ring_reports()
    now = call.services.clock.today()
    for key in keys:
        if key.kid == kid:
            return _shown(key, workers, now, timing_of(call.services.settings))
    raise Problem(NOT_FOUND)


def _shown(key: KeyRow, workers: list[Any], now: datetime, timing: Timing) -> Key:
    step = next_of(key, workers, now, timing)
    return Key(
        key.kid.hex(),
        key.purpose,
        key.suite,
        key.state,
        key.version,
        key.created_at,
        key.published_at,
        key.activated_at,
        key.retiring_at,
        key.retired_at,
        key.destroy_at,
        key.destroyed_at,
        key.compromised_at,
        key.retain,
        NextStep(*step) if step else None,
    )
