"""Settings: the environment, read once, every name beginning YIMA_. README lists them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

MIN_PERIOD = 3600  # seconds between two rotations of the schedule
CLOCK_SKEW = 30  # seconds a scanner's or a worker's clock may be off (code-format.md)

_PRODUCTION_NEEDS = (
    *("wechat_appid", "wechat_secret"),
    *("registry_url", "registry_app_id", "registry_secret"),
    *("sms_url", "sms_app_id", "sms_secret"),
    *("insurer_url", "insurer_fixmedins_code", "insurer_fixmedins_name", "insurer_mdtrtarea"),
    *("wechat_pay_mchid", "wechat_pay_serial", "wechat_pay_key_file", "wechat_pay_api_v3_key"),
    *("wechat_pay_public_key_file", "wechat_pay_public_key_id"),
)


class SettingsInvalid(ValueError):
    """A setting has a value that cannot be used; the message names it and what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Times are seconds; an empty address means "not configured"."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    data_dir: Path = Path(".yima")
    database_url: str = ""
    redis_url: str = ""
    root_key_file: Path | None = None
    rate_limits: bool = True
    public_url: str = ""
    proxies: int = 0
    sandbox_port: int = 0
    log_level: str = "INFO"
    log_format: str = "auto"
    demo: bool = False

    code_life: int = 60
    key_lead: int = 600
    key_set_max_age: int = 300
    ring_poll: int = 15
    imaging_poll: int = 60
    key_destroy_wait: int = 604_800
    key_set_life: int = 259_200
    key_backup_horizon: int = 2_592_000
    rotate_code: int = 2_592_000
    rotate_token: int = 604_800
    rotate_print: int = 31_536_000

    admin_url: str = "http://127.0.0.1:8000"
    admin_token: str = field(default="", repr=False)

    upstream_timeout_ms: int = 4000
    wechat_url: str = "https://api.weixin.qq.com"
    wechat_appid: str = ""
    wechat_secret: str = ""
    registry_url: str = ""
    registry_app_id: str = ""
    registry_secret: str = ""
    sms_url: str = ""
    sms_app_id: str = ""
    sms_secret: str = ""
    insurer_url: str = ""
    insurer_app_id: str = ""
    insurer_secret: str = ""
    insurer_fixmedins_code: str = ""
    insurer_fixmedins_name: str = ""
    insurer_mdtrtarea: str = ""
    wechat_pay_url: str = "https://api.mch.weixin.qq.com"
    wechat_pay_mchid: str = ""
    wechat_pay_serial: str = ""
    wechat_pay_key_file: Path | None = None
    wechat_pay_api_v3_key: str = field(default="", repr=False)
    wechat_pay_public_key_file: Path | None = None
    wechat_pay_public_key_id: str = ""

    mllp_host: str = "127.0.0.1"
    mllp_port: int = 0
    mllp_tls_cert: Path | None = None
    mllp_tls_key: Path | None = None
    mllp_tls_ca: Path | None = None

    @property
    def root_key(self) -> Path:
        """Where the root key is kept."""
        return self.root_key_file or self.data_dir / "root.key"

    @property
    def base_url(self) -> str:
        """The address that others reach this service by (a client assertion's audience)."""
        return self.public_url or f"http://{self.host}:{self.port}"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of `environment`.

    Raises SettingsInvalid for a value of the wrong type or out of range, or an unknown YIMA_ name (a misspelt
    setting must not be silently ignored).
    """
    known = {f"YIMA_{f.name.upper()}": f for f in fields(Settings)}
    given: dict[str, object] = {}
    for name, text in environment.items():
        if not name.startswith("YIMA_") or name.startswith(("YIMA_CHECK_", "YIMA_INTERNAL_", "YIMA_TEST_")):
            continue
        if name not in known:
            raise SettingsInvalid(f"{name} is not a setting; README.md lists them")
        if text == "":
            continue
        given[known[name].name] = _convert(name, text, known[name].type)
    settings = Settings(**given)  # type: ignore[arg-type]  # each value was converted by its field's type
    _check(settings)
    return settings


def _convert(name: str, text: str, kind: object) -> object:
    if kind is int:
        if not text.isascii() or not text.isdigit():
            raise SettingsInvalid(f"{name} takes a whole number")
        return int(text)
    if kind is bool:
        if text.lower() not in ("on", "off", "1", "0", "true", "false"):
            raise SettingsInvalid(f"{name} takes on or off")
        return text.lower() in ("on", "1", "true")
    if kind is str:
        return text
    return Path(text).expanduser()


def _check(s: Settings) -> None:
    ranges = {
        "port": (0, 65535),
        "sandbox_port": (0, 65535),
        "mllp_port": (0, 65535),
        "workers": (1, 256),
        "proxies": (0, 10),
        "code_life": (5, 300),
        "key_set_max_age": (1, 86_400),
        "ring_poll": (1, 60),
        "imaging_poll": (1, 86_400),
        "key_lead": (1, 86_400),
        "key_destroy_wait": (0, 31_536_000),
        "key_backup_horizon": (0, 315_360_000),
        "key_set_life": (60, 31_536_000),
        "upstream_timeout_ms": (100, 30_000),
    }
    for name in ("rotate_code", "rotate_token", "rotate_print"):
        if 0 < getattr(s, name) < MIN_PERIOD:
            raise SettingsInvalid(f"YIMA_{name.upper()} must be 0 (by hand alone) or at least {MIN_PERIOD}")
    for name, (low, high) in ranges.items():
        if not low <= getattr(s, name) <= high:
            raise SettingsInvalid(f"YIMA_{name.upper()} must be from {low} to {high}")
    if s.wechat_pay_api_v3_key and len(s.wechat_pay_api_v3_key.encode()) != 32:
        raise SettingsInvalid("YIMA_WECHAT_PAY_API_V3_KEY has 32 characters")
    if s.wechat_pay_public_key_id and not s.wechat_pay_public_key_id.startswith("PUB_KEY_ID_"):
        raise SettingsInvalid("YIMA_WECHAT_PAY_PUBLIC_KEY_ID begins with PUB_KEY_ID_")
    if len({path is None for path in (s.mllp_tls_cert, s.mllp_tls_key, s.mllp_tls_ca)}) > 1:
        raise SettingsInvalid("YIMA_MLLP_TLS_CERT, YIMA_MLLP_TLS_KEY and YIMA_MLLP_TLS_CA go together: set all or none")


def check_for_production(s: Settings) -> None:
    """What `yima serve` refuses and the demo does not: a lead too short, a missing root key or upstream.

    A key must be published longer than verifiers may keep an old key set, a worker may lag, and clocks may be off.
    """
    needed = s.key_set_max_age + s.ring_poll + CLOCK_SKEW
    if s.key_lead < needed:
        raise SettingsInvalid(
            f"YIMA_KEY_LEAD is {s.key_lead}, below YIMA_KEY_SET_MAX_AGE + YIMA_RING_POLL + {CLOCK_SKEW} = {needed}"
        )
    if not s.root_key.exists():
        raise SettingsInvalid(
            f"there is no root key at {s.root_key}: make one with `yima keys init`, or set YIMA_ROOT_KEY_FILE"
        )
    for name in _PRODUCTION_NEEDS:
        if not getattr(s, name):
            raise SettingsInvalid(f"YIMA_{name.upper()} is not set")
