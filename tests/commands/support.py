"""What the specifications of the commands share: running one, and a service of key sets that behaves as it is told."""

import http.server
import io
import json
import threading
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from codes.issue import issue
from codes.keys import SigningKey
from codes.rootkey import RootKey
from codes.signedset import sign_set
from tests.codes.support import KEY, KEYS, NOW, OTHER_KEY, seeded

DAY = 86_400
LIFE = 3 * DAY
ROOT = SigningKey.generate(seeded(10))
OTHER_ROOT = SigningKey.generate(seeded(11))
PINNED = RootKey(ROOT.verifying.public)


def signed(
    version: int = 5, issued: int = NOW, *, root: SigningKey = ROOT, keys: Any = None, life: int = LIFE
) -> bytes:
    return sign_set(root, KEYS.keys if keys is None else keys, (), version, issued, issued + life)


WITHOUT_KEY = signed(6, keys=[OTHER_KEY.verifying])


class Run:
    """A command with what it printed."""

    def __init__(
        self, main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._main, self._capsys, self._monkeypatch = main, capsys, monkeypatch
        self.out = self.err = ""

    def __call__(self, *arguments: str, stdin: bytes = b"") -> int:
        self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            status = self._main(list(arguments))
        except SystemExit as ended:
            status = int(ended.code or 0)
        self.out, self.err = self._capsys.readouterr()
        return status

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def news(self) -> dict[str, Any]:
        """The first line of standard error, as --json has it."""
        said: dict[str, Any] = json.loads(self.err.splitlines()[0])
        return said


class Publisher:
    """An address that answers as it is told: `paths` by path, else `body`; `status` and the clock `now` for all."""

    def __init__(self) -> None:
        self.body = b""
        self.status = 200
        self.now: Callable[[], float] | None = None
        self.headers: dict[str, str] = {}
        self.paths: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler_of(publisher: Publisher) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked.append(self.path)
            status, headers, body = publisher.paths.get(
                self.path, (publisher.status, publisher.headers, publisher.body)
            )
            self.send_response_only(status)
            if publisher.now is not None:
                self.send_header("Date", formatdate(publisher.now(), usegmt=True))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return  # the reader had enough

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    return Handler


class Scanner:
    """A machine with the pinned root, a state folder, and a clock."""

    def __init__(self, run: Run, folder: Path, publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run, self.publisher = run, publisher
        self.state, self.root = folder / "state", folder / "root.pub"
        self.root.write_text(PINNED.to_hex() + "\n")
        self.now = float(NOW)
        monkeypatch.setattr("time.time", lambda: self.now)

    def verify(self, *more: str, keys: str | None = None, key: SigningKey = KEY) -> int:
        """Check a code that `key` has just signed."""
        code = issue(key, handle=1, now=int(self.now), life=60, services=None, nonce=b"1234").text
        options = ["--root", str(self.root), "--state", str(self.state), "--json", *more]
        return self.run("--keys", keys or self.publisher.address, *options, code)

    @property
    def heard(self) -> tuple[str | None, str | None, int | None]:
        """(where the keys came from, the problem on the way, the version), as standard error told it."""
        news = self.run.news
        return news["keys"], news["problem"], news["version"]
