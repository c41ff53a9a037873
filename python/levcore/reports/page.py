"""Look of the HTML reports: the page, the style sheet ``report.css``, the colours of states and policies."""

from functools import cache
from html import escape
from pathlib import Path

from levcore._levcore import __version__
from levcore.status import State

__all__ = ["html_page", "policy_mark", "state_colour", "style_sheet"]

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

# The same hues again for policies, each also with a shape of its own and its name beside it.
POLICY_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b0578d", "#56b4e9", "#a08f00", "#5c6875", "#7a3e00")
POLICY_SHAPES = ("circle", "square", "diamond", "triangle")

CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html_page(title: str, body: str) -> str:
    """Page of a report: `body` is finished HTML, `title` is not."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        # The browser itself then refuses to load anything, were there ever a mistake in the escaping.
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style_sheet()}</style>\n</head>\n<body>\n<main>\n{body}\n"
        f"<footer>Made by levcore {escape(__version__)}. Nothing is loaded from elsewhere.</footer>\n"
        "</main>\n</body>\n</html>\n"
    )


@cache
def style_sheet() -> str:
    """Text of the style sheet: light, dark, and sober on paper."""
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")


def state_colour(state: State) -> str:
    """CSS colour of a state."""
    return COLOURS[state]


def policy_mark(place: int) -> tuple[str, str]:
    """Colour and shape of the policy at a place of a comparison, from 0."""
    number = place % len(POLICY_COLOURS)
    return f"var(--policy-{number + 1}, {POLICY_COLOURS[number]})", POLICY_SHAPES[place % len(POLICY_SHAPES)]
