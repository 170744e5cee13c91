"""Leaving (PIPL 45 to 47): everything as one download, what is said before, and what is gone after."""

import hashlib
import json
from typing import Any

import pytest

from tests.api.test_freezing import admin_freeze
from tests.support.booking import ARRIVAL, child_of, go_to, local, new_clinic
from tests.support.leaving import PATH, Leaver, leaver, live, relative_of
from tests.support.people import insurance_of
from tests.support.records import lab
from tests.support.service import Service, refused


def whats(said: list[dict[str, Any]]) -> list[str]:
    return [one["what"] for one in said]


async def exported(me: Leaver) -> dict[str, Any]:
    answer = await me.export()
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


# The download


async def test_the_download_is_a_file_of_the_day_that_no_cache_keeps(service: Service) -> None:
    me = await leaver(service)
    answer = await me.export()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith('attachment; filename="yima-20')
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    head = await service.http.head(f"{PATH}/export", headers=me.headers)
    assert (head.status_code, head.headers["content-disposition"]) == (200, answer.headers["content-disposition"])


async def test_it_holds_something_of_every_kind_and_records_byte_for_byte(service: Service) -> None:
    me = await leaver(service)
    raw = lab(value="6.30", language="zh")
    await live(me, raw=raw)
    answer = await me.export()
    assert raw.encode() in answer.content
    (card,) = answer.json()["cards"]
    assert {name for name, part in card.items() if not part} == set()
    assert card["records"]["entry"][0]["resource"]["language"] == "zh"
    assert card["record_list"][0]["sha256"] == hashlib.sha256(raw.encode()).hexdigest()
    assert [one["version"] for one in card["consents"]] == [2, 1]
    assert [one["effect"] for one in card["consents"][0]["rules"]] == ["deny", "permit"]
    assert any(one["break_glass"] for one in card["accesses"])
    assert card["bills"][0]["items"][0]["name"] == "甲肝抗体检测"
    assert card["policies"][0]["policy"]
    assert whats_of(answer.json()["messages"]) >= {"booked", "break-glass"}


def whats_of(messages: list[dict[str, Any]]) -> set[str]:
    return {message["kind"] for message in messages}


async def test_ones_own_card_is_whole_and_has_no_handle(service: Service) -> None:
    me = await leaver(service)
    (found,) = (await exported(me))["cards"]
    person = me.person
    assert (found["card"]["name"], found["card"]["id_number"]) == (person.name, person.id_number)
    assert (found["card"]["phone"], found["card"]["insurance"]["number"]) == (
        person.phone,
        insurance_of(person)["number"],
    )
    handle = await service.value("SELECT handle FROM cards WHERE id = $1", me.card["card_id"])
    text = (await me.export()).text
    assert [secret for secret in (str(handle), person.openid, person.unionid) if secret in text] == []


async def test_of_somebody_elses_card_it_holds_what_that_cards_holder_sees(service: Service) -> None:
    mother = await leaver(service)
    window = await mother.at()
    await window.posted(lab(title="只给本人"))
    await mother.permit(window)
    daughter = await relative_of(mother)
    hers = await (await daughter.at("丙医院")).posted(lab(title="女儿陪同"))
    found = next(one for one in (await exported(daughter))["cards"] if one["card"]["relation"] == "parent")
    assert found["card"] == (await service.http.get(daughter.path, headers=daughter.headers)).json()
    assert [one["record_id"] for one in found["record_list"]] == [hers["record_id"]]
    assert len(found["records"]["entry"]) == 1
    assert {one["hospital"] for one in found["accesses"]} == {"丙医院"}
    assert (found["consents"], found["patient_numbers"]) == ([], [])
    text = (await daughter.export()).text
    assert [word for word in (mother.person.name, mother.person.id_number, mother.person.phone) if word in text] == []


async def test_a_download_of_hundreds_has_all_of_them_and_nobody_elses(service: Service) -> None:
    me, other = await leaver(service), await leaver(service)
    person_id, account_id = await me.person_id(), await me.account_id()
    window = await me.at()
    await service.sql(
        "INSERT INTO accesses (id, resolution_id, card_id, person_id, client_id, hospital_id, terminal, step, granted, at)"
        " SELECT gen_random_uuid(), $1, $2, $3, $4, $5, 'W01', '0101051', 2, now() - n * interval '1 second'"
        " FROM generate_series(1, 250) n",
        window.resolution_id,
        me.card["card_id"],
        person_id,
        window.client.client_id,
        window.hospital_id,
    )
    await live(other)
    found = await exported(me)
    assert len({one["access_id"] for one in found["cards"][0]["accesses"]}) == 251
    assert found["account"]["account_id"] == str(account_id)
    assert [one["card"]["card_id"] for one in found["cards"]] == [me.card["card_id"]]
    assert other.person.name == me.person.name or other.person.name not in json.dumps(found, ensure_ascii=False)
    assert found["messages"] == []


