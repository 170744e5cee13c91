"""`yima keys`: see, rotate, cut off and approve keys over the service's API; make the first ones beside it.

The administrator's token comes from YIMA_ADMIN_TOKEN or a file, never from the command line, where other
processes could read it. Exit status: 0 done, 1 refused or not done, 2 wrong usage.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final

from api.commands import keys_text
from api.commands.keys_client import AdminService, NoService, Refused
from api.commands.keys_local import FORMATS, export_public, init
from api.settings import read_settings
from codes.ring import KeyState, Purpose

Json = dict[str, Any]
DONE, NOT_DONE, INTERRUPTED = 0, 1, 130

_POLL_SECONDS: Final = 1.0
_GONE: Final = ("retired", "destroy-scheduled", "destroyed", "compromised")


def main(arguments: list[str]) -> int:
    """Run one of the commands."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.action == "init":
        return asyncio.run(init(as_json=given.json))
    if given.action == "export-public":
        return asyncio.run(export_public(given.format, as_json=given.json))
    with closing(_service(parser, given)) as service:
        try:
            done: int = _COMMANDS[given.action](service, given)
            return done
        except Refused as refused:
            told = (
                json.dumps(refused.problem) + "\n" if given.json else f"yima keys: {keys_text.problem(refused.problem)}"
            )
            sys.stderr.write(told)
        except NoService as reason:
            sys.stderr.write(f"yima keys: {reason}\n")
    return NOT_DONE


def _service(parser: argparse.ArgumentParser, given: argparse.Namespace) -> AdminService:
    settings = read_settings()
    token = settings.admin_token
    if given.token_file:
        with open(given.token_file, encoding="utf-8") as file:
            token = file.read().strip()
    if not token:
        parser.error("no administrator's token: set YIMA_ADMIN_TOKEN, or name a file with --token-file")
    if not token.isascii() or not token.isprintable():
        parser.error("that is no administrator's token")
    return AdminService(given.url or settings.admin_url, token)


