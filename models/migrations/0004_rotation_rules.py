"""What the models of 0003 cannot say."""

from tortoise import migrations
from tortoise.migrations import operations as ops

from models.sql import sql


class Migration(migrations.Migration):
    """The index of open approvals."""

    dependencies = [("models", "0003_key_rotation")]

    operations = [ops.RunSQL(sql("rotation"), reverse_sql="DROP INDEX approvals_open")]
