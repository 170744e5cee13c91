"""Mutual recognition (检查检验结果互认): the doctor's decision whether a marked result stands for a new test."""

from api.idempotency import keep
from api.problems import NOT_FOUND, RECORD_SUPERSEDED, Problem
from api.records.posting import RESOLUTION
from api.records.reading import ReadRecord, readable
from api.records.shown import shown_decision
from api.records.types import DecisionRequest, RecognitionDecision
from api.web.answers import Answer
from api.web.bodies import invalid
from api.web.calls import Call
from api.web.routes import Caller, Subject
from models.database import transaction
from models.recognitions import decide
from models.records import Item

subject = Subject("Records")


def _item(record: ReadRecord, code: str) -> Item:
    """The marked item of this code. Raises Problem validation-failed where there is none, or its mark does not hold."""
    marked = record.summary.recognition
    found = next((item for item in marked.items if item.code == code), None) if marked else None
    if found is None or not record.holds:
        raise invalid(
            "/item",
            "该病历没有在本地有效的此项互认标识",
            "the record has no mark of recognition for it that holds here",
        )
    return found


@subject.route(
    "POST",
    "/v1/hospital/resolutions/<resolution_id:str>/records/<record_id:str>/recognitions",
    Caller.HOSPITAL,
    "Say whether a recognised result is accepted or the test repeated, and why",
    body=DecisionRequest,
    answers={201: RecognitionDecision},
    problems=(*RESOLUTION, RECORD_SUPERSEDED),
    idempotent=True,
    limit="hospital",
)
async def decide_recognition(call: Call[DecisionRequest]) -> Answer:
    """The person sees the decision; it is counted by item. A test that is repeated has one of the official reasons."""
    asked = call.body
    if asked.decision == "repeated" and asked.reason is None:
        raise invalid("/reason", "重复检查须说明原因", "a test that is repeated needs a reason")
    if asked.decision == "accepted" and asked.reason is not None:
        raise invalid("/reason", "互认时不填原因", "there is no reason where the result is accepted")
    record = await readable(call)
    if not record.live:
        raise Problem(RECORD_SUPERSEDED) if record.status != "entered-in-error" else Problem(NOT_FOUND)
    item = _item(record, asked.item)
    async with transaction() as tx:
        decided = await decide(
            call.services.vault,
            record.record_id,
            call.id_in_path("resolution_id"),
            item,
            asked.decision,
            asked.reason,
            using=tx,
        )
        return await keep(call, Answer(201, shown_decision(decided)), using=tx)