class _Exact(argparse.ArgumentParser):
    """Takes no abbreviations: --token would be --token-file, and a secret given to it an error's file name."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, allow_abbrev=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="yima keys", description="See, rotate and cut off the service's keys.")
    told = _Exact(add_help=False)
    told.add_argument("--json", action="store_true", help="one JSON object, for programs")
    remote = _Exact(add_help=False, parents=[told])
    remote.add_argument("--url", metavar="ADDRESS", help="the service; default: YIMA_ADMIN_URL, else this machine's")
    remote.add_argument(
        "--token-file", metavar="FILE", help="holds the administrator's token; default: YIMA_ADMIN_TOKEN"
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=_Exact)

    listing = actions.add_parser("list", parents=[remote], help="keys, workers, and what waits for approval")
    listing.add_argument("--all", action="store_true", help="destroyed keys too")
    show = actions.add_parser("show", parents=[remote], help="one key")
    show.add_argument("kid", metavar="KID")
    show.add_argument("--report", action="store_true", help="the resolutions under it, and alarms")
    show.add_argument("--since", type=_time, metavar="TIME", help="of the report; default: since it was activated")
    rotate = actions.add_parser("rotate", parents=[remote], help="a new key for a purpose")
    rotate.add_argument("purpose", choices=[purpose.value for purpose in Purpose], metavar="PURPOSE")
    when = rotate.add_mutually_exclusive_group()
    when.add_argument(
        "--scheduled", action="store_true", help="at the period's end; default: as soon as the gates hold"
    )
    when.add_argument("--wait", action="store_true", help="until the new key is active")
    _add_changes(actions, remote)
    export = actions.add_parser("export-public", parents=[told], help="the root's public key, for verifiers to pin")
    export.add_argument("--format", choices=FORMATS, default="hex")
    actions.add_parser("init", parents=[told], help="make the root key and the first keys, where there are none")
    return parser


def _add_changes(actions: Any, remote: _Exact) -> None:
    transition = actions.add_parser("transition", parents=[remote], help="move a key to another state")
    transition.add_argument("kid", metavar="KID")
    transition.add_argument("state", choices=[state.value for state in KeyState], metavar="STATE")
    transition.add_argument("--reason", required=True)
    transition.add_argument("--if-match", metavar="ETAG", help="of the keys as you saw them; default: read them now")
    compromise = actions.add_parser("compromise", parents=[remote], help="cut a stolen key off, at once and for good")
    compromise.add_argument("kid", metavar="KID")
    compromise.add_argument("--reason", required=True)
    compromise.add_argument("--since", type=_time, metavar="TIME", help="stolen since; default: since it was activated")
    compromise.add_argument("--yes", action="store_true", help="do not ask")
    approve = actions.add_parser("approve", parents=[remote], help="decide what another custodian asked for")
    approve.add_argument("approval_id", metavar="ID")
    approve.add_argument("--refuse", action="store_true")


def _time(text: str) -> str:
    """A time of RFC 3339, in UTC; without a zone it is UTC."""
    try:
        read = datetime.fromisoformat(text)
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("a time like 2026-11-24T08:00:00Z") from None
    return read.isoformat().replace("+00:00", "Z")


def _tell(given: argparse.Namespace, answer: Json, text: str) -> int:
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n" if given.json else text)
    return DONE


def _list(service: AdminService, given: argparse.Namespace) -> int:
    answer, approvals = service.keys().answer, service.approvals()
    text = keys_text.overview(answer, approvals, everything=given.all)
    return _tell(given, {**answer, "approvals": approvals}, text)


def _show(service: AdminService, given: argparse.Namespace) -> int:
    keys = service.keys()
    key, version = keys.key(given.kid), keys.answer["ring_version"]
    answer = {**key, "ring_version": version, "etag": keys.etag}
    text = keys_text.one_key(key, version)
    if given.report:
        answer["report"] = service.report(given.kid, given.since)
        text += keys_text.report(answer["report"])
    return _tell(given, answer, text)


def _rotate(service: AdminService, given: argparse.Namespace) -> int:
    answer = service.rotate(given.purpose, "scheduled" if given.scheduled else "now")
    at = keys_text.instant(answer["activates_at"])
    if not given.wait:
        return _tell(given, answer, f"{given.purpose} key {answer['kid']} is pending; active at {at} at the earliest\n")
    sys.stderr.write(f"yima keys: {answer['kid']} is pending; active at {at} at the earliest\n")
    try:
        return _wait(service, given, answer)
    except KeyboardInterrupt:
        sys.stderr.write(f"yima keys: not waited for; the rotation goes on: yima keys show {answer['kid']}\n")
        return INTERRUPTED


def _wait(service: AdminService, given: argparse.Namespace, answer: Json) -> int:
    """Until the key is active; what it waits for is said whenever that changes."""
    said = None
    while True:
        key = service.keys_meanwhile().key(answer["kid"])
        if key["state"] != "pending":
            break
        waits = (key["next"] or {}).get("waits_for")
        if waits and waits != said:
            sys.stderr.write(f"yima keys: waits for {waits}\n")
            said = waits
        time.sleep(_POLL_SECONDS)
    _tell(given, {**answer, "state": key["state"]}, f"{given.purpose} key {key['kid']} is {key['state']}\n")
    return NOT_DONE if key["state"] in _GONE else DONE


def _transition(service: AdminService, given: argparse.Namespace) -> int:
    etag = given.if_match or service.keys().etag
    answer = service.transition(given.kid, given.state, given.reason, etag)
    if "approval_id" in answer:
        text = f"waits for a second custodian: yima keys approve {answer['approval_id']}\n"
    else:
        text = f"{answer['purpose']} key {answer['kid']} is {answer['state']}\n"
    return _tell(given, answer, text)


def _compromise(service: AdminService, given: argparse.Namespace) -> int:
    keys = service.keys()
    key = keys.key(given.kid)
    pending = (k for k in keys.answer["keys"] if k["purpose"] == key["purpose"] and k["state"] == "pending")
    too = next((k for k in pending if k["kid"] != key["kid"]), None)
    sys.stderr.write(keys_text.consequence(key, too, service.report(given.kid, given.since)))
    if not given.yes and not _typed(given.kid):
        sys.stderr.write("yima keys: that is not the kid; nothing was done\n")
        return NOT_DONE
    answer = service.compromise(given.kid, given.reason, given.since)
    replaced = f", replaced by {answer['replacement_kid']}" if answer["replacement_kid"] else ""
    ended = f"{answer['resolutions_ended']} resolutions ended"
    confirm = f"a second custodian confirms within 24 hours: yima keys approve {answer['approval_id']}"
    return _tell(given, answer, f"key {answer['kid']} is compromised{replaced}; {ended}\n{confirm}\n")


def _typed(kid: str) -> bool:
    sys.stderr.write("Type the kid to go on: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == kid


def _approve(service: AdminService, given: argparse.Namespace) -> int:
    for approval in service.approvals():
        if approval["approval_id"] == given.approval_id:
            sys.stderr.write(f"yima keys: {keys_text.about(approval)}\n")
    answer = service.decide(given.approval_id, not given.refuse)
    decided = "refused" if given.refuse else "approved"
    return _tell(given, answer, f"{decided}; key {answer['kid']} is {answer['state']}\n")


_COMMANDS: Final[dict[str, Callable[[AdminService, argparse.Namespace], int]]] = {
    "list": _list,
    "show": _show,
    "rotate": _rotate,
    "transition": _transition,
    "compromise": _compromise,
    "approve": _approve,
}
