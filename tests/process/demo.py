"""`yima demo` and `yima serve` as programs of their own, driven from outside."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import httpx

from tests.process import processes

ROOT: Final = Path(__file__).resolve().parents[2]
YIMA: Final = str(Path(sys.executable).with_name("yima"))
READY_SECONDS: Final = 60.0
# No limits, and a sandbox that a busy machine holds up is no upstream that hangs.
UNHURRIED: Final = {"YIMA_RATE_LIMITS": "off", "YIMA_UPSTREAM_TIMEOUT_MS": "15000"}
Headers = dict[str, str]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as asking:
        asking.bind(("127.0.0.1", 0))
        return int(asking.getsockname()[1])


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without settings of ours, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YIMA_")}
    return {**kept, **more}


class Program:
    """A program of ours with a data directory, its output in a file, all its processes marked."""

    def __init__(self, command: list[str], data: Path, **settings: str) -> None:
        self.data = data
        self.mark = uuid4().hex
        self.port = free_port()
        self.log = Path(tempfile.mkstemp(prefix="yima-test-log-")[1])
        given = {"YIMA_PORT": str(self.port), "YIMA_DATA_DIR": str(data), processes.MARK: self.mark, **settings}
        self.began = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=clean_environment(**given),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def text(self) -> str:
        """All that it printed."""
        return self.log.read_text(errors="replace")

    def processes(self) -> list[processes.Process]:
        """What of it lives."""
        return processes.of(self.mark, self.data)

    def workers(self) -> list[int]:
        """The process ids of its HTTP workers."""
        return [worker.pid for worker in processes.workers(self.processes())]

    def stop(self) -> None:
        """End it in order, then whatever is left."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        for left in self.processes():
            processes.kill(left.pid)
        self.log.unlink(missing_ok=True)

    def gone(self, seconds: float) -> float:
        """Wait until nothing of it lives; the seconds it took."""
        return processes.wait_for("all its processes gone", lambda: self.process.poll() is not None, seconds) + (
            processes.wait_for("all its processes gone", lambda: not self.processes(), seconds)
        )


class Demo(Program):
    """`yima demo` (or `make run`), ready."""

    def __init__(self, data: Path, command: list[str] | None = None, **settings: str) -> None:
        super().__init__(command or [YIMA, "demo"], data, **(UNHURRIED | settings))
        written = data / "demo.json"
        while not self._ready(written):
            if self.process.poll() is not None or time.monotonic() - self.began > READY_SECONDS * patience():
                said = self.text()
                self.stop()
                raise AssertionError(f"the demo did not start: {said[-2000:]}")
            time.sleep(0.02)
        self.ready_after = time.monotonic() - self.began
        self.info: dict[str, Any] = json.loads(written.read_text())
        self.http = httpx.Client(base_url=self.info["base_url"], timeout=30, trust_env=False)
        self.sandbox = httpx.Client(base_url=self.info["sandbox_url"], timeout=30, trust_env=False)

    def _ready(self, written: Path) -> bool:
        """Whether demo.json is of this start (one that was killed leaves its own behind)."""
        try:
            return bool(json.loads(written.read_text())["base_url"].endswith(f":{self.port}"))
        except (FileNotFoundError, PermissionError):
            return False

    def stop(self) -> None:
        """End it and close our connections."""
        if hasattr(self, "http"):
            self.http.close()
            self.sandbox.close()
        super().stop()

    @property
    def database_url(self) -> str:
        """The embedded cluster's address."""
        password = (self.data / "postgres" / "password").read_text().strip()
        folder = quote(str(self.data / "postgres" / "socket"), safe="")
        return f"postgres://postgres:{password}@/postgres?host={folder}"

    @property
    def postmaster(self) -> int:
        """PostgreSQL's main process."""
        return int((self.data / "postgres" / "data" / "postmaster.pid").read_text().split("\n", 1)[0])

    def patient(self, n: int = 0) -> Headers:
        """Person n of the demo, signed in."""
        answer = self.http.post("/v1/patient/session", json={"js_code": self.info["people"][n]["js_code"]})
        return bearer(_ok(answer)["token"])

    def hospital(self, which: str = "hospital") -> Headers:
        """A hospital's client with a token."""
        client = self.info[which]
        basic = (client["client_id"], client["client_secret"])
        answer = self.http.post("/v1/oauth/token", data={"grant_type": "client_credentials"}, auth=basic)
        return bearer(_ok(answer)["access_token"])

    def admin(self, role: str) -> Headers:
        """An administrator of that role."""
        return bearer(next(admin["token"] for admin in self.info["admins"] if admin["role"] == role))

    def card(self, me: Headers, n: int = 0) -> dict[str, Any]:
        """Person n's own card, made if it is not there."""
        for card in _ok(self.http.get("/v1/patient/cards", headers=me))["cards"]:
            if card["relation"] == "self":
                return dict(card)
        return _ok(self.http.post("/v1/patient/cards", headers=me, json=self.card_request(n)))

    def card_request(self, n: int) -> dict[str, Any]:
        """The body that binds person n to their own account."""
        person = self.info["people"][n]
        return {
            **{name: person[name] for name in ("name", "id_type", "id_number", "phone", "insurance")},
            "relation": "self",
            "proof": {"type": "wechat-phone", "code": person["phone_code"]},
            "consent": {"policy": "2026-11"},
        }

    def code(self, me: Headers, card: dict[str, Any]) -> str:
        """A new code."""
        return str(_ok(self.http.post(f"/v1/patient/cards/{card['card_id']}/codes", headers=me, json={}))["code"])

    def scan(self, who: Headers, code: str, terminal: str = "W01") -> httpx.Response:
        """POST resolutions."""
        body = {"code": code, "step": "0101051", "channel": "0100", "terminal": terminal}
        return self.http.post("/v1/hospital/resolutions", headers=who, json=body)


def patience() -> float:
    """How many times longer than alone things may take now: others may be using the processors."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def bearer(token: str) -> Headers:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


def _ok(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}"
    return dict(answer.json())


def short_folder() -> Path:
    """A new private folder with a short path (a unix socket's path has at most 107 bytes)."""
    return Path(tempfile.mkdtemp(prefix="yima-t-"))


def copy_of(data: Path, folder: Path) -> Path:
    """A copy of a demo's data below the folder, with its owners and modes."""
    made = folder / "data"
    subprocess.run(["cp", "-a", str(data), str(made)], check=True)
    return made


def remove(folder: Path) -> None:
    """Remove it with all below."""
    shutil.rmtree(folder, ignore_errors=True)
