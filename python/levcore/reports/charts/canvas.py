"""What the SVG renderer draws on: an element in the making, and the room that texts take.

Colours are CSS variables with a fall-back, so that a page sets them for light, dark and print, and a chart
saved by itself still has some.
"""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from levcore.reports.charts.colours import LIGHT
from levcore.reports.charts.model import Figure, Series

__all__ = ["Canvas", "shortened", "text_width"]

FONT_SIZE = 12
# Widths of characters of a wide sans-serif face, in parts of its size; only margins depend on them.
CAPITAL, SMALL = 0.74, 0.62
LONGEST_LABEL = 24
HALF, FULL = 560.0, 1120.0

SHAPES = {
    "circle": "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
    "square": "m-3.6 -3.6h7.2v7.2h-7.2Z",
    "diamond": "m0 -5l5 5l-5 5l-5 -5Z",
    "triangle": "m0 -4.6l4.8 8.4h-9.6Z",
    "to the left": "m-5 0l8 -4.8v9.6Z",
    "to the right": "m5 0l-8 -4.8v9.6Z",
}
"""Paths of the marks of a dot plot around a point; an arrow says that its point lies beyond the axis."""


class Canvas:
    """Elements of one drawing, which is as wide as the page or half as wide."""

    width: float
    height: float
    root: Element

    def __init__(self, figure: Figure, height: float) -> None:
        self.width, self.height = FULL if figure.is_wide else HALF, height
        self.root = Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "role": "img",
                "viewBox": f"0 0 {self.width:g} {height:g}",
                "width": f"{self.width:g}",
                "height": f"{height:g}",
                "font-size": str(FONT_SIZE),
                "font-family": "system-ui, sans-serif",
                "overflow": "visible",
            },
        )
        SubElement(self.root, "title").text = figure.title
        SubElement(self.root, "desc").text = figure.description

    def _add(self, tag: str, tip: str = "", **attributes: float | str) -> Element:
        given = {
            name.replace("_", "-"): value if isinstance(value, str) else f"{value:.1f}"
            for name, value in attributes.items()
        }
        element = SubElement(self.root, tag, given)
        if tip:
            SubElement(element, "title").text = tip
        return element

    def line(
        self, x1: float, y1: float, x2: float, y2: float, colour: str = "grid", width: float = 1.0
    ) -> None:
        """Draw a straight line."""
        self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=_paint(colour), stroke_width=width)

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: str,
        tip: str = "",
        strength: float = 1.0,
    ) -> None:
        """Draw a filled rectangle, `strength` of it opaque; a negative side counts as 0."""
        opacity = {} if strength == 1.0 else {"fill_opacity": f"{strength:.3f}"}
        sides = {"width": max(width, 0.0), "height": max(height, 0.0)}
        self._add("rect", tip, x=x, y=y, **sides, fill=_paint(colour), **opacity)

    def area(self, points: Sequence[tuple[float, float]], colour: str, tip: str) -> None:
        """Fill the polygon of some points."""
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"
        self._add("path", tip, d=path, fill=_paint(colour), fill_opacity="0.85")

    def curve(self, points: Sequence[tuple[float, float]], colour: str, tip: str) -> None:
        """Draw a line through some points."""
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self._add("path", tip, d=path, fill="none", stroke=_paint(colour), stroke_width=2.0)

    def mark(self, shape: str, x: float, y: float, colour: str, tip: str = "") -> None:
        """Draw one of `SHAPES` around a point."""
        self._add("path", tip, d=f"M{x:.1f} {y:.1f}{SHAPES[shape]}", fill=_paint(colour))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        anchor: str = "start",
        colour: str = "muted",
        *,
        bold: bool = False,
    ) -> None:
        """Write one line; `y` is its base line."""
        weight = {"font_weight": "600"} if bold else {}
        self._add("text", x=x, y=y, text_anchor=anchor, fill=_paint(colour), **weight).text = text

    def legend(self, x: float, series: Sequence[Series]) -> None:
        """Write the names of some series at the top, each behind its colour."""
        for one in series:
            self.rect(x, 3, 11, 11, one.colour)
            self.text(x + 16, 13, one.name, colour="ink")
            x += 16 + text_width(one.name) + 18

    def render(self) -> str:
        """The finished element."""
        return tostring(self.root, encoding="unicode")


def _paint(colour: str) -> str:
    return f"var(--{colour}, {LIGHT[colour]})"


def text_width(text: str) -> float:
    """Approximate width of a text at the charts' size."""
    return FONT_SIZE * sum(CAPITAL if letter.isupper() else SMALL for letter in text)


def shortened(label: str) -> str:
    """Label cut to what an axis has room for."""
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
