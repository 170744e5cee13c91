"""The process table, as far as it belongs to one data directory (Linux's /proc)."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

MARK = "YIMA_TEST_MARK"


class Process(NamedTuple):
    """One live process."""

    pid: int
    command: str


def of(mark: str, data: Path) -> list[Process]:
    """Live processes that were started with this mark in their environment, or work in the data directory."""
    return [process for process in _all() if _belongs(process.pid, mark, data)]


def workers(found: list[Process]) -> list[Process]:
    """The HTTP workers among them."""
    return [process for process in found if "api.run.worker" in process.command]


def _all() -> Iterator[Process]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (command := _read(int(entry), "cmdline")):  # a zombie has none
            yield Process(int(entry), command.replace("\0", " ").strip())


def _belongs(pid: int, mark: str, data: Path) -> bool:
    if f"{MARK}={mark}" in _read(pid, "environ").split("\0"):
        return True
    try:  # PostgreSQL's sessions overwrite their environment; their working directory is the cluster's
        return Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(data)
    except OSError:
        return False


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def kill(pid: int) -> None:
    """kill -9 of one process that may be gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_for(what: str, ask: Callable[[], object], seconds: float) -> float:
    """Wait until `ask` gives something true; the seconds it took. Fails by AssertionError."""
    began = time.monotonic()
    while not ask():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began
