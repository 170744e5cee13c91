"""`yima verify`: the offline check of codes, steps 1 to 4 of code-format.md, with nothing but the published keys.

One answer for each code, in order, on standard output; a code itself is never printed. Which key set they were
judged by is said on standard error, unless it is a bare one from a file. Exit status: 0 if all hold, 1 if any is
refused, 2 if the question cannot be answered (usage, keys).
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, NamedTuple, NoReturn

from api.commands.verify_fetch import is_address
from api.commands.verify_keys import FETCHED, KEPT, NO_ANSWER, News, Unusable, Usable, read_root, usable_keys
from api.commands.verify_state import default_folder
from codes.claims import USE_PRINTED, services_to_names
from codes.errors import CodeError, CodeMalformed
from codes.keyset import KeySet
from codes.verify import VerifiedCode, authenticate, check_times

HELD, REFUSED, UNANSWERED = 0, 1, 2

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
    parser = _parser()
    arguments = parser.parse_args(argv)
    if is_address(arguments.keys) and arguments.root is None:
        parser.error("--root FILE is required where --keys is an address: `yima keys export-public` writes it")
    try:
        usable = _keys(arguments)
        answers = _answers(_codes(arguments.codes), usable, arguments.at)
        held = [_tell(answer, arguments.json) for answer in answers]
    except Unanswerable as reason:
        print(f"yima verify: {reason}", file=sys.stderr)
        return UNANSWERED
    return HELD if all(held) else REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="yima verify", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument("codes", nargs="+", metavar="CODE", help='a code; "-" reads one a line from standard input')
    parser.add_argument(
        "--keys",
        required=True,
        metavar="FILE|ADDRESS",
        help="a file (keys.cbor, jwks.json or keyset.cose), or the address of the service or of its keyset.cose",
    )
    parser.add_argument(
        "--root",
        metavar="FILE",
        help="the root's public key, by which a signed key set is known; needed for an address",
    )
    parser.add_argument(
        "--state", metavar="FOLDER", help="where the last good signed set is kept; default: $XDG_STATE_HOME/yima"
    )
    parser.add_argument("--at", type=int, metavar="UNIX_TIME", help="judge as of then, in seconds; default: now")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _answers(codes: Iterable[str | None], usable: Usable, at: int | None) -> Iterator[Answer]:
    for text in codes:
        yield _answer(text, usable.keys, int(time.time() + usable.offset) if at is None else at)


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


def _keys(arguments: argparse.Namespace) -> Usable:
    """The keys to go by; what happened on the way is said on standard error. Raises Unanswerable."""
    state = Path(arguments.state) if arguments.state else default_folder()
    try:
        root = read_root(arguments.root) if arguments.root is not None else None
        usable = usable_keys(arguments.keys, root, state, arguments.at)
    except Unusable as reason:
        if reason.news is not None:
            _tell_news(reason.news, arguments.json)
        raise Unanswerable(str(reason)) from None
    if usable.news is not None:
        _tell_news(usable.news, arguments.json)
    return usable


def _tell_news(news: News, as_json: bool) -> None:
    if as_json:
        print(json.dumps(_news_members(news), ensure_ascii=False), file=sys.stderr)
        return
    first = (_news_sentence(news),) if news.source else ()  # else the error says it
    for sentence in (*first, *news.warnings):
        print(f"yima verify: {sentence}", file=sys.stderr)


def _news_members(news: News) -> dict[str, object]:
    found = news.found
    return {
        "keys": news.source,
        "problem": news.problem,
        "detail": news.detail,
        "version": found.version if found else None,
        "issued_at": _instant(found.issued_at) if found else None,
        "expires_at": _instant(found.expires_at) if found else None,
        "clock_offset": round(news.offset, 1),
        "warnings": list(news.warnings),
    }


def _news_sentence(news: News) -> str:
    which = f"key set {news.found.version}, good until {_instant(news.found.expires_at)}" if news.found else ""
    if news.source == KEPT:
        refused = "" if news.problem == NO_ANSWER else f"refused what the address gave ({news.problem}): "
        return f"{refused}{news.detail}; the kept copy is used: {which}"
    return f"{'fetched' if news.source == FETCHED else 'read'} {which}, signed by the pinned root"


def run() -> NoReturn:
    """As a program of its own: `python -m api.commands.verify`."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
