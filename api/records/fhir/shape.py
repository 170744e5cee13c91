"""A resource against R4's elements: names, kinds of value, cardinality, primitive types, required codes.

One walk, which also gathers what later rules ask about: the resources inside, and every Reference.
"""

from typing import Any, Final, NamedTuple

from api.records.fhir.facts import Fault
from api.records.fhir.primitives import CHECKS, SYNTAX, Wrong
from api.records.fhir.schema import CONTAINED, Element, Type, resources, type_of
from api.records.fhir.strict import FAULTS, escaped

# What checking one record may cost, in elements that its objects could have: `fhir.resources` looks at each of them,
# given or not. 1 MiB of dense laboratory results is 840,000, a second's work.
WORK: Final = 900_000

_UNKNOWN: Final = ("FHIR R4 没有这个元素", "FHIR R4 has no such element here")
_NOT_OBJECT: Final = ("应为对象", "must be an object")
_NOT_LIST: Final = ("应为数组", "must be an array")
_LIST: Final = ("不能是数组", "must not be an array")
_EMPTY: Final = ("不能为空", "must not be empty")
_NULL: Final = ("不能为 null", "must not be null")
_MISSING: Final = ("必须有此元素", "this element is required")
_CHOICE: Final = ("只能有其中一种类型的值", "only one type of this value may be given")
_CODE: Final = ("代码不在 FHIR R4 规定的值集中", "the code is not in the value set that FHIR R4 requires")
_NO_TYPE: Final = ("必须有 resourceType", "resourceType is required")
_BAD_TYPE: Final = ("不是 FHIR R4 的资源类型", "is no resource type of FHIR R4")
_NESTED: Final = ("被包含的资源不能再包含资源", "a contained resource must not contain another")
_TWICE: Final = ("同一个 id 出现了两次", "another contained resource has the same id")
_MANY: Final = ("内容的部分太多", "the record has too many parts")


class Holder(NamedTuple):
    """A resource that is not contained itself, with those it contains by their id."""

    resource: dict[str, Any]
    contained: dict[str, dict[str, Any]]


class Inside(NamedTuple):
    """One resource anywhere in the record. `address`: its fullUrl, of a Bundle's entry."""

    pointer: str
    resource: dict[str, Any]
    holder: Holder
    contained: bool
    address: str | None


class Referred(NamedTuple):
    """One Reference. `patient`: the element names whose the resource is."""

    pointer: str
    value: dict[str, Any]
    patient: bool
    holder: Holder


class TooMany(Exception):
    """Enough faults found."""


class Walk:
    """The walk over one resource; `faults`, `inside` and `referred` are its result."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.inside: list[Inside] = []
        self.referred: list[Referred] = []
        self.work = 0

    def read(self, tree: dict[str, Any]) -> None:
        """Walks the whole of a resource."""
        try:
            self._resource(tree, "", None, None)
        except TooMany:
            return

    def _fault(self, pointer: str, wrong: Wrong) -> None:
        self.faults.append(Fault(pointer, *wrong))
        if len(self.faults) == FAULTS:
            raise TooMany

    def _resource(self, value: Any, pointer: str, holder: Holder | None, address: str | None) -> None:
        """A resource: `holder` is the one it is contained in."""
        if type(value) is not dict:
            return self._fault(pointer, _NOT_OBJECT)
        name = value.get("resourceType")
        if type(name) is not str or name not in resources():
            return self._fault(f"{pointer}/resourceType", _NO_TYPE if name is None else _BAD_TYPE)
        contained = holder is not None
        if holder is None:
            holder = Holder(value, _contained(value))
        elif "contained" in value:
            return self._fault(f"{pointer}/contained", _NESTED)
        elif type(value.get("id")) is str and holder.contained.get(value["id"]) is not value:
            return self._fault(f"{pointer}/id", _TWICE)
        self.inside.append(Inside(pointer, value, holder, contained, address))
        self._object(value, type_of(name), pointer, holder, resource=True)

    def _object(self, value: dict[str, Any], kind: Type, pointer: str, holder: Holder, resource: bool = False) -> None:
        self.work += kind.weight
        if self.work > WORK:
            self._fault("", _MANY)
            raise TooMany
        if not value:
            return self._fault(pointer, _EMPTY)
        elements = kind.elements
        for name, item in value.items():
            element = elements.get(name)
            if element is None:
                if not (resource and name == "resourceType"):
                    self._fault(f"{pointer}/{escaped(name)}", _UNKNOWN)
            elif element.many:
                self._list(item, name, element, pointer, value, holder)
            elif element.primitive:
                if wrong := _primitive(item, element):
                    self._fault(f"{pointer}/{name}", wrong)
            else:
                self._complex(item, element, f"{pointer}/{name}", value, holder)
        for names in kind.required:
            if not any(name in value or "_" + name in value for name in names):
                self._fault(f"{pointer}/{names[0]}", _MISSING)
        for choice in kind.choices:
            if len(choice.intersection(value)) > 1:
                self._fault(f"{pointer}/{[name for name in value if name in choice][1]}", _CHOICE)

    def _list(
        self, items: Any, name: str, element: Element, pointer: str, parent: dict[str, Any], holder: Holder
    ) -> None:
        if type(items) is not list:
            return self._fault(f"{pointer}/{name}", _NOT_LIST)
        if not items:
            return self._fault(f"{pointer}/{name}", _EMPTY)
        twin = parent.get(name[1:] if name[0] == "_" else "_" + name)
        for index, item in enumerate(items):
            place = f"{pointer}/{name}/{index}"
            if item is None and type(twin) is list and index < len(twin) and twin[index] is not None:
                continue  # a primitive's value and its extensions stand in two lists, place by place
            if element.primitive:
                if wrong := _primitive(item, element):
                    self._fault(place, wrong)
            else:
                self._complex(item, element, place, parent, holder)

    def _complex(self, item: Any, element: Element, pointer: str, parent: dict[str, Any], holder: Holder) -> None:
        kind = element.type
        if kind == CONTAINED:
            return self._resource(item, pointer, holder, None)
        if kind == "Resource":
            address = parent.get("fullUrl")
            return self._resource(item, pointer, None, address if type(address) is str else None)
        if type(item) is not dict:
            return self._fault(pointer, _LIST if type(item) is list else _NULL if item is None else _NOT_OBJECT)
        if kind == "Reference":
            self.referred.append(Referred(pointer, item, element.patient, holder))
        elif element.codes is not None and not _coded(item, element.codes):
            self._fault(pointer, _CODE)
        self._object(item, type_of(kind), pointer, holder)


def _primitive(value: Any, element: Element) -> Wrong | None:
    wrong = CHECKS[element.type](value)
    if wrong is not None:
        return _NULL if value is None else wrong
    if element.codes is not None and value not in element.codes:
        return _CODE
    return SYNTAX[element.syntax](value) if element.syntax is not None else None


def _coded(concept: dict[str, Any], codes: frozenset[str]) -> bool:
    """Whether one of a CodeableConcept's codings is in the value set; what is no coding is told elsewhere."""
    codings = concept.get("coding")
    if type(codings) is not list:
        return False
    return any(type(c) is dict and f"{c.get('system')}|{c.get('code')}" in codes for c in codings)


def _contained(resource: dict[str, Any]) -> dict[str, dict[str, Any]]:
    parts = resource.get("contained")
    if type(parts) is not list:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for part in parts:
        if type(part) is dict and type(part.get("id")) is str:
            found.setdefault(part["id"], part)
    return found
