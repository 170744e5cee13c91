"""The pictures of a study as the PACS listed them a moment ago: who pages through a study asks for the list once."""

import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from uuid import UUID

from api.upstream.dicom_json import Instance

LIFE_SECONDS: Final = 60.0
MOST: Final = 64  # studies
SHOWN_MOST: Final = 500  # pictures of a study


class Asked(NamedTuple):
    """What was asked: of which version of a hospital's registration, and about whom."""

    hospital_id: UUID
    version: int
    study: str
    number: str


class Listings:
    """One worker's. Whether anybody may look is decided at each call, before it asks here."""

    def __init__(self) -> None:
        self._kept: dict[Asked, tuple[float, list[Instance]]] = {}

    async def fresh(self, asked: Asked, ask: Callable[[], Awaitable[list[Instance]]]) -> list[Instance]:
        """The pictures as the PACS lists them now."""
        found = (await ask())[:SHOWN_MOST]
        self._kept.pop(asked, None)
        if len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[asked] = (time.monotonic() + LIFE_SECONDS, found)
        return found

    async def recent(self, asked: Asked, ask: Callable[[], Awaitable[list[Instance]]]) -> list[Instance]:
        """The pictures as listed within LIFE_SECONDS, so that the n that somebody was shown stays what it was."""
        until, found = self._kept.get(asked, (0.0, []))
        return found if time.monotonic() < until else await self.fresh(asked, ask)
