"""`yima keys init` and `yima keys export-public`: on the database itself, where no service runs yet."""

import json
import os
import sys

from api.commands.support import connected, open_vault
from api.run.root_key import PUBLIC_NAME, make_root_key, public_of, read_root_key, write_public
from api.run.supervisor import CannotStart
from api.settings import read_settings
from codes.errors import NoActiveKey, SealBroken
from codes.rootkey import RootKey
from models.database import OtherSchemaVersion
from models.integrity import IntegrityBroken
from models.keyring import RootKeyMismatch, make_first_keys
from models.vault import Vault

FORMATS = ("hex", "cose", "jwk")


async def init(*, as_json: bool) -> int:
    """Make the root key, where there is none, and the first key of every purpose. Repeating changes nothing."""
    path = read_settings().root_key
    new_root = not path.exists()
    if new_root:
        make_root_key(path)
    try:
        async with connected() as settings:
            made = await make_first_keys(Vault(read_root_key(settings.root_key), os.urandom))
            if settings.data_dir.is_dir():
                write_public(settings.data_dir, public_of((await open_vault(settings)).ring))
    except (OtherSchemaVersion, RootKeyMismatch):
        if new_root:  # nothing was sealed under it
            path.unlink()
        raise
    if new_root and not as_json:
        sys.stdout.write(f"made the root key {path}: keep a copy of it in a safe, without it all data is lost\n")
    if as_json:
        sys.stdout.write(json.dumps({"root_key_made": new_root, "keys_made": made}) + "\n")
    else:
        sys.stdout.write("made the first keys\n" if made else "every purpose has its key\n")
    return 0


async def export_public(form: str, *, as_json: bool) -> int:
    """Print the root's public key, for verifiers to pin."""
    root = await _root()
    if as_json:
        sys.stdout.write(json.dumps({"kid": root.kid.hex(), "alg": root.alg, "public": root.to_hex()}) + "\n")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(in_form(root, form))
        sys.stdout.buffer.flush()
    return 0


async def _root() -> RootKey:
    """The root's public key, from the database. Raises RuntimeError, saying what to do."""
    try:
        async with connected() as settings:
            return public_of((await open_vault(settings)).ring)
    except NoActiveKey:
        raise RuntimeError("there is no root signing key yet: make it with `yima keys init`") from None
    except (IntegrityBroken, SealBroken):
        raise RuntimeError("the keys in the database were not made under this root key") from None
    except CannotStart as reason:  # the embedded database is in use
        kept = read_settings().data_dir / PUBLIC_NAME
        raise RuntimeError(f"{reason}; the root's public key is in {kept}" if kept.exists() else str(reason)) from None


def in_form(root: RootKey, form: str) -> bytes:
    """The key as a file holds it."""
    if form == "cose":
        return root.to_cose()
    text = json.dumps(root.to_jwk()) if form == "jwk" else root.to_hex()
    return text.encode() + b"\n"
