"""Colours by name, light and dark; they are told apart with any colour vision.

The hues of Okabe and Ito, lightness falling from warning to bankrupt. Every place that uses them says in
words too what they stand for.
"""

from levcore.reports.charts.model import Shape, Sign
from levcore.status import State

__all__ = ["DARK", "LIGHT", "policy_sign", "state_colour"]

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1b2530",
    "muted": "#5c6875",
    "grid": "#dfe4ea",
    "soft": "#f5f7f9",
    "link": "#1f5f99",
    "long": "#0072b2",
    "short": "#d98200",
    "healthy": "#8fb3d1",
    "warning": "#e9d536",
    "margin-call": "#e69f00",
    "liquidation": "#c84a00",
    "bankrupt": "#5b2a5e",
    "incomplete": "#9aa3ad",
    "policy-1": "#0072b2",
    "policy-2": "#d55e00",
    "policy-3": "#009e73",
    "policy-4": "#b0578d",
    "policy-5": "#56b4e9",
    "policy-6": "#a08f00",
    "policy-7": "#5c6875",
    "policy-8": "#7a3e00",
}

DARK = {
    "paper": "#14191f",
    "ink": "#e4e8ec",
    "muted": "#9aa6b2",
    "grid": "#303943",
    "soft": "#1c232b",
    "link": "#7db8ea",
    "long": "#4da3d9",
    "short": "#eba23b",
    "healthy": "#5480a3",
    "warning": "#e5d75a",
    "margin-call": "#e69f00",
    "liquidation": "#ec6a2c",
    "bankrupt": "#b98bc0",
    "incomplete": "#77818c",
    "policy-1": "#4da3d9",
    "policy-2": "#f08a4b",
    "policy-3": "#3cc49a",
    "policy-4": "#dd9cc0",
    "policy-5": "#9bd6f5",
    "policy-6": "#d9c64a",
    "policy-7": "#a9b4bf",
    "policy-8": "#c98b4f",
}

POLICY_COLOURS = 8
POLICY_SHAPES: tuple[Shape, ...] = ("circle", "square", "diamond", "triangle")


def state_colour(state: State) -> str:
    """Name of the colour of a state."""
    return state.word.replace("_", "-")


def policy_sign(place: int) -> Sign:
    """Colour and shape of the policy at a place of a comparison, from 0."""
    return Sign(f"policy-{place % POLICY_COLOURS + 1}", POLICY_SHAPES[place % len(POLICY_SHAPES)])
