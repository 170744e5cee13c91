"""`python -m tests.contract.keep`: keep today's OpenAPI document as the one that must not break."""

import json
import sys
from pathlib import Path
from typing import Any

from api.app import openapi_document
from tests.contract.compare import breaks

KEPT = Path(__file__).with_name("openapi.json")


def kept_document() -> dict[str, Any]:
    """The last document that was kept."""
    return dict(json.loads(KEPT.read_text(encoding="utf-8")))


def main() -> None:
    """Write it, and say what that breaks."""
    today = openapi_document()
    if KEPT.exists():
        for where, about in breaks(kept_document(), today):
            sys.stdout.write(f"breaks clients: {where} {about}\n")
    text = json.dumps(today, ensure_ascii=False, indent=1, sort_keys=True)
    KEPT.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
