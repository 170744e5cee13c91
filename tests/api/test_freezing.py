"""Freezing in two taps, who may take it back, and what it ends for good (security.md, threats 2 and 19)."""

import asyncio
from typing import Any

from tests.support.service import Headers, Service, refused

PATH = "/v1/patient/cards"


async def freeze(service: Service, me: Headers, card: dict[str, Any], what: str = "freeze") -> Any:
    return await service.http.post(f"{PATH}/{card['card_id']}/{what}", headers=me, json={})


async def admin_freeze(service: Service, card: dict[str, Any], what: str = "freeze") -> Any:
    path = f"/v1/admin/cards/{card['health_card_id']}/{what}"
    return await service.http.post(path, headers=await service.admin("registrar"), json={"reason": "lost document"})


async def status_of(service: Service, me: Headers, card: dict[str, Any]) -> str:
    return str((await service.http.get(f"{PATH}/{card['card_id']}", headers=me)).json()["status"])


async def held_twice(service: Service) -> tuple[Headers, dict[str, Any], Headers, dict[str, Any]]:
    """A person's own card, and another account's card of the same person."""
    mother = service.person()
    hers, her_card = await service.holder(mother)
    mine, _ = await service.holder()
    my_card = await service.card(mine, mother, relation="parent", proof=await service.texted(mine, mother))
    return hers, her_card, mine, my_card


async def test_a_frozen_card_issues_no_code_and_its_codes_do_not_resolve(service: Service) -> None:
    me, card = await service.holder()
    code = await service.code(me, card)
    answer = await freeze(service, me, card)
    assert (answer.status_code, answer.json()["status"]) == (200, "frozen")
    refused(await service.scan(await service.hospital(), code), 403, "card-revoked")
    refused(await freeze(service, me, card, "codes"), 403, "card-frozen")


async def test_unfreezing_makes_new_codes_resolve(service: Service) -> None:
    me, card = await service.holder()
    await freeze(service, me, card)
    answer = await freeze(service, me, card, "unfreeze")
    assert (answer.status_code, answer.json()["status"]) == (200, "active")
    assert (await service.scan(await service.hospital(), await service.code(me, card))).status_code == 201


async def test_freezing_and_unfreezing_twice_say_the_same(service: Service) -> None:
    me, card = await service.holder()
    for what, status in (("freeze", "frozen"), ("freeze", "frozen"), ("unfreeze", "active"), ("unfreeze", "active")):
        answer = await freeze(service, me, card, what)
        assert (answer.status_code, answer.json()["status"]) == (200, status)


async def test_a_live_resolution_ends_for_good_when_its_card_is_frozen(service: Service) -> None:
    me, card = await service.holder()
    who, code = await service.hospital(), await service.code(me, card)
    found = await service.resolved(who, code)
    path = f"/v1/hospital/resolutions/{found['resolution_id']}"
    assert (await service.http.get(path, headers=who)).status_code == 200
    await freeze(service, me, card)
    refused(await service.http.get(path, headers=who), 403, "card-revoked")
    refused(await service.scan(who, code), 403, "card-revoked")
    await freeze(service, me, card, "unfreeze")
    refused(await service.http.get(path, headers=who), 403, "card-revoked")
    refused(await service.scan(who, code), 403, "card-revoked")
    answer = await service.http.put(f"{path}/patient-number", headers=who, json={"patient_number": "P1"})
    refused(answer, 403, "card-revoked")


async def test_no_scan_begun_after_a_freezes_answer_resolves(service: Service) -> None:
    """Scans race the freeze: each may go either way, but none that begins after the answer."""
    who = await service.hospital()
    me, card = await service.holder()
    for _ in range(5):
        codes = [await service.code(me, card) for _ in range(8)]
        answered = asyncio.Event()

        async def scans(code: str, number: int, answered: asyncio.Event = answered) -> tuple[bool, int]:
            await asyncio.sleep(number * 0.002)
            began_after = answered.is_set()
            return began_after, (await service.scan(who, code)).status_code

        async def freezes(answered: asyncio.Event = answered) -> None:
            await freeze(service, me, card)
            answered.set()

        results, _ = await asyncio.gather(
            asyncio.gather(*(scans(code, number) for number, code in enumerate(codes))), freezes()
        )
        assert {status for after, status in results if after} <= {403}
        assert {status for _, status in results} <= {201, 403}
        late = await asyncio.gather(*(service.scan(who, code, terminal="late") for code in codes))
        assert not any(answer.is_success for answer in late)
        await freeze(service, me, card, "unfreeze")


