"""`yima serve` and `yima demo`: the listening socket, the workers on it, and what they need, from start to stop."""

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from api.run.postgres import EmbeddedPostgres
from api.run.processes import Child, child_environment, python
from api.settings import Settings
from models import database
from models.keyring import check_root_key
from models.vault import Vault

READY_SECONDS: Final = 60.0
_BACKLOG: Final = 1024
_log = logging.getLogger("yima.run")


class CannotStart(RuntimeError):
    """The service cannot start; the message says why and what to do."""


class DataFolder:
    """The data directory, held by one supervisor at a time (the lock goes with the process)."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: int | None = None

    def hold(self) -> None:
        """Make the folder if need be and lock it. Raises CannotStart if another process has it."""
        if not self.path.exists():
            self.path.mkdir(parents=True, mode=0o700)
        while self._lock is None:
            opened = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(opened)
                raise CannotStart(f"another Yima already runs on {self.path}: stop it, or set YIMA_DATA_DIR") from None
            if self._is_still(opened):
                self._lock = opened
            else:  # its last holder removed it between our two calls
                os.close(opened)

    def _is_still(self, opened: int) -> bool:
        try:
            return os.path.samestat(os.fstat(opened), os.stat(self.path / "lock"))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let go, leaving no lock file behind."""
        if self._lock is not None:
            (self.path / "lock").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def fresh(self, name: str) -> Path:
        """An empty folder of that name, for what lives as long as the processes."""
        folder = self.path / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        return folder


def listen(host: str, port: int) -> socket.socket:
    """The socket that all workers share: what waits in it survives a worker. Raises CannotStart."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise CannotStart(f"cannot listen on {host}:{port} ({error.strerror}): set YIMA_PORT to a free port") from None
    sock.listen(_BACKLOG)
    return sock


class Supervisor:
    """Runs workers (and, in the demo, the sandbox) until it is told to stop; a worker that died is replaced."""

    def __init__(self, settings: Settings, folder: DataFolder) -> None:
        self.settings = settings
        self.folder = folder
        self.stopping = asyncio.Event()
        self.children: list[Child] = []
        self._tasks: list[asyncio.Task[None]] = []

    def watch_signals(self) -> None:
        """SIGTERM and Ctrl-C stop us in order."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)

    def start(self, child: Child) -> None:
        """Keep a child running."""
        self.children.append(child)
        self._tasks.append(asyncio.create_task(child.keep()))

    async def start_workers(self, sock: socket.socket, settings: dict[str, str]) -> None:
        """Start the workers on the socket and wait until each has said that it is ready. Raises CannotStart."""
        metrics = self.folder.fresh("metrics")
        environment = child_environment({**settings, "PROMETHEUS_MULTIPROC_DIR": str(metrics)})
        readers = []
        for number in range(self.settings.workers):
            reader, writer = os.pipe()
            # A replaced worker reports its key ring under the same id, so that the dead one holds nothing back.
            named = {**environment, "YIMA_INTERNAL_WORKER": str(uuid4())}
            command = python("api.run.worker", "--fd", str(sock.fileno()), "--ready", str(writer))
            fds = (sock.fileno(), writer)
            self.start(Child(f"worker-{number}", command, named, fds=fds, died=_forget_metrics(metrics)))
            readers.append((reader, writer))
        await self._wait_ready(readers)

    async def _wait_ready(self, pipes: list[tuple[int, int]]) -> None:
        loop = asyncio.get_running_loop()
        try:
            waits = [loop.run_in_executor(None, os.read, reader, 1) for reader, _ in pipes]
            stop = asyncio.create_task(self.stopping.wait())
            ready = asyncio.gather(*waits)
            waited: set[asyncio.Future[Any]] = {stop, ready}
            await asyncio.wait(waited, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            if not ready.done():
                for _, writer in pipes:  # lets the reading threads go
                    os.write(writer, b"0")
                await ready
                if not self.stopping.is_set():
                    raise CannotStart("the workers did not become ready; the lines above say why")
        finally:
            for reader, _ in pipes:
                os.close(reader)

    async def run(self) -> None:
        """Until told to stop."""
        await self.stopping.wait()

    async def stop(self) -> None:
        """End all children, workers first."""
        await asyncio.gather(*(child.stop() for child in reversed(self.children)))
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _forget_metrics(folder: Path) -> Callable[[int], None]:
    def forget(pid: int) -> None:
        for path in folder.glob(f"gauge_live*_{pid}.db"):
            path.unlink(missing_ok=True)

    return forget


def start_database(settings: Settings, folder: DataFolder) -> tuple[str, EmbeddedPostgres | None]:
    """The database's address, and the embedded cluster if there is one to stop."""
    if settings.database_url:
        return settings.database_url, None
    embedded = EmbeddedPostgres(folder.path / "postgres")
    return embedded.start(), embedded


async def check_database(url: str, root: bytes) -> None:
    """Raise OtherSchemaVersion, RootKeyMismatch or CannotStart unless the database is this build's and has its keys."""
    try:
        await database.check_version(url)
        if not await check_root_key(Vault(root, os.urandom)):
            raise CannotStart("the database has no keys yet: make them with `yima keys init`")
    finally:
        await database.disconnect()


def run(main: Callable[[], Awaitable[None]]) -> int:
    """Run a supervisor's main; its exit status. What it cannot do is said in one line."""
    try:
        asyncio.run(main())  # type: ignore[arg-type]  # a coroutine function
    except (RuntimeError, ValueError, *database.Unavailable) as error:
        sys.stderr.write(f"yima: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@contextlib.asynccontextmanager
async def running(settings: Settings):  # type: ignore[no-untyped-def]  # an async context manager of (supervisor, url)
    """A held data folder, a database, and a supervisor that is stopped in order whatever happens."""
    folder = DataFolder(settings.data_dir)
    folder.hold()
    embedded = keeping = None
    supervisor = Supervisor(settings, folder)
    supervisor.watch_signals()
    try:
        url, embedded = start_database(settings, folder)
        if embedded:
            keeping = asyncio.create_task(embedded.keep())
        yield supervisor, url
    finally:
        await supervisor.stop()
        if keeping:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        if embedded:
            embedded.stop()
        folder.release()
