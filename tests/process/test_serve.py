"""`yima serve`: what it refuses, and the whole way with real settings against systems of their own."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from api.run.postgres import EmbeddedPostgres
from api.sandbox.config import SandboxSecrets
from api.sandbox.pay_keys import make_pay_keys
from tests.process.demo import YIMA, Program, bearer, clean_environment, free_port
from tests.process.processes import wait_for
from tests.support.pay import pay_folder


@contextmanager
def sandbox() -> Iterator[tuple[str, dict[str, Any]]]:
    """A sandbox of its own: its address, and the first of its people."""
    process = subprocess.Popen(
        [sys.executable, "-m", "api.sandbox", "--port", "0"],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        yield process.stdout.readline().split()[1], _first_person()
    finally:
        process.terminate()
        process.wait(10)


def _first_person() -> dict[str, Any]:
    from api.sandbox.people import demo_people_json

    return dict(demo_people_json()[0])


def yima(settings: dict[str, str], *arguments: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        [YIMA, *arguments], env=clean_environment(**settings), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def real_settings(folder: Path, upstream: str) -> dict[str, str]:
    """What an operator would set."""
    accounts = SandboxSecrets().environment()
    addresses = {f"YIMA_{name}_URL": upstream for name in ("WECHAT", "REGISTRY", "SMS", "INSURER", "WECHAT_PAY")}
    return {
        **accounts,
        **addresses,
        **make_pay_keys(pay_folder()),
        "YIMA_DATA_DIR": str(folder / "data"),
        "YIMA_ROOT_KEY_FILE": str(folder / "keys" / "root.key"),
        "YIMA_WORKERS": "2",
    }


def test_from_nothing_to_a_resolved_code(folder: Path, started: list[Program]) -> None:
    """migrate, keys init, admin add, hospital add, serve: against a PostgreSQL and upstreams started separately."""
    database = EmbeddedPostgres(folder / "pg")
    with sandbox() as (upstream, person):
        try:
            settings = {**real_settings(folder, upstream), "YIMA_DATABASE_URL": database.start()}
            assert "of this build's version" in yima(settings, "migrate")
            assert "made the root key" in yima(settings, "keys", "init")
            assert yima(settings, "keys", "init") == "every purpose has its key\n"
            admin = json.loads(yima(settings, "admin", "add", "first", "registrar", "--json"))
            hospital = json.loads(yima(settings, "hospital", "add", "第一医院", "H1", "430102", "--json"))
            serving = Program([YIMA, "serve"], folder / "data", **settings)
            started.append(serving)
            with httpx.Client(base_url=f"http://127.0.0.1:{serving.port}", timeout=10, trust_env=False) as http:
                wait_for("ready", lambda: _answers(http, serving), 20)
                _journey(http, person, hospital)
                assert http.get("/v1/admin/hospitals", headers=bearer(admin["token"])).status_code == 200
                assert http.get("/demo/people").status_code == 404
            serving.process.terminate()
            serving.gone(15)
            assert serving.process.returncode == 0
        finally:
            database.stop()


def _answers(http: httpx.Client, program: Program) -> bool:
    assert program.process.poll() is None, program.text()
    try:
        return http.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _journey(http: httpx.Client, person: dict[str, Any], hospital: dict[str, str]) -> None:
    me = bearer(http.post("/v1/patient/session", json={"js_code": person["js_code"]}).json()["token"])
    body = {
        **{name: person[name] for name in ("name", "id_type", "id_number", "phone", "insurance")},
        "relation": "self",
        "proof": {"type": "wechat-phone", "code": person["phone_code"]},
        "consent": {"policy": "2026-11"},
    }
    made = http.post("/v1/patient/cards", headers=me, json=body)
    assert made.status_code == 201, made.text
    code = http.post(f"/v1/patient/cards/{made.json()['card_id']}/codes", headers=me, json={}).json()["code"]
    basic = (hospital["client_id"], hospital["client_secret"])
    token = http.post("/v1/oauth/token", data={"grant_type": "client_credentials"}, auth=basic).json()["access_token"]
    scan = {"code": code, "step": "0101051", "channel": "0100", "terminal": "W01"}
    resolved = http.post("/v1/hospital/resolutions", headers=bearer(token), json=scan)
    assert resolved.status_code == 201, resolved.text
    assert resolved.json()["card"]["name"] == person["name"]


@pytest.fixture
def key(folder: Path) -> Path:
    """A root key."""
    path = folder / "root.key"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    return path


def refused(folder: Path, **changed: str) -> str:
    """The one line that `yima serve` says when it refuses."""
    settings = {
        **real_settings(folder, "http://127.0.0.1:9"),
        "YIMA_ROOT_KEY_FILE": str(folder / "root.key"),
        "YIMA_PORT": str(free_port()),
        **changed,
    }
    done = subprocess.run(
        [YIMA, "serve"], env=clean_environment(**settings), capture_output=True, text=True, timeout=60, check=False
    )
    lines = done.stderr.splitlines()
    assert (done.returncode, len(lines), done.stdout) == (1, 1, ""), done.stderr
    return lines[0]


def test_serve_refuses_a_lead_too_short(folder: Path, key: Path) -> None:
    line = refused(folder, YIMA_KEY_LEAD="344")
    assert line == "yima: YIMA_KEY_LEAD is 344, below YIMA_KEY_SET_MAX_AGE + YIMA_RING_POLL + 30 = 345"


def test_serve_refuses_without_its_root_key(folder: Path, key: Path) -> None:
    key.unlink()
    assert refused(folder).startswith(f"yima: there is no root key at {key}: make one with")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_serve_refuses_a_root_key_open_to_others(folder: Path, key: Path, mode: int) -> None:
    key.chmod(mode)
    assert refused(folder) == f"yima: the root key {key} is open to others: chmod 600 {key}"


def test_serve_refuses_what_is_no_root_key(folder: Path, key: Path) -> None:
    key.write_text("00" * 31)
    assert "is not a root key" in refused(folder)


def test_serve_refuses_without_an_upstream(folder: Path, key: Path) -> None:
    assert refused(folder, YIMA_INSURER_URL="") == "yima: YIMA_INSURER_URL is not set"


def test_serve_says_that_the_database_does_not_answer(folder: Path, key: Path) -> None:
    line = refused(folder, YIMA_DATABASE_URL=f"postgres://u:secret-word@127.0.0.1:{free_port()}/x")
    assert "secret-word" not in line


async def test_serve_refuses_a_database_of_another_version(folder: Path, key: Path) -> None:
    database = EmbeddedPostgres(folder / "pg")
    try:
        url = database.start()
        assert "run `yima migrate`" in refused(folder, YIMA_DATABASE_URL=url)
        yima({"YIMA_DATABASE_URL": url, "YIMA_DATA_DIR": str(folder / "data")}, "migrate")
        connection = await asyncpg.connect(url)
        await connection.execute(
            "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('models', '9999_of_tomorrow', now())"
        )
        await connection.close()
        line = refused(folder, YIMA_DATABASE_URL=url)
        assert "9999_of_tomorrow" in line
        assert "install that build or a later one" in line
    finally:
        database.stop()
