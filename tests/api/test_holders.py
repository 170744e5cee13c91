"""Which other accounts hold a card of me: seen, told, removed (security.md, threat 19)."""

from tests.api.test_freezing import held_twice
from tests.support.service import Service, refused

PATH = "/v1/patient/cards"


async def test_the_self_card_shows_who_else_holds_the_person(service: Service) -> None:
    daughter = service.person("林知夏")
    mother = service.person()
    hers, her_card = await service.holder(mother)
    mine, _ = await service.holder(daughter)
    await service.card(mine, mother, relation="parent", proof=await service.texted(mine, mother))
    shown = await service.http.get(f"{PATH}/{her_card['card_id']}/holders", headers=hers)
    (holder,) = shown.json()["holders"]
    assert holder.keys() == {"holder_id", "name", "relation", "since"}
    assert (holder["name"], holder["relation"]) == ("林**", "parent")
    assert daughter.phone not in shown.text


async def test_a_holder_without_a_card_of_their_own_is_a_wechat_user(service: Service) -> None:
    mother = service.person()
    hers, her_card = await service.holder(mother)
    other = await service.patient(service.person())
    await service.card(other, mother, relation="other", proof=await service.texted(other, mother))
    shown = (await service.http.get(f"{PATH}/{her_card['card_id']}/holders", headers=hers)).json()
    assert shown["holders"][0]["name"] == "微信用户"


async def test_only_a_self_card_shows_and_removes_holders(service: Service) -> None:
    hers, her_card, mine, my_card = await held_twice(service)
    refused(await service.http.get(f"{PATH}/{my_card['card_id']}/holders", headers=mine), 403, "not-allowed")
    path = f"{PATH}/{my_card['card_id']}/holders/{her_card['card_id']}"
    refused(await service.http.delete(path, headers=mine), 403, "not-allowed")
    assert (await service.http.get(f"{PATH}/{her_card['card_id']}", headers=hers)).status_code == 200


async def test_a_holder_who_is_removed_has_no_card_and_its_codes_are_card_revoked(service: Service) -> None:
    hers, her_card, mine, my_card = await held_twice(service)
    code = await service.code(mine, my_card)
    holders = f"{PATH}/{her_card['card_id']}/holders"
    (holder,) = (await service.http.get(holders, headers=hers)).json()["holders"]
    assert (await service.http.delete(f"{holders}/{holder['holder_id']}", headers=hers)).status_code == 204
    refused(await service.scan(await service.hospital(), code), 403, "card-revoked")
    refused(await service.http.get(f"{PATH}/{my_card['card_id']}", headers=mine), 404, "not-found")
    assert (await service.http.get(holders, headers=hers)).json()["holders"] == []
    refused(await service.http.delete(f"{holders}/{holder['holder_id']}", headers=hers), 404, "not-found")
    told = (await service.http.get("/v1/patient/messages", headers=mine)).json()["messages"]
    assert told[0]["kind"] == "closed"


async def test_a_holder_of_another_person_is_not_removed(service: Service) -> None:
    hers, her_card, _, _ = await held_twice(service)
    theirs, their_card = await service.holder()
    path = f"{PATH}/{her_card['card_id']}/holders/{their_card['card_id']}"
    refused(await service.http.delete(path, headers=hers), 404, "not-found")
    own = f"{PATH}/{her_card['card_id']}/holders/{her_card['card_id']}"
    refused(await service.http.delete(own, headers=hers), 404, "not-found")
    assert (await service.http.get(f"{PATH}/{their_card['card_id']}", headers=theirs)).status_code == 200


async def test_a_person_bound_elsewhere_is_told_by_message_and_by_text(service: Service) -> None:
    mother = service.person("欧阳明远")
    hers, her_card = await service.holder(mother)
    mine = await service.patient(service.person())
    await service.card(mine, mother, relation="parent", proof=await service.texted(mine, mother))
    (told,) = (await service.http.get("/v1/patient/messages", headers=hers)).json()["messages"]
    assert (told["kind"], told["card_id"]) == ("bound", her_card["card_id"])
    assert "另一个微信账户" in await service.last_text(mother.phone)
    assert (await service.http.get("/v1/patient/messages", headers=mine)).json()["messages"] == []


async def test_the_message_is_written_in_the_commit_that_binds(service: Service) -> None:
    """Not after it: in the same transaction, so that no crash leaves a card without its message."""
    mother = service.person()
    hers, _ = await service.holder(mother)
    mine = await service.patient(service.person())
    card = await service.card(mine, mother, relation="parent", proof=await service.texted(mine, mother))
    account = await service.value(
        "SELECT account_id FROM cards WHERE person_id = (SELECT person_id FROM cards WHERE id = $1) AND relation = 'self'",
        card["card_id"],
    )
    rows = await service.sql("SELECT xmin FROM messages WHERE account_id = $1", account)
    rows += await service.sql("SELECT xmin FROM cards WHERE id = $1", card["card_id"])
    rows += await service.sql("SELECT xmin FROM consents WHERE card_id = $1", card["card_id"])
    assert len({row["xmin"] for row in rows}) == 1
    assert hers


async def test_messages_come_in_the_readers_language(service: Service) -> None:
    hers, her_card, _, _ = await held_twice(service)
    zh = (await service.http.get("/v1/patient/messages", headers=hers)).json()["messages"][0]["text"]
    en = (await service.http.get("/v1/patient/messages", headers={**hers, "Accept-Language": "en"})).json()["messages"][
        0
    ]["text"]
    assert "微信账户" in zh
    assert "WeChat account" in en
    assert her_card["card_id"] not in en


async def test_messages_are_paged_without_loss_or_repeat(service: Service) -> None:
    mother = service.person()
    hers, her_card = await service.holder(mother)
    for _ in range(5):
        other = await service.patient(service.person())
        card = await service.card(
            other, mother, relation="other", insurance=None, proof=await service.texted(other, mother)
        )
        await service.sql("DELETE FROM verifications")
        assert card
    whole = (await service.http.get("/v1/patient/messages", headers=hers)).json()
    assert whole["next_cursor"] is None
    paged, cursor = [], ""
    while cursor is not None:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await service.http.get("/v1/patient/messages", headers=hers, params=query)).json()
        paged += page["messages"]
        cursor = page["next_cursor"]
    assert paged == whole["messages"]
    assert len(paged) == 5
    assert [message["at"] for message in paged] == sorted((message["at"] for message in paged), reverse=True)
    assert her_card
