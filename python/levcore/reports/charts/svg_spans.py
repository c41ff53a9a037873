"""Bars from one value to another, and grids of coloured cells, as SVG."""

from levcore.reports.charts.canvas import Canvas, shortened, text_width
from levcore.reports.charts.model import Figure, Grid, Spans
from levcore.reports.charts.ticks import nice_ticks

__all__ = ["draw_grid", "draw_spans"]

ROW, VISIBLE = 24.0, 0.8
STRONG = 0.6  # share of the largest value from which a text stands light on its cell


def draw_spans(figure: Figure, drawing: Spans) -> Canvas:
    """Draw horizontal bars with their texts beside them, over an axis that holds zero."""
    bottom = 6 + ROW * len(drawing.spans)
    canvas = Canvas(figure, bottom + 26)
    left = 12 + max(text_width(shortened(one.name)) for one in drawing.spans)
    ends = [end for one in drawing.spans for end in (one.start, one.end)]
    ticks = nice_ticks(min([0.0, *ends]), max([0.0, *ends]))
    right = canvas.width - 12 - max(text_width(one.text) for one in drawing.spans)

    def x_of(value: float) -> float:
        return left + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (right - left)

    for tick in ticks:
        canvas.line(x_of(tick), 2, x_of(tick), bottom, "muted" if tick == 0 else "grid")
        canvas.text(x_of(tick), bottom + 16, drawing.form(tick), "middle")
    for number, one in enumerate(drawing.spans):
        y = 6 + number * ROW
        low, high = sorted((one.start, one.end))
        canvas.text(left - 8, y + 13, shortened(one.name), "end", "ink")
        wide = max(x_of(high) - x_of(low), VISIBLE)
        canvas.rect(x_of(low), y + 1, wide, ROW - 8, one.colour, f"{one.name}: {one.text}")
        canvas.text(x_of(high) + 6, y + 13, one.text, colour="ink")
    return canvas


def draw_grid(figure: Figure, drawing: Grid) -> Canvas:
    """Draw a table of cells, each as strong as its value is large."""
    top, high = 42.0, 26.0
    bottom = top + high * len(drawing.down)
    canvas = Canvas(figure, bottom + 4)
    left = 12 + max(text_width(shortened(each)) for each in (*drawing.down, drawing.axis_down))
    wide = (canvas.width - left) / len(drawing.across)
    canvas.text((left + canvas.width) / 2, 13, drawing.axis_across, "middle")
    canvas.text(left - 8, top - 9, shortened(drawing.axis_down), "end")
    for column, head in enumerate(drawing.across):
        canvas.text(left + (column + 0.5) * wide, top - 9, head, "middle", "ink")
    for row, (head, values) in enumerate(zip(drawing.down, drawing.values, strict=True)):
        y = top + row * high
        canvas.text(left - 8, y + 17, shortened(head), "end", "ink")
        for column, value in enumerate(values):
            x, strength = left + column * wide, drawing.strength(value)
            tip = f"{drawing.across[column]}, {head}: {drawing.form(value)}"
            canvas.rect(x, y, wide - 1, high - 1, "soft")
            canvas.rect(x, y, wide - 1, high - 1, drawing.colour, tip, strength)
            colour = "paper" if strength > STRONG else "ink"
            canvas.text(x + wide / 2, y + 17, drawing.form(value), "middle", colour)
    return canvas
