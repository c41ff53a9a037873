"""Look of the HTML report: the style sheet ``report.css`` and the colours of the states."""

from functools import cache
from pathlib import Path

from levcore.status import AccountStatus, State, Status

__all__ = ["state_colour", "state_word", "status_word", "style_sheet"]

# Told apart with any colour vision: the hues of Okabe and Ito, lightness falling from warning to bankrupt.
# Every place that uses them says the state in words too.
COLOURS = {
    State.HEALTHY: "var(--healthy, #8fb3d1)",
    State.WARNING: "var(--warning, #e9d536)",
    State.MARGIN_CALL: "var(--margin-call, #e69f00)",
    State.LIQUIDATION: "var(--liquidation, #c84a00)",
    State.BANKRUPT: "var(--bankrupt, #5b2a5e)",
    State.INCOMPLETE: "var(--incomplete, #9aa3ad)",
}


@cache
def style_sheet() -> str:
    """Text of the style sheet: light, dark, and sober on paper."""
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")


def state_colour(state: State) -> str:
    """CSS colour of a state."""
    return COLOURS[state]


def state_word(state: State) -> str:
    """Name of a state as the reports write it."""
    return state.name.lower().replace("_", " ")


def status_word(status: Status | AccountStatus) -> str:
    """Name of a status as the reports write it."""
    return status.name.lower().replace("_", " ")
