"""Problems: every error an answer can carry, as RFC 9457 `application/problem+json`.

A `Kind` is one row of the table below: a stable code, its HTTP status, and what it means in zh-CN and en,
for the answer's `title` and for the page `/problems/<code>`. Code raises `Problem(KIND)` where the fact is
known; `api.web` turns it into an answer in one place.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages."""

    zh: str
    en: str

    def get(self, language: str) -> str:
        """The sentence in `language` ("zh" or "en")."""
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. `title` says what happened, `todo` what the reader should do next."""

    code: str
    status: int
    title: Text
    todo: Text


class Problem(Exception):
    """An answer that says no. `detail` must never quote what the caller sent, nor anybody's data."""

    def __init__(
        self,
        kind: Kind,
        detail: Text | None = None,
        *,
        errors: tuple["FieldError", ...] = (),
        retry_after: int | None = None,
        extra: dict[str, str | int | datetime | None] | None = None,
    ) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.detail = detail or kind.todo
        self.errors = errors
        self.retry_after = retry_after
        self.extra = extra or {}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: a JSON pointer and what is wrong with it."""

    field: str
    message: Text


@dataclass(slots=True)
class _Table:
    kinds: dict[str, Kind] = field(default_factory=dict)

    def add(self, code: str, status: int, title: tuple[str, str], todo: tuple[str, str]) -> Kind:
        if code in self.kinds:
            raise ValueError(f"problem {code} is there twice")
        self.kinds[code] = kind = Kind(code, status, Text(*title), Text(*todo))
        return kind


_table: Final = _Table()
_add = _table.add
KINDS: Final = _table.kinds

# Conventions (api.md)
BODY_MALFORMED = _add(
    "body-malformed",
    400,
    ("请求内容无法解析", "The body cannot be parsed"),
    ("请发送 UTF-8 编码、键不重复的 JSON。", "Send JSON in UTF-8, with no key twice."),
)
VALIDATION_FAILED = _add(
    "validation-failed",
    422,
    ("填写的内容有误", "Something in the request is not right"),
    ("请按 errors 中的提示修改后重试。", "Correct what `errors` names and try again."),
)
UNAUTHENTICATED = _add(
    "unauthenticated",
    401,
    ("请重新登录", "Please sign in again"),
    ("登录已失效或没有登录，请重新登录。", "There is no valid sign-in; sign in again."),
)
NOT_ALLOWED = _add(
    "not-allowed",
    403,
    ("没有权限", "Not allowed"),
    ("当前身份不能进行此操作，请联系管理员。", "This identity may not do that; ask an administrator."),
)
NOT_FOUND = _add(
    "not-found",
    404,
    ("没有找到", "Not found"),
    ("请检查地址或编号。", "Check the address or the id."),
)
METHOD_NOT_ALLOWED = _add(
    "method-not-allowed",
    405,
    ("此地址不支持该方法", "This address does not take that method"),
    ("请查看 /docs 中的接口说明。", "See /docs for what it takes."),
)
BODY_TOO_LARGE = _add(
    "body-too-large",
    413,
    ("请求内容过大", "The body is too large"),
    ("请缩小请求内容后重试。", "Send a smaller body."),
)
MEDIA_TYPE_UNSUPPORTED = _add(
    "media-type-unsupported",
    415,
    ("不支持的内容类型", "That content type is not supported"),
    ("请使用文档中的 Content-Type。", "Use the Content-Type that /docs names."),
)
IDEMPOTENCY_KEY_REUSED = _add(
    "idempotency-key-reused",
    422,
    ("该幂等键已用于另一请求", "That Idempotency-Key was used with another body"),
    ("请为新的请求使用新的 Idempotency-Key。", "Use a new Idempotency-Key for a new request."),
)
IDEMPOTENCY_IN_PROGRESS = _add(
    "idempotency-in-progress",
    409,
    ("相同的请求正在处理", "The same request is still running"),
    ("请稍候用同一 Idempotency-Key 重试。", "Wait a moment and repeat it with the same Idempotency-Key."),
)
PRECONDITION_REQUIRED = _add(
    "precondition-required",
    428,
    ("缺少 If-Match", "If-Match is missing"),
    ("请先读取最新版本，并带上 If-Match。", "Read the current version first and send its ETag in If-Match."),
)
VERSION_CONFLICT = _add(
    "version-conflict",
    412,
    ("内容已被他人更改", "It was changed in the meantime"),
    ("请重新读取后再修改。", "Read it again, then change it."),
)
PROOF_FAILED = _add(
    "proof-failed",
    403,
    ("未能核实本人身份", "The person could not be verified"),
    (
        "请核对姓名、证件号和手机号；手机号须为本人实名。",
        "Check name, document number and phone; the phone must be registered to that person.",
    ),
)
TOO_MANY_TRIES = _add(
    "too-many-tries",
    429,
    ("今天的尝试次数已用完", "No more tries today"),
    (
        "为保护您的信息，请明天再试，或到医院窗口办理。",
        "To protect your data, try again tomorrow or ask at a hospital window.",
    ),
)
RATE_LIMITED = _add(
    "rate-limited",
    429,
    ("操作过于频繁", "Too many requests"),
    ("请稍候再试。", "Wait for the time in Retry-After and try again."),
)
UPSTREAM_FAILED = _add(
    "upstream-failed",
    502,
    ("外部系统返回异常", "A system we depend on gave an unusable answer"),
    ("请稍后再试；若持续出现，请联系客服。", "Try again later; if it goes on, contact support."),
)
UPSTREAM_TIMEOUT = _add(
    "upstream-timeout",
    504,
    ("外部系统没有响应", "A system we depend on did not answer"),
    ("请稍后再试。", "Try again in a moment."),
)
TRY_AGAIN = _add(
    "try-again",
    503,
    ("暂时无法确认结果", "The outcome is not known"),
    ("请稍候用同样的内容重试，不会重复生效。", "Send the same request again in a moment; it will not count twice."),
)
INTEGRITY = _add(
    "integrity",
    503,
    ("数据完整性校验未通过", "A stored row failed its integrity check"),
    ("已停止使用该数据并报警，请改用身份证件。", "The data is not used and an alarm was raised; use the ID card."),
)
INTERNAL = _add(
    "internal",
    500,
    ("服务出现意外", "Something unexpected went wrong"),
    ("请稍后再试，并把 request_id 告诉客服。", "Try again later and give support the request_id."),
)

# Cards (api.md, Patients)
CARD_EXISTS = _add(
    "card-exists",
    409,
    ("此人的卡已在您的账户中", "This person's card is already in the account"),
    ("请直接使用已有的卡。", "Use the card that is there."),
)
CARD_LIMIT = _add(
    "card-limit",
    409,
    ("一个账户最多 10 张卡", "An account holds at most 10 cards"),
    ("请先移除不再需要的卡。", "Remove a card that is no longer needed first."),
)
CARD_FROZEN = _add(
    "card-frozen",
    403,
    ("此卡已冻结", "The card is frozen"),
    ("解冻后才能使用；由机构冻结的请联系该机构。", "Unfreeze it first; if an office froze it, ask that office."),
)
INSURANCE_REFUSED = _add(
    "insurance-refused",
    422,
    ("医保信息未通过核验", "The insurer did not confirm the insurance"),
    ("请核对医保凭证号码和参保地区。", "Check the insurance number and the area."),
)

# Scans (api.md, Hospitals)
CODE_MALFORMED = _add(
    "code-malformed",
    400,
    ("不是有效的一码", "Not a Yima code"),
    (
        "请确认患者打开的是一码，擦净屏幕后重扫；仍不行请用身份证件。",
        "Check that the patient shows a Yima code and scan again; otherwise use the ID card.",
    ),
)
CODE_NOT_AUTHENTIC = _add(
    "code-not-authentic",
    422,
    ("无法确认此码为真", "The code is not authentic"),
    (
        "请不要接受此码；请患者刷新后重扫，或出示身份证件。",
        "Do not accept this code; ask the patient to refresh it, or for the ID card.",
    ),
)
CODE_NOT_YET_VALID = _add(
    "code-not-yet-valid",
    422,
    ("此码尚未生效", "The code is not valid yet"),
    ("请稍候再扫；若反复出现，请检查设备时间。", "Scan again in a moment; if it repeats, check the clocks."),
)
CODE_EXPIRED = _add(
    "code-expired",
    410,
    ("此码已过期", "The code has expired"),
    ("请患者刷新页面，出示新的码再扫。", "Ask the patient to refresh and scan the new code."),
)
CODE_ALREADY_USED = _add(
    "code-already-used",
    409,
    ("此码已被使用", "The code was used already"),
    (
        "请患者刷新出示新的码；不要接受截图或转发的码。",
        "Ask the patient to refresh; do not accept screenshots or forwarded codes.",
    ),
)
CARD_REVOKED = _add(
    "card-revoked",
    403,
    ("此卡已冻结或停用", "The card is frozen or closed"),
    (
        "请患者在手机上查看卡的状态，或出示身份证件办理。",
        "Ask the patient to look at the card on the phone, or for the ID card.",
    ),
)
OLDER_CODE = _add(
    "older-code",
    422,
    ("这是旧版电子健康卡的码", "This is an older health card's code"),
    ("请患者打开“一码”出示新码，或用身份证件办理。", "Ask the patient to open Yima, or for the ID card."),
)
RESOLUTION_EXPIRED = _add(
    "resolution-expired",
    410,
    ("此次扫码的有效时间已过", "The time of this scan is over"),
    ("请患者重新出示码并再扫一次。", "Ask the patient for a new code and scan again."),
)
SERVICE_NOT_GRANTED = _add(
    "service-not-granted",
    403,
    ("此次扫码没有开放该服务", "This scan does not open that service"),
    (
        "请患者在手机上打开对应的服务后重新出示码。",
        "Ask the patient to switch the service on and show a new code.",
    ),
)

# WeChat (api/upstream/wechat_errors.py says which errcode becomes which)
WECHAT_CODE_INVALID = _add(
    "wechat-code-invalid",
    401,
    ("微信登录凭证无效", "WeChat does not know this sign-in code"),
    ("请关闭小程序后重新打开，再登录一次。", "Close and reopen the mini-program, then sign in again."),
)
WECHAT_CODE_USED = _add(
    "wechat-code-used",
    401,
    ("微信登录凭证已被使用", "This WeChat sign-in code was used already"),
    ("请重新登录；每次登录都要用新的凭证。", "Sign in again; each sign-in needs a new code (wx.login)."),
)
WECHAT_USER_BLOCKED = _add(
    "wechat-user-blocked",
    403,
    ("微信限制了此账号登录", "WeChat does not let this user sign in"),
    (
        "请在微信“我 > 设置 > 账号与安全”中处理，或到医院窗口办理。",
        "Settle it in WeChat under Me > Settings > Account Security, or ask at a hospital window.",
    ),
)
WECHAT_BUSY = _add(
    "wechat-busy",
    429,
    ("微信登录过于频繁", "Too many requests to WeChat"),
    ("请一分钟后再试。", "Wait a minute and try again."),
)
REQUEST_TIMEOUT = _add(
    "request-timeout",
    408,
    ("请求传输过慢", "The request came too slowly"),
    ("请检查网络后重试。", "Check the network and try again."),
)
PATIENT_NUMBER_TAKEN = _add(
    "patient-number-taken",
    409,
    ("该就诊号已属于另一位患者", "That patient number belongs to another person"),
    ("请核对就诊号，避免认错人。", "Check the number: it must not lead to the wrong person."),
)
CONFLICT = _add(
    "conflict",
    409,
    ("与已有的内容冲突", "It conflicts with what is there"),
    ("请查看已有的内容后再试。", "Look at what is there and try again."),
)
CLIENT_REFUSED = _add(
    "client-refused",
    401,
    ("客户端编号或密钥不正确", "The client id or secret is not right"),
    ("请核对客户端编号和密钥，或联系医院信息科。", "Check the client id and secret, or ask the hospital's IT."),
)
RING_ROLLED_BACK = _add(
    "ring-rolled-back",
    503,
    ("密钥环早于已见过的版本", "The key ring is older than one already seen"),
    (
        "数据库可能恢复自备份；须由密钥管理员确认后才能继续。",
        "The database may have been restored from a backup; a custodian must confirm the ring before codes are used.",
    ),
)
KEY_GATE = _add(
    "key-gate",
    409,
    ("密钥状态不允许此操作", "The key may not make this transition now"),
    ("请查看 gate 和 not_before 说明的条件。", "See `gate` and, where time alone opens it, `not_before`."),
)
APPROVAL_CLOSED = _add(
    "approval-closed",
    409,
    ("该审批已结束或已失效", "The approval was decided or has lapsed"),
    ("如仍需要，请重新提出。", "Ask for it again if it is still needed."),
)

# Booking (api-services.md)
SLOT_FULL = _add(
    "slot-full",
    409,
    ("号已约满", "No place is free"),
    ("请选择其他时段，或加入候补。", "Choose another time, or join the waiting list."),
)
SLOT_PAST = _add(
    "slot-past",
    409,
    ("已过可预约的时间", "The time for that is over"),
    ("请选择之后的时段。", "Choose a later time."),
)
SLOT_NOT_OPEN = _add(
    "slot-not-open",
    409,
    ("尚未开始放号", "Booking has not opened yet"),
    ("请在 opens_at 所示的放号时间再试。", "Try again at the time in opens_at."),
)
SESSION_STOPPED = _add(
    "session-stopped",
    409,
    ("该门诊已停诊", "The hospital stopped this session"),
    ("请选择其他日期或医生。", "Choose another date or doctor."),
)
ALREADY_BOOKED = _add(
    "already-booked",
    409,
    ("已预约该门诊", "This person has an appointment in the session"),
    ("同一门诊每人只能约一个号，请查看“我的预约”。", "One appointment a session; look at the appointments."),
)
TIME_CONFLICT = _add(
    "time-conflict",
    409,
    ("与已有的预约时间冲突", "It overlaps another appointment"),
    ("请选择其他时段，或先取消另一个预约。", "Choose another time, or cancel the other appointment first."),
)
DAILY_LIMIT = _add(
    "daily-limit",
    409,
    ("当天的预约已达 3 个", "Three appointments on that date already"),
    ("每人每天最多预约 3 个号，请选择其他日期。", "At most three a date for a person; choose another date."),
)
CANCEL_TOO_LATE = _add(
    "cancel-too-late",
    409,
    ("已过可自行取消的时间", "It is too late to cancel"),
    ("请联系医院窗口取消。", "Ask the hospital's window to cancel it."),
)
NOT_CANCELLABLE = _add(
    "not-cancellable",
    409,
    ("该预约不能取消", "That appointment cannot be cancelled"),
    ("它已取消、已就诊或已爽约，请查看预约的状态。", "It was cancelled, fulfilled or missed; look at its status."),
)
SLOT_FREE = _add(
    "slot-free",
    409,
    ("还有号，可直接预约", "A place is free"),
    ("不需要候补，请直接预约。", "There is no need to wait: book it."),
)
ALREADY_WAITING = _add(
    "already-waiting",
    409,
    ("已在候补该门诊", "This person waits for the session already"),
    ("同一门诊每人只能有一个候补。", "One place in line a session."),
)
WAITING_LIMIT = _add(
    "waiting-limit",
    409,
    ("候补已达 5 个", "Five places in line already"),
    ("请先退出一个候补。", "Withdraw from another line first."),
)
BOOKING_PAUSED = _add(
    "booking-paused",
    403,
    ("因多次爽约，暂停预约", "Booking is paused after three missed appointments"),
    (
        "暂停至 until 所示的时间；要看病请到医院现场挂号，急症请去急诊。",
        "Paused until the time in `until`. Register at the hospital; in an emergency, go to the emergency room.",
    ),
)
SLOT_NOT_ELIGIBLE = _add(
    "slot-not-eligible",
    422,
    ("不符合该门诊的年龄或性别要求", "The session is for another age or sex"),
    ("请核对就诊人，或选择其他门诊。", "Check whom it is for, or choose another session."),
)
CAPACITY_BELOW_BOOKED = _add(
    "capacity-below-booked",
    409,
    ("号源数少于已预约数", "Fewer places than are booked"),
    ("请保留不少于已预约的号源，或先停诊。", "Keep at least what is booked, or stop the slot first."),
)
SLOT_IN_USE = _add(
    "slot-in-use",
    409,
    ("已有人预约，不能更改", "Somebody has booked it"),
    (
        "已预约的时段及其科室、医生、日期和费用不能更改或删除，可取消的时间不能提前；请先停诊。",
        "A booked slot, its department, doctor, date and fee stay, and so does the time to cancel; stop it first.",
    ),
)
RECORD_INVALID = _add(
    "record-invalid",
    422,
    ("病历内容不符合规范", "The record is not valid"),
    (
        "请按 errors 所示位置修改后重新提交；内容须为 FHIR R4。",
        "Mend what `errors` names and post it again. The content is FHIR R4.",
    ),
)
RECORD_KIND_UNSUPPORTED = _add(
    "record-kind-unsupported",
    422,
    ("不支持这种病历", "No such kind of record is kept"),
    (
        "请提交 DiagnosticReport、DocumentReference、ImagingStudy，或以其开头的 collection Bundle。",
        "Post a DiagnosticReport, a DocumentReference, an ImagingStudy, or a collection Bundle that begins with one.",
    ),
)
RECORD_SUBJECT_MISMATCH = _add(
    "record-subject-mismatch",
    422,
    ("病历写的是另一个人", "The record is about somebody else"),
    (
        "请核对患者：病历中的患者须省略，或为本次扫码的患者（患者号、健康卡号或证件号）。",
        "Check the patient: each subject inside is absent, or the person whose code was scanned (patient number, health-card id or document number).",
    ),
)
RECORD_SUPERSEDED = _add(
    "record-superseded",
    409,
    ("该病历已被更正", "The record was superseded"),
    ("请查看更正后的版本。", "Look at the version that superseded it."),
)
BREAK_GLASS_REASON_REQUIRED = _add(
    "break-glass-reason-required",
    422,
    ("破窗查阅须说明理由", "Breaking the glass needs a reason"),
    (
        "请选择理由（危及生命、无法取得同意、公共卫生），用 10 至 500 字说明情况，并写明操作人。",
        "Give a reason (life-threatening, cannot-consent, public-health), a statement of 10 to 500 characters, and who you are.",
    ),
)
CONSENT_INVALID = _add(
    "consent-invalid",
    422,
    ("授权设置有误", "The consent is not valid"),
    ("请按 errors 所示位置修改；最多 100 条。", "Mend what `errors` names. There are at most 100 rules."),
)

# Payment (api-services.md)
BILL_NOT_PAYABLE = _add(
    "bill-not-payable",
    409,
    ("账单现在不能支付", "The bill cannot be paid now"),
    (
        "账单已支付、已取消，或正在另一部手机上支付；请刷新账单查看状态。",
        "It is paid, cancelled, or being paid on another phone; look at the bill again.",
    ),
)
BILL_CHANGED = _add(
    "bill-changed",
    409,
    ("账单金额有变化", "The bill's parts have changed"),
    (
        "医保重新计算后，各部分金额与预览不同，尚未扣款；请核对新的金额后再支付。",
        "The insurer settled other parts than it previewed, and nothing was charged; look at the new ones, then pay.",
    ),
)
REFUND_EXCEEDS = _add(
    "refund-exceeds",
    409,
    ("退费超过可退部分", "More than can be refunded"),
    ("请按账单上剩余的数量或金额退费。", "Refund no more than what is left of the bill."),
)
REFUND_WOULD_CHARGE = _add(
    "refund-would-charge",
    409,
    ("退费后个人反而要多付", "The refund would cost the patient more"),
    (
        "医保重新结算剩余项目后，个人应付比现在多，因此没有退费，账单不变；请改退其他项目或全部退费。",
        "Settled anew, the rest would cost more cash than before, so nothing was changed; refund other items, or all.",
    ),
)
REFUND_TOO_LATE = _add(
    "refund-too-late",
    409,
    ("已超过退费期限", "Too late to refund"),
    (
        "微信支付满一年后不能原路退回，请由财务另行处理。",
        "WeChat Pay takes refunds for a year; the hospital's finance office must pay it out.",
    ),
)
AMOUNT_INVALID = _add(
    "amount-invalid",
    422,
    ("金额或数量有误", "An amount or quantity is not right"),
    (
        "单价须为正整数（分），数量为最多4位小数的正数，合计不超过一亿元；窗口收款须等于应付现金。",
        "Prices are whole fen above 0, quantities above 0 with at most 4 decimals, totals at most 10^10 fen; a window takes exactly the cash part.",
    ),
)
INSURER_REFUSED = _add(
    "insurer-refused",
    422,
    ("医保未受理", "The insurer refused"),
    (
        "医保拒绝了这笔业务，账单没有变化；请核对参保信息，或按自费开单。",
        "The insurer said no and nothing was changed; check the insurance, or make the bill self-paid.",
    ),
)
REFUND_NEEDS_ITEMS = _add(
    "refund-needs-items",
    422,
    ("医保账单须按项目退费", "A refund of this bill must name items"),
    (
        "医保只能整单撤销后重新结算，请选择要退的项目，或全部退费。",
        "Insurers reverse whole bills and settle the rest anew: name items, or refund all.",
    ),
)
INSURER_PARTS_MISMATCH = _add(
    "insurer-parts-mismatch",
    502,
    ("医保返回的金额对不上", "The insurer's amounts do not add up"),
    (
        "医保返回的各部分之和不等于总额，已撤销，没有扣款；请稍后再试或按自费处理。",
        "The parts the insurer gave do not make the total; it was reversed and nothing charged. Try later, or self-paid.",
    ),
)
INSURER_UNAVAILABLE = _add(
    "insurer-unavailable",
    503,
    ("医保暂时无法结算", "The insurer cannot be reached"),
    ("没有扣款；请稍后再试，着急可按自费处理。", "Nothing was charged; try again later, or make it self-paid."),
)
PAYMENT_UNAVAILABLE = _add(
    "payment-unavailable",
    503,
    ("微信支付暂时无法使用", "WeChat Pay cannot be used right now"),
    ("没有扣款；请稍后再试，或到窗口支付。", "Nothing was charged; try again later, or pay at the window."),
)
NOTIFICATION_NOT_AUTHENTIC = _add(
    "notification-not-authentic",
    401,
    ("通知验签失败", "The notification is not authentic"),
    ("只接受微信支付五分钟内签名的通知。", "Only what WeChat Pay signed within the last five minutes is taken."),
)
NOTIFICATION_MISMATCH = _add(
    "notification-mismatch",
    422,
    ("通知与订单不符", "The notification does not fit an order"),
    ("没有这个订单，或金额不同；请人工核对。", "There is no such order, or its amount is another; somebody must look."),
)
