"""A day of the ledger beside WeChat's statement and the insurer's books: every difference is found, and no other.

Nothing corrects itself (issue 7, point 8; pitfall 25).
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pytest

from api.booking.shown import SHANGHAI
from tests.payment.two_books import PARTS, Planted, Two, plant_at_insurer, plant_at_wechat
from tests.support.payment import Till, ok, open_till
from tests.support.service import Headers, Service, refused

NOBODY: Final = {"count": 0, "amount_fen": 0, "refund_fen": 0}


@pytest.fixture
async def auditor(service: Service) -> Headers:
    return await service.admin("auditor")


@pytest.fixture
async def till(service: Service) -> Till:
    return await open_till(service)


def today(service: Service) -> date:
    return datetime.fromtimestamp(service.now(), SHANGHAI).date()


async def hospital_of(till: Till) -> tuple[UUID, str]:
    found = await till.service.sql(
        "SELECT h.id, h.code FROM resolutions r JOIN hospitals h ON h.id = r.hospital_id WHERE r.id = $1",
        till.resolution,
    )
    return found[0]["id"], found[0]["code"]


@pytest.fixture
async def two(service: Service, till: Till) -> AsyncIterator[Two]:
    """The books of yesterday, which both sides give out; empty again afterwards."""
    made = Two(service, *await hospital_of(till), today(service) - timedelta(days=1))
    await ready(service, made.day)
    pay = service.world.pay_books
    both: Any = (pay.orders, pay.refunds, service.world.insurer_books.settlements)
    before = [set(books) for books in both]
    await service.sql("ALTER TABLE ledger_entries DISABLE TRIGGER USER")  # an entry of no bill is what nobody can write
    yield made
    for books, kept in zip(both, before, strict=True):
        for number in books.keys() - kept:
            del books[number]
    await service.sql("DELETE FROM ledger_entries WHERE bill_id NOT IN (SELECT id FROM bills)")
    await service.sql("ALTER TABLE ledger_entries ENABLE TRIGGER USER")


async def ready(service: Service, day: date) -> None:
    """WeChat's statement of a day, before its time."""
    assert (await service.sandbox.post("/sandbox/statements", json={"date": day.isoformat()})).status_code == 204


async def asked(service: Service, who: Headers, day: date, channel: str, **headers: str) -> httpx.Response:
    body = {"date": day.isoformat(), "channel": channel}
    return await service.http.post("/v1/admin/reconciliations", headers={**who, **headers}, json=body)


async def compared(service: Service, who: Headers, day: date, channel: str) -> dict[str, Any]:
    return ok(await asked(service, who, day, channel), 201)


def found(made: dict[str, Any]) -> set[Planted]:
    assert made["status"] == ("differs" if made["differences"] else "matched")
    return {(one["kind"], one["ref"], one["ours_fen"], one["theirs_fen"]) for one in made["differences"]}


# Equal books


async def test_what_people_did_today_is_the_same_in_all_books(service: Service, till: Till, auditor: Headers) -> None:
    await till.paid()
    back = await till.paid()
    await till.refund(back, all=True)
    await till.until(back, "refunded")
    part = await till.paid()
    await till.refund(part, items=[{"item_id": part["items"][0]["item_id"], "quantity": "1"}])
    await till.until(part, "partly-refunded")
    ok(await till.at_window(await till.bill()), 201)
    await till.paid(self_paid=True)
    await ready(service, today(service))
    for channel in ("wechat", "insurer"):
        made = await compared(service, auditor, today(service), channel)
        assert (made["status"], made["differences"], made["code"]) == ("matched", [], None)
        assert made["ours"] == made["theirs"]
        assert min(made["ours"].values()) > 0


async def test_a_settlement_that_was_taken_back_for_its_parts_is_known(
    service: Service, till: Till, auditor: Headers
) -> None:
    bill = await till.bill()
    wrong = {"setlinfo": {"fund_pay_sumamt": "1.23"}}
    await service.fault("insurer", "lie", match={"infno": "2207"}, set=wrong)
    refused(await till.ask_payment(bill), 502, "insurer-parts-mismatch")
    assert (await till.until(bill, "due"))["setl_id"] is None
    assert await service.value("SELECT count(*) FROM settlements WHERE taken_back AND reversed_at IS NOT NULL") == 1
    assert found(await compared(service, auditor, today(service), "insurer")) == set()


