"""How a call that moves money can end, when it did not end well.

A timeout is not a failure: whoever sent a message must know whether nothing was done, or nobody knows.
"""


class CallEnded(Exception):
    """The call did not do what was asked. `code` is a word of ours or of the other side's table, never its text."""

    def __init__(self, code: str = "") -> None:
        super().__init__(code)
        self.code = code


class Refused(CallEnded):
    """The other side answered, properly, that it did nothing; `code` says why where it tells."""


class Unsent(CallEnded):
    """The call never reached the other side: nothing was done."""


class Unknown(CallEnded):
    """It was sent, and no usable answer came: it may have been done or not."""
