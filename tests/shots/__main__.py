"""`python -m tests.shots [--base URL] [--demo-json FILE] [--out DIR]`: every state of the pages, looked at.

Drives a demo of its own (or, with --base or --demo-json, one that runs) in headless Chromium, in both languages,
and leaves pictures of each state at 390 × 844 and 1280 × 800, light, dark and in large type. Ends with 1 if a
console error, a layout shift, type below 16 px or sideways scrolling was found.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.shots import admin, pages, patient, scanner
from tests.shots.camera_window import ARGUMENTS, CHROMIUM, Findings, Kind, Window
from tests.shots.demo import Demo
from tests.shots.running import own_demo


def main() -> int:
    """Takes all pictures; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.shots", description=__doc__)
    parser.add_argument("--base", help="where a demo runs, if not where demo.json says")
    parser.add_argument("--demo-json", type=Path, help="what a demo that runs wrote")
    parser.add_argument("--out", default=Path("shots"), type=Path, help="where the pictures go")
    parser.add_argument("--only", choices=["page", "patient", "scanner", "admin"], help="one kind of page alone")
    parser.add_argument("--chromium", default=CHROMIUM, help="which browser to drive")
    asked = parser.parse_args()
    findings = Findings()
    if asked.base and not asked.demo_json:
        asked.demo_json = Path(os.environ.get("YIMA_DATA_DIR", ".yima")) / "demo.json"
    if asked.demo_json and not asked.demo_json.exists():
        parser.error(f"{asked.demo_json} is not there: start the demo with `make run` first")
    with nullcontext(asked.demo_json) if asked.demo_json else own_demo() as file, sync_playwright() as playwright:
        demo = Demo(file, asked.base)
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
        "admin": lambda window: admin.take(window, demo),
    }
    for kind, take in scenes.items():
        if only in (None, kind):
            window = Window(browser, base, out, findings, english=english, kind=kind)
            try:
                take(window)
            except Exception as error:
                # One broken scene must not hide the pictures of the others.
                findings.add(f"{window.language} {kind}", f"stopped: {type(error).__name__}: {error}")
                traceback.print_exc()
                with suppress(PlaywrightError):
                    window.picture(out / f"broken-{kind}-{window.language}.png")
            finally:
                window.close()


if __name__ == "__main__":
    sys.exit(main())
