"""What breaks a client between two OpenAPI documents: the kept one, which clients were written by, and today's.

Additions are no break: new paths, new optional fields and parameters, new fields in answers, new values in answers.
Requests may only come to take more, answers only come to promise more.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

METHODS = ("get", "put", "post", "delete", "patch", "head")
UPPER = ("maxLength", "maximum", "maxItems", "exclusiveMaximum", "maxProperties")
LOWER = ("minLength", "minimum", "minItems", "exclusiveMinimum", "minProperties")
ANYTHING: dict[str, Any] = {}


class Break(NamedTuple):
    """Where, and what a client would trip over."""

    where: str
    about: str


def breaks(kept: dict[str, Any], today: dict[str, Any]) -> list[Break]:
    """Everything that breaks a client of `kept`."""
    found: list[Break] = []
    for path, operations in kept["paths"].items():
        for method in METHODS:
            if method in operations:
                now = today["paths"].get(path, {}).get(method)
                found += _operation(f"{method.upper()} {path}", operations[method], now, kept, today)
    schemes = today["components"].get("securitySchemes", {})
    for name, scheme in kept["components"].get("securitySchemes", {}).items():
        if _bare(schemes.get(name)) != _bare(scheme):
            found.append(Break(f"security {name}", "is proven in another way"))
    return found


def _bare(scheme: dict[str, Any] | None) -> dict[str, Any] | None:
    return scheme and {name: value for name, value in scheme.items() if name != "description"}


def _operation(
    where: str, kept: dict[str, Any], now: dict[str, Any] | None, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[Break]:
    if now is None:
        yield Break(where, "is gone")
        return
    yield from _security(where, kept, now)
    yield from _parameters(where, kept, now, Request(before, after))
    yield from _body(f"{where} body", kept.get("requestBody"), now.get("requestBody"), Request(before, after))
    for status, answer in kept["responses"].items():
        if not status.startswith("2"):
            continue  # problems may come and go; their shape is one
        if status not in now["responses"]:
            yield Break(f"{where} {status}", "is no longer answered")
            continue
        there = now["responses"][status].get("content", {})
        for media, content in answer.get("content", {}).items():
            at = f"{where} {status} {media}"
            if media not in there:
                yield Break(at, "is no longer answered")
            else:
                shape, shape_now = content.get("schema", ANYTHING), there[media].get("schema", ANYTHING)
                yield from Answered(before, after).differences(at, shape, shape_now)


def _security(where: str, kept: dict[str, Any], now: dict[str, Any]) -> Iterator[Break]:
    ways, ways_now = kept.get("security", []), now.get("security", [])
    if ways_now and not ways:
        yield Break(where, "asks for a token now")
    for way in ways:
        if ways_now and way not in ways_now:
            yield Break(where, f"no longer takes {'+'.join(way)}")


def _parameters(where: str, kept: dict[str, Any], now: dict[str, Any], shapes: "Request") -> Iterator[Break]:
    old = {(one["in"], one["name"]): one for one in kept.get("parameters", [])}
    new = {(one["in"], one["name"]): one for one in now.get("parameters", [])}
    for key, parameter in new.items():
        if parameter.get("required") and not old.get(key, {}).get("required"):
            yield Break(f"{where} {key[1]}", "is required now")
    for key, parameter in old.items():
        if key not in new:
            yield Break(f"{where} {key[1]}", "is no longer taken")
        else:
            schemas = parameter.get("schema", ANYTHING), new[key].get("schema", ANYTHING)
            yield from shapes.differences(f"{where} {key[1]}", *schemas)


def _body(where: str, kept: dict[str, Any] | None, now: dict[str, Any] | None, shapes: "Request") -> Iterator[Break]:
    if now and now.get("required") and not (kept and kept.get("required")):
        yield Break(where, "is required now")
    for media, content in (kept or {}).get("content", {}).items():
        there = (now or {}).get("content", {}).get(media)
        if there is None:
            yield Break(f"{where} {media}", "is no longer taken")
        else:
            yield from shapes.differences(where, content.get("schema", ANYTHING), there.get("schema", ANYTHING))


class _Shapes(ABC):
    """Compares two schemas; which differences matter is the direction's."""

    def __init__(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        self._before, self._after = before, after
        self._under_way: set[tuple[str, str]] = set()

    def differences(self, where: str, kept: dict[str, Any], now: dict[str, Any]) -> list[Break]:
        """What breaks a client, below this place."""
        pair = (kept.get("$ref", ""), now.get("$ref", ""))
        if all(pair):
            if pair in self._under_way:
                return []
            self._under_way.add(pair)
        found = self._alternatives(where, _choices(kept, self._before), _choices(now, self._after))
        self._under_way.discard(pair)
        return found

    @abstractmethod
    def _alternatives(self, where: str, kept: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[Break]: ...

    def _best(self, where: str, one: dict[str, Any], others: list[dict[str, Any]], *, kept: bool) -> list[Break]:
        """The least that breaks between one choice and any of the others."""
        tried = [self._one(where, one, other) if kept else self._one(where, other, one) for other in others]
        return min(tried, key=len, default=[Break(where, "has no shape any more")])

    def _one(self, where: str, kept: dict[str, Any], now: dict[str, Any]) -> list[Break]:
        if kept.get("type") != now.get("type") and self._type_matters(kept, now):
            return [Break(where, f"was {kept.get('type', 'anything')}, is {now.get('type', 'anything')}")]
        found = list(self._values(where, kept, now))
        found += self._fields(where, kept, now)
        if "items" in kept and "items" in now:
            found += self.differences(f"{where}[]", kept["items"], now["items"])
        others, others_now = kept.get("additionalProperties"), now.get("additionalProperties")
        if isinstance(others, dict) and isinstance(others_now, dict):
            found += self.differences(f"{where}.*", others, others_now)
        return found

    @abstractmethod
    def _type_matters(self, kept: dict[str, Any], now: dict[str, Any]) -> bool: ...

    @abstractmethod
    def _values(self, where: str, kept: dict[str, Any], now: dict[str, Any]) -> Iterator[Break]: ...

    def _fields(self, where: str, kept: dict[str, Any], now: dict[str, Any]) -> Iterator[Break]:
        fields, fields_now = kept.get("properties", {}), now.get("properties", {})
        yield from self._required(where, set(kept.get("required", ())), set(now.get("required", ())))
        for name, shape in fields.items():
            if name not in fields_now:
                yield Break(f"{where}.{name}", "is gone")
            else:
                yield from self.differences(f"{where}.{name}", shape, fields_now[name])

    @abstractmethod
    def _required(self, where: str, kept: set[str], now: set[str]) -> Iterator[Break]: ...


class Request(_Shapes):
    """What a client sends: all that was taken must still be taken."""

    def _alternatives(self, where: str, kept: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[Break]:
        return [each for one in kept for each in self._best(where, one, now, kept=True)]

    def _type_matters(self, kept: dict[str, Any], now: dict[str, Any]) -> bool:
        return "type" in now and not (kept.get("type") == "integer" and now["type"] == "number")

    def _values(self, where: str, kept: dict[str, Any], now: dict[str, Any]) -> Iterator[Break]:
        gone = _listed(kept) - _listed(now) if _listed(now) else set()
        if gone or (_listed(now) and not _listed(kept)):
            yield Break(where, f"takes fewer values: {', '.join(sorted(gone)) or 'a list only'}")
        for name in UPPER:
            if name in now and now[name] < kept.get(name, float("inf")):
                yield Break(where, f"{name} is {now[name]} now")
        for name in LOWER:
            if name in now and now[name] > kept.get(name, 0 if name.startswith("min") and name != "minimum" else -1e99):
                yield Break(where, f"{name} is {now[name]} now")
        if "pattern" in now and now["pattern"] != kept.get("pattern"):
            yield Break(where, "has another pattern")
        if now.get("additionalProperties") is False and kept.get("additionalProperties", True) is not False:
            yield Break(where, "takes no other fields any more")

    def _required(self, where: str, kept: set[str], now: set[str]) -> Iterator[Break]:
        yield from (Break(f"{where}.{name}", "is required now") for name in sorted(now - kept))


class Answered(_Shapes):
    """What a client reads: all that was promised must still be promised."""

    def _alternatives(self, where: str, kept: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[Break]:
        return [each for one in now for each in self._best(where, one, kept, kept=False)]

    def _type_matters(self, kept: dict[str, Any], now: dict[str, Any]) -> bool:
        return "type" in kept and not (kept["type"] == "number" and now.get("type") == "integer")

    def _values(self, where: str, kept: dict[str, Any], now: dict[str, Any]) -> Iterator[Break]:
        return iter(())

    def _required(self, where: str, kept: set[str], now: set[str]) -> Iterator[Break]:
        yield from (Break(f"{where}.{name}", "may be absent now") for name in sorted(kept - now))


def _choices(schema: dict[str, Any], document: dict[str, Any]) -> list[dict[str, Any]]:
    """The alternatives of a schema, references followed, one type each."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return [choice for each in schema[several] for choice in _choices(each, document)]
    kinds = schema.get("type")
    return [{**schema, "type": kind} for kind in kinds] if isinstance(kinds, list) else [schema]


def _listed(schema: dict[str, Any]) -> set[str]:
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return {repr(value) for value in values}
