"""Storage fails at the Nth statement of each operation, for every N: the database shows before or after, and the same
call again changes nothing more. Model: OpenBao's keysutil, where memory must equal storage.
"""

import pytest
from tortoise.exceptions import DBConnectionError

from models.database import Unavailable
from tests.rotation.desk import Desk
from tests.rotation.operations import OPERATIONS, Operation, again
from tests.rotation.statements import Statements


@pytest.mark.parametrize("answer_lost", [False, True], ids=("statement lost", "answer lost"))
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_storage_fails_at_every_statement(desk: Desk, operation: Operation, answer_lost: bool) -> None:
    await operation.begin(desk)
    before = await desk.snapshot()
    with Statements(desk.outside) as statements:
        for number in range(1, 100):
            statements.lose_at(number, after=answer_lost)
            try:
                await operation.act(desk)
            except (*Unavailable, DBConnectionError):
                if await desk.snapshot() == before:
                    continue
                assert answer_lost, f"statement {number} was lost, and something was written"
            break
    assert number > 3, "no statement was counted"
    after = await desk.snapshot()
    assert after != before
    await again(desk, operation)
    if not operation.name.startswith("confirm"):  # each confirmation of a ring is an act of its own
        assert await desk.snapshot() == after, "the same call again changed something"
