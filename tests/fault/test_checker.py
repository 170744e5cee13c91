"""The checker finds every planted fault, and none where there is none."""

from dataclasses import dataclass, field

import pytest

from tests.fault.checker import Answer, Row, Scan, Told, Who, check, unanswered

A: Who = ("hospital", "T1")
B: Who = ("hospital", "T2")
CTI = b"c" * 16
FIRST = Answer("r1", "2026-11-24T08:00:00Z", "card", ("booking",))
SECOND = FIRST._replace(resolution_id="r2")


@dataclass
class Story:
    """A history of one code, and whether the ledger is told of as at fault."""

    scans: list[Scan] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def told(self, who: Who, began: float, ended: float, what: Told, answer: Answer | None = None) -> "Story":
        self.scans.append(Scan(CTI, who, began, ended, what, answer))
        return self

    def kept(self, who: Who, answer: Answer) -> "Story":
        self.rows.append(Row(CTI, who, answer))
        return self

    def faults(self) -> set[str]:
        return {fault.kind for fault in check(self.scans, self.rows).faults}


def won() -> Story:
    """The plain case: one wins, one is refused, the winner asks again."""
    story = Story().told(A, 0, 1, Told.WON, FIRST).told(B, 0, 2, Told.USED).told(A, 3, 4, Told.REPLAYED, FIRST)
    return story.kept(A, FIRST)


SOUND = {
    "won, refused, replayed": won(),
    "nobody scanned": Story(),
    "unknown, and not used": Story().told(A, 0, 1, Told.UNKNOWN),
    "unknown, used, and asked again": (
        Story().told(A, 0, 1, Told.UNKNOWN).told(A, 2, 3, Told.REPLAYED, FIRST).kept(A, FIRST)
    ),
    "unknown, used, and another is refused": Story()
    .told(A, 0, 1, Told.UNKNOWN)
    .told(B, 2, 3, Told.USED)
    .kept(A, FIRST),
    "unknown, not used, and another wins": (
        Story().told(A, 0, 1, Told.UNKNOWN).told(B, 2, 3, Told.WON, FIRST).kept(B, FIRST)
    ),
    "the replay overtakes the answer": (
        Story().told(A, 0, 9, Told.WON, FIRST).told(A, 2, 3, Told.REPLAYED, FIRST).kept(A, FIRST)
    ),
    "expired for all": Story().told(A, 0, 1, Told.REFUSED).told(B, 0, 1, Told.REFUSED),
}
PLANTED = {
    "two terminals win": (won().told(B, 0, 1, Told.WON, SECOND).kept(B, SECOND), "doubled"),
    "one terminal wins twice": (won().told(A, 5, 6, Told.WON, SECOND).kept(A, SECOND), "doubled"),
    "the same win is told twice": (won().told(A, 0, 1, Told.WON, FIRST), "doubled"),
    "another terminal gets a replay": (won().told(B, 5, 6, Told.REPLAYED, FIRST), "doubled"),
    "two rows, one told": (won().kept(A, SECOND), "doubled"),
    "acknowledged and lost": (Story().told(A, 0, 1, Told.WON, FIRST), "lost"),
    "a win begins after another answer ended": (
        Story().told(A, 0, 1, Told.REPLAYED, FIRST).told(A, 2, 3, Told.WON, FIRST).kept(A, FIRST),
        "late-win",
    ),
    "another id than the row's": (Story().told(A, 0, 1, Told.WON, SECOND).kept(A, FIRST), "differs"),
    "the row names another terminal": (Story().told(A, 0, 1, Told.WON, FIRST).kept(B, FIRST), "differs"),
    "used, and nobody won": (Story().told(B, 0, 1, Told.USED), "no-winner"),
    "used before the winner began": (
        Story().told(B, 0, 1, Told.USED).told(A, 2, 3, Told.WON, FIRST).kept(A, FIRST),
        "no-winner",
    ),
    "a row without a win": (Story().told(A, 0, 1, Told.REFUSED).kept(A, FIRST), "no-win"),
    "a row that nobody asked for": (Story().kept(A, FIRST), "no-win"),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_ledger_has_no_fault(name: str) -> None:
    assert SOUND[name].faults() == set()


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name: str) -> None:
    story, kind = PLANTED[name]
    assert kind in story.faults()


@pytest.mark.parametrize("changed", ["resolution_id", "resolved_at", "card", "granted"])
def test_every_part_of_an_answer_is_compared(changed: str) -> None:
    story = Story().told(A, 0, 1, Told.WON, FIRST).kept(A, Answer(**{**FIRST._asdict(), changed: ("other",)}))
    assert story.faults() == {"differs"}


def test_a_used_code_without_an_answer_is_named() -> None:
    lost = Story().told(A, 0, 1, Told.UNKNOWN).kept(A, FIRST)
    assert unanswered(lost.scans, lost.rows) == [CTI]
    assert unanswered(won().scans, won().rows) == []


def test_it_is_linear() -> None:
    """A hundred thousand scans of one code take a moment: no comparison of each with each."""
    scans = [Scan(CTI, (f"h{n}", "T"), 0, 2, Told.USED) for n in range(100_000)]
    verdict = check([Scan(CTI, A, 0, 1, Told.WON, FIRST), *scans], [Row(CTI, A, FIRST)])
    assert (verdict.faults, verdict.told[Told.USED]) == ([], 100_000)
