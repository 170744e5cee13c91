"""The consent texts by version. A version's text never changes; a new text is a new version."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from api.open.types import Policy, PolicyList
from api.problems import NOT_FOUND, Problem
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject

VERSIONS: Final = ("2026-11",)
subject = Subject("Open")


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A policy's two texts. `sha256` is over the zh text, a NUL, and the en text, in UTF-8."""

    version: str
    zh: str
    en: str

    @property
    def sha256(self) -> bytes:
        """What is kept with each consent."""
        return hashlib.sha256(f"{self.zh}\0{self.en}".encode()).digest()


def _load(version: str) -> PolicyText:
    folder = files("api") / "policy_texts"
    zh, en = ((folder / f"{version}.{language}.txt").read_text(encoding="utf-8") for language in ("zh", "en"))
    return PolicyText(version, zh, en)


POLICIES: Final = {version: _load(version) for version in VERSIONS}


def _shown(policy: PolicyText) -> Policy:
    return Policy(policy.version, policy.zh, policy.en, policy.sha256.hex())


@subject.route(
    "GET", "/v1/policies", Caller.ANYONE, "The consent texts, newest first", answers={200: PolicyList}, limit="open"
)
async def list_policies(call: Call[None]) -> Answer:
    """All versions."""
    return Answer(200, PolicyList([_shown(POLICIES[version]) for version in reversed(VERSIONS)]))


@subject.route(
    "GET",
    "/v1/policies/<version:str>",
    Caller.ANYONE,
    "One consent text",
    answers={200: Policy},
    problems=(NOT_FOUND,),
    limit="open",
)
async def show_policy(call: Call[None]) -> Answer:
    """One version."""
    policy = POLICIES.get(call.request.match_info["version"])
    if policy is None:
        raise Problem(NOT_FOUND)
    return Answer(200, _shown(policy))
