"""Administrators and what they did."""

from typing import Any

from tortoise import fields
from tortoise.models import Model


class Admin(Model):
    """An administrator. role: custodian, registrar or auditor; the token is kept as a hash."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=64)
    role = fields.CharField(max_length=10)
    token_hash = fields.BinaryField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    last_used_at = fields.DatetimeField(null=True)
    disabled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "admins"


class AuditEntry(Model):
    """One act of an administrator: who, what, on which subject, why."""

    id = fields.BigIntField(primary_key=True)
    at = fields.DatetimeField()
    admin_id = fields.UUIDField(null=True)
    actor = fields.CharField(max_length=80)
    action = fields.CharField(max_length=40)
    subject = fields.CharField(max_length=80)
    reason = fields.CharField(max_length=500, null=True)
    details: fields.Field[Any] = fields.JSONField(null=True)

    class Meta:
        table = "audit_entries"
        indexes = (("at", "id"),)
