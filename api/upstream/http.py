"""The one way out: every call to a system outside goes through `Http`.

Rules (security.md, threat 24): addresses come from configuration, never from an answer; no redirect is followed;
no proxy of the environment is used; no cookie is kept; time, connections and the size of an answer are bounded;
a compressed answer is refused; an answer must be one JSON object of the expected type without a key twice.
A call that broke is repeated only if nothing was sent, or if the caller marked it safe and `retries` allows.

Logs and metrics name the system, the call and the outcome, nothing else. WeChat's protocol puts secrets into
the query, so httpx and httpcore, which log addresses, are silenced here, and no exception of theirs is chained.
"""

import asyncio
import http.cookiejar
import ipaddress
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import httpx
import msgspec

from api.problems import UPSTREAM_FAILED, UPSTREAM_TIMEOUT, Kind, Problem, Text

Answer = TypeVar("Answer")
# (upstream, call, outcome, seconds); every outcome is a word of this package, so labels stay few
CallsHook = Callable[[str, str, str, float], None]
# (method, path, body) -> headers; asked anew for each attempt, as a signature's nonce is used once
Signer = Callable[[str, str, bytes], Mapping[str, str]]

JSON_TYPES: Final = frozenset({"application/json"})
# What older Chinese platforms, WeChat's jscode2session among them, call their JSON
LOOSE_JSON_TYPES: Final = JSON_TYPES | {"text/plain"}

_log = logging.getLogger("yima.upstream")


def _silence_http_libraries() -> None:
    """Nothing of httpx or httpcore is logged at any level: their lines hold addresses with secrets."""
    for name in ("httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy"):
        library = logging.getLogger(name)
        library.setLevel(logging.CRITICAL + 1)
        library.addFilter(_nothing)
        library.propagate = False


def _nothing(_record: logging.LogRecord) -> bool:
    return False


_silence_http_libraries()


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of every call. Seconds, bytes and counts.

    `total_seconds` covers all attempts of one call. `retries`: how often a call marked safe is repeated after
    a lost connection or a 5xx. `plain_hosts`: hosts, besides loopback, that may be spoken to without TLS.
    """

    connect_seconds: float = 2.0
    total_seconds: float = 5.0
    answer_bytes: int = 256 * 1024
    retries: int = 0
    pause_seconds: float = 0.1
    connections: int = 100
    plain_hosts: frozenset[str] = frozenset()


DEFAULT_LIMITS: Final = HttpLimits()


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that gave no usable answer. `number`: an HTTP status or an upstream's error number."""

    outcome: str
    number: int | None = None
    sent: bool = True


class CallFailed(Problem):
    """The problem of a call without a usable answer; `failure.sent` says whether anything was sent."""

    def __init__(self, failure: Failure, kind: Kind, detail: Text) -> None:
        super().__init__(kind, detail)
        self.failure = failure


def _unheard(_upstream: str, _call: str, _outcome: str, _seconds: float) -> None:
    return None


