"""The accounts that the sandbox knows: what a client of it has to be configured with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class SandboxSecrets:
    """Accounts at the simulated systems. The defaults protect nothing: everything behind them is fictional."""

    wechat_appid: str = "wx0000000000yima01"
    wechat_secret: str = field(default="sandbox-wechat", repr=False)
    registry_app_id: str = "yima"
    registry_secret: str = field(default="sandbox-registry", repr=False)
    sms_app_id: str = "yima"
    sms_secret: str = field(default="sandbox-sms", repr=False)
    insurer_app_id: str = "yima"
    insurer_secret: str = field(default="sandbox-insurer", repr=False)
    insurer_fixmedins_code: str = "H43010200001"
    insurer_fixmedins_name: str = "一码演示医院"
    insurer_mdtrtarea: str = "430102"
    wechat_pay_mchid: str = "1900000001"
    wechat_pay_serial: str = "5157F09EFDC096DE15EBE81A47057A7200000001"
    wechat_pay_api_v3_key: str = field(default="sandbox-wechat-pay-api-v3-key-32", repr=False)
    wechat_pay_public_key_id: str = "PUB_KEY_ID_0119000000012026112900000000000001"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "SandboxSecrets":
        """The service's own settings, `YIMA_WECHAT_APPID` and so on, where they are set."""
        names = {one.name: f"YIMA_{one.name.upper()}" for one in fields(cls)}
        return cls(**{name: environment[key] for name, key in names.items() if environment.get(key)})

    def environment(self) -> dict[str, str]:
        """The settings that make the service a client of a sandbox with these accounts."""
        return {f"YIMA_{one.name.upper()}": str(getattr(self, one.name)) for one in fields(self)}
