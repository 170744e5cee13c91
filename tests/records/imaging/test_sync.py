"""Studies come from a real PACS by themselves, to the person whom the hospital's number names."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.records.imaging.world import World
from tests.support.pacs import SHANGHAI, Orthanc, make_ct, new_uid
from tests.support.service import refused


async def test_a_ct_becomes_a_record_of_the_person_with_all_that_the_pacs_says(world: World, orthanc: Orthanc) -> None:
    client, token = await world.hospital(orthanc.registration)
    patient = await world.patient(token, "CT-1001")
    uid, at = new_uid(), datetime.now(SHANGHAI).replace(microsecond=0) - timedelta(hours=1)
    await orthanc.send_ct("CT-1001", "欧阳^明远", study=uid, at=at, accession="ACC-7", description="胸部CT平扫")
    await world.turn()
    (record,) = await world.records(patient)
    assert (record["kind"], record["status"], record["title"]) == ("imaging", "available", "胸部CT平扫")
    assert record["hospital"]["hospital_id"] == client.hospital_id
    assert datetime.fromisoformat(record["occurred_at"]) == at
    resource = await world.resource(patient, record)
    series = resource.pop("series")
    assert resource == {
        "resourceType": "ImagingStudy",
        "identifier": [
            {"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"},
            {
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}]},
                "value": "ACC-7",
            },
        ],
        "status": "available",
        "modality": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}],
        "subject": {"reference": "Patient/CT-1001"},
        "started": at.isoformat(),
        "numberOfSeries": 1,
        "numberOfInstances": 1,
        "description": "胸部CT平扫",
    }
    assert [(one["number"], one["description"], one["numberOfInstances"]) for one in series] == [(1, "肺窗", 1)]


async def test_what_did_not_change_writes_nothing_and_what_grew_takes_the_place(world: World, orthanc: Orthanc) -> None:
    _, token = await world.hospital(orthanc.registration)
    patient = await world.patient(token, "CT-1002")
    same: dict[str, Any] = {
        "study": new_uid(),
        "series": new_uid(),
        "at": datetime.now(SHANGHAI) - timedelta(minutes=5),
    }
    await orthanc.send_ct("CT-1002", **same)
    await world.turn()
    (first,) = await world.records(patient)
    before = await world.written()
    await world.turn()
    world.service.services.imaging._seen.clear()  # as after a restart
    await world.turn()
    assert await world.written() == before
    await orthanc.send_ct("CT-1002", **same, number=2)
    await orthanc.send_ct("CT-1002", **{**same, "series": new_uid()}, series_number=2)
    await world.turn()
    (second,) = await world.records(patient)
    assert (second["replaces"], second["record_id"] != first["record_id"]) == (first["record_id"], True)
    counts = [one["numberOfInstances"] for one in (await world.resource(patient, second))["series"]]
    assert counts == [2, 1]
    assert len(await world.records(patient, history="true")) == 2


async def test_an_unknown_number_is_ignored_until_the_hospital_gives_it(world: World, orthanc: Orthanc) -> None:
    _, token = await world.hospital(orthanc.registration)
    patient = await world.patient(token, "CT-1003")
    await orthanc.send_ct("CT-1003-later")
    before = await world.written()
    await world.turn()
    assert await world.written() == before
    await world.number(token, patient, "CT-1003-later")
    await world.turn()
    assert len(await world.records(patient)) == 1


async def test_a_number_is_one_hospitals_own(world: World, orthanc: Orthanc) -> None:
    """The same PatientID at another hospital is somebody else."""
    _, other = await world.hospital()
    patient = await world.patient(other, "CT-1004")
    await world.hospital(orthanc.registration)
    await orthanc.send_ct("CT-1004")
    await world.turn()
    assert await world.records(patient) == []


async def test_a_study_moved_to_another_patient_is_taken_back_from_the_first(world: World, orthanc: Orthanc) -> None:
    _, token = await world.hospital(orthanc.registration)
    wrong, right = await world.patient(token, "CT-1005"), await world.patient(token, "CT-1006")
    uid = new_uid()
    await orthanc.send_ct("CT-1005", study=uid)
    await world.turn()
    assert len(await world.records(wrong)) == 1
    await orthanc.delete(uid)
    await orthanc.send_ct("CT-1006", study=uid)
    await world.turn()
    assert await world.records(wrong) == []
    assert [one["status"] for one in await world.records(wrong, history="true")].count("entered-in-error") == 1
    (record,) = await world.records(right)
    assert (await world.resource(right, record))["subject"] == {"reference": "Patient/CT-1006"}


async def test_a_study_moved_to_somebody_unknown_is_taken_back_too(world: World, orthanc: Orthanc) -> None:
    _, token = await world.hospital(orthanc.registration)
    wrong, uid = await world.patient(token, "CT-1007"), new_uid()
    await orthanc.send_ct("CT-1007", study=uid)
    await world.turn()
    await orthanc.delete(uid)
    await orthanc.send_ct("CT-unknown", study=uid)
    await world.turn()
    assert await world.records(wrong) == []
    before = await world.written()
    await world.turn()
    assert await world.written() == before


async def test_a_new_number_of_the_person_leaves_earlier_studies_alone(world: World, orthanc: Orthanc) -> None:
    """Hospitals give people new numbers; that says nothing about whose study it was, also where another gets the old one."""
    _, token = await world.hospital(orthanc.registration)
    patient = await world.patient(token, "CT-1008")
    await orthanc.send_ct("CT-1008")
    await world.turn()
    before = await world.records(patient)
    await world.number(token, patient, "CT-1009")
    await world.turn()
    other = await world.patient(token, "CT-1008")
    await world.turn()
    assert (await world.records(patient), await world.records(other)) == (before, [])


async def test_what_the_hospital_posted_in_place_of_it_stays(world: World, orthanc: Orthanc) -> None:
    _, token = await world.hospital(orthanc.registration)
    patient = await world.patient(token, "CT-1010")
    same: dict[str, Any] = {"study": new_uid(), "series": new_uid()}
    await orthanc.send_ct("CT-1010", **same)
    await world.turn()
    (record,) = await world.records(patient)
    resource = await world.resource(patient, record)
    base = await world.resolved(token, patient)
    body = {"resource": {**resource, "description": "更正"}, "replaces": record["record_id"]}
    posted = await world.service.http.post(f"{base}/records", headers=token, json=body)
    assert posted.status_code == 201, posted.text
    await orthanc.send_ct("CT-1010", **same, number=2)
    world.service.services.imaging._seen.clear()
    await world.turn()
    assert [one["record_id"] for one in await world.records(patient)] == [posted.json()["record_id"]]


async def test_only_the_last_days_are_asked_for(world: World, orthanc: Orthanc) -> None:
    _, token = await world.hospital(orthanc.registration)
    patient = await world.patient(token, "CT-1011")
    for days in (6, 9):
        at = datetime.now(SHANGHAI) - timedelta(days=days)
        await orthanc.send(await make_ct(orthanc.folder, "CT-1011", at=at, description=f"{days}天前"))
    await world.turn()
    assert [one["title"] for one in await world.records(patient)] == ["6天前"]


async def test_another_hospital_reads_it_only_when_the_person_permits(world: World, orthanc: Orthanc) -> None:
    _, token = await world.hospital(orthanc.registration)
    patient = await world.patient(token, "CT-1012")
    await orthanc.send_ct("CT-1012")
    await world.turn()
    (record,) = await world.records(patient)
    _, reader = await world.hospital()
    base = await world.resolved(reader, patient)
    path = f"{base}/records/{record['record_id']}"
    refused(await world.service.http.get(path, headers=reader), 404, "not-found")
    refused(await world.service.http.get(f"{path}/images", headers=reader), 404, "not-found")
    refused(await world.service.http.get(f"{path}/images/1", headers=reader), 404, "not-found")
    await world.permit(patient)
    assert (await world.service.http.get(f"{path}/images", headers=reader)).json()["images"]
    shown = await world.service.http.get(f"{path}/images/1", headers=reader)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")


async def test_no_name_number_or_uid_is_in_a_log_line(
    world: World, orthanc: Orthanc, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "yima")
    _, token = await world.hospital({**orthanc.registration, "password": "wrong-secret"})
    await world.turn()
    await world.hospital(orthanc.registration)
    _, token = await world.hospital(orthanc.registration)
    await world.patient(token, "CT-1013-secret")
    uid = new_uid()
    await orthanc.send_ct("CT-1013-secret", "欧阳^明远", study=uid)
    await world.turn()
    said = " ".join(str(record.__dict__) for record in caplog.records if record.name.startswith("yima"))
    assert "imaging system not read" in said
    assert "imaging system read" in said
    for secret in ("CT-1013", "欧阳", uid, "wrong-secret", orthanc.password, orthanc.dicomweb):
        assert secret not in said
