"""Where booking is measured: the service with its hospital and its crowd, and sessions published before the clock."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import uuid4
from zoneinfo import ZoneInfo

from tests.bench.calls import only
from tests.bench.crowd import Member
from tests.bench.load import Load, Outcome, Request

CONNECTIONS: Final = 200  # of a rush
ONE: Final = 1  # of what is timed alone, one call after the other
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_FIRST_DAY: Final = 5  # days from now: nothing here is past, or too late to give away
_PUBLISHING: Final = 8  # connections


class Stage(NamedTuple):
    """`service` and `minimum` are ports, `hospital` the headers of the one that publishes; `days` are given once."""

    service: int
    minimum: int
    load: Load
    hospital: dict[str, str]
    crowd: list[Member]
    days: Iterator[date]

    def publish(self, count: int, capacity: int) -> list[dict[str, Any]]:
        """So many new sessions of one slot, all on a new day: as the service answers, with their slots."""
        day = next(self.days)
        asked = [
            Request(
                f"/v1/hospital/schedules/{uuid4()}", self.hospital, json.dumps(_session(day, number, capacity)), "PUT"
            )
            for number in range(count)
        ]
        made = only(self.load.run(self.service, asked, keep=True, connections=_PUBLISHING), 201)
        return [json.loads(body) for body in made.bodies]

    def run(self, asked: list[Request], connections: int) -> Outcome:
        """One timed run of the service; bodies are kept."""
        return self.load.run(self.service, asked, keep=True, connections=connections)


def days() -> Iterator[date]:
    """Local dates to come, each once: a person may book three times a date."""
    today = datetime.now(SHANGHAI).date()
    number = _FIRST_DAY
    while True:
        yield today + timedelta(days=number)
        number += 1


def book(member: Member, session: dict[str, Any], more: dict[str, str] | None = None) -> Request:
    """A booking of a session's one slot. `more`: headers."""
    body = json.dumps({"slot_id": session["slots"][0]["slot_id"]})
    return Request(f"/v1/patient/cards/{member.card_id}/appointments", {**member.headers, **(more or {})}, body)


def _session(day: date, number: int, capacity: int) -> dict[str, Any]:
    start = datetime(day.year, day.month, day.day, 9, tzinfo=SHANGHAI).astimezone(UTC)
    end = start + timedelta(hours=3)
    return {
        "department": {"code": "03", "name": "内科"},
        "doctor": {"code": f"B{number}", "name": "测试医生", "title": "主任医师"},
        "clinic": "expert",
        "room": "201",
        "date": day.isoformat(),
        "period": "morning",
        "fee_fen": 2500,
        "opens_at": (datetime.now(UTC) - timedelta(days=1)).isoformat(),
        "cancel_until": start.isoformat(),
        "slots": [{"key": "1", "start": start.isoformat(), "end": end.isoformat(), "capacity": capacity}],
    }
