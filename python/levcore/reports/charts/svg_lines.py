"""Curves with rules at the places that matter, as SVG."""

from collections.abc import Sequence

from levcore.reports.charts.canvas import Canvas, text_width
from levcore.reports.charts.model import Figure, Lines
from levcore.reports.charts.ticks import label_rows, nice_ticks

__all__ = ["draw_lines"]

LEGEND, ROW, PLOT, BELOW = 24.0, 16.0, 250.0, 44.0


def draw_lines(figure: Figure, drawing: Lines) -> Canvas:
    """Draw curves over a numeric axis; the names of its rules stand above it, in rows."""
    low, high = drawing.places[0], drawing.places[-1]
    marks = sorted(drawing.marks, key=lambda mark: mark.at)
    rows = label_rows([mark.at for mark in marks], low, high)
    top = LEGEND + ROW * (max(rows, default=-1) + 1) + 6
    bottom = top + PLOT
    canvas = Canvas(figure, bottom + BELOW)
    values = [value for one in drawing.series for value in one.values if value == value]
    ticks = nice_ticks(min([0.0, *values]), max([0.0, *values]))
    left = 12 + max(text_width(drawing.form(tick)) for tick in ticks)
    texts = [f"{mark.name} {drawing.form_place(mark.at)}" for mark in marks]
    right = _end_of_axis(canvas.width, left, [(mark.at - low) / (high - low) for mark in marks], texts)

    def x_of(place: float) -> float:
        return left + (place - low) / (high - low) * (right - left)

    def y_of(value: float) -> float:
        return bottom - (value - ticks[0]) / (ticks[-1] - ticks[0]) * PLOT

    for tick in ticks:
        canvas.line(left, y_of(tick), right, y_of(tick), "muted" if tick == 0 else "grid")
        canvas.text(left - 7, y_of(tick) + 4, drawing.form(tick), "end")
    canvas.legend(left, drawing.series)
    for tick in nice_ticks(low, high, 8):
        if low <= tick <= high:
            canvas.line(x_of(tick), bottom, x_of(tick), bottom + 4, "muted")
            canvas.text(x_of(tick), bottom + 17, drawing.form_place(tick), "middle")
    canvas.text((left + right) / 2, bottom + 36, drawing.axis, "middle")
    for mark, row, text in zip(marks, rows, texts, strict=True):
        x, y = x_of(mark.at), top - 8 - ROW * row
        canvas.line(x, y - 8, x, bottom, mark.colour, 1.5)
        canvas.text(x + 4, y, text, colour="ink")
    for one in drawing.series:
        points = [
            (x_of(place), y_of(value))
            for place, value in zip(drawing.places, one.values, strict=True)
            if value == value
        ]
        canvas.curve(points, one.colour, one.name)
    return canvas


def _end_of_axis(width: float, left: float, places: Sequence[float], texts: Sequence[str]) -> float:
    """Where the axis ends so that each text has room to the right of its rule, clear of the others.

    `places` are fractions of the axis.
    """
    ends = [
        left + (width - 8 - text_width(text) - left) / place
        for place, text in zip(places, texts, strict=True)
        if place > 0.0
    ]
    return max(min([width - 10, *ends]), left + width / 4)
