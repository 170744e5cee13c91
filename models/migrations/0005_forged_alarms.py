from uuid import uuid4

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0004_rotation_rules")]

    initial = False

    operations = [
        ops.CreateModel(
            name="ForgedAlarm",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("kid", fields.BinaryField()),
                ("client_id", fields.UUIDField()),
                ("terminal", fields.CharField(max_length=64)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "forged_alarms",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A good signature over a card that does not exist: a signing key is in other hands (security.md, rule 3).",
            },
            bases=["Model"],
        ),
    ]