async def test_a_self_card_freezes_the_person_on_every_account(service: Service) -> None:
    hers, her_card, mine, my_card = await held_twice(service)
    code = await service.code(mine, my_card)
    await freeze(service, hers, her_card)
    assert await status_of(service, mine, my_card) == "frozen"
    refused(await service.scan(await service.hospital(), code), 403, "card-revoked")
    refused(await freeze(service, mine, my_card, "unfreeze"), 403, "not-allowed")
    assert await status_of(service, mine, my_card) == "frozen"
    await freeze(service, hers, her_card, "unfreeze")
    assert await status_of(service, mine, my_card) == "active"


async def test_another_accounts_card_freezes_itself_alone(service: Service) -> None:
    hers, her_card, mine, my_card = await held_twice(service)
    await freeze(service, mine, my_card)
    assert await status_of(service, hers, her_card) == "active"
    await freeze(service, hers, her_card)
    await freeze(service, hers, her_card, "unfreeze")
    assert await status_of(service, mine, my_card) == "frozen", "what its holder froze stays frozen"


async def test_a_card_bound_while_the_person_is_frozen_is_frozen_too(service: Service) -> None:
    mother = service.person()
    hers, her_card = await service.holder(mother)
    await freeze(service, hers, her_card)
    mine, _ = await service.holder()
    card = await service.card(mine, mother, relation="parent", proof=await service.texted(mine, mother))
    assert card["status"] == "frozen"


async def test_what_a_registrar_froze_only_a_registrar_unfreezes(service: Service) -> None:
    me, card = await service.holder()
    answer = await admin_freeze(service, card)
    assert answer.json() == {"health_card_id": card["health_card_id"], "status": "frozen", "cards": 1}
    refused(await freeze(service, me, card, "unfreeze"), 403, "not-allowed")
    assert await status_of(service, me, card) == "frozen"
    await admin_freeze(service, card, "unfreeze")
    assert await status_of(service, me, card) == "active"


async def test_a_registrars_unfreezing_leaves_what_the_patient_froze(service: Service) -> None:
    me, card = await service.holder()
    await freeze(service, me, card)
    await admin_freeze(service, card)
    assert (await admin_freeze(service, card, "unfreeze")).json()["status"] == "frozen"
    assert await status_of(service, me, card) == "frozen"
    await freeze(service, me, card, "unfreeze")
    assert await status_of(service, me, card) == "active"


async def test_a_registrars_freeze_is_not_shed_by_closing_the_card_and_binding_anew(service: Service) -> None:
    person = service.person()
    me, card = await service.holder(person)
    await admin_freeze(service, card)
    await service.http.delete(f"{PATH}/{card['card_id']}", headers=me)
    again = await service.card(me, person)
    assert again["status"] == "frozen"
    refused(await freeze(service, me, again, "unfreeze"), 403, "not-allowed")
    await service.http.delete(f"{PATH}/{again['card_id']}", headers=me)
    await admin_freeze(service, card, "unfreeze")
    assert (await service.card(me, person))["status"] == "active"


async def test_a_registrars_freeze_holds_a_person_who_has_no_card_just_then(service: Service) -> None:
    person = service.person()
    me, card = await service.holder(person)
    await service.http.delete(f"{PATH}/{card['card_id']}", headers=me)
    assert (await admin_freeze(service, card)).json()["cards"] == 0
    again = await service.card(me, person)
    assert again["status"] == "frozen"
    await admin_freeze(service, card, "unfreeze")
    assert await status_of(service, me, again) == "active"


async def test_a_patient_is_told_of_a_registrars_freeze_and_its_end(service: Service) -> None:
    me, card = await service.holder()
    await admin_freeze(service, card)
    await admin_freeze(service, card, "unfreeze")
    told = (await service.http.get("/v1/patient/messages", headers=me)).json()["messages"]
    assert [(message["kind"], message["card_id"]) for message in told] == [
        ("unfrozen", card["card_id"]),
        ("frozen", card["card_id"]),
    ]


async def test_a_health_card_id_that_is_nobodys_is_not_found(service: Service) -> None:
    registrar = await service.admin("registrar")
    for name in ("0" * 64, "x", "A" * 64):
        answer = await service.http.post(f"/v1/admin/cards/{name}/freeze", headers=registrar, json={"reason": "r"})
        refused(answer, 404, "not-found")


async def test_freezes_and_unfreezes_sent_at_once_leave_a_row_that_holds(service: Service) -> None:
    hers, her_card, mine, my_card = await held_twice(service)
    taps = [freeze(service, hers, her_card, what) for what in ("freeze", "unfreeze") * 4]
    taps += [freeze(service, mine, my_card, what) for what in ("freeze", "unfreeze") * 4]
    answers = await asyncio.gather(*taps)
    assert {answer.status_code for answer in answers} <= {200, 403}
    assert await status_of(service, hers, her_card) in ("active", "frozen")
    assert await status_of(service, mine, my_card) in ("active", "frozen")
