"""All events in any order against the rules alone (machine.py says which and what must hold).

And that the machine sees a rule that is missing: each one removed makes it fail.
"""

import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from codes.issue import IssuedCode, issue
from codes.lifecycle import Facts
from tests.rotation.machine import Rotating
from tests.rotation.world import MemoryStore, Row, Store, Worker

EXAMPLES = 2_000 if os.environ.get("YIMA_TEST_LONG") else 12


class InMemory(Rotating):
    """The rules alone."""

    store_class: type[MemoryStore] = MemoryStore

    def make_store(self) -> Store:
        return self.store_class()


class NoLead(MemoryStore):
    """A key signs before verifiers can know it."""

    def _facts(self, row: Row) -> Facts:
        return replace(super()._facts(row), lead=0.0, lagging=0)


class NoLifeAfter(MemoryStore):
    """A key retires while its last codes are shown."""

    def _facts(self, row: Row) -> Facts:
        return replace(super()._facts(row), life_after=0.0)


class DeadWorkersHold(MemoryStore):
    """A report counts for ever."""

    def report(self, worker: int, version: int) -> None:
        self._reports[worker] = (version, float("inf"))


def _run(machine: type[InMemory], **given: Any) -> None:
    checks = list(HealthCheck)
    run_state_machine_as_test(
        machine,
        settings=settings(stateful_step_count=50, deadline=None, suppress_health_check=checks, database=None, **given),
    )


def test_any_order_of_events() -> None:
    _run(InMemory, max_examples=EXAMPLES)


@pytest.mark.parametrize("broken", [NoLead, NoLifeAfter, DeadWorkersHold], ids=lambda broken: broken.__name__)
def test_the_machine_sees_a_rule_that_is_missing(broken: type[MemoryStore]) -> None:
    machine = type(broken.__name__, (InMemory,), {"store_class": broken})
    with pytest.raises(AssertionError):
        _run(machine, max_examples=100, phases=[Phase.generate])


def test_the_machine_sees_a_worker_that_issues_by_the_ring_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def issue_by_what_is_here(self: Worker) -> IssuedCode:
        return issue(
            self.ring.issuing(), handle=7, now=int(self.store.now()), life=self.life, services=None, nonce=bytes(4)
        )

    monkeypatch.setattr(Worker, "issue", issue_by_what_is_here)
    with pytest.raises(AssertionError):
        _run(InMemory, max_examples=100, phases=[Phase.generate])
