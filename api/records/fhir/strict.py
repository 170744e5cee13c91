"""JSON read without forgiveness: no key twice, no NaN, bounded depth; decimals stay as they were written."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from api.records.fhir.facts import Fault, Malformed, RecordInvalid

LIMIT: Final = 1 << 20
DEPTH: Final = 64
FAULTS: Final = 20  # as many as are told at once
_INT_DIGITS: Final = 18  # more is no integer of FHIR (32 bits); longer ones stay text, for int() is quadratic
_UNSEEN: Final = re.compile(rb"\\u(0000|[dD][89a-fA-F])")

_TWICE: Final = ("同一个名称出现了两次", "the same name is given twice")
_NUL: Final = ("文字中有空字符", "the text contains a NUL character")
_SURROGATE: Final = ("文字中有不成对的代理码位", "the text contains a lone surrogate")


class Number(str):
    """A JSON number as posted that is not a short integer: "6.30", "1E3"."""

    __slots__ = ()


class _Twice(dict[str, Any]):
    """An object that named `name` twice."""

    name: str


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: set[str] = set()
    twice = _Twice(made)
    twice.name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    return twice


def _integer(text: str) -> "int | Number":
    return int(text) if len(text) <= _INT_DIGITS and text != "-0" else Number(text)


def _no_constant(_name: str) -> NoReturn:
    raise Malformed


_decoder: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=Number, parse_int=_integer, parse_constant=_no_constant
)


def parse(raw: bytes) -> Any:
    """The value of a JSON text of at most 1 MiB; numbers are `int` or `Number`.

    Raises Malformed (size, UTF-8, syntax, NaN, depth) and RecordInvalid (a name twice, NUL, a lone surrogate).
    """
    if len(raw) > LIMIT:
        raise Malformed
    try:
        tree = _decoder.decode(raw.decode())
    except (ValueError, RecursionError):
        raise Malformed from None
    _check(tree, unseen=_UNSEEN.search(raw) is not None)
    return tree


def _check(tree: Any, *, unseen: bool) -> None:
    """Depth and names given twice in every case; characters only where an escape could have made them."""
    faults: list[Fault] = []
    for path, value in _values(tree, unseen):
        if type(value) is _Twice:
            faults.append(Fault(f"{_pointer(path)}/{escaped(value.name)}", *_TWICE))
        elif wrong := _characters(value):
            faults.append(Fault(_pointer(path), *wrong))
        if len(faults) == FAULTS:
            break
    if faults:
        raise RecordInvalid(faults)


def _values(tree: Any, unseen: bool) -> Iterator[tuple[Any, Any]]:
    """What may be wrong, with its path: objects that named something twice; when `unseen`, texts and names too."""
    open_: list[tuple[Any, Any, int]] = [((), tree, 1)]
    while open_:
        path, value, depth = open_.pop()
        if depth > DEPTH:
            raise Malformed
        if type(value) is list:
            children: Any = enumerate(value)
        elif isinstance(value, dict):
            children = value.items()
            if type(value) is _Twice:
                yield path, value
        else:
            continue
        for part, child in children:
            if isinstance(child, (dict, list)):
                open_.append(((path, part), child, depth + 1))
            elif unseen and type(child) is str:
                yield (path, part), child
            if unseen and type(part) is str:
                yield path, part


def _characters(text: str) -> tuple[str, str] | None:
    if "\x00" in text:
        return _NUL
    return _SURROGATE if any("\ud800" <= c <= "\udfff" for c in text) else None


def _pointer(path: Any) -> str:
    parts = []
    while path:
        path, part = path
        parts.append(escaped(str(part)))
    return "".join(f"/{part}" for part in reversed(parts))


def escaped(name: str) -> str:
    """One part of a JSON pointer (RFC 6901); what cannot be written as UTF-8 shows as "?"."""
    return name.encode(errors="replace").decode().replace("~", "~0").replace("/", "~1")[:100]
