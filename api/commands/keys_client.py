"""The service's administrators' calls, as the `yima keys` commands make them."""

import time
from typing import Any, Final, NamedTuple, cast
from urllib.parse import quote

import httpx

Json = dict[str, Any]

_SECONDS: Final = 30.0
_AGAIN_STATUS: Final = 503
_AGAIN_PAUSE: Final = 1.0
_AGAIN_FOR: Final = 60.0  # seconds that a wait goes on without an answer


class Refused(Exception):
    """The service said no: its problem (RFC 9457)."""

    def __init__(self, problem: Json) -> None:
        super().__init__(str(problem.get("code", problem.get("status"))))
        self.problem = problem


class NoService(Exception):
    """The service gave no answer that can be used; the message says what that means."""


class Keys(NamedTuple):
    """The answer of GET /v1/admin/keys with its ETag."""

    answer: Json
    etag: str

    def key(self, kid: str) -> Json:
        """The key that `kid` names. Raises Refused as the service would."""
        for key in self.answer["keys"]:
            if key["kid"] == kid:
                return cast(Json, key)
        raise Refused({"title": "Not found", "code": "not-found", "status": 404, "detail": f"There is no key {kid}."})


class AdminService:
    """One service and one administrator's token. Every call raises Refused or NoService."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        # trust_env: a proxy of the environment must not see the token
        self._http = httpx.Client(base_url=url, headers=headers, timeout=_SECONDS, trust_env=False)

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    def keys(self) -> Keys:
        """All keys, the ring's version and the workers."""
        response = self._call("GET", "/v1/admin/keys")
        return Keys(response.json(), response.headers["etag"])

    def keys_meanwhile(self) -> Keys:
        """The same for who waits: a service that restarts is asked again, for a minute."""
        deadline = time.monotonic() + _AGAIN_FOR
        while True:
            try:
                return self.keys()
            except (NoService, Refused) as reason:
                lasting = isinstance(reason, Refused) and reason.problem.get("status") != _AGAIN_STATUS
                if lasting or time.monotonic() > deadline:
                    raise
            time.sleep(_AGAIN_PAUSE)

    def approvals(self) -> list[Json]:
        """What waits for a second custodian."""
        return cast(list[Json], self._call("GET", "/v1/admin/approvals").json()["approvals"])

    def report(self, kid: str, since: str | None) -> Json:
        """What a key was used for since a time (default: since it was activated)."""
        params = {} if since is None else {"since": since}
        return cast(Json, self._call("GET", f"/v1/admin/keys/{_part(kid)}/report", params=params).json())

    def rotate(self, purpose: str, when: str) -> Json:
        """POST rotations."""
        return self._post("/v1/admin/keys/rotations", {"purpose": purpose, "when": when})

    def transition(self, kid: str, to: str, reason: str, etag: str) -> Json:
        """POST transitions: the key, or the approval that it waits for."""
        path = f"/v1/admin/keys/{_part(kid)}/transitions"
        return self._post(path, {"to": to, "reason": reason}, {"If-Match": etag})

    def compromise(self, kid: str, reason: str, since: str | None) -> Json:
        """POST compromise; repeating it gives the same answer."""
        body = {"reason": reason} | ({} if since is None else {"since": since})
        return self._post(f"/v1/admin/keys/{_part(kid)}/compromise", body)

    def decide(self, approval_id: str, approve: bool) -> Json:
        """POST approvals."""
        return self._post(f"/v1/admin/approvals/{_part(approval_id)}", {"approve": approve})

    def _post(self, path: str, body: Json, headers: dict[str, str] | None = None) -> Json:
        return cast(Json, self._call("POST", path, json=body, headers=headers or {}).json())

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **more)
        except httpx.ConnectError:
            raise NoService(f"the service at {self._url} cannot be reached") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            unknown = "" if method == "GET" else "; whether it was done is not known: look with `yima keys list`"
            raise NoService(f"the service at {self._url} did not answer{unknown}") from None
        kind = response.headers.get("content-type", "").partition(";")[0]
        if response.is_success and kind == "application/json":
            return response
        if kind == "application/problem+json":
            raise Refused(response.json())
        raise NoService(f"what answers at {self._url} is no Yima: {response.status_code}")


def _part(text: str) -> str:
    """One part of a path, whatever was typed."""
    return quote(text, safe="")
