"""FHIR's primitive types: what each may look like in JSON (R4, datatypes.html)."""

import binascii
import re
from collections.abc import Callable
from typing import Any, Final

from api.records.fhir.links import address_allowed, name_allowed
from api.records.fhir.narrative import narrative_allowed
from api.records.fhir.strict import Number

Wrong = tuple[str, str]
"""What is wrong, in zh and en."""

_NOT_TEXT: Final = ("应为文字", "must be a text")
_EMPTY: Final = ("不能为空文字", "must not be an empty text")
_FORM: Final = ("格式不符合此类型的规定", "does not have the form this type asks for")
_NOT_BOOLEAN: Final = ("应为 true 或 false", "must be true or false")
_NOT_INTEGER: Final = ("应为此类型范围内的整数", "must be an integer in the range of this type")
_NOT_DECIMAL: Final = ("应为数字", "must be a number")
_TOO_LONG: Final = ("数字过长或过大", "the number is too long or too large")
_ADDRESS: Final = (
    "此处的地址只能是相对地址、#、urn:、http 或 https",
    "an address here is relative, #, urn:, http or https",
)
_RUNS: Final = ("不允许可执行或指向本机的 URI", "a URI that runs or opens something local is not allowed")
_NARRATIVE: Final = (
    "叙述文字只能是 FHIR 允许的 XHTML,不含脚本和外部内容",
    "narrative must be the XHTML that FHIR allows, without script or outside content",
)

_DATE: Final = r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?"
_CLOCK: Final = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?"
_ZONE: Final = r"(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00))"
_FULL: Final = rf"\d{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T{_CLOCK}{_ZONE}"
_DECIMAL: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?[0-2]?\d{1,2})?", re.ASCII)
_DIGITS: Final = 64


def _text(value: Any) -> Wrong | None:
    if type(value) is not str:
        return _NOT_TEXT
    return None if value else _EMPTY


def _form(pattern: str, flags: int = re.ASCII) -> Callable[[Any], Wrong | None]:
    matches = re.compile(pattern, flags).fullmatch

    def check(value: Any) -> Wrong | None:
        if type(value) is not str:
            return _NOT_TEXT
        return None if matches(value) else _FORM

    return check


def _boolean(value: Any) -> Wrong | None:
    return None if type(value) is bool else _NOT_BOOLEAN


def _integer(low: int) -> Callable[[Any], Wrong | None]:
    def check(value: Any) -> Wrong | None:
        return None if type(value) is int and low <= value < 1 << 31 else _NOT_INTEGER

    return check


def _decimal(value: Any) -> Wrong | None:
    if type(value) is int:
        return None
    if type(value) is not Number:
        return _NOT_DECIMAL
    return None if len(value) <= _DIGITS and _DECIMAL.fullmatch(value) else _TOO_LONG


def _base64(value: Any) -> Wrong | None:
    if type(value) is not str:
        return _NOT_TEXT
    try:
        packed = "".join(value.split())
        return None if packed and binascii.a2b_base64(packed, strict_mode=True) is not None else _EMPTY
    except ValueError:
        return _FORM


def _uri(allowed: Callable[[str], bool], wrong: Wrong) -> Callable[[Any], Wrong | None]:
    no_space = re.compile(r"\S+").fullmatch

    def check(value: Any) -> Wrong | None:
        if type(value) is not str:
            return _NOT_TEXT
        if not no_space(value):
            return _FORM
        return None if allowed(value) else wrong

    return check


def _xhtml(value: Any) -> Wrong | None:
    if type(value) is not str:
        return _NOT_TEXT
    return None if narrative_allowed(value) else _NARRATIVE


CHECKS: Final[dict[str, Callable[[Any], Wrong | None]]] = {
    "boolean": _boolean,
    "integer": _integer(-(1 << 31)),
    "unsignedInt": _integer(0),
    "positiveInt": _integer(1),
    "decimal": _decimal,
    "string": _text,
    "markdown": _text,
    "code": _form(r"\S+(\s\S+)*", 0),
    "id": _form(r"[A-Za-z0-9.-]{1,64}"),
    "uri": _uri(name_allowed, _RUNS),
    "canonical": _uri(name_allowed, _RUNS),
    "url": _uri(address_allowed, _ADDRESS),
    "oid": _form(r"urn:oid:[0-2](\.(0|[1-9]\d*))+"),
    "uuid": _form(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "date": _form(_DATE),
    "dateTime": _form(rf"{_DATE}|{_FULL}"),
    "instant": _form(_FULL),
    "time": _form(_CLOCK),
    "base64Binary": _base64,
    "xhtml": _xhtml,
}

SYNTAX: Final[dict[str, Callable[[Any], Wrong | None]]] = {
    "mime": _form(r"[A-Za-z0-9!#$&^_.+-]{1,127}(/[A-Za-z0-9!#$&^_.+*-]{1,127})?(;[^;]{1,200})*"),
    "language": _form(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*"),
}
