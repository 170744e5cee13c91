"""A PACS that does what it is told, and what no PACS should: it hangs, redirects, lies, floods, drips, packs."""

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.support.pacs import SHANGHAI, new_uid

DICOM_JSON: Final = "application/dicom+json"
JPEG: Final = b"\xff\xd8\xff\xe0" + bytes(2000) + b"\xff\xd9"
Way = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def http(body: bytes, content_type: str = DICOM_JSON, status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer."""
    fields = {"Content-Type": content_type, "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    return (
        f"HTTP/1.1 {status}\r\n{''.join(f'{n}: {v}{chr(13)}{chr(10)}' for n, v in fields.items())}\r\n".encode() + body
    )


def listed(*datasets: dict[str, Any]) -> bytes:
    """A QIDO-RS answer."""
    return http(json.dumps(datasets).encode())


def dataset(**values: Any) -> dict[str, Any]:
    """A data set by tags of eight hexadecimal digits, each behind a letter: `t00100020="P-1"`."""
    return {tag[1:]: {"vr": "UN", "Value": v if isinstance(v, list) else [v]} for tag, v in values.items()}


def study(number: str, uid: str | None = None, **more: Any) -> dict[str, Any]:
    """A study of today as QIDO-RS lists it."""
    now = datetime.now(SHANGHAI)
    told = {"t0020000D": uid or new_uid(), "t00100020": number, "t00080020": f"{now:%Y%m%d}", "t00080030": "0001"}
    return dataset(**{**told, "t00080061": "CT", "t00201206": 1, "t00201208": 1, **more})


def series(uid: str | None = None, **more: Any) -> dict[str, Any]:
    """A series, of the patient P-1 unless told otherwise."""
    told = {"t0020000E": uid or new_uid(), "t00100020": "P-1", "t00080060": "CT", "t00200011": 1, "t00201209": 1}
    return dataset(**{**told, **more})


def instance(number: int = 1, series_uid: str | None = None, **more: Any) -> dict[str, Any]:
    """An instance, of the patient P-1 unless told otherwise."""
    told = {"t0020000E": series_uid or new_uid(), "t00080018": new_uid(), "t00200011": 1, "t00200013": number}
    return dataset(**{**told, "t00100020": "P-1", "t00080060": "CT", **more})


@dataclass
class Peer:
    """A server. `answers`: by the end of the path; bytes as they are, a list for each offset, or a way to misbehave."""

    answers: dict[str, bytes | list[bytes] | Way] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    address: str = ""
    sent: int = 0
    under_way: int = 0
    serving: set[asyncio.Task[None]] = field(default_factory=set)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)
        self.writers.add(writer)
        self.under_way += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head.decode())
                await self._answer(urlsplit(head.split(b" ")[1].decode()), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.under_way -= 1
            self.writers.discard(writer)
            self.gone.set()
            writer.close()

    async def _answer(self, asked: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = next((one for end, one in self.answers.items() if asked.path.endswith(end)), None)
        if isinstance(found, list):
            offset = int(parse_qs(asked.query)["offset"][0])
            found = found[sum(1 for one in range(len(found)) if one * 200 < offset)] if offset else found[0]
        if found is None:
            found = http(b"", status="404 Not Found")
        if isinstance(found, bytes):
            writer.write(found)
            await writer.drain()
        else:
            await found(reader, writer)

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [urlsplit(one.split(" ")[1]).path for one in self.requests]

    # Ways to misbehave

    async def hang(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        """Say nothing."""
        await reader.read()

    async def stop_in_the_middle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin a picture, then say nothing more."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"1000\r\n" + JPEG[:4] + bytes(0x1000 - 4) + b"\r\n")
        for _ in range(20):  # enough to be given on
            writer.write(b"1000\r\n" + bytes(0x1000) + b"\r\n")
        await writer.drain()
        await reader.read()

    async def break_off(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin a picture and close."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 300000\r\n\r\n" + JPEG[:4])
        writer.write(bytes(200_000))
        await writer.drain()
        writer.close()

    def flood(self, content_type: str, first: bytes = b"[", filling: bytes = b" ") -> Way:
        """Ten gigabytes, as fast as they are taken."""

        async def way(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
            block = filling * 65_536
            writer.write(head.encode() + b"%x\r\n%s\r\n" % (len(first), first))
            with contextlib.suppress(ConnectionError):
                while self.sent < 10 * 1024**3:
                    writer.write(b"%x\r\n%s\r\n" % (len(block), block))
                    self.sent += len(block)
                    await writer.drain()

        return way

    async def drip(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A byte now and then."""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/dicom+json\r\nContent-Length: 100000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)


def bomb() -> bytes:
    """A gigabyte of blanks in a megabyte."""
    packed = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    return http(packed, Content_Encoding="gzip")


@asynccontextmanager
async def running_peer(**answers: Any) -> AsyncIterator[Peer]:
    """A peer on loopback. `answers`: by the last word of the path."""
    peer = Peer({f"/{end}": one for end, one in answers.items()})
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/dicom-web"
    try:
        yield peer
    finally:
        server.close()
        for writer in list(peer.writers):
            writer.transport.abort()
        await asyncio.wait_for(asyncio.gather(*peer.serving), 5)
