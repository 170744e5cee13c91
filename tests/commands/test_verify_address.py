"""`yima verify` and signed key sets from an address: what it may serve, and when (security.md, threat 27)."""

import json
from typing import NamedTuple

import pytest

from codes.issue import issue
from codes.keys import SigningKey
from tests.codes.support import KEY, KEYS, NOW, OTHER_KEY
from tests.commands.support import DAY, LIFE, OTHER_ROOT, PINNED, WITHOUT_KEY, Scanner, signed

# What an address serves over time, and what a scanner makes of it


class Step(NamedTuple):
    """At `at` seconds after NOW the address serves `body` (None: it is down). What is heard, and the exit status."""

    what: str
    body: bytes | None
    heard: tuple[str | None, str | None, int | None]
    exits: int = 0
    at: int = 0
    key: SigningKey = KEY


SCENARIOS: dict[str, list[Step]] = {
    "rotation": [
        Step("the first set", signed(5), ("fetched", None, 5)),
        Step("the next one", signed(6), ("fetched", None, 6)),
    ],
    "rollback: an older set than was seen": [
        Step("the set of today", WITHOUT_KEY, ("fetched", None, 6), 0, key=OTHER_KEY),
        Step(
            "yesterday's: the newer one that was kept is used",
            signed(5),
            ("kept", "set-rolled-back", 6),
            0,
            60,
            OTHER_KEY,
        ),
        Step("so a key that is gone stays gone", signed(5), ("kept", "set-rolled-back", 6), 1, 60, KEY),
        Step("also without a network", None, ("kept", "no-answer", 6), 1, 60, KEY),
        Step("after three days nothing is left", signed(5), (None, "set-rolled-back", 6), 2, LIFE + 1),
    ],
    "freeze: an old set for ever": [
        Step("the set", signed(5), ("fetched", None, 5)),
        Step("in its last second", signed(5), ("fetched", None, 5), 0, LIFE),
        Step("expired", signed(5), (None, "set-expired", 5), 2, LIFE + 1),
        Step("a new one at last", signed(6, NOW + LIFE), ("fetched", None, 6), 0, LIFE + 1),
    ],
    "fast-forward: a set of tomorrow": [
        Step("the set of today", signed(5), ("fetched", None, 5)),
        Step("a set of tomorrow", signed(999, NOW + DAY), ("kept", "set-from-future", 5)),
        Step("the next one is not shut out", signed(6), ("fetched", None, 6)),
    ],
    "another root": [
        Step("nothing was kept yet", signed(5, root=OTHER_ROOT), (None, "set-forged", None), 2),
        Step("the true one", signed(5), ("fetched", None, 5)),
        Step("the false one again", signed(6, root=OTHER_ROOT), ("kept", "set-forged", 5)),
    ],
    "a bare set at an address": [
        Step("keys.cbor", KEYS.to_cbor(), (None, "set-malformed", None), 2),
        Step("jwks.json", json.dumps(KEYS.to_jwks()).encode(), (None, "set-malformed", None), 2),
        Step("the page of a hotel's network", b"<html>", (None, "set-malformed", None), 2),
    ],
    "a key removed": [
        Step("with it", signed(5), ("fetched", None, 5)),
        Step("without it", WITHOUT_KEY, ("fetched", None, 6), 1),
    ],
    "offline with a good copy": [
        Step("the set", signed(5), ("fetched", None, 5)),
        Step("down for an hour", None, ("kept", "no-answer", 5), 0, 3600),
        Step("up again", signed(6, NOW + 3700), ("fetched", None, 6), 0, 3700),
    ],
    "offline with an expired copy": [
        Step("the set", signed(5), ("fetched", None, 5)),
        Step("down for three days", None, ("kept", "no-answer", 5), 0, LIFE),
        Step("and a second", None, (None, "no-answer", 5), 2, LIFE + 1),
    ],
    "offline from the beginning": [
        Step("nothing was ever kept", None, (None, "no-answer", None), 2),
    ],
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(scanner: Scanner, name: str) -> None:
    for step in SCENARIOS[name]:
        scanner.now = NOW + step.at
        scanner.publisher.status, scanner.publisher.body = (200, step.body) if step.body else (503, b"")
        assert (scanner.verify(key=step.key), scanner.heard) == (step.exits, step.heard), step.what


# Which address


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("", "/.well-known/yima/keyset.cose"),
        ("/", "/.well-known/yima/keyset.cose"),
        ("/health/yima", "/health/yima/.well-known/yima/keyset.cose"),
        ("/.well-known/yima/keyset.cose", "/.well-known/yima/keyset.cose"),
        ("/mirror/set.cose", "/mirror/set.cose"),
        ("/mirror?of=yima", "/mirror?of=yima"),
    ],
)
def test_a_base_address_or_a_whole_one(scanner: Scanner, given: str, asked: str) -> None:
    scanner.publisher.body = signed()
    assert scanner.verify(keys=scanner.publisher.address + given) == 0
    assert scanner.publisher.asked == [asked]


