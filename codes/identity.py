"""Identity documents, each with the rule of its number and its mask (WS 364 CV02.01.101 for the types).

01  resident ID card            GB 11643-1999: region, 6 digits || birth, 8 || sequence, 3 || ISO 7064 MOD 11-2
    residence permit            the same, with region 81 (Hong Kong), 82 (Macau) or 83 (Taiwan)
    permanent-residence card    the same since 2023-12-01, with 9 and the nationality in place of the region
                                (National Immigration Administration, machine-readable rules, 2023 edition)
03  passport                    ICAO Doc 9303-4 §4.2.2: a document number has at most nine letters and digits
06  permit of Hong Kong and     H or M, a number for life of 8 digits, and on cards before 2013 the count of
    Macau residents             renewals, 2 digits (Ministry of Public Security, 2010-03-10)
07  permit of Taiwan residents  a number for life of 8 digits; before 2008-09-25 also the count of issues,
                                2 digits, and the issuing office, a letter in brackets or none
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Literal

from codes.errors import InvalidValue
from codes.masks import fold_width, mask, mask_most
from codes.names import mask_name, parse_name

__all__ = ["Gender", "IdDocument", "IdType", "age_on", "check_character", "mask_name", "parse_document", "parse_name"]

Gender = Literal["male", "female"]


class IdType(StrEnum):
    """The types of document that are taken, by their codes in CV02.01.101."""

    RESIDENT_ID = "01"
    PASSPORT = "03"
    HONG_KONG_MACAU_PERMIT = "06"
    TAIWAN_PERMIT = "07"


# GB/T 2260: provinces, autonomous regions, municipalities and the special administrative regions; 83: see above.
_PROVINCE_CODES: Final = (range(11, 16), range(21, 24), range(31, 38), range(41, 47), range(50, 55), range(61, 66))
PROVINCES: Final = frozenset(map(str, [code for block in _PROVINCE_CODES for code in block] + [71, 81, 82]))
_REGIONS: Final = PROVINCES | {"83"}
_FOREIGN: Final = "9"
_OLDEST_BIRTH: Final = date(1900, 1, 1)

_RESIDENT_SHAPE: Final = re.compile(r"[0-9]{17}[0-9X]")
_PASSPORT_SHAPE: Final = re.compile(r"(?=.*[0-9])[0-9A-Z]{5,9}")
_HONG_KONG_MACAU_SHAPE: Final = re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?")
_TAIWAN_SHAPE: Final = re.compile(r"[0-9]{8}(?:[0-9]{2}[A-Z]?)?")

_CHECK_CHARACTERS: Final = "10X98765432"
_WEIGHTS: Final = tuple(pow(2, 17 - place, 11) for place in range(17))


@dataclass(frozen=True, slots=True, repr=False)
class IdDocument:
    """A document's type and its number in the one form that it is kept, compared and hashed in."""

    type: IdType
    number: str

    @property
    def birthday(self) -> date | None:
        """The date of birth that the number tells, on a document of type 01."""
        return _birthday(self.number) if self.type is IdType.RESIDENT_ID else None

    @property
    def gender(self) -> Gender | None:
        """The sex that the sequence number tells (odd: male), on a document of type 01."""
        if self.type is not IdType.RESIDENT_ID:
            return None
        return "male" if int(self.number[16]) % 2 else "female"

    @property
    def masked(self) -> str:
        """The number as it may be shown: "430102********123X", "E******78"."""
        return mask(self.number, 6, 4) if self.type is IdType.RESIDENT_ID else mask_most(self.number)

    def __repr__(self) -> str:
        return f"<IdDocument {self.type.value}>"


def parse_document(id_type: str, number: str, *, today: date | None = None) -> IdDocument:
    """The document of this type and number, however it was typed: spaces at the ends, small x, full width.

    With `today`, a birth after it is refused. Raises InvalidValue for `id_type` or `id_number`.
    """
    try:
        kind = IdType(id_type)
    except ValueError:
        raise InvalidValue("id_type", "证件类型应为 01、03、06 或 07", "must be 01, 03, 06 or 07") from None
    document = IdDocument(kind, _RULES[kind](fold_width(number).strip(" ").upper()))
    if today and document.birthday and document.birthday > today:
        raise InvalidValue("id_number", "证件号码中的出生日期晚于今天", "the date of birth in it lies in the future")
    return document


def check_character(body: str) -> str:
    """The check character after the 17 digits `body` (ISO 7064 MOD 11-2, GB 11643-1999 §4.2)."""
    return _CHECK_CHARACTERS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True)) % 11]


def age_on(birthday: date, day: date) -> int:
    """Full years of age. Who was born on 29 February is a year older on 1 March. Raises ValueError before birth."""
    if day < birthday:
        raise ValueError("not born yet")
    return day.year - birthday.year - ((day.month, day.day) < (birthday.month, birthday.day))


def _resident(number: str) -> str:
    if not _RESIDENT_SHAPE.fullmatch(number):
        raise InvalidValue("id_number", "身份证号码应为 18 位", "a resident ID number has 18 characters")
    if number[:2] not in _REGIONS and not number.startswith(_FOREIGN):
        raise InvalidValue("id_number", "身份证号码的地区码有误", "its region is not one that exists")
    birthday = _birthday(number)
    if birthday is None or birthday < _OLDEST_BIRTH:
        raise InvalidValue("id_number", "身份证号码的出生日期有误", "its date of birth is not a date")
    if check_character(number[:17]) != number[17]:
        raise InvalidValue("id_number", "身份证号码有误，请核对", "its check character does not fit; look again")
    return number


def _birthday(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def _passport(number: str) -> str:
    if not _PASSPORT_SHAPE.fullmatch(number):
        raise InvalidValue(
            "id_number", "护照号码应为 5 至 9 位字母或数字", "a passport number has 5 to 9 letters and digits"
        )
    return number


def _hong_kong_macau(number: str) -> str:
    if not _HONG_KONG_MACAU_SHAPE.fullmatch(number):
        raise InvalidValue(
            "id_number", "港澳居民来往内地通行证号码应为 H 或 M 加 8 位或 10 位数字", "H or M, then 8 or 10 digits"
        )
    return number


def _taiwan(number: str) -> str:
    bare = re.sub(r"\(([A-Z])\)$", r"\1", number)
    if not _TAIWAN_SHAPE.fullmatch(bare):
        raise InvalidValue(
            "id_number", "台湾居民来往大陆通行证号码应为 8 位数字", "8 digits, or 10 and a letter on older permits"
        )
    return bare


_RULES: Final[dict[IdType, Callable[[str], str]]] = {
    IdType.RESIDENT_ID: _resident,
    IdType.PASSPORT: _passport,
    IdType.HONG_KONG_MACAU_PERMIT: _hong_kong_macau,
    IdType.TAIWAN_PERMIT: _taiwan,
}
