"""Pictures of a study through us: by consent alone, of the registered PACS alone, as JPEG alone."""

import asyncio
import hashlib
import io
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from api.records.imaging.listings import SHOWN_MOST
from tests.records.imaging.peers import JPEG, Peer, bomb, http, instance, listed, running_peer, series, study
from tests.records.imaging.world import Patient, World
from tests.support.pacs import Orthanc, new_uid
from tests.support.service import Headers, refused


async def kept(world: World, number: str, registration: dict[str, str]) -> tuple[Headers, Patient, str]:
    """(the hospital's token, a patient with one study, the path of its pictures for the patient)."""
    _, token = await world.hospital(registration)
    patient = await world.patient(token, number)
    await world.turn()
    (record,) = await world.records(patient)
    return token, patient, f"/v1/patient/records/{record['record_id']}/images"


async def of_peer(world: World, peer: Peer, number: str, **answers: Any) -> tuple[Patient, str]:
    """A study at a peer, that answers as told when its pictures are asked for."""
    peer.answers |= {
        "/studies": listed(study(number)),
        "/series": listed(series(t00100020=number)),
        "/instances": listed(instance(t00100020=number)),
        "/rendered": http(JPEG, "image/jpeg"),
        **{f"/{end}": one for end, one in answers.items()},
    }
    _, patient, path = await kept(world, number, {"address": peer.address})
    return patient, path


async def test_the_patient_and_the_hospital_see_the_pictures_in_order(world: World, orthanc: Orthanc) -> None:
    uid, one, two = new_uid(), new_uid(), new_uid()
    for series_uid, series_number, number in ((two, 2, 1), (one, 1, 2), (one, 1, 1)):
        await orthanc.send_ct("I-1", study=uid, series=series_uid, series_number=series_number, number=number)
    token, patient, path = await kept(world, "I-1", orthanc.registration)
    listed_for_patient = (await world.service.http.get(path, headers=patient.me)).json()["images"]
    assert [image["n"] for image in listed_for_patient] == [1, 2, 3]
    assert [image["series"] for image in listed_for_patient] == [one, one, two]
    base = await world.resolved(token, patient)
    same = path.replace("/v1/patient", base)
    assert (await world.service.http.get(same, headers=token)).json()["images"] == listed_for_patient
    seen = set()
    for n in (1, 2, 3):
        answer = await world.service.http.get(f"{same}/{n}", headers=token)
        picture = Image.open(io.BytesIO(answer.content))
        assert (picture.format, picture.size) == ("JPEG", (64, 64))
        seen.add(hashlib.sha256(answer.content).digest())
    assert len(seen) == 2, "the two first slices differ, the third is as the first"


