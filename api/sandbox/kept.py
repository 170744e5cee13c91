"""Keeps the books in a file, so that a restarted demo still knows its orders and settlements."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any, Final

import msgspec
from sanic import Request, Sanic

from api.sandbox.insurer_books import InsurerBooks
from api.sandbox.pay_books import PayBooks
from api.sandbox.world import World

WAIT_SECONDS: Final = 0.2
_SHARE: Final = 20  # saving may take a twentieth of the time, however large the books are


class _Books(msgspec.Struct):
    insurer: msgspec.Raw
    wechat: msgspec.Raw


class Kept:
    """The file. `touch` after whatever may have changed the books; `save` writes by rename, if they changed."""

    def __init__(self, world: World, path: Path) -> None:
        self._world = world
        self._path = path
        self._due: asyncio.TimerHandle | None = None
        self._saved = b""
        self._wait = WAIT_SECONDS

    def load(self) -> None:
        """Take the books from the file, where there is one. Raises msgspec.MsgspecError for any other file."""
        if self._path.exists():
            self._saved = self._path.read_bytes()
            books = msgspec.json.decode(self._saved, type=_Books)
            self._world.insurer_books = InsurerBooks.load(bytes(books.insurer))
            self._world.pay_books = PayBooks.load(bytes(books.wechat))

    def touch(self) -> None:
        """Save soon."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(self._wait, self.save)

    def save(self) -> None:
        """Save now."""
        if self._due:
            self._due.cancel()
            self._due = None
        began = time.monotonic()
        world = self._world
        books = _Books(msgspec.Raw(world.insurer_books.dump()), msgspec.Raw(world.pay_books.dump()))
        content = msgspec.json.encode(books)
        if content != self._saved:
            building = self._path.with_name(self._path.name + ".new")
            with open(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
            building.rename(self._path)
            self._saved = content
        self._wait = max(WAIT_SECONDS, _SHARE * (time.monotonic() - began))


def keep_books(app: Sanic[Any, Any], world: World, path: Path) -> None:
    """Load the books now, and keep them in the file from now on."""
    kept = Kept(world, path)
    kept.load()
    world.touched = kept.touch

    async def touched(request: Request, _response: object) -> None:
        if request.method == "POST":
            kept.touch()

    async def stop(_app: Sanic[Any, Any]) -> None:
        kept.save()

    app.register_middleware(touched, "response")
    app.register_listener(stop, "before_server_stop")
