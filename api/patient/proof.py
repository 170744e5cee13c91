"""Proof of the person (security.md, 4): who may be bound, by what, and what a failure costs.

    oneself              registry agreement, and the phone by WeChat's code, or a face check
    another adult        registry agreement, and a code texted to that person's own phone
    a child under 14     the child in the registry, and guardianship of a verified card of this account

Name and number alone prove nothing: they are for sale, and former partners know them.
"""

from typing import Any, Final
from uuid import UUID

from api.patient.types import FaceProof, GuardianProof, PhoneProof, Proof, TextProof
from api.problems import PROOF_FAILED, TOO_MANY_TRIES, Problem
from api.web.bodies import invalid
from api.web.calls import Call
from codes.identity import IdDocument, age_on
from models import verifications
from models.accounts import openid_of
from models.cards import card_of
from models.verifications import Subject

CHILD_AGE: Final = 14
DAY_SECONDS: Final = 86_400


class Proven:
    """A person who was proven; `verification_id` is to be spent in the transaction that uses the proof."""

    def __init__(self, verification_id: UUID | None = None) -> None:
        self.verification_id = verification_id


async def prove(
    call: Call[Any], account_id: UUID, relation: str, proof: Proof, name: str, document: IdDocument, phone: str
) -> Proven:
    """The proof that fits the relation, checked with the systems outside.

    Raises Problem validation-failed (a proof that does not fit), proof-failed (counted; five a day close the door),
    too-many-tries, upstream-failed, upstream-timeout. Nothing is bound unless this returns.
    """
    await _check_fit(relation, proof, document)
    day = await verifications.take_try(account_id)
    if day is None:
        raise Problem(TOO_MANY_TRIES, retry_after=DAY_SECONDS)
    try:
        proven = await _prove(call, account_id, proof, name, document, phone)
    except BaseException as error:
        if not (isinstance(error, Problem) and error.kind is PROOF_FAILED):
            await verifications.give_back(account_id, day)
        raise
    await verifications.give_back(account_id, day)
    return proven


async def _check_fit(relation: str, proof: Proof, document: IdDocument) -> None:
    birthday = document.birthday
    young = birthday is not None and age_on(birthday, await verifications.today()) < CHILD_AGE
    if isinstance(proof, GuardianProof) and not (relation == "child" and young):
        raise invalid(
            "/proof/type", "监护人证明仅用于未满14周岁的子女", "guardian proves a child under 14, relation child"
        )
    if isinstance(proof, PhoneProof | FaceProof) and relation != "self":
        raise invalid(
            "/proof/type", "为他人添加须用短信验证码", "another person is proven by a code texted to them (sms)"
        )
    if isinstance(proof, TextProof) and relation == "self":
        raise invalid("/proof/type", "本人须用微信手机号或人脸核验", "oneself is proven by wechat-phone or face")
    if young and not isinstance(proof, GuardianProof):
        raise invalid("/proof/type", "未满14周岁须由监护人添加", "a child under 14 is added by a guardian")


async def _prove(
    call: Call[Any], account_id: UUID, proof: Proof, name: str, document: IdDocument, phone: str
) -> Proven:
    services = call.services
    registry = services.upstreams.registry
    about = Subject(name, document.type, document.number, phone)
    if isinstance(proof, GuardianProof):
        await _prove_guardian(call, account_id, proof, name, document)
        return Proven()
    if isinstance(proof, PhoneProof):
        openid = await openid_of(services.vault, account_id)
        _require(await services.upstreams.wechat.phone_number(proof.code, openid) == phone)
    elif isinstance(proof, TextProof):
        _require(await verifications.try_code(services.vault, account_id, about, proof.verification_id, proof.code))
    else:
        check = await verifications.face_check_of(services.vault, account_id, about, proof.verification_id)
        _require(check is not None and await registry.face_check_passed(check) is True)
    _require(await registry.agrees(name, document, phone) is True)
    return Proven(None if isinstance(proof, PhoneProof) else proof.verification_id)


async def _prove_guardian(
    call: Call[Any], account_id: UUID, proof: GuardianProof, name: str, child: IdDocument
) -> None:
    registry = call.services.upstreams.registry
    card = await card_of(call.services.vault, account_id, proof.card_id)
    _require(card is not None and card.relation == "self" and card.status == "active")
    assert card is not None  # noqa: S101 - just required
    _require(await registry.person_exists(name, child) is True)
    guardian = card.person
    _require(await registry.guardian_of(guardian.name, guardian.document, name, child) is True)


def _require(holds: bool) -> None:
    if not holds:
        raise Problem(PROOF_FAILED)
