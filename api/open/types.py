"""Answers of the open calls."""

import msgspec


class Policy(msgspec.Struct):
    """A consent text. `sha256`, lower-case hex, is over zh, a NUL, and en, in UTF-8."""

    version: str
    zh: str
    en: str
    sha256: str


class PolicyList(msgspec.Struct):
    """All consent texts."""

    policies: list[Policy]
