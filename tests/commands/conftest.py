"""Fixtures of the commands' tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.commands.verify import main
from tests.commands.support import Publisher, Run, Scanner


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    yield made
    made.stop()


@pytest.fixture
def scanner(
    tmp_path: Path, publisher: Publisher, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Scanner:
    """A machine with a pinned root, whose clock the publisher's agrees with until one is moved."""
    made = Scanner(Run(main, capsys, monkeypatch), tmp_path, publisher, monkeypatch)
    publisher.now = lambda: made.now
    return made
