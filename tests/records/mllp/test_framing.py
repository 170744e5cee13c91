"""MLLP blocks out of a stream in any pieces."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from api.records.mllp.framing import Block, Fault, Framer, framed

TEXTS = st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\x0b", b"").replace(b"\x1c", b"")), max_size=5)


def blocks(*pieces: bytes, most: int = 1000) -> list[Block]:
    framer = Framer(most)
    return [block for piece in pieces for block in framer.feed(piece)]


@given(TEXTS, st.lists(st.integers(0, 200), max_size=20))
def test_whatever_the_pieces_the_blocks_are_the_same(texts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(framed(text) for text in texts)
    places = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(places)]
    assert blocks(*pieces) == [Block(text) for text in texts]


def test_two_messages_in_one_packet_are_two() -> None:
    assert blocks(b"\x0bone\x1c\r\x0btwo\x1c\r") == [Block(b"one"), Block(b"two")]


def test_what_is_outside_of_blocks_is_passed_over() -> None:
    assert blocks(b"noise\r\n\x1c\r\x0bone\x1c\r\nmore\x1c", b"\x0btwo\x1c") == [Block(b"one"), Block(b"two")]


def test_half_a_block_is_waited_for() -> None:
    framer = Framer()
    assert list(framer.feed(b"\x0bhal")) == []
    assert framer.inside
    assert list(framer.feed(b"f\x1c\r")) == [Block(b"half")]
    assert not framer.inside


def test_a_block_that_begins_inside_of_another_ends_that() -> None:
    assert blocks(b"\x0bhalf\x0bwhole\x1c\r") == [Block(b"half", Fault.NOT_ENDED), Block(b"whole")]


def test_a_block_given_up_tells_what_came_of_it() -> None:
    framer = Framer()
    assert framer.give_up() is None
    list(framer.feed(b"\x0bhalf"))
    assert framer.give_up() == Block(b"half", Fault.NOT_ENDED)
    assert list(framer.feed(b"of it\x1c\r\x0bnew\x1c\r")) == [Block(b"new")]


def test_the_longest_block_is_taken_and_one_byte_more_is_not() -> None:
    longest = b"x" * 1000
    assert blocks(framed(longest), framed(longest + b"x"), framed(b"next")) == [
        Block(longest),
        Block(longest + b"x", Fault.TOO_LONG),
        Block(b"next"),
    ]


def test_a_block_without_end_is_not_kept_in_memory() -> None:
    framer = Framer(10_000)
    list(framer.feed(b"\x0b"))
    for _ in range(100):
        list(framer.feed(b"x" * 64_000))
    (found,) = framer.feed(b"\x1c\r")
    assert (found.fault, len(found.data)) == (Fault.TOO_LONG, 4096)
