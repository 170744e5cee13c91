"""One demo of three workers for all fault tests: faults are survived, so they can share it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.demo import Demo, copy_of, remove, short_folder

if sys.platform != "linux":
    collect_ignore_glob = ["test_[!c]*.py"]  # they find processes in /proc


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is a fault test."""
    for item in items:
        if "tests/fault/" in str(item.path):
            item.add_marker(pytest.mark.fault)


@pytest.fixture(scope="session")
def long() -> bool:
    """Whether the long loops are asked for (`make fault`)."""
    return bool(os.environ.get("YIMA_TEST_LONG"))


@pytest.fixture(scope="session")
def demo(ran_before: Path) -> Iterator[Demo]:
    """The demo."""
    data = short_folder()
    running = Demo(copy_of(ran_before, data), YIMA_WORKERS="3")
    yield running
    running.stop()
    remove(data)
