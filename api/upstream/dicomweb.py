"""A hospital's PACS by DICOMweb (PS3.18): QIDO-RS finds studies, series and instances, WADO-RS gives a picture as JPEG.

Every address is built here, of the registered one and UIDs that were checked; RetrieveURL and whatever else an answer
names is never looked at. The rules of `api.upstream.http` hold (no redirect, no compression, time and size bounded),
those of `api.upstream.reach` for where connections may go, and one PACS has few calls under way at once, so that one
that hangs does not take the others' connections.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

import httpx
import msgspec

from api.problems import Text
from api.upstream.dicom_json import (
    Dataset,
    Instance,
    Lying,
    Series,
    Study,
    instances_of,
    is_uid,
    series_of,
    study_of,
)
from api.upstream.http import Call, CallsHook, Failure, Http, HttpLimits, Upstream
from api.upstream.reach import ReachableTransport, check_address

LABEL: Final = Text("医院影像系统", "The hospital's imaging system")
LIMITS: Final = HttpLimits(connect_seconds=3.0, total_seconds=10.0, answer_bytes=4 * 1024 * 1024, connections=200)
JSON_TYPES: Final = frozenset({"application/dicom+json", "application/json"})
JPEG: Final = "image/jpeg"
PICTURE_MOST: Final = 8 * 1024 * 1024  # bytes
PICTURE_SECONDS: Final = 120.0  # of a whole picture, since whoever looks at it may be slow
AT_ONCE: Final = 8  # calls to one PACS
PAGE: Final = 200  # studies
STUDIES_MOST: Final = 20_000  # a turn
SERIES_MOST: Final = 1_000
INSTANCES_PAGE: Final = 1_000
INSTANCES_MOST: Final = 10_000
_STUDY_FIELDS: Final = (
    "00080020",
    "00080030",
    "00080050",
    "00080061",
    "00081030",
    "00100020",
    "0020000D",
    "00201206",
    "00201208",
)
_SERIES_FIELDS: Final = ("00080060", "00100020", "0008103E", "0020000E", "00200011", "00201209")
_INSTANCE_FIELDS: Final = ("00080018", "00080060", "00100020", "0020000E", "00200011", "00200013")


class Registered(msgspec.Struct, frozen=True):
    """A PACS as an administrator registered it: its address, and a user with password or a bearer token, or neither."""

    address: str
    username: str | None = None
    password: str | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return "Registered(…)"  # no credential in a traceback

    def authorization(self) -> dict[str, str]:
        """The header that says who asks."""
        if self.token is not None:
            return {"Authorization": f"Bearer {self.token}"}
        if self.username is not None:
            pair = f"{self.username}:{self.password or ''}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return {}


class Picture(NamedTuple):
    """A JPEG under way. `length`: its bytes, if the PACS says; `chunks` raises Problem where it does not end well."""

    length: int | None
    chunks: AsyncIterator[bytes]


class _Upstream(Upstream):
    """QIDO-RS may say "no matches" without a body (PS3.18 section 8.3.4.4)."""

    async def attempt(
        self, request: httpx.Request, deadline: float, kinds: frozenset[str] = frozenset(), most: int | None = None
    ) -> bytes | Failure:
        result = await super().attempt(request, deadline, kinds, most)
        return b"[]" if result == Failure("status", 204) else result


class Archive:
    """One PACS."""

    def __init__(self, http: Http, registered: Registered, door: asyncio.Semaphore) -> None:
        address = check_address(registered.address)
        self._http = http
        self._upstream = _Upstream(http, "pacs", LABEL, address, JSON_TYPES)
        self._address = address
        self._headers = registered.authorization()
        self._door = door

    async def studies(self, first: date, last: date) -> AsyncIterator[list[Study]]:
        """Pages of the studies of these days, each study once. Raises Problem upstream-timeout or upstream-failed."""
        seen: set[str] = set()
        for offset in range(0, STUDIES_MOST, PAGE):
            days = f"{first:%Y%m%d}-{last:%Y%m%d}"
            async with self._calling("studies") as call:
                page = await self._ask(call, "/studies", _STUDY_FIELDS, PAGE, offset=str(offset), StudyDate=days)
            studies = [study for one in page if (study := study_of(one)) and study.uid not in seen]
            seen.update(study.uid for study in studies)
            yield studies
            if len(page) != PAGE or not studies:  # the last one, or a PACS that knows no paging
                return

    async def series(self, study: str, number: str) -> list[Series]:
        """The series of a study, by number; `number`: the PatientID that each answer must name.

        Raises Problem upstream-timeout or upstream-failed.
        """
        async with self._calling("series") as call:
            found = await self._ask(call, f"{_study(study)}/series", _SERIES_FIELDS, SERIES_MOST)
            try:
                return series_of(found[:SERIES_MOST], study, number)
            except Lying:
                raise call.unusable("lying") from None

    async def instances(self, study: str, number: str) -> list[Instance]:
        """The pictures of a study, by the numbers of series and instance. `number`, raises: as `series`."""
        found: list[Dataset] = []
        async with self._calling("instances") as call:
            for offset in range(0, INSTANCES_MOST, INSTANCES_PAGE):
                page = await self._ask(
                    call, f"{_study(study)}/instances", _INSTANCE_FIELDS, INSTANCES_PAGE, offset=str(offset)
                )
                if page and page[0] in found[:1]:  # a PACS that knows no paging begins anew
                    break
                found += page
                if len(page) != INSTANCES_PAGE:
                    break
            try:
                return instances_of(found, study, number)
            except Lying:
                raise call.unusable("lying") from None

    async def _ask(self, call: Call, path: str, fields: tuple[str, ...], limit: int, **query: str) -> list[Dataset]:
        asked = {**query, "includefield": fields, "limit": str(limit)}  # repeated: not all know a list with commas
        return await call.send("GET", path, answer=list[Dataset], query=asked, sign=self._sign, safe=True)

    def _sign(self, _method: str, _path: str, _body: bytes) -> Mapping[str, str]:
        return {**self._headers, "Accept": "application/dicom+json"}

    @asynccontextmanager
    async def _calling(self, name: str) -> AsyncIterator[Call]:
        """A call, once fewer than AT_ONCE are under way."""
        async with self._upstream.calling(name) as call:
            try:
                async with asyncio.timeout(self._http.limits.total_seconds):
                    await self._door.acquire()
            except TimeoutError:
                raise call.failed(Failure("timeout", sent=False)) from None
            try:
                yield call
            finally:
                self._door.release()

    @asynccontextmanager
    async def picture(self, study: str, instance: Instance) -> AsyncIterator[Picture]:
        """The first frame of an instance as a JPEG; leaving the context ends the connection.

        Raises Problem upstream-timeout or upstream-failed; on entering unless the PACS answers with a JPEG.
        """
        path = f"{_study(study)}/series/{_uid(instance.series)}/instances/{_uid(instance.uid)}/frames/1/rendered"
        headers = {**self._headers, "Accept": JPEG}
        request = self._http.client.build_request("GET", self._address + path, headers=headers)
        async with self._calling("picture") as call:
            response = await self._send(call, request)
            try:
                length = _length_of(call, response)
                chunks = _within(call, response.aiter_raw(64 * 1024), self._http.limits.total_seconds)
                first = await anext(chunks, b"")
                if not first.startswith(b"\xff\xd8\xff"):
                    raise call.unusable("lying")
                yield Picture(length, _joined(first, chunks))
            finally:
                await response.aclose()

    async def _send(self, call: Call, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(self._http.limits.total_seconds):
                return await self._http.client.send(request, stream=True)
        except (TimeoutError, httpx.TimeoutException):
            raise call.unusable("timeout") from None
        except httpx.ConnectError:
            raise call.unusable("unreachable") from None
        except (httpx.HTTPError, OSError, ValueError):
            raise call.unusable("broken") from None


def _length_of(call: Call, response: httpx.Response) -> int | None:
    """The length of a JPEG that begins here. Raises Problem if it is none, or too long."""
    if response.status_code != 200:
        raise call.unusable("redirected" if 300 <= response.status_code < 400 else "status", response.status_code)
    if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise call.unusable("encoded")
    if response.headers.get("content-type", "").partition(";")[0].strip().lower() != JPEG:
        raise call.unusable("content-type")
    said = response.headers.get("content-length")
    length = int(said) if said is not None and said.isdigit() and len(said) < 20 else None
    if length is not None and length > PICTURE_MOST:
        raise call.unusable("too-large")
    return length


async def _within(call: Call, chunks: AsyncIterator[bytes], wait: float) -> AsyncIterator[bytes]:
    """The chunks, while they come in time and are not too many. `wait`: seconds for the next one."""
    loop, size = asyncio.get_running_loop(), 0
    end = loop.time() + PICTURE_SECONDS
    while True:
        try:
            async with asyncio.timeout_at(min(end, loop.time() + wait)):
                chunk = await anext(chunks, None)
        except (TimeoutError, httpx.TimeoutException):
            raise call.unusable("timeout") from None
        except (httpx.HTTPError, httpx.StreamError, OSError, ValueError):
            raise call.unusable("broken") from None
        if chunk is None:
            return
        size += len(chunk)
        if size > PICTURE_MOST:
            raise call.unusable("too-large")
        yield chunk


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def _study(uid: str) -> str:
    return f"/studies/{_uid(uid)}"


def _uid(uid: str) -> str:
    """A UID as part of an address; whatever else would lead elsewhere is refused."""
    if not is_uid(uid):
        raise ValueError("not a UID")
    return uid


class DicomWeb:
    """The way to all registered PACSs: one client, and for each address its bound of calls at once."""

    def __init__(self, calls: CallsHook, limits: HttpLimits = LIMITS) -> None:
        self._http = Http(limits, calls, ReachableTransport(limits.connections))
        self._doors: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def archive(self, registered: Registered) -> Archive:
        """The PACS at an address. Raises ValueError for one that may not be registered."""
        door = self._doors.setdefault(registered.address, asyncio.Semaphore(AT_ONCE))
        return Archive(self._http, registered, door)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()
