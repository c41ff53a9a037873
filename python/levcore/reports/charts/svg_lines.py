"""Curves with rules at the places that matter, as SVG."""

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
    right = canvas.width - 10

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
    for mark, row in zip(marks, rows, strict=True):
        x, y = x_of(mark.at), top - 8 - ROW * row
        canvas.line(x, y - 8, x, bottom, mark.colour, 1.5)
        text = f"{mark.name} {drawing.form_place(mark.at)}"
        fits = x + 4 + text_width(text) < canvas.width
        canvas.text(x + (4 if fits else -4), y, text, "start" if fits else "end", "ink")
    for one in drawing.series:
        points = [
            (x_of(place), y_of(value))
            for place, value in zip(drawing.places, one.values, strict=True)
            if value == value
        ]
        canvas.curve(points, one.colour, one.name)
    return canvas
