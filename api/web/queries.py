"""Query parameters, read into the declared Struct; and the cursors of keyset lists."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta
from sanic.request import Request

from api.web.bodies import invalid
from api.web.routes import Route

Row = TypeVar("Row")

DEFAULT_LIMIT = 20
_EPOCH = datetime.fromtimestamp(0, UTC)


class Page(msgspec.Struct, forbid_unknown_fields=False):
    """`?limit=` and `&cursor=` of every list."""

    limit: Annotated[int, Meta(ge=1, le=100, description="How many at most")] = DEFAULT_LIMIT
    cursor: Annotated[str, Meta(max_length=100, description="next_cursor of the page before")] | None = None

    def after(self) -> tuple[datetime, UUID] | None:
        """The place behind which this page begins, newest first; None for the first page."""
        if self.cursor is None:
            return None
        try:
            data = base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4))
            micros = int.from_bytes(data[:8], "big", signed=True)
            return _EPOCH + timedelta(microseconds=micros), UUID(bytes=data[8:])
        except (ValueError, OverflowError, OSError):
            raise invalid(
                "/cursor", "游标无效，请从第一页开始", "not a cursor of this list; begin with the first page"
            ) from None

    def cut(self, found: list[Row], place: Callable[[Row], tuple[datetime, UUID]]) -> tuple[list[Row], str | None]:
        """(this page's rows, next_cursor), of rows that were asked for with one more; `place`: a row's."""
        shown = found[: self.limit]
        return shown, cursor(*place(shown[-1])) if len(found) > self.limit else None


def cursor(at: datetime, row_id: UUID) -> str:
    """The opaque cursor of a row's place."""
    micros = (at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(micros.to_bytes(8, "big", signed=True) + row_id.bytes).rstrip(b"=").decode()


def read_query(route: Route, request: Request) -> Any:
    """The declared query Struct, or None. Raises Problem validation-failed."""
    if route.query is None:
        return None
    given = {name: values[-1] for name, values in request.args.items()} if request.query_string else {}
    try:
        return msgspec.convert(given, route.query, strict=False)
    except msgspec.ValidationError as error:
        name = str(error).partition("`$.")[2].rstrip("`")
        raise invalid(f"/{name}", "查询参数无效", "not a value this parameter takes") from None