def test_both_ways_to_name_a_service_share_what_is_kept(scanner: Scanner) -> None:
    scanner.publisher.body = WITHOUT_KEY
    scanner.verify()
    scanner.publisher.body = signed(5)
    scanner.verify(keys=scanner.publisher.address + "/.well-known/yima/keyset.cose")
    assert scanner.heard == ("kept", "set-rolled-back", 6)


def test_an_address_without_a_pinned_root_is_wrong_usage(scanner: Scanner) -> None:
    assert scanner.run("--keys", scanner.publisher.address, "8601") == 2
    assert "--root FILE is required" in scanner.run.err
    assert scanner.publisher.asked == []


@pytest.mark.parametrize("content", ["", "x" * 64, "00" * 32, KEY.private_bytes().hex(), None])
def test_an_unusable_root_is_an_error_of_its_own(scanner: Scanner, content: str | None) -> None:
    scanner.root.unlink() if content is None else scanner.root.write_text(content)
    assert scanner.verify() == 2
    assert scanner.run.err.startswith("yima verify: the root's public key cannot be ")
    assert scanner.publisher.asked == []


@pytest.mark.parametrize("form", ["cose", "jwk"])
def test_the_root_in_its_other_forms(scanner: Scanner, form: str) -> None:
    scanner.root.write_bytes(PINNED.to_cose() if form == "cose" else json.dumps(PINNED.to_jwk()).encode())
    scanner.publisher.body = signed()
    assert scanner.verify() == 0


# How answers go wrong


def test_a_redirect_on_the_same_host_is_followed(scanner: Scanner) -> None:
    here = scanner.publisher.address
    scanner.publisher.paths["/moved.cose"] = (302, {"Location": f"{here}/set.cose"}, b"")
    scanner.publisher.body = signed()
    assert scanner.verify(keys=f"{here}/moved.cose") == 0


@pytest.mark.parametrize(
    "path",
    [
        "/absent",
        "/moved-away",
        "/moved-to-a-file",
        "/moved-for-ever",
        "/too-large",
        "/cut-short",
        "/with spaces",
        "/\n",
    ],
)
def test_an_address_that_gives_no_keys_is_an_error(scanner: Scanner, path: str) -> None:
    here = scanner.publisher.address
    scanner.publisher.status = 404
    scanner.publisher.paths = {
        "/moved-away.cose": (302, {"Location": here.replace("127.0.0.1", "localhost") + "/set.cose"}, b""),
        "/moved-to-a-file.cose": (302, {"Location": "file:///etc/hostname"}, b""),
        "/moved-for-ever.cose": (302, {"Location": f"{here}/moved-for-ever.cose"}, b""),
        "/too-large.cose": (200, {}, bytes(10_000_000)),
        "/cut-short.cose": (200, {"Content-Length": "5000"}, b"\x80"),
    }
    assert scanner.verify(keys=f"{here}{path}.cose") == 2
    assert scanner.run.out == ""
    assert scanner.run.err.splitlines()[-1].startswith("yima verify: the ")


