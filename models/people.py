"""Accounts, people, the cards that link them, and what was proven and agreed to.

A person's identity data is one sealed blob, found by blind indexes; a card links an account to a person by a
relation and carries the secret handle that its codes seal. Closed cards stay, so that their codes are told apart
from forged ones.
"""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Account(Model):
    """A WeChat user of this service. `epoch` counts the times all its sessions were ended."""

    id = fields.UUIDField(primary_key=True)
    openid_index = fields.BinaryField()
    sealed = fields.BinaryField()
    epoch = fields.IntField(default=1)
    created_at = fields.DatetimeField()
    left_at = fields.DatetimeField(null=True)  # deleted at its user's wish; what must be kept still names it

    class Meta:
        table = "accounts"


class EndedSession(Model):
    """A session that was signed out before it expired; kept until then."""

    id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField()
    until = fields.DatetimeField()

    class Meta:
        table = "ended_sessions"


class Person(Model):
    """A person. `sealed` holds name, document, phone, gender and birthday, with this row as associated data."""

    id = fields.UUIDField(primary_key=True)
    document_index = fields.BinaryField()
    health_card_id = fields.CharField(max_length=64, unique=True)
    sealed = fields.BinaryField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    erase_at = fields.DatetimeField(null=True)  # when the last of what must be kept of them may go

    class Meta:
        table = "people"


class Card(Model):
    """An account's card of a person.

    status: active, frozen or closed. `frozen_by`: who keeps it frozen, of FREEZERS, joined by commas. Resolutions of `live_since` or earlier have ended for good. `mac` covers id,
    links, handle, status, frozen_by, live_since and version (models.integrity).
    """

    id = fields.UUIDField(primary_key=True)
    handle = fields.BigIntField(unique=True)
    account_id = fields.UUIDField()
    person_id = fields.UUIDField()
    relation = fields.CharField(max_length=10)
    status = fields.CharField(max_length=10)
    frozen_by = fields.CharField(max_length=30, default="")
    live_since = fields.DatetimeField()
    created_at = fields.DatetimeField()
    changed_at = fields.DatetimeField()
    version = fields.IntField(default=1)
    mac = fields.BinaryField()

    class Meta:
        table = "cards"
        indexes = (Index(fields=("account_id",)), Index(fields=("person_id",)), Index(fields=("changed_at",)))


class Consent(Model):
    """What the account agreed to for a card: the policy's version, its text's SHA-256, and when."""

    id = fields.UUIDField(primary_key=True)
    card_id = fields.UUIDField()
    policy = fields.CharField(max_length=20)
    text_sha256 = fields.BinaryField()
    at = fields.DatetimeField()

    class Meta:
        table = "consents"
        indexes = (Index(fields=("card_id",)),)


class Insurance(Model):
    """A card's insurance as the insurer confirmed it; number and kind sealed."""

    card_id = fields.UUIDField(primary_key=True)
    sealed = fields.BinaryField()
    at = fields.DatetimeField()

    class Meta:
        table = "insurances"


class Verification(Model):
    """A proof of a person that was begun: a texted code or a face check, bound to account, name, number and phone."""

    id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField()
    kind = fields.CharField(max_length=10)
    subject_index = fields.BinaryField()
    phone_index = fields.BinaryField()
    sealed = fields.BinaryField(null=True)
    code_hash = fields.BinaryField(null=True)
    tries = fields.IntField(default=0)
    started = fields.BooleanField(default=False)
    used_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "verifications"
        indexes = (Index(fields=("phone_index", "created_at")), Index(fields=("account_id", "created_at")))


class ProofFailures(Model):
    """How often an account failed to prove a person on a day of Asia/Shanghai."""

    id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField()
    day = fields.DateField()
    count = fields.IntField()

    class Meta:
        table = "proof_failures"
        unique_together = (("account_id", "day"),)
