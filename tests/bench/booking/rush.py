"""Everybody books at once: all one session, or each of many; against a bare handler that does nothing."""

import json
from collections import defaultdict
from typing import Any, Final, NamedTuple
from uuid import uuid4

from tests.bench.booking.stage import CONNECTIONS, Stage, book
from tests.bench.calls import only
from tests.bench.crowd import Member
from tests.bench.load import Outcome, Request

PLACES: Final = 50  # of a session
_EACH: Final = 10  # people a session, where they are spread
_EMPTY_TIMES: Final = 3  # the empty handler is quick: as many times the requests


class Rush(NamedTuple):
    """Answers a second of one round: spread over many sessions (with an Idempotency-Key, too), all for one, empty."""

    spread: float
    keyed: float
    contested: float
    empty: float


def rush(stage: Stage, people: list[Member], *, first: bool) -> Rush:
    """One round of all four, in an order and in its reverse by turns. Raises RuntimeError if a place is booked wrongly."""
    work = {
        "spread": lambda: _spread(stage, people, keyed=False),
        "keyed": lambda: _spread(stage, people[: len(people) // 2], keyed=True),
        "contested": lambda: _contested(stage, people),
        "empty": lambda: _empty(stage, _EMPTY_TIMES * len(people)),
    }
    order = list(work) if first else list(reversed(work))
    return Rush(**{name: work[name]() for name in order})


def _spread(stage: Stage, people: list[Member], *, keyed: bool) -> float:
    sessions = stage.publish(len(people) // _EACH, PLACES)
    asked = [
        book(one, sessions[number % len(sessions)], {"Idempotency-Key": str(uuid4())} if keyed else None)
        for number, one in enumerate(people)
    ]
    outcome = only(stage.run(asked, CONNECTIONS), 201)
    _check(outcome, {session["schedule_id"]: _EACH for session in sessions})
    return len(asked) / outcome.seconds


def _contested(stage: Stage, people: list[Member]) -> float:
    (session,) = stage.publish(1, PLACES)
    outcome = stage.run([book(one, session) for one in people], CONNECTIONS)
    if outcome.statuses != {"201": PLACES, "409": len(people) - PLACES}:
        raise RuntimeError(f"answers were {outcome.statuses} where {PLACES} places were to be booked")
    _check(outcome, {session["schedule_id"]: PLACES})
    return len(people) / outcome.seconds


def _empty(stage: Stage, count: int) -> float:
    asked = [Request("/empty", {}, "{}")] * count
    outcome = only(stage.load.run(stage.minimum, asked, connections=CONNECTIONS), 200)
    return len(asked) / outcome.seconds


def _check(outcome: Outcome, due: dict[str, int]) -> None:
    """Each session has its first numbers booked, each once."""
    numbers = defaultdict[str, list[int]](list)
    for answer in map(json.loads, outcome.bodies):
        _count(answer, numbers)
    for schedule_id, count in due.items():
        if sorted(numbers[schedule_id]) != list(range(1, count + 1)):
            raise RuntimeError(f"numbers {sorted(numbers[schedule_id])} were booked where 1 to {count} were due")


def _count(answer: dict[str, Any], numbers: dict[str, list[int]]) -> None:
    if "appointment_id" in answer:
        numbers[answer["schedule_id"]].append(answer["number"])
    elif answer["code"] != "slot-full":
        raise RuntimeError(f"refused with {answer['code']}")
