"""`yima keys` against a running service: what custodians see and do, and what they are told."""

import asyncio
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.commands.keys import main
from api.commands.verify import main as verify
from codes.rootkey import RootKey
from tests.support.servers import Cluster
from tests.support.service import Service, running_service

ABSENT = "00000000"


@pytest.fixture(scope="module")
async def shared_service(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """Keys may sign a second after they were published."""
    timing = {"key_lead": 1, "key_set_max_age": 1, "ring_poll": 1}
    async with running_service(cluster, tmp_path_factory.mktemp("keys"), **timing) as running:
        yield running


class Custodian:
    """Somebody at a terminal: the environment names the service and holds a token."""

    def __init__(
        self, service: Service, token: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._service, self.token, self._capsys, self._monkeypatch = service, token, capsys, monkeypatch
        self.out = self.err = ""

    async def __call__(self, *arguments: str, stdin: str = "", token: str | None = None) -> int:
        self._monkeypatch.setenv("YIMA_ADMIN_URL", str(self._service.http.base_url))
        self._monkeypatch.setenv("YIMA_ADMIN_TOKEN", self.token if token is None else token)
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        self._capsys.readouterr()
        try:
            status = await asyncio.to_thread(main, list(arguments))
        except SystemExit as ended:
            status = int(ended.code or 0)
        self.out, self.err = self._capsys.readouterr()
        return status

    @property
    def answer(self) -> dict[str, Any]:
        """What --json printed."""
        read: dict[str, Any] = json.loads(self.out)
        return read

    async def active(self, purpose: str = "code") -> str:
        """The kid of a purpose's active key."""
        assert await self("list", "--json") == 0
        [kid] = [key["kid"] for key in self.answer["keys"] if (key["purpose"], key["state"]) == (purpose, "active")]
        return str(kid)


async def signed_in(service: Service, role: str) -> str:
    return (await service.admin(role))["Authorization"].removeprefix("Bearer ")


@pytest.fixture
async def keys(service: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Custodian:
    return Custodian(service, await signed_in(service, "custodian"), capsys, monkeypatch)


# Seeing


async def test_list_is_a_table_of_keys_workers_and_approvals(keys: Custodian) -> None:
    kid = await keys.active()
    assert await keys("list") == 0
    [row] = [line.split() for line in keys.out.splitlines() if kid in line]
    assert row[:3] == ["code", kid, "active"]
    assert row[3].endswith("Z")
    assert "up to date" in keys.out
    assert "waits for a second custodian" in keys.out


async def test_list_for_programs_is_the_services_answer(keys: Custodian, service: Service) -> None:
    assert await keys("list", "--json") == 0
    served = (await service.http.get("/v1/admin/keys", headers={"Authorization": f"Bearer {keys.token}"})).json()
    assert keys.answer["keys"] == served["keys"]
    assert keys.answer["ring_version"] == served["ring_version"]
    assert keys.answer["approvals"] == []


async def test_show_tells_all_of_one_key(keys: Custodian) -> None:
    kid = await keys.active("print")
    assert await keys("show", kid) == 0
    assert f"kid             {kid}\n" in keys.out
    assert await keys("show", kid, "--report", "--json") == 0
    assert (keys.answer["kid"], keys.answer["etag"]) == (kid, f'"ring-{keys.answer["ring_version"]}"')
    assert keys.answer["report"]["resolutions"] == 0


# Rotating


async def test_rotate_and_wait_until_the_new_key_signs(keys: Custodian) -> None:
    before = await keys.active("token")
    assert await keys("rotate", "token", "--wait", "--json") == 0
    new = keys.answer["kid"]
    assert (keys.answer["state"], await keys.active("token")) == ("active", new)
    assert new != before
    assert await keys("show", before, "--json") == 0
    assert keys.answer["state"] == "retiring"


async def test_rotate_says_when_and_repeating_gives_the_same_key(keys: Custodian) -> None:
    assert await keys("rotate", "print", "--json") == 0
    first = keys.answer
    assert first["state"] == "pending"
    assert await keys("rotate", "print", "--json") == 0
    assert keys.answer["kid"] == first["kid"]
    assert await keys("rotate", "print", "--wait") == 0
    assert keys.out == f"print key {first['kid']} is active\n"
    assert f"{first['kid']} is pending; active at 20" in keys.err


async def test_a_transition_whose_gate_does_not_hold_says_which_and_until_when(keys: Custodian) -> None:
    assert await keys("rotate", "token", "--wait", "--json") == 0
    assert await keys("list", "--json") == 0
    retiring = next(k["kid"] for k in keys.answer["keys"] if (k["purpose"], k["state"]) == ("token", "retiring"))
    assert await keys("transition", retiring, "retired", "--reason", "in a hurry") == 1
    assert "(key-gate)" in keys.err
    assert "gate: still-in-use, not before 20" in keys.err
    assert keys.out == ""


async def test_a_transition_under_a_stale_tag_changes_nothing(keys: Custodian) -> None:
    kid = await keys.active("print")
    assert await keys("transition", kid, "retiring", "--reason", "x", "--if-match", '"ring-1"', "--json") == 1
    assert json.loads(keys.err)["code"] == "version-conflict"


async def test_what_takes_two_custodians_waits_for_the_second(keys: Custodian, service: Service) -> None:
    assert await keys("rotate", "token", "--wait", "--json") == 0
    bad = keys.answer["kid"]
    assert await keys("list", "--json") == 0
    retiring = [k for k in keys.answer["keys"] if (k["purpose"], k["state"]) == ("token", "retiring")]
    good = max(retiring, key=lambda key: key["retiring_at"])["kid"]

    assert await keys("transition", good, "active", "--reason", "the new one is bad \x1b[2J", "--json") == 1
    assert json.loads(keys.err)["code"] == "validation-failed"
    assert await keys("transition", good, "active", "--reason", "新密钥有问题") == 0
    approval = keys.out.rsplit(maxsplit=1)[-1]
    assert await keys("list") == 0
    assert approval in keys.out
    assert "(yours): 新密钥有问题" in keys.out

    assert await keys("approve", approval) == 1
    assert "(not-allowed)" in keys.err
    second = await signed_in(service, "custodian")
    assert await keys("approve", approval, token=second) == 0
    assert "token: retiring -> active" in keys.err
    assert keys.out == f"approved; key {good} is active\n"
    assert await keys("show", bad, "--json") == 0
    assert keys.answer["state"] == "retiring"
    assert await keys("approve", approval, token=second) == 0  # repeating gives the same answer
    assert await keys("approve", approval, "--refuse", token=second) == 1
    assert "(approval-closed)" in keys.err


# Cutting off


async def test_a_compromise_says_its_consequence_and_asks_for_the_kid(keys: Custodian, service: Service) -> None:
    me, card = await service.holder()
    hospital = await service.hospital()
    for _ in range(2):
        await service.resolved(hospital, await service.code(me, card))
    kid = await keys.active()

    assert await keys("compromise", kid, "--reason", "found on a memory stick", stdin="yes\n") == 1
    assert "resolutions under it since" in keys.err
    assert ": 2\n" in keys.err
    assert "nothing was done" in keys.err
    assert await keys.active() == kid

    assert await keys("compromise", kid, "--reason", "found on a memory stick", "--json", stdin=f"{kid}\n") == 0
    done = keys.answer
    assert (done["state"], done["resolutions_ended"]) == ("compromised", 2)
    assert await keys.active() == done["replacement_kid"]
    assert await keys("compromise", kid, "--reason", "found on a memory stick", "--json", "--yes") == 0
    assert keys.answer == done
    assert await keys("approve", done["approval_id"], token=await signed_in(service, "custodian")) == 0


async def test_a_compromise_since_a_time_ends_only_what_came_after(keys: Custodian, service: Service) -> None:
    me, card = await service.holder()
    await service.resolved(await service.hospital(), await service.code(me, card))
    kid = await keys.active()
    tomorrow = "2100-01-01T00:00:00+08:00"
    assert await keys("compromise", kid, "--reason", "a drill", "--since", tomorrow, "--yes", "--json") == 0
    assert keys.answer["resolutions_ended"] == 0
    assert "since 2099-12-31T16:00:00Z: 0" in keys.err


# What goes wrong


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", ABSENT), "not-found"),
        (("show", "../../x"), "not-found"),
        (("transition", ABSENT, "retired", "--reason", "x"), "not-found"),
        (("transition", "../a b", "retired", "--reason", "x"), "not-found"),
        (("compromise", ABSENT, "--reason", "x", "--yes"), "not-found"),
        (("approve", ABSENT), "not-found"),
        (("approve", "5f1f5c4e-0000-4000-8000-000000000000"), "not-found"),
        (("rotate", "root"), "validation-failed"),
    ],
)
async def test_what_is_not_there_is_told_as_a_problem(keys: Custodian, arguments: tuple[str, ...], code: str) -> None:
    assert await keys(*arguments) == 1
    assert keys.err.splitlines()[0].endswith(f"({code})")
    assert await keys(*arguments, "--json") == 1
    assert json.loads(keys.err)["code"] == code
    assert keys.out == ""


@pytest.mark.parametrize("role", ["registrar", "auditor"])
async def test_who_is_no_custodian_reads_and_changes_nothing(keys: Custodian, service: Service, role: str) -> None:
    token = await signed_in(service, role)
    assert await keys("list", token=token) == 0
    kid = await keys.active()
    assert await keys("rotate", "code", token=token) == 1
    assert "(not-allowed)" in keys.err
    assert await keys("compromise", kid, "--reason", "x", "--yes", token=token) == 1
    assert await keys.active() == kid


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("dance",),
        ("rotate", "coffee"),
        ("rotate", "code", "--scheduled", "--wait"),
        ("transition", ABSENT, "retired"),
        ("transition", ABSENT, "asleep", "--reason", "x"),
        ("compromise", ABSENT, "--reason", "x", "--since", "yesterday"),
        ("list", "--token", "secret"),
        ("export-public", "--format", "pem"),
    ],
)
async def test_wrong_usage_is_told(keys: Custodian, arguments: tuple[str, ...]) -> None:
    assert await keys(*arguments) == 2
    assert "usage: yima keys" in keys.err


