"""Leaving where others hold a card of the person, and coming back."""

from uuid import UUID

from models.cards import add_card
from models.database import transaction
from tests.api.test_freezing import admin_freeze
from tests.api.test_leaving import whats
from tests.support.booking import child_of, new_clinic
from tests.support.leaving import PATH, Leaver, leaver, live, relative_of
from tests.support.records import lab, rule
from tests.support.service import Service, refused

# What others hold


async def test_the_persons_own_leaving_takes_what_another_holder_never_saw(service: Service) -> None:
    """Else the daughter's card, now the only one, would be shown all that was the mother's to decide on."""
    mother = await leaver(service)
    window = await mother.at()
    await window.posted(lab())
    daughter = await relative_of(mother)
    beside = await daughter.at("丙医院")
    hers = await beside.posted(lab())
    await mother.permit(window)
    await mother.left()
    listed = (await daughter.get("records", history="true")).json()["records"]
    assert [one["record_id"] for one in listed] == [hers["record_id"]]
    refused(await daughter.get("consents"), 403, "not-allowed")  # whose it is was the mother
    rules = "SELECT count(*) FROM record_consent_rules r JOIN record_consents c ON c.id = r.consent_id"
    assert await service.value(f"{rules} WHERE c.version = 2 AND c.person_id = $1", await daughter.person_id()) == 0
    assert await daughter.account()
    assert await service.value("SELECT erase_at FROM people WHERE id = $1", await daughter.person_id()) is None
    assert (await beside.get(hers["record_id"])).status_code == 200
    await service.code(daughter.headers, daughter.card)


async def test_a_holders_leaving_takes_nothing_of_the_persons_own(service: Service) -> None:
    mother = await leaver(service)
    await (await mother.at()).posted(lab())
    daughter = await relative_of(mother)
    await (await daughter.at("丙医院")).posted(lab())
    await mother.allow(rule())
    assert "records" not in whats((await daughter.account())["removed"])
    await daughter.left()
    assert len((await mother.get("records")).json()["records"]) == 2
    assert (await mother.get("consents")).json()["rules"]
    assert (await service.http.get(f"{mother.path}/holders", headers=mother.headers)).json()["holders"] == []


async def test_what_a_holder_booked_for_somebody_with_a_card_of_their_own_stays_booked(service: Service) -> None:
    mother = await leaver(service)
    daughter = await relative_of(mother)
    clinic = await new_clinic(service)
    _, _, (slot,) = await clinic.session(clinic.day(), [1])
    booked = await daughter.books.booked(slot)
    assert "appointments" not in whats((await daughter.account())["removed"])
    await daughter.left()
    assert [one["appointment_id"] for one in await mother.books.appointments()] == [booked["appointment_id"]]
    assert (await mother.books.appointments())[0]["status"] == "booked"


async def test_one_of_two_accounts_of_the_same_person_takes_nothing_of_the_other(service: Service) -> None:
    first = await leaver(service)
    await (await first.at()).posted(lab())
    second = service.person()
    headers = await service.patient(second)
    account_id = UUID((await service.signed_in(second))["account_id"])
    async with transaction() as tx:
        card_id = await add_card(service.services.vault, account_id, await first.person_id(), "self", using=tx)
    other = Leaver(service, second, headers, {"card_id": str(card_id)})
    await first.left()
    assert len((await other.get("records")).json()["records"]) == 1


async def test_the_last_holders_leaving_takes_all(service: Service) -> None:
    mother = await leaver(service)
    daughter = await relative_of(mother)
    await (await daughter.at("丙医院")).posted(lab())
    person_id = await mother.person_id()
    await mother.left()
    assert await service.value("SELECT count(*) FROM records WHERE person_id = $1", person_id) == 1
    await daughter.left()
    assert await service.value("SELECT count(*) FROM records WHERE person_id = $1", person_id) == 0
    assert await service.value("SELECT erase_at FROM people WHERE id = $1", person_id) is not None


async def test_who_was_removed_as_a_holder_takes_nothing_when_they_leave(service: Service) -> None:
    mother = await leaver(service)
    await (await mother.at()).posted(lab())
    former = await relative_of(mother, "spouse")
    holders = (await service.http.get(f"{mother.path}/holders", headers=mother.headers)).json()["holders"]
    await service.http.delete(f"{mother.path}/holders/{holders[0]['holder_id']}", headers=mother.headers)
    await service.http.delete(mother.path, headers=mother.headers)
    person_id = await mother.person_id()
    await former.left()
    assert await service.value("SELECT count(*) FROM records WHERE person_id = $1", person_id) == 1
    assert await service.value("SELECT erase_at FROM people WHERE id = $1", person_id) is None


async def test_a_childs_card_goes_with_its_only_account(service: Service) -> None:
    me = await leaver(service)
    child = await child_of(me.books)
    person_id = await service.value("SELECT person_id FROM cards WHERE id = $1", child.card["card_id"])
    hers = Leaver(service, child.person, child.me, child.card)
    await (await hers.at()).posted(lab())
    await me.left()
    assert await service.value("SELECT count(*) FROM records WHERE person_id = $1", person_id) == 0


# Coming back


async def test_the_same_person_comes_back_at_once_to_a_new_account_and_finds_nothing_old(service: Service) -> None:
    me = await leaver(service)
    life = await live(me)
    person_id, account_id = await me.person_id(), await me.account_id()
    await me.left()
    again = await me.back()
    assert await again.account_id() != account_id
    assert await again.person_id() == person_id
    assert again.card["health_card_id"] == me.card["health_card_id"]
    assert await service.value("SELECT erase_at FROM people WHERE id = $1", person_id) is None
    assert (await again.get("records", history="true")).json()["records"] == []
    assert (await again.get("consents")).json()["rules"] == []
    assert await again.books.messages("booked") == []
    window = await again.scanned(life.window.client)
    assert (await service.http.get(f"/v1/hospital/resolutions/{window.resolution_id}", headers=window.headers)).json()[
        "patient_number"
    ] is None
    kept = (await again.get("accesses", limit=100)).json()["accesses"]
    assert any(one["break_glass"] for one in kept), "who looked is the person's to see"


async def test_a_registrars_freeze_is_not_shed_by_leaving(service: Service) -> None:
    me = await leaver(service)
    await admin_freeze(service, me.card)
    await me.left()
    await service.services.purge.turn(service.services)
    assert (await me.back()).card["status"] == "frozen"


async def test_failed_proofs_of_today_are_not_shed_by_leaving(service: Service) -> None:
    person = service.person()
    me = await service.patient(person)
    victim = service.person()
    for expected in (403, 403, 403):
        wrong = service.card_request(person, id_number=victim.id_number)
        assert (await service.bind(me, wrong)).status_code == expected
    assert (await service.http.request("DELETE", PATH, headers=me, json={"confirm": "DELETE"})).status_code == 200
    me = await service.patient(person)
    for expected in (403, 403, 429):
        assert (await service.bind(me, wrong)).status_code == expected


async def test_texts_to_a_phone_are_not_shed_by_leaving(service: Service) -> None:
    mother, person = service.person(), service.person()
    for _ in range(3):
        me = await service.patient(person)
        await service.texted(me, mother)
        await service.http.request("DELETE", PATH, headers=me, json={"confirm": "DELETE"})
    me = await service.patient(person)
    asked = {"type": "sms", "name": mother.name, "id_type": "01", "id_number": mother.id_number, "phone": mother.phone}
    refused(await service.http.post("/v1/patient/verifications", headers=me, json=asked), 429, "too-many-tries")
