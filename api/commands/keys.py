"""`yima keys init`: make the root key, where there is none, and the first key of every purpose."""

import argparse
import asyncio
import os
import sys

from api.commands.support import connected
from api.run.root_key import make_root_key, read_root_key
from api.settings import read_settings
from models.keyring import make_first_keys
from models.vault import Vault


def main(arguments: list[str]) -> int:
    """Repeating changes nothing."""
    parser = argparse.ArgumentParser(prog="yima keys", description=__doc__)
    parser.add_argument("action", choices=["init"])
    parser.parse_args(arguments)
    return asyncio.run(_init())


async def _init() -> int:
    path = read_settings().root_key
    if not path.exists():
        make_root_key(path)
        sys.stdout.write(f"made the root key {path}: keep a copy of it in a safe, without it all data is lost\n")
    async with connected() as settings:
        made = await make_first_keys(Vault(read_root_key(settings.root_key), os.urandom))
    sys.stdout.write("made the first keys\n" if made else "every purpose has its key\n")
    return 0
