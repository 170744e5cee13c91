"""What the simulated insurer's transactions share: saying no, and reading an input."""

import re
from typing import Any, Final

from api.sandbox.people import Person
from api.sandbox.world import World
from codes.errors import InvalidValue
from codes.money import fen_of

_CERT_TYPES: Final = {"01": "01", "03": "08", "06": "04", "07": "06"}
_NUMBER: Final = re.compile(r"[0-9]{1,8}(\.[0-9]{1,4})?")

Node = dict[str, Any]


class Refusal(Exception):
    """The platform says no; the argument is its err_msg."""


def node(input_: Node, name: str) -> Node:
    """One object of the input. Raises Refusal."""
    found = input_.get(name)
    if not isinstance(found, dict):
        raise Refusal(f"输入节点[{name}]不能为空")
    return found


def nodes(input_: Node, name: str) -> list[Node]:
    """A list of objects of the input. Raises Refusal."""
    found = input_.get(name)
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise Refusal(f"输入节点[{name}]不能为空")
    return found


def needed(data: Node, *names: str) -> tuple[str, ...]:
    """The values of these, which must be texts and not empty. Raises Refusal."""
    for name in names:
        if not isinstance(data.get(name), str) or not data[name]:
            raise Refusal(f"参数[{name}]不能为空")
    return tuple(data[name] for name in names)


def amount(data: Node, name: str) -> int:
    """An amount of yuan, in fen. Raises Refusal."""
    try:
        return fen_of(str(data.get(name)))
    except InvalidValue:
        raise Refusal(f"参数[{name}]格式错误") from None


def count(data: Node, name: str) -> None:
    """Checks a quantity. Raises Refusal."""
    if not _NUMBER.fullmatch(str(data.get(name))):
        raise Refusal(f"参数[{name}]格式错误")


def insured(world: World, kind: str, number: str) -> Person | None:
    """Whom a voucher or card is of. kind: mdtrt_cert_type."""
    if kind == "02":
        return next((one for one in world.people if one.id_number == number), None)
    return next((one for one in world.people if (one.insurance.type, one.insurance.number) == (kind, number)), None)


def known(world: World, envelope: Node, psn_no: str) -> Person:
    """The person of a number, insured where the envelope says. Raises Refusal."""
    person = next((one for one in world.people if one.psn_no == psn_no), None)
    if person is None:
        raise Refusal("未查询到参保人员信息")
    if envelope["insuplc_admdvs"] != person.insurance.area:
        raise Refusal("参保地医保区划与参保信息不一致")
    return person


def cert_type(person: Person) -> str:
    """The platform's psn_cert_type of a person's document."""
    if person.id_type == "01" and person.id_number.startswith("9"):
        return "07"
    return _CERT_TYPES[person.id_type]
