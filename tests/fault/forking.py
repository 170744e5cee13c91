"""Workers made by fork from a process that has read all code, perhaps to die at a point: hundreds in a few minutes.

`python -m tests.fault.forking`, with the settings of a worker. A line in, `point:passes`; a line out, the worker's
address and process id, or `failed` where it did not come to be. Its workers end with it.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import api.run.worker
from api.run import failpoints
from tests.support.servers import address_of, listening_socket


class Forking:
    """The process, from outside."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    async def worker(self) -> str:
        """The address of a worker that lives as long as this."""
        return (await self.dying("", 0))[0]

    async def dying(self, point: str, passes: int) -> tuple[str, int]:
        """A worker that dies there: its address and process id."""
        reader, writer = self._process.stdout, self._process.stdin
        assert reader is not None
        assert writer is not None
        async with self._turn:
            writer.write(f"{point}:{passes}\n".encode())
            said = (await reader.readline()).decode().split()
        assert len(said) == 2, f"no worker: {said}"
        return said[0], int(said[1])


@asynccontextmanager
async def forking(settings: dict[str, str]) -> AsyncIterator[Forking]:
    """The process, as long as it is needed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YIMA_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fault.forking"),
        env={**kept, **settings},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Forking(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def lives(pid: int) -> bool:
    """Whether a process is there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def _fork(point: str, passes: int) -> tuple[str, int]:
    """A worker that says it is ready. Raises RuntimeError where it does not."""
    sock = listening_socket()
    address = address_of(sock)
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(2, 1)  # what it prints is no answer
        failpoints._name, failpoints._left = point, passes
        sys.argv = ["worker", "--fd", str(sock.detach()), "--ready", str(writer)]
        try:
            api.run.worker.main()
        finally:
            os._exit(1)
    sock.close()
    os.close(writer)
    said = os.read(reader, 1)
    os.close(reader)
    if said != b"1":
        raise RuntimeError("a worker did not come to be")
    return address, pid


def main() -> None:
    """One worker a line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    made = []
    for line in sys.stdin:
        point, _, passes = line.strip().partition(":")
        try:
            address, pid = _fork(point, int(passes))
        except RuntimeError:
            print("failed", flush=True)
            continue
        made.append(pid)
        print(address, pid, flush=True)
    for pid in made:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
