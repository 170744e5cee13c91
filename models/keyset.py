"""Where a list begins that goes from newest to oldest: the place (time, id) before its first row."""

from datetime import datetime
from typing import Final
from uuid import UUID

LAST: Final = UUID(int=2**128 - 1)
FAR: Final = datetime.fromisoformat("9999-01-01T00:00:00+00:00")
