"""Who can only write the database cannot make one record look like another."""

import pytest

from tests.support.records import lab, patient
from tests.support.service import Service, refused


async def test_bytes_that_were_changed_or_moved_are_not_given(own_service: Service) -> None:
    me = await patient(own_service)
    window = await me.at()
    one, two = (await window.posted(lab(1)))["record_id"], (await window.posted(lab(2)))["record_id"]
    await own_service.sql(
        "UPDATE records SET sealed = (SELECT sealed FROM records WHERE id = $2) WHERE id = $1", one, two
    )
    refused(await window.get(one), 503, "integrity")
    await own_service.sql(
        "UPDATE records SET summary = (SELECT summary FROM records WHERE id = $2) WHERE id = $1", one, two
    )
    refused(await window.get(), 503, "integrity")
    assert (await window.get(two)).status_code == 200


@pytest.mark.parametrize("change", ["person_id", "hospital_id", "kind", "status"])
async def test_a_row_that_was_made_anothers_or_readable_is_not_given(own_service: Service, change: str) -> None:
    me, other = await patient(own_service), await patient(own_service)
    a, b, theirs = await me.at(), await me.at("乙医院"), await other.at("丙医院")
    record = (await a.posted(a.of_kind("note")))["record_id"]
    await theirs.posted(lab())
    await me.permit(b, "laboratory")
    value = {
        "person_id": await own_service.value("SELECT person_id FROM cards WHERE id = $1", other.card["card_id"]),
        "hospital_id": b.hospital_id,
        "kind": "laboratory",
        "status": "final",
    }[change]
    await own_service.sql(f"UPDATE records SET {change} = $1 WHERE id = $2", value, record)
    if change == "person_id":
        await other.permit(theirs)
    reader, owner = {"person_id": (theirs, other), "status": (a, me)}.get(change, (b, me))
    refused(await reader.get(record), 503, "integrity")
    refused(await reader.get(), 503, "integrity")
    refused(await own_service.http.get(f"/v1/patient/records/{record}", headers=owner.headers), 503, "integrity")
