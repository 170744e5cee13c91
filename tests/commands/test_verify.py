"""`yima verify`: one answer for each code, in words or JSON, and an exit status to build on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from api.commands.verify import main
from codes.issue import issue, issue_printed
from tests.codes.support import CTI, KEY, KEYS, NOW, OTHER_KEY, PRINT_KEY, VECTOR_KEYS, VECTORS, Parts
from tests.commands.support import Run

ALL = issue(KEY, handle=1, now=NOW, life=60, services=None, nonce=b"1234").text
RECORDS = issue(KEY, handle=1, now=NOW, life=60, services=2, nonce=b"1234").text
PRINTED = issue_printed(PRINT_KEY, now=NOW, life=600, cti=CTI).text
FORGED = Parts().text(OTHER_KEY)


@pytest.fixture
def keys(tmp_path: Path) -> str:
    file = tmp_path / "keys.cbor"
    file.write_bytes(KEYS.to_cbor())
    return str(file)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(main, capsys, monkeypatch)


def test_a_good_code_says_what_was_signed(run: Run, keys: str) -> None:
    assert run("--keys", keys, "--at", str(NOW), "--json", RECORDS) == 0
    assert run.answers == [
        {
            "ok": True,
            "problem": None,
            "kid": KEY.kid.hex(),
            "issued_at": "2026-09-21T14:13:20Z",
            "expires_at": "2026-09-21T14:14:20Z",
            "services": ["records"],
            "use": None,
        }
    ]


def test_absent_services_are_all_and_a_printed_card_opens_none(run: Run, keys: str) -> None:
    assert run("--keys", keys, "--at", str(NOW), "--json", ALL, PRINTED) == 0
    assert [(answer["services"], answer["use"]) for answer in run.answers] == [
        (["booking", "records", "payment"], None),
        ([], 1),
    ]


@pytest.mark.parametrize("text", [FORGED, ALL[:-1], "", "ID:440106", "\ud800", "8601"])
def test_what_no_key_signed_says_nothing(run: Run, keys: str, text: str) -> None:
    assert run("--keys", keys, "--at", str(NOW), "--json", text) == 1
    [answer] = run.answers
    assert answer["ok"] is False
    assert answer["problem"] in ("code-not-authentic", "code-malformed", "older-code")
    assert {answer[member] for member in ("kid", "issued_at", "expires_at", "services", "use")} == {None}


def test_a_late_code_still_says_when_it_was_good(run: Run, keys: str) -> None:
    assert run("--keys", keys, "--at", str(NOW + 91), "--json", ALL) == 1
    assert (run.answers[0]["problem"], run.answers[0]["kid"]) == ("code-expired", KEY.kid.hex())


def test_without_at_it_is_judged_as_of_now(run: Run, keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW + 90.9)
    assert run("--keys", keys, ALL) == 0
    monkeypatch.setattr("time.time", lambda: NOW + 91.0)
    assert run("--keys", keys, ALL) == 1


def test_people_read_one_sentence_a_code_and_never_the_code(run: Run, keys: str) -> None:
    assert run("--keys", keys, "--at", str(NOW), ALL, FORGED, PRINTED) == 1
    ok, refused, printed = run.out.splitlines()
    assert ok.startswith("ok ")
    assert KEY.kid.hex() in ok
    assert "expires 2026-09-21T14:14:20Z" in ok
    assert refused.startswith("refused  code-not-authentic: ")
    assert "printed card" in printed
    assert not any(text[20:60] in run.out + run.err for text in (ALL, FORGED, PRINTED))


def test_standard_input_is_one_code_a_line(run: Run, keys: str) -> None:
    lines = [
        ALL,
        "",
        ALL + "\r",
        "\ufeff" + ALL,
        ALL + "\0",
        ALL + "\x85",
        ALL + "\u2028",
        ALL + "\x0b",
        "x" * 200_000,
        ALL,
    ]
    stdin = "\n".join(lines).encode() + b"\n\xff\xfe" + ALL.encode() + b"\n"
    assert run("--keys", keys, "--at", str(NOW), "--json", "-", stdin=stdin) == 1
    good = [True, False, True, True, True, False, False, False, False, True, False]
    assert [answer["ok"] for answer in run.answers] == good
    assert {answer["problem"] for answer in run.answers} == {None, "code-malformed"}


@pytest.mark.parametrize("stdin", [ALL.encode(), ALL.encode() + b"\n"])
def test_the_last_line_may_end_or_not(run: Run, keys: str, stdin: bytes) -> None:
    assert run("--keys", keys, "--at", str(NOW), "--json", "-", stdin=stdin) == 0
    assert len(run.answers) == 1


def test_every_vector_has_its_answer(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys.cbor"
    file.write_bytes(VECTOR_KEYS.to_cbor())
    cases = [case for case in VECTORS["valid"] + VECTORS["scanned"] + VECTORS["invalid"] if "now" not in case]
    stdin = "".join(case["text"] + "\n" for case in cases).encode()
    assert run("--keys", str(file), "--at", str(VECTORS["now"]), "--json", "-", stdin=stdin) == 1
    assert [answer["problem"] for answer in run.answers] == [case.get("problem") for case in cases]


def test_a_jwks_file_will_do(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(KEYS.to_jwks(), indent=1))
    assert run("--keys", str(file), "--at", str(NOW), ALL, PRINTED) == 0


@pytest.mark.parametrize(
    "content", [b"", b"\x80", b"{}", b"garbage", b"\x9a\xee\x6b\x28\x00", bytes(70_000), b'{"keys": 1}']
)
def test_unusable_keys_are_an_error_of_their_own(run: Run, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content)
    assert run("--keys", str(file), ALL) == 2
    assert run.out == ""
    assert run.err.startswith("yima verify: the key set ")


@pytest.mark.parametrize("place", ["", "absent.cbor", ".", "nul\0"])
def test_an_unreadable_file_is_an_error_of_its_own(run: Run, place: str) -> None:
    assert run("--keys", place, ALL) == 2
    assert run.err.startswith("yima verify: the key file cannot be read: ")


@pytest.mark.parametrize(
    "arguments", [[], [ALL], ["--keys", "x"], ["--keys", "x", "--at", "noon", ALL], ["--no-such", ALL]]
)
def test_wrong_usage_is_told(run: Run, arguments: list[str]) -> None:
    assert run(*arguments) == 2
    assert "usage: yima verify" in run.err


def test_it_is_a_program_too(keys: str) -> None:
    command = [sys.executable, "-m", "api.commands.verify", "--keys", keys, "--at", str(NOW), "-"]
    done = subprocess.run(command, input=ALL.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stdout[:3], done.stderr) == (0, b"ok ", b"")


def test_it_needs_nothing_of_the_service() -> None:
    """So that a scanner's vendor can install `codes` and this command alone."""
    listing = "import sys, api.commands.verify; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout.split()
    ours = [name for name in loaded if name.split(".")[0] in ("api", "models")]
    assert [name for name in ours if not name.startswith("api.commands.verify")] == ["api", "api.commands"]
    assert not {"sanic", "httpx", "tortoise", "asyncpg"} & set(loaded)
