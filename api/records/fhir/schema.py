"""FHIR R4's elements and codes, from `r4.json` (made by `tests/records/make_bindings.py`)."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple


class Element(NamedTuple):
    """One element as it is named in JSON. `codes`: its required binding; `syntax`: "mime" or "language"."""

    type: str
    primitive: bool
    many: bool
    patient: bool
    codes: frozenset[str] | None
    syntax: str | None


class Type(NamedTuple):
    """A type: its elements, the groups of names of which one must be there, and those of which one at most may be.

    `weight`: what checking one costs, in elements.
    """

    elements: dict[str, Element]
    required: tuple[tuple[str, ...], ...]
    choices: tuple[frozenset[str], ...]
    weight: int


class _Spelled(NamedTuple):
    types: list[str]
    many: bool
    required: bool
    patient: bool
    binding: str


def _spelled(entry: str) -> _Spelled:
    head, _, binding = entry.partition("=")
    types = head.rstrip("*!@")
    flags = head[len(types) :]
    return _Spelled(types.split("|"), "*" in flags, "!" in flags, "@" in flags, binding)


CONTAINED: Final = "Contained"  # the type given to a resource inside another, which resolves "#id" there
_SYNTAX: Final = ("mime", "language")


@cache
def _table() -> dict[str, Any]:
    return json.loads((files("api.records.fhir") / "r4.json").read_text())  # type: ignore[no-any-return]


@cache
def resources() -> frozenset[str]:
    """The resource types known: R4's that R4B still has."""
    return frozenset(_table()["resources"])


@cache
def _codes(name: str) -> frozenset[str]:
    return frozenset(_table()["sets"][name])


@cache
def type_of(name: str) -> Type:
    """The type of that name; of a backbone element by its path. Raises KeyError: no such type."""
    elements: dict[str, Element] = {}
    required, choices = [], []
    for spelling, entry in _table()["types"][name].items():
        spelled = _spelled(entry)
        names = _add(elements, spelling, spelled)
        if spelled.required:
            required.append(names)
        if len(names) > 1:
            choices.append(frozenset(names))
    return Type(elements, tuple(required), tuple(choices), len(elements) + 10)


def _add(elements: dict[str, Element], spelling: str, spelled: _Spelled) -> tuple[str, ...]:
    """Adds an element under each of its names in JSON, a primitive also as `_name` (its extensions)."""
    stem = spelling.removesuffix("[x]")
    names = []
    for kind in spelled.types:
        name = stem + kind[0].upper() + kind[1:] if spelling.endswith("[x]") else stem
        primitive = kind[0].islower() or kind == "xhtml"
        bound = spelled.binding if kind in ("code", "CodeableConcept") else ""
        codes = _codes(bound) if bound and bound not in _SYNTAX else None
        syntax = bound if bound in _SYNTAX else None
        if spelling == "contained":
            kind = CONTAINED
        elements[name] = Element(kind, primitive, spelled.many, spelled.patient and kind == "Reference", codes, syntax)
        if primitive:
            elements["_" + name] = Element("Element", False, spelled.many, False, None, None)
        names.append(name)
    return tuple(names)
