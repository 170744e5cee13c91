"""The forms in which a value could hide in a dump or a log."""

import base64
import html
import json
import urllib.parse
from collections.abc import Iterator


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of a value in every encoding that a database, a log or a library could have used."""
    raw = value.encode()
    yield "utf-8", raw
    yield "reversed", raw[::-1]
    yield "hex", raw.hex().encode()
    yield "HEX", raw.hex().upper().encode()
    yield "utf-16-le", value.encode("utf-16-le")
    yield "utf-16-be", value.encode("utf-16-be")
    yield "gb18030", value.encode("gb18030")
    yield "escaped", json.dumps(value)[1:-1].encode()
    yield "repr of bytes", repr(raw)[2:-1].encode()
    yield "octal", "".join(f"\\{byte:03o}" for byte in raw).encode()
    yield "percent", urllib.parse.quote(value, safe="").encode()
    yield "html", html.escape(value).encode()
    yield "character references", "".join(f"&#{ord(letter)};" for letter in value).encode()
    for shift in range(3):  # base64 of a longer text that holds the value, at each of its three phases
        coded = base64.b64encode(b"\0" * shift + raw)
        inner = coded[4 if shift else 0 : -4 if coded.endswith(b"=") else None]
        if len(inner) >= 8:
            yield f"base64 at {shift}", inner
            yield f"base64url at {shift}", inner.translate(bytes.maketrans(b"+/", b"-_"))


def found(values: dict[str, str], text: bytes) -> list[str]:
    """Which values stand in `text`, and in which form."""
    return [f"{what} as {form}" for what, value in values.items() for form, coded in forms(value) if coded in text]
