"""What a worker needs to answer: settings, keys, clock, limits, metrics, and the systems outside."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from api.bearers import Bearers
from api.booking.closing import Closing
from api.clock import Clock
from api.issuing import CardReader
from api.keeper import RingKeeper, SeenVersion
from api.leaving.purge import Purge
from api.limits import Limits
from api.logs import RequestLog
from api.metrics import Metrics
from api.outbox import Outbox
from api.patient.events import EventHub
from api.payment.engine import Money
from api.payment.reconciling import Reconciler
from api.publishing import SignedSets
from api.records.imaging.listings import Listings
from api.records.imaging.sync import Imaging
from api.records.overdue import GlassAlarm
from api.schedule import Schedule
from api.settings import Settings, SettingsInvalid
from api.upstream.dicomweb import DicomWeb
from api.upstream.http import Http, HttpLimits
from api.upstream.insurer import Insurer, InsurerConfig
from api.upstream.insurer_books import InsurerDays
from api.upstream.registry import Registry, RegistryConfig
from api.upstream.settlement import Settlement
from api.upstream.sms import SmsConfig, TextMessages
from api.upstream.wechat import WeChat, WeChatConfig
from api.upstream.wechat_pay import WeChatPay, WeChatPayConfig
from models.upstream_tokens import StoredAccessTokens
from models.vault import Vault


@dataclass(slots=True)
class Upstreams:
    """The systems outside."""

    http: Http
    wechat: WeChat
    registry: Registry
    texts: TextMessages
    insurer: Insurer
    settlement: Settlement
    insurer_days: InsurerDays
    pay: WeChatPay


@dataclass(slots=True)
class Services:
    """One worker's means. `worker` names it for leases and metrics."""

    settings: Settings
    vault: Vault
    bearers: Bearers
    clock: Clock
    keeper: RingKeeper
    limits: Limits
    metrics: Metrics
    log: RequestLog
    upstreams: Upstreams
    cards: CardReader
    outbox: Outbox
    schedule: Schedule
    closing: Closing
    imaging: Imaging
    pacs: DicomWeb
    glass_alarm: GlassAlarm
    purge: Purge
    money: Money
    reconciler: Reconciler
    events: EventHub
    worker: UUID
    signed_sets: SignedSets = field(default_factory=SignedSets)
    listings: Listings = field(default_factory=Listings)


def make_services(settings: Settings, root: bytes) -> Services:
    """The services of this process. The database is connected and the ring loaded by the worker's start."""
    vault = Vault(root, os.urandom)
    clock = Clock()
    metrics = Metrics()
    limits = Limits(settings.redis_url, enabled=settings.rate_limits, degraded=metrics.limits_degraded)
    upstreams = _upstreams(settings, vault, clock, metrics)
    worker = UUID(os.environ["YIMA_INTERNAL_WORKER"]) if "YIMA_INTERNAL_WORKER" in os.environ else uuid4()
    keeper = RingKeeper(
        vault,
        clock,
        poll=settings.ring_poll,
        code_life=settings.code_life,
        url=settings.database_url,
        worker=worker,
        seen=SeenVersion(settings.data_dir / "ring.seen"),
    )
    return Services(
        settings,
        vault,
        Bearers(vault),
        clock,
        keeper,
        limits,
        metrics,
        RequestLog(),
        upstreams,
        CardReader(vault),
        Outbox(),
        Schedule(),
        Closing(),
        Imaging(settings.imaging_poll),
        DicomWeb(metrics.upstream),
        GlassAlarm(),
        Purge(),
        Money(),
        Reconciler(),
        EventHub(),
        worker,
    )


def _upstreams(settings: Settings, vault: Vault, clock: Clock, metrics: Metrics) -> Upstreams:
    total = settings.upstream_timeout_ms / 1000
    http = Http(HttpLimits(connect_seconds=min(2.0, total), total_seconds=total), metrics.upstream)
    wechat = WeChat(
        WeChatConfig(settings.wechat_appid, settings.wechat_secret, settings.wechat_url),
        http,
        StoredAccessTokens(vault, "wechat"),
        clock.now,
    )
    registry = Registry(
        RegistryConfig(settings.registry_url, settings.registry_app_id, settings.registry_secret), http, clock.now
    )
    texts = TextMessages(SmsConfig(settings.sms_url, settings.sms_app_id, settings.sms_secret), http, clock.now)
    insurer = Insurer(
        InsurerConfig(
            settings.insurer_url,
            settings.insurer_fixmedins_code,
            settings.insurer_fixmedins_name,
            settings.insurer_mdtrtarea,
            app_id=settings.insurer_app_id,
            secret=settings.insurer_secret,
        ),
        http,
        clock.now,
    )
    pay = _wechat_pay(settings, http)
    return Upstreams(http, wechat, registry, texts, insurer, Settlement(insurer), InsurerDays(insurer), pay)


def _wechat_pay(settings: Settings, http: Http) -> WeChatPay:
    """Raises SettingsInvalid for keys that are not there or cannot be used."""
    config = WeChatPayConfig(
        base_url=settings.wechat_pay_url,
        mchid=settings.wechat_pay_mchid,
        serial=settings.wechat_pay_serial,
        private_key=_text_of("wechat_pay_key_file", settings.wechat_pay_key_file),
        api_v3_key=settings.wechat_pay_api_v3_key,
        public_key=_text_of("wechat_pay_public_key_file", settings.wechat_pay_public_key_file),
        public_key_id=settings.wechat_pay_public_key_id,
        appid=settings.wechat_appid,
        notify_url=f"{settings.base_url}/v1/notify/wechat-pay",
    )
    try:
        return WeChatPay(config, http)
    except ValueError as wrong:
        raise SettingsInvalid(str(wrong)) from None


def _text_of(name: str, file: Path | None) -> str:
    if file is None:
        raise SettingsInvalid(f"YIMA_{name.upper()} is not set")
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsInvalid(f"the file at YIMA_{name.upper()} cannot be read") from None
