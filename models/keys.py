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
    longest_life = fields.IntField(default=0)
    retain = fields.BooleanField(default=False)
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
