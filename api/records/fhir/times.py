"""FHIR's dates and times as moments; partial ones ("2012", "2012-03") begin in Asia/Shanghai."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.records.fhir.facts import Fault

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_OLDEST: Final = 1900
_AHEAD: Final = timedelta(minutes=5)  # clocks of hospitals differ
_FUTURE: Final = ("此时间在将来", "this time lies in the future")
_OLD: Final = ("此时间早于 1900 年", "this time is before 1900")
_NO_TIME: Final = ("不是存在的日期或时间", "is no date or time that exists")


class Times:
    """Reads moments of one record, remembering the faults of those that cannot be."""

    def __init__(self, now: datetime) -> None:
        self._latest = now + _AHEAD
        self._today = now.astimezone(SHANGHAI).date()
        self.faults: list[Fault] = []

    def moment(self, text: Any, pointer: str) -> datetime | None:
        """The moment (UTC) of a FHIR date, dateTime or instant; None: absent or a fault."""
        if not isinstance(text, str):
            return None
        try:
            found = _parsed(text)
            utc = found.astimezone(UTC)
        except (ValueError, OverflowError):
            return self._wrong(pointer, _NO_TIME)
        if found.year < _OLDEST:
            return self._wrong(pointer, _OLD)
        if utc > self._latest if "T" in text else found.date() > self._today:
            return self._wrong(pointer, _FUTURE)
        return utc

    def _wrong(self, pointer: str, wrong: tuple[str, str]) -> datetime | None:
        self.faults.append(Fault(pointer, *wrong))
        return None

    def first(self, part: dict[str, Any], pointer: str, *names: str) -> datetime | None:
        """The moment of the first element of `names` that is there; a Period counts from its start, else its end."""
        for name in names:
            value = part.get(name)
            if isinstance(value, dict):
                side = "start" if "start" in value else "end"
                value, name = value.get(side), f"{name}/{side}"
            found = self.moment(value, f"{pointer}/{name}")
            if found is not None:
                return found
        return None


def _parsed(text: str) -> datetime:
    if "T" in text:  # a leap second is the end of the one before it
        return datetime.fromisoformat(text[:17] + text[17:].replace("60", "59", 1) if text[17:19] == "60" else text)
    padded = (text + "-01-01")[:10] if len(text) < 10 else text
    return datetime.fromisoformat(padded).replace(tzinfo=SHANGHAI)
