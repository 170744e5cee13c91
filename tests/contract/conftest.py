"""One demo for all tests of the contract."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.demo import Demo, copy_of, remove, short_folder

if sys.platform != "linux":
    collect_ignore_glob = ["test_[!k]*.py"]  # the demo's driver reads /proc


@pytest.fixture(scope="session")
def contract_demo(ran_before: Path) -> Iterator[Demo]:
    """The demo."""
    data = short_folder()
    running = Demo(copy_of(ran_before, data))
    yield running
    running.stop()
    remove(data)
