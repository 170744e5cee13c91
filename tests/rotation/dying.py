"""`python -m tests.rotation.dying`: does an operation in a child that is killed at its Nth statement.

The first line of standard input is the database's address and the root key in hex; each further one is an operation's place in OPERATIONS, N,
`before` or `after`, and what it needs of the desk. Each answer is `killed`, or `done` where there is no Nth statement.
A child is a fork of this process: nothing has to be imported again, so hundreds of kills take seconds.
"""

import asyncio
import os
import signal
import sys
import traceback

from models import database
from models.vault import Vault
from tests.rotation.desk import Desk
from tests.rotation.operations import OPERATIONS
from tests.rotation.statements import Statements


def main() -> None:
    """Answer until the input ends."""
    url, root = sys.stdin.readline().split()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _do(url, bytes.fromhex(root), line.split())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        answers = {-signal.SIGKILL: "killed", 0: "done"}
        print(answers.get(status, f"failed with {status}"), flush=True)


def _do(url: str, root: bytes, words: list[str]) -> None:
    try:
        asyncio.run(_operate(url, root, words))
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


async def _operate(url: str, root: bytes, words: list[str]) -> None:
    place, number, when, first, other, seen = words
    await database.connect(url)
    desk = Desk(url, Vault(root, os.urandom))
    await desk.open()
    desk.first, desk.other, desk.seen = bytes.fromhex(first), bytes.fromhex(other), int(seen)
    with Statements(desk.outside) as statements:
        statements.die_at(int(number), after=when == "after")
        await OPERATIONS[int(place)].act(desk)


if __name__ == "__main__":
    main()