class Http:
    """The shared HTTP client: `upstream()` gives each system's client its own bound view of it.

    calls: told after each call, for metrics. transport: how connections are made, where not httpx's own way.
    Close with `aclose()`, or use as an async context manager.
    """

    def __init__(
        self,
        limits: HttpLimits = DEFAULT_LIMITS,
        calls: CallsHook = _unheard,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.limits = limits
        self.calls = calls
        no_cookies = http.cookiejar.CookieJar(policy=http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self.client = httpx.AsyncClient(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            cookies=no_cookies,
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "Yima"},
            timeout=httpx.Timeout(
                limits.total_seconds, connect=limits.connect_seconds, pool=min(1.0, limits.total_seconds)
            ),
            limits=httpx.Limits(max_connections=limits.connections, max_keepalive_connections=20),
        )

    def upstream(self, name: str, label: Text, base_url: str, content_types: frozenset[str] = JSON_TYPES) -> "Upstream":
        """The system `name` at `base_url`. `label`: what people call it, for the text of a problem.

        Raises ValueError for an address that is not https (or http to loopback or a `plain_hosts` host), or
        that carries user, query or fragment.
        """
        _check_address(base_url, self.limits.plain_hosts)
        return Upstream(self, name, label, base_url.rstrip("/"), content_types)

    async def aclose(self) -> None:
        """Close all connections."""
        await self.client.aclose()

    async def __aenter__(self) -> "Http":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _check_address(base_url: str, plain_hosts: frozenset[str]) -> None:
    url = httpx.URL(base_url)
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or url.query or url.fragment:
        raise ValueError("an upstream's address is http(s)://host[:port][/path]")
    if url.scheme == "http" and url.host not in plain_hosts and not _is_loopback(url.host):
        raise ValueError("an upstream outside this machine is spoken to over https")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Upstream:
    """One system outside: `async with upstream.calling("person") as call: await call.send(…)`."""

    def __init__(self, shared: Http, name: str, label: Text, base_url: str, content_types: frozenset[str]) -> None:
        self.name = name
        self.label = label
        self._http = shared
        self._base_url = base_url
        self._content_types = content_types

    @asynccontextmanager
    async def calling(self, name: str) -> AsyncIterator["Call"]:
        """Frame of one call: whatever happens inside is reported once, to the log and to the hook."""
        call = Call(self, name)
        began = time.monotonic()
        try:
            yield call
        except asyncio.CancelledError:
            call.outcome = "cancelled"
            raise
        except Problem:
            call.outcome = call.outcome if call.outcome != "ok" else "refused"
            raise
        except Exception:
            call.outcome = "bug"
            raise
        finally:
            self._report(call, time.monotonic() - began)

    def _report(self, call: "Call", seconds: float) -> None:
        level = logging.INFO if call.outcome in ("ok", "refused") else logging.WARNING
        _log.log(level, "upstream call", extra={**call.fields(), "ms": round(seconds * 1000, 1)})
        self._http.calls(self.name, call.name, call.outcome, seconds)

    async def attempt(
        self, request: httpx.Request, deadline: float, kinds: frozenset[str] = frozenset(), most: int | None = None
    ) -> bytes | Failure:
        """Send once and read the whole answer, or say what went wrong; raises nothing but cancellation."""
        try:
            async with asyncio.timeout_at(deadline):
                return await self._exchange(request, kinds, most or self._http.limits.answer_bytes)
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
            return Failure("timeout")
        except (httpx.ConnectTimeout, httpx.PoolTimeout):
            return Failure("timeout", sent=False)
        except httpx.ConnectError:
            return Failure("unreachable", sent=False)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError):
            return Failure("broken")

    async def _exchange(self, request: httpx.Request, kinds: frozenset[str], most: int) -> bytes | Failure:
        response = await self._http.client.send(request, stream=True, follow_redirects=False)
        try:
            if refused := self._refuse_head(response, kinds):
                return refused
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > most:
                    return Failure("too-large")
            return bytes(body)
        finally:
            await response.aclose()

    def _refuse_head(self, response: httpx.Response, kinds: frozenset[str]) -> Failure | None:
        if 300 <= response.status_code < 400:
            return Failure("redirected", response.status_code)
        if response.status_code != 200:
            return Failure("status", response.status_code)
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            return Failure("encoded")
        if (
            response.headers.get("content-type", "").partition(";")[0].strip().lower()
            not in self._content_types | kinds
        ):
            return Failure("content-type")
        return None

    def build(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | Sequence[str]] | None,
        body: bytes,
        sign: Signer | None,
        alone: bool,
    ) -> httpx.Request:
        """The request of one attempt. `path` is a constant of the calling module, never anybody's input."""
        headers = {"Content-Type": "application/json"} if body else {}
        if alone:
            headers["Connection"] = "close"
        if sign:
            headers.update(sign(method, path, body))
        return self._http.client.build_request(
            method, self._base_url + path, params=query, content=body or None, headers=headers
        )

    @property
    def limits(self) -> HttpLimits:
        """The bounds of its calls."""
        return self._http.limits


