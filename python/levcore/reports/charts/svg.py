"""Figures as SVG, for pages without scripts: the same figure gives the same bytes."""

from collections.abc import Callable, Sequence
from typing import Any

from levcore.reports.charts.canvas import Canvas, shortened, text_width
from levcore.reports.charts.model import (
    Areas,
    Bars,
    Columns,
    Diverging,
    Dots,
    Figure,
    Format,
    Grid,
    Lines,
    Shares,
    Spans,
)
from levcore.reports.charts.svg_dots import draw_dots
from levcore.reports.charts.svg_lines import draw_lines
from levcore.reports.charts.svg_spans import draw_grid, draw_spans
from levcore.reports.charts.ticks import nice_ticks

__all__ = ["svg"]

TOP = 34.0  # below the legend
VISIBLE = 0.8  # pixels of a bar that is not zero, however small it is


def svg(figure: Figure) -> str:
    """Draw a figure.

    Returns
    -------
    str
        An ``<svg>`` element with title and description.
    """
    return DRAW[type(figure.drawing)](figure, figure.drawing).render()


def _shares(figure: Figure, drawing: Shares) -> Canvas:
    canvas = Canvas(figure, 18)
    parts = [(one, one.values[0]) for one in drawing.parts if one.values[0] > 0]
    total = sum(value for _, value in parts)
    gap = 1 if len(parts) > 1 else 0
    x = 0.0
    for one, value in parts:
        # A part above zero is at least two pixels wide.
        wide = 2 + (canvas.width - 2 * len(parts)) * value / total
        canvas.rect(x, 0, wide - gap, 18, one.colour, f"{one.name}: {drawing.form(value)}")
        x += wide
    return canvas


def _vertical_axis(
    canvas: Canvas, ticks: Sequence[float], bottom: float, form: Format
) -> tuple[float, Callable[[float], float]]:
    """Draw horizontal grid lines with their labels; where they begin, and what gives the place of a value."""
    left = 12 + max(text_width(form(tick)) for tick in ticks)
    scale = (bottom - TOP) / (ticks[-1] - ticks[0])

    def place(value: float) -> float:
        return bottom - (value - ticks[0]) * scale

    for tick in ticks:
        canvas.line(left, place(tick), canvas.width, place(tick))
        canvas.text(left - 7, place(tick) + 4, form(tick), "end")
    return left, place


def _columns(figure: Figure, drawing: Columns) -> Canvas:
    canvas, bottom = Canvas(figure, 270), 230.0
    totals = [sum(values) for values in zip(*(one.values for one in drawing.series), strict=True)]
    ticks = nice_ticks(0.0, max(totals, default=0.0), whole=drawing.whole)
    left, place = _vertical_axis(canvas, ticks, bottom, drawing.form)
    canvas.legend(left, drawing.series)
    step = (canvas.width - left) / max(len(drawing.categories), 1)
    for number, category in enumerate(drawing.categories):
        x, base = left + (number + 0.14) * step, 0.0
        for one in drawing.series:
            value = one.values[number]
            if value > 0:
                tall = max(place(base) - place(base + value), VISIBLE)
                tip = f"{category}, {one.name}: {drawing.form(value)}"
                canvas.rect(x, place(base) - tall, 0.72 * step, tall, one.colour, tip)
            base += value
        canvas.text(x + 0.36 * step, bottom + 16, category, "middle")
    canvas.line(left, bottom, canvas.width, bottom, "muted")
    canvas.text((left + canvas.width) / 2, canvas.height - 5, drawing.axis, "middle")
    return canvas


def _areas(figure: Figure, drawing: Areas) -> Canvas:
    canvas, bottom, places = Canvas(figure, 250), 228.0, drawing.places
    highest = max((value for one in drawing.series for value in one.values if value == value), default=0.0)
    left, place = _vertical_axis(canvas, nice_ticks(0.0, highest), bottom, drawing.form)
    right = canvas.width - 6 - 0.5 * text_width(drawing.form_place(places[-1]))
    canvas.legend(left, drawing.series)
    scale = (right - left) / (places[-1] - places[0])
    for tick in nice_ticks(places[0], places[-1], 8):
        if places[0] <= tick <= places[-1]:
            x = left + (tick - places[0]) * scale
            canvas.line(x, bottom, x, bottom + 4, "muted")
            canvas.text(x, bottom + 17, drawing.form_place(tick), "middle")
    for one in drawing.series:
        points = [
            (left + (x - places[0]) * scale, place(value))
            for x, value in zip(places, one.values, strict=True)
            if value == value
        ]
        if points:
            canvas.area([(points[0][0], bottom), *points, (points[-1][0], bottom)], one.colour, one.name)
    canvas.line(left, bottom, canvas.width, bottom, "muted")
    return canvas


def _diverging(figure: Figure, drawing: Diverging) -> Canvas:
    row, top = 24, 26
    # A name longer than that is cut on the axis; the bar's own text has it whole.
    shown = [shortened(label) for label in drawing.categories]
    bottom = top + row * len(shown)
    canvas = Canvas(figure, bottom + 26)
    left = 10 + max((text_width(label) for label in shown), default=0)
    ticks = nice_ticks(0.0, max([*drawing.left.values, *drawing.right.values], default=0.0), 3)
    room = 0.5 * text_width(drawing.form(ticks[-1]))
    middle, half = (left + canvas.width) / 2, (canvas.width - left) / 2 - room
    canvas.legend(left, (drawing.left, drawing.right))
    for tick in ticks:
        for side in (-1, 1) if tick else (1,):
            x = middle + side * tick / ticks[-1] * half
            canvas.line(x, top - 2, x, bottom)
            canvas.text(x, bottom + 16, drawing.form(tick), "middle")
    for number, label in enumerate(drawing.categories):
        y = top + number * row
        canvas.text(left - 10, y + 16, shown[number], "end", "ink")
        for side, one in ((-1, drawing.left), (1, drawing.right)):
            value = one.values[number]
            if value > 0:
                long = max(value / ticks[-1] * half, VISIBLE)
                tip = f"{label}, {one.name}: {drawing.form(value)}"
                canvas.rect(middle - long if side < 0 else middle, y + 4, long, row - 8, one.colour, tip)
    canvas.line(middle, top - 2, middle, bottom, "muted")
    return canvas


def _bars(figure: Figure, drawing: Bars) -> Canvas:
    canvas = Canvas(figure, 24 * len(drawing.names) + 4)
    left = 26 + max(map(text_width, drawing.names))
    room = 14 + max(text_width(drawing.form(value)) for value in drawing.values)
    largest = max(drawing.values) or 1.0
    each = zip(drawing.names, drawing.signs, drawing.values, strict=True)
    for number, (name, sign, value) in enumerate(each):
        y, text = 24 * number + 4, drawing.form(value)
        canvas.mark(sign.shape, 6, y + 8, sign.colour)
        canvas.text(16, y + 12, name, colour="ink")
        long = (canvas.width - left - room) * value / largest
        canvas.rect(left, y, long, 16, sign.colour, f"{name}: {text}")
        canvas.text(left + long + 8, y + 12, text, colour="ink")
    return canvas


DRAW: dict[type, Callable[[Figure, Any], Canvas]] = {
    Shares: _shares,
    Columns: _columns,
    Areas: _areas,
    Lines: draw_lines,
    Diverging: _diverging,
    Bars: _bars,
    Dots: draw_dots,
    Spans: draw_spans,
    Grid: draw_grid,
}
