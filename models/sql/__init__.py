"""The SQL functions that decide in one round trip, each in a file of its own, read by the migrations."""

from importlib.resources import files


def sql(name: str) -> str:
    """The text of `models/sql/<name>.sql`."""
    return (files(__package__) / f"{name}.sql").read_text(encoding="utf-8")