async def test_a_day_on_which_nothing_happened(service: Service, auditor: Headers) -> None:
    for channel in ("wechat", "insurer"):
        made = await compared(service, auditor, today(service) - timedelta(days=90), channel)
        assert (made["status"], made["ours"], made["theirs"]) == ("matched", NOBODY, NOBODY)


# Differences


async def test_twenty_planted_differences_are_found_and_no_other(
    service: Service, two: Two, auditor: Headers, caplog: pytest.LogCaptureFixture
) -> None:
    await two.equal()
    planted = {"wechat": await plant_at_wechat(two), "insurer": await plant_at_insurer(two)}
    planted["wechat"].add(("missing-ours", two.ordered(1), None, 1))
    assert sum(map(len, planted.values())) == 20
    for channel, expected in planted.items():
        caplog.clear()
        made = await compared(service, auditor, two.day, channel)
        assert found(made) == expected
        assert len(made["differences"]) == len(expected)
        assert any("lacks" in record.getMessage() for record in caplog.records)
        assert not any(one[1] in record.getMessage() for one in expected for record in caplog.records)
        shown = ok(await service.http.get(f"/v1/admin/reconciliations/{made['reconciliation_id']}", headers=auditor))
        assert shown == made


async def test_nothing_corrects_itself(service: Service, two: Two, auditor: Headers) -> None:
    planted = await plant_at_wechat(two) | await plant_at_insurer(two)
    before = await service.value("SELECT count(*) FROM ledger_entries")
    for _ in range(2):
        again = found(await compared(service, auditor, two.day, "wechat"))
        assert again | found(await compared(service, auditor, two.day, "insurer")) == planted
    assert await service.value("SELECT count(*) FROM ledger_entries") == before


async def test_differences_that_cancel_out_in_every_sum(service: Service, two: Two, auditor: Headers) -> None:
    lost, only_ours = two.settled(), f"S{secrets.token_hex(8)}"
    await two.settle(only_ours)
    made = await compared(service, auditor, two.day, "insurer")
    assert made["ours"] == made["theirs"]
    assert {one[1] for one in found(made)} == {lost, only_ours}


async def test_a_settlement_at_a_hospital_that_entered_nothing_that_day(
    service: Service, two: Two, auditor: Headers
) -> None:
    await two.equal()
    other = await open_till(service)
    await other.bill()
    lost = Two(service, *await hospital_of(other), two.day).settled()
    assert found(await compared(service, auditor, two.day, "insurer")) == {("missing-ours", lost, None, PARTS.total)}


async def test_a_settlement_under_another_insurance_type_is_seen_in_the_sums(
    service: Service, two: Two, auditor: Headers
) -> None:
    await two.settle(two.settled(insutype="390"))
    assert found(await compared(service, auditor, two.day, "insurer")) == {
        ("amount", f"{two.code}-310", PARTS.total, None)
    }


async def test_a_day_of_which_wechat_has_no_statement_lacks_all_that_we_have(
    service: Service, two: Two, auditor: Headers
) -> None:
    day = two.day - timedelta(days=10)
    earlier = Two(service, two.hospital_id, two.code, day)
    number = uuid4().hex
    await earlier.pay(number, 500)
    assert found(await compared(service, auditor, day, "wechat")) == {("missing-theirs", number, 500, None)}


# Books that do not come


async def test_a_statement_that_is_not_there_yet(service: Service, two: Two, auditor: Headers) -> None:
    await service.stop_time(datetime.combine(today(service) + timedelta(days=1), time(9, 59), SHANGHAI).timestamp())
    two.service.world.pay_books.ready.clear()
    who, day = await service.admin("auditor"), today(service) - timedelta(days=1)
    later, number = Two(service, two.hospital_id, two.code, day), uuid4().hex
    await later.pay(number, 700)
    await later.pay(later.ordered(1), 1)
    made = await compared(service, who, day, "wechat")
    assert (made["status"], made["code"], made["theirs"]) == ("failed", "statement-not-ready", None)
    assert made["ours"]["amount_fen"] >= 700
    assert made["differences"] == []
    await ready(service, day)
    assert ("missing-theirs", number, 700, None) in found(await compared(service, who, day, "wechat"))


