"""What the models of 0008 cannot say; and the functions that keep, list and read records."""

from tortoise import migrations
from tortoise.migrations import operations as ops

from models.sql import sql


class Migration(migrations.Migration):
    """Constraints, indexes, the view and the functions of records."""

    dependencies = [("models", "0008_records")]

    operations = [
        ops.RunSQL(
            sql("record_tables"),
            reverse_sql="DROP INDEX accesses_glass, people_erase; ALTER TABLE accesses DROP COLUMN records",
        ),
        ops.RunSQL(
            sql("records"),
            reverse_sql="DROP FUNCTION yima_keep_record, yima_list_records, yima_read_record; DROP VIEW record_rows;"
            " DROP FUNCTION yima_recognised, yima_mark_holds, yima_record_access, yima_open_glass, yima_readable_kinds",
        ),
    ]
