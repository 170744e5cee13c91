"""Requests and answers of records (api-services.md, Records)."""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from api.booking.types import HospitalNamed, Instant
from api.patient.types import Strict
from api.texts import Line20, Line64, Line100, Line300
from api.web.queries import Page

RECORD_MOST = 1024 * 1024  # bytes of a body that posts one
FHIR_JSON = "application/fhir+json"

Kind = Literal["laboratory", "examination", "imaging", "discharge", "note"]
Level = Literal["national", "province", "city"]
Area = Annotated[str, Meta(pattern=r"^[1-9][0-9]{5}\Z", description="Administrative division (GB/T 2260), six digits")]
Reason = Literal["condition-changed", "changes-fast", "major-treatment", "emergency", "forensic", "other"]


def sane(at: datetime) -> bool:
    """Whether a time is one that the database can hold and a person can mean."""
    return 1900 < at.year < 3000


def says_something(text: str, least: int = 1) -> bool:
    """Whether a text has so many characters that can be seen: letters, marks, numbers, signs (Unicode categories)."""
    return sum(unicodedata.category(one)[0] in "LMNPS" for one in text) >= least


class ItemGiven(Strict):
    """A test or examination item, by its national code."""

    code: Line64
    name: Line100


class RecognitionGiven(Strict):
    """A mark of mutual recognition (检查检验结果互认), as 全国HR, 湘HR, 长沙HR."""

    level: Level
    area: Area
    mark: Line20
    items: Annotated[list[ItemGiven], Meta(min_length=1, max_length=100)]


class RecordRequest(Strict):
    """A FHIR R4 resource, kept byte for byte; `replaces`: the hospital's own record that it corrects."""

    resource: msgspec.Raw
    replaces: UUID | None = None
    recognition: RecognitionGiven | None = None


class MarkedItem(msgspec.Struct):
    """An item of a mark."""

    code: str
    name: str


class RecordMark(msgspec.Struct):
    """A record's mark of mutual recognition."""

    level: Level
    area: str
    mark: str
    items: list[MarkedItem]


class Record(msgspec.Struct):
    """A record as lists show it. `size` and `sha256` are of the posted bytes."""

    record_id: UUID
    kind: Kind
    title: str
    status: str
    hospital: HospitalNamed
    occurred_at: datetime
    posted_at: datetime
    replaces: UUID | None
    superseded_by: UUID | None
    recognition: RecordMark | None
    size: int
    sha256: str


class RecordList(msgspec.Struct):
    """Records, newest `occurred_at` first; without a total."""

    records: list[Record]
    next_cursor: str | None


class RecordQuery(Page):
    """Which records. `from` and `to` bound `occurred_at`, `to` not included."""

    kind: Kind | None = None
    since: Instant | None = msgspec.field(default=None, name="from")
    until: Instant | None = msgspec.field(default=None, name="to")
    hospital_id: UUID | None = None
    history: Annotated[bool, Meta(description="Superseded and erroneous ones too")] = False


class PatientRecordQuery(RecordQuery):
    """`record_id`: that one alone, as the list shows it."""

    record_id: UUID | None = None


class HospitalRecordQuery(RecordQuery):
    """`recognised`: those that stand for a new test here; `item`: for this item; `within`: its sample so many days old."""

    recognised: bool = False
    item: Line64 | None = None
    within: Annotated[int, Meta(ge=1, le=3650)] | None = None


class DecisionRequest(Strict):
    """Whether a recognised record stands for a new test of an item; `reason` if it is repeated."""

    item: Line64
    decision: Literal["accepted", "repeated"]
    reason: Reason | None = None


class RecognitionDecision(msgspec.Struct):
    """A doctor's decision on a recognised record."""

    record_id: UUID
    at: datetime
    hospital: str
    item: str
    item_name: str
    decision: Literal["accepted", "repeated"]
    reason: Reason | None


class PatientRecord(Record):
    """A record as its person sees it, with what doctors decided on it."""

    recognitions: list[RecognitionDecision] = []


class PatientRecordList(msgspec.Struct):
    """A person's records, newest `occurred_at` first."""

    records: list[PatientRecord]
    next_cursor: str | None


class GlassOperator(Strict):
    """Who breaks the glass."""

    id: Line64
    name: Line64


class BreakGlassRequest(Strict):
    """All records of the person for 60 minutes, told to the person at once and reviewed by an auditor."""

    reason: Literal["life-threatening", "cannot-consent", "public-health"]
    statement: Annotated[str, Meta(min_length=10, max_length=500)]
    operator: GlassOperator


class BreakGlassOpened(msgspec.Struct):
    """The opening, and when it ends."""

    break_glass_id: UUID
    expires_at: datetime


class GlassReview(msgspec.Struct):
    """An auditor's verdict."""

    verdict: Literal["justified", "unjustified"]
    note: str
    by: str
    at: datetime


class BreakGlassShown(msgspec.Struct):
    """A breaking of the glass as auditors see it. `reads`: calls under it that read; `due_at`: when it must be reviewed."""

    break_glass_id: UUID
    at: datetime
    expires_at: datetime
    hospital: str
    client_id: UUID
    terminal: str
    department: str | None
    operator: GlassOperator
    reason: str
    statement: str
    reads: int
    due_at: datetime
    overdue: bool
    review: GlassReview | None


class BreakGlassList(msgspec.Struct):
    """Breakings of the glass: those that wait oldest first, else newest first."""

    break_glasses: list[BreakGlassShown]
    next_cursor: str | None


class GlassQuery(Page):
    """`reviewed=false`: those that wait for a verdict, oldest first."""

    reviewed: bool | None = None


class ReviewRequest(Strict):
    """A verdict, and why."""

    verdict: Literal["justified", "unjustified"]
    note: Annotated[str, Meta(min_length=1, max_length=500)]


class RuleGiven(Strict):
    """Who may read what. The hospital is the reader; "*" is any. In force from valid_from until before valid_until."""

    hospital_id: Annotated[str, Meta(pattern=r"^(\*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\Z")]
    kind: Literal["laboratory", "examination", "imaging", "discharge", "note", "*"]
    effect: Literal["permit", "deny"]
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class ConsentRequest(Strict):
    """All rules, which replace those before."""

    rules: Annotated[list[RuleGiven], Meta(max_length=100)]


class Consents(msgspec.Struct):
    """The rules in force, in the person's order; `hospitals` names those in them."""

    version: int
    rules: list[RuleGiven]
    hospitals: list[HospitalNamed]


class Point(msgspec.Struct):
    """A measured value; decimals as they were posted."""

    at: datetime
    value: str
    unit: str | None
    low: str | None
    high: str | None
    flag: str | None
    record_id: UUID


class PointList(msgspec.Struct):
    """A test's values, oldest first."""

    points: list[Point]


class MeasuredCode(msgspec.Struct):
    """A test that the person has values of."""

    code: str
    name: str
    count: int
    last_at: datetime


class MeasuredCodeList(msgspec.Struct):
    """Tests with values, newest first."""

    codes: list[MeasuredCode]


class CodeQuery(msgspec.Struct):
    """Which test: its LOINC code, or `system|code`, as the list of tests gives it."""

    code: Line300


class BundleQuery(msgspec.Struct):
    """`history`: superseded and erroneous ones too."""

    history: bool = False


class ItemCount(msgspec.Struct):
    """How often an item was recognised, and why not."""

    item: str
    name: str
    accepted: int
    repeated: int
    reasons: dict[str, int]


class ItemCountList(msgspec.Struct):
    """Decisions by item, most first."""

    items: list[ItemCount]
