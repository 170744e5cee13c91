"""Codes made and judged by an independent implementation; `vectors/code_v1.json` is a copy of the specification's."""

from typing import Any

import pytest

from codes import digits
from codes.issue import issue
from codes.keys import SigningKey, kid_of
from codes.sealing import CardSealer
from codes.verify import verify

from .support import VECTOR_KEYS, VECTORS, problem_of

NOW = VECTORS["now"]
SEALERS = {key["kid"]: CardSealer(bytes.fromhex(key["sealing_key"])) for key in VECTORS["keys"]}
DYNAMIC = [vector for vector in VECTORS["valid"] if vector["use"] is None]


def named(vector: dict[str, Any]) -> str:
    return str(vector.get("why", vector.get("cti")))


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=named)
def test_a_valid_code_says_what_was_signed(vector: dict[str, Any]) -> None:
    code = verify(vector["text"], VECTOR_KEYS, NOW)
    assert code._asdict() == {
        "kid": bytes.fromhex(vector["kid"]),
        "cti": bytes.fromhex(vector["cti"]),
        **{claim: vector[claim] for claim in ("iat", "exp", "services", "use")},
    }
    assert digits.text_to_bytes(vector["text"]).hex() == vector["cose_hex"]
    assert len(vector["text"]) == vector["digits"]


@pytest.mark.parametrize("vector", VECTORS["scanned"], ids=named)
def test_what_scanners_add_does_no_harm(vector: dict[str, Any]) -> None:
    assert problem_of(vector["text"], VECTOR_KEYS, vector["now"]) is None


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=named)
def test_an_invalid_code_is_refused_with_its_own_problem(vector: dict[str, Any]) -> None:
    assert problem_of(vector["text"], VECTOR_KEYS, vector.get("now", NOW)) == vector["problem"]


@pytest.mark.parametrize("vector", DYNAMIC, ids=named)
def test_the_sealed_card_opens_to_its_handle_and_time(vector: dict[str, Any]) -> None:
    assert SEALERS[vector["kid"]].open(bytes.fromhex(vector["cti"])) == (vector["handle"], vector["iat"])


@pytest.mark.parametrize("vector", DYNAMIC, ids=named)
def test_we_issue_the_very_same_text(vector: dict[str, Any]) -> None:
    secrets = next(key for key in VECTORS["keys"] if key["kid"] == vector["kid"])
    key = SigningKey.from_private(bytes.fromhex(secrets["ed25519_seed"] + secrets["sealing_key"]))
    code = issue(
        key,
        handle=vector["handle"],
        now=vector["iat"],
        life=vector["exp"] - vector["iat"],
        services=vector["services"],
        nonce=bytes.fromhex(vector["nonce"]),
    )
    assert code.text == vector["text"]


@pytest.mark.parametrize("key", VECTORS["keys"], ids=lambda key: str(key["kid"]))
def test_kids_are_the_beginnings_of_rfc_9679_thumbprints(key: dict[str, Any]) -> None:
    assert kid_of(bytes.fromhex(key["ed25519_public"])).hex() == key["kid"]
