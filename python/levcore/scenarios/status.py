"""The closed vocabularies of a portfolio margin: why a row failed, what became of an account.

The same codes as ``rust/levcore/src/scenarios/status.rs``; ``tests/scenarios/test_scenarios.py`` holds the
two together.
"""

from levcore._levcore import scenario_account_statuses, scenario_row_statuses
from levcore.status import Code

__all__ = ["ScenarioAccountStatus", "ScenarioRowStatus"]


class ScenarioRowStatus(Code, table=scenario_row_statuses):
    """Why a row keeps its account from being evaluated; names of `levcore.Status` share its codes."""

    INVALID_QUANTITY = 32
    UNKNOWN_INSTRUMENT = 34
    INCOMPLETE_ARRAY = 64
    MISSING_OPTION_VALUE = 65

    @property
    def column(self) -> str:
        """Column of the book to look at first."""
        return "quantity" if self is ScenarioRowStatus.INVALID_QUANTITY else "instrument"


class ScenarioAccountStatus(Code, table=scenario_account_statuses):
    """What became of an account: all measures are NaN if ``INCOMPLETE``, of the equity unless ``OK``."""

    OK = 0
    INCOMPLETE = 1
    MISSING_EQUITY = 2
    INVALID_EQUITY = 3

    @property
    def column(self) -> str:
        """``"equity"`` where that is at fault, else empty: a row is, or an adjustment."""
        return "equity" if self.name.endswith("EQUITY") else ""
