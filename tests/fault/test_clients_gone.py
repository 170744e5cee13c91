"""Clients that go away in the middle of a request: commit or roll back, and the connection is fit for the next."""

import asyncio
import json
from urllib.parse import urlsplit

from tests.fault.checker import Told
from tests.fault.load import cti_of, ledger_rows, load_on
from tests.process.demo import Demo, Headers


def request_for(demo: Demo, who: Headers, code: str, terminal: str) -> bytes:
    """The bytes of a scan."""
    body = json.dumps({"code": code, "step": "0101051", "channel": "0100", "terminal": terminal}).encode()
    head = (
        f"POST /v1/hospital/resolutions HTTP/1.1\r\nHost: {urlsplit(demo.info['base_url']).netloc}\r\n"
        f"Authorization: {who['Authorization']}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def leave(demo: Demo, sent: bytes, after: float) -> None:
    """Send this, wait so long, and reset the connection."""
    place = urlsplit(demo.info["base_url"])
    _, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(sent)
    await writer.drain()
    await asyncio.sleep(after)
    writer.transport.abort()


async def test_gone_before_the_answer(demo: Demo, long: bool) -> None:
    me = demo.patient()
    card = demo.card(me)["card_id"]
    async with load_on(demo) as load:
        hospital = load.hospitals[0]
        for n in range(500 if long else 60):
            code = await load.code(me, card)
            await leave(demo, request_for(demo, hospital.headers, code, "T"), after=(n % 12) * 0.001)
            again = await load.scan(hospital, code, "T")
            assert again.told in (Told.WON, Told.REPLAYED)
            assert len(await ledger_rows(demo.database_url, {cti_of(code)})) == 1
        left = Told.REPLAYED in {scan.told for scan in load.ledger.scans}
        raced = await load.race(await load.code(me, card), 50)
    assert left, "no scan was committed for a client that had gone"
    assert sorted(scan.told for scan in raced).count(Told.WON) == 1
    assert load.ledger.statuses.keys() <= {"200", "201", "409"}


async def test_gone_in_the_middle_of_the_body(demo: Demo) -> None:
    me = demo.patient()
    card = demo.card(me)["card_id"]
    async with load_on(demo) as load:
        code = await load.code(me, card)
        whole = request_for(demo, load.hospitals[0].headers, code, "T")
        await asyncio.gather(*(leave(demo, whole[: len(whole) * n // 20], after=0.01) for n in range(1, 20)))
        assert await ledger_rows(demo.database_url, {cti_of(code)}) == []
        assert (await load.scan(load.hospitals[1], code, "T")).told is Told.WON
