"""The sandbox's page: the phones' texts, for whoever plays the demo by hand. No scripts; it reloads itself."""

import base64
import hashlib
from html import escape
from typing import Final

from api.sandbox.world import World

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1c2430}"
    "li{border:1px solid #ccd4de;border-radius:.5rem;padding:.6rem .9rem;margin:.6rem 0}"
    "ol{list-style:none;padding:0}time,p{color:#4a5564}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def outbox_page(world: World) -> str:
    """The newest fifty texts, newest first."""
    newest = list(world.outbox)[-50:][::-1]
    items = "".join(
        f"<li><strong>{escape(one.phone)}</strong> {_names(world, one.phone)} <time>{escape(one.at)}</time>"
        f"<br>{escape(one.text)}</li>"
        for one in newest
    )
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>演示短信 Demo texts</title>'
        f'<style>{_STYLE}</style></head><body><h1>演示短信 <span lang="en">Demo texts</span></h1>'
        "<p>人物和号码均为虚构；短信不会发往真实手机。<br>"
        '<span lang="en">All people and numbers are made up; nothing is sent to a real phone.</span></p>'
        f"<ol>{items or '<li>还没有短信 <span lang=en>No texts yet</span></li>'}</ol></body></html>"
    )


def _names(world: World, phone: str) -> str:
    return escape(next((one.name for one in world.people if one.phone == phone), ""))