async def test_a_token_comes_from_the_environment_or_a_file(keys: Custodian, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(keys.token + "\n")
    assert await keys("list", token="") == 2
    assert "YIMA_ADMIN_TOKEN" in keys.err
    assert await keys("list", "--token-file", str(file), token="wrong") == 0
    assert await keys("list", token="wrong") == 1
    assert "(unauthenticated)" in keys.err
    assert await keys("list", token="凭证") == 2
    assert "凭证" not in keys.err


async def test_a_service_that_is_not_there_is_told(keys: Custodian, service: Service) -> None:
    assert await keys("list", "--url", "http://127.0.0.1:1") == 1
    assert "cannot be reached" in keys.err
    assert await keys("list", "--url", str(service.sandbox.base_url)) == 1
    assert "is no Yima" in keys.err


# The root's public key, and what it is good for


def yima(service: Service, root: bytes, folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A `yima keys` of its own process, beside the service's database."""
    key_file = folder / "root.key"
    key_file.write_text(root.hex())
    key_file.chmod(stat.S_IRUSR)
    own = {"YIMA_DATABASE_URL": service.services.settings.database_url, "YIMA_ROOT_KEY_FILE": str(key_file)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("YIMA_")}
    command = [sys.executable, "-c", "import sys; from api.commands import main; sys.exit(main())", "keys", *arguments]
    try:
        environment = {**kept, **own, "YIMA_DATA_DIR": str(folder / "data")}
        return subprocess.run(command, capture_output=True, env=environment, check=False)
    finally:
        key_file.unlink()


async def test_export_public_in_each_form_pins_the_served_key_set(
    service: Service, cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    me, card = await service.holder()
    address = str(service.http.base_url)
    for form in ("hex", "cose", "jwk"):
        done = await asyncio.to_thread(yima, service, cluster.root, tmp_path, "export-public", "--format", form)
        assert (done.returncode, done.stderr) == (0, b"")
        pinned = tmp_path / form
        pinned.write_bytes(done.stdout)
        code = await service.code(me, card)
        options = ["--root", str(pinned), "--state", str(tmp_path / "state"), code]
        assert await asyncio.to_thread(verify, ["--keys", address, *options]) == 0
        assert "fetched key set" in capsys.readouterr().err
    told = await asyncio.to_thread(yima, service, cluster.root, tmp_path, "export-public", "--json")
    assert RootKey.read((tmp_path / "hex").read_bytes()).kid.hex() == json.loads(told.stdout)["kid"]


async def test_init_again_changes_nothing(service: Service, cluster: Cluster, tmp_path: Path) -> None:
    done = await asyncio.to_thread(yima, service, cluster.root, tmp_path, "init", "--json")
    assert json.loads(done.stdout) == {"root_key_made": False, "keys_made": False}
    assert not (tmp_path / "data").exists()
    (tmp_path / "data").mkdir()
    await asyncio.to_thread(yima, service, cluster.root, tmp_path, "init")
    exported = await asyncio.to_thread(yima, service, cluster.root, tmp_path, "export-public")
    assert (tmp_path / "data/root.pub").read_bytes() == exported.stdout


async def test_another_root_key_exports_nothing(service: Service, tmp_path: Path) -> None:
    done = await asyncio.to_thread(yima, service, bytes(32), tmp_path, "export-public")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Traceback" not in done.stderr


async def test_a_compromised_key_is_gone_from_the_next_set(
    keys: Custodian, service: Service, cluster: Cluster, tmp_path: Path
) -> None:
    """The whole way: a code that verified offline does not once the next set is fetched."""
    pinned = tmp_path / "root.pub"
    pinned.write_bytes((await asyncio.to_thread(yima, service, cluster.root, tmp_path, "export-public")).stdout)
    me, card = await service.holder()
    code, kid = await service.code(me, card), await keys.active()
    options = ["--keys", str(service.http.base_url), "--root", str(pinned), "--state", str(tmp_path / "state"), code]
    assert await asyncio.to_thread(verify, options) == 0
    assert await keys("compromise", kid, "--reason", "a drill", "--yes") == 0
    assert await asyncio.to_thread(verify, options) == 1
    async with httpx.AsyncClient(base_url=service.http.base_url, trust_env=False) as http:
        assert bytes.fromhex(kid) in (await http.get("/.well-known/yima/keyset.cose")).content
