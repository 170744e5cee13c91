"""`yima demo`: everything on one machine, with an embedded PostgreSQL, the sandbox and fictional people."""

import json
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path
from socket import socket
from typing import Any, Final
from uuid import UUID

import httpx

from api.logs import configure
from api.run.demo_sessions import publish_sessions
from api.run.processes import Child, child_environment, python
from api.run.root_key import make_root_key, public_of, read_root_key, write_public
from api.run.screen import start_screen
from api.run.supervisor import CannotStart, listen, run, running
from api.sandbox.config import SandboxSecrets
from api.sandbox.pay_keys import make_pay_keys
from api.sandbox.people import demo_people_json
from api.settings import Settings, read_settings
from models import admins, clients, database
from models.clients import SCOPES, secret_hash
from models.database import transaction
from models.keyring import load_ring, make_first_keys
from models.systems import put_system, system_of
from models.vault import Vault

HOSPITALS: Final = (
    ("hospital", "长沙市第一演示医院", "H43010200001", "430102", sum(SCOPES.values())),
    ("second_hospital", "武汉市第二演示医院", "H42010200002", "420102", sum(SCOPES.values()) - SCOPES["identity:full"]),
)
ADMINS: Final = (
    ("custodian-one", "custodian"),
    ("custodian-two", "custodian"),
    ("registrar", "registrar"),
    ("auditor", "auditor"),
)
_SECRETS_FILE: Final = "demo-secrets.json"


def main() -> int:
    """Run the demo until Ctrl-C."""
    return run(_demo)


async def _demo() -> None:
    settings = read_settings()
    configure(settings.log_level, settings.log_format)
    demo_file = settings.data_dir.resolve() / "demo.json"
    _say("starting PostgreSQL and bringing its tables up to date …")
    async with running(settings) as (supervisor, url):
        demo_file.unlink(missing_ok=True)
        if not settings.root_key.exists():
            make_root_key(settings.root_key)
        sock = listen(settings.host, settings.port)
        sandbox = listen("127.0.0.1", settings.sandbox_port)
        sandbox_url = "http://{}:{}".format(*sandbox.getsockname()[:2])
        base_url = f"http://{settings.host}:{sock.getsockname()[1]}"
        known = await _prepare(settings, url)
        environment = _environment(settings, url, base_url, sandbox_url)
        mllp = listen(settings.mllp_host, settings.mllp_port)
        supervisor.start(_beside("sandbox", "api.sandbox", sandbox, environment))
        _say("starting the sandbox of WeChat, its payments, registry, texts and insurer, and the workers …")
        supervisor.start(_beside("mllp", "api.commands.mllp", mllp, environment))
        await supervisor.start_workers(sock, environment)
        if not supervisor.stopping.is_set():
            await publish_sessions(base_url, known, datetime.now(UTC))
            found = {
                "base_url": base_url,
                "sandbox_url": sandbox_url,
                "mllp": dict(zip(("host", "port"), mllp.getsockname()[:2], strict=True)),
                **known,
                "people": demo_people_json(),
            }
            sys.stdout.write(start_screen(found, await _first_code(base_url)))
            sys.stdout.flush()
            _write(demo_file, found)
        await supervisor.run()
        _say("stopping …")
        sock.close()
        sandbox.close()
        mllp.close()
        demo_file.unlink(missing_ok=True)


def _beside(name: str, module: str, sock: socket, environment: dict[str, str]) -> Child:
    """A program beside the workers, on a listening socket that outlives it."""
    command = python(module, "--fd", str(sock.fileno()))
    return Child(name, command, child_environment(environment), fds=(sock.fileno(),))


def _say(what: str) -> None:
    sys.stdout.write(f"yima: {what}\n")
    sys.stdout.flush()


def _environment(settings: Settings, url: str, base_url: str, sandbox_url: str) -> dict[str, str]:
    """The settings of workers and sandbox: real clients, pointed at the sandbox."""
    return {
        "YIMA_DATABASE_URL": url,
        "YIMA_DATA_DIR": str(settings.data_dir.resolve()),
        "YIMA_ROOT_KEY_FILE": str(settings.root_key.resolve()),
        "YIMA_PUBLIC_URL": base_url,
        "YIMA_DEMO": "on",
        "YIMA_KEY_BACKUP_HORIZON": os.environ.get("YIMA_KEY_BACKUP_HORIZON", "0"),  # there is no backup to put back
        **{f"YIMA_{name}_URL": sandbox_url for name in ("WECHAT", "REGISTRY", "SMS", "INSURER", "WECHAT_PAY")},
        **SandboxSecrets().environment(),
        **make_pay_keys(settings.data_dir.resolve() / "wechat-pay"),
        "YIMA_INTERNAL_SANDBOX_STATE": str(settings.data_dir.resolve() / "sandbox.json"),
    }


