"""However it ends, nothing of it stays, and the next start finds everything as it was."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import processes
from tests.process.demo import YIMA, Demo, Program, copy_of, patience

STOP_SECONDS = 15.0
ORPHAN_SECONDS = 8.0
VENV = Path(sys.prefix)
# As a person types it, but for the install step, which is another test's.
MAKE_RUN = ["make", "run", f"VENV={VENV}", "-o", f"{VENV}/.run"]


def locks(data: Path) -> list[Path]:
    """Lock files of ours and of PostgreSQL."""
    return [data / "lock", data / "postgres" / "data" / "postmaster.pid", *(data / "postgres" / "socket").iterdir()]


def assert_nothing_left(demo: Program, within: float = STOP_SECONDS) -> None:
    """No process and no lock."""
    demo.gone(within)
    assert not [lock for lock in locks(demo.data) if lock.exists()]
    assert not (demo.data / "demo.json").exists()


@pytest.mark.skipif(not (VENV / ".run").exists(), reason="make run installs into a venv that make made")
@pytest.mark.parametrize("how", ["SIGTERM to make", "Ctrl-C in the terminal"])
def test_make_run_stops(folder: Path, ran_before: Path, started: list[Program], how: str) -> None:
    demo = Demo(copy_of(ran_before, folder), MAKE_RUN)
    started.append(demo)
    if how == "SIGTERM to make":
        demo.process.send_signal(signal.SIGTERM)
    else:
        os.killpg(demo.process.pid, signal.SIGINT)  # the terminal signals the whole group
    assert_nothing_left(demo)


def test_demo_stops_with_streams_open_and_twice_asked(folder: Path, ran_before: Path, started: list[Program]) -> None:
    demo = Demo(copy_of(ran_before, folder), YIMA_WORKERS="2")
    started.append(demo)
    with demo.http.stream("GET", "/v1/patient/events", headers=demo.patient()) as events:
        assert events.status_code == 200
        os.killpg(demo.process.pid, signal.SIGINT)
        os.killpg(demo.process.pid, signal.SIGINT)
        assert_nothing_left(demo)
    assert demo.process.returncode == 0


def test_stopped_while_it_starts(folder: Path, started: list[Program]) -> None:
    program = Program([YIMA, "demo"], folder / "data")
    started.append(program)
    processes.wait_for("PostgreSQL", lambda: (program.data / "postgres" / "data" / "postmaster.pid").exists(), 20)
    program.process.send_signal(signal.SIGTERM)
    assert_nothing_left(program)


def test_killed_supervisor_takes_all_with_it_and_the_data_stay(
    folder: Path, ran_before: Path, started: list[Program]
) -> None:
    first = Demo(copy_of(ran_before, folder), YIMA_WORKERS="2")
    started.append(first)
    me, clerk = first.patient(), first.hospital()
    card, code = first.card(me), first.code(me, first.card(me))
    won = first.scan(clerk, code)
    assert won.status_code == 201

    processes.kill(first.process.pid)
    first.gone(ORPHAN_SECONDS)

    second = Demo(folder / "data")
    started.append(second)
    assert second.ready_after < 10 * patience()
    addresses = dict.fromkeys(("base_url", "sandbox_url", "mllp"))
    assert {**second.info, **addresses} == {**first.info, **addresses}
    assert second.http.get("/v1/patient/cards", headers=me).json()["cards"] == [card]
    again = second.scan(second.hospital(), code)
    assert (again.status_code, again.json()["resolution_id"]) == (200, won.json()["resolution_id"])
    assert second.scan(second.hospital("second_hospital"), code).status_code == 409


def test_everything_killed_at_once(folder: Path, ran_before: Path, started: list[Program]) -> None:
    first = Demo(copy_of(ran_before, folder))
    started.append(first)
    card = first.card(first.patient(1), 1)
    for process in first.processes():
        processes.kill(process.pid)
    first.gone(ORPHAN_SECONDS)
    second = Demo(folder / "data")
    started.append(second)
    assert second.http.get("/v1/patient/cards", headers=second.patient(1)).json()["cards"] == [card]


def test_an_orphaned_postgres_is_ended_first(folder: Path, ran_before: Path, started: list[Program]) -> None:
    """A supervisor killed together with the signal that ends its PostgreSQL: as on systems without that signal."""
    first = Demo(copy_of(ran_before, folder))
    started.append(first)
    postmaster = first.postmaster
    os.kill(postmaster, signal.SIGSTOP)  # it cannot act on the signal of its parent's death
    for process in first.processes():
        if process.pid != postmaster and "postgres" not in process.command:
            processes.kill(process.pid)
    subprocess.Popen(["sh", "-c", f"sleep 2; kill -CONT {postmaster}"])
    second = Demo(folder / "data")
    started.append(second)
    assert second.postmaster != postmaster


def test_a_pid_file_whose_number_is_another_program_now(folder: Path, ran_before: Path, started: list[Program]) -> None:
    first = Demo(copy_of(ran_before, folder))
    started.append(first)
    for process in first.processes():
        processes.kill(process.pid)
    first.gone(ORPHAN_SECONDS)
    pid_file = folder / "data" / "postgres" / "data" / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    other = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]))
        started.append(Demo(folder / "data"))
        assert other.poll() is None, "a stranger was ended"
    finally:
        other.kill()
        other.wait()
