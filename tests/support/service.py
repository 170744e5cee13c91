"""One Yima in this process, on real parts: a database of its own, the sandbox beside it, HTTP on real sockets."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from api.app import create_app
from api.policies import VERSIONS
from api.sandbox.app import create_sandbox
from api.sandbox.config import SandboxSecrets
from api.sandbox.pay_keys import PayKeys, make_pay_keys
from api.sandbox.people import Person
from api.services import Services, make_services
from api.settings import Settings
from codes.issue import IssuedCode, issue
from models.admins import add_admin
from models.clients import SCOPES, add_client, add_hospital, secret_hash
from models.database import transaction
from tests.support.pay import pay_folder
from tests.support.people import identity_of, insurance_of, new_person
from tests.support.servers import Cluster, listening_socket, serving

ALL_SCOPES: Final = tuple(SCOPES)
SCAN: Final = {"step": "0101051", "channel": "0100", "terminal": "W01"}
Headers = dict[str, str]
_MACHINE_TIME: Final = "clock_timestamp()"


class Client:
    """A hospital's client that authenticates by its secret."""

    def __init__(self, hospital_id: str, client_id: str, secret: str) -> None:
        self.hospital_id = hospital_id
        self.client_id = client_id
        self.secret = secret


class Service:
    """The service as its callers meet it, and the levers of a test: time, the database, the sandbox, the keys."""

    def __init__(self, services: Services, http: httpx.AsyncClient, sandbox: httpx.AsyncClient, world: Any) -> None:
        self.services = services
        self.http = http
        self.sandbox = sandbox
        self.world = world
        self._time_moved = False

    # People and who they are here

    def person(self, name: str | None = None, **more: Any) -> Person:
        """A new person whom the sandbox's systems know."""
        made = new_person(name, **more)
        self.world.people = (*self.world.people, made)
        return made

    async def patient(self, person: Person) -> Headers:
        """The person, signed in."""
        return bearer((await self.signed_in(person))["token"])

    async def signed_in(self, person: Person) -> dict[str, Any]:
        """The answer of signing in."""
        return _ok(await self.http.post("/v1/patient/session", json={"js_code": person.js_code}))

    def card_request(self, person: Person, **other: Any) -> dict[str, Any]:
        """The body that binds a person to their own account; `other` overrides fields, None removes them."""
        body = {
            **identity_of(person),
            "relation": "self",
            "proof": {"type": "wechat-phone", "code": person.phone_code},
            "insurance": insurance_of(person),
            "consent": {"policy": VERSIONS[-1]},
            **other,
        }
        return {name: value for name, value in body.items() if value is not None}

    async def bind(self, me: Headers, body: dict[str, Any], **headers: str) -> httpx.Response:
        """POST cards."""
        return await self.http.post("/v1/patient/cards", headers={**me, **headers}, json=body)

    async def card(self, me: Headers, person: Person, **other: Any) -> dict[str, Any]:
        """A new card of the person."""
        return _ok(await self.bind(me, self.card_request(person, **other)))

    async def holder(self, person: Person | None = None, **other: Any) -> tuple[Headers, dict[str, Any]]:
        """A signed-in person with their own card."""
        person = person or self.person()
        me = await self.patient(person)
        return me, await self.card(me, person, **other)

    async def texted(self, me: Headers, person: Person) -> dict[str, Any]:
        """The proof of a person by the code that was texted to them."""
        asked = await self.http.post(
            "/v1/patient/verifications", headers=me, json={"type": "sms", **identity_of(person)}
        )
        text = await self.last_text(person.phone)
        return {"type": "sms", "verification_id": _ok(asked)["verification_id"], "code": digits_of(text)}

    async def last_text(self, phone: str) -> str:
        """The last text to a phone, once the outbox has no more to send."""
        await self.deliver()
        sent = _ok(await self.sandbox.get("/sandbox/outbox", params={"phone": phone}))["messages"]
        assert sent, "no text was sent"
        return str(sent[-1]["text"])

    async def deliver(self) -> None:
        """Let the outbox send what is due now."""
        await self.services.outbox._send_due(self.services)

    # Codes and scans

    async def code(self, me: Headers, card: dict[str, Any], services: list[str] | None = None) -> str:
        """A new code of a card."""
        body = {} if services is None else {"services": services}
        issued = _ok(await self.http.post(f"/v1/patient/cards/{card['card_id']}/codes", headers=me, json=body))
        return str(issued["code"])

    async def own_code(self, card: dict[str, Any], *, iat: int, life: int = 60, **other: Any) -> IssuedCode:
        """A code that the service's own key signed at another time, or over another handle."""
        handle = other.pop("handle", None)
        if handle is None:
            handle = await self.value("SELECT handle FROM cards WHERE id = $1", card["card_id"])
        key = self.services.vault.ring.issuing()
        given = {"services": None, "nonce": secrets.token_bytes(4), **other}
        return issue(key, handle=handle, now=iat, life=life, **given)

    async def scan(self, who: Headers, code: str, **more: Any) -> httpx.Response:
        """POST resolutions."""
        return await self.http.post("/v1/hospital/resolutions", headers=who, json={"code": code, **SCAN, **more})

    async def resolved(self, who: Headers, code: str, **more: Any) -> dict[str, Any]:
        """A resolution that was won."""
        return _ok(await self.scan(who, code, **more))

    # Hospitals and administrators

    async def client(
        self, scopes: tuple[str, ...] = ALL_SCOPES, *, hospital_id: str | None = None, name: str = "测试医院"
    ) -> Client:
        """A new client, of a new hospital unless one is named."""
        secret = secrets.token_urlsafe(32)
        async with transaction() as tx:
            found: Any = hospital_id or await add_hospital(
                name, f"H{secrets.randbelow(10**11):011d}", "430102", using=tx
            )
            bits = sum(SCOPES[scope] for scope in scopes)
            made = await add_client(found, "HIS", bits, hashed_secret=secret_hash(secret), jwks=None, using=tx)
        return Client(str(found), str(made), secret)

    async def token(self, client: Client, **form: str) -> httpx.Response:
        """POST token with HTTP Basic."""
        data = {"grant_type": "client_credentials", **form}
        return await self.http.post("/v1/oauth/token", data=data, auth=(client.client_id, client.secret))

    async def hospital(self, scopes: tuple[str, ...] = ALL_SCOPES, **more: Any) -> Headers:
        """A new client of a new hospital, with its token."""
        return bearer(_ok(await self.token(await self.client(scopes, **more)))["access_token"])

    async def admin(self, role: str) -> Headers:
        """A new administrator."""
        made = await add_admin(f"{role}-{secrets.token_hex(4)}", role)
        assert made is not None
        return bearer(made[1])

    # Levers

    async def sql(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Run a statement as somebody who can write the database."""
        connection = await asyncpg.connect(self.services.settings.database_url)
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def value(self, statement: str, *values: Any) -> Any:
        """The first value of a statement."""
        return (await self.sql(statement, *values))[0][0]

    async def move_time(self, seconds: float) -> None:
        """The clock that decides is now so many seconds ahead of the machine's (0: as the machine's)."""
        offset = f" + make_interval(secs => {seconds!r})" if seconds else ""
        await self._replace_clock(_MACHINE_TIME + offset)

    async def stop_time(self, at: float) -> None:
        """The clock that decides stands at this second since 1970."""
        await self._replace_clock(f"to_timestamp({at!r})")

    async def _replace_clock(self, expression: str) -> None:
        await self.sql(
            "CREATE OR REPLACE FUNCTION yima_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE"
            f" AS $$ SELECT {expression} $$"
        )
        await self.services.keeper.refresh()
        self._time_moved = expression != _MACHINE_TIME

    @contextmanager
    def impatient(self, seconds: float = 1.0) -> Iterator[None]:
        """Inside, no upstream is waited for longer than this; elsewhere a busy machine has all the time it needs."""
        http = self.services.upstreams.http
        before, http.limits = http.limits, replace(http.limits, total_seconds=seconds)
        try:
            yield
        finally:
            http.limits = before

    async def as_found(self) -> None:
        """The sandbox without faults and the time the machine's, as every test finds them."""
        self.world.faults.clear()
        if self._time_moved:
            await self.move_time(0)

    def now(self) -> float:
        """Seconds since 1970 by the clock that decides."""
        return self.services.clock.now()

    async def fault(self, upstream: str, fault: str, **more: Any) -> None:
        """Order a fault of the sandbox."""
        _ok(await self.sandbox.post("/sandbox/faults", json={"upstream": upstream, "fault": fault, **more}))

    async def calls(self, upstream: str, call: str | None = None) -> int:
        """How many calls an upstream got so far."""
        found = _ok(await self.sandbox.get("/sandbox/calls"))["calls"]
        return sum(one["upstream"] == upstream and call in (None, one["call"]) for one in found)


