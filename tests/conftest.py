"""Shared settings of the tests: how hard hypothesis searches, and which instruction sets this machine has."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# Shared machines stall for seconds: a deadline there finds the neighbour, not a mistake.
settings.register_profile(
    "fast",
    max_examples=50,
    deadline=None,
    # The same examples in each run: a red test is then the change's doing.
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "thorough", max_examples=2000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("LEVCORE_TESTS", "fast"))
