"""HL7 v2 messages as laboratory systems write them, field by field."""

import itertools
from typing import Any, Final

_serial: Final = itertools.count(1)


def segment(name: str, **fields: str) -> str:
    """A segment by its fields: segment("OBX", f1="1", f2="NM")."""
    last = max((int(field[1:]) for field in fields), default=0)
    return "|".join([name, *(fields.get(f"f{n}", "") for n in range(1, last + 1))])


def msh(control_id: str | None = None, **other: str) -> str:
    """MSH of an ORU^R01 in 2.5.1; `other` by field, f3 being MSH-3."""
    given = {
        "f3": "LIS",
        "f4": "LAB",
        "f5": "YIMA",
        "f6": "PLATFORM",
        "f7": "20261120083000+0800",
        "f9": "ORU^R01^ORU_R01",
        "f10": f"M{next(_serial)}" if control_id is None else control_id,
        "f11": "P",
        "f12": "2.5.1",
        **other,
    }
    fields = {f"f{int(name[1:]) - 1}": value for name, value in given.items()}  # MSH-1 is the separator itself
    return segment("MSH", **{"f1": "^~\\&", **fields})


def pid(number: str = "P001", **other: str) -> str:
    """PID of a patient number."""
    return segment("PID", **{"f1": "1", "f3": f"{number}^^^LAB^MR", "f5": "林^知夏", **other})


def obr(**other: str) -> str:
    """OBR of a full blood count."""
    given = {"f1": "1", "f3": "F1", "f4": "58410-2^血常规^LN", "f7": "20261119081500", "f22": "20261119100000"}
    return segment("OBR", **{**given, "f25": "F", **other})


def obx(**other: str) -> str:
    """OBX of white blood cells."""
    given = {"f1": "1", "f2": "NM", "f3": "6690-2^白细胞^LN", "f5": "6.30", "f6": "10*9/L^10*9/L^UCUM", "f7": "3.5-9.5"}
    return segment("OBX", **{**given, "f8": "N", "f11": "F", **other})


def oru(*segments: str, header: str | None = None, end: str = "\r") -> str:
    """A message of these segments, by default a patient's blood count."""
    return end.join([header or msh(), *(segments or (pid(), obr(), obx()))]) + end


def acked(message: bytes, charset: str = "utf-8") -> dict[str, Any]:
    """What an acknowledgement says: its MSH and MSA fields by number, and ERR's."""
    found: dict[str, Any] = {}
    for line in message.decode(charset).split("\r"):
        name, *fields = line.split("|")
        if name == "MSH":
            fields = ["|", *fields]
        for n, value in enumerate(fields, start=1):
            found[f"{name}-{n}"] = value
    return found
