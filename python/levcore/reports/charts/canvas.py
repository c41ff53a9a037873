"""What the charts draw on: an SVG element in the making, its inks, and the room that texts take.

Colours are CSS variables with a fall-back, so that a page sets them for light, dark and print, and a chart
saved by itself still has some.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

__all__ = ["GRID", "INK", "MUTED", "SHAPES", "SOFT", "Canvas", "Series", "shortened", "text_width"]

FONT_SIZE = 12
# Widths of characters of a wide sans-serif face, in parts of its size; only margins depend on them.
CAPITAL, SMALL = 0.74, 0.62
LONGEST_LABEL = 24

INK = "var(--ink, #1f2933)"
MUTED = "var(--muted, #5f6b7a)"
GRID = "var(--grid, #d9dee5)"
SOFT = "var(--soft, #f5f7f9)"

SHAPES = {
    "circle": "M{x:.1f} {y:.1f}m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
    "square": "M{x:.1f} {y:.1f}m-3.6 -3.6h7.2v7.2h-7.2Z",
    "diamond": "M{x:.1f} {y:.1f}m0 -5l5 5l-5 5l-5 -5Z",
    "triangle": "M{x:.1f} {y:.1f}m0 -4.6l4.8 8.4h-9.6Z",
    "to the left": "M{x:.1f} {y:.1f}m-5 0l8 -4.8v9.6Z",
    "to the right": "M{x:.1f} {y:.1f}m5 0l-8 -4.8v9.6Z",
}
"""Paths of the marks of a dot plot; an arrow says that its point lies beyond the axis."""


@dataclass(frozen=True)
class Series:
    """One set of values of a chart.

    Parameters
    ----------
    name : str
        For the legend.
    values : sequence of float
        One a category or a place on the axis; finite, not negative.
    colour : str
        A CSS colour.
    """

    name: str
    values: Sequence[float]
    colour: str


@dataclass
class Canvas:
    """Elements of one drawing."""

    width: float
    height: float
    parts: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str = GRID, width: float = 1) -> None:
        """Draw a straight line."""
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
            f' stroke="{colour}" stroke-width="{width}"/>'
        )

    def rect(self, x: float, y: float, width: float, height: float, colour: str, tip: str = "") -> None:
        """Draw a filled rectangle; a negative side counts as 0."""
        inner = f"<title>{escape(tip)}</title>" if tip else ""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
            f' fill="{colour}">{inner}</rect>'
        )

    def area(self, points: Sequence[tuple[float, float]], colour: str, tip: str = "") -> None:
        """Fill the polygon of some points."""
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"
        inner = f"<title>{escape(tip)}</title>" if tip else ""
        self.parts.append(f'<path d="{path}" fill="{colour}" fill-opacity="0.85">{inner}</path>')

    def mark(
        self, shape: str, x: float, y: float, colour: str, tip: str = "", *, hollow: bool = False
    ) -> None:
        """Draw one of `SHAPES` around a point; a hollow one shows the page through."""
        inner = f"<title>{escape(tip)}</title>" if tip else ""
        self.parts.append(f'<path d="{SHAPES[shape].format(x=x, y=y)}" fill="{colour}">{inner}</path>')

    def text(
        self, x: float, y: float, text: str, anchor: str = "start", colour: str = MUTED, weight: str = ""
    ) -> None:
        """Write one line; `y` is its base line."""
        bold = f' font-weight="{weight}"' if weight else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{bold}>'
            f"{escape(text)}</text>"
        )

    def legend(self, x: float, series: Sequence[Series]) -> None:
        """Write the names of some series at the top, each behind its colour."""
        for one in series:
            self.rect(x, 3, 11, 11, one.colour)
            self.text(x + 16, 13, one.name, colour=INK)
            x += 16 + text_width(one.name) + 18

    def render(self, title: str, description: str) -> str:
        """The finished element."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {self.width:g} {self.height:g}"'
            f' width="{self.width:g}" height="{self.height:g}" font-size="{FONT_SIZE}"'
            f' font-family="system-ui, sans-serif" overflow="visible">'
            f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{''.join(self.parts)}</svg>"
        )


def text_width(text: str) -> float:
    """Approximate width of a text at the charts' size."""
    return FONT_SIZE * sum(CAPITAL if letter.isupper() else SMALL for letter in text)


def shortened(label: str) -> str:
    """Label cut to what an axis has room for."""
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
