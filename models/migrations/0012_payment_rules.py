"""What the models of 0011 cannot say; and the functions that news of WeChat and accesses go through."""

from tortoise import migrations
from tortoise.migrations import operations as ops

from models.sql import sql


class Migration(migrations.Migration):
    """Constraints, triggers, indexes and the functions of payment."""

    dependencies = [("models", "0011_payment")]

    operations = [
        ops.RunSQL(
            sql("payment_tables"),
            reverse_sql="DROP TRIGGER refunds_balance ON refunds; DROP TRIGGER ledger_entries_balance ON ledger_entries;"
            " DROP TRIGGER bills_balance ON bills; DROP TRIGGER refund_items_within ON refund_items;"
            " DROP TRIGGER bills_move ON bills; DROP TRIGGER ledger_entries_stay_all ON ledger_entries;"
            " DROP TRIGGER ledger_entries_stay ON ledger_entries;"
            " DROP FUNCTION yima_balance_of, yima_balance_bill, yima_check_balance, yima_refund_within, yima_bill_moves,"
            " yima_unchangeable, yima_msgid; DROP SEQUENCE money_serial",
        ),
        ops.RunSQL(
            sql("payment"),
            reverse_sql="DROP VIEW bill_rows; DROP FUNCTION yima_money_access, yima_refunded, yima_paid, yima_prepaid, yima_stands_no_more, yima_stands, yima_hold, yima_reversed, yima_settled,"
            " yima_paid_status, yima_enter",
        ),
    ]
