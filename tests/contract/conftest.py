"""One demo for all tests of the contract."""

import sys
from collections.abc import Iterator

import pytest

from tests.process.demo import Demo, remove, short_folder

if sys.platform != "linux":
    collect_ignore_glob = ["test_[!k]*.py"]  # the demo's driver reads /proc


@pytest.fixture(scope="session")
def contract_demo() -> Iterator[Demo]:
    """The demo."""
    data = short_folder()
    running = Demo(data / "data")
    yield running
    running.stop()
    remove(data)
