"""Versions as entity tags (RFC 9110 section 8.8.3)."""


def etag(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def matches(if_none_match: str | None, current: str) -> bool:
    """Whether a client has the bytes already. Weak comparison, as RFC 9110 §13.1.2 asks for If-None-Match."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return current in tags or "*" in tags
