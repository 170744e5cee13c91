"""Everything that is done with people's records, with what must stand nowhere noted on the way."""

import base64
import hashlib
import json
import re
from typing import Any

from tests.records.mllp.messages import msh, obr, obx, oru, pid, segment
from tests.records.mllp.place import Place, listening, register
from tests.support.records import LAB, LOINC, Patient, Window, days_ago, rule
from tests.support.service import Headers, Service

_TEXT = "http://www.w3.org/1999/xhtml"
_QUOTED = re.compile(r'"value": "(7[.][0-9]{10})"')


class Seeds:
    """Values that nobody else writes: of Chinese letters, of ASCII ones, and decimals."""

    def __init__(self, seen: dict[str, str]) -> None:
        self._seen = seen
        self._people = 0
        self.of = ""

    def next_person(self) -> None:
        """What follows is of another."""
        self._people += 1
        self.of = str(self._people)

    @property
    def charset(self) -> str:
        """How this person's laboratory writes."""
        return "GB18030" if self._people % 2 else "UTF-8"

    @property
    def facility(self) -> str:
        """What their laboratory calls itself (MSH-4)."""
        return f"LAB{self._people}"

    def words(self, what: str) -> str:
        """Eight Chinese letters."""
        return self._note(what, "".join(chr(0x4E00 + byte * 80) for byte in self._bytes(what)[:8]))

    def name(self, what: str) -> str:
        """Letters and digits."""
        return self._note(what, "Z" + base64.b32encode(self._bytes(what)).decode()[:15])

    def number(self, what: str) -> str:
        """A decimal of eleven digits."""
        return self._note(what, f"7.{int.from_bytes(self._bytes(what)[:8], 'big'):020d}"[:11] + "7")

    def digits(self, what: str) -> str:
        """Ten digits."""
        return self._note(what, f"{int.from_bytes(self._bytes(what)[:8], 'big'):020d}"[-10:])

    def _note(self, what: str, value: str) -> str:
        self._seen[f"{what} {self.of}"] = value
        return value

    def _bytes(self, what: str) -> bytes:
        return hashlib.sha256(f"{what} {self.of}".encode()).digest()


async def records_journey(service: Service, seen: dict[str, str], people: int = 1) -> None:
    """So many people's records: posted, refused, sent, listed, read, recognised, opened by force, taken away."""
    seeds = Seeds(seen)
    async with listening(service) as laboratory:
        for _ in range(people):
            seeds.next_person()
            person = Patient(service, *await service.holder())
            ours, others = await person.at("甲医院"), await person.at("乙医院")
            await _connected(service, ours, seeds)
            record = await _posted(ours, seeds)
            await _refused(ours, seeds)
            await _sent(laboratory, ours, seeds)
            await _chosen_and_read(person, others, record)
            await _opened(service, person, others, seeds)


# What a hospital posts


def _report(seeds: Seeds) -> dict[str, Any]:
    value = {"unit": "10^9/L", "value": seeds.number("value")}
    page = f"<p>{seeds.words('html of a form')}</p>"
    return {
        "resourceType": "DiagnosticReport",
        "text": {"status": "generated", "div": f'<div xmlns="{_TEXT}">{seeds.words("narrative")}</div>'},
        "identifier": [{"system": "urn:oid:1.2.3", "value": seeds.name("report number")}],
        "status": "final",
        "category": [{"coding": [{"system": LAB, "code": "LAB"}]}],
        "code": {"text": seeds.words("title")},
        "effectiveDateTime": days_ago(3),
        "performer": [{"display": seeds.words("performer")}],
        "contained": [
            {
                "resourceType": "Observation",
                "id": "a",
                "status": "final",
                "code": {"coding": [{"system": LOINC, "code": "6690-2"}], "text": seeds.words("measured")},
                "valueQuantity": value,
                "referenceRange": [{"low": {"value": seeds.number("low")}, "text": seeds.words("range")}],
                "note": [{"text": seeds.words("note")}],
            },
            {
                "resourceType": "Observation",
                "id": "b",
                "status": "final",
                "code": {"text": seeds.words("seen under the lens")},
                "valueString": seeds.words("value in words"),
            },
            {"resourceType": "Specimen", "id": "s", "accessionIdentifier": {"value": seeds.name("specimen")}},
        ],
        "specimen": [{"reference": "#s"}],
        "result": [{"reference": "#a"}, {"reference": "#b"}],
        "conclusion": seeds.words("conclusion"),
        "presentedForm": [{"contentType": "text/html", "title": seeds.words("form"), "data": _base64(page)}],
    }


def _document(seeds: Seeds) -> dict[str, Any]:
    data = _base64(seeds.words("discharge summary") * 5)
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": LOINC, "code": "18842-5"}], "text": seeds.words("document")},
        "description": seeds.words("description"),
        "date": days_ago(2),
        "author": [{"display": seeds.words("author")}],
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }


def _study(seeds: Seeds, health_card_id: str) -> dict[str, Any]:
    return {
        "resourceType": "ImagingStudy",
        "status": "available",
        "subject": {"reference": f"Patient/{health_card_id}"},
        "identifier": [
            {"system": "urn:dicom:uid", "value": f"urn:oid:1.2.840.1{seeds.digits('study uid')}"},
            {"value": seeds.name("accession")},
        ],
        "started": days_ago(1),
        "description": seeds.words("study"),
        "series": [{"uid": "1.2.3", "modality": {"code": "CT"}, "description": seeds.words("series")}],
    }


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _written(resource: dict[str, Any]) -> str:
    """Its text, decimals unquoted."""
    return _QUOTED.sub(r'"value": \1', json.dumps(resource, ensure_ascii=False))


