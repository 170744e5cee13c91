"""What the `yima keys` commands say to people: tables and sentences of the service's answers."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

Json = dict[str, Any]

_SINCE: Final = {
    "pending": "published_at",
    "active": "activated_at",
    "retiring": "retiring_at",
    "retired": "retired_at",
    "destroyed": "destroyed_at",
    "compromised": "compromised_at",
}
_TIMES: Final = (
    "created_at",
    "published_at",
    "activated_at",
    "retiring_at",
    "retired_at",
    "destroy_at",
    "destroyed_at",
    "compromised_at",
)


def instant(text: str | None) -> str:
    """A time without its fraction, `-` for none."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%dT%H:%M:%SZ") if text else "-"


def printable(text: str) -> str:
    """Somebody's words, without what could move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they must be; the last one may hold letters of any width."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head) - 1)]
    padded = ("  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[-1]]) for line in lines)
    return "\n".join(line.rstrip() for line in padded) + "\n"


def overview(answer: Json, approvals: list[Json], *, everything: bool) -> str:
    """All keys, the workers, and what waits for a second custodian."""
    shown = [key for key in answer["keys"] if everything or key["state"] != "destroyed"]
    hidden = len(answer["keys"]) - len(shown)
    keys = table(("PURPOSE", "KID", "STATE", "SINCE", "NEXT", "AT", "WAITS FOR"), map(_key_row, _by_purpose(shown)))
    more = f"({hidden} destroyed not shown: --all)\n" if hidden else ""
    return f"Key ring {answer['ring_version']}\n\n{keys}{more}\n{_workers(answer)}\n{_waiting(approvals)}"


def _by_purpose(keys: list[Json]) -> list[Json]:
    return sorted(keys, key=lambda key: str(key["purpose"]))  # stable: oldest first within a purpose


def _key_row(key: Json) -> tuple[str, ...]:
    coming = key["next"] or {"to": "-", "at": None, "waits_for": None}
    since = instant(key.get(_SINCE.get(key["state"], "")))
    waits = coming["waits_for"] or "-"
    return key["purpose"], key["kid"], key["state"], since, coming["to"], instant(coming["at"]), waits


def _workers(answer: Json) -> str:
    def row(worker: Json) -> tuple[str, ...]:
        behind = "lags" if worker["ring_version"] < answer["ring_version"] else "up to date"
        said = behind if worker["live"] else "gone: holds nothing back"
        return printable(worker["slot"]), str(worker["ring_version"]), instant(worker["reported_at"]), said

    return table(("WORKER", "RING", "REPORTED", ""), map(row, answer["workers"]))


def _waiting(approvals: list[Json]) -> str:
    if not approvals:
        return "Nothing waits for a second custodian.\n"
    head = ("APPROVAL", "KEY", "WHAT", "UNTIL", "ASKED BY, WHY")
    return table(head, ((a["approval_id"], a["kid"], _what(a), instant(a["expires_at"]), _why(a)) for a in approvals))


def about(approval: Json) -> str:
    """An approval in one line."""
    return f"{_what(approval)} of {approval['kid']}, asked by {_why(approval)}"


def _what(approval: Json) -> str:
    return f"{approval['purpose']}: {approval['source']} -> {approval['to']}"


def _why(approval: Json) -> str:
    marks = (" (yours)" if approval["mine"] else "") + (" (LATE)" if approval["late"] else "")
    return printable(f"{approval['requester']}{marks}: {approval['reason']}")


def one_key(key: Json, ring_version: int) -> str:
    """All that is known of a key."""
    coming = key["next"]
    rows = [(name, str(key[name])) for name in ("kid", "purpose", "suite", "state", "version")]
    rows += [(name.replace("_", " "), instant(key[name])) for name in _TIMES if key.get(name)]
    if key["retain"]:
        rows.append(("retain", "never destroyed"))
    if coming:
        waits = f", waits for {coming['waits_for']}" if coming["waits_for"] else ""
        rows.append(("next", f"{coming['to']} at {instant(coming['at'])}{waits}"))
    rows.append(("key ring", str(ring_version)))
    return "".join(f"{name:<16}{value}\n" for name, value in rows)


def report(found: Json) -> str:
    """What a key was used for, with the resolutions that the service lists."""
    uses = [
        (instant(u["at"]), u["resolution_id"], printable(f"{u['hospital']}, {u['terminal']}")) for u in found["listed"]
    ]
    listed = table(("AT", "RESOLUTION", "WHERE"), uses) if uses else ""
    alarms = [(instant(a["at"]), printable(f"{a['hospital']}, {a['terminal']}")) for a in found["alarms"]]
    forged = table(("FORGED SIGNATURE AT", "WHERE"), alarms) if alarms else ""
    return f"{_counts(found)}{listed}{forged}"


def _counts(found: Json) -> str:
    return (
        f"  resolutions under it since {instant(found['since'])}: {found['resolutions']},"
        f" still open: {found['resolutions_open']}\n"
        f"  alarms of forged signatures under it: {found['forged_signatures']}\n"
    )


def consequence(key: Json, pending: Json | None, found: Json) -> str:
    """What a compromise does, in numbers, before it is done."""
    replaced = "  a replacement is made and signs at once\n" if key["state"] == "active" else ""
    too = f"  the pending key {pending['kid']} is compromised with it\n" if pending else ""
    return (
        f"Compromising {key['purpose']} key {key['kid']}, {key['state']}, cannot be undone.\n"
        "  at once, the service refuses what it signed; who verifies offline does so from the next key set on\n"
        f"{replaced}{too}{_counts(found)}"
        "  those that are open end\n"
    )


def problem(found: Json) -> str:
    """A problem of the service: title, detail, and which gate opens when."""
    lines = [f"{printable(str(found.get('title', found.get('status'))))} ({found.get('code', 'no code')})"]
    lines += [f"  {printable(str(found['detail']))}"] if found.get("detail") else []
    lines += [f"  {printable(str(e['field']))}: {printable(str(e['message']))}" for e in found.get("errors", ())]
    if found.get("gate"):
        opens = f", not before {instant(found['not_before'])}" if found.get("not_before") else ""
        lines.append(f"  gate: {found['gate']}{opens}")
    return "\n".join(lines) + "\n"
