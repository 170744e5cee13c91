"""Starting: how long it takes, what a second start keeps, and what stands in its way said in one line."""

import json
import re
import socket
import stat
import subprocess
from pathlib import Path

from tests.process.demo import YIMA, Demo, Program, clean_environment, copy_of, patience


def said(folder: Path, command: str = "demo", **settings: str) -> tuple[int, list[str]]:
    """Exit status and the lines of standard error of a command that must end by itself."""
    given = clean_environment(**{"YIMA_DATA_DIR": str(folder), "YIMA_PORT": "0", **settings})
    done = subprocess.run([YIMA, command], env=given, capture_output=True, text=True, timeout=60, cwd="/", check=False)
    return done.returncode, done.stderr.splitlines()


def test_ready_within_ten_seconds_and_a_second_start_keeps_all(folder: Path, started: list[Program]) -> None:
    first = Demo(folder / "data")
    started.append(first)
    assert first.ready_after < 10 * patience()
    card = first.card(first.patient(2), 2)
    first.stop()
    second = Demo(folder / "data")
    started.append(second)
    assert second.ready_after < 10 * patience()
    for same in ("hospital", "second_hospital", "admins", "people"):
        assert second.info[same] == first.info[same]
    assert second.info["base_url"] == f"http://127.0.0.1:{second.port}"
    assert second.http.get("/v1/patient/cards", headers=second.patient(2)).json()["cards"] == [card]
    assert second.hospital()


def test_a_second_supervisor_refuses_and_harms_nothing(demo: Demo) -> None:
    status, lines = said(demo.data)
    assert status == 1
    assert lines == [f"yima: another Yima already runs on {demo.data}: stop it, or set YIMA_DATA_DIR"]
    assert json.loads((demo.data / "demo.json").read_text()) == demo.info
    assert demo.http.get("/readyz").status_code == 200
    status, lines = said(demo.data, "migrate")
    assert (status, len(lines)) == (1, 1)


def test_a_port_in_use_is_said_in_one_line(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, lines = said(folder / "data", YIMA_PORT=str(port))
    assert status == 1
    assert lines == [f"yima: cannot listen on 127.0.0.1:{port} (Address already in use): set YIMA_PORT to a free port"]
    assert not (folder / "data" / "lock").exists()


def test_a_setting_that_is_none_is_said_in_one_line(folder: Path) -> None:
    assert said(folder, YIMA_PROT="8000") == (1, ["yima: YIMA_PROT is not a setting; README.md lists them"])
    assert said(folder, YIMA_WORKERS="many") == (1, ["yima: YIMA_WORKERS takes a whole number"])


def test_a_data_folder_that_cannot_be_made_is_said_in_one_line(folder: Path) -> None:
    (folder / "file").write_text("")
    status, lines = said(folder / "file" / "data")
    assert (status, len(lines)) == (1, 1)
    assert lines[0].startswith("yima: ")


def test_no_folder_of_others_is_touched(folder: Path, started: list[Program]) -> None:
    """A data directory under a private parent; what was there keeps its mode and owner."""
    private = folder / "private"
    private.mkdir(mode=0o700)
    given = private / "data"
    given.mkdir(mode=0o750)
    watched = [Path("/"), folder.parent, folder, private, given]
    before = [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in watched]
    demo = Demo(given)
    started.append(demo)
    assert demo.scan(demo.hospital(), demo.code(demo.patient(), demo.card(demo.patient()))).status_code == 201
    assert [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in watched] == before
    secret = ("root.key", "demo.json", "demo-secrets.json", "postgres/password")
    assert [stat.S_IMODE((given / name).stat().st_mode) for name in secret] == [0o600] * len(secret)
    assert stat.S_IMODE((given / "postgres").stat().st_mode) == 0o700


def test_a_long_data_path(folder: Path, ran_before: Path, started: list[Program]) -> None:
    """The socket moves to a private folder of its own, and goes with the demo."""
    parent = folder / ("long-" * 22)
    parent.mkdir(mode=0o700)
    data = copy_of(ran_before, parent)
    assert len(str(data)) > 93
    demo = Demo(data)
    started.append(demo)
    assert demo.http.get("/readyz").status_code == 200
    command = next(one.command for one in demo.processes() if "unix_socket_directories=" in one.command)
    found = re.search(r"unix_socket_directories=(\S+)", command)
    assert found
    assert stat.S_IMODE(Path(found[1]).stat().st_mode) == 0o700
    demo.stop()
    assert not Path(found[1]).exists()
