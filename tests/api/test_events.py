"""What happens to my cards, as it happens: within 2 s, resumed without loss or repeat, nobody else's (api.md)."""

import asyncio
import time

from tests.api.test_freezing import admin_freeze, held_twice
from tests.support.service import Service, refused
from tests.support.streams import listening

WITHIN = 2.0


async def test_the_patient_sees_where_their_code_was_used_within_2_s(service: Service) -> None:
    me, card = await service.holder()
    who = await service.hospital(name="长沙市测试医院")
    async with listening(service.http, me) as events:
        began = time.monotonic()
        found = await service.resolved(who, await service.code(me, card), department="内科")
        event = await events.next("scanned")
        assert event.came - began < WITHIN
        assert event.data["card_id"] == card["card_id"]
        assert event.data["access_id"] == found["resolution_id"]
        assert (event.data["hospital"], event.data["department"]) == ("长沙市测试医院", "内科")
        assert (event.data["terminal"], event.data["outcome"]) == ("W01", "allowed")
        assert event.data["granted"] == ["booking", "records", "payment"]


async def test_a_refused_try_is_told_within_2_s_with_its_reason(service: Service) -> None:
    me, card = await service.holder()
    who, code = await service.hospital(), await service.code(me, card)
    await service.resolved(who, code)
    async with listening(service.http, me) as events:
        began = time.monotonic()
        refused(await service.scan(who, code, terminal="W02"), 409, "code-already-used")
        event = await events.next("refused")
        assert event.came - began < WITHIN
        assert (event.data["reason"], event.data["terminal"]) == ("code-already-used", "W02")


async def test_a_change_of_a_card_and_a_message_are_told_within_2_s(service: Service) -> None:
    me, card = await service.holder()
    async with listening(service.http, me) as events:
        began = time.monotonic()
        await admin_freeze(service, card)
        told = {event.name: event for event in [await events.next(), await events.next()]}
        assert told["card"].data == {"card_id": card["card_id"], "status": "frozen"}
        assert told["message"].data["kind"] == "frozen"
        assert max(event.came for event in told.values()) - began < WITHIN


async def test_a_self_card_sees_scans_of_the_person_on_other_accounts(service: Service) -> None:
    hers, _, mine, my_card = await held_twice(service)
    async with listening(service.http, hers) as events:
        found = await service.resolved(await service.hospital(), await service.code(mine, my_card))
        assert (await events.next("scanned")).data["access_id"] == found["resolution_id"]


async def test_nobody_sees_another_persons_events(service: Service) -> None:
    """Not a stranger, nor the holder of another card of the same person."""
    hers, her_card, mine, _ = await held_twice(service)
    stranger, _ = await service.holder()
    who = await service.hospital()
    async with (
        listening(service.http, mine) as by_holder,
        listening(service.http, stranger) as by_stranger,
        listening(service.http, hers) as own,
    ):
        code = await service.code(hers, her_card)
        await service.resolved(who, code)
        await service.scan(who, code, terminal="W02")
        await own.next("refused")
        quiet = await asyncio.gather(by_holder.all(1.5), by_stranger.all(1.5))
    assert not quiet[0]
    assert not quiet[1]


async def test_a_stream_resumes_from_its_last_event_without_loss_or_repeat(service: Service) -> None:
    me, card = await service.holder()
    who = await service.hospital()
    codes = [await service.code(me, card) for _ in range(6)]
    seen = []
    async with listening(service.http, me) as events:
        for code in codes[:2]:
            await service.resolved(who, code)
            seen.append(await events.next("scanned"))
    for code in codes[2:4]:
        await service.resolved(who, code)  # while nobody listens
    async with listening(service.http, me, seen[-1].id) as events:
        for code in codes[4:]:
            await service.resolved(who, code)
        seen += await events.some(4, "scanned")
    listed = (await service.http.get(f"/v1/patient/cards/{card['card_id']}/accesses", headers=me)).json()["accesses"]
    assert [event.data["access_id"] for event in seen] == [each["access_id"] for each in reversed(listed)]
    assert len({event.id for event in seen}) == 6


async def test_a_stream_that_was_away_for_minutes_gets_all_that_happened(service: Service) -> None:
    me, card = await service.holder()
    who = await service.hospital()
    codes = [await service.code(me, card) for _ in range(3)]
    async with listening(service.http, me) as events:
        await service.resolved(who, codes[0])
        last = await events.next("scanned")
    for code in codes[1:]:
        await service.resolved(who, code)
    earlier = int(last.id.partition("-")[0]) - 300 * 1_000_000
    await service.sql("UPDATE resolutions SET at = at - interval '300 seconds' WHERE card_id = $1", card["card_id"])
    async with listening(service.http, me, f"{earlier}-{last.data['access_id']}") as events:
        scans = [event.data["access_id"] for event in await events.some(2, "scanned")]
    assert last.data["access_id"] not in scans


