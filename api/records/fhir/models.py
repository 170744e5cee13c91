"""The second opinion: `fhir.resources.R4B` (the plain import is R5), with its errors as JSON pointers."""

import asyncio
import warnings
from functools import cache
from importlib import import_module
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from api.records.fhir.facts import Fault
from api.records.fhir.schema import type_of
from api.records.fhir.strict import FAULTS, escaped

_QUIET_SECONDS: Final = 2
_COMMON: Final = (
    "DiagnosticReport DocumentReference ImagingStudy Bundle Observation Specimen Patient Attachment CodeableConcept "
    "Coding Extension Identifier Meta Narrative Period Quantity Reference"
)
_MISSING: Final = ("必须有此元素", "this element is required")
_WRONG: Final = ("不符合 FHIR R4 的规定", "does not conform to FHIR R4")


@cache
def _model(resource_type: str) -> type[BaseModel]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # field names that shadow pydantic's own; nothing of ours
        module = import_module(f"fhir.resources.R4B.{resource_type.lower()}")
    return getattr(module, resource_type)  # type: ignore[no-any-return]


def model_faults(resource: dict[str, Any]) -> list[Fault]:
    """What `fhir.resources` finds wrong with a resource whose shape has been checked."""
    try:
        _model(resource["resourceType"]).model_validate(resource)
    except ValidationError as error:
        return [_fault(one["loc"], one["type"], resource) for one in error.errors(include_url=False)[:FAULTS]]
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return [Fault("", *_WRONG)]  # it raises these for some values, without a place
    return []


def _fault(location: tuple[int | str, ...], kind: str, resource: dict[str, Any]) -> Fault:
    """The pointer of a pydantic location: its steps as far as the resource has them, and the name that is missing."""
    pointer, value = "", resource
    for step in location:
        name = f"_{step[:-5]}" if isinstance(step, str) and step.endswith("__ext") else step
        there = isinstance(value, dict) and name in value
        if there or (isinstance(value, list) and isinstance(name, int) and name < len(value)):
            pointer, value = f"{pointer}/{escaped(str(name))}", value[name]  # type: ignore[index]
        elif isinstance(value, dict) and isinstance(name, str) and "missing" in kind:
            return Fault(f"{pointer}/{escaped(name)}", *_MISSING)
        else:
            break
    return Fault(pointer, *_WRONG)


def prepare() -> None:
    """Imports and builds what the first record would otherwise wait for (half a second)."""
    for name in _COMMON.split():
        _model(name)
        type_of(name)


async def prepare_soon() -> None:
    """Prepare when a process's start is over: the first record would wait for it, and the start should not."""
    await asyncio.sleep(_QUIET_SECONDS)
    await asyncio.to_thread(prepare)