@pytest.mark.parametrize(
    "lie",
    [
        {"hash_value": "0" * 40},
        {"hash_type": "MD5"},
        {"download_url": "https://example.com/v3/billdownload/file?token=1"},
    ],
    ids=["other hash", "no SHA-1", "foreign host"],
)
async def test_a_statement_that_is_not_the_one_wechat_named(
    service: Service, two: Two, auditor: Headers, lie: dict[str, str]
) -> None:
    await two.equal()
    await service.fault("wechat-pay", "lie", match={"path": "tradebill"}, set=lie)
    made = await compared(service, auditor, two.day, "wechat")
    assert (made["status"], made["code"], made["theirs"]) == ("failed", "statement-broken", None)
    assert made["ours"] == {"count": 2, "amount_fen": 1234, "refund_fen": 234}
    assert found(await compared(service, auditor, two.day, "wechat")) == set()


@pytest.mark.parametrize("end", [-1000, -40, -2])
async def test_a_statement_cut_short(
    service: Service, two: Two, auditor: Headers, monkeypatch: pytest.MonkeyPatch, end: int
) -> None:
    await two.equal()
    whole = (await service.services.upstreams.pay.statement(two.day)).rstrip()

    async def cut(_day: date) -> bytes:
        return whole[:end]

    monkeypatch.setattr(service.services.upstreams.pay, "statement", cut)
    made = await compared(service, auditor, two.day, "wechat")
    assert (made["status"], made["code"], made["differences"]) == ("failed", "statement-broken", [])


@pytest.mark.parametrize(
    ("channel", "upstream", "fault", "match", "code"),
    [
        ("wechat", "wechat-pay", "reset", {"path": "tradebill"}, "payment-unavailable"),
        ("wechat", "wechat-pay", "unsigned", {"path": "tradebill"}, "payment-unavailable"),
        ("wechat", "wechat-pay", "http-500", {"path": "billdownload"}, "payment-unavailable"),
        ("insurer", "insurer", "reset", {"infno": "3201"}, "insurer-unavailable"),
        ("insurer", "insurer", "http-500", {"infno": "9101"}, "insurer-unavailable"),
        ("insurer", "insurer", "error", {"infno": "3202"}, "insurer-unavailable"),
        ("insurer", "insurer", "drop-answer", {"infno": "9102"}, "insurer-unavailable"),
    ],
)
async def test_a_call_that_fails_is_said_and_ours_is_shown(
    service: Service, two: Two, auditor: Headers, channel: str, upstream: str, fault: str, match: Any, code: str
) -> None:
    await two.equal()
    await service.fault(upstream, fault, match=match)
    made = await compared(service, auditor, two.day, channel)
    assert (made["status"], made["code"], made["theirs"], made["differences"]) == ("failed", code, None, [])
    assert made["ours"]["count"] == 2


# By itself


async def own_rows(service: Service, day: date) -> list[tuple[str, str, str | None]]:
    found = await service.sql(
        "SELECT channel, status, code FROM reconciliations WHERE date = $1 AND asked_by IS NULL ORDER BY at, channel",
        day,
    )
    return [tuple(one) for one in found]


async def test_at_half_past_ten_yesterday_is_compared_once(service: Service, till: Till) -> None:
    await till.paid()
    day = today(service)
    services, morrow = service.services, day + timedelta(days=1)

    async def at(hour: int, minute: int) -> None:
        await service.stop_time(datetime.combine(morrow, time(hour, minute), SHANGHAI).timestamp())
        await asyncio.gather(*(services.reconciler.turn(services) for _ in range(3)))

    await service.sandbox.delete("/sandbox/faults")
    await at(10, 29)
    assert await own_rows(service, day) == []
    await service.fault("wechat-pay", "http-500", match={"path": "tradebill"}, times=3)
    await at(10, 30)
    rows = await own_rows(service, day)
    assert [one for one in rows if one[0] == "insurer"] == [("insurer", "matched", None)]
    assert {one for one in rows if one[0] == "wechat"} == {("wechat", "failed", "payment-unavailable")}
    await service.sandbox.delete("/sandbox/faults")
    await at(10, 39)
    assert await own_rows(service, day) == rows
    await at(10, 41)
    assert [one for one in await own_rows(service, day) if one not in rows] == [("wechat", "matched", None)]
    await at(23, 59)
    assert sum(one[1] == "matched" for one in await own_rows(service, day)) == 2


