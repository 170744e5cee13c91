"""Acknowledgements in original mode: MSH and MSA, with ERR where the sender's version has its fields (2.5)."""

from datetime import datetime
from typing import Final

from api.records.mllp.charset import CODECS
from api.records.mllp.header import Delimiters, Header
from api.records.mllp.refused import CONDITIONS, Refused

_TEXT_MOST: Final = 80  # MSA-3 is an ST of 80
_OURS: Final = "YIMA"


def acknowledge(header: Header | None, charset: str, refused: Refused | None, *, own_id: str, at: datetime) -> bytes:
    """The answer to the message with this header (None: it had none), in its charset and with its delimiters."""
    d = header.delimiters if header else Delimiters()
    code = refused.code if refused else "AA"
    said = refused.said if refused else ""
    segments = [
        _msh(header, d, own_id, at),
        d.field.join(("MSA", code, header.control_id if header else "", _escape(said[:_TEXT_MOST], d))),
    ]
    if refused and _has_err(header):
        segments.append(_err(refused, d))
    return "".join(f"{segment}\r" for segment in segments).encode(CODECS[charset])


def _msh(header: Header | None, d: Delimiters, own_id: str, at: datetime) -> str:
    echo = header.raw if header else lambda _: ""
    fields = [
        "MSH",
        header.encoding if header else "^~\\&",
        echo(5) or _OURS,
        echo(6),
        echo(3),
        echo(4),
        at.strftime("%Y%m%d%H%M%S%z"),
        "",
        _type(header, d),
        own_id,
        echo(11) or "P",
        echo(12) or "2.5.1",
    ]
    if echo(18):
        fields += ["", "", "", "", "", echo(18)]
    return d.field.join(fields)


def _type(header: Header | None, d: Delimiters) -> str:
    event = header.part(9, 2) if header else ""
    if len(event) != 3 or not event.isascii() or not event.isalnum():
        return "ACK"
    return d.component.join(("ACK", event, "ACK") if _version(header) >= (2, 4) else ("ACK", event))


def _err(refused: Refused, d: Delimiters) -> str:
    place = refused.place
    where = (
        d.component.join((place.segment, str(place.nth), *([str(place.field)] if place.field else []))) if place else ""
    )
    condition = d.component.join((refused.condition, _escape(CONDITIONS[refused.condition], d), "HL70357"))
    return d.field.join(("ERR", "", where, condition, "E", "", "", "", _escape(refused.said, d)))


def _has_err(header: Header | None) -> bool:
    return _version(header) >= (2, 5)


def _version(header: Header | None) -> tuple[int, ...]:
    parts = header.part(12).split(".") if header else []
    return (
        tuple(int(one) for one in parts)
        if all(one.isascii() and one.isdigit() and len(one) < 4 for one in parts)
        else ()
    )


def _escape(text: str, d: Delimiters) -> str:
    names = {d.escape: "E", d.field: "F", d.component: "S", d.subcomponent: "T", d.repetition: "R"}
    return "".join(f"{d.escape}{names[one]}{d.escape}" if one in names else one for one in text)
