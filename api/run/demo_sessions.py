"""The demo hospitals' sessions of today and the days after, published as a hospital's own system does it: by PUT."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import httpx

DAYS: Final = 3
_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
_OPENS_BEFORE: Final = timedelta(days=14)


class Session(NamedTuple):
    """A session of every day: half-hour slots from `start` (local), so many places in each."""

    key: str
    department: tuple[str, str]
    doctor: tuple[str, str, str] | None
    clinic: str
    room: str
    period: str
    start: time
    slots: int
    places: int
    fee_fen: int
    max_age: int | None = None


SESSIONS: Final[dict[str, tuple[Session, ...]]] = {
    "hospital": (
        Session(
            "im-am",
            ("03.01", "心血管内科"),
            ("D301", "周文渊", "主任医师"),
            "expert",
            "门诊三楼 301",
            "morning",
            time(8, 30),
            4,
            3,
            5000,
        ),
        Session("gm-pm", ("03.09", "全科"), None, "ordinary", "门诊一楼 105", "afternoon", time(14, 0), 4, 5, 1200),
        Session("gm-ev", ("03.09", "全科"), None, "ordinary", "门诊一楼 105", "evening", time(18, 30), 6, 5, 1200),
        Session(
            "pd-am",
            ("07", "儿科"),
            ("D701", "许安宁", "副主任医师"),
            "ordinary",
            "门诊二楼 208",
            "morning",
            time(9, 0),
            4,
            2,
            2500,
            14,
        ),
    ),
    "second_hospital": (
        Session(
            "or-am",
            ("11", "骨科"),
            ("G110", "贺东来", "主任医师"),
            "special",
            "特需门诊 3",
            "morning",
            time(9, 0),
            3,
            1,
            20000,
        ),
        Session("gm-pm", ("03.09", "全科"), None, "ordinary", "1 号楼 12", "afternoon", time(14, 0), 4, 5, 1000),
    ),
}


async def publish_sessions(base_url: str, known: dict[str, Any], now: datetime) -> None:
    """Publish what is not there yet; the same body again changes nothing."""
    today = now.astimezone(_SHANGHAI).date()
    async with httpx.AsyncClient(base_url=base_url, timeout=20, trust_env=False) as http:
        for which, sessions in SESSIONS.items():
            client = known[which]
            asked = await http.post(
                "/v1/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(client["client_id"], client["client_secret"]),
            )
            me = {"Authorization": f"Bearer {asked.raise_for_status().json()['access_token']}"}
            for day in (today + timedelta(days=n) for n in range(DAYS)):
                for session in sessions:
                    await http.put(
                        f"/v1/hospital/schedules/demo-{session.key}-{day:%Y%m%d}", headers=me, json=_body(session, day)
                    )  # one that was stopped or closed stays so


def _body(session: Session, day: date) -> dict[str, Any]:
    starts = [datetime.combine(day, session.start, _SHANGHAI) + timedelta(minutes=30 * n) for n in range(session.slots)]
    names = ("code", "name", "title")
    return {
        "department": dict(zip(names, session.department, strict=False)),
        "doctor": dict(zip(names, session.doctor, strict=True)) if session.doctor else None,
        "clinic": session.clinic,
        "room": session.room,
        "date": day.isoformat(),
        "period": session.period,
        "fee_fen": session.fee_fen,
        "opens_at": _utc(starts[0] - _OPENS_BEFORE),
        "cancel_until": _utc(starts[0]),
        "slots": [
            {
                "key": f"{n + 1}",
                "start": _utc(start),
                "end": _utc(start + timedelta(minutes=30)),
                "capacity": session.places,
            }
            for n, start in enumerate(starts)
        ],
        **({"max_age": session.max_age} if session.max_age is not None else {}),
    }


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
