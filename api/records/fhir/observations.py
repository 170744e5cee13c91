"""The measured values of a report, for trends: what its results say as plain numbers."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from api.records.fhir.facts import Observed
from api.records.fhir.shape import Inside
from api.records.fhir.subjects import People
from api.records.fhir.times import Times

_LOINC: Final = "http://loinc.org"
_NOT_COUNTED: Final = ("entered-in-error", "cancelled")
_NAME: Final = 200  # characters kept of a name, unit or flag
_TEST: Final = 250  # of a test's system and code; one that is longer is none
_EFFECTIVE: Final = ("effectiveDateTime", "effectiveInstant", "effectivePeriod")


class Result(NamedTuple):
    """An Observation that the report leads to, and its pointer."""

    resource: dict[str, Any]
    pointer: str

    @property
    def counts(self) -> bool:
        """Whether it was made, and is not wrong."""
        return self.resource.get("status") not in _NOT_COUNTED


def results_of(report: Inside, inside: list[Inside], people: People) -> list[Result]:
    """The Observations that the report's `result` leads to, and their `hasMember`, each once."""
    places = {id(part.resource): part for part in inside}
    return [Result(one, places[id(one)].pointer) for one in _results(report, places, people)]


def measured_at(results: list[Result], times: Times) -> datetime | None:
    """The oldest time that a result is said to hold for (effective[x]); None where none says."""
    found = [_effective(one, times) for one in results if one.counts]
    return min((at for at in found if at), default=None)


def _effective(result: Result, times: Times) -> datetime | None:
    timing = result.resource.get("effectiveTiming", {})
    place = f"{result.pointer}/effectiveTiming/event"
    events = [times.moment(text, f"{place}/{index}") for index, text in enumerate(timing.get("event", ()))]
    return min((at for at in events if at), default=None) or times.first(result.resource, result.pointer, *_EFFECTIVE)


def observed(results: list[Result], times: Times, otherwise: datetime) -> list[Observed]:
    """Each numeric value among the results, components included; `code` is the test's as `_test_of` writes it.

    Left out: values with a comparator ("<5" is no point of a curve), without a code, of an Observation that is wrong,
    cancelled, or changed in meaning by a modifierExtension.
    """
    found: list[Observed] = []
    for result in results:
        observation = result.resource
        at = times.first(observation, result.pointer, *_EFFECTIVE, "issued") or otherwise
        if not result.counts or "modifierExtension" in observation:
            continue
        for part in (observation, *observation.get("component", ())):
            point = _point(part, at)
            if point is not None:
                found.append(point)
    return found


def _results(report: Inside, places: dict[int, Inside], people: People) -> Iterator[dict[str, Any]]:
    open_ = [(ref, report) for ref in reversed(report.resource.get("result", []))]
    seen: set[int] = set()
    while open_:
        reference, at = open_.pop()
        resource = people.resolved(reference.get("reference", ""), at.holder) if "reference" in reference else None
        if resource is None or resource["resourceType"] != "Observation" or id(resource) in seen:
            continue
        seen.add(id(resource))
        yield resource
        open_ += [(ref, places[id(resource)]) for ref in reversed(resource.get("hasMember", []))]


def _point(part: dict[str, Any], at: datetime) -> Observed | None:
    quantity = part.get("valueQuantity")
    if not isinstance(quantity, dict) or "value" not in quantity or "comparator" in quantity:
        return None
    code, display = named(part.get("code"))
    test = _test_of(part.get("code"))
    if code is None or test is None:
        return None
    limits: dict[str, Any] = next((r for r in part.get("referenceRange", ()) if "low" in r or "high" in r), {})
    return Observed(
        code=test,
        display=(display or code)[:_NAME],
        at=at,
        value=str(quantity["value"]),
        unit=_short(quantity.get("unit") or quantity.get("code")),
        low=_value(limits.get("low")),
        high=_value(limits.get("high")),
        flag=_short(named(next(iter(part.get("interpretation", ())), None))[0]),
    )


def _value(quantity: dict[str, Any] | None) -> str | None:
    return str(quantity["value"]) if quantity and "value" in quantity else None


def _short(text: str | None) -> str | None:
    return text[:_NAME] if text else None


def _test_of(concept: dict[str, Any] | None) -> str | None:
    """Which test it is: a LOINC code alone, another as `system|code` (FHIR's token), for "001" is each hospital's own.

    None: no code, one that is too long, or one that could be read as another's.
    """
    coding = _chosen(concept)
    system, code = coding.get("system", ""), coding.get("code")
    if code is None or "|" in code or "|" in system:
        return None
    test = code if system == _LOINC else f"{system}|{code}"
    return test if len(test) <= _TEST else None


def _chosen(concept: dict[str, Any] | None) -> dict[str, Any]:
    """The LOINC coding, else the first with a code."""
    coded = [c for c in (concept or {}).get("coding", ()) if "code" in c]
    return next((c for c in coded if c.get("system") == _LOINC), coded[0] if coded else {})


def named(concept: dict[str, Any] | None) -> tuple[str | None, str | None]:
    """Code and name of a CodeableConcept: its LOINC coding, else the first with a code; its text before displays."""
    codings, chosen = (concept or {}).get("coding", []), _chosen(concept)
    displays = (c["display"] for c in (chosen, *codings) if "display" in c)
    return chosen.get("code"), (concept or {}).get("text") or next(displays, None)
