"""MLLP release 1: <VT> block <FS><CR> over a stream, in whatever pieces it comes."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

START: Final = b"\x0b"
END: Final = b"\x1c"
_MARKS: Final = re.compile(rb"[\x0b\x1c]")
BLOCK_MOST: Final = 2 * 1024 * 1024
HEADER_MOST: Final = 4096  # of a block that is too long, as much is kept as its header may need


class Fault(StrEnum):
    """Why a block is no message."""

    TOO_LONG = "the block is longer than is taken"
    NOT_ENDED = "the block did not end before the next began"


class Block(NamedTuple):
    """A block's bytes; with a fault they are its beginning."""

    data: bytes
    fault: Fault | None = None


class Framer:
    """Takes a stream's bytes and gives blocks. What lies outside of blocks is passed over.

    FS ends a block, with or without the CR: neither byte is ever part of a character, in UTF-8 or GB18030. After a
    block that is too long the next VT begins a new one.
    """

    def __init__(self, most: int = BLOCK_MOST) -> None:
        self.most = most
        self._block: bytearray | None = None
        self._long = False

    @property
    def inside(self) -> bool:
        """Whether a block has begun and not ended."""
        return self._block is not None

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks that end in these bytes."""
        at = 0
        for found in _MARKS.finditer(data):
            if self._block is not None:
                self._add(data[at : found.start()])
                yield self._finish(None if found[0] == END else Fault.NOT_ENDED)
            if found[0] == START:
                self._block = bytearray()
            at = found.end()
        if self._block is not None:
            self._add(data[at:])

    def give_up(self) -> Block | None:
        """What has come of a block whose rest does not come."""
        return self._finish(Fault.NOT_ENDED) if self._block is not None else None

    def _add(self, data: bytes) -> None:
        assert self._block is not None  # noqa: S101 - called inside a block alone
        if self._long:
            return
        self._block += data
        if len(self._block) > self.most:
            self._long = True
            del self._block[HEADER_MOST:]

    def _finish(self, fault: Fault | None = None) -> Block:
        assert self._block is not None  # noqa: S101 - called inside a block alone
        block = Block(bytes(self._block), Fault.TOO_LONG if self._long else fault)
        self._block, self._long = None, False
        return block


def framed(message: bytes) -> bytes:
    """A message as a block."""
    return START + message + END + b"\r"
