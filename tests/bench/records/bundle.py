"""How much the worker grows while it streams everything that a person has."""

import json
import time
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from tests.bench.records.stage import Stage
from tests.bench.servers import resident_mib

_PAUSE: Final = 0.5  # seconds that the reader stops for, at the middle of what comes
_RESET_PEAK: Final = "5"  # Linux, proc(5), clear_refs


class Grown(NamedTuple):
    """MiB of the worker's resident memory: what it had, and what its peak and its end were above that; of the bundle."""

    before: float
    peak: float
    after: float
    mib: float


def bundle(stage: Stage) -> Grown:
    """One Bundle taken by a reader that pauses. Raises RuntimeError unless all records are in it."""
    process = Path(f"/proc/{stage.worker}")
    before = resident_mib(stage.worker)
    (process / "clear_refs").write_text(_RESET_PEAK)
    text = _taken(stage)
    peak = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmHWM:"))
    if len(json.loads(text)["entry"]) != len(stage.many.records):
        raise RuntimeError("the Bundle has not all records")
    return Grown(
        before, int(peak.split()[1]) / 1024 - before, resident_mib(stage.worker) - before, len(text) / 1024 / 1024
    )


def _taken(stage: Stage) -> bytes:
    place, got, paused = stage.many.patient, bytearray(), False
    url = f"http://127.0.0.1:{stage.service}{place.path}/bundle"
    with httpx.stream("GET", url, headers=place.headers, timeout=60, trust_env=False) as answer:
        for part in answer.raise_for_status().iter_bytes():
            got += part
            if not paused and len(got) > 10 * 1024 * 1024:
                paused = True
                time.sleep(_PAUSE)
    return bytes(got)
