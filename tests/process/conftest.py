"""Each test starts what it needs; nothing is left behind."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.demo import Demo, Program, copy_of, remove, short_folder

if sys.platform != "linux":
    collect_ignore_glob = ["test_*.py"]  # they read /proc


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder with a short path."""
    made = short_folder()
    yield made
    remove(made)


@pytest.fixture
def started() -> Iterator[list[Program]]:
    """Put every program here that a test starts; what still runs at its end is ended."""
    programs: list[Program] = []
    yield programs
    for program in programs:
        program.stop()


@pytest.fixture(scope="module")
def demo(ran_before: Path) -> Iterator[Demo]:
    """One running demo, for the tests of a module that leave it running."""
    data = short_folder()
    running = Demo(copy_of(ran_before, data))
    yield running
    running.stop()
    remove(data)
