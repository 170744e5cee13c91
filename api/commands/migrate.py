"""`yima migrate`: bring the database to this build's version."""

import argparse
import asyncio
import sys

from api.commands.support import database_of
from api.settings import read_settings
from models import database


def main(arguments: list[str]) -> int:
    """Run the migrations; repeating changes nothing."""
    argparse.ArgumentParser(prog="yima migrate", description=__doc__).parse_args(arguments)
    asyncio.run(_migrate())
    sys.stdout.write("the database is of this build's version\n")
    return 0


async def _migrate() -> None:
    async with database_of(read_settings()) as url:
        await database.migrate(url)
