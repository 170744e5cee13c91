"""Consent withdrawn while it is read: an overlap may go either way; a reading begun after the answer sees nothing.

threat 25 of security.md; 1,000 races in `make fault`, fewer here.
"""

import asyncio
import os

from tests.support.records import Window, lab, patient, rule
from tests.support.service import Service

RACES = 1000 if os.environ.get("YIMA_TEST_LONG") else 20
READERS = 4


async def test_a_reading_begun_after_the_withdrawals_answer_sees_nothing(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    record = (await a.posted(lab()))["record_id"]
    loop, seen, late = asyncio.get_running_loop(), 0, 0

    async def read(window: Window, until: asyncio.Event) -> list[tuple[float, bool]]:
        found: list[tuple[float, bool]] = []
        while not until.is_set():
            began = loop.time()
            by_list = len(found) % 2
            shown = bool(await window.listed()) if by_list else (await window.get(record)).status_code == 200
            found.append((began, shown))
        return found

    for _ in range(RACES):
        assert (await me.allow(rule(b.hospital_id))).status_code == 200
        stop = asyncio.Event()
        readers = [asyncio.create_task(read(b, stop)) for _ in range(READERS)]
        await asyncio.sleep(0.005)
        assert (await me.allow()).status_code == 200
        answered = loop.time()
        await asyncio.sleep(0.01)
        stop.set()
        for began, shown in [one for reader in await asyncio.gather(*readers) for one in reader]:
            assert not (shown and began > answered), "read after the withdrawal's answer"
            seen += shown
            late += began > answered
    assert seen >= RACES, "nothing was read before the withdrawals: the race tried nothing"
    assert late >= RACES, "nothing was asked after the withdrawals: the race tried nothing"


async def test_every_reading_that_showed_something_is_an_access(service: Service) -> None:
    me = await patient(service)
    a, b = await me.at(), await me.at("乙医院")
    record = (await a.posted(lab()))["record_id"]
    statuses = []
    for allowed in (True, False) * 5:
        change = me.allow(rule(b.hospital_id)) if allowed else me.allow()
        answers = await asyncio.gather(change, *(b.get(record) for _ in range(8)))
        statuses += [answer.status_code for answer in answers[1:]]
    told = await service.value(
        "SELECT count(*) FROM accesses WHERE resolution_id = $1 AND records = ARRAY[$2::uuid]", b.resolution_id, record
    )
    assert told == statuses.count(200) > 0