async def test_a_picture_is_a_jpeg_that_no_browser_guesses_about_or_keeps(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_peer() as peer:
        patient, path = await of_peer(world, peer, "I-2")
        answer = await world.service.http.get(f"{path}/1", headers=patient.me)
        assert (answer.status_code, answer.content) == (200, JPEG)
        told = {name: answer.headers[name] for name in ("content-type", "cache-control", "x-content-type-options")}
        assert told == {"content-type": "image/jpeg", "cache-control": "no-store", "x-content-type-options": "nosniff"}
        assert answer.headers["content-security-policy"].startswith("sandbox")
        assert (answer.headers["content-length"], "x-request-id" in answer.headers) == (str(len(JPEG)), True)
        head = await world.service.http.head(f"{path}/1", headers=patient.me)
        assert (head.status_code, head.content) == (200, b"")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("n", ["0", "2", "-1", "01", "1.0", "x", "１", "99999999999999999999", "501", "1%2f..%2f2"])
async def test_a_picture_that_is_not_there_is_not_found(world: World, n: str) -> None:
    async with running_peer() as peer:
        patient, path = await of_peer(world, peer, "I-3")
        refused(await world.service.http.get(f"{path}/{n}", headers=patient.me), 404, "not-found")


async def test_at_most_500_are_shown(world: World) -> None:
    async with running_peer() as peer:
        patient, path = await of_peer(
            world, peer, "I-4", instances=listed(*(instance(n, t00100020="I-4") for n in range(600)))
        )
        assert len((await world.service.http.get(path, headers=patient.me)).json()["images"]) == SHOWN_MOST
        refused(await world.service.http.get(f"{path}/501", headers=patient.me), 404, "not-found")


async def test_who_pages_through_a_study_asks_the_pacs_for_its_list_once(world: World) -> None:
    async with running_peer() as peer:
        patient, path = await of_peer(
            world, peer, "I-5", instances=listed(*(instance(n, t00100020="I-5") for n in range(20)))
        )
        await world.service.http.get(path, headers=patient.me)
        for n in range(1, 6):
            assert (await world.service.http.get(f"{path}/{n}", headers=patient.me)).status_code == 200
        assert sum(one.endswith("/instances") for one in peer.paths) == 1
        await world.service.http.get(path, headers=patient.me)
        assert sum(one.endswith("/instances") for one in peer.paths) == 2, "the list itself is asked for each time"


async def test_other_peoples_pictures_are_not_found_by_anybody(world: World) -> None:
    async with running_peer() as peer:
        _, path = await of_peer(world, peer, "I-6")
        stranger = await world.service.patient(world.service.person())
        asked = len(peer.requests)
        for end in ("", "/1"):
            refused(await world.service.http.get(path + end, headers=stranger), 404, "not-found")
            refused(await world.service.http.get(path + end), 401, "unauthenticated")
        assert len(peer.requests) == asked, "the PACS hears nothing of it"


async def test_each_look_is_an_access_with_the_records_id(world: World) -> None:
    async with running_peer() as peer:
        mine: dict[str, Any] = {"t00100020": "I-7"}
        peer.answers = {"/studies": listed(study("I-7")), "/series": listed(series(**mine))}
        peer.answers["/instances"] = listed(instance(**mine))
        peer.answers["/rendered"] = http(JPEG, "image/jpeg")
        token, patient, path = await kept(world, "I-7", {"address": peer.address})
        same = path.replace("/v1/patient", await world.resolved(token, patient))
        count = "SELECT count(*) FROM accesses WHERE $1 = ANY(records)"
        record_id = path.split("/")[-2]
        for times, end in ((1, ""), (2, "/1")):
            assert (await world.service.http.get(same + end, headers=token)).status_code == 200
            assert await world.service.value(count, record_id) == times


async def test_a_posted_study_is_asked_for_at_the_registered_address_whatever_it_says(world: World) -> None:
    """An endpoint or reference inside is never looked at; the study's UID is all that is used."""
    uid = new_uid()
    resource = {
        "resourceType": "ImagingStudy",
        "contained": [
            {
                "resourceType": "Endpoint",
                "id": "e",
                "status": "active",
                "connectionType": {"code": "dicom-wado-rs"},
                "payloadType": [{"text": "DICOM"}],
                "address": "https://169.254.169.254/latest",
            }
        ],
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}],
        "status": "available",
        "subject": {"reference": "Patient/I-8"},
        "started": "2026-11-01",
        "endpoint": [{"reference": "#e"}],
    }
    shown = instance(t0020000D=uid, t00100020="I-8")
    async with running_peer(instances=listed(shown), rendered=http(JPEG, "image/jpeg")) as peer:
        client, token = await world.hospital()
        patient = await world.patient(token, "I-8")
        base = await world.resolved(token, patient)
        posted = await world.service.http.post(f"{base}/records", headers=token, json={"resource": resource})
        assert posted.status_code == 201, posted.text
        path = f"{base}/records/{posted.json()['record_id']}/images"
        assert (await world.service.http.get(path, headers=token)).json() == {"images": []}, "no PACS: no pictures"
        refused(await world.service.http.get(f"{path}/1", headers=token), 404, "not-found")
        await world.register(client.hospital_id, {"address": peer.address})
        asked = len(peer.requests)
        assert len((await world.service.http.get(path, headers=token)).json()["images"]) == 1
        assert (await world.service.http.get(f"{path}/1", headers=token)).content == JPEG
        assert all(f"/studies/{uid}/" in one for one in peer.paths[asked:])


