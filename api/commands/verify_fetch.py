"""Bytes from a file or an address, for `yima verify`: bounded in size and time, and from whom was asked."""

import time
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Final, NamedTuple
from urllib.parse import urlsplit

from codes.signedset import MAX_BYTES

SIGNED_SET_PATH: Final = "/.well-known/yima/keyset.cose"
MAX_OFFSET: Final = 600.0  # seconds; a Date that is further away corrects no clock, since nobody signs it

_TIMEOUT: Final = 10  # seconds without a byte from the address
_WHOLE_TIMEOUT: Final = 30  # seconds for the whole answer
_PIECE: Final = 8 * 1024
# no-cache: the clock is read from the answer, so it must be the service's own and not a cache's.
_HEADERS: Final = {"Accept": "application/cose", "Cache-Control": "no-cache"}


class NoAnswer(Exception):
    """The address gave nothing to look at; the message is for the person at the terminal."""


class Fetched(NamedTuple):
    """An answer's body, and how many seconds the service's clock is ahead of this one (None: it did not say)."""

    data: bytes
    offset: float | None


def is_address(place: str) -> bool:
    """Whether a key set is to be fetched, not read from a file."""
    return place.lower().startswith(("http://", "https://"))


def signed_set_address(address: str) -> str:
    """The address of the signed key set: under a service's base address, or as it is if it names a file.

    Raises NoAnswer.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        raise NoAnswer("the address cannot be one") from None
    names_a_file = parts.query or "." in parts.path.rpartition("/")[2]
    return address if names_a_file else address.rstrip("/") + SIGNED_SET_PATH


def read_file(place: str, most: int) -> bytes:
    """At most `most` + 1 bytes of a file. Raises NoAnswer, saying why in a few words."""
    try:
        with open(place, "rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as reason:
        why = reason.strerror if isinstance(reason, OSError) and reason.strerror else "not a file name"
        raise NoAnswer(why) from None


class _SameHostRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to the same scheme, host and port: keys come from whom was asked."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """The request that follows, or the end of it."""
        if urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            raise NoAnswer("the address redirects to another host")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(address: str) -> Fetched:
    """What an address answers with 200. Raises NoAnswer."""
    opener = urllib.request.build_opener(_SameHostRedirects)
    try:
        request = urllib.request.Request(address, headers=_HEADERS)  # noqa: S310 - the scheme was looked at
        asked = time.time()
        with opener.open(request, timeout=_TIMEOUT) as response:
            offset = _offset(response.headers, (asked + time.time()) / 2)
            return Fetched(_read_slowly(response), offset)
    except urllib.error.HTTPError as answer:
        raise NoAnswer(f"the address answers {answer.code} instead of a key set") from None
    except (OSError, HTTPException, ValueError):
        raise NoAnswer("the address does not answer with a key set") from None


def _offset(headers: HTTPMessage, here: float) -> float | None:
    """Seconds from this clock to the one of Date (RFC 9110 §6.6.1), which tells whole seconds: half of one is added."""
    age = headers.get("Age", "0")
    try:
        there = parsedate_to_datetime(headers["Date"]).timestamp() + 0.5
    except (TypeError, ValueError, OverflowError):
        return None
    return there + (int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0) - here


def _read_slowly(response: IO[bytes]) -> bytes:
    """All of an answer that keeps within size and time; one that drips for ever is given up."""
    data, deadline = b"", time.monotonic() + _WHOLE_TIMEOUT
    while len(data) <= MAX_BYTES and (piece := response.read1(_PIECE)):  # type: ignore[attr-defined]
        data += piece
        if time.monotonic() > deadline:
            raise NoAnswer("the address sends its key set too slowly")
    return data
