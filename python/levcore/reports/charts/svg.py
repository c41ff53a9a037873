"""Small charts as SVG text: enough for a report that needs no library, no script and no network.

Colours are CSS variables with a fall-back, so that a page sets them for light, dark and print, and a chart
saved by itself still has some. Each chart carries a title and a description for those who do not see it, and
each mark its value.
"""

import math
from collections.abc import Callable, Sequence

from levcore.reports.charts.canvas import INK, MUTED, Canvas, Series, shortened, text_width

__all__ = [
    "Series",
    "area_chart",
    "bar_chart",
    "diverging_chart",
    "nice_ticks",
    "share_bar",
]

Format = Callable[[float], str]


def nice_ticks(low: float, high: float, about: int = 5, *, whole: bool = False) -> list[float]:
    """Round numbers from `low` or below to `high` or above, a step of 1, 2 or 5 times a power of ten apart.

    Parameters
    ----------
    low, high : float
        Finite; an empty or inverted range becomes one of length 1.
    about : int
        How many steps to aim at.
    whole : bool
        Whether only whole numbers make sense, as for counts.

    Returns
    -------
    list of float
        Ascending, at least two.

    Examples
    --------
    >>> nice_ticks(0, 23)
    [0.0, 5.0, 10.0, 15.0, 20.0, 25.0]
    """
    if not high > low:
        high = low + 1.0
    raw = max((high - low) / about, 1.0 if whole else 0.0)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    # Rounded to the digits of the step, so that a tick reads 0.3 and not 0.30000000000000004.
    digits = max(0, -math.floor(math.log10(step)))
    return [round(place * step, digits) for place in range(first, last + 1)]


def _vertical_axis(
    canvas: Canvas, ticks: Sequence[float], top: float, bottom: float, left: float, form: Format
) -> Callable[[float], float]:
    """Draw horizontal grid lines with their labels; returns the place of a value."""
    scale = (bottom - top) / (ticks[-1] - ticks[0])

    def place(value: float) -> float:
        return bottom - (value - ticks[0]) * scale

    for tick in ticks:
        canvas.line(left, place(tick), canvas.width, place(tick))
        canvas.text(left - 7, place(tick) + 4, form(tick), "end")
    return place


def bar_chart(
    title: str,
    description: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    form: Format,
    axis: str = "",
    whole: bool = False,
    width: float = 560,
    height: float = 270,
) -> str:
    """Stacked vertical bars, one a category.

    Parameters
    ----------
    title, description : str
        What is shown, for screen readers and as the hover text.
    labels : sequence of str
        Categories, from left to right.
    series : sequence of Series
        From the bottom to the top of each bar.
    form : callable
        Text of a value.
    axis : str
        What the categories are, written below them.
    whole : bool
        Whether the values are counts.
    width, height : float
        Size in CSS pixels.

    Returns
    -------
    str
        An ``<svg>`` element.
    """
    canvas = Canvas(width, height)
    totals = [sum(values) for values in zip(*(one.values for one in series), strict=True)]
    ticks = nice_ticks(0.0, max(totals, default=0.0), whole=whole)
    left = 12 + max(text_width(form(tick)) for tick in ticks)
    bottom = height - (40 if axis else 22)
    place = _vertical_axis(canvas, ticks, 34, bottom, left, form)
    canvas.legend(left, series)
    step = (width - left) / max(len(labels), 1)
    for number, label in enumerate(labels):
        x, base = left + (number + 0.14) * step, 0.0
        for one in series:
            value = one.values[number]
            if value > 0:
                tip = f"{label}, {one.name}: {form(value)}"
                # A bar that is not zero stays visible, if only as a line.
                tall = max(place(base) - place(base + value), 0.8)
                canvas.rect(x, place(base) - tall, 0.72 * step, tall, one.colour, tip)
            base += value
        canvas.text(x + 0.36 * step, bottom + 16, label, "middle")
    canvas.line(left, bottom, width, bottom, MUTED)
    if axis:
        canvas.text((left + width) / 2, height - 5, axis, "middle")
    return canvas.render(title, description)


