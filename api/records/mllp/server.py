"""The listening side: connections, one message in hand on each, bounded in number, size and time."""

import asyncio
import contextlib
import hashlib
import logging
import socket
import ssl
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final, NamedTuple

from api.records.mllp.framing import BLOCK_MOST, Block, Fault, Framer, framed
from api.records.mllp.header import read_header
from api.records.mllp.receiving import Receiver
from api.records.mllp.senders import Address, Peer, Senders

STOP_SECONDS: Final = 6.0  # below what the supervisor gives its children
_CHUNK: Final = 64 * 1024
_log = logging.getLogger("yima.mllp")


class Bounds(NamedTuple):
    """Seconds, bytes and numbers. `stall`: between two bytes of a block; a whole block gets ten times that."""

    block: int = BLOCK_MOST
    stranger_block: int = 64 * 1024
    idle: float = 900.0
    stall: float = 30.0
    connections: int = 256
    of_one_address: int = 32
    in_hand: int = 8


class Server:
    """Takes connections until `stop`."""

    def __init__(self, receiver: Receiver, senders: Senders, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.receiver = receiver
        self.senders = senders
        self.in_hand = asyncio.Semaphore(self.bounds.in_hand)
        self.stopping = False
        self._server: asyncio.Server | None = None
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._of: Counter[Address] = Counter()

    async def start(self, sock: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Listen on a bound socket."""
        more: dict[str, Any] = {"ssl": tls, "ssl_handshake_timeout": 10.0} if tls else {}
        self._server = await asyncio.start_server(self._accept, sock=sock, **more)

    async def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Take no more; let each connection finish the message that it has in hand."""
        self.stopping = True
        if self._server:
            self._server.close()
        for connection, task in list(self._connections.items()):
            if not connection.busy:
                task.cancel()
        tasks = list(self._connections.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this in a task of its own
        try:
            peer = _peer_of(writer)
        except (OSError, ValueError, IndexError):  # gone already
            writer.close()
            return
        full = len(self._connections) >= self.bounds.connections
        if self.stopping or full or self._of[peer.address] >= self.bounds.of_one_address:
            if not self.stopping:
                _log.warning("too many connections", extra={"count": len(self._connections)})
            writer.close()
            return
        connection = Connection(self, peer, reader, writer)
        self._connections[connection] = task
        self._of[peer.address] += 1
        try:
            await connection.run()
        except (OSError, asyncio.CancelledError):  # the other end went, or we stop
            pass
        finally:
            del self._connections[connection]
            self._of[peer.address] -= 1
            if not self._of[peer.address]:
                del self._of[peer.address]
            writer.close()


class Connection:
    """One sender's stream: a block is read, kept and answered before the next is looked at."""

    def __init__(self, server: Server, peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.busy = False
        self._server = server
        self._peer = peer
        self._reader = reader
        self._writer = writer
        self._framer = Framer(server.bounds.stranger_block)
        self._half: Block | None = None
        self._began = 0.0

    async def run(self) -> None:
        """Until the other end closes, nothing comes for long, or we stop."""
        while not self._server.stopping:
            data = await self._next()
            if data is None:
                given_up = self._framer.give_up()
                if given_up is None or not await self._finish(given_up):
                    return
                continue
            if not data:
                return
            await self._know()
            for block in self._framer.feed(data):
                if not await self._take(block) or self._server.stopping:
                    return

    async def _next(self) -> bytes | None:
        """What comes next: b"" at the end, None where the time for it is over."""
        bounds = self._server.bounds
        wait = bounds.idle
        if self._framer.inside:
            self._began = self._began or time.monotonic()
            wait = min(bounds.stall, self._began + 10 * bounds.stall - time.monotonic())
        else:
            self._began = 0.0
        try:
            return await asyncio.wait_for(self._reader.read(_CHUNK), max(wait, 0.0))
        except TimeoutError:
            return None

    async def _know(self) -> None:
        """A registered sender's blocks may be longer than a stranger's, who gets no more than an answer."""
        if self._framer.most < self._server.bounds.block:
            with contextlib.suppress(Exception):  # the answer will say what is the matter
                if await self._server.senders.of(self._peer):
                    self._framer.most = self._server.bounds.block

    async def _take(self, block: Block) -> bool:
        """Answer a block; whether the connection goes on. A half block waits for the one that began inside of it."""
        if block.fault is Fault.NOT_ENDED:
            self._half = block
            return True
        return await self._finish(block)

    async def _finish(self, block: Block) -> bool:
        """Answer a block and the half one before it.

        That is answered only if it names a message, and not the one that follows: its sender would take the answer
        for the next one's.
        """
        half, self._half = self._half, None
        if half is not None and _control_id(half) not in ("", _control_id(block)) and not await self._answer(half):
            return False
        return await self._answer(block)

    async def _answer(self, block: Block) -> bool:
        self.busy = True
        try:
            async with self._server.in_hand:
                answer = await self._server.receiver.answer(block, self._peer)
            self._writer.write(framed(answer.message))
            await asyncio.wait_for(self._writer.drain(), self._server.bounds.stall)
            return not answer.ends
        except TimeoutError:  # it does not read what it is told
            return False
        finally:
            self.busy = False


def tls_context(certificate: Path, key: Path, authorities: Path) -> ssl.SSLContext:
    """TLS 1.2 or later with a client certificate that `authorities` vouch for (or that is itself among them)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authorities)
    return context


def _peer_of(writer: asyncio.StreamWriter) -> Peer:
    tls = writer.get_extra_info("ssl_object")
    certificate = tls.getpeercert(True) if tls else None
    return Peer.of(
        writer.get_extra_info("peername")[0], hashlib.sha256(certificate).hexdigest() if certificate else None
    )


def _control_id(block: Block) -> str:
    header = read_header(block.data, "UTF-8")
    return header.control_id if header else ""
