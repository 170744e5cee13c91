"""A demo of one's own for the pictures: on a free port, in a folder of its own, ended with them."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 30.0
_COMMAND: Final = (sys.executable, "-c", "import sys; from api.run.demo import main; sys.exit(main())")


@contextmanager
def own_demo() -> Iterator[Path]:
    """Runs a demo; gives its demo.json. RuntimeError with the demo's words if it does not start."""
    with tempfile.TemporaryDirectory(prefix="yima-shots-") as folder:
        data, log = Path(folder) / "data", Path(folder) / "log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("YIMA_")}
        environment |= {"YIMA_DATA_DIR": str(data), "YIMA_PORT": "0", "YIMA_RATE_LIMITS": "off"}
        with log.open("wb") as out:
            demo = subprocess.Popen(_COMMAND, env=environment, stdout=out, stderr=out)
        try:
            yield _ready(demo, data / "demo.json", log)
        finally:
            demo.terminate()
            try:
                demo.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                demo.kill()
                demo.wait()


def _ready(demo: subprocess.Popen[bytes], file: Path, log: Path) -> Path:
    end = time.monotonic() + START_SECONDS
    while not file.exists():
        if demo.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the demo did not start:\n{log.read_text('utf-8', 'replace')}")
        time.sleep(0.2)
    return file