async def _posted(at: Window, seeds: Seeds) -> str:
    """A report that was corrected once, a document and a study; the correction's id."""
    number = {"patient_number": seeds.name("patient number")}
    path = f"/v1/hospital/resolutions/{at.resolution_id}/patient-number"
    assert (await at.service.http.put(path, headers=at.headers, json=number)).is_success
    report = _written(_report(seeds))
    items = [
        {"code": "250101015", "name": "血常规"},  # counted by item, of nobody in particular
        {"code": seeds.name("item"), "name": seeds.words("item name")},
    ]
    marked = {"level": "national", "area": "430000", "mark": seeds.words("mark"), "items": items}
    keyed = {"Idempotency-Key": f"journey-{seeds.of}"}
    first = await at.post(report, recognition=marked, headers=keyed)
    assert first.status_code == 201, first.text
    assert (await at.post(report, recognition=marked, headers=keyed)).headers["idempotent-replayed"] == "true"
    for other in (_document(seeds), _study(seeds, at.card["health_card_id"])):
        await at.posted(_written(other))
    corrected = await at.posted(report, replaces=first.json()["record_id"], recognition=marked)
    return str(corrected["record_id"])


async def _refused(at: Window, seeds: Seeds) -> None:
    """For its status, somebody else's name, what follows it, and no JSON at all."""
    report = {**_report(seeds), "conclusion": seeds.words("refused")}
    for wrong in (
        {**report, "status": seeds.words("wrong status")},
        {**report, "subject": {"reference": f"Patient/{seeds.name('another patient')}"}},
        {**report, seeds.name("wrong element"): seeds.words("wrong value")},
    ):
        assert (await at.post(_written(wrong))).status_code == 422
    assert (await at.post(_written(report)[:-20])).status_code == 400


# What a laboratory sends, and what its registrar wrote


async def _connected(service: Service, at: Window, seeds: Seeds) -> None:
    await register(service, at.client, seeds.charset, facility=seeds.facility)
    registrar, path = await service.admin("registrar"), f"/v1/admin/hospitals/{at.hospital_id}/dicomweb"
    pacs = {"address": "https://pacs.example/dicom-web"}
    for way in (
        {"token": seeds.name("pacs token")},
        {"username": seeds.name("pacs user"), "password": seeds.name("pacs password")},
    ):
        answer = await service.http.put(path, headers=registrar, json={**pacs, **way})
        assert answer.is_success, answer.text


async def _sent(laboratory: Place, at: Window, seeds: Seeds) -> None:
    """A message that is taken, and some that are not."""
    charset, facility, number = seeds.charset, seeds.facility, seeds.name("patient number")
    who = pid(number, f5=f"{seeds.words('sent family')}^{seeds.words('sent given')}", f11=seeds.words("address"))
    order = obr(f2=seeds.name("order"), f3=seeds.name("filler"), f4=f"58410-2^{seeds.words('sent title')}^LN")
    measured = obx(f3=f"6690-2^{seeds.words('sent test')}^LN", f5=seeds.number("sent value"))
    said = obx(f1="2", f2="TX", f3="X1^意见^L", f5=seeds.words("sent text"), f6="", f7="", f8="")
    note = segment("NTE", f1="1", f3=seeds.words("sent note"))
    async with laboratory.lab() as lab:
        header = msh(seeds.name("control id"), f4=facility)
        assert (await lab.send(oru(who, order, measured, said, note, header=header), charset))["MSA-1"] == "AA"
        stranger = pid(seeds.name("unknown number"), f5=seeds.words("stranger"))
        for wrong in (
            oru(stranger, order, measured, header=msh(f4=facility)),
            oru(
                who,
                order,
                obx(f5=seeds.words("refused value"), f11=seeds.name("wrong status of a value")),
                header=msh(f4=facility),
            ),
            oru(who, order, measured, header=msh(f4=facility, f9=seeds.name("message type"))),
        ):
            assert (await lab.send(wrong, charset))["MSA-1"] in ("AE", "AR")


# Who reads it


async def _chosen_and_read(person: Patient, others: Window, record: str) -> None:
    assert (await others.get(record)).status_code == 404
    await person.allow(rule(others.hospital_id, "laboratory"), rule(effect="deny"))
    assert record in await others.listed()
    assert record in await others.listed(recognised=True, item="250101015", within=30)
    assert (await others.get(record)).status_code == 200
    decided = await others.service.http.post(
        f"{others.path}/{record}/recognitions",
        headers=others.headers,
        json={"item": "250101015", "decision": "repeated", "reason": "emergency"},
    )
    assert decided.status_code == 201, decided.text
    for path in ("records", "records/bundle", "observation-codes", "consents", "accesses"):
        assert (await person.get(path)).status_code == 200
    assert len((await person.get("observations", code="6690-2")).json()["points"]) == 2
    own = await person.service.http.get(f"/v1/patient/records/{record}", headers=person.headers)
    taken = await person.service.http.get("/v1/patient/account/export", headers=person.headers)
    assert (own.status_code, taken.status_code) == (200, 200)


async def _opened(service: Service, person: Patient, others: Window, seeds: Seeds) -> None:
    """By force, and reviewed."""
    await person.allow()
    operator = {"id": seeds.name("operator"), "name": seeds.words("operator name")}
    opened = await others.break_glass(statement=seeds.words("statement") * 2, operator=operator)
    assert opened.status_code == 201, opened.text
    assert len(await others.listed()) == 4
    auditor: Headers = await service.admin("auditor")
    review = {"verdict": "unjustified", "note": seeds.words("review note") * 2}
    path = f"/v1/admin/break-glass/{opened.json()['break_glass_id']}/review"
    assert (await service.http.post(path, headers=auditor, json=review)).status_code == 200
