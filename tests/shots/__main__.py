"""`python -m tests.shots [--base URL] [--demo-json FILE] [--out DIR]`: every state of the pages, looked at.

Drives the running demo in headless Chromium, in both languages, and leaves pictures of each state at
390 × 844 and 1280 × 800, light, dark and in large type. Ends with 1 if a console error, a layout shift,
type below 16 px or sideways scrolling was found.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.shots import pages, patient, scanner
from tests.shots.camera_window import ARGUMENTS, CHROMIUM, Findings, Kind, Window
from tests.shots.demo import Demo


def main() -> int:
    """Takes all pictures; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.shots", description=__doc__)
    data = Path(os.environ.get("YIMA_DATA_DIR", ".yima"))
    parser.add_argument("--base", help="where the demo runs, if not where demo.json says")
    parser.add_argument("--demo-json", default=data / "demo.json", type=Path, help="what `make run` wrote")
    parser.add_argument("--out", default=Path("shots"), type=Path, help="where the pictures go")
    parser.add_argument("--only", choices=["page", "patient", "scanner"], help="one kind of page alone")
    parser.add_argument("--chromium", default=CHROMIUM, help="which browser to drive")
    asked = parser.parse_args()
    findings = Findings()
    if not asked.demo_json.exists():
        parser.error(f"{asked.demo_json} is not there: start the demo with `make run` first")
    demo = Demo(asked.demo_json, asked.base)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked.chromium, args=ARGUMENTS)
        for english in (False, True):
            _each(browser, demo.base, asked.out, findings, demo, english=english, only=asked.only)
        browser.close()
    print(f"{findings.pictures} pictures in {asked.out}")
    for error in findings.errors:
        print(error)
    return 1 if findings.errors else 0


def _each(
    browser: Browser, base: str, out: Path, findings: Findings, demo: Demo, *, english: bool, only: str | None
) -> None:
    scenes: dict[Kind, Callable[[Window], None]] = {
        "page": pages.take,
        "patient": lambda window: patient.take(window, demo, findings),
        "scanner": lambda window: scanner.take(window, demo),
    }
    for kind, take in scenes.items():
        if only in (None, kind):
            window = Window(browser, base, out, findings, english=english, kind=kind)
            try:
                take(window)
            except Exception as error:
                # One broken scene must not hide the pictures of the others.
                window.page.screenshot(path=out / f"broken-{kind}-{window.language}.png")
                findings.add(f"{window.language} {kind}", f"stopped: {type(error).__name__}: {error}")
                traceback.print_exc()
            finally:
                window.close()


if __name__ == "__main__":
    sys.exit(main())
