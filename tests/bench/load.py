"""The load generator, a process of its own: so many requests over so many kept-alive connections, no pipelining.

`python -m tests.bench.load` reads one JSON job a line and answers each with one JSON line; `Load` speaks to it.
"""

import collections
import contextlib
import json
import selectors
import socket
import subprocess
import sys
import time
from typing import Final, NamedTuple

import msgspec

_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_STATUS: Final = slice(9, 12)  # "HTTP/1.1 201 …"
_CHUNK: Final = 64 * 1024
_SILENCE: Final = 20.0  # seconds without any answer that end a run


class Request(NamedTuple):
    """One HTTP request. `headers` are of one caller; `body` is JSON text, empty with GET and DELETE."""

    path: str
    headers: dict[str, str]
    body: str
    method: str = "POST"


class Outcome(NamedTuple):
    """What a run gave: seconds from the first byte to the last, answers by status, and bodies where asked for."""

    seconds: float
    statuses: dict[str, int]
    bodies: list[str]


class Job(msgspec.Struct):
    """A run. Requests are whole, as text; `keep` asks for the bodies of the answers, in no order."""

    port: int
    connections: int
    requests: list[str]
    keep: bool


class Load:
    """The generator, started once; each run is timed on its side."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        command = [sys.executable, "-m", "tests.bench.load"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, port: int, requests: list[Request], *, keep: bool = False, connections: int = 0) -> Outcome:
        """Send all requests to a port of this machine, as fast as they are answered."""
        assert self._process.stdin
        assert self._process.stdout
        job = Job(port, connections or self._connections, [_as_text(port, request) for request in requests], keep)
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the load generator ended"
        return Outcome(**json.loads(line))

    def stop(self) -> None:
        """End it."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(10)


def _as_text(port: int, request: Request) -> str:
    headers = {
        "Host": f"127.0.0.1:{port}",
        **request.headers,
        "Content-Type": "application/json",
        "Content-Length": str(len(request.body.encode())),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{request.method} {request.path} HTTP/1.1\r\n{lines}\r\n{request.body}"


class Connection:
    """One kept-alive connection: the next request goes out when the answer to the last is whole."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._got = b""

    def answer(self) -> bytes | None:
        """What has arrived, once it is a whole answer. Raises ConnectionError at the end of the connection."""
        data = self.socket.recv(_CHUNK)
        if not data:
            raise ConnectionError("the connection was closed with an answer due")
        self._got = self._got + data if self._got else data
        end = self._got.find(_HEAD_END)
        if end < 0 or len(self._got) < end + len(_HEAD_END) + _length(self._got[:end]):
            return None
        whole, self._got = self._got, b""
        return whole


def _length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.find(_LENGTH)
    return int(lowered[at + len(_LENGTH) :].split(b"\r", 1)[0]) if at >= 0 else 0


def perform(job: Job) -> Outcome:
    """Open the connections, then time the requests. One thread and a selector: as little as it takes."""
    waiting = collections.deque(text.encode() for text in job.requests)
    statuses: collections.Counter[bytes] = collections.Counter()
    answers: list[bytes] = []
    missing = len(waiting)
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        made = [Connection(job.port) for _ in range(min(job.connections, missing))]
        for connection in made:
            stack.callback(connection.socket.close)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        began = time.perf_counter()
        for connection in made:
            connection.socket.sendall(waiting.popleft())
        while missing:
            for key, _ in _ready(selector):
                answer = key.data.answer()
                if answer is None:
                    continue
                missing -= 1
                statuses[answer[_STATUS]] += 1
                if job.keep:
                    answers.append(answer)
                if waiting:
                    key.data.socket.sendall(waiting.popleft())
        seconds = time.perf_counter() - began
    return Outcome(
        seconds,
        {status.decode(): count for status, count in statuses.items()},
        [answer.partition(_HEAD_END)[2].decode() for answer in answers],
    )


def _ready(selector: selectors.BaseSelector) -> list[tuple[selectors.SelectorKey, int]]:
    found = selector.select(_SILENCE)
    if not found:
        raise TimeoutError(f"no answer for {_SILENCE:.0f} s")
    return found


def main() -> None:
    """Serve jobs until standard input ends."""
    decoder = msgspec.json.Decoder(Job)
    for line in sys.stdin.buffer:
        outcome = perform(decoder.decode(line))
        sys.stdout.write(json.dumps(outcome._asdict()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
