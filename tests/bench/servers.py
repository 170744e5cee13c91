"""What is measured, started as it is run for real: the demo with one worker, and the minimum beside it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from api.run.processes import die_with_parent
from tests.bench.minimum import DATABASE

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
# The product's own settings, but for what would stand in the way: limits per caller, and codes that live to be scanned.
SETTINGS: Final = {"YIMA_WORKERS": "1", "YIMA_RATE_LIMITS": "off", "YIMA_CODE_LIFE": "300", "YIMA_PORT": "0"}
_YIMA: Final = [sys.executable, "-c", "import sys; from api.commands import main; sys.exit(main())"]


class Demo:
    """`yima demo` on a data directory, its output in a file beside it; `ready_after` seconds until demo.json is there."""

    def __init__(self, data: Path, database: str | None = None) -> None:
        self.data = data
        self.database = database
        self._output = data.with_name(data.name + ".log")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("YIMA_")}
        settings = {**SETTINGS, "YIMA_DATA_DIR": str(data), **({"YIMA_DATABASE_URL": database} if database else {})}
        began = time.monotonic()
        with open(self._output, "ab") as output:
            self._process = subprocess.Popen(
                [*_YIMA, "demo"],
                env={**kept, **settings},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        self.info: dict[str, Any] = self._wait(data / "demo.json")
        self.ready_after = time.monotonic() - began
        self.port = int(self.info["base_url"].rpartition(":")[2])

    def _wait(self, file: Path) -> Any:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if file.exists():
                return json.loads(file.read_text())
            time.sleep(0.01)
        self.stop()
        raise RuntimeError(f"the demo did not start: {self._output.read_text(errors='replace')[-2000:]}")

    @property
    def worker(self) -> int:
        """The process id of its one worker."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == self._process.pid and b"api.run.worker" in (folder / "cmdline").read_bytes():
                    return int(folder.name)
            except OSError:
                continue
        raise RuntimeError("the demo has no worker")

    def stop(self) -> None:
        """End it in order."""
        end(self._process)


class Minimum:
    """The hand-written minimum on a port of its own, against its own database of the same cluster."""

    def __init__(self, public: bytes, database: str) -> None:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        sock.listen(1024)
        self.port: int = sock.getsockname()[1]
        reader, writer = os.pipe()
        options = ["--fd", str(sock.fileno()), "--ready", str(writer), "--public", public.hex()]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.minimum", *options],
            env={**os.environ, DATABASE: database},
            pass_fds=(sock.fileno(), writer),
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        os.close(writer)
        sock.close()
        said = os.read(reader, 1)
        os.close(reader)
        if said != b"1":
            self.stop()
            raise RuntimeError("the minimum did not start")

    @property
    def worker(self) -> int:
        """Its process id."""
        return self._process.pid

    def stop(self) -> None:
        """End it."""
        end(self._process)


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL for what does not go."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """The resident memory of a process, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel names no resident memory")
