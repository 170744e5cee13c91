"""`yima verify`: the offline check of codes, steps 1 to 4 of code-format.md, with nothing but the published keys.

One answer for each code, in order; a code itself is never printed. Exit status: 0 if all hold, 1 if any is
refused, 2 if the question cannot be answered (usage, keys).
"""

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from http.client import HTTPException, HTTPMessage
from typing import IO, Final, NamedTuple, NoReturn
from urllib.parse import urlsplit

from codes.claims import USE_PRINTED, services_to_names
from codes.errors import CodeError, CodeMalformed, KeySetError
from codes.keyset import MAX_BYTES, KeySet
from codes.verify import VerifiedCode, authenticate, check_times

HELD, REFUSED, UNANSWERED = 0, 1, 2

_TIMEOUT: Final = 10  # seconds without a byte from the address
_WHOLE_TIMEOUT: Final = 30  # seconds for the whole key set
_PIECE: Final = 8 * 1024
_MAX_LINE: Final = 64 * 1024  # bytes of one code; the longest legal one has some 1,250

_DESCRIPTION: Final = "Check codes without a network, by the published key set."
_EPILOG: Final = "exit status: 0 all hold, 1 any is refused, 2 wrong usage or unusable keys"


class Answer(NamedTuple):
    """What is said of one code: why it is refused (or nothing), and what a good key has signed (or nothing)."""

    problem: CodeError | None
    code: VerifiedCode | None


class Unanswerable(Exception):
    """The keys or codes cannot be read; the message is for the person at the terminal."""


def main(argv: list[str]) -> int:
    """Answer the codes of the arguments, or of standard input, and return the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        keys = _read_keys(arguments.keys)
        answers = _answers(_codes(arguments.codes), keys, arguments.at)
        held = [_tell(answer, arguments.json) for answer in answers]
    except Unanswerable as reason:
        print(f"yima verify: {reason}", file=sys.stderr)
        return UNANSWERED
    return HELD if all(held) else REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="yima verify", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("codes", nargs="+", metavar="CODE", help='a code; "-" reads one a line from standard input')
    parser.add_argument("--keys", required=True, metavar="FILE|ADDRESS", help="key set: keys.cbor or jwks.json")
    parser.add_argument("--at", type=int, metavar="UNIX_TIME", help="judge as of then, in seconds; default: now")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _answers(codes: Iterable[str | None], keys: KeySet, at: int | None) -> Iterator[Answer]:
    for text in codes:
        yield _answer(text, keys, int(time.time()) if at is None else at)


def _answer(text: str | None, keys: KeySet, now: int) -> Answer:
    code = None
    try:
        if text is None:
            raise CodeMalformed
        code = authenticate(text, keys)
        check_times(code, now)
    except CodeError as problem:
        return Answer(problem, code)
    return Answer(None, code)


def _codes(arguments: list[str]) -> Iterator[str | None]:
    """The texts to answer; None stands for one that is no text at all."""
    for argument in arguments:
        if argument == "-":
            yield from _lines(sys.stdin.buffer)
        else:
            yield argument


def _lines(stream: IO[bytes]) -> Iterator[str | None]:
    """One text a line. Only LF ends a line: a code may have CR, NUL and other things around it that scanners add."""
    while line := stream.readline(_MAX_LINE):
        if len(line) == _MAX_LINE and not line.endswith(b"\n"):
            _skip_line(stream)
            yield None
            continue
        try:
            yield line.removesuffix(b"\n").decode("utf-8")
        except UnicodeDecodeError:
            yield None


def _skip_line(stream: IO[bytes]) -> None:
    while (rest := stream.readline(_MAX_LINE)) and not rest.endswith(b"\n"):
        pass


def _tell(answer: Answer, as_json: bool) -> bool:
    """Print one answer; whether the code holds."""
    print(json.dumps(_members(answer), ensure_ascii=False) if as_json else _sentence(answer), flush=True)
    return answer.problem is None


def _members(answer: Answer) -> dict[str, object]:
    code = answer.code
    return {
        "ok": answer.problem is None,
        "problem": answer.problem.code if answer.problem else None,
        "kid": code.kid.hex() if code else None,
        "issued_at": _instant(code.iat) if code else None,
        "expires_at": _instant(code.exp) if code else None,
        "services": _services(code) if code else None,
        "use": code.use if code else None,
    }


def _sentence(answer: Answer) -> str:
    said = f"refused  {answer.problem.code}: {answer.problem.meaning}" if answer.problem else "ok"
    code = answer.code
    if code is None:
        return said
    opens = "printed card" if code.use == USE_PRINTED else "opens " + ", ".join(_services(code))
    return f"{said}  (key {code.kid.hex()}, issued {_instant(code.iat)}, expires {_instant(code.exp)}, {opens})"


def _services(code: VerifiedCode) -> list[str]:
    """What the code lets open; a printed one identifies and opens nothing."""
    return [] if code.use == USE_PRINTED else services_to_names(code.services)


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Keys


def _read_keys(place: str) -> KeySet:
    data = _fetch(place) if place.lower().startswith(("http://", "https://")) else _read_file(place)
    if len(data) > MAX_BYTES:
        raise Unanswerable("the key set is too large to be one")
    try:
        # A JWK set is a JSON object; a COSE_KeySet is a CBOR array, whose first byte is 0x80 or above.
        return KeySet.from_jwks(data) if data.lstrip()[:1] == b"{" else KeySet.from_cbor(data)
    except KeySetError as reason:
        raise Unanswerable(f"the key set cannot be used: {reason}") from None


def _read_file(place: str) -> bytes:
    try:
        with open(place, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as reason:
        why = reason.strerror if isinstance(reason, OSError) and reason.strerror else "not a file name"
        raise Unanswerable(f"the key file cannot be read: {why}") from None


class _SameHostRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to the same scheme, host and port: keys come from whom was asked."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """The request that follows, or the end of it."""
        if urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            raise Unanswerable("the address redirects to another host")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(address: str) -> bytes:
    opener = urllib.request.build_opener(_SameHostRedirects)
    try:
        request = urllib.request.Request(address, headers={"Accept": "application/cbor, application/json"})  # noqa: S310
        with opener.open(request, timeout=_TIMEOUT) as response:
            return _read_slowly(response)
    except urllib.error.HTTPError as answer:
        raise Unanswerable(f"the address answers {answer.code} instead of a key set") from None
    except (OSError, HTTPException, ValueError):
        raise Unanswerable("the address does not answer with a key set") from None


def _read_slowly(response: IO[bytes]) -> bytes:
    """All of an answer that keeps within size and time; one that drips for ever is given up."""
    data, deadline = b"", time.monotonic() + _WHOLE_TIMEOUT
    while len(data) <= MAX_BYTES and (piece := response.read1(_PIECE)):  # type: ignore[attr-defined]
        data += piece
        if time.monotonic() > deadline:
            raise Unanswerable("the address sends its key set too slowly")
    return data


def run() -> NoReturn:
    """As a program of its own: `python -m api.commands.verify`."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
