"""The insurer's files: one ZIP, one text of tabs, `null` for empty; and what comes from outside is bounded."""

import contextlib
import io
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codes.insurer_files import (
    AMOUNTS_DIFFER,
    HOSPITAL_HAS_MORE,
    MOST_BYTES,
    Difference,
    Entry,
    FileBroken,
    FileTooLarge,
    RowsInvalid,
    read_differences,
    read_entries,
    read_rows,
    write_differences,
    write_entries,
    write_rows,
)
from codes.money import FEN_MOST

ENTRY = Entry("4301", "M1", "S1", "H" * 30, False, 6600, 4620, 660)
texts = st.text(st.characters(exclude_characters="\t\r\n", exclude_categories=["Cs"])).filter(lambda one: one != "null")
ids = st.text("ABC0123456789", min_size=1, max_size=30)
fens = st.integers(-FEN_MOST, FEN_MOST)
entries = st.builds(Entry, ids, ids, ids, ids, st.booleans(), fens, fens, fens)


def zipped(*members: bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for number, member in enumerate(members):
            archive.writestr(f"{number}.txt", member)
    return packed.getvalue()


@given(st.lists(st.tuples(st.just("x"), texts, texts)))
def test_rows_come_back_as_they_went(rows: list[tuple[str, str, str]]) -> None:
    assert read_rows(write_rows("day.txt", rows), 3) == rows


@given(st.lists(entries))
def test_a_day_comes_back_as_it_went(day: list[Entry]) -> None:
    assert read_entries(write_entries("day.txt", day)) == day


@given(st.lists(st.builds(Difference, entries, st.sampled_from([AMOUNTS_DIFFER, HOSPITAL_HAS_MORE]), ids)))
def test_an_answer_comes_back_as_it_went(found: list[Difference]) -> None:
    assert read_differences(write_differences("result.txt", found)) == found


def test_a_file_is_what_the_platform_reads() -> None:
    packed = write_entries("day.txt", [ENTRY, ENTRY._replace(mdtrt_id="", refund=True, total_fen=-6600)])
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        (member,) = archive.namelist()
        text = archive.read(member).decode()
    assert member == "day.txt"
    assert text == (
        f"4301\tM1\tS1\t{'H' * 30}\t0\t66.00\t46.20\t6.60\n4301\tnull\tS1\t{'H' * 30}\t1\t-66.00\t46.20\t6.60\n"
    )
    assert packed == write_entries("day.txt", read_entries(packed))


@pytest.mark.parametrize("text", ["a\tb\r\nc\td\r\n", "\ufeffa\tb\nc\td", "a\tb\n\nc\td\n\n"])
def test_line_ends_as_others_write_them(text: str) -> None:
    assert read_rows(zipped(text.encode()), 2) == [("a", "b"), ("c", "d")]


@pytest.mark.parametrize("value", ["a\tb", "a\nb", "a\rb"])
def test_a_value_that_would_be_two_is_not_written(value: str) -> None:
    with pytest.raises(RowsInvalid):
        write_rows("day.txt", [("a", value)])


WHOLE = write_entries("day.txt", [ENTRY] * 20)
BROKEN = {
    "nothing": b"",
    "no zip": b"PK\x03\x04" + b"x" * 100,
    "cut short": WHOLE[:-30],
    "a bit changed": WHOLE[:60] + bytes([WHOLE[60] ^ 1]) + WHOLE[61:],
    "no member": zipped(),
    "two members": zipped(b"a", b"b"),
    "other compression": zipped(b"a\tb", compression=zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_does_not_open(name: str) -> None:
    with pytest.raises(FileBroken):
        read_entries(BROKEN[name])


def test_a_bomb_is_not_unpacked() -> None:
    packed = zipped(b"\0" * (MOST_BYTES + 1))
    assert len(packed) < MOST_BYTES // 500
    tracemalloc.start()
    with pytest.raises(FileTooLarge):
        read_rows(packed, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * MOST_BYTES


GOOD = ["4301", "M1", "S1", "m", "0", "66.00", "46.20", "6.60"]


@pytest.mark.parametrize(
    "row",
    [
        GOOD[:-1],
        [*GOOD, "more"],
        [*GOOD[:2], "null", *GOOD[3:]],
        [*GOOD[:4], "2", *GOOD[5:]],
        [*GOOD[:4], "null", *GOOD[5:]],
        [*GOOD[:5], "66.001", *GOOD[6:]],
        [*GOOD[:5], "1e3", *GOOD[6:]],
        [*GOOD[:5], "9" * 14, *GOOD[6:]],
    ],
)
def test_rows_of_another_shape_are_refused(row: list[str]) -> None:
    with pytest.raises(RowsInvalid):
        read_entries(zipped("\t".join(row).encode()))


def test_an_absent_amount_is_nothing() -> None:
    row = [*GOOD[:7], "null"]
    assert read_entries(zipped("\t".join(row).encode()))[0].account_fen == 0


def test_a_verdict_nobody_knows_is_refused() -> None:
    with pytest.raises(RowsInvalid):
        read_differences(write_differences("r.txt", [Difference(ENTRY, "7", "")]))


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(RowsInvalid):
        read_rows(zipped("中心多".encode("gb18030")), 1)


@given(st.binary(max_size=40), st.integers(0, len(WHOLE) - 1), st.integers(0, 40))
def test_any_damage_is_refused_by_type_or_harmless(junk: bytes, at: int, gone: int) -> None:
    damaged = WHOLE[:at] + junk + WHOLE[at + gone :]
    with contextlib.suppress(FileBroken, FileTooLarge, RowsInvalid):
        assert len(read_entries(damaged)) <= 20


def test_an_entry_is_not_printed() -> None:
    assert "4301" not in repr(Difference(ENTRY, AMOUNTS_DIFFER, ""))
