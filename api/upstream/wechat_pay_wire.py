"""What the WeChat Pay library is given for its httpx client: ours, with the bounds of every other call.

The library reads whatever comes, follows the environment's proxies, and asks the network for certificates when an
answer names another key; here an answer is bounded, and refused before the library sees it.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Final

import httpx

from api.upstream.http import Http
from api.upstream.outcomes import CallEnded, Unknown, Unsent

SIGNATURE_TYPE: Final = "WECHATPAY2-SHA256-RSA2048"
DOWNLOADS: Final = "/v3/billdownload/"
PACKED_MOST: Final = 50 * 1024 * 1024
DOWNLOAD_SECONDS: Final = 120.0
_SIGNED: Final = ("wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature")


class Wire:
    """`get` and `post` as the library calls them. They raise Unsent or Unknown, with a word of ours, and no more."""

    def __init__(self, http: Http, public_key_id: str) -> None:
        self._http = http
        self._public_key_id = public_key_id

    async def get(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        """Ask."""
        return await self._send("GET", url, headers, None)

    async def post(self, url: str, headers: Mapping[str, str], content: str) -> httpx.Response:
        """Send."""
        return await self._send("POST", url, headers, content)

    async def _send(self, method: str, url: str, headers: Mapping[str, str], content: str | None) -> httpx.Response:
        request = self._http.client.build_request(method, url, headers=dict(headers), content=content)
        file = request.url.path.startswith(DOWNLOADS)
        seconds = DOWNLOAD_SECONDS if file else self._http.limits.total_seconds
        most = PACKED_MOST if file else self._http.limits.answer_bytes
        try:
            async with asyncio.timeout(seconds):
                response = await self._exchange(request, most)
        except CallEnded:
            raise
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
            raise Unknown("timeout") from None
        except (httpx.ConnectTimeout, httpx.PoolTimeout):
            raise Unsent("timeout") from None
        except httpx.ConnectError:
            raise Unsent("unreachable") from None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError):
            raise Unknown("broken") from None
        if response.is_success and not file:
            self._check_signed(response)
        return response

    async def _exchange(self, request: httpx.Request, most: int) -> httpx.Response:
        response = await self._http.client.send(request, stream=True, follow_redirects=False)
        try:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > most:
                    raise Unknown("too-large")
        finally:
            await response.aclose()
        kept = {name: value for name, value in response.headers.items() if name.startswith(("wechatpay-", "content-t"))}
        return httpx.Response(response.status_code, headers=kept, content=bytes(body))

    def _check_signed(self, response: httpx.Response) -> None:
        """Signed by the one key we know, before the library looks for another one."""
        if (
            response.headers.get("wechatpay-serial") != self._public_key_id
            or response.headers.get("wechatpay-signature-type", SIGNATURE_TYPE) != SIGNATURE_TYPE
            or not all(response.headers.get(name) for name in _SIGNED)
        ):
            raise Unknown("signature")


_STATEMENT_PATH: Final = re.compile(r"[0-9A-Za-z_\-/]{1,200}(\?[0-9A-Za-z_\-=&%.~]{0,2048})?")


def is_download(url: str, gateway: str) -> bool:
    """Whether this is a statement of that gateway: the library joins any address to it, and signs for it."""
    start = gateway + DOWNLOADS
    return url.startswith(start) and _STATEMENT_PATH.fullmatch(url[len(start) :]) is not None