async def test_an_empty_account_is_a_download_too(service: Service) -> None:
    me = await service.patient(service.person())
    found = (await service.http.get(f"{PATH}/export", headers=me)).json()
    assert (found["cards"], found["messages"], found["failed_proofs"]) == ([], [], [])


# What is said before


async def test_it_is_said_before_in_both_languages_and_is_what_then_happens(service: Service) -> None:
    me = await leaver(service)
    await live(me)
    said = await me.account()
    assert said["cards"] == 1
    assert whats(said["removed"]) == [
        *("account", "cards", "insurance", "records", "consents", "appointments", "waitings", "messages")
    ]
    assert whats(said["kept"]) == ["accesses", "consents", "appointments", "bills", "closed-cards", "technical"]
    english = await me.account(**{"Accept-Language": "en"})
    assert whats(english["kept"]) == whats(said["kept"])
    assert all(ord(letter) < 0x3000 for one in english["removed"] + english["kept"] for letter in one["text"])
    left = await me.left()
    assert left["kept"] == said["kept"]
    erase_at = await service.value(
        "SELECT (erase_at AT TIME ZONE 'Asia/Shanghai')::date + 1 FROM people WHERE id = $1",
        await service.value("SELECT person_id FROM cards WHERE id = $1", me.card["card_id"]),
    )
    assert {one["until"] for one in said["kept"][:3]} == {erase_at.isoformat()}


async def test_who_never_went_anywhere_is_told_that_nothing_is_kept_of_them(service: Service) -> None:
    me = await leaver(service)
    said = await me.account()
    assert whats(said["removed"]) == ["account", "cards", "insurance"]
    assert whats(said["kept"]) == ["closed-cards", "technical"]
    assert said["kept"][0]["until"] is None


async def test_a_registrars_freeze_and_other_holders_are_said(service: Service) -> None:
    me = await leaver(service)
    await relative_of(me)
    await admin_freeze(service, me.card)
    assert {"others", "audit"} <= set(whats((await me.account())["kept"]))
    alone = await leaver(service)
    await admin_freeze(service, alone.card)
    assert {"freeze", "audit"} <= set(whats((await alone.account())["kept"]))


# Leaving


@pytest.mark.parametrize("word", ["", "yes", "delete", "注销 ", "註銷", "DELETE\u0000", None, 1, ["注销"]])
async def test_another_word_deletes_nothing(service: Service, word: Any) -> None:
    me = await leaver(service)
    refused(await me.leave(word), 422, "validation-failed")
    assert (await me.account())["cards"] == 1


async def test_leaving_needs_a_body(service: Service) -> None:
    me = await leaver(service)
    refused(await service.http.delete(PATH, headers=me.headers), 422, "validation-failed")
    assert (await me.leave("DELETE")).status_code == 200


async def test_every_session_ends_and_a_second_call_is_unauthenticated(service: Service) -> None:
    me = await leaver(service)
    other_device = await service.patient(me.person)
    await me.left()
    refused(await me.leave(), 401, "unauthenticated")
    for headers in (me.headers, other_device):
        for path in (PATH, f"{PATH}/export", "/v1/patient/cards", "/v1/patient/messages"):
            refused(await service.http.get(path, headers=headers), 401, "unauthenticated")


async def test_codes_are_card_revoked_and_live_resolutions_end(service: Service) -> None:
    me = await leaver(service)
    code, window = await service.code(me.headers, me.card), await me.at()
    await me.left()
    refused(await service.scan(window.headers, code), 403, "card-revoked")
    path = f"/v1/hospital/resolutions/{window.resolution_id}"
    refused(await service.http.get(path, headers=window.headers), 403, "card-revoked")
    refused(await window.post(lab()), 403, "card-revoked")
    refused(await window.get(), 403, "card-revoked")


async def test_rows_that_stay_are_as_they_were_sealed(service: Service) -> None:
    """The closed card's hash holds: an administrator's call that checks every card of the person goes through."""
    me = await leaver(service)
    child = await child_of(me.books)
    await me.left()
    for card in (me.card, child.card):
        assert (await admin_freeze(service, card)).status_code == 200
    assert await service.value(
        "SELECT count(*) FROM cards WHERE status = 'closed' AND account_id = (SELECT account_id FROM cards WHERE id = $1)",
        me.card["card_id"],
    ) == 2  # fmt: skip


