"""Pages without a life of their own."""

from tests.shots.camera_window import Window


def take(window: Window) -> None:
    """`/`, the problems, and an address that is not there."""
    for name, path in (
        ("home", "/"),
        ("problems", "/problems"),
        ("problem", "/problems/code-expired"),
        ("absent", "/problems/no-such-problem"),
    ):
        window.page.goto(path)
        window.shot(name)
    window.page.goto("/")
    window.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    window.shot("home-below")
