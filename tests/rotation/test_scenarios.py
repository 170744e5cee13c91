"""The scenarios of scenarios.py, each over HTTP on a real database."""

import pytest

from tests.rotation.office import Office, Scenario
from tests.rotation.scenarios import SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_scenario(office: Office, scenario: Scenario) -> None:
    for number, step in enumerate(scenario.steps, start=1):
        try:
            await step.do(office)
        except AssertionError as error:
            raise AssertionError(f"step {number}, {step}: {error}") from error
