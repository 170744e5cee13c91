"""Who looked at my data: once per code, client and terminal, refused tries too (api.md; security.md, rule 11)."""

from typing import Any

from tests.api.test_freezing import held_twice
from tests.support.service import Headers, Service, refused


async def accesses(service: Service, me: Headers, card: dict[str, Any], **query: str) -> list[dict[str, Any]]:
    path = f"/v1/patient/cards/{card['card_id']}/accesses"
    answer = await service.http.get(path, headers=me, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["accesses"]
    return found


async def test_a_resolution_is_one_access_with_all_that_the_scanner_said(service: Service) -> None:
    me, card = await service.holder()
    who = await service.hospital(name="长沙市测试医院")
    said = {"terminal": "窗口3", "department": "心内科", "operator": {"id": "n7", "name": "护士七"}, "step": "0101081"}
    refused(await service.scan(who, await service.code(me, card), **said), 422, "validation-failed")
    said["terminal"] = "W03"
    found = await service.resolved(who, await service.code(me, card, ["booking"]), **said)
    (access,) = await accesses(service, me, card)
    assert access == {
        "access_id": found["resolution_id"],
        "at": found["resolved_at"],
        "hospital": "长沙市测试医院",
        "department": "心内科",
        "terminal": "W03",
        "operator": {"id": "n7", "name": "护士七"},
        "step": "0101081",
        "what": ["identity", "booking"],
        "records": [],
        "break_glass": False,
        "outcome": "allowed",
        "reason": None,
        "act": None,
    }


async def test_a_replay_and_a_get_add_none(service: Service) -> None:
    me, card = await service.holder()
    who, code = await service.hospital(), await service.code(me, card)
    found = await service.resolved(who, code)
    for _ in range(3):
        assert (await service.scan(who, code)).status_code == 200
        await service.http.get(f"/v1/hospital/resolutions/{found['resolution_id']}", headers=who)
    assert len(await accesses(service, me, card)) == 1


async def test_a_refused_try_is_there_once_per_code_client_and_terminal(service: Service) -> None:
    me, card = await service.holder()
    who, thief, code = await service.hospital(), await service.hospital(name="另一家"), await service.code(me, card)
    await service.resolved(who, code)
    for terminal in ("W02", "W02", "W03"):
        refused(await service.scan(who, code, terminal=terminal), 409, "code-already-used")
    for _ in range(3):
        refused(await service.scan(thief, code), 409, "code-already-used")
    found = await accesses(service, me, card)
    assert [(each["outcome"], each["reason"], each["hospital"], each["terminal"]) for each in found] == [
        ("refused", "code-already-used", "另一家", "W01"),
        ("refused", "code-already-used", "测试医院", "W03"),
        ("refused", "code-already-used", "测试医院", "W02"),
        ("allowed", None, "测试医院", "W01"),
    ]
    assert [each["what"] for each in found[:3]] == [[], [], []]


async def test_late_early_and_frozen_tries_are_there_with_their_reasons(service: Service) -> None:
    me, card = await service.holder()
    who, now = await service.hospital(), int(service.now())
    late, early = await service.own_code(card, iat=now - 600), await service.own_code(card, iat=now + 600)
    refused(await service.scan(who, late.text), 410, "code-expired")
    refused(await service.scan(who, early.text), 422, "code-not-yet-valid")
    code = await service.code(me, card)
    await service.http.post(f"/v1/patient/cards/{card['card_id']}/freeze", headers=me, json={})
    refused(await service.scan(who, code), 403, "card-revoked")
    found = await accesses(service, me, card)
    assert [each["reason"] for each in found] == ["card-revoked", "code-not-yet-valid", "code-expired"]


async def test_a_code_that_was_never_ours_is_nobodys_access(service: Service) -> None:
    me, card = await service.holder()
    who = await service.hospital()
    forged = await service.own_code(card, iat=int(service.now()), handle=12345)
    refused(await service.scan(who, forged.text), 422, "code-not-authentic")
    refused(await service.scan(who, "01Y"), 400, "code-malformed")
    assert await accesses(service, me, card) == []


async def test_a_self_card_covers_the_person_and_another_its_own_use_alone(service: Service) -> None:
    hers, her_card, mine, my_card = await held_twice(service)
    who = await service.hospital()
    first = await service.resolved(who, await service.code(mine, my_card))
    second = await service.resolved(who, await service.code(hers, her_card))
    assert [each["access_id"] for each in await accesses(service, hers, her_card)] == [
        second["resolution_id"],
        first["resolution_id"],
    ]
    assert [each["access_id"] for each in await accesses(service, mine, my_card)] == [first["resolution_id"]]


async def test_accesses_outlive_the_card_that_was_used(service: Service) -> None:
    hers, her_card, mine, my_card = await held_twice(service)
    who, code = await service.hospital(), await service.code(mine, my_card)
    await service.resolved(who, code)
    await service.http.delete(f"/v1/patient/cards/{my_card['card_id']}", headers=mine)
    for _ in range(3):
        refused(await service.scan(who, code), 403, "card-revoked")
    assert [each["reason"] for each in await accesses(service, hers, her_card)] == ["card-revoked", None]


async def test_pages_are_keyset_newest_first_without_loss_or_repeat_while_rows_are_added(service: Service) -> None:
    me, card = await service.holder()
    who = await service.hospital()
    for number in range(7):
        code = await service.code(me, card)
        await service.resolved(who, code, terminal=f"T{number}")
        await service.scan(who, code, terminal=f"X{number}")
    whole = await accesses(service, me, card, limit="100")
    assert len(whole) == 14
    path = f"/v1/patient/cards/{card['card_id']}/accesses"
    paged: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": "3", **({"cursor": cursor} if cursor else {})}
        page = (await service.http.get(path, headers=me, params=query)).json()
        paged += page["accesses"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        assert len(page["accesses"]) == 3
        await service.resolved(who, await service.code(me, card))  # newer rows do not shift the pages
    assert paged == whole


async def test_a_page_is_1_to_100_and_a_cursor_is_one_we_gave(service: Service) -> None:
    me, card = await service.holder()
    path = f"/v1/patient/cards/{card['card_id']}/accesses"
    wrong = [{"limit": "0"}, {"limit": "101"}, {"limit": "-1"}, {"limit": "x"}]
    wrong += [{"cursor": text} for text in ("x", "!!!!", "A" * 31, "f" * 32, "é", "A" * 101)]
    for query in wrong:
        refused(await service.http.get(path, headers=me, params=query), 422, "validation-failed")
    assert (await service.http.get(path, headers=me, params={"limit": "100"})).status_code == 200
