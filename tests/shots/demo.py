"""The running demo from outside: people, cards, codes and scans, by api.md alone."""

import json
from pathlib import Path
from typing import Any

import httpx

Json = dict[str, Any]


class Demo:
    """What `make run` wrote into demo.json, and the calls that set a scene."""

    def __init__(self, file: Path, base: str | None = None) -> None:
        self.info: Json = json.loads(file.read_text("utf-8"))
        self.base: str = base or self.info["base_url"]
        self.http = httpx.Client(base_url=self.base, timeout=30)

    def person(self, n: int) -> Json:
        """Person `n` of the demo."""
        found: Json = self.info["people"][n]
        return found

    def patient(self, n: int) -> dict[str, str]:
        """Headers of person `n`, signed in beside the browser."""
        answer = self.http.post("/v1/patient/session", json={"js_code": self.person(n)["js_code"]}).raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['token']}"}

    def hospital(self) -> dict[str, str]:
        """Headers of the first hospital's client."""
        client = self.info["hospital"]
        answer = self.http.post(
            "/v1/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(client["client_id"], client["client_secret"]),
        ).raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def admin(self, role: str, n: int = 0) -> str:
        """The token of the n-th administrator of a role."""
        return str([each["token"] for each in self.info["admins"] if each["role"] == role][n])

    def without_cards(self, me: dict[str, str]) -> None:
        """Closes every card of this account."""
        for card in self.http.get("/v1/patient/cards", headers=me).raise_for_status().json()["cards"]:
            self.http.delete(f"/v1/patient/cards/{card['card_id']}", headers=me).raise_for_status()

    def own_card(self, n: int, me: dict[str, str]) -> Json:
        """The card that person `n` holds of themselves, made if it is not there."""
        for card in self.http.get("/v1/patient/cards", headers=me).raise_for_status().json()["cards"]:
            if card["relation"] == "self":
                found: Json = card
                return found
        person = self.person(n)
        body = {name: person[name] for name in ("name", "id_type", "id_number", "phone", "insurance")} | {
            "relation": "self",
            "proof": {"type": "wechat-phone", "code": person["phone_code"]},
            "consent": {"policy": "2026-11"},
        }
        made: Json = self.http.post("/v1/patient/cards", headers=me, json=body).raise_for_status().json()
        return made

    def code(self, me: dict[str, str], card: Json, services: list[str] | None = None) -> str:
        """A new code of this card."""
        body = {"services": services} if services else {}
        answer = self.http.post(f"/v1/patient/cards/{card['card_id']}/codes", headers=me, json=body).raise_for_status()
        return str(answer.json()["code"])

    def scan(
        self, code: str, *, terminal: str = "W03", step: str = "0101012", department: str = "内科"
    ) -> httpx.Response:
        """Resolves a code as the first hospital, whatever comes of it."""
        body = {"code": code, "step": step, "channel": "0100", "terminal": terminal, "department": department}
        operator = {"operator": {"id": "1024", "name": "王护士"}}
        return self.http.post("/v1/hospital/resolutions", headers=self.hospital(), json=body | operator)
