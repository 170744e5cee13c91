"""What a PACS answers in the DICOM JSON model (PS3.18 annex F), read with distrust: of each attribute only what it can be.

A data set is a JSON object of tags, `{"0020000D": {"vr": "UI", "Value": [...]}}`. What has no sound value is absent;
what must be there and is not, or contradicts what was asked, raises `Lying`. Names of people are not looked at.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_LAST: Final = 2**31
TEXT_MOST: Final = 200  # characters of a description
# Modalities whose instances hold no picture (PS3.3 C.7.3.1.1.1): reports, presentations, registrations, documents
NO_PICTURES: Final = frozenset({"SR", "PR", "KO", "REG", "DOC", "RTPLAN", "RTSTRUCT", "RTRECORD", "PLAN", "AU", "ECG"})

Dataset = dict[str, Any]

_UID: Final = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_CODE: Final = re.compile(r"[A-Z][A-Z0-9]{1,15}")
_DATE: Final = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_TIME: Final = re.compile(r"(\d{2}):?(?:(\d{2}):?(?:(\d{2})(?:\.\d{1,6})?)?)?")
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class Lying(Exception):
    """An answer that is not one to what was asked."""


class Study(NamedTuple):
    """A study as QIDO-RS lists it. `started`: a FHIR dateTime; counts are None where the PACS does not say."""

    uid: str
    patient_number: str
    started: str
    modalities: list[str]
    description: str | None
    accession: str | None
    series: int | None
    instances: int | None


class Series(NamedTuple):
    """A series of a study."""

    uid: str
    number: int | None
    modality: str | None
    description: str | None
    instances: int | None


class Instance(NamedTuple):
    """An instance that can be shown as a picture."""

    series_number: int
    number: int
    series: str
    uid: str


def is_uid(text: str) -> bool:
    """Whether a text is a DICOM UID (PS3.5 section 9): digits and points, 64 characters at most."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


def study_of(dataset: Dataset) -> Study | None:
    """The study of a data set; None if it lacks what makes it one of a patient's at a time."""
    uid, number, started = _uid(dataset, "0020000D"), _text(dataset, "00100020"), _started(dataset)
    if uid is None or not number or started is None:
        return None
    modalities = [one for one in _texts(dataset, "00080061") if _CODE.fullmatch(one)]
    return Study(
        uid,
        number,
        started,
        sorted(set(modalities)),
        _text(dataset, "00081030"),
        _text(dataset, "00080050"),
        _count(dataset, "00201206"),
        _count(dataset, "00201208"),
    )


def series_of(datasets: Iterable[Dataset], study: str, number: str) -> list[Series]:
    """The series of a study, by number. Raises Lying: of another study or patient, or of none that is named, without UID, or there twice."""
    found = [_series(dataset) for dataset in _of_study(datasets, study, number)]
    if len({one.uid for one in found}) != len(found):
        raise Lying
    return sorted(found, key=lambda one: (_LAST if one.number is None else one.number, one.uid))


def instances_of(datasets: Iterable[Dataset], study: str, number: str) -> list[Instance]:
    """The pictures of a study, by the numbers of series and instance. Raises Lying as `series_of`."""
    found: dict[str, Instance] = {}
    for dataset in _of_study(datasets, study, number):
        series, uid = _uid(dataset, "0020000E"), _uid(dataset, "00080018")
        if series is None or uid is None or uid in found:
            raise Lying
        if _text(dataset, "00080060") not in NO_PICTURES:
            found[uid] = Instance(_place(dataset, "00200011"), _place(dataset, "00200013"), series, uid)
    return sorted(found.values())


def _of_study(datasets: Iterable[Dataset], study: str, number: str) -> Iterable[Dataset]:
    """The data sets, checked to be of this study and to name this patient: one that names nobody may be anybody's."""
    for dataset in datasets:
        if "0020000D" in dataset and _uid(dataset, "0020000D") != study:
            raise Lying
        if _text(dataset, "00100020") != number:
            raise Lying
        yield dataset


def _series(dataset: Dataset) -> Series:
    uid, modality = _uid(dataset, "0020000E"), _text(dataset, "00080060")
    if uid is None:
        raise Lying
    return Series(
        uid,
        _count(dataset, "00200011"),
        modality if modality and _CODE.fullmatch(modality) else None,
        _text(dataset, "0008103E"),
        _count(dataset, "00201209"),
    )


def _values(dataset: Dataset, tag: str) -> list[Any]:
    element = dataset.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return values if isinstance(values, list) else []


def _texts(dataset: Dataset, tag: str) -> list[str]:
    return [clean(one) for one in _values(dataset, tag) if isinstance(one, str)]


def _text(dataset: Dataset, tag: str) -> str | None:
    return next(iter(_texts(dataset, tag)), None) or None


def _uid(dataset: Dataset, tag: str) -> str | None:
    text = _text(dataset, tag)
    return text if text and is_uid(text) else None


def _number(dataset: Dataset, tag: str) -> int | None:
    """A whole number, which DICOM JSON writes as a number or (IS) as text."""
    value = next(iter(_values(dataset, tag)), None)
    if isinstance(value, str) and re.fullmatch(r" *[+-]?\d{1,11} *", value):
        value = int(value)
    return value if type(value) is int and abs(value) < 2**31 else None


def _place(dataset: Dataset, tag: str) -> int:
    """A number to sort by: those without one come last."""
    number = _number(dataset, tag)
    return _LAST if number is None else number


def _count(dataset: Dataset, tag: str) -> int | None:
    number = _number(dataset, tag)
    return number if number is not None and number >= 0 else None


def _started(dataset: Dataset) -> str | None:
    """StudyDate and StudyTime as a FHIR dateTime of Shanghai, where the machines stand; the day alone without a time."""
    day, time = _DATE.fullmatch(_text(dataset, "00080020") or ""), _TIME.fullmatch(_text(dataset, "00080030") or "")
    if day is None:
        return None
    parts = [int(one) for one in day.groups()] + [int(one or 0) for one in (time.groups() if time else ())]
    try:
        at = datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]  # three or six numbers
    except ValueError:
        return None
    return at.isoformat(timespec="seconds") if time else f"{at:%Y-%m-%d}"


def clean(text: str) -> str:
    """Text without control characters and lone surrogates, of sane length."""
    return _UNFIT.sub(" ", text).strip()[:TEXT_MOST].strip()
