"""Points where a test has this process killed: `YIMA_INTERNAL_FAIL_POINT=name` or `name:N` (at the Nth pass).

Read once at start. Unset, as it is wherever no test runs, a point costs one comparison.
"""

import os
import signal
from asyncio import BaseTransport
from typing import Final

NAMES: Final = frozenset(
    {
        *("resolve.ask", "resolve.told", "answer.start", "answer.half"),
        *("book.ask", "book.told", "cancel.done", "stop.done"),
        *("money.send", "money.told", "money.keep", "money.kept"),
        *("record.keep", "record.kept", "record.told", "oru.keep", "oru.kept", "oru.acknowledge"),
    }
)
_UNDER_WAY: Final = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"

_name, _, _count = os.environ.get("YIMA_INTERNAL_FAIL_POINT", "").partition(":")
_left = int(_count or 1)
if _name and _name not in NAMES:
    raise ValueError(f"YIMA_INTERNAL_FAIL_POINT knows {', '.join(sorted(NAMES))}")


def reach(name: str, caller: BaseTransport | None = None) -> None:
    """Die here as by kill -9, if this is the point and the pass; `caller` first gets the beginning of an answer."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        if caller:
            os.write(caller.get_extra_info("socket").fileno(), _UNDER_WAY)
        os.kill(os.getpid(), signal.SIGKILL)
