"""Rates and times of records: posting, reading one, a first page, and what is not there."""

from itertools import cycle, islice
from typing import Final, NamedTuple
from uuid import uuid4

from tests.bench.calls import only
from tests.bench.load import Request
from tests.bench.records.library import Library
from tests.bench.records.stage import FEW, ONE, Person, Place, Stage, listed, post
from tests.bench.servers import cpu_seconds

_PAGE: Final = 20
# Times as many as are posted: the others are quicker.
_VALIDATED: Final = 3
_READ_TIMES: Final = 4
_EMPTY_TIMES: Final = 20


class Rate(NamedTuple):
    """Answers a second, and seconds of the worker's own processor time an answer."""

    rate: float
    processor: float


class Rates(NamedTuple):
    """A round: reports posted, and what a second has of validations, of records read, and of empty answers."""

    posted: Rate
    validated: float
    read: Rate
    empty: float


class Pages(NamedTuple):
    """Seconds of a person's first page, by who asks: the hospital whose they are, others, and the person."""

    own: float
    permitted: float
    nothing: float
    patient: float


class Absent(NamedTuple):
    """Seconds of an answer that there is no such record, by why: there is none; it is somebody else's; the person does
    not permit it, with few records and with many.
    """

    absent: float
    anothers: float
    unreadable: float
    of_many: float


def rates(stage: Stage, library: Library, calls: int, *, first: bool) -> Rates:
    """One round, posting first or last: so many reports posted, and more read."""
    posted = _posted(stage, calls) if first else None
    validated = library.rate(_VALIDATED * calls)
    read, empty = _read(stage, _READ_TIMES * calls), _empty(stage, _EMPTY_TIMES * calls)
    return Rates(posted or _posted(stage, calls), validated, read, empty)


def _posted(stage: Stage, calls: int) -> Rate:
    return _rate(stage, [post(stage.posting, number) for number in range(calls)], 201)


def _read(stage: Stage, calls: int) -> Rate:
    """As a hospital that the person permits, each record in turn."""
    place = stage.many.permitted
    return _rate(stage, [place.get(f"/{record_id}") for record_id in islice(cycle(stage.many.records), calls)], 200)


def _rate(stage: Stage, asked: list[Request], status: int) -> Rate:
    before = cpu_seconds(stage.worker)
    seconds = stage.run(asked, status).seconds
    return Rate(len(asked) / seconds, (cpu_seconds(stage.worker) - before) / len(asked))


def _empty(stage: Stage, calls: int) -> float:
    return calls / only(stage.load.run(stage.minimum, [Request("/empty", {}, "{}")] * calls), 200).seconds


def pages(stage: Stage, person: Person, calls: int) -> Pages:
    """One measurement of each. Raises RuntimeError unless each page has what it must."""
    full = min(_PAGE, len(person.records))
    return Pages(
        _page(stage, person.own, full, calls),
        _page(stage, person.permitted, full, calls),
        _page(stage, person.nothing, 0, calls),
        _page(stage, person.patient, full, calls),
    )


def _page(stage: Stage, place: Place, due: int, calls: int) -> float:
    asked = [place.get(f"?limit={_PAGE}")] * calls
    outcome = only(stage.load.run(stage.service, asked, keep=True, connections=ONE), 200)
    if listed(outcome.bodies[0]) != due:
        raise RuntimeError(f"the page was not of {due}")
    return outcome.seconds / calls


def absent(stage: Stage, calls: int, *, first: bool) -> Absent:
    """One round of each, in an order and in its reverse by turns."""
    many, few = stage.many, stage.few
    asked = {
        "absent": [few.nothing.get(f"/{uuid4()}") for _ in range(calls)],
        "anothers": [few.nothing.get(f"/{record_id}") for record_id in many.records[:calls]],
        "unreadable": [few.nothing.get(f"/{few.records[n % FEW]}") for n in range(calls)],
        "of_many": [many.nothing.get(f"/{record_id}") for record_id in many.records[:calls]],
    }
    order = list(asked) if first else list(reversed(asked))
    return Absent(**{name: stage.run(asked[name], 404, ONE).seconds / calls for name in order})
