"""SPIN explores every interleaving of rotation.pml: all holds; and with any one rule taken away, what it is for fails."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

MODEL: Final = Path(__file__).with_name("rotation.pml")
SECONDS: Final = 120

for _needed in ("spin", "gcc"):
    if shutil.which(_needed) is None:
        pytest.skip(
            f"the model of the key protocol: {_needed} is not installed (Debian: apt-get install spin gcc)",
            allow_module_level=True,
        )


@dataclass(frozen=True)
class Missing:
    """A rule that is taken away, and the assertion that then fails: `about` stands in its text."""

    rule: str
    property: str
    about: str


MISSING: Final = (
    Missing("NO_LEAD", "A1 no code is refused: verifiers do not have the key yet", "v_set"),
    Missing("NO_WORKER_GATE", "A1 no code is refused: a live worker does not have the key yet", "w_set"),
    Missing("NO_LIFE_GATE", "A1 no code is refused: the key retires under a code that is shown", "state[kid]"),
    Missing("NO_AGED_SET", "A1 no code is refused: a worker that was cut off hands out an old key set", "v_set"),
    Missing("NO_LOCK", "A2 none accepted after a compromise's answer: a scan read the state before it", "answered"),
    Missing("NO_VERSION", "A2 none issued after a compromise's answer: by the ring that is here", "after"),
    Missing("NO_FRESHNESS", "A3 a dead worker does not hold the activation for ever", "published"),
)


def _explore(folder: Path, *rules: str) -> str:
    """What the checker says of the model without these rules (of what fails, the shortest way there)."""
    _run(folder, "spin", "-a", *(f"-D{rule}" for rule in rules), str(MODEL))
    shortest = ("-DBFS",) if rules else ()
    _run(folder, "gcc", "-O1", "-w", "-DSAFETY", "-DCOLLAPSE", "-DMEMLIM=1500", *shortest, "-o", "pan", "pan.c")
    return _run(folder, "./pan", "-E", "-m20000")


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_interleaving_is_right(tmp_path: Path) -> None:
    said = _explore(tmp_path)
    assert "errors: 0" in said, said
    assert "max search depth too small" not in said
    assert "out of memory" not in said
    states = re.search(r"(\d+) states, stored", said)
    assert states
    assert int(states[1]) > 100_000, "the model does less than it did"
    for kind in ("Worker", "Verifier", "Schedule"):  # each statement is reached, but the ends of the endless loops
        unreached = re.search(rf"unreached in proctype {kind}\n((?:\t.*\n)*)", said)
        assert unreached
        lines = [line for line in unreached[1].splitlines() if "-end-" not in line and "states)" not in line]
        assert not lines, lines


@pytest.mark.parametrize("missing", MISSING, ids=lambda missing: missing.rule)
def test_a_rule_that_is_missing_is_missed(tmp_path: Path, missing: Missing) -> None:
    said = _explore(tmp_path, missing.rule)
    failed = re.search(r"assertion violated (.*) \(at depth", said)
    assert failed, f"{missing.property}: nothing failed without {missing.rule}"
    assert missing.about in failed[1], failed[1]
