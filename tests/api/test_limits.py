"""Rate limits: 429 with Retry-After, in memory and over Redis; a Redis that is down changes nothing but shares."""

import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.limits import Limits
from tests.process.demo import patience
from tests.support.servers import Cluster, Redis
from tests.support.service import Service, refused, running_service

CODES = 60  # a minute and patient


@pytest.fixture(params=["memory", "redis"])
async def limited(request: pytest.FixtureRequest, cluster: Cluster, tmp_path: Path) -> AsyncIterator[Service]:
    url = ""
    if request.param == "redis":
        shared = request.getfixturevalue("redis")
        shared.flush()
        url = shared.url
    async with running_service(cluster, tmp_path, rate_limits=True, redis_url=url) as running:
        yield running


async def test_a_patient_who_asks_too_often_waits_and_others_do_not(limited: Service) -> None:
    me, card = await limited.holder()
    other, other_card = await limited.holder()
    path = f"/v1/patient/cards/{card['card_id']}/codes"
    answers = [await limited.http.post(path, headers=me, json={}) for _ in range(CODES + 3)]
    assert [answer.status_code for answer in answers[:CODES]] == [201] * CODES
    for answer in answers[CODES:]:
        refused(answer, 429, "rate-limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 61
    assert await limited.code(other, other_card)
    assert (await limited.http.get("/v1/patient/cards", headers=me)).status_code == 200, "each call has its own bucket"
    answer = await limited.http.delete("/v1/patient/session", headers=me)
    assert answer.status_code == 204


async def test_signing_in_is_limited_by_address(limited: Service) -> None:
    answers = [await limited.http.post("/v1/patient/session", json={"js_code": "x"}) for _ in range(62)]
    assert [answer.status_code for answer in answers[:60]] == [401] * 60
    refused(answers[-1], 429, "rate-limited")


async def test_two_workers_share_their_limits_over_redis(cluster: Cluster, redis: Redis, tmp_path: Path) -> None:
    redis.flush()
    async with running_service(cluster, tmp_path, rate_limits=True, redis_url=redis.url) as running:
        me, card = await running.holder()
        path = f"/v1/patient/cards/{card['card_id']}/codes"
        for _ in range(CODES // 2):
            await running.http.post(path, headers=me, json={})
        running.services.limits = Limits(redis.url, enabled=True, degraded=lambda: None)  # as another worker has
        said = [(await running.http.post(path, headers=me, json={})).status_code for _ in range(CODES // 2 + 1)]
        assert said == [201] * (CODES // 2) + [429]


async def test_a_redis_that_is_down_leaves_every_answer_right_and_as_fast(cluster: Cluster, tmp_path: Path) -> None:
    own = Redis()
    own.start()
    try:
        async with running_service(cluster, tmp_path, rate_limits=True, redis_url=own.url) as running:
            me, card = await running.holder()
            who, code = await running.hospital(), await running.code(me, card)
            own.kill()
            assert (await running.scan(who, code)).status_code == 201
            assert (await running.scan(who, code)).status_code == 200
            refused(await running.scan(who, code, terminal="W02"), 409, "code-already-used")
            began = time.monotonic()
            codes = [
                await running.http.post(f"/v1/patient/cards/{card['card_id']}/codes", headers=me, json={})
                for _ in range(CODES + 1)
            ]
            assert [answer.status_code for answer in codes][-2:] == [201, 429], "this process counts for itself"
            assert (time.monotonic() - began) / len(codes) < 0.1 * patience()
            metrics = (await running.http.get("/metrics")).text
            (degraded,) = [line for line in metrics.splitlines() if line.startswith("yima_limits_degraded_total")]
            assert float(degraded.split()[1]) >= 1
    finally:
        own.stop()


async def test_a_redis_that_hangs_is_waited_for_once(cluster: Cluster, tmp_path: Path) -> None:
    """A stopped process holds its socket open and never answers."""
    own = Redis()
    own.start()
    try:
        async with running_service(cluster, tmp_path, rate_limits=True, redis_url=own.url) as running:
            me, _ = await running.holder()
            await running.http.get("/v1/patient/cards", headers=me)
            own.signal(signal.SIGSTOP)
            times = []
            for _ in range(5):
                began = time.monotonic()
                assert (await running.http.get("/v1/patient/cards", headers=me)).status_code == 200
                times.append(time.monotonic() - began)
            own.signal(signal.SIGCONT)
            assert min(times[1:]) < 0.05 * patience(), "once the breaker is open, Redis is not asked"
    finally:
        own.stop()


async def test_flushing_redis_frees_no_used_code(cluster: Cluster, tmp_path: Path) -> None:
    own = Redis()
    own.start()
    try:
        async with running_service(cluster, tmp_path, rate_limits=True, redis_url=own.url) as running:
            me, card = await running.holder()
            who, code = await running.hospital(), await running.code(me, card)
            await running.resolved(who, code)
            own.flush()
            refused(await running.scan(who, code, terminal="W02"), 409, "code-already-used")
    finally:
        own.stop()
