"""Consent against a plain model: kinds × hospitals × rules × validity, over HTTP, list and single reading alike."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.records import KINDS
from tests.support.records import Patient, Window, patient, rule
from tests.support.service import Service

READERS = 3  # the first of them posted
MINUTE = timedelta(minutes=1)

minutes = st.one_of(st.none(), st.integers(-2, 2))
some_rule = st.tuples(
    st.one_of(st.none(), st.integers(0, READERS - 1)),
    st.one_of(st.none(), st.sampled_from(KINDS)),
    st.sampled_from(("permit", "permit", "deny")),
    minutes,
    minutes,
)


def may_read(rules: list[Any], reader: int, kind: str, at: float) -> bool:
    """The plain rule: of those in force, by how specific; at the last, a denial."""
    if reader == 0:
        return True
    best, effect = -1, "deny"
    for hospital, of_kind, said, begin, end in rules:
        if hospital not in (None, reader) or of_kind not in (None, kind):
            continue
        if (begin is not None and at < begin) or (end is not None and at >= end):
            continue
        rank = 2 * (hospital is not None) + (of_kind is not None)
        if rank > best or (rank == best and said == "deny"):
            best, effect = rank, said
    return effect == "permit"


@dataclass
class World:
    service: Service
    person: Patient
    windows: list[Window]
    records: dict[str, str]
    base: datetime

    def written(self, one: Any) -> dict[str, Any]:
        hospital, kind, effect, begin, end = one
        given = {"valid_from": begin, "valid_until": end}
        times = {name: (self.base + at * MINUTE).isoformat() for name, at in given.items() if at is not None}
        return rule("*" if hospital is None else self.windows[hospital].hospital_id, kind or "*", effect, **times)


@pytest.fixture
async def world(service: Service) -> World:
    person = await patient(service)
    windows = [await person.at(f"{name}医院") for name in "甲乙丙"]
    records = {
        kind: (await windows[0].posted(windows[0].of_kind(kind, days)))["record_id"]
        for days, kind in enumerate(KINDS, 1)
    }
    return World(service, person, windows, records, datetime.fromtimestamp(int(service.now()) + 300, UTC))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rules=st.lists(some_rule, max_size=6).filter(
        lambda rs: all(r[3] is None or r[4] is None or r[3] < r[4] for r in rs)
    ),
    at=st.sampled_from((-2.5, -1, -0.5, 0, 0.5, 1, 2)),
)
async def test_every_reader_sees_what_the_plain_rules_say(world: World, rules: list[Any], at: float) -> None:
    await world.service.stop_time((world.base - 4 * MINUTE).timestamp())
    answer = await world.person.allow(*map(world.written, rules))
    assert answer.status_code == 200, answer.text
    await world.service.stop_time((world.base + at * MINUTE).timestamp())
    for reader, window in enumerate(world.windows):
        readable = [kind for kind in KINDS if may_read(rules, reader, kind, at)]
        assert await window.listed() == [world.records[kind] for kind in readable], (reader, rules)
        for kind in KINDS:
            status = (await window.get(world.records[kind])).status_code
            assert status == (200 if kind in readable else 404), (reader, kind, rules)


def test_the_model_tells_wrong_rules_apart() -> None:
    """So that the comparison above can fail: each of these would be another service."""
    tie = [(1, None, "permit", None, None), (1, None, "deny", None, None)]
    assert not may_read(tie, 1, "note", 0)
    assert may_read([(None, None, "deny", None, None), (None, "note", "permit", None, None)], 1, "note", 0)
    assert may_read([(None, "note", "deny", None, None), (1, None, "permit", None, None)], 1, "note", 0)
    assert not may_read([(1, None, "permit", 0, 1)], 1, "note", 1)
    assert not may_read([], 1, "note", 0)
    assert may_read([], 0, "note", 0)
