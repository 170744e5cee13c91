"""Races: one code, many scanners, many texts; a freeze among them."""

import asyncio
import itertools
import time
from collections import Counter

import httpx

from tests.fault.checker import Told
from tests.fault.load import load_on
from tests.process.demo import Demo

RACERS = 200
# One code's text as scanners, input methods and people spoil it.
WIRE_FORMS = (
    "{}",
    " {}",
    "{}\r\n",
    "{}\t",
    "\ufeff{}",
    "]Q1{}",
    "]Q2\\000026{}",
    "\\000026{}",
    "\r\n{}\0",
    "wide:{}",
    " ]Q3{}  \n",
    "wide:]Q1{}\r",
)


def spoilt(form: str, code: str) -> str:
    """The code in one of the wire forms."""
    if form.startswith("wide:"):
        return form[5:].format("".join(chr(ord(digit) + 0xFEE0) for digit in code))
    return form.format(code)


async def test_two_hundred_terminals_one_resolution(demo: Demo, long: bool) -> None:
    me = demo.patient()
    card = demo.card(me)
    async with load_on(demo) as load:
        for _ in range(20 if long else 1):
            found = await load.race(await load.code(me, card["card_id"]), RACERS)
            assert Counter(scan.told for scan in found) == {Told.WON: 1, Told.USED: RACERS - 1}
        verdict = await load.verdict(demo.database_url)
    assert not verdict.faults, verdict
    assert load.ledger.statuses.keys() == {"201", "409"}


async def test_one_terminal_two_hundred_times(demo: Demo) -> None:
    me = demo.patient()
    card = demo.card(me)
    async with load_on(demo) as load:
        code = await load.code(me, card["card_id"])
        found = await asyncio.gather(*(load.scan(load.hospitals[0], code, "T") for _ in range(RACERS)))
        assert Counter(scan.told for scan in found) == {Told.WON: 1, Told.REPLAYED: RACERS - 1}
        assert len({scan.answer for scan in found}) == 1
        verdict = await load.verdict(demo.database_url)
    assert not verdict.faults, verdict


async def test_twelve_texts_of_one_code(demo: Demo) -> None:
    """The signed cti is the code, whatever its text: each of 200 terminals sends each text at once."""
    me = demo.patient()
    card = demo.card(me)
    async with load_on(demo) as load:
        code = await load.code(me, card["card_id"])
        turns = zip(range(RACERS), itertools.cycle(load.hospitals), itertools.cycle(WIRE_FORMS), strict=False)
        found = await asyncio.gather(*(load.scan(who, spoilt(form, code), f"T{n}") for n, who, form in turns))
        assert Counter(scan.told for scan in found) == {Told.WON: 1, Told.USED: RACERS - 1}
        for form in WIRE_FORMS:  # each text by itself is one that is accepted
            alone = await load.scan(load.hospitals[0], spoilt(form, await load.code(me, card["card_id"])), "T")
            assert alone.told is Told.WON, repr(form)
        verdict = await load.verdict(demo.database_url)
    assert not verdict.faults, verdict


async def test_a_scan_begun_after_the_freeze_was_answered_never_resolves(demo: Demo, long: bool) -> None:
    me = demo.patient(3)
    card = demo.card(me, 3)["card_id"]
    async with load_on(demo) as load:
        late = Counter[str]()
        for _ in range(1000 if long else 30):
            code = await load.code(me, card)
            late += await _freeze_among_scans(load.http, me, card, code, load.hospitals[0].headers)
            thawed = await load.post(f"/v1/patient/cards/{card}/unfreeze", me, {})
            assert thawed is not None
            assert thawed.status_code == 200
    assert late.keys() == {"card-revoked"}, late


async def _freeze_among_scans(
    http: httpx.AsyncClient, me: dict[str, str], card: str, code: str, hospital: dict[str, str]
) -> Counter[str]:
    """Scans before, during and after a freeze; what those begun after its answer were told."""

    async def scan(n: int) -> tuple[float, str]:
        await asyncio.sleep(n * 0.001)
        began = time.monotonic()
        body = {"code": code, "step": "0101051", "channel": "0100", "terminal": "T"}
        answer = await http.post("/v1/hospital/resolutions", headers=hospital, json=body)
        return began, "resolved" if answer.is_success else answer.json()["code"]

    async def freeze() -> float:
        await asyncio.sleep(0.002)
        answer = await http.post(f"/v1/patient/cards/{card}/freeze", headers=me, json={})
        assert answer.status_code == 200
        return time.monotonic()

    freezing = asyncio.create_task(freeze())
    scans = await asyncio.gather(*(scan(n) for n in range(6)))
    frozen_at = await freezing
    scans.append(await scan(0))
    return Counter(said for began, said in scans if began > frozen_at)