@pytest.mark.parametrize("place", ["http://", "http://127.0.0.1:1/", "https://[::/", "http://127.0.0.1:99999/"])
def test_an_address_where_nobody_answers_is_an_error(scanner: Scanner, place: str) -> None:
    assert scanner.verify(keys=place) == 2
    assert scanner.run.err.splitlines()[-1].startswith("yima verify: the address ")


def test_an_address_that_drips_is_given_up(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.commands.verify_fetch._WHOLE_TIMEOUT", -1)
    scanner.publisher.body = signed()
    assert scanner.verify() == 2
    assert "too slowly" in scanner.run.err


# Time


@pytest.mark.parametrize("ahead", [-300, -6, 6, 300])
def test_the_services_clock_corrects_this_one(scanner: Scanner, ahead: int) -> None:
    """A code as the service issues it holds, though this machine's clock is off, and that it is off is said."""
    scanner.publisher.body = signed(5, NOW + ahead)
    scanner.publisher.now = lambda: NOW + ahead
    code = issue(KEY, handle=1, now=NOW + ahead, life=60, services=None, nonce=b"1234").text
    options = ["--root", str(scanner.root), "--state", str(scanner.state)]
    assert scanner.run("--keys", scanner.publisher.address, *options, code) == 0
    assert f"{abs(ahead)} s {'behind' if ahead > 0 else 'ahead of'}" in scanner.run.err
    assert "corrected" in scanner.run.err


def test_a_few_seconds_are_not_worth_a_word(scanner: Scanner) -> None:
    scanner.publisher.body = signed()
    scanner.publisher.now = lambda: NOW + 4
    assert scanner.verify() == 0
    assert scanner.run.news["warnings"] == []


def test_a_date_far_away_moves_no_clock(scanner: Scanner) -> None:
    """Nobody signs it: an attacker must not make an expired set good again."""
    scanner.publisher.body = signed(5)
    scanner.publisher.now = lambda: NOW
    scanner.now = NOW + LIFE + 1000
    assert scanner.verify() == 2
    assert scanner.heard == (None, "set-expired", None)
    assert "too much to correct" in scanner.run.err


def test_what_the_root_has_not_signed_moves_no_clock(scanner: Scanner) -> None:
    scanner.publisher.body = signed()
    scanner.verify()
    scanner.publisher.body = signed(6, root=OTHER_ROOT)
    scanner.publisher.now = lambda: NOW + 400
    assert scanner.verify() == 0
    assert (scanner.heard, scanner.run.news["clock_offset"]) == (("kept", "set-forged", 5), 0)


def test_the_age_of_a_cached_answer_counts(scanner: Scanner) -> None:
    scanner.publisher.body, scanner.publisher.headers = signed(), {"Age": "200"}
    scanner.publisher.now = lambda: NOW - 200
    assert scanner.verify() == 0
    assert scanner.run.news["warnings"] == []


@pytest.mark.parametrize("date", [None, "yesterday", "Thu, 99 Foo 2026 99:99:99 GMT"])
def test_an_answer_without_a_time_is_told(scanner: Scanner, date: str | None) -> None:
    scanner.publisher.body, scanner.publisher.now = signed(), None
    scanner.publisher.headers = {} if date is None else {"Date": date}
    assert scanner.verify() == 0
    assert "does not tell the time" in scanner.run.news["warnings"][0]


def test_at_judges_codes_as_of_then_by_a_set_that_is_good_now(scanner: Scanner) -> None:
    scanner.publisher.body = signed(5, NOW)
    assert scanner.verify("--at", str(NOW - 10 * DAY)) == 1
    assert scanner.run.answers[0]["problem"] == "code-not-yet-valid"


def test_at_a_time_when_the_set_has_expired_there_is_no_answer(scanner: Scanner) -> None:
    scanner.publisher.body = signed(5, NOW)
    assert scanner.verify("--at", str(NOW + LIFE + 1)) == 2
    assert scanner.heard[1] == "set-expired"
