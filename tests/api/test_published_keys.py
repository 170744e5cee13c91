"""The published key sets: the same keys in three forms, never old ones, one of them signed by the root."""

from email.utils import parsedate_to_datetime
from typing import Final

import pytest

from api.app import openapi_document
from api.publishing import SignedSets
from api.run.root_key import public_of
from codes.keyset import KeySet
from codes.ring import KeyRing, KeyState, Purpose
from codes.signedset import open_set
from tests.codes.support import NOW, ring_key
from tests.support.service import Service, refused

CBOR: Final = "/.well-known/yima/keys.cbor"
SIGNED: Final = "/.well-known/yima/keyset.cose"
JWKS: Final = "/.well-known/jwks.json"
ALL: Final = (CBOR, SIGNED, JWKS)


async def test_the_signed_set_says_what_the_bare_ones_say(service: Service) -> None:
    ring = service.services.vault.ring
    answer = await service.http.get(SIGNED)
    found = open_set(answer.content, public_of(ring), int(service.now()), 0)
    assert found.keyset.keys == KeySet.from_cbor((await service.http.get(CBOR)).content).keys
    assert found.keyset.keys == KeySet.from_jwks((await service.http.get(JWKS)).content).keys
    assert found.version == ring.version
    assert found.revoked == frozenset()
    assert found.expires_at - found.issued_at == service.services.settings.key_set_life
    assert 0 <= service.now() - found.issued_at <= service.services.settings.key_set_max_age


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (CBOR, "application/cose-key-set"),
        (SIGNED, 'application/cose; cose-type="cose-sign1"'),
        (JWKS, "application/jwk-set+json"),
    ],
)
async def test_each_says_what_it_is_and_how_long_it_may_be_kept(service: Service, path: str, kind: str) -> None:
    await service.move_time(0)
    answer = await service.http.get(path)
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert (await service.http.head(path)).headers["etag"] == answer.headers["etag"]


@pytest.mark.parametrize("path", ALL)
async def test_date_is_the_databases_time(service: Service, path: str) -> None:
    """Verifiers set their clocks by it; with 304 too."""
    await service.move_time(86_400)
    answer = await service.http.get(path)
    same = await service.http.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (answer.status_code, same.status_code) == (200, 304)
    for each in (answer, same):
        told = parsedate_to_datetime(each.headers["date"]).timestamp()
        assert abs(told - service.now()) < 5


@pytest.mark.parametrize("path", ALL)
async def test_a_worker_that_was_cut_off_publishes_nothing(
    service: Service, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.services.keeper, "_loaded_at", float("-inf"))
    answer = await service.http.get(path)
    refused(answer, 503, "try-again")
    assert "retry-after" in answer.headers
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ALL)
async def test_a_database_that_was_put_back_publishes_nothing(
    service: Service, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.services.keeper.seen, "highest", service.services.vault.ring.version + 1)
    refused(await service.http.get(path), 503, "ring-rolled-back")


@pytest.mark.parametrize("path", ALL)
def test_the_document_declares_it(path: str) -> None:
    responses = openapi_document()["paths"][path]["get"]["responses"]
    assert {"200", "304", "503"} <= set(responses)


# Signed again only when there is something to say


def ring_of(version: int, *more: tuple[Purpose, KeyState, int]) -> KeyRing:
    kinds = ((Purpose.ROOT, KeyState.ACTIVE, 1), (Purpose.CODE, KeyState.ACTIVE, 1), *more)
    return KeyRing(version, [ring_key(*kind) for kind in kinds])


def test_within_a_step_all_workers_give_the_same_bytes() -> None:
    start = NOW - NOW % 300
    one, two = SignedSets(), SignedSets()
    first = one.current(ring_of(5), start, life=1000_000, max_age=300)
    assert one.current(ring_of(5), start + 299.9, life=1000_000, max_age=300) is not first
    assert one.current(ring_of(5), start + 299.9, life=1000_000, max_age=300).data is first.data
    assert two.current(ring_of(5), start + 150, life=1000_000, max_age=300) == first


def test_it_is_signed_again_when_old_and_when_the_ring_turned() -> None:
    start = NOW - NOW % 300
    sets = SignedSets()
    first = sets.current(ring_of(5), start, life=1000_000, max_age=300).data
    renewed = sets.current(ring_of(5), start + 300, life=1000_000, max_age=300).data
    turned = sets.current(ring_of(6, (Purpose.CODE, KeyState.COMPROMISED, 2)), start + 300, life=1000_000, max_age=300)
    assert len({first, renewed, turned.data}) == 3
    root = public_of(ring_of(5))
    assert open_set(renewed, root, start + 300, 5).issued_at == start + 300
    found = open_set(turned.data, root, start + 300, 5)
    assert (found.version, len(found.revoked)) == (6, 1)


@pytest.mark.parametrize(("life", "max_age"), [(60, 300), (60, 86_400), (259_200, 300), (100, 1)])
def test_however_it_is_set_what_a_cache_keeps_is_still_good(life: int, max_age: int) -> None:
    for second in range(life):
        published = SignedSets().current(ring_of(5), NOW + second, life=life, max_age=max_age)
        kept_until = NOW + second + published.max_age
        open_set(published.data, public_of(ring_of(5)), kept_until, 5)
        if second > 120:
            break
