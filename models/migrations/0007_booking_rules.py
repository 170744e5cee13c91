"""What the models of 0006 cannot say; and the resolving function that marks arrival."""

from tortoise import migrations
from tortoise.migrations import operations as ops

from models.sql import sql


class Migration(migrations.Migration):
    """Constraints, views and functions of booking; yima_resolve with its new column."""

    dependencies = [("models", "0006_booking")]

    operations = [
        ops.RunSQL(
            sql("booking_tables"),
            reverse_sql="DROP VIEW waiting_rows, appointment_rows, slot_rows; DROP TABLE change_clock;"
            " DROP TRIGGER places_come_free ON places; DROP FUNCTION yima_place_free",
        ),
        ops.RunSQL(
            sql("booking"),
            reverse_sql="DROP FUNCTION yima_book, yima_mark_sold_out, yima_cancel, yima_wait, yima_fill, yima_arrive, yima_due,"
            " yima_access, yima_card_stands, yima_slot_refusal, yima_booking_limit, yima_paused_until, yima_change,"
            " yima_person_lock, yima_session_lock",
        ),
        ops.RunSQL("DROP FUNCTION yima_resolve; " + sql("resolve"), reverse_sql="SELECT 1"),
    ]
