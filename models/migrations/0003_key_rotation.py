from uuid import uuid4

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0002_rules")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Approval",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("kid", fields.BinaryField()),
                ("kind", fields.CharField(max_length=12)),
                ("source", fields.CharField(max_length=20)),
                ("to", fields.CharField(max_length=20)),
                ("reason", fields.CharField(max_length=500)),
                ("key_version", fields.IntField()),
                ("requested_by", fields.UUIDField()),
                ("requester", fields.CharField(max_length=64)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_by", fields.UUIDField(null=True)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("approved", fields.BooleanField(null=True)),
            ],
            options={
                "table": "approvals",
                "app": "models",
                "pk_attr": "id",
                "table_description": "An act that waits for a second custodian, for 24 hours; or a compromise that waits to be confirmed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RingReport",
            fields=[
                ("worker", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("slot", fields.CharField(max_length=80)),
                ("version", fields.BigIntField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "ring_reports",
                "app": "models",
                "pk_attr": "worker",
                "table_description": "The ring version that a worker holds; fresh while it lives. A replaced worker reports under the same id.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ScheduledRotation",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("purpose", fields.CharField(max_length=10)),
                ("period_start", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("kid", fields.BinaryField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "scheduled_rotations",
                "app": "models",
                "unique_together": (("purpose", "period_start"),),
                "pk_attr": "id",
                "table_description": "That the schedule made a purpose's next key, once a period.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Key",
            name="activate_after",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Key",
            name="replacement_kid",
            field=fields.BinaryField(null=True),
        ),
        ops.AddField(
            model_name="Key",
            name="ring_version",
            field=fields.BigIntField(null=True),
        ),
    ]