async def test_two_events_of_the_same_moment_are_both_resumed(service: Service) -> None:
    me, card = await service.holder()
    who = await service.hospital()
    codes = [await service.code(me, card) for _ in range(3)]
    async with listening(service.http, me) as events:
        await service.resolved(who, codes[0])
        first = await events.next("scanned")
    for code in codes[1:]:
        await service.resolved(who, code)
    await service.sql(
        "UPDATE resolutions SET at = (SELECT at FROM resolutions WHERE id = $1) WHERE card_id = $2",
        first.data["access_id"],
        card["card_id"],
    )
    async with listening(service.http, me, first.id) as events:
        rest = await events.some(2, "scanned")
    assert first.data["access_id"] not in {event.data["access_id"] for event in rest}


async def test_an_id_that_is_none_of_ours_begins_now(service: Service) -> None:
    me, card = await service.holder(insurance=None)
    await service.resolved(await service.hospital(), await service.code(me, card))

    async def given(last: str) -> int:
        async with listening(service.http, me, last) as events:
            return len(await events.all(1.5))

    wrong = ("x", "0", "-1-abc", "99999999999999999-ff", "1" * 400)
    assert await asyncio.gather(*map(given, wrong)) == [0] * len(wrong)
    async with listening(service.http, me, "0-" + "f" * 40) as events:
        await events.some(1, "scanned")  # the oldest id resumes from ten minutes back


async def test_signing_out_everywhere_ends_a_stream_that_a_thief_has_open(service: Service) -> None:
    person = service.person()
    me, card = await service.holder(person)
    theirs = await service.patient(person)
    who = await service.hospital()
    codes = [await service.code(me, card) for _ in range(2)]
    async with listening(service.http, theirs) as events:
        await service.resolved(who, codes[0])
        await events.next("scanned")
        await service.http.delete("/v1/patient/session?all=true", headers=me)
        assert await events.ended(), "an open stream ends with its session"


async def test_events_need_a_session(service: Service) -> None:
    refused(await service.http.get("/v1/patient/events"), 401, "unauthenticated")
    me = await service.patient(service.person())
    await service.http.delete("/v1/patient/session", headers=me)
    refused(await service.http.get("/v1/patient/events", headers=me), 401, "unauthenticated")


async def test_a_thousand_events_of_others_hide_none_of_mine(service: Service) -> None:
    """Whoever resumes after a busy while gets their own, though more happened than one question returns."""
    me, card = await service.holder()
    who, client = await service.hospital(), await service.client()
    others, other_card = await service.holder()
    first, second = await service.code(me, card), await service.code(me, card)
    async with listening(service.http, me) as events:
        await service.resolved(who, first)
        last = await events.next("scanned")
    busy = (await service.sql("SELECT id, person_id FROM cards WHERE id = $1", other_card["card_id"]))[0]
    await service.sql(
        "INSERT INTO refusals (id, cti, card_id, person_id, client_id, hospital_id, terminal, step, channel, reason, at)"
        " SELECT gen_random_uuid(), sha256(n::text::bytea), $1, $2, $3, $4, 'T', '0101051', '0100', 'code-expired', yima_now()"
        " FROM generate_series(1, 1500) n",
        busy["id"],
        busy["person_id"],
        client.client_id,
        client.hospital_id,
    )
    mine = await service.resolved(who, second)
    async with listening(service.http, others), listening(service.http, me, last.id) as events:
        assert (await events.next("scanned")).data["access_id"] == mine["resolution_id"]


async def test_a_stream_is_not_buffered_or_cached(service: Service) -> None:
    me = await service.patient(service.person())
    async with service.http.stream("GET", "/v1/patient/events", headers=me) as response:
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-accel-buffering"] == "no"


async def test_a_page_is_told_that_its_key_was_replaced_and_resumes_from_there(service: Service) -> None:
    me, card = await service.holder()
    who, custodian = await service.hospital(), await service.admin("custodian")
    kid = service.services.vault.ring.issuing().kid.hex()
    async with listening(service.http, me) as events:
        await service.resolved(who, await service.code(me, card))
        await events.next("scanned")
        path = f"/v1/admin/keys/{kid}/compromise"
        assert (await service.http.post(path, headers=custodian, json={"reason": "found"})).status_code == 200
        replaced = await events.next("key-replaced")
    found = await service.resolved(who, await service.code(me, card))
    async with listening(service.http, me, replaced.id) as events:
        assert (await events.next("scanned")).data["access_id"] == found["resolution_id"]