def bearer(token: str) -> Headers:
    """The header of a bearer token."""
    return {"Authorization": f"Bearer {token}"}


def digits_of(text: str) -> str:
    """The six digits in a text."""
    return next(word for word in text.replace("，", " ").split() if len(word) == 6 and word.isdigit())


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem of an answer that says no, as RFC 9457 and api.md have it."""
    assert (response.status_code, response.json().get("code")) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["type"], body["status"]) == (f"/problems/{code}", status)
    assert body["request_id"] == response.headers["x-request-id"]
    return body


def _ok(response: httpx.Response) -> dict[str, Any]:
    assert response.is_success, f"{response.request.method} {response.request.url.path}: {response.text}"
    body: dict[str, Any] = response.json()
    return body


def settings_for(url: str, sandbox_url: str, data_dir: Path, **more: Any) -> Settings:
    """Settings of a service beside a sandbox: no limits, no rotations, unless `more` says so."""
    accounts: dict[str, Any] = {one: getattr(SandboxSecrets(), one) for one in SandboxSecrets.__slots__}
    names = ("wechat", "registry", "sms", "insurer", "wechat_pay")
    upstreams: dict[str, Any] = {f"{name}_url": sandbox_url for name in names}
    pay_keys: dict[str, Any] = {
        name.removeprefix("YIMA_").lower(): Path(file) for name, file in make_pay_keys(pay_folder()).items()
    }
    base = Settings(
        key_backup_horizon=0,  # no backup of a test is ever put back
        data_dir=data_dir,
        database_url=url,
        rate_limits=False,
        rotate_code=0,
        rotate_token=0,
        rotate_print=0,
        upstream_timeout_ms=15_000,  # an overloaded machine is no upstream that hangs: `impatient` for those
        **upstreams,
        **accounts,
        **pay_keys,
    )
    return replace(base, **more)


@asynccontextmanager
async def running_service(cluster: Cluster, data_dir: Path, **more: Any) -> AsyncIterator[Service]:
    """A service in this event loop, with settings `more`; `url` among them names its database."""
    given = more.pop("url", None)
    url = given or await cluster.new_database()
    clock: list[Any] = []
    sandbox_app = create_sandbox(
        f"sandbox-{secrets.token_hex(4)}", (), now=lambda: clock[0].now(), pay_keys=PayKeys.of(pay_folder())
    )
    sandbox_app.ctx.pay.refund_seconds = 0.05
    sandbox_app.ctx.pay.notifier.pauses = (0.05, 0.1, 0.2, 0.4, 0.8)
    async with serving(sandbox_app, listening_socket()) as sandbox_url:
        sock = listening_socket()
        port = sock.getsockname()[1]
        services = make_services(settings_for(url, sandbox_url, data_dir, port=port, **more), cluster.root)
        clock.append(services.clock)
        try:
            async with (
                serving(create_app(services), sock) as base_url,
                httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False, verify=False) as http,
                httpx.AsyncClient(base_url=sandbox_url, timeout=30, trust_env=False, verify=False) as sandbox,
            ):
                yield Service(services, http, sandbox, sandbox_app.ctx.world)
        finally:
            if given is None:
                await cluster.drop(url)
