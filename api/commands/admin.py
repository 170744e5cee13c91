"""`yima admin add NAME ROLE`: a new administrator; the token is shown this once."""

import argparse
import asyncio
import json
import sys

from api.commands.support import connected
from models import admins


def main(arguments: list[str]) -> int:
    """Add an administrator."""
    parser = argparse.ArgumentParser(prog="yima admin", description=__doc__)
    parser.add_argument("action", choices=["add"])
    parser.add_argument("name")
    parser.add_argument("role", choices=admins.ROLES)
    parser.add_argument("--days", type=int, default=admins.TOKEN_DAYS, help="how long the token lives")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if not 1 <= len(given.name) <= 64 or not 1 <= given.days <= 3650:
        parser.error("a name has 1 to 64 characters, a token lives 1 to 3650 days")
    return asyncio.run(_add(given))


async def _add(given: argparse.Namespace) -> int:
    async with connected():
        made = await admins.add_admin(given.name, given.role, days=given.days)
        if made is None:
            sys.stderr.write("yima: there is an administrator of that name\n")
            return 1
        await admins.note(None, "command line", "admin.add", str(made[0]), details={"role": given.role})
    if given.json:
        sys.stdout.write(json.dumps({"admin_id": str(made[0]), "token": made[1]}) + "\n")
    else:
        sys.stdout.write(f"token, shown this once: {made[1]}\n")
    return 0
