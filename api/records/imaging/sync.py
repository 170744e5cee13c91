"""Studies of the last days come from every registered PACS by themselves; one worker at a time asks.

Each PACS is asked in a task of its own, a few at once, each within its time: one that hangs, lies or sends for ever
costs itself alone. A study of a known patient number is kept as an ImagingStudy; one that grew takes the place of its
earlier record, one that was moved to another patient is taken back from the first; what did not change writes nothing.
Other studies are looked up again at every turn, so that a number given later finds them.
"""

import asyncio
import hashlib
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID, uuid4

import msgspec

from api.leased import Leased
from api.problems import UPSTREAM_TIMEOUT, Problem
from api.records import fhir
from api.records.imaging.study import imaging_study, named_in, source_key
from api.upstream.dicom_json import SHANGHAI, Study
from api.upstream.dicomweb import Archive, Registered
from models.database import transaction
from models.imaging import Live, corrected_by_hand, live_studies
from models.records import NewRecord, Owner, keep, owners, previous, raw_of
from models.systems import System, systems

if TYPE_CHECKING:
    from api.services import Services

PACS_SECONDS: Final = 90.0  # for all studies of one PACS in one turn; what is left comes with the next
AT_ONCE: Final = 8  # PACSs
DAYS: Final = 7  # back; a machine may be ahead by a day at midnight

_log = logging.getLogger("yima.imaging")


class _Seen(NamedTuple):
    """What a study was when it was last dealt with, and the record that came of it, if any."""

    study: Study
    person_id: UUID
    record_id: UUID | None


class Imaging(Leased):
    """Asks each PACS every `poll` seconds."""

    lease = "imaging"

    def __init__(self, poll: float) -> None:
        super().__init__()
        self._poll = poll
        self.pause = min(5.0, poll)
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._due: dict[UUID, float] = {}
        self._door = asyncio.Semaphore(AT_ONCE)
        self._seen: dict[UUID, dict[bytes, _Seen]] = {}

    async def turn(self, services: "Services") -> None:
        """Begin to ask those whose time has come."""
        found = {system.hospital_id: system for system in await systems(services.vault, "dicomweb")}
        await self._drop([hospital_id for hospital_id in self._tasks if hospital_id not in found])
        for hospital_id in self._due.keys() - found.keys():
            del self._due[hospital_id]
            self._seen.pop(hospital_id, None)
        for hospital_id, system in found.items():
            asking = self._tasks.get(hospital_id)
            if time.monotonic() >= self._due.get(hospital_id, 0.0) and (asking is None or asking.done()):
                self._due[hospital_id] = time.monotonic() + self._poll
                self._tasks[hospital_id] = asyncio.create_task(self._ask(services, system))

    async def stop(self, services: "Services") -> None:
        """End what is under way and give the lease back."""
        await self._drop(list(self._tasks))
        await super().stop(services)

    async def _drop(self, hospital_ids: list[UUID]) -> None:
        tasks = [self._tasks.pop(hospital_id) for hospital_id in hospital_ids]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, services: "Services", system: System) -> None:
        """Ask one PACS; whatever goes wrong is told by the hospital's id and a word of ours."""
        async with self._door:
            try:
                async with asyncio.timeout(PACS_SECONDS):
                    kept = await self._read(services, system)
            except Exception as error:
                told = error.kind.code if isinstance(error, Problem) else type(error).__name__
                _log.warning("imaging system not read", extra={"where": str(system.hospital_id), "outcome": told})
                return
        if kept:
            _log.info("imaging system read", extra={"where": str(system.hospital_id), "count": kept})

    async def _read(self, services: "Services", system: System) -> int:
        """All pages of one PACS; how many records were kept."""
        archive = services.pacs.archive(msgspec.convert(system.config, Registered))
        today = services.clock.today().astimezone(SHANGHAI).date()
        reading = _Reading(services, system.hospital_id, archive, self._seen.get(system.hospital_id, {}))
        try:
            async for page in archive.studies(today - timedelta(days=DAYS), today + timedelta(days=1)):
                await reading.page(page)
        except BaseException:  # half a turn: what it found is known beside what was known before
            self._seen[system.hospital_id] = {**reading.before, **reading.seen}
            raise
        self._seen[system.hospital_id] = reading.seen
        return reading.kept


