"""The sandbox's fictional people: adults with phones of their own, then a child of the first of them.

Nobody real has such a number: its sequence 990 to 999 is kept for people who are a hundred years old, and these
are not. The phones lie in a block of which only the last digits differ.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from codes.identity import check_character


@dataclass(frozen=True, slots=True)
class Insurance:
    """What the insurer knows a person by. type: 01 e-voucher, 03 social-security card; area: 6 digits."""

    type: str
    number: str
    area: str


@dataclass(frozen=True, slots=True)
class Person:
    """One fictional person. `guardian`: the id number of the parent, for a child."""

    name: str
    id_type: str
    id_number: str
    gender: str
    birthday: date
    phone: str
    openid: str
    unionid: str
    js_code: str
    phone_code: str
    insurance: Insurance
    insutype: str
    psn_no: str
    guardian: str | None = None


def _number(region: str, birthday: date, sequence: str) -> str:
    body = f"{region}{birthday:%Y%m%d}{sequence}"
    return body + check_character(body)


def _person(
    index: int,
    name: str,
    gender: str,
    birthday: date,
    insured: tuple[str, str, str],
    *,
    region: str = "430102",
    document: tuple[str, str] | None = None,
    insutype: str = "310",
    parent: Person | None = None,
) -> Person:
    sequence = "991" if gender == "male" else "992"
    id_type, id_number = document or ("01", _number(region, birthday, sequence))
    return Person(
        name=name,
        id_type=id_type,
        id_number=id_number,
        gender=gender,
        birthday=birthday,
        phone=parent.phone if parent else f"138000001{index:02d}",
        openid=parent.openid if parent else f"oYimaSandbox_openid_{index:08d}",
        unionid=parent.unionid if parent else f"uYimaSandbox_union_{index:09d}",
        js_code=parent.js_code if parent else f"sandbox-js-code-{index:02d}",
        phone_code=parent.phone_code if parent else f"sandbox-phone-code-{index:02d}",
        insurance=Insurance(*insured),
        insutype=insutype,
        psn_no=f"4301000000000000{index:04d}",
        guardian=parent.id_number if parent else None,
    )


_CHANGSHA: Final = "430102"
_URUMQI: Final = "650102"


def _voucher(index: int, area: str = _CHANGSHA) -> tuple[str, str, str]:
    return ("01", f"{area}0000000000000000sandbox{index:02d}", area)


def _card(index: int, area: str = _CHANGSHA) -> tuple[str, str, str]:
    return ("03", f"A000000{index:02d}", area)


_FIRST: Final = _person(1, "陈知夏", "female", date(1988, 6, 18), _voucher(1))

PEOPLE: Final[tuple[Person, ...]] = (
    _FIRST,
    _person(2, "欧阳明轩", "male", date(1979, 3, 5), _card(2)),
    _person(3, "买买提·艾力", "male", date(1990, 11, 23), _voucher(3, _URUMQI), region=_URUMQI),
    _person(4, "李㛃", "female", date(1995, 1, 30), _card(4)),
    _person(5, "王𬱖", "male", date(1992, 8, 9), _voucher(5)),
    _person(6, "周德福", "male", date(1956, 2, 14), _card(6), insutype="390"),
    _person(7, "孙桂兰", "female", date(1951, 9, 9), _card(7), insutype="390"),
    # a permanent-residence card: 9, the place of acceptance (43), Sweden (752)
    _person(8, "ANNA LINDQVIST", "female", date(1985, 4, 12), _voucher(8), region="943752"),
    _person(9, "TANAKA HARUKA", "female", date(1983, 12, 1), _card(9), document=("03", "ZZ0000009")),
    _person(10, "陈一诺", "female", date(2018, 5, 20), _voucher(10), insutype="390", parent=_FIRST),
)


def demo_people_json(people: tuple[Person, ...] = PEOPLE) -> list[dict[str, object]]:
    """`people` of demo.json (api.md, Running it)."""
    return [
        {
            "name": one.name,
            "id_type": one.id_type,
            "id_number": one.id_number,
            "phone": one.phone,
            "js_code": one.js_code,
            "phone_code": one.phone_code,
            "insurance": {"type": one.insurance.type, "number": one.insurance.number, "area": one.insurance.area},
        }
        for one in people
    ]
