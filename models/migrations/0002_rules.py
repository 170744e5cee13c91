"""Indexes, checks and functions that the models cannot say."""

from tortoise import migrations
from tortoise.migrations import operations as ops

from models.sql import sql


class Migration(migrations.Migration):
    """The resolving function, the clock, and the constraints of constraints.sql."""

    dependencies = [("models", "0001_initial")]

    operations = [
        ops.RunSQL(sql("constraints"), reverse_sql="DROP TABLE timelines"),
        ops.RunSQL(sql("clock"), reverse_sql="DROP FUNCTION yima_now()"),
        ops.RunSQL(sql("resolve"), reverse_sql="DROP FUNCTION yima_resolve"),
    ]
