"""The other side of the clients under test: a running sandbox, and a server that says whatever it is told."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from api.problems import Problem
from api.sandbox import PEOPLE, Person, SandboxSecrets, create_sandbox
from api.upstream.http import Http, HttpLimits
from api.upstream.insurer import Insurer, InsurerConfig
from api.upstream.registry import Registry, RegistryConfig
from api.upstream.sms import SmsConfig, TextMessages
from api.upstream.wechat import WeChat, WeChatConfig
from codes.identity import IdDocument, parse_document
from codes.insurance import InsuranceNumber, parse_insurance

START = 1_793_000_000.0  # in October 2026
SECRETS = SandboxSecrets(
    wechat_secret="seeded-wechat-secret",
    registry_secret="seeded-registry-secret",
    sms_secret="seeded-sms-secret",
    insurer_secret="seeded-insurer-secret",
)
QUICK = HttpLimits(connect_seconds=2, total_seconds=2, answer_bytes=64 * 1024, pause_seconds=0.01)
IMPATIENT = HttpLimits(connect_seconds=0.3, total_seconds=0.3)
_names = itertools.count()


@dataclass
class Clock:
    """A clock that tests move."""

    at: float = START

    def __call__(self) -> float:
        return self.at


class LockedTokens:
    """AccessTokens for one process: the lock is the lease."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.lock = asyncio.Lock()
        self.token: str | None = None
        self.ends = 0.0

    async def current(self) -> str | None:
        return self.token if self.ends > self.now() else None

    async def refresh(self, fetch: Callable[[], Awaitable[tuple[str, int]]], stale: str | None) -> str:
        async with self.lock:
            held = await self.current()
            if held is not None and held != stale:
                return held
            self.token, seconds = await fetch()
            self.ends = self.now() + seconds
            return self.token


@dataclass
class Clients:
    """Every client, configured for one address, and what the metrics hook heard."""

    http: Http
    wechat: WeChat
    registry: Registry
    sms: TextMessages
    insurer: Insurer
    tokens: LockedTokens
    clock: Clock
    heard: list[tuple[str, str, str]]


@asynccontextmanager
async def clients(
    base_url: str, clock: Clock | None = None, limits: HttpLimits = QUICK, secrets: SandboxSecrets = SECRETS
) -> AsyncIterator[Clients]:
    clock = clock or Clock()
    heard: list[tuple[str, str, str]] = []
    tokens = LockedTokens(clock)
    async with Http(limits, lambda upstream, call, outcome, _seconds: heard.append((upstream, call, outcome))) as http:
        yield Clients(
            http=http,
            wechat=WeChat(WeChatConfig(secrets.wechat_appid, secrets.wechat_secret, base_url), http, tokens, clock),
            registry=Registry(RegistryConfig(base_url, secrets.registry_app_id, secrets.registry_secret), http, clock),
            sms=TextMessages(SmsConfig(base_url, secrets.sms_app_id, secrets.sms_secret), http, clock),
            insurer=Insurer(
                InsurerConfig(
                    base_url,
                    secrets.insurer_fixmedins_code,
                    secrets.insurer_fixmedins_name,
                    secrets.insurer_mdtrtarea,
                    app_id=secrets.insurer_app_id,
                    secret=secrets.insurer_secret,
                ),
                http,
                clock,
            ),
            tokens=tokens,
            clock=clock,
            heard=heard,
        )


@dataclass
class Sandbox:
    """A running sandbox: its state, and its levers over HTTP."""

    base_url: str
    app: Any
    clock: Clock
    levers: httpx.AsyncClient

    async def fault(self, upstream: str, fault: str, **more: Any) -> None:
        answer = await self.levers.post(
            "/sandbox/faults", json={"upstream": upstream, "fault": fault, "times": 100, **more}
        )
        assert answer.status_code == 201, answer.text

    async def calm(self) -> None:
        assert (await self.levers.delete("/sandbox/faults")).status_code == 204

    async def calls(self, upstream: str) -> list[str]:
        seen = (await self.levers.get("/sandbox/calls")).json()["calls"]
        return [one["call"] for one in seen if one["upstream"] == upstream]


@asynccontextmanager
async def running_sandbox(**more: Any) -> AsyncIterator[Sandbox]:
    clock = Clock()
    app = create_sandbox(f"sandbox-{next(_names)}", secrets=SECRETS, now=clock, **more)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    server: Any = await app.create_server(sock=sock, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    async with httpx.AsyncClient(base_url=base_url, trust_env=False, verify=False) as levers:
        yield Sandbox(base_url, app, clock, levers)
    app.ctx.world.stopping.set()
    server.close()
    for connection in list(server.connections):
        connection.abort()
    await server.wait_closed()


@dataclass
class Told:
    """A server that answers each request with the next of `answers` (raw bytes; the last one again and again)."""

    answers: list[bytes]
    requests: list[bytes] = field(default_factory=list)
    base_url: str = ""
    drip: float = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next((int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), 0)
                self.requests.append(head + await reader.readexactly(length))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if self.drip:
                    for byte in answer:
                        writer.write(bytes([byte]))
                        await writer.drain()
                        await asyncio.sleep(self.drip)
                writer.write(b"" if self.drip else answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def told(*answers: bytes, drip: float = 0.0) -> AsyncIterator[Told]:
    script = Told(list(answers), drip=drip)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield script
    server.close()


def raw(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer."""
    fields = {"content-type": "application/json", "content-length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def document(person: Person) -> IdDocument:
    return parse_document(person.id_type, person.id_number)


def insurance(person: Person) -> InsuranceNumber:
    return parse_insurance(person.insurance.type, person.insurance.number, person.insurance.area)


async def outcome(made: Awaitable[object]) -> object:
    """What it gives, or the kind of problem it raises; any other exception is a failed test."""
    try:
        return await made
    except Problem as problem:
        return problem.kind


ME, OTHER, CHILD = PEOPLE[0], PEOPLE[1], PEOPLE[-1]