@pytest.mark.parametrize("named", ["I-somebody-else", "I-9-later", [], ""])
async def test_a_pacs_that_names_another_patient_than_the_record_or_none_shows_nothing(
    world: World, named: Any
) -> None:
    async with running_peer() as peer:
        patient, path = await of_peer(world, peer, "I-9", instances=listed(instance(t00100020=named)))
        for end in ("", "/1"):
            refused(await world.service.http.get(path + end, headers=patient.me), 502, "upstream-failed")
        assert not any(one.endswith("/rendered") for one in peer.paths)


@pytest.mark.parametrize("subject", ["a name", "the id number"])
async def test_a_study_that_names_no_number_is_of_the_persons_number_at_the_hospital(
    world: World, subject: str
) -> None:
    """Anybody's study could be shown otherwise: the UID in a posted resource is whatever a hospital wrote there."""
    uid, number = new_uid(), f"I-16-{subject}"
    async with running_peer(rendered=http(JPEG, "image/jpeg")) as peer:
        _, token = await world.hospital({"address": peer.address})
        person = world.service.person()
        patient = Patient(person, *await world.service.holder(person), number)
        subjects: dict[str, Any] = {
            "a name": {"display": "张三"},
            "the id number": {"identifier": {"value": person.id_number}},
        }
        path = await posted(world, token, patient, uid, subjects[subject])
        peer.answers["/instances"] = listed(instance(t0020000D=uid, t00100020=number))
        assert (await world.service.http.get(path, headers=patient.me)).json() == {"images": []}, "no number: nothing"
        refused(await world.service.http.get(f"{path}/1", headers=patient.me), 404, "not-found")
        assert peer.requests == []
        await world.number(token, patient, number)
        assert len((await world.service.http.get(path, headers=patient.me)).json()["images"]) == 1
        assert (await world.service.http.get(f"{path}/1", headers=patient.me)).content == JPEG
        peer.answers["/instances"] = listed(instance(t0020000D=uid, t00100020="I-somebody-else"))
        refused(await world.service.http.get(path, headers=patient.me), 502, "upstream-failed")


@pytest.mark.parametrize("told", [{"birthDate": "1890-01-01"}, {"gender": "of the other sex"}, {}])
async def test_a_study_that_describes_another_person_than_the_one_scanned_is_not_kept(
    world: World, told: dict[str, str]
) -> None:
    """The number alone is soon mistaken for another's."""
    _, token = await world.hospital()
    patient = await world.patient(token, f"I-17-{len(told)}-{'gender' in told}")
    if "gender" in told:
        told = {"gender": "female" if int(patient.person.id_number[16]) % 2 else "male"}
    inside = {"resourceType": "Patient", "id": "p", "identifier": [{"value": patient.number}], **told}
    resource = {**study_of(new_uid(), {"reference": "#p"}), "contained": [inside]}
    base = await world.resolved(token, patient)
    answer = await world.service.http.post(f"{base}/records", headers=token, json={"resource": resource})
    if told:
        refused(answer, 422, "record-subject-mismatch")
    else:
        assert answer.status_code == 201, answer.text


async def posted(world: World, token: Headers, patient: Patient, uid: str, subject: dict[str, Any]) -> str:
    """The path of the pictures of a study that the hospital posted."""
    base, body = await world.resolved(token, patient), {"resource": study_of(uid, subject)}
    answer = await world.service.http.post(f"{base}/records", headers=token, json=body)
    assert answer.status_code == 201, answer.text
    return f"/v1/patient/records/{answer.json()['record_id']}/images"


def study_of(uid: str, subject: dict[str, Any]) -> dict[str, Any]:
    """An ImagingStudy as hospitals post one."""
    return {
        "resourceType": "ImagingStudy",
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}],
        "status": "available",
        "subject": subject,
        "started": "2026-11-01",
    }


LISTS: dict[str, Any] = {
    "lies": listed(instance(t0020000D="1.2.3")),
    "sends a page": http(b"<script>", "text/html"),
    "redirects": http(b"", status="307 Temporary", Location="http://127.0.0.1:1/"),
    "packs a bomb": bomb(),
    "refuses": http(b"", status="403 Forbidden"),
}


@pytest.mark.parametrize("way", LISTS)
async def test_a_list_that_cannot_be_used_is_a_problem(world: World, way: str) -> None:
    async with running_peer() as peer:
        patient, path = await of_peer(world, peer, f"I-10-{len(way)}", instances=LISTS[way])
        for end in ("", "/1"):
            refused(await world.service.http.get(path + end, headers=patient.me), 502, "upstream-failed")


