"""The ledger's checker: what callers were told, against the rows that the database kept (security.md, Exactly once).

Per cti, in linear time: one distinct winner; every answer equals the row in resolution_id, resolved_at, card and
granted; a "used" implies a winner that began before it ended; no win begun after another's win ended; one row per win
and none without.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

Who = tuple[str, str]  # (client, terminal)


class Told(StrEnum):
    """What a scan was told."""

    WON = "won"  # 201
    REPLAYED = "replayed"  # 200
    USED = "used"  # 409 code-already-used
    UNKNOWN = "unknown"  # 503 try-again, or the connection went
    REFUSED = "refused"  # anything else: expired, revoked …


class Answer(NamedTuple):
    """What must be equal between an answer and the row. `card`: whatever identifies the person shown."""

    resolution_id: str
    resolved_at: str
    card: str
    granted: tuple[str, ...]


class Scan(NamedTuple):
    """One scan: when it began and ended on one monotonic clock, and what it was told."""

    cti: bytes
    who: Who
    began: float
    ended: float
    told: Told
    answer: Answer | None = None


class Row(NamedTuple):
    """One row of the ledger, as an answer would show it."""

    cti: bytes
    who: Who
    answer: Answer


class Fault(NamedTuple):
    """What is wrong with one code."""

    kind: str  # doubled, lost, differs, no-winner, late-win, no-win
    cti: bytes
    about: str


@dataclass
class Verdict:
    """What the checker found."""

    told: Counter[Told] = field(default_factory=Counter)
    codes: int = 0
    faults: list[Fault] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """How many faults of a kind."""
        return sum(fault.kind == kind for fault in self.faults)

    def __str__(self) -> str:
        kinds = Counter(fault.kind for fault in self.faults)
        said = ", ".join(f"{count} {told}" for told, count in sorted(self.told.items()))
        wrong = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "no fault"
        return f"{self.codes} codes, {sum(self.told.values())} scans ({said}): {wrong}"


def check(scans: Iterable[Scan], rows: Iterable[Row]) -> Verdict:
    """Every fault of the ledger. Codes whose scans all ended unknown may or may not have a row."""
    told_by_code: dict[bytes, list[Scan]] = defaultdict(list)
    kept: dict[bytes, list[Row]] = defaultdict(list)
    verdict = Verdict()
    for scan in scans:
        told_by_code[scan.cti].append(scan)
        verdict.told[scan.told] += 1
    for row in rows:
        kept[row.cti].append(row)
    verdict.codes = len(told_by_code)
    for cti in told_by_code.keys() | kept.keys():
        found = _faults(told_by_code.get(cti, []), kept.get(cti, []))
        verdict.faults += [Fault(kind, cti, about) for kind, about in found]
    return verdict


def _faults(scans: list[Scan], rows: list[Row]) -> Iterable[tuple[str, str]]:
    answered = [scan for scan in scans if scan.answer is not None]
    yield from _one_winner(answered, rows)
    yield from _as_kept(answered, rows)
    yield from _used_after_a_winner(scans, rows)
    if rows and not any(_may_have_won(scan, rows[0].who) for scan in scans):
        yield "no-win", f"a row of {rows[0].who}, who was always refused"


def _one_winner(answered: list[Scan], rows: list[Row]) -> Iterable[tuple[str, str]]:
    winners = {(scan.who, scan.answer.resolution_id) for scan in answered if scan.answer}
    if len(winners) > 1:
        yield "doubled", f"{len(winners)} winners: {sorted(winners)}"
    if len(rows) > 1:
        yield "doubled", f"{len(rows)} rows"
    wins = [scan for scan in answered if scan.told is Told.WON]
    if len(wins) > 1:
        yield "doubled", f"{len(wins)} scans were told that they won"
    # A replay may well come after the win; a win after any answer ended cannot be one.
    first_end = min((scan.ended for scan in answered), default=float("inf"))
    for win in wins:
        if win.began > first_end:
            yield "late-win", f"a win of {win.who} began after another answer had ended"


def _as_kept(answered: list[Scan], rows: list[Row]) -> Iterable[tuple[str, str]]:
    for scan in answered:
        if not rows:
            yield "lost", f"{scan.who} was answered and there is no row"
        elif all(scan.answer != row.answer for row in rows):
            yield "differs", f"{scan.who} was told {scan.answer}, kept is {rows[0].answer}"
        elif all(scan.who != row.who for row in rows):
            yield "differs", f"{scan.who} was answered, kept is {rows[0].who}"


def _used_after_a_winner(scans: list[Scan], rows: list[Row]) -> Iterable[tuple[str, str]]:
    used = [scan for scan in scans if scan.told is Told.USED]
    if not used:
        return
    if not rows:
        yield "no-winner", f"{used[0].who} was told used, and nobody won"
        return
    first_began = min((s.began for s in scans if _may_have_won(s, rows[0].who)), default=float("inf"))
    for scan in used:
        if first_began > scan.ended:
            yield "no-winner", f"{scan.who} was told used before the winner began"


def _may_have_won(scan: Scan, who: Who) -> bool:
    return scan.who == who and (scan.answer is not None or scan.told is Told.UNKNOWN)


def unanswered(scans: Iterable[Scan], rows: Iterable[Row]) -> list[bytes]:
    """Codes that were used though nobody ever got the answer: none, where every unknown outcome was tried again."""
    answered = {scan.cti for scan in scans if scan.answer is not None}
    return [row.cti for row in rows if row.cti not in answered]


def answer_of(body: dict[str, Any]) -> Answer:
    """What a resolution's body must have in common with its row."""
    card = body["card"]["health_card_id"]
    return Answer(body["resolution_id"], body["resolved_at"], card, tuple(sorted(body["granted"])))