class Call:
    """One call under way. `outcome` becomes its word in logs and metrics, `number` goes to the log alone."""

    def __init__(self, upstream: Upstream, name: str) -> None:
        self.upstream = upstream
        self.name = name
        self.outcome = "ok"
        self.number: int | None = None

    def fields(self) -> dict[str, str | int]:
        """What a log line may say of this call."""
        known: dict[str, str | int] = {"upstream": self.upstream.name, "call": self.name, "outcome": self.outcome}
        if self.number is not None:
            known["status" if self.outcome in ("status", "redirected") else "errcode"] = self.number
        return known

    async def send(
        self,
        method: str,
        path: str,
        *,
        answer: type[Answer],
        query: Mapping[str, str | Sequence[str]] | None = None,
        body: object = None,
        sign: Signer | None = None,
        safe: bool = False,
        alone: bool = False,
    ) -> Answer:
        """Ask, and decode the answer into `answer` (a msgspec Struct).

        body: encoded as JSON. safe: asking twice does no harm. alone: a connection of its own, for protocols
        whose answers do not name the question: a stray answer then never reaches another person's call.

        Raises CallFailed: Problem upstream-timeout (no answer in time) or upstream-failed (an unusable one).
        """
        found = await self.fetch(method, path, query=query, body=body, sign=sign, safe=safe, alone=alone)
        return self.decoded(found, answer)

    async def fetch(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | Sequence[str]] | None = None,
        body: object = None,
        sign: Signer | None = None,
        safe: bool = False,
        alone: bool = False,
        kinds: frozenset[str] = frozenset(),
        most: int | None = None,
    ) -> bytes:
        """As `send`, but the answer's bytes as they came: for files.

        kinds: content types taken besides the upstream's own. most: bytes, where more than usual may come.
        """
        content = b"" if body is None else msgspec.json.encode(body)
        deadline = asyncio.get_running_loop().time() + self.upstream.limits.total_seconds
        repeats = 0
        while True:
            request = self.upstream.build(method, path, query, content, sign, alone)
            result = await self.upstream.attempt(request, deadline, kinds, most)
            if isinstance(result, bytes):
                return result
            if repeats >= self._repeats_after(result, safe):
                raise self.failed(result)
            repeats += 1
            await asyncio.sleep(self.upstream.limits.pause_seconds)

    def _repeats_after(self, failure: Failure, safe: bool) -> int:
        if failure.outcome == "unreachable":
            return 1
        gone = failure.outcome == "broken" or (failure.outcome == "status" and (failure.number or 0) >= 500)
        return self.upstream.limits.retries if safe and gone else 0

    def decoded(self, body: bytes, answer: type[Answer]) -> Answer:
        """`body` as `answer`. Raises CallFailed (malformed)."""
        decoded = decode(body, answer)
        if decoded is None:
            raise self.unusable("malformed")
        return decoded

    def failed(self, failure: Failure) -> "CallFailed":
        """The problem that `failure` is, noted as this call's outcome."""
        self.outcome, self.number = failure.outcome, failure.number
        label = self.upstream.label
        if failure.outcome == "timeout":
            return CallFailed(
                failure,
                UPSTREAM_TIMEOUT,
                Text(f"{label.zh}没有及时响应，请稍后再试。", f"{label.en} did not answer in time; try again later."),
            )
        return CallFailed(
            failure,
            UPSTREAM_FAILED,
            Text(f"{label.zh}暂时无法使用，请稍后再试。", f"{label.en} cannot be used right now; try again later."),
        )

    def unusable(self, outcome: str, number: int | None = None) -> "CallFailed":
        """An answer that came but cannot be used; `outcome` is a word of ours ("malformed", "lying", …)."""
        return self.failed(Failure(outcome, number))

    def refused(self, number: int | None = None) -> None:
        """Note that the system said no, properly."""
        self.outcome, self.number = "refused", number


def decode(body: bytes, answer: type[Answer]) -> Answer | None:
    """`body` as one JSON value of type `answer`, or None: not UTF-8, not JSON, a key twice, a wrong type."""
    try:
        json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
        return msgspec.json.decode(body, type=answer, strict=True)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _refuse(_constant: str) -> None:
    raise ValueError("not a JSON number")
