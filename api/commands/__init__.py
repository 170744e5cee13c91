"""The `yima` command: one module a subcommand, loaded only when it is called."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

# subcommand -> (module, function, what it does)
COMMANDS: Final = {
    "serve": ("api.run.serve", "main", "run the service (settings: YIMA_…, see README)"),
    "demo": ("api.run.demo", "main", "run everything on one machine, with fictional people"),
    "migrate": ("api.commands.migrate", "main", "bring the database to this build's version"),
    "keys": ("api.commands.keys", "main", "list, show, rotate, transition, compromise, approve; export-public, init"),
    "admin": ("api.commands.admin", "main", "add NAME ROLE: a new administrator's token"),
    "hospital": ("api.commands.hospital", "main", "add NAME CODE AREA: a hospital with a client"),
    "mllp": ("api.commands.mllp", "main", "take laboratory results by HL7 v2 over MLLP (YIMA_MLLP_…)"),
    "verify": ("api.commands.verify", "main", "check codes offline against a key set"),
}


def main() -> int:
    """Run the subcommand of the command line; its exit status."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help", "help") or arguments[0] not in COMMANDS:
        known = bool(arguments) and arguments[0] in ("-h", "--help", "help")
        (sys.stdout if known else sys.stderr).write(_usage())
        return 0 if known else 2
    module, function, _ = COMMANDS[arguments[0]]
    command: Callable[..., int] = getattr(import_module(module), function)
    return command() if arguments[0] in ("serve", "demo") else _with(command, arguments[1:])


def _with(command: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    try:
        return command(list(arguments))
    except (RuntimeError, ValueError, OSError) as error:
        sys.stderr.write(f"yima: {error}\n")
        return 1


def _usage() -> str:
    lines = [f"  yima {name:<9} {about}" for name, (_, _, about) in COMMANDS.items()]
    return "Yima: one signed dynamic QR code for a patient.\n\n" + "\n".join(lines) + "\n"
