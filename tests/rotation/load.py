"""Patients, hospitals and offline verifiers at work on a running demo, and what went wrong for them."""

import asyncio
import re
import time
from collections import Counter
from typing import Any, Final

import httpx

from codes.keyset import KeySet
from codes.verify import authenticate, verify
from tests.process.demo import Demo, Headers, bearer

SCAN: Final = {"step": "0101051", "channel": "0200", "terminal": "T"}
SET: Final = "/.well-known/yima/keys.cbor"


class Offline:
    """A verifier that fetches the key set as Cache-Control allows and not before, an unknown kid or not."""

    def __init__(self) -> None:
        self.keys: KeySet | None = None
        self.until = 0.0

    async def accepts(self, http: httpx.AsyncClient, code: str) -> None:
        """Check a code. Raises CodeError."""
        if self.keys is None or time.monotonic() > self.until:
            asked = time.monotonic()
            answer = await http.get(SET)
            kept = re.search(r"max-age=(\d+)", answer.headers["cache-control"])
            assert kept is not None
            self.keys, self.until = KeySet.from_cbor(answer.content), asked + int(kept[1])
        verify(code, self.keys, int(time.time()))


class Work:
    """So many lines of: issue, check offline, wait, resolve. Faults are whatever was refused and not stolen."""

    def __init__(self, demo: Demo, lines: int) -> None:
        self.demo = demo
        self.lines = lines
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.stolen: dict[str, float] = {}  # kid -> monotonic time of the compromise's answer
        self.replacing = False  # replacements are published to nobody before: verifiers do without
        self._stop = asyncio.Event()

    async def __aenter__(self) -> "Work":
        me = self.demo.patient()
        card = self.demo.card(me)["card_id"]
        hospital = _hospital(self.demo)
        self.http = httpx.AsyncClient(base_url=self.demo.info["base_url"], timeout=30, trust_env=False)
        self.tasks = [asyncio.create_task(self._line(me, card, hospital)) for _ in range(self.lines)]
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._stop.set()
        await asyncio.gather(*self.tasks)
        await self.http.aclose()

    async def _line(self, me: Headers, card: str, hospital: Headers) -> None:
        verifier = Offline()
        while not self._stop.is_set():
            try:
                await self._once(me, card, hospital, verifier)
            except Exception as error:
                self.faults.append(f"{type(error).__name__}: {error}")

    async def _once(self, me: Headers, card: str, hospital: Headers, verifier: Offline) -> None:
        asked = time.monotonic()
        issued = await self.http.post(f"/v1/patient/cards/{card}/codes", headers=me, json={})
        if issued.status_code != 201:
            self.faults.append(f"issue {issued.status_code} {issued.text[:120]}")
            return
        self.counts["issued"] += 1
        code = issued.json()["code"]
        kid = kid_of(code)
        if self.stolen.get(kid, asked) < asked:
            self.faults.append("a code that was asked for after a compromise's answer is under the stolen key")
        if not self.replacing:
            await verifier.accepts(self.http, code)
            self.counts["offline"] += 1
        await asyncio.sleep(0.02)
        began = time.monotonic()
        scanned = await self.http.post("/v1/hospital/resolutions", headers=hospital, json={"code": code, **SCAN})
        if scanned.status_code == 201:
            self.counts["resolved"] += 1
            if self.stolen.get(kid, began) < began:
                self.faults.append("a scan begun after a compromise's answer resolved")
        elif scanned.status_code == 422 and self.replacing:
            self.counts["refused, stolen"] += 1
        else:
            self.faults.append(f"resolve {scanned.status_code} {scanned.text[:120]}")


class _Any:
    def verifying(self, kid: bytes) -> None:
        raise KeyError(kid)


def kid_of(code: str) -> str:
    """The kid that a code names."""
    try:
        authenticate(code, _Any())
    except KeyError as found:
        return bytes(found.args[0]).hex()
    raise AssertionError("a code names a kid")


def _hospital(demo: Demo) -> Headers:
    given = demo.info["hospital"]
    form = {"grant_type": "client_credentials"}
    answer = demo.http.post("/v1/oauth/token", data=form, auth=(given["client_id"], given["client_secret"]))
    return bearer(answer.json()["access_token"])
