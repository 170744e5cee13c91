"""What the service itself must remember: outbox, leases, idempotency, upstream tokens."""

from tortoise import fields
from tortoise.models import Model


class Message(Model):
    """What an account must be told, sealed; written in the commit that made it true."""

    id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField()
    card_id = fields.UUIDField(null=True)
    kind = fields.CharField(max_length=20)
    sealed = fields.BinaryField()
    ref = fields.CharField(max_length=40, null=True)
    at = fields.DatetimeField()

    class Meta:
        table = "messages"
        indexes = (("account_id", "at", "id"),)


class Delivery(Model):
    """The outbox: something to be done outside at least once (a text message), by whoever holds the lease."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(max_length=20)
    sealed = fields.BinaryField()
    attempts = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    due_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    done_at = fields.DatetimeField(null=True)
    outcome = fields.CharField(max_length=30, null=True)

    class Meta:
        table = "deliveries"


class Lease(Model):
    """Who may do a job that only one worker at a time may do, and until when."""

    name = fields.CharField(max_length=30, primary_key=True)
    holder = fields.UUIDField()
    until = fields.DatetimeField()

    class Meta:
        table = "leases"


class IdempotentAnswer(Model):
    """A request with an Idempotency-Key: claimed until `until`, then its first 2xx answer, sealed."""

    id = fields.UUIDField(primary_key=True)
    scope = fields.BinaryField()
    body_hash = fields.BinaryField()
    claim = fields.UUIDField()
    status = fields.SmallIntField(null=True)
    sealed = fields.BinaryField(null=True)
    at = fields.DatetimeField()
    until = fields.DatetimeField()

    class Meta:
        table = "idempotent_answers"
        indexes = (("at",),)


class UpstreamToken(Model):
    """An access token of an upstream (WeChat's stable_token), sealed, shared by all workers."""

    name = fields.CharField(max_length=30, primary_key=True)
    sealed = fields.BinaryField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "upstream_tokens"
