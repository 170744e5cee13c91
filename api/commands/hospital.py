"""`yima hospital add NAME CODE AREA`: a hospital with a first client; the secret is shown this once."""

import argparse
import asyncio
import json
import re
import secrets
import sys

from api.commands.support import connected
from models import clients
from models.admins import note
from models.clients import SCOPES, scope_bits, secret_hash
from models.database import transaction


def main(arguments: list[str]) -> int:
    """Add a hospital and a client with a secret."""
    parser = argparse.ArgumentParser(prog="yima hospital", description=__doc__)
    parser.add_argument("action", choices=["add"])
    parser.add_argument("name")
    parser.add_argument("code", help="national institution code")
    parser.add_argument("area", help="six-digit division")
    parser.add_argument("--scope", action="append", choices=list(SCOPES), help="repeat; default: all")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    if not re.fullmatch(r"[A-Za-z0-9-]{1,30}", given.code) or not re.fullmatch(r"[0-9]{6}", given.area):
        parser.error("CODE has 1 to 30 letters, digits and hyphens; AREA has six digits")
    if not 1 <= len(given.name) <= 100:
        parser.error("a name has 1 to 100 characters")
    return asyncio.run(_add(given))


async def _add(given: argparse.Namespace) -> int:
    secret = secrets.token_urlsafe(32)
    scopes = scope_bits(given.scope or list(SCOPES))
    async with connected(), transaction() as tx:
        hospital_id = await clients.add_hospital(given.name, given.code, given.area, using=tx)
        if hospital_id is None:
            sys.stderr.write("yima: there is a hospital of that code\n")
            return 1
        client_id = await clients.add_client(
            hospital_id, "HIS", scopes, hashed_secret=secret_hash(secret), jwks=None, using=tx
        )
        await note(None, "command line", "hospital.add", str(hospital_id), using=tx)
    made = {"hospital_id": str(hospital_id), "client_id": str(client_id), "client_secret": secret}
    if given.json:
        sys.stdout.write(json.dumps(made) + "\n")
    else:
        sys.stdout.write("\n".join(f"{name:<14} {value}" for name, value in made.items()) + "\nshown this once\n")
    return 0
