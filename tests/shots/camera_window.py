"""A browser window that takes pictures and notices what must not happen: errors, shifts, sideways scrolling."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Route

Kind = Literal["patient", "scanner", "admin", "page"]

CHROMIUM: Final = "/usr/bin/chromium"
ARGUMENTS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
]
PHONE: Final = (390, 844)
DESK: Final = (1280, 800)
MOST_SHIFT: Final = 0.01  # cumulative layout shift; 0.1 is where the web's own measure stops calling it good

# Failed calls that a scene caused on purpose, as Chromium words them.
_MEANT: Final = ("Failed to load resource", "net::ERR_INTERNET_DISCONNECTED", "net::ERR_FAILED")

_WATCH_SHIFTS: Final = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@dataclass(slots=True)
class Findings:
    """What went wrong, for the report at the end."""

    errors: list[str] = field(default_factory=list)
    pictures: int = 0

    def add(self, where: str, what: str) -> None:
        """Keeps one finding, once."""
        if (line := f"{where}: {what}") not in self.errors:
            self.errors.append(line)


class Window:
    """One page of one visitor, in one language."""

    def __init__(
        self, browser: Browser, base: str, out: Path, findings: Findings, *, english: bool, kind: Kind
    ) -> None:
        self.kind = kind
        self.language = "en" if english else "zh"
        self.home = PHONE if kind == "patient" else DESK
        self._out = out / self.language
        self._findings = findings
        self.context: BrowserContext = browser.new_context(
            base_url=base,
            locale="en-GB" if english else "zh-CN",
            timezone_id="Asia/Shanghai",
            viewport={"width": self.home[0], "height": self.home[1]},
            reduced_motion="reduce",
            color_scheme="light",
        )
        self.context.add_init_script(_WATCH_SHIFTS)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self._scene = "start"
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self._findings.add(self._where(), f"uncaught {error}"))

    def close(self) -> None:
        """Ends the visit."""
        self.context.close()

    def shot(self, name: str, *, ready: str | None = None) -> None:
        """Takes the state in every size, scheme and type. `ready`: what must be there first (a selector)."""
        self._scene = name
        if ready:
            self.page.wait_for_selector(ready)
        self.page.wait_for_timeout(120)
        self._check_shift()
        for variant, size, dark, large in self._variants():
            self._take(name, variant, size, dark=dark, large=large)
        self._put(self.home, dark=False, large=False)
        self.page.evaluate("window.shifted = 0")

    def answer(self, pattern: str, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        """From now on calls that fit `pattern` are answered so (problems: `problem()`)."""
        self.page.unroute(pattern)
        kind = "application/problem+json" if status >= 400 else "application/json"
        self.page.route(
            pattern,
            lambda route: route.fulfill(status=status, json=body, headers={"Content-Type": kind, **(headers or {})}),
        )

    def cut(self, pattern: str) -> None:
        """From now on the network is gone for these calls."""
        self.page.unroute(pattern)
        self.page.route(pattern, lambda route: route.abort("internetdisconnected"))

    def hang(self, pattern: str) -> None:
        """From now on these calls get no answer at all."""
        self.page.unroute(pattern)
        self.page.route(pattern, lambda route: None)

    def change(self, pattern: str, change: Callable[[Any], Any]) -> None:
        """From now on the real answers to these calls are changed on their way."""

        def handle(route: Route) -> None:
            response = route.fetch()
            route.fulfill(response=response, json=change(response.json()))

        self.page.unroute(pattern)
        self.page.route(pattern, handle)

    def through(self, pattern: str) -> None:
        """Lets these calls reach the service again."""
        self.page.unroute(pattern)

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Without any network."""
        self.context.set_offline(True)
        try:
            yield
        finally:
            self.context.set_offline(False)

    def _variants(self) -> list[tuple[str, tuple[int, int], bool, bool]]:
        other = DESK if self.home == PHONE else PHONE
        name = {PHONE: "390", DESK: "1280"}
        return [
            (name[self.home], self.home, False, False),
            (f"{name[self.home]}-dark", self.home, True, False),
            (f"{name[self.home]}-large", self.home, False, True),
            (name[other], other, False, False),
        ]

    def _take(self, name: str, variant: str, size: tuple[int, int], *, dark: bool, large: bool) -> None:
        self._put(size, dark=dark, large=large)
        self.page.wait_for_timeout(60)
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            self._findings.add(self._where(), f"{wide} px wider than the window in {variant}")
        small = self.page.evaluate(_SMALL_TYPE)
        if small:
            self._findings.add(self._where(), f"type below 16 px in {variant}: {small}")
        target = self._out / self.kind / f"{name}-{variant}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        self.picture(target)
        self._findings.pictures += 1

    def picture(self, target: Path) -> None:
        """The page as it is; tried again, since a browser on a busy machine may not manage at once."""
        for again in (True, True, False):
            try:
                self.page.screenshot(path=target, animations="disabled")
                return
            except Error:
                if not again:
                    raise
                self.page.wait_for_timeout(500)

    def _put(self, size: tuple[int, int], *, dark: bool, large: bool) -> None:
        self.page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.evaluate("type => { document.documentElement.dataset.type = type }", "large" if large else "normal")

    def _check_shift(self) -> None:
        shifted = self.page.evaluate("window.shifted")
        if shifted > MOST_SHIFT:
            self._findings.add(self._where(), f"layout shifted by {shifted:.3f}")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_MEANT):
            self._findings.add(self._where(), f"console {message.type}: {message.text[:200]}")

    def _where(self) -> str:
        return f"{self.language} {self.kind} {self._scene}"


def problem(code: str, status: int, title: str = "", **more: Any) -> dict[str, Any]:
    """The body of a problem, as the service words it."""
    return {
        "type": f"/problems/{code}",
        "code": code,
        "status": status,
        "title": title,
        "detail": title,
        "request_id": "r",
        **more,
    }


# The first few words that are set in less than 16 px (half a pixel is allowed for rounding).
_SMALL_TYPE: Final = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const { parentElement: element, data } = walk.currentNode;
    if (data.trim() && element.checkVisibility() && parseFloat(getComputedStyle(element).fontSize) < 15.5) found.push(data.trim().slice(0, 20));
  }
  return found.slice(0, 3).join(", ");
}"""
