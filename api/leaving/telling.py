"""What leaving removes, what stays and until when: said before, and true for this account."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from api.booking.shown import SHANGHAI
from api.leaving.types import Kept, Removed
from api.problems import Text
from models.leaving import Evidence, Fate, Going


class Leaving(NamedTuple):
    """All that the words depend on. `cards`: how many are not closed; `evidence`: of people who go; `now`: the database's."""

    now: datetime
    cards: int
    fates: list[Fate]
    evidence: list[Evidence]
    going: Going
    audited: bool
    billed: bool


def removed(of: Leaving, language: str) -> list[Removed]:
    """What goes at once."""
    counts = of.going
    said = (
        ("account", True, Text("微信登录与所有会话：账户与您的微信不再有联系。", "Your WeChat sign-in and all sessions: the account is no longer linked to your WeChat.")),
        ("cards", of.cards, Text(f"{of.cards}张卡：停用，出示过的码不再有效。", f"Cards: {of.cards}. They are closed, and their codes are refused.")),
        ("insurance", counts.insurances, Text("卡上的医保信息。", "The insurance on the cards.")),
        ("records", counts.records, Text(f"这里保存的{counts.records}份病历副本，包括医生对互认的决定。原件仍在出具的医院。", f"Copies of records kept here: {counts.records}, with doctors' decisions on them. The hospitals keep their originals.")),
        ("consents", counts.rules, Text("病历授权：全部撤回，此后没有医院可以凭它查看。", "Your choices of who may read records: all are withdrawn.")),
        ("appointments", counts.appointments, Text(f"用这些卡预约的{counts.appointments}个号：取消，名额让给候补的人。", f"Appointments booked with these cards: {counts.appointments}. They are cancelled, and their places go to those who wait.")),
        ("waitings", counts.waitings, Text("候补排队：退出。", "Places in waiting lists: given up.")),
        ("messages", counts.messages, Text(f"{counts.messages}条消息。", f"Messages: {counts.messages}.")),
    )  # fmt: skip
    return [Removed(what, text.get(language)) for what, there, text in said if there]  # type: ignore[arg-type]  # of the table above


def kept(of: Leaving, language: str) -> list[Kept]:
    """What stays."""
    tomorrow = _day_after(of.now + timedelta(days=1))
    shared = sum(bool(fate.others) and fate.touched for fate in of.fates)
    said: tuple[tuple[str, object, Text, date | None], ...] = (
        _kept(of, "accesses", lambda one: bool(one.accesses or one.glasses), _ACCESSES),
        _kept(of, "consents", lambda one: True, _CONSENTS),
        _kept(of, "appointments", lambda one: bool(one.appointments), _APPOINTMENTS),
        ("bills", of.billed, _BILLS, None),
        ("freeze", any(fate.alone and fate.held_back for fate in of.fates), _FREEZE, None),
        ("others", shared, _others(shared), None),
        ("audit", of.audited, _AUDIT, None),
        ("closed-cards", of.fates, _CLOSED, None),
        ("technical", True, _TECHNICAL, tomorrow),
    )
    return [Kept(what, text.get(language), until) for what, there, text, until in said if there]  # type: ignore[arg-type]


_ACCESSES: Final = Text(
    "谁看过、用过您的数据的记录（扫码、被拒绝的尝试、读取、破窗查阅及其审核），和与之对应的加密身份信息。《网络数据安全管理条例》第十二条要求把向他人提供数据的记录至少保存3年。",
    "The record of who looked at or used your data (scans, refused tries, reads, emergency access and its review), with the sealed identity it belongs to. The Network Data Security Regulations, article 12, require records of giving data to others to be kept for at least 3 years.",
)
_CONSENTS: Final = Text(
    "您同意过什么、撤回过什么的历次版本，作为凭证；不再生效。",
    "The versions of what you agreed to and withdrew, as proof; none is in force.",
)
_APPOINTMENTS: Final = Text(
    "过去的和已取消的预约，它们属于医院的排班记录；爽约的暂停也不因注销而消除。",
    "Past and cancelled appointments, which belong to the hospitals' schedules; a pause for missed ones is not lifted by leaving.",
)
_BILLS: Final = Text(
    "账单的金额与收退款账目，它们属于医院的账，长期保存；项目和就诊信息随您的身份信息一起删除，没付的账单仍须付清。",
    "The amounts of bills and the accounts of what was paid and refunded, which are the hospitals', for good; what a bill was for goes with your identity. What is due stays due.",
)
_FREEZE: Final = Text(
    "管理机构对卡的冻结，和与之对应的加密身份信息：至少到解除冻结为止。",
    "The administration's freeze of a card, with the sealed identity it belongs to: at least until it is lifted.",
)
_AUDIT: Final = Text(
    "管理员对卡所做操作的审计记录，长期保存；其中没有姓名和证件号。",
    "The audit of what administrators did with the cards, for good; it holds no name and no document number.",
)
_CLOSED: Final = Text(
    "停用的卡的编号，长期保存：用来把它的旧码和伪造的码分开。编号里没有个人信息。",
    "The numbers of the closed cards, for good: they tell old codes from forged ones, and hold nothing about a person.",
)
_TECHNICAL: Final = Text(
    "防止重复提交和反复试错的技术记录（加密），最多到次日。",
    "Technical records against repeated requests and tries (sealed), until the next day at most.",
)


def _others(people: int) -> Text:
    return Text(
        f"另有微信账户持有{people}人的卡：他们的身份信息、访问记录、授权凭证和历史预约随那些账户保留；您的本人卡离开后，用那些卡产生的病历也保留，由那些账户查看。不愿意的，请先在“谁持有我的卡”中移除。",
        f"Other WeChat accounts hold cards of people on yours ({people}): their identity, accesses, proofs of consent and past appointments stay with those accounts, and so do records made with those cards, which those accounts see. If you do not want that, first remove them under “Who holds my card”.",
    )


Kind = Callable[[Evidence], bool]


def _kept(of: Leaving, what: str, kind: Kind, text: Text) -> tuple[str, bool, Text, date | None]:
    """A kind of evidence, if there is any, until all of the person goes of whom it is kept longest."""
    ends = [one.until for one in of.evidence if one.until and kind(one)]
    frozen = any(fate.alone and fate.held_back for fate in of.fates)  # then nothing goes before that is lifted
    return what, bool(ends), text, _day_after(max(ends)) if ends and not frozen else None


def _day_after(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date() + timedelta(days=1)
