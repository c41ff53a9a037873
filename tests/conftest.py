"""Shared settings of the tests: how hard hypothesis searches, and which instruction sets this machine has."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from levcore import _levcore

# The same examples in each run, so that a red test is the change's doing. No deadline: shared machines stall
# for seconds, and a deadline there finds the neighbour, not a mistake.
settings.register_profile(
    "fast", max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "thorough",
    max_examples=2000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("LEVCORE_TESTS", "fast"))


@pytest.fixture(params=_levcore.instruction_sets())
def instruction_set(request: pytest.FixtureRequest) -> str:
    """Each instruction set that this processor has, one after the other."""
    name: str = request.param
    return name
