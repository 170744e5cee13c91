"""Hospitals, the clients through which their systems call us, and their clerks' sessions."""

from tortoise import fields
from tortoise.models import Model


class Hospital(Model):
    """A hospital (organization). `code` is its national institution code, `area` its six-digit division."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=100)
    code = fields.CharField(max_length=30, unique=True)
    area = fields.CharField(max_length=6)
    created_at = fields.DatetimeField()

    class Meta:
        table = "hospitals"


class Client(Model):
    """An OAuth client of a hospital. `scopes` is a bit set (models.hospitals.SCOPES); one of secret and jwks is set."""

    id = fields.UUIDField(primary_key=True)
    hospital_id = fields.UUIDField()
    name = fields.CharField(max_length=100)
    scopes = fields.SmallIntField()
    secret_hash = fields.BinaryField(null=True)
    jwks = fields.TextField(null=True)
    enabled = fields.BooleanField(default=True)
    epoch = fields.IntField(default=1)
    created_at = fields.DatetimeField()
    disabled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "clients"
        indexes = (("hospital_id",),)


class UsedAssertion(Model):
    """A client assertion's jti that was taken (RFC 7523 section 3, item 7); kept until the assertion expires."""

    id = fields.UUIDField(primary_key=True)
    client_id = fields.UUIDField()
    jti = fields.CharField(max_length=64)
    expires_at = fields.DatetimeField()

    class Meta:
        table = "used_assertions"
        unique_together = (("client_id", "jti"),)


class ClerkSession(Model):
    """A clerk's shift at one terminal: what the scanner page's cookie stands for."""

    id = fields.UUIDField(primary_key=True)
    client_id = fields.UUIDField()
    terminal = fields.CharField(max_length=64)
    operator_id = fields.CharField(max_length=64)
    operator_name = fields.CharField(max_length=64)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "clerk_sessions"


class PatientNumber(Model):
    """A hospital's own number for a person (HL7 PID-3), sealed, found by a blind index."""

    id = fields.UUIDField(primary_key=True)
    hospital_id = fields.UUIDField()
    person_id = fields.UUIDField()
    number_index = fields.BinaryField()
    sealed = fields.BinaryField()
    at = fields.DatetimeField()

    class Meta:
        table = "patient_numbers"
        unique_together = (("hospital_id", "person_id"),)