PICTURES: dict[str, Any] = {
    "a page": http(b"<script>", "text/html"),
    "a page called a JPEG": http(b"<html><script>alert(1)</script>", "image/jpeg"),
    "an SVG": http(b"<svg onload='alert(1)'/>", "image/svg+xml"),
    "a redirect": http(b"", status="302 Found", Location="http://127.0.0.1:1/"),
    "one of 9 MiB": http(JPEG, "image/jpeg", Content_Length=str(9 * 1024 * 1024)),
    "a packed one": http(JPEG, "image/jpeg", Content_Encoding="gzip"),
    "none": http(b"", status="404 Not Found"),
}


@pytest.mark.parametrize("what", PICTURES)
async def test_what_is_no_jpeg_is_a_problem_and_never_given_on(world: World, what: str) -> None:
    async with running_peer() as peer:
        patient, path = await of_peer(world, peer, f"I-11-{len(what)}", rendered=PICTURES[what])
        answer = await world.service.http.get(f"{path}/1", headers=patient.me)
        refused(answer, 502, "upstream-failed")
        assert b"script" not in answer.content


async def test_a_pacs_that_is_down_is_a_problem(world: World) -> None:
    async with running_peer() as peer:
        patient, path = await of_peer(world, peer, "I-12")
    refused(await world.service.http.get(path, headers=patient.me), 502, "upstream-failed")


async def test_a_picture_that_breaks_off_or_never_ends_never_passes_for_whole(world: World) -> None:
    async with running_peer() as peer:
        patient, path = await of_peer(world, peer, "I-13")
        for way in (peer.break_off, peer.flood("image/jpeg", b"\xff\xd8\xff\xe0")):
            peer.answers["/rendered"] = way
            with pytest.raises(httpx.TransportError):
                await world.service.http.get(f"{path}/1", headers=patient.me)
        assert peer.sent < 64 * 1024 * 1024
        peer.answers["/rendered"] = http(JPEG, "image/jpeg")
        assert (await world.service.http.get(f"{path}/1", headers=patient.me)).content == JPEG


async def leave(world: World, patient: Patient, path: str, *, read: int) -> None:
    """Ask for a picture, read so many bytes, and go."""
    address = urlsplit(str(world.service.http.base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    sock: socket.socket = writer.get_extra_info("socket")
    assert sock.family is socket.AF_INET
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {patient.me['Authorization']}\r\n\r\n".encode())
    if read:
        await reader.readexactly(read)
    else:
        await asyncio.sleep(0.3)
    writer.transport.abort()


async def test_a_caller_who_goes_away_ends_the_call_to_the_pacs(world: World) -> None:
    async with running_peer() as peer:
        patient, path = await of_peer(world, peer, "I-14")
        for way, read in ((peer.hang, 0), (peer.flood("image/jpeg", b"\xff\xd8\xff\xe0"), 20_000)):
            peer.answers["/rendered"] = way
            peer.gone.clear()
            await leave(world, patient, f"{path}/1", read=read)
            await asyncio.wait_for(peer.gone.wait(), 3)


async def test_a_slow_reader_is_not_buffered_for(world: World) -> None:
    """The PACS is read as fast as the caller reads, no faster."""
    async with running_peer() as peer:
        patient, path = await of_peer(world, peer, "I-15")
        peer.answers["/rendered"] = peer.flood("image/jpeg", b"\xff\xd8\xff\xe0")
        address = urlsplit(str(world.service.http.base_url))
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address.hostname, address.port))
        asked = f"GET {path}/1 HTTP/1.1\r\nHost: x\r\nAuthorization: {patient.me['Authorization']}\r\n\r\n"
        await asyncio.get_running_loop().sock_sendall(sock, asked.encode())
        await asyncio.sleep(1)
        first = peer.sent
        await asyncio.sleep(0.5)
        assert (peer.sent, peer.under_way >= 1) == (first, True), "it waits, and is not read on"
        sock.close()
        await asyncio.wait_for(peer.gone.wait(), 3)
