"""The ID registry: do name, number and phone belong together, is somebody a child's guardian, is a face theirs.

The protocol, JSON over HTTPS, every request a POST signed as `api.upstream.signing` says (nothing personal is in
an address). Each body carries a fresh `request_id` (32 hex digits), which the answer must repeat:

| path | body besides request_id | answer besides request_id |
| --- | --- | --- |
| /v1/agreements | person: {name, id_type, id_number}, phone | agrees: bool |
| /v1/persons | person | exists: bool |
| /v1/guardianships | guardian: person, child: person | guardian: bool |
| /v1/face-checks | reference (ours; the same again gives the same check), person, phone | check_id |
| /v1/face-checks/query | check_id | check_id, status: "pending", "passed" or "failed" |

`id_type` as WS 364 CV02.01.101. Success is 200. Errors: {request_id, error: {code, text}} with 400 malformed,
401 app-unknown, signature-wrong, timestamp-off (more than 300 s) or nonce-used, 404 check-unknown,
503 unavailable. A no (`agrees: false`) is an answer, never an error.
"""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

import msgspec

from api.problems import Text
from api.upstream.http import Http
from api.upstream.signing import signer
from codes.identity import IdDocument

_CHECK_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class RegistryConfig:
    """The registry's address and our account there."""

    base_url: str
    app_id: str
    secret: str = field(repr=False)


class _Answer(msgspec.Struct, frozen=True):
    request_id: str


class _Agreement(_Answer, frozen=True):
    agrees: bool


class _Existence(_Answer, frozen=True):
    exists: bool


class _Guardianship(_Answer, frozen=True):
    guardian: bool


class _Started(_Answer, frozen=True):
    check_id: str


class _State(_Answer, frozen=True):
    check_id: str
    status: Literal["pending", "passed", "failed"]


_A = TypeVar("_A", bound=_Answer)


class Registry:
    """The registry's calls. All raise Problem upstream-failed or upstream-timeout when there is no clear answer.

    now: Unix seconds, for the signature.
    """

    def __init__(self, config: RegistryConfig, http: Http, now: Callable[[], float] = time.time) -> None:
        self._sign = signer(config.app_id, config.secret, now)
        self._registry = http.upstream("registry", Text("身份核验服务", "The ID registry"), config.base_url)

    async def agrees(self, name: str, document: IdDocument, phone: str) -> bool:
        """Whether name, document and phone are one person's."""
        body = {"person": _person(name, document), "phone": phone}
        return (await self._ask("agreement", "/v1/agreements", body, _Agreement)).agrees

    async def person_exists(self, name: str, document: IdDocument) -> bool:
        """Whether there is such a person: the number known, and the name theirs."""
        return (await self._ask("person", "/v1/persons", {"person": _person(name, document)}, _Existence)).exists

    async def guardian_of(self, guardian_name: str, guardian: IdDocument, child_name: str, child: IdDocument) -> bool:
        """Whether the first person is the second one's guardian."""
        body = {"guardian": _person(guardian_name, guardian), "child": _person(child_name, child)}
        return (await self._ask("guardianship", "/v1/guardianships", body, _Guardianship)).guardian

    async def start_face_check(self, reference: str, name: str, document: IdDocument, phone: str) -> str:
        """The id of a face check, begun on the person's own phone; the same `reference` gives the same check."""
        body = {"reference": reference, "person": _person(name, document), "phone": phone}
        return (await self._ask("face-check", "/v1/face-checks", body, _Started)).check_id

    async def face_check_passed(self, check_id: str) -> bool | None:
        """True or False once it is decided, None while it is pending."""
        state = await self._ask("face-check-state", "/v1/face-checks/query", {"check_id": check_id}, _State)
        return None if state.status == "pending" else state.status == "passed"

    async def _ask(self, name: str, path: str, body: Mapping[str, object], answer: type[_A]) -> _A:
        request_id = secrets.token_hex(16)
        async with self._registry.calling(name) as call:
            got = await call.send(
                "POST", path, answer=answer, body={"request_id": request_id, **body}, sign=self._sign, safe=True
            )
            # an answer to another question, however friendly, is no answer
            if got.request_id != request_id or not _fits(got, body):
                raise call.unusable("lying")
            return got


def _fits(got: _Answer, body: Mapping[str, object]) -> bool:
    if isinstance(got, _State):
        return got.check_id == body["check_id"]
    return not isinstance(got, _Started) or _CHECK_ID.fullmatch(got.check_id) is not None


def _person(name: str, document: IdDocument) -> dict[str, str]:
    return {"name": name, "id_type": str(document.type), "id_number": document.number}