async def _prepare(settings: Settings, url: str) -> dict[str, Any]:
    """Migrate, make the first keys, write the root's public one, and make what demo.json tells: each start the same."""
    await database.migrate(url)
    await database.connect(url)
    try:
        vault = Vault(read_root_key(settings.root_key), os.urandom)
        await make_first_keys(vault)
        vault.ring = (await load_ring(vault)).ring
        write_public(settings.data_dir.resolve(), public_of(vault.ring))
        known = await _accounts(settings.data_dir.resolve() / _SECRETS_FILE)
        await _laboratories(vault, known)
        return known
    finally:
        await database.disconnect()


async def _accounts(kept: Path) -> dict[str, Any]:
    """Hospitals, clients and admins, with the secrets of the first start kept beside the data."""
    known = _read(kept)
    for key, name, code, area, scopes in HOSPITALS:
        if key not in known or await clients.client(known[key]["client_id"]) is None:
            known[key] = await _hospital(name, code, area, scopes)
    for admin in known.get("admins", []):
        if await admins.admin_by_token(admin["token"]) is None:
            known["admins"] = []
            break
    if not known.get("admins"):
        known["admins"] = [await _admin(name, role) for name, role in ADMINS]
    _write(kept, known)
    return known


async def _laboratories(vault: Vault, known: dict[str, Any]) -> None:
    """Where the hospitals' laboratories send from: this machine; the second's by its code as MSH-4."""
    for key, _, code, _, _ in HOSPITALS:
        hospital_id = UUID(known[key]["hospital_id"])
        facility = None if key == "hospital" else code
        config = {
            "charset": "UTF-8",
            "facility": facility,
            "addresses": ["127.0.0.1/32", "::1/128"],
            "certificates": [],
        }
        if await system_of(vault, hospital_id, "mllp") is None:
            async with transaction() as tx:
                await put_system(vault, hospital_id, "mllp", config, using=tx)


async def _hospital(name: str, code: str, area: str, scopes: int) -> dict[str, str]:
    secret = secrets.token_urlsafe(32)
    async with transaction() as tx:
        hospital_id = await clients.add_hospital(name, code, area, using=tx)
        if hospital_id is None:
            found = await database.row("SELECT id FROM hospitals WHERE code = $1", code, using=tx)
            hospital_id = found["id"] if found else None
        if hospital_id is None:
            raise CannotStart("the demo's hospital cannot be made")
        client_id = await clients.add_client(
            hospital_id, "演示 HIS", scopes, hashed_secret=secret_hash(secret), jwks=None, using=tx
        )
    return {"hospital_id": str(hospital_id), "client_id": str(client_id), "client_secret": secret}


async def _admin(name: str, role: str) -> dict[str, str]:
    made = await admins.add_admin(name, role, days=3650)
    while made is None:  # of an earlier start whose secrets were lost
        name = f"{name}-{secrets.token_hex(2)}"
        made = await admins.add_admin(name, role, days=3650)
    return {"name": name, "role": role, "token": made[1]}


async def _first_code(base_url: str) -> tuple[str, str]:
    """The first person's own card (made if it is not there) and a code of it: (masked name, digits)."""
    person: dict[str, Any] = demo_people_json()[0]
    async with httpx.AsyncClient(base_url=base_url, timeout=20, trust_env=False) as http:
        signed = _ok(await http.post("/v1/patient/session", json={"js_code": person["js_code"]}))
        me = {"Authorization": f"Bearer {signed['token']}"}
        held = _ok(await http.get("/v1/patient/cards", headers=me))["cards"]
        own = [card for card in held if card["relation"] == "self"]
        if own:
            card = own[0]
        else:
            body = {
                **{name: person[name] for name in ("name", "id_type", "id_number", "phone", "insurance")},
                "relation": "self",
                "proof": {"type": "wechat-phone", "code": person["phone_code"]},
                "consent": {"policy": "2026-11"},
            }
            card = _ok(await http.post("/v1/patient/cards", headers=me, json=body))
        if card["status"] != "active":
            return card["name"], ""
        code = _ok(await http.post(f"/v1/patient/cards/{card['card_id']}/codes", headers=me, json={}))
        return card["name"], code["code"]


def _ok(response: httpx.Response) -> dict[str, Any]:
    if response.is_error:
        raise CannotStart(f"the demo's first call was refused: {response.status_code} {response.json().get('code')}")
    return response.json()  # type: ignore[no-any-return]  # JSON


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write by rename, readable by the owner alone."""
    building = path.with_name(path.name + ".new")
    building.unlink(missing_ok=True)
    with open(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
    building.rename(path)
