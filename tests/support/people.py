"""Fictional people for tests: each test makes its own, so that tests share a sandbox without meeting."""

import itertools
from datetime import date
from typing import Any, Final

from api.sandbox.people import Insurance, Person
from codes.identity import check_character

_serial: Final = itertools.count(1)
NAMES: Final = ("林知夏", "欧阳明远", "买买提·艾力江", "王𬱖", "李㛃", "ANNA LINDQVIST")


def resident_number(birthday: date, serial: int, *, female: bool = False) -> str:
    """A resident ID number of its own for each serial below 5,000,000: the region counts on where 500 do not do."""
    region = 430102 + serial // 400
    body = f"{region:06d}{birthday:%Y%m%d}{(serial % 400) * 2 + 100 + (0 if female else 1):03d}"
    return body + check_character(body)


def new_person(
    name: str | None = None,
    *,
    birthday: date = date(1988, 6, 18),
    female: bool = False,
    parent: Person | None = None,
    document: tuple[str, str] | None = None,
) -> Person:
    """A person nobody else is. parent: for a child, who shares the parent's phone and WeChat."""
    serial = next(_serial)
    id_type, id_number = document or ("01", resident_number(birthday, serial, female=female))
    return Person(
        name=name or NAMES[serial % len(NAMES)],
        id_type=id_type,
        id_number=id_number,
        gender="female" if female else "male",
        birthday=birthday,
        phone=parent.phone if parent else f"139{serial:08d}",
        openid=parent.openid if parent else f"oTest_openid_{serial:012d}",
        unionid=parent.unionid if parent else f"uTest_union_{serial:012d}",
        js_code=parent.js_code if parent else f"test-js-code-{serial}",
        phone_code=parent.phone_code if parent else f"test-phone-code-{serial}",
        insurance=Insurance("01", f"430102{serial:016d}test{serial % 100:02d}", "430102"),
        insutype="310",
        psn_no=f"43010000000000{serial:06d}",
        guardian=parent.id_number if parent else None,
    )


def insurance_of(person: Person) -> dict[str, str]:
    """The body of an insurance."""
    return {"type": person.insurance.type, "number": person.insurance.number, "area": person.insurance.area}


def identity_of(person: Person) -> dict[str, Any]:
    """name, id_type, id_number and phone, as bodies take them."""
    return {
        "name": person.name,
        "id_type": person.id_type,
        "id_number": person.id_number,
        "phone": person.phone,
    }
