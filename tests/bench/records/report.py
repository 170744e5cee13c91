"""The report that is posted: a blood count of 5 KB, as a laboratory's system writes it."""

import json
from datetime import UTC, datetime
from typing import Any, Final

BYTES: Final = 5 * 1024
_LOINC: Final = "http://loinc.org"
_UCUM: Final = "http://unitsofmeasure.org"
_FLAGS: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
# LOINC code, name, unit, low, high.
_TESTS: Final = (
    ("6690-2", "白细胞计数", "10*9/L", 3.5, 9.5),
    ("789-8", "红细胞计数", "10*12/L", 4.3, 5.8),
    ("718-7", "血红蛋白", "g/L", 130, 175),
    ("4544-3", "红细胞压积", "%", 40, 50),
    ("777-3", "血小板计数", "10*9/L", 125, 350),
    ("770-8", "中性粒细胞百分比", "%", 40, 75),
    ("736-9", "淋巴细胞百分比", "%", 20, 50),
)


def report(number: int = 0, at: datetime | None = None) -> str:
    """A blood count's text, of about 5 KB whatever its number; each number has values of its own."""
    time = (at or datetime.now(UTC)).isoformat(timespec="seconds")
    observed = [_observation(n, number, time) for n in range(len(_TESTS))]
    resource = {
        "resourceType": "DiagnosticReport",
        "identifier": [{"system": "urn:oid:1.2.156.112588.1.1.2", "value": f"{number:08d}"}],
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "LAB"}]}],
        "code": {"coding": [{"system": _LOINC, "code": "58410-2", "display": "CBC panel"}], "text": "血常规"},
        "effectiveDateTime": time,
        "issued": time,
        "contained": observed,
        "result": [{"reference": f"#{one['id']}", "display": one["code"]["text"]} for one in observed],
        "conclusion": "",
    }
    written = len(_text(resource).encode())
    resource["conclusion"] = "未见明显异常，请结合临床。" + "x" * max(0, BYTES - written - 39)
    return _text(resource)


def _observation(n: int, number: int, time: str) -> dict[str, Any]:
    code, name, unit, low, high = _TESTS[n]
    value = round(low + (high - low) * (number * 7 + n) % 100 / 100, 2)
    quantity = {"unit": unit, "system": _UCUM, "code": unit}
    return {
        "resourceType": "Observation",
        "id": f"o{n}",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": code}], "text": name},
        "effectiveDateTime": time,
        "valueQuantity": {"value": value, **quantity},
        "interpretation": [{"coding": [{"system": _FLAGS, "code": "N"}]}],
        "referenceRange": [{"low": {"value": low, **quantity}, "high": {"value": high, **quantity}}],
    }


def _text(resource: dict[str, Any]) -> str:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
