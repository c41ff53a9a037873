"""The closed vocabularies of a portfolio margin: why a row failed, what became of an account.

The same codes as ``rust/levcore/src/scenarios/status.rs``; ``tests/scenarios/test_scenarios.py`` holds the
two together.
"""

from enum import IntEnum

__all__ = ["ScenarioAccountStatus", "ScenarioRowStatus"]


class ScenarioRowStatus(IntEnum):
    """Why a row keeps its account from being evaluated; names of `levcore.Status` share its codes."""

    INVALID_QUANTITY = 32
    UNKNOWN_INSTRUMENT = 34
    INCOMPLETE_ARRAY = 64
    MISSING_OPTION_VALUE = 65

    def describe(self) -> str:
        """Meaning of the code in words."""
        # The words stand once, in the core; importing the binding here would make this module need it.
        from levcore._levcore import scenario_row_statuses

        return next(meaning for code, _, meaning in scenario_row_statuses() if code == self)


class ScenarioAccountStatus(IntEnum):
    """What became of an account: all measures are NaN if ``INCOMPLETE``, of the equity unless ``OK``."""

    OK = 0
    INCOMPLETE = 1
    MISSING_EQUITY = 2
    INVALID_EQUITY = 3

    def describe(self) -> str:
        """Meaning of the code in words."""
        from levcore._levcore import scenario_account_statuses

        return next(meaning for code, _, meaning in scenario_account_statuses() if code == self)
