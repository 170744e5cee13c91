"""A whole journey of two people, with all that must be written nowhere noted on the way."""

import asyncio
from typing import Any

from tests.support.people import identity_of, insurance_of
from tests.support.service import Service


async def journey(service: Service, seen: dict[str, str]) -> None:
    """Everything a person does, with what must never be written noted in `seen`."""
    person, mother = service.person("欧阳明远"), service.person("买买提·艾力江")
    for who, word in ((person, "person"), (mother, "mother")):
        given = {
            **identity_of(who),
            "js_code": who.js_code,
            "phone_code": who.phone_code,
            "openid": who.openid,
            "unionid": who.unionid,
        }
        seen.update({f"{word} {name}": value for name, value in given.items() if name != "id_type"})
        seen[f"{word} insurance"] = insurance_of(who)["number"]
    signed = await service.signed_in(person)
    seen["patient token"] = signed["token"]
    me = {"Authorization": f"Bearer {signed['token']}"}
    card = await service.card(me, person)
    proof = await service.texted(me, mother)
    seen["verification text"] = "验证码 " + proof["code"]
    await service.card(me, mother, relation="parent", proof=proof)
    face = {"type": "face", **identity_of(mother)}
    await service.http.post("/v1/patient/verifications", headers=me, json=face)
    await service.deliver()
    client = await service.client()
    seen["client secret"] = client.secret
    token = (await service.token(client)).json()["access_token"]
    seen["hospital token"] = token
    who_scans = {"Authorization": f"Bearer {token}"}
    code = await service.code(me, card)
    seen["code"] = code
    seen["code's end"] = code[-40:]
    operator = {"id": "operator-0771", "name": "护士第五"}
    seen.update(operator=operator["name"], terminal="TERMINAL-0815")
    more: dict[str, Any] = {"operator": operator, "terminal": seen["terminal"]}
    found_ = await service.resolved(who_scans, code, **more)
    await service.scan(who_scans, code, **more)
    await service.scan(await service.hospital(), code)
    seen["patient number"] = "PN-99-4711-0815"
    path = f"/v1/hospital/resolutions/{found_['resolution_id']}"
    await service.http.put(f"{path}/patient-number", headers=who_scans, json={"patient_number": seen["patient number"]})
    admin = await service.admin("registrar")
    seen["admin token"] = admin["Authorization"].removeprefix("Bearer ")
    await service.http.post(
        f"/v1/admin/cards/{card['health_card_id']}/freeze", headers=admin, json={"reason": "原因甲乙丙丁戊"}
    )
    seen["reason"] = "原因甲乙丙丁戊"
    await _what_goes_wrong(service, me, card, seen)


async def _what_goes_wrong(service: Service, me: dict[str, str], card: dict[str, Any], seen: dict[str, str]) -> None:
    """Failures of every kind, since these are what logs speak of."""
    seen["words of a caller"] = "words-of-a-caller-0123456789"
    words = seen["words of a caller"]
    await service.http.get(f"/v1/patient/cards/{words}", headers=me)
    await service.http.get(f"/{words}?{words}={words}", headers={"Cookie": f"yima_clerk={words}"})
    await service.http.post("/v1/patient/session", content=words.encode())
    await service.http.post("/v1/patient/session", json={"js_code": words})
    await service.http.get("/v1/patient/cards", headers={"Authorization": f"Bearer {words}"})
    for fault in ("http-500", "reset", "drop-answer", "lie", "error"):
        await service.fault("registry", fault, match={"call": "agreement"})
        victim = service.person("受害者某")
        seen[f"victim {fault}"] = victim.id_number
        await service.bind(await service.patient(victim), service.card_request(victim))
    await service.sandbox.delete("/sandbox/faults")
    await service.sql("UPDATE cards SET version = version + 1 WHERE id = $1", card["card_id"])
    await service.http.get(f"/v1/patient/cards/{card['card_id']}", headers=me)
    await service.sql("ALTER TABLE cards RENAME TO away")
    failing = service.person("失败者某")
    seen["failing"] = failing.id_number
    await service.bind(await service.patient(failing), service.card_request(failing))
    await service.sql("ALTER TABLE away RENAME TO cards")
    await asyncio.sleep(0.1)
