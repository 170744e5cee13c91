"""The sandbox's levers: faults to order, the calls that came, and how an answer is bent.

api.md (Running it) fixes the names. A fault is taken by the first call that fits it, in the order they were
ordered, until its `times` are used up; it then stays in the list with its hits.
"""

import secrets
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, get_args

import msgspec

Upstream = Literal["wechat", "registry", "sms", "insurer", "wechat-pay"]
CallFault = Literal["error", "http-500", "reset", "drop-answer", "hang", "delay", "lie", "unsigned", "bad-signature"]
NoticeFault = Literal["skip", "duplicate", "reorder", "stale", "forge", "signtest", "wrong-amount"]
FaultKind = CallFault | NoticeFault

NOTIFY: Final = "notify"  # the call that a notification of ours is to its receiver
_OF_NOTICES: Final = frozenset(get_args(NoticeFault))
KEPT: Final = 10_000  # calls and faults remembered


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which calls a fault is for; what is not given fits all. `path`: a part of the path."""

    call: str | None = None
    infno: str | None = None
    path: str | None = None


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /sandbox/faults."""

    upstream: Upstream
    fault: FaultKind
    match: Match = Match()
    times: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 1000
    set: dict[str, Any] = {}


@dataclass(slots=True)
class Fault:
    """An ordered fault and how often it struck."""

    order: Order
    fault_id: str = field(default_factory=lambda: secrets.token_hex(8))
    hits: int = 0

    def shown(self) -> dict[str, object]:
        """As GET /sandbox/faults shows it."""
        ordered: dict[str, object] = msgspec.to_builtins(self.order)
        return {"fault_id": self.fault_id, **ordered, "hits": self.hits}


class Faults:
    """The ordered faults."""

    def __init__(self) -> None:
        self._faults: deque[Fault] = deque(maxlen=KEPT)

    def add(self, order: Order) -> Fault:
        """Order one."""
        fault = Fault(order)
        self._faults.append(fault)
        return fault

    def take(self, upstream: str, call: str, infno: str | None, path: str) -> Order | None:
        """The fault that strikes this call, counted, or None."""
        for fault in self._faults:
            if fault.hits < fault.order.times and _fits(fault.order, upstream, call, infno, path):
                fault.hits += 1
                return fault.order
        return None

    def shown(self) -> list[dict[str, object]]:
        """All, oldest first."""
        return [fault.shown() for fault in self._faults]

    def clear(self) -> None:
        """Forget all."""
        self._faults.clear()


def _fits(order: Order, upstream: str, call: str, infno: str | None, path: str) -> bool:
    match = order.match
    return (
        order.upstream == upstream
        and _of_its_kind(order, call)
        and match.call in (None, call)
        and match.infno in (None, infno)
        and (match.path is None or match.path in path)
    )


def _of_its_kind(order: Order, call: str) -> bool:
    """A notification is struck by its own faults, and by a delay that was ordered for its path."""
    if order.fault in _OF_NOTICES:
        return call == NOTIFY
    return call != NOTIFY or (order.fault == "delay" and order.match.path is not None)


@dataclass(slots=True)
class Seen:
    """One call that came. `status`: the HTTP status, None while it is under way, 0 if it was never answered."""

    at: str
    upstream: str
    call: str
    status: int | None = None


class Calls:
    """The calls that came, oldest first."""

    def __init__(self) -> None:
        self._seen: deque[Seen] = deque(maxlen=KEPT)

    def begin(self, upstream: str, call: str) -> Seen:
        """Note that a call came; its status follows."""
        seen = Seen(moment(), upstream, call)
        self._seen.append(seen)
        return seen

    def shown(self) -> list[dict[str, object]]:
        """As GET /sandbox/calls shows them."""
        return [{"at": one.at, "upstream": one.upstream, "call": one.call, "status": one.status} for one in self._seen]


def moment() -> str:
    """Now, RFC 3339 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def overlay(body: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """A copy of `body` with `fields` put in.

    A name with dots is a path; a name that stands at the top, or anywhere inside, is replaced there (objects are
    merged); any other name is added at the top.
    """
    bent: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(body))
    for name, value in fields.items():
        *way, last = name.split(".")
        place = bent
        for step in way:
            nxt = place.get(step)
            place[step] = place = nxt if isinstance(nxt, dict) else {}
        target = place if way or last in place else _holder(place, last) or place
        _put(target, last, value)
    return bent


def _put(target: dict[str, Any], name: str, value: Any) -> None:
    old = target.get(name)
    target[name] = overlay(old, value) if isinstance(old, dict) and isinstance(value, dict) else value


def _holder(value: Any, name: str) -> dict[str, Any] | None:
    """The first object inside `value` that has a member `name`."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        if isinstance(one, dict) and name in one:
            return one
        if found := _holder(one, name):
            return found
    return None
