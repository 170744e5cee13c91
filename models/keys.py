"""Key versions, the key ring's version, and the database history that workers have seen."""

from tortoise import fields
from tortoise.models import Model


class Key(Model):
    """One key version. `wrapped` is its private material under the root key; `mac` covers the row.

    purpose: code, print, data, index, token, root, card-id. state: as codes.ring.KeyState.
    """

    id = fields.IntField(primary_key=True)
    kid = fields.BinaryField()
    purpose = fields.CharField(max_length=10)
    suite = fields.CharField(max_length=10)
    state = fields.CharField(max_length=20)
    version = fields.IntField(default=1)
    public = fields.BinaryField(null=True)
    wrapped = fields.BinaryField(null=True)
    created_at = fields.DatetimeField()
    published_at = fields.DatetimeField(null=True)
    activated_at = fields.DatetimeField(null=True)
    retiring_at = fields.DatetimeField(null=True)
    retired_at = fields.DatetimeField(null=True)
    destroy_at = fields.DatetimeField(null=True)
    destroyed_at = fields.DatetimeField(null=True)
    compromised_at = fields.DatetimeField(null=True)
    revoked_since = fields.DatetimeField(null=True)
    activate_after = fields.DatetimeField(null=True)
    longest_life = fields.IntField(default=0)
    retain = fields.BooleanField(default=False)
    ring_version = fields.BigIntField(null=True)
    replacement_kid = fields.BinaryField(null=True)
    mac = fields.BinaryField()

    class Meta:
        table = "keys"


class Ring(Model):
    """The one row that counts changes of the key ring."""

    id = fields.SmallIntField(primary_key=True)
    version = fields.BigIntField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "ring"


class RingReport(Model):
    """The ring version that a worker holds; fresh while it lives. A replaced worker reports under the same id."""

    worker = fields.UUIDField(primary_key=True)
    slot = fields.CharField(max_length=80)
    version = fields.BigIntField()
    at = fields.DatetimeField()

    class Meta:
        table = "ring_reports"


class Approval(Model):
    """An act that waits for a second custodian, for 24 hours; or a compromise that waits to be confirmed.

    kind: transition or compromise. `key_version`: what the key's row was when it was asked for.
    """

    id = fields.UUIDField(primary_key=True)
    kid = fields.BinaryField()
    kind = fields.CharField(max_length=12)
    source = fields.CharField(max_length=20)
    to = fields.CharField(max_length=20)
    reason = fields.CharField(max_length=500)
    key_version = fields.IntField()
    requested_by = fields.UUIDField()
    requester = fields.CharField(max_length=64)
    at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    decided_by = fields.UUIDField(null=True)
    decided_at = fields.DatetimeField(null=True)
    approved = fields.BooleanField(null=True)

    class Meta:
        table = "approvals"


class ScheduledRotation(Model):
    """That the schedule made a purpose's next key, once a period."""

    id = fields.UUIDField(primary_key=True)
    purpose = fields.CharField(max_length=10)
    period_start = fields.DatetimeField()
    kid = fields.BinaryField()
    at = fields.DatetimeField()

    class Meta:
        table = "scheduled_rotations"
        unique_together = (("purpose", "period_start"),)


class ForgedAlarm(Model):
    """A good signature over a card that does not exist: a signing key is in other hands (security.md, rule 3)."""

    id = fields.UUIDField(primary_key=True)
    kid = fields.BinaryField()
    client_id = fields.UUIDField()
    terminal = fields.CharField(max_length=64)
    at = fields.DatetimeField()

    class Meta:
        table = "forged_alarms"
