"""What an HIS polls: every change of an appointment once, in order."""

import base64

from api.booking.types import Change, ChangeList, ChangeQuery
from api.hospital.standing import standing_hospital
from api.web.answers import Answer
from api.web.bodies import invalid
from api.web.calls import Call
from api.web.routes import Caller, Subject
from models.appointments import changes

subject = Subject("Booking")


@subject.route(
    "GET",
    "/v1/hospital/changes",
    Caller.HOSPITAL,
    "What changed, oldest first, for a system that polls",
    query=ChangeQuery,
    answers={200: ChangeList},
    limit="hospital",
)
async def list_changes(call: Call[None]) -> Answer:
    """Go on from `next_cursor`, also after an empty page. A change is told once all before it are committed."""
    query: ChangeQuery = call.query
    hospital_id = await standing_hospital(call, "booking")
    after = _read(query.cursor) if query.cursor else (0, 0)
    found = await changes(hospital_id, after, query.limit)
    last = (found[-1]["xid"], found[-1]["id"]) if found else after
    shown = [Change(record["at"], record["kind"], record["ref"]) for record in found]
    return Answer(200, ChangeList(shown, _written(*last)))


def _written(xid: int, change_id: int) -> str:
    return base64.urlsafe_b64encode(xid.to_bytes(8, "big") + change_id.to_bytes(8, "big")).rstrip(b"=").decode()


def _read(text: str) -> tuple[int, int]:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        if len(data) != 16 or data[0] & 0x80 or data[8] & 0x80:
            raise ValueError
    except ValueError:
        raise invalid("/cursor", "游标无效", "not a cursor of this list") from None
    return int.from_bytes(data[:8], "big"), int.from_bytes(data[8:], "big")
