"""What `yima verify` keeps of signed key sets, signed sets in files, and what people read."""

import stat
import threading
from pathlib import Path

import pytest

from api.commands.verify_state import KeptSet
from codes.issue import issue
from codes.signedset import read_set
from tests.codes.support import KEY, KEYS, NOW, OTHER_KEY
from tests.commands.support import DAY, LIFE, OTHER_ROOT, PINNED, WITHOUT_KEY, Scanner, signed

# What is kept


def test_what_is_kept_is_the_owners_alone(scanner: Scanner) -> None:
    scanner.publisher.body = signed()
    scanner.verify()
    [kept] = scanner.state.glob("*.cose")
    assert kept.read_bytes() == signed()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(scanner.state.stat().st_mode) == 0o700
    assert not list(scanner.state.glob("*.new"))


def test_another_root_and_another_address_are_kept_apart(scanner: Scanner) -> None:
    scanner.publisher.body = WITHOUT_KEY
    scanner.verify()
    scanner.publisher.body = signed(5)
    assert (scanner.verify(keys=scanner.publisher.address + "/other.cose"), scanner.heard) == (0, ("fetched", None, 5))
    scanner.root.write_text(OTHER_ROOT.verifying.public.hex())
    scanner.publisher.body = signed(1, root=OTHER_ROOT)
    assert (scanner.verify(), scanner.heard) == (0, ("fetched", None, 1))


@pytest.mark.parametrize("content", [b"", b"garbage", signed(999, root=OTHER_ROOT), bytes(100_000)])
def test_what_the_root_has_not_signed_is_not_gone_by_though_it_lies_there(scanner: Scanner, content: bytes) -> None:
    scanner.publisher.body = signed()
    scanner.verify()
    [kept] = scanner.state.glob("*.cose")
    kept.write_bytes(content)
    assert (scanner.verify(), scanner.heard) == (0, ("fetched", None, 5))
    kept.write_bytes(content)
    scanner.publisher.status = 503
    assert (scanner.verify(), scanner.heard) == (2, (None, "no-answer", None))


def test_a_folder_that_cannot_be_written_is_told_and_no_more(scanner: Scanner) -> None:
    scanner.state.write_text("a file, where a folder should be")
    scanner.publisher.body = signed()
    assert scanner.verify() == 0
    assert "--state" in scanner.run.news["warnings"][0]


def test_the_same_version_signed_earlier_does_not_shorten_what_is_kept(scanner: Scanner) -> None:
    scanner.publisher.body = later = signed(5, NOW)
    scanner.verify()
    scanner.publisher.body = signed(5, NOW - 300)
    assert scanner.verify() == 0
    [kept] = scanner.state.glob("*.cose")
    assert kept.read_bytes() == later


def test_many_at_once_keep_the_newest(tmp_path: Path) -> None:
    def keep(version: int) -> None:
        data = signed(version)
        KeptSet(tmp_path, PINNED, "somewhere").keep(data, read_set(data, PINNED))

    threads = [threading.Thread(target=keep, args=(version,)) for version in (3, 9, 1, 7, 5, 8, 2, 6, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = KeptSet(tmp_path, PINNED, "somewhere").read()
    assert kept is not None
    assert kept.version == 9


def test_by_default_it_is_kept_where_xdg_says(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scanner.publisher.body = signed()
    code = issue(KEY, handle=1, now=NOW, life=60, services=None, nonce=b"1234").text
    for name, value, folder in [
        ("XDG_STATE_HOME", str(tmp_path / "xdg"), tmp_path / "xdg/yima"),
        ("XDG_STATE_HOME", "not/absolute", tmp_path / ".local/state/yima"),
        ("XDG_STATE_HOME", "", tmp_path / ".local/state/yima"),
    ]:
        monkeypatch.setenv(name, value)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert scanner.run("--keys", scanner.publisher.address, "--root", str(scanner.root), code) == 0
        assert len(list(folder.glob("*.cose"))) == 1


# Signed sets in files


def test_a_signed_file_is_known_by_the_root(scanner: Scanner, tmp_path: Path) -> None:
    file = tmp_path / "keyset.cose"
    file.write_bytes(WITHOUT_KEY)
    assert (scanner.verify(keys=str(file), key=OTHER_KEY), scanner.heard) == (0, ("file", None, 6))
    for data, problem in [
        (signed(5), "set-rolled-back"),
        (signed(7, root=OTHER_ROOT), "set-forged"),
        (signed(7, NOW - LIFE - 1), "set-expired"),
        (signed(7, NOW + DAY), "set-from-future"),
        (signed(7) + b"\0", "set-malformed"),
    ]:
        file.write_bytes(data)
        assert (scanner.verify(keys=str(file)), scanner.heard) == (2, (None, problem, None))


def test_a_signed_file_without_the_root_is_no_answer(scanner: Scanner, tmp_path: Path) -> None:
    file = tmp_path / "keyset.cose"
    file.write_bytes(signed())
    assert scanner.run("--keys", str(file), "8601") == 2
    assert "--root FILE" in scanner.run.err


def test_a_bare_file_is_refused_where_a_root_is_pinned(scanner: Scanner, tmp_path: Path) -> None:
    """Else whoever swaps the file gets rid of the signature."""
    file = tmp_path / "keys.cbor"
    file.write_bytes(KEYS.to_cbor())
    assert scanner.verify(keys=str(file)) == 2
    assert "not signed" in scanner.run.err
    assert scanner.run("--keys", str(file), "--at", str(NOW), "8601") == 1


# What people read


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (signed(6), "fetched key set 6, good until 2026-09-24T14:13:20Z, signed by the pinned root"),
        (None, "the address answers 503 instead of a key set; the kept copy is used: key set 5, good until"),
        (
            signed(4),
            "refused what the address gave (set-rolled-back): it is of version 4, older than one already seen (5)",
        ),
    ],
)
def test_people_are_told_in_sentences(scanner: Scanner, body: bytes | None, said: str) -> None:
    scanner.publisher.body = signed(5)
    scanner.verify()
    scanner.publisher.status, scanner.publisher.body = (200, body) if body else (503, b"")
    options = ["--root", str(scanner.root), "--state", str(scanner.state)]
    assert scanner.run("--keys", scanner.publisher.address, *options, "8601") == 1
    assert f"yima verify: {said}" in scanner.run.err
