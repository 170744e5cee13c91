"""Scans: one row is used mark, resolution and access record; a refused try, and each later use, has a row of its own."""

from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Resolution(Model):
    """A code that was resolved, once. `cti` is unique: that key is the arbiter of "used"."""

    id = fields.UUIDField(primary_key=True)
    cti = fields.BinaryField()
    kid = fields.BinaryField()
    iat = fields.BigIntField()
    exp = fields.BigIntField()
    card_id = fields.UUIDField()
    person_id = fields.UUIDField()
    client_id = fields.UUIDField()
    hospital_id = fields.UUIDField()
    terminal = fields.CharField(max_length=64)
    operator_id = fields.CharField(max_length=64, null=True)
    operator_name = fields.CharField(max_length=64, null=True)
    department = fields.CharField(max_length=64, null=True)
    step = fields.CharField(max_length=8)
    channel = fields.CharField(max_length=8)
    granted = fields.SmallIntField()
    at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    arrival: Any = fields.JSONField(null=True)  # the appointment that this scan made arrived, as it was then

    class Meta:
        table = "resolutions"


class Refusal(Model):
    """A code of a real card that was refused: once per (cti, client, terminal)."""

    id = fields.UUIDField(primary_key=True)
    cti = fields.BinaryField()
    card_id = fields.UUIDField()
    person_id = fields.UUIDField()
    client_id = fields.UUIDField()
    hospital_id = fields.UUIDField()
    terminal = fields.CharField(max_length=64)
    operator_id = fields.CharField(max_length=64, null=True)
    operator_name = fields.CharField(max_length=64, null=True)
    department = fields.CharField(max_length=64, null=True)
    step = fields.CharField(max_length=8)
    channel = fields.CharField(max_length=8)
    reason = fields.CharField(max_length=30)
    at = fields.DatetimeField()

    class Meta:
        table = "refusals"


class Access(Model):
    """A use of a resolution for one of its services: who looked at or changed what, in the commit that did it."""

    id = fields.UUIDField(primary_key=True)
    resolution_id = fields.UUIDField()
    card_id = fields.UUIDField()
    person_id = fields.UUIDField()
    client_id = fields.UUIDField()
    hospital_id = fields.UUIDField()
    terminal = fields.CharField(max_length=64)
    operator_id = fields.CharField(max_length=64, null=True)
    operator_name = fields.CharField(max_length=64, null=True)
    department = fields.CharField(max_length=64, null=True)
    step = fields.CharField(max_length=8)
    granted = fields.SmallIntField()
    at = fields.DatetimeField()
    act = fields.CharField(max_length=10, null=True)  # of records: read, posted or opened (break-glass)
    break_glass_id = fields.UUIDField(null=True)  # under which it was; the records' ids are in sql/record_tables.sql

    class Meta:
        table = "accesses"
        indexes = (Index(fields=("person_id", "at", "id")),)