class _Reading:
    """One PACS's turn."""

    def __init__(self, services: "Services", hospital_id: UUID, archive: Archive, before: dict[bytes, _Seen]) -> None:
        self.services = services
        self.hospital_id = hospital_id
        self.archive = archive
        self.before = before
        self.seen: dict[bytes, _Seen] = {}
        self.kept = 0

    async def page(self, studies: list[Study]) -> None:
        """Deal with a page of studies; one that cannot be kept holds up no other."""
        keys = {source_key(self.hospital_id, study.uid): study for study in studies}
        known = await owners(self.services.vault, self.hospital_id, [study.patient_number for study in studies])
        live = await live_studies(self.hospital_id, list(keys))
        for key, study in keys.items():
            try:
                await self._study(key, study, known.get(study.patient_number), live.get(key))
            except (fhir.RecordInvalid, fhir.SubjectMismatch, fhir.KindUnsupported, fhir.Malformed) as error:
                self._failed(type(error).__name__)
            except Problem as problem:
                if problem.kind is UPSTREAM_TIMEOUT:
                    raise
                self._failed(problem.kind.code)

    def _failed(self, outcome: str) -> None:
        _log.warning("study not kept", extra={"where": str(self.hospital_id), "outcome": outcome})

    async def _study(self, key: bytes, study: Study, owner: Owner | None, live: Live | None) -> None:
        if live is not None and (owner is None or owner.person_id != live.person_id):
            raw = await raw_of(self.services.vault, live.record_id)
            if raw is not None and named_in(raw) == study.patient_number:
                return  # the hospital gave its number to another person; the PACS did not move the study
            await self._take_back(key, study, live)
            live = None
        if owner is None:
            return
        now = _Seen(study, owner.person_id, live.record_id if live else None)
        counted = study.series is not None and study.instances is not None
        if not (counted and self.before.get(key) == now):
            now = now._replace(record_id=await self._keep(key, study, owner, live))
        self.seen[key] = now

    async def _keep(self, key: bytes, study: Study, owner: Owner, live: Live | None) -> UUID | None:
        """The study's record as it is now; None where the hospital itself put another in its place."""
        series = await self.archive.series(study.uid, study.patient_number)
        raw = imaging_study(study, series, owner.patient_number)
        if live is not None and live.sha256 == hashlib.sha256(raw).digest():
            return live.record_id
        who = fhir.Who(owner.patient_number, owner.health_card_id, owner.person.id_number)
        return await self._write(key, study.uid, raw, who, owner.person_id)

    async def _take_back(self, key: bytes, study: Study, live: Live) -> None:
        """The PACS gives the study to another patient: what this one had was entered in error."""
        told = Study(study.uid, "", study.started, study.modalities, None, None, None, None)
        raw = imaging_study(told, [], live.health_card_id, "entered-in-error")
        await self._write(key, None, raw, fhir.Who(None, live.health_card_id, ""), live.person_id)

    async def _write(self, key: bytes, uid: str | None, raw: bytes, who: fhir.Who, person_id: UUID) -> UUID | None:
        """Keep a resource in place of the person's live record of the study. uid: None for one that is taken back."""
        facts = await asyncio.to_thread(fhir.read_resource, raw, who, self.services.clock.today())
        async with transaction() as tx:
            replaces = await previous(self.hospital_id, person_id, key, using=tx)
            if replaces is None and (
                uid is None or await corrected_by_hand(self.hospital_id, person_id, key, using=tx)
            ):
                return None
            new = NewRecord(
                uuid4(),
                person_id,
                self.hospital_id,
                None,
                None,
                facts.kind,
                facts.status,
                facts.title,
                facts.occurred_at,
                facts.sampled_at,
                raw,
                [],
                replaces,
                None,
                "dicomweb",
                key if uid is not None else None,
                uid,
            )
            await keep(self.services.vault, new, using=tx)
        self.kept += 1
        return new.record_id
