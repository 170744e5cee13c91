"""Other users of the machine: the demo runs as anybody, and none gets into another's database."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import asyncpg
import pytest

from tests.process.demo import ROOT, Demo, Program

NOBODY = 65534
as_root = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="takes root to become another user"
)


def as_nobody(*command: str) -> list[str]:
    """The command, run by a user who is nobody."""
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]


def demo_as_nobody() -> tuple[list[str], dict[str, str]]:
    """The command and settings that run the demo as nobody: this Python, else the machine's with our libraries."""
    libraries = {"PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}"}
    others = shutil.which(f"python{sys.version_info.major}.{sys.version_info.minor}", path="/usr/local/bin:/usr/bin")
    for python in filter(None, (sys.executable, others)):
        # In a shell: what setpriv itself starts still has root's capabilities.
        asked = as_nobody("sh", "-c", f'{python} -c "import api.commands, asyncpg"; exit $?')
        if subprocess.run(asked, env={**os.environ, **libraries}, capture_output=True, check=False).returncode == 0:
            run = f"exec {python} -c 'from api.commands import main; raise SystemExit(main())' demo"
            return as_nobody("sh", "-c", run), libraries
    pytest.skip(f"nobody can read {sys.executable}, and the machine has no other Python of its version")


@as_root
def test_an_unprivileged_user_runs_the_demo(folder: Path, demo: Demo, started: list[Program]) -> None:
    """On a machine where root runs one, too."""
    command, libraries = demo_as_nobody()
    folder.chmod(0o711)
    home = folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)
    assert demo.http.get("/readyz").status_code == 200
    theirs = Demo(home / "data", command, HOME=str(home), **libraries)
    started.append(theirs)
    me = theirs.patient()
    assert theirs.scan(theirs.hospital(), theirs.code(me, theirs.card(me))).status_code == 201
    owners = {Path(f"/proc/{process.pid}").stat().st_uid for process in theirs.processes()}
    assert owners == {NOBODY}


@as_root
def test_another_user_cannot_read_or_reach_the_database(demo: Demo) -> None:
    demo.data.parent.chmod(0o755)
    socket = demo.data / "postgres" / "socket"
    for path in (demo.data / "root.key", demo.data / "demo.json", demo.data / "postgres" / "password", socket):
        asked = subprocess.run(as_nobody("sh", "-c", f"ls {path}; exit $?"), capture_output=True, check=False, cwd="/")
        assert asked.returncode != 0, path
    hba = (demo.data / "postgres" / "data" / "pg_hba.conf").read_text()
    rules = [line.split()[-1] for line in hba.splitlines() if line.strip() and not line.startswith("#")]
    assert set(rules) == {"scram-sha-256"}


async def test_even_with_a_way_to_the_socket_it_takes_the_password(demo: Demo) -> None:
    for user in ("postgres", "yima", "root"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                host=str(demo.data / "postgres" / "socket"), user=user, database="postgres", password="guessed"
            )
