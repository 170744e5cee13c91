"""How those who left are found, and until when what must be kept of a person is kept."""

from tortoise import migrations
from tortoise.migrations import operations as ops

from models.sql import sql


class Migration(migrations.Migration):
    """Indexes and functions of leaving."""

    dependencies = [("models", "0009_record_rules")]

    operations = [
        ops.RunSQL(
            sql("leaving"),
            reverse_sql="DROP FUNCTION yima_kept_until, yima_evidence; DROP INDEX patient_numbers_person, accounts_left",
        ),
    ]
