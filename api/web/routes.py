"""Routes: each names its method, path, caller, body and answers once; the app and OpenAPI are made from that."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from sanic.response import HTTPResponse, ResponseStream

from api.problems import Kind
from api.web.answers import Answer

if TYPE_CHECKING:
    from api.web.calls import Call

Handler = Callable[["Call[Any]"], Awaitable[Answer | HTTPResponse | ResponseStream | None]]

JSON_BODY_MAX: Final = 64 * 1024


class Caller(Enum):
    """Who may call a route; the wrapper reads the token, the handler's own statement whether it still stands."""

    ANYONE = "anyone"
    PATIENT = "patient"
    HOSPITAL = "hospital"
    BOOKER = "patient or hospital"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Media:
    """An answer or body that is not JSON: its content type, and what it holds."""

    content_type: str
    about: str


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `answers`: status -> type of the JSON body, Media, or None for no body."""

    method: str
    path: str
    handler: Handler
    caller: Caller
    summary: str
    tag: str
    body: type | None = None
    body_media: Media | None = None
    body_raw: Media | None = None  # beside `body`: a content type whose bytes the handler gets as they are
    body_kept: str | None = None  # the msgspec.Raw member of `body` that its handler reads by rules of its own
    body_invalid: Kind | None = None  # what a body of another shape is, where it is not validation-failed
    body_max: int = JSON_BODY_MAX
    query: type | None = None
    answers: Mapping[int, type | Media | None] = field(default_factory=dict)
    also: Mapping[str, Media] = field(default_factory=dict)
    problems: tuple[Kind, ...] = ()
    roles: tuple[str, ...] = ()
    idempotent: bool = False
    limit: str | None = None
    headers: tuple[str, ...] = ()
    commits: bool = True  # its handler is shielded from a caller who goes away

    @property
    def name(self) -> str:
        """The operation's name: the handler's."""
        return self.handler.__name__


class Subject:
    """The routes of one subject, gathered by decorators beside their handlers."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.routes: list[Route] = []

    def route(self, method: str, path: str, caller: Caller, summary: str, **more: Any) -> Callable[[Handler], Handler]:
        """Declare the decorated handler as an operation; `more` are the fields of Route."""

        def declare(handler: Handler) -> Handler:
            self.routes.append(Route(method, path, handler, caller, summary, self.tag, **more))
            return handler

        return declare
