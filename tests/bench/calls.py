"""The requests of a benchmark: patients who ask for codes, a hospital that resolves them."""

import json
from base64 import urlsafe_b64decode
from itertools import cycle, islice
from typing import Any, Final

import httpx

from tests.bench.load import Outcome, Request

_NOBODY: Final[dict[str, str]] = {}


class Callers:
    """Every adult of the demo with a session and a card, and the first hospital with a token."""

    def __init__(self, info: dict[str, Any]) -> None:
        with httpx.Client(base_url=info["base_url"], timeout=30, trust_env=False) as http:
            self._patients = [_patient(http, person) for person in info["people"][:9]]
            hospital = info["hospital"]
            answer = http.post(
                "/v1/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(hospital["client_id"], hospital["client_secret"]),
            )
            self._hospital = _bearer(answer.raise_for_status().json()["access_token"])
            self.public = urlsafe_b64decode(_code_key(http.get("/.well-known/jwks.json").json())["x"] + "=")

    def issue(self, count: int, query: str = "") -> list[Request]:
        """So many codes asked for, by the patients in turn."""
        asked = [Request(f"/v1/patient/cards/{card}/codes{query}", me, "{}") for card, me in self._patients]
        return list(islice(cycle(asked), count))

    def resolve(self, codes: list[str]) -> list[Request]:
        """Each code scanned once."""
        return [Request("/v1/hospital/resolutions", self._hospital, _scan(code)) for code in codes]


def minimum_issue(count: int) -> list[Request]:
    """The same of the minimum."""
    return [Request("/codes", _NOBODY, "{}")] * count


def minimum_resolve(codes: list[str]) -> list[Request]:
    """The same of the minimum."""
    return [Request("/resolutions", _NOBODY, _scan(code)) for code in codes]


def codes_of(outcome: Outcome) -> list[str]:
    """The codes in the answers."""
    return [json.loads(body)["code"] for body in outcome.bodies]


def only(outcome: Outcome, status: int) -> Outcome:
    """The outcome, if every answer had this status: a benchmark of refusals measures nothing."""
    if set(outcome.statuses) != {str(status)}:
        raise RuntimeError(f"answers were {outcome.statuses} where {status} was due")
    return outcome


def _scan(code: str) -> str:
    return json.dumps({"code": code, "step": "0101051", "channel": "0100", "terminal": "W01"})


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def _patient(http: httpx.Client, person: dict[str, Any]) -> tuple[str, dict[str, str]]:
    signed = http.post("/v1/patient/session", json={"js_code": person["js_code"]}).raise_for_status().json()
    me = _bearer(signed["token"])
    for card in http.get("/v1/patient/cards", headers=me).raise_for_status().json()["cards"]:
        if card["relation"] == "self":
            return card["card_id"], me
    body = {
        **{name: person[name] for name in ("name", "id_type", "id_number", "phone", "insurance")},
        "relation": "self",
        "proof": {"type": "wechat-phone", "code": person["phone_code"]},
        "consent": {"policy": "2026-11"},
    }
    made = http.post("/v1/patient/cards", headers=me, json=body).raise_for_status().json()
    return made["card_id"], me


def _code_key(jwks: dict[str, Any]) -> dict[str, str]:
    """The key that issues dynamic codes; the others are of printed ones."""
    keys: list[dict[str, str]] = jwks["keys"]
    return next(key for key in keys if "yima_use" not in key)