def diverging_chart(
    title: str,
    description: str,
    labels: Sequence[str],
    left_series: Series,
    right_series: Series,
    *,
    form: Format,
    width: float = 560,
) -> str:
    """Horizontal bars from a common middle, one line a category.

    Parameters
    ----------
    title, description, form, width
        As for `bar_chart`.
    labels : sequence of str
        Categories, from top to bottom.
    left_series, right_series : Series
        Values, not negative.

    Returns
    -------
    str
        An ``<svg>`` element.
    """
    row, top = 24, 26
    # A name longer than that is cut on the axis; the bar's own text has it whole.
    shown = [shortened(label) for label in labels]
    canvas = Canvas(width, top + row * len(labels) + 26)
    left = 10 + max((text_width(label) for label in shown), default=0)
    ticks = nice_ticks(0.0, max([*left_series.values, *right_series.values], default=0.0), 3)
    room = 0.5 * text_width(form(ticks[-1]))
    middle, half = (left + width) / 2, (width - left) / 2 - room
    bottom = top + row * len(labels)
    canvas.legend(left, (left_series, right_series))
    for tick in ticks:
        for side in (-1, 1) if tick else (1,):
            x = middle + side * tick / ticks[-1] * half
            canvas.line(x, top - 2, x, bottom)
            canvas.text(x, bottom + 16, form(tick), "middle")
    for number, label in enumerate(labels):
        y = top + number * row
        canvas.text(left - 10, y + 16, shown[number], "end", INK)
        for side, one in ((-1, left_series), (1, right_series)):
            value = one.values[number]
            if value > 0:
                long = max(value / ticks[-1] * half, 0.8)
                tip = f"{label}, {one.name}: {form(value)}"
                canvas.rect(middle - long if side < 0 else middle, y + 4, long, row - 8, one.colour, tip)
    canvas.line(middle, top - 2, middle, bottom, MUTED)
    return canvas.render(title, description)


def area_chart(
    title: str,
    description: str,
    places: Sequence[float],
    series: Sequence[Series],
    *,
    form: Format,
    form_place: Format,
    axis: str = "",
    width: float = 560,
    height: float = 270,
) -> str:
    """Filled curves over a numeric axis, each from zero.

    Parameters
    ----------
    title, description, form, axis, width, height
        As for `bar_chart`.
    places : sequence of float, ascending
        Where the values belong.
    series : sequence of Series
        One value a place; NaN where a curve is absent.
    form_place : callable
        Text of a place on the axis.

    Returns
    -------
    str
        An ``<svg>`` element.
    """
    canvas = Canvas(width, height)
    ticks = nice_ticks(0.0, max((v for one in series for v in one.values if v == v), default=0.0))
    left = 12 + max(text_width(form(tick)) for tick in ticks)
    right = width - 6 - 0.5 * text_width(form_place(places[-1]))
    bottom = height - (40 if axis else 22)
    place = _vertical_axis(canvas, ticks, 34, bottom, left, form)
    canvas.legend(left, series)
    scale = (right - left) / (places[-1] - places[0])
    for tick in nice_ticks(places[0], places[-1], 8):
        if places[0] <= tick <= places[-1]:
            x = left + (tick - places[0]) * scale
            canvas.line(x, bottom, x, bottom + 4, MUTED)
            canvas.text(x, bottom + 17, form_place(tick), "middle")
    for one in series:
        points = [
            (left + (x - places[0]) * scale, place(value))
            for x, value in zip(places, one.values, strict=True)
            if value == value
        ]
        if points:
            canvas.area([(points[0][0], bottom), *points, (points[-1][0], bottom)], one.colour, one.name)
    canvas.line(left, bottom, width, bottom, MUTED)
    if axis:
        canvas.text((left + width) / 2, height - 5, axis, "middle")
    return canvas.render(title, description)


def share_bar(
    title: str, description: str, series: Sequence[Series], *, form: Format, width: float = 1120
) -> str:
    """One horizontal bar cut into the shares of its parts.

    Parameters
    ----------
    title, description, form, width
        As for `bar_chart`.
    series : sequence of Series
        One value each; a part above zero is at least two pixels wide.

    Returns
    -------
    str
        An ``<svg>`` element.
    """
    canvas = Canvas(width, 18)
    parts = [(one, one.values[0]) for one in series if one.values[0] > 0]
    total = sum(value for _, value in parts)
    free = width - 2 * len(parts)
    x = 0.0
    for one, value in parts:
        wide = 2 + free * value / total
        canvas.rect(x, 0, wide - (1 if len(parts) > 1 else 0), 18, one.colour, f"{one.name}: {form(value)}")
        x += wide
    return canvas.render(title, description)