# Auditors


async def test_an_explanation_stands_and_every_one_is_audited(service: Service, two: Two, auditor: Headers) -> None:
    two.ordered(77)
    made = await compared(service, auditor, two.day, "wechat")
    path = f"/v1/admin/differences/{made['differences'][0]['difference_id']}/explanation"
    for text in ("手工补单", "手工补单，已与微信核对"):
        explained = ok(await service.http.post(path, headers=auditor, json={"explanation": text}))
        assert (explained["explanation"], explained["explained_at"] is None) == (text, False)
    shown = ok(await service.http.get(f"/v1/admin/reconciliations/{made['reconciliation_id']}", headers=auditor))
    assert shown["differences"] == [explained]
    assert shown["status"] == "differs"
    entries = await service.sql("SELECT action, reason FROM audit_entries ORDER BY id DESC LIMIT 3")
    assert [tuple(one) for one in entries] == [
        ("difference.explain", "手工补单，已与微信核对"),
        ("difference.explain", "手工补单"),
        ("reconciliation.run", None),
    ]
    refused(await service.http.post(path, headers=auditor, json={"explanation": "\u200b"}), 422, "validation-failed")
    nowhere = f"/v1/admin/differences/{uuid4()}/explanation"
    refused(await service.http.post(nowhere, headers=auditor, json={"explanation": "x"}), 404, "not-found")


async def test_the_list_is_by_day_and_channel_newest_first(service: Service, auditor: Headers) -> None:
    day = today(service) - timedelta(days=20)
    made = [await compared(service, auditor, day, channel) for channel in ("wechat", "insurer", "wechat")]

    async def page(**query: Any) -> dict[str, Any]:
        return ok(
            await service.http.get("/v1/admin/reconciliations", headers=auditor, params={"date": str(day), **query})
        )

    assert (await page())["reconciliations"] == made[::-1]
    assert (await page(channel="insurer"))["reconciliations"] == [made[1]]
    first = await page(limit=2)
    assert first["reconciliations"] == [made[2], made[1]]
    assert (await page(limit=2, cursor=first["next_cursor"])) == {"reconciliations": [made[0]], "next_cursor": None}
    refused(
        await service.http.get("/v1/admin/reconciliations", headers=auditor, params={"channel": "cash"}),
        422,
        "validation-failed",
    )


async def test_the_same_key_compares_once(service: Service, auditor: Headers) -> None:
    day, key = today(service) - timedelta(days=30), {"Idempotency-Key": secrets.token_hex(8)}
    first, again = [await asked(service, auditor, day, "wechat", **key) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("days", [1, 2, -91, -4000])
async def test_a_day_that_nobody_can_compare(service: Service, auditor: Headers, days: int) -> None:
    no = refused(
        await asked(service, auditor, today(service) + timedelta(days=days), "wechat"), 422, "validation-failed"
    )
    assert [one["field"] for one in no["errors"]] == ["/date"]


async def test_only_auditors_see_it(service: Service, till: Till) -> None:
    day = today(service)
    for role in ("custodian", "registrar"):
        refused(await asked(service, await service.admin(role), day, "wechat"), 403, "not-allowed")
    for who in (till.me, till.hospital):
        assert (await asked(service, who, day, "wechat")).status_code in (401, 403)
        assert (await service.http.get(f"/v1/admin/reconciliations/{uuid4()}", headers=who)).status_code in (401, 403)
    auditor = await service.admin("auditor")
    nowhere = await service.http.get(f"/v1/admin/reconciliations/{uuid4()}", headers=auditor)
    refused(nowhere, 404, "not-found")
