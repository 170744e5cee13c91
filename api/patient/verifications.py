"""Beginning a proof of a person: the same answer, in the same time, whether or not such a person exists."""

from api.patient.proof import DAY_SECONDS
from api.patient.standing import require_standing
from api.patient.types import Verification, VerificationRequest
from api.problems import TOO_MANY_TRIES, Problem
from api.web.answers import Answer
from api.web.calls import Call
from api.web.routes import Caller, Subject
from codes.identity import parse_document
from codes.names import parse_name
from codes.phone import parse_phone
from models import verifications
from models.messages import VERIFICATION_SECONDS
from models.verifications import FAILURES_A_DAY
from models.verifications import Subject as Proving

subject = Subject("Patients")
_CODES = 1_000_000


@subject.route(
    "POST",
    "/v1/patient/verifications",
    Caller.PATIENT,
    "Begin a proof of a person by a texted code or a face check",
    body=VerificationRequest,
    answers={201: Verification},
    problems=(TOO_MANY_TRIES,),
    limit="verifications",
)
async def begin_verification(call: Call[VerificationRequest]) -> Answer:
    """The registry is asked, and the text sent, by the outbox: this answer tells nothing of either."""
    asked, vault = call.body, call.services.vault
    account_id = await require_standing(call)
    document = parse_document(asked.id_type, asked.id_number, today=await verifications.today())
    about = Proving(parse_name(asked.name), document.type, document.number, parse_phone(asked.phone))
    if await verifications.failures_today(account_id) >= FAILURES_A_DAY:
        raise Problem(TOO_MANY_TRIES, retry_after=DAY_SECONDS)
    code = f"{int.from_bytes(vault.random(8), 'big') % _CODES:06d}" if asked.type == "sms" else None
    begun = await verifications.begin(vault, account_id, asked.type, about, code)
    if begun is None:
        raise Problem(TOO_MANY_TRIES, retry_after=DAY_SECONDS)
    call.services.outbox.wake()
    return Answer(201, Verification(begun.verification_id, begun.expires_at, VERIFICATION_SECONDS))