async def test_what_is_ahead_is_cancelled_also_past_the_time_to_cancel_and_goes_to_who_waits(service: Service) -> None:
    me, waits, clinic = await leaver(service), await leaver(service), await new_clinic(service)
    start = clinic.day()
    _, schedule, (slot,) = await clinic.session(start, [1], cancel_until="2026-01-01T00:00:00Z")
    mine = await me.books.booked(slot)
    assert (await waits.books.wait(schedule)).status_code == 201
    refused(await me.books.cancel(mine), 409, "cancel-too-late")
    await me.left()
    (given,) = await waits.books.appointments()
    assert (given["status"], given["booked_by"], given["number"]) == ("booked", "waiting", mine["number"])
    assert len(await waits.books.messages("waiting-booked")) == 1
    assert ("cancelled", mine["appointment_id"]) in await clinic.changes()
    listed = await service.http.get(
        f"/v1/hospital/schedules/{schedule['key']}/appointments", headers=clinic.who, params={"limit": 100}
    )
    cancelled = next(one for one in listed.json()["appointments"] if one["status"] == "cancelled")
    assert (cancelled["cancelled_by"], cancelled["reason"]) == ("patient", None)


async def test_what_the_family_waits_for_is_not_given_to_the_family_that_leaves(service: Service) -> None:
    me, clinic = await leaver(service), await new_clinic(service)
    child = await child_of(me.books)
    _, schedule, (slot,) = await clinic.session(clinic.day(), [1])
    await me.books.booked(slot)
    assert (await child.wait(schedule)).status_code == 201
    await me.left()
    found = await service.sql("SELECT status FROM appointments WHERE slot_id = $1", slot["slot_id"])
    assert [one["status"] for one in found] == ["cancelled"]
    assert await service.value("SELECT status FROM waitings WHERE card_id = $1", child.card["card_id"]) == "withdrawn"
    assert (await (await leaver(service)).books.book(slot)).status_code == 201


async def test_who_has_arrived_keeps_their_place_in_the_queue(service: Service) -> None:
    await go_to(service, local(1, 8))
    me, clinic = await leaver(service), await new_clinic(service)
    _, _, (slot,) = await clinic.session(clinic.day(0, 9), [1])
    mine = await me.books.booked(slot)
    await me.books.scanned(clinic, step=ARRIVAL)
    await me.left()
    assert await service.value("SELECT status FROM appointments WHERE id = $1", mine["appointment_id"]) == "arrived"


async def test_nothing_that_goes_stays_and_nothing_that_stays_goes(service: Service) -> None:
    me = await leaver(service)
    await live(me)
    await service.texted(me.headers, service.person())
    person_id, account_id = await me.person_id(), await me.account_id()
    await me.left()
    gone = {
        "records": "person_id = $1",
        "patient_numbers": "person_id = $1",
        "messages": "account_id = $2",
        "ended_sessions": "account_id = $2",
        "insurances": "card_id IN (SELECT id FROM cards WHERE person_id = $1)",
        "proof_failures": "account_id = $2",
        "verifications": "account_id = $2 AND (sealed IS NOT NULL OR code_hash IS NOT NULL OR subject_index <> '')",
        "cards": "account_id = $2 AND status <> 'closed'",
        "appointments": "person_id = $1 AND status = 'booked'",
        "waitings": "person_id = $1 AND status = 'waiting'",
        "people": "id = $1 AND erase_at IS NULL",
        "accounts": "id = $2 AND left_at IS NULL",
    }
    for table, which in gone.items():
        which += " AND ($1::uuid, $2::uuid) IS NOT NULL"
        assert await service.value(f"SELECT count(*) FROM {table} WHERE {which}", person_id, account_id) == 0, table
    kept = {
        "resolutions": 1,
        "accesses": 3,
        "break_glasses": 1,
        "record_consents": 3,
        "appointments": 1,
        "waitings": 1,
    }
    counted = {t: await service.value(f"SELECT count(*) FROM {t} WHERE person_id = $1", person_id) for t in kept}
    assert counted.keys() == kept.keys()
    assert all(counted[table] >= least for table, least in kept.items()), counted


async def test_the_leaver_is_told_by_text_and_other_holders_are_not(service: Service) -> None:
    me = await leaver(service)
    other = await relative_of(me)
    before = (await other.account())["removed"]
    await me.left()
    assert "已注销" in await service.last_text(me.person.phone)
    assert (await other.account())["removed"] == before
    assert (await other.books.messages("closed"), await other.books.messages("left")) == ([], [])
