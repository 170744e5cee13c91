"""The security headers of every page and asset.

No inline script, no inline style, no third-party origin: whatever gets into a page as text stays text.
"""

from typing import Final

_OWN: Final = "connect-src 'self'"
CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        _OWN,
        "font-src 'none'",
        "media-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def page_headers(*, camera: bool = False, connect: str = "") -> dict[str, str]:
    """Headers of an HTML page. `camera`: the page may ask for the camera (the scanner's only).

    connect: an origin that its scripts may call besides their own (the demo's sandbox only).
    """
    allowed = "(self)" if camera else "()"
    return {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY.replace(_OWN, f"{_OWN} {connect}".rstrip()),
        "Permissions-Policy": f"camera={allowed}, microphone=(), geolocation=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def asset_headers() -> dict[str, str]:
    """Headers of a stylesheet, script or picture."""
    return {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
