"""Starting children that end with us, and replacing those that died."""

import asyncio
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_QUICK_SECONDS: Final = 5.0
_PAUSE_MOST: Final = 1.0  # a worker that is killed again and again must not keep its patients waiting
STOP_SECONDS: Final = 8.0

_log = logging.getLogger("yima.run")


def die_with_parent(by: int) -> Callable[[], None]:
    """For preexec_fn: ask Linux to send this signal when the parent dies, however it dies."""

    parent = os.getpid()

    def ask() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, by)
            if os.getppid() != parent:  # it died before we could ask
                os._exit(1)

    return ask


class Child:
    """A program kept running until `stop`: when it dies it is started again, at once if it had lived a while."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: dict[str, str],
        *,
        fds: Sequence[int] = (),
        died: Callable[[int], None] | None = None,
    ) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._fds = tuple(fds)
        self._died = died
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def keep(self) -> None:
        """Run it until `stop`."""
        pause = 0.0
        while not self._stopping:
            began = time.monotonic()
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=self._fds,
                start_new_session=True,  # a Ctrl-C is for the supervisor, which stops us in order
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
            code = await self._process.wait()
            if self._died:
                self._died(self._process.pid)
            if self._stopping:
                return
            lived = time.monotonic() - began
            pause = 0.0 if lived > _QUICK_SECONDS else min(_PAUSE_MOST, max(0.2, pause * 2))
            _log.warning("a process died and is replaced", extra={"worker": self.name, "status": code})
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of ours in this Python."""
    return [sys.executable, "-m", module, *arguments]


def child_environment(more: dict[str, str]) -> dict[str, str]:
    """Our environment with these settings."""
    return {**os.environ, **more}
