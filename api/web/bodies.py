"""Reading a JSON body strictly: UTF-8, no key twice, the declared shape, and faults as JSON pointers."""

import json
import re
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from api.problems import BODY_MALFORMED, VALIDATION_FAILED, FieldError, Problem, Text

Shape = TypeVar("Shape")

EMPTY: Final = b"{}"
_DEEPEST: Final = 32
_AT: Final = re.compile(r" - at `(\$[^`]*)`$")
_QUOTED_VALUE: Final = re.compile(r"(Invalid enum value|Invalid value) .*")


class _KeyTwice(ValueError):
    pass


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) != len({name for name, _ in pairs}):
        raise _KeyTwice


def _no_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


_strict: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant).decode


def parse(body: bytes, shape: type[Shape], kept: str | None = None) -> Shape:
    """The body as `shape`. `kept`: its msgspec.Raw member, whose inside is not looked at here.

    Raises Problem body-malformed for what is no JSON in UTF-8 or has a key twice, and validation-failed, with the
    field, for another shape. Neither quotes what was sent.
    """
    try:
        value = msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        _check_text(body)
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem(BODY_MALFORMED) from None
    if body != EMPTY:
        _check_text(body if kept is None else _without(body, bytes(getattr(value, kept))))
    return value


def _without(body: bytes, part: bytes) -> bytes:
    """The body with null for its last such part."""
    before, _, after = body.rpartition(part)
    return before + b"null" + after


def _check_text(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") > _DEEPEST and _depth(body) > _DEEPEST:
        raise Problem(BODY_MALFORMED)
    try:
        _strict(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Problem(BODY_MALFORMED) from None


def _depth(body: bytes) -> int:
    """An upper bound of the nesting: brackets inside strings count too, which only errs on the safe side."""
    depth = deepest = 0
    for byte in body:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _invalid(message: str) -> Problem:
    found = _AT.search(message)
    pointer = _pointer(found[1]) if found else ""
    said = _QUOTED_VALUE.sub(r"\1", _AT.sub("", message))
    missing = re.search(r"missing required field `([^`]+)`", said) or re.search(r"unknown field `([^`]+)`", said)
    if missing:
        pointer += "/" + missing[1][:100]
        said = "this field is required" if "missing" in said else "there is no such field"
    return invalid(pointer or "/", _chinese(said), said)


def invalid(field: str, zh: str, en: str) -> Problem:
    """The problem validation-failed for one field, named by a JSON pointer (RFC 6901)."""
    return Problem(VALIDATION_FAILED, errors=(FieldError(field, Text(zh, en)),))


def _pointer(path: str) -> str:
    """`$.proof.code`, `$.items[0]` as JSON pointers."""
    return "".join(f"/{name or index}" for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", path))


def _chinese(said: str) -> str:
    if "required" in said:
        return "此项必填"
    if "no such field" in said:
        return "没有这一项"
    if "Expected `" in said and "got" in said:
        return "类型不对"
    return "内容或长度不符合要求"
