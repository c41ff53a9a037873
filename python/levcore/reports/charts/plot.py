"""Figures drawn by matplotlib, for notebooks and papers: the extra ``plot``."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from levcore.errors import InputError
from levcore.reports.charts.colours import LIGHT
from levcore.reports.charts.model import (
    Areas,
    Bars,
    Columns,
    Diverging,
    Dots,
    Figure,
    Grid,
    Lane,
    Lines,
    Shares,
    Spans,
)
from levcore.reports.charts.ticks import label_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Plot

__all__ = ["plot", "plot_library"]

INCHES_WIDE, INCHES_HALF = 11.2, 5.6
SHAPES = {"circle": "o", "square": "s", "diamond": "D", "triangle": "^"}


def plot_library() -> Any:
    """Return the module ``matplotlib``.

    Raises
    ------
    InputError
        Where it is not installed: says which extra brings it.
    """
    try:
        import matplotlib
    except ImportError:
        remedy = 'pip install "levcore[plot]"'
        raise InputError("figure", "plots need matplotlib", remedy, "no module matplotlib") from None
    return matplotlib


def plot(figure: Figure) -> "Plot":
    """Draw a figure with matplotlib.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    matplotlib.figure.Figure
        With one set of axes; no window is opened, and no global state of pyplot is touched.

    Raises
    ------
    InputError
        Where matplotlib is not installed.
    """
    plot_library()
    from matplotlib.figure import Figure as Plot

    height = HEIGHTS[type(figure.drawing)](figure.drawing)
    drawn = Plot(figsize=(INCHES_WIDE if figure.is_wide else INCHES_HALF, height), layout="constrained")
    axes = drawn.add_subplot()
    axes.set_title(figure.title, loc="left", fontsize="medium", fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    DRAW[type(figure.drawing)](axes, figure.drawing)
    return drawn


def _shares(axes: "Axes", drawing: Shares) -> None:
    left = 0.0
    for one in drawing.parts:
        value = one.values[0]
        if value > 0:
            label = f"{one.name}: {drawing.form(value)}"
            axes.barh([0], [value], left=left, color=LIGHT[one.colour], label=label)
            left += value
    axes.set_axis_off()
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=6, frameon=False)


def _columns(axes: "Axes", drawing: Columns) -> None:
    places = list(range(len(drawing.categories)))
    base = [0.0] * len(places)
    for one in drawing.series:
        axes.bar(places, one.values, 0.72, bottom=base, color=LIGHT[one.colour], label=one.name)
        base = [below + value for below, value in zip(base, one.values, strict=True)]
    axes.set_xticks(places, drawing.categories, fontsize="small")
    axes.set_xlabel(drawing.axis)
    axes.yaxis.set_major_formatter(lambda value, _: drawing.form(value))
    axes.locator_params(axis="y", integer=drawing.whole)
    axes.grid(axis="y", color=LIGHT["grid"])
    axes.legend(frameon=False)


def _areas(axes: "Axes", drawing: Areas) -> None:
    for one in drawing.series:
        axes.fill_between(drawing.places, one.values, color=LIGHT[one.colour], alpha=0.85, label=one.name)
    axes.set_xlim(drawing.places[0], drawing.places[-1])
    axes.set_ylim(bottom=0.0)
    axes.xaxis.set_major_formatter(lambda value, _: drawing.form_place(value))
    axes.yaxis.set_major_formatter(lambda value, _: drawing.form(value))
    axes.grid(axis="y", color=LIGHT["grid"])
    axes.legend(frameon=False)


def _lines(axes: "Axes", drawing: Lines) -> None:
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=1)
    for one in drawing.series:
        axes.plot(drawing.places, one.values, color=LIGHT[one.colour], label=one.name)
    axes.set_xlim(drawing.places[0], drawing.places[-1])
    rows = label_rows([mark.at for mark in drawing.marks], drawing.places[0], drawing.places[-1])
    for mark, row in zip(drawing.marks, rows, strict=True):
        axes.axvline(mark.at, color=LIGHT[mark.colour], linewidth=1)
        axes.annotate(
            f" {mark.name} {drawing.form_place(mark.at)}",
            (mark.at, 1.0),
            (0, 4 + 12 * row),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize="small",
            color=LIGHT["ink"],
            arrowprops={
                "arrowstyle": "-",
                "color": LIGHT[mark.colour],
                "relpos": (0.0, 0.0),
                "shrinkA": 0.0,
                "shrinkB": 0.0,
            },
        )
    axes.set_title(
        axes.get_title(loc="left"),
        loc="left",
        fontsize="medium",
        fontweight="bold",
        pad=18 + 12 * max(rows, default=0),
    )
    axes.set_xlabel(drawing.axis)
    axes.xaxis.set_major_formatter(lambda value, _: drawing.form_place(value))
    axes.yaxis.set_major_formatter(lambda value, _: drawing.form(value))
    axes.grid(axis="y", color=LIGHT["grid"])
    # On paper of its own, since rules go all the way down.
    axes.legend(loc="best", framealpha=1.0, edgecolor=LIGHT["paper"])


def _diverging(axes: "Axes", drawing: Diverging) -> None:
    places = list(range(len(drawing.categories)))
    for side, one in ((-1, drawing.left), (1, drawing.right)):
        axes.barh(places, [side * value for value in one.values], color=LIGHT[one.colour], label=one.name)
    axes.set_yticks(places, drawing.categories)
    axes.invert_yaxis()
    axes.axvline(0.0, color=LIGHT["muted"], linewidth=1)
    axes.xaxis.set_major_formatter(lambda value, _: drawing.form(abs(value)))
    axes.grid(axis="x", color=LIGHT["grid"])
    axes.legend(frameon=False)


def _bars(axes: "Axes", drawing: Bars) -> None:
    places = list(range(len(drawing.names)))
    bars = axes.barh(places, drawing.values, color=[LIGHT[sign.colour] for sign in drawing.signs])
    axes.bar_label(bars, [drawing.form(value) for value in drawing.values], padding=4)
    axes.set_yticks(places, drawing.names)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.xaxis.set_visible(False)


def _dots(axes: "Axes", drawing: Dots) -> None:
    y, ticks = 0, []
    for group in drawing.groups:
        top = y - 0.5
        for lane in group.lanes:
            ticks.append((y, lane.name))
            _draw_lane(axes, lane, drawing.limit, y)
            y += 1
        axes.axhspan(top, y - 0.5, color=LIGHT["soft"], zorder=0)
        axes.text(-0.99, top, ", ".join(group.words), fontweight="bold", va="bottom", transform=_wide(axes))
        axes.text(
            0.99,
            top,
            " · ".join(note for note in group.notes if note),
            ha="right",
            va="bottom",
            transform=_wide(axes),
        )
        y += 1
    axes.set_yticks([place for place, _ in ticks], [name for _, name in ticks])
    axes.set_xlim(-1.05 * drawing.limit, 1.05 * drawing.limit)
    axes.invert_yaxis()
    axes.axvline(0.0, color=LIGHT["muted"], linewidth=1.5)
    axes.grid(axis="x", color=LIGHT["grid"])
    axes.xaxis.set_major_formatter(lambda place, _: f"{100 * place:+g} %" if place else drawing.middle)
    axes.set_xlabel(f"◂ {drawing.left}        {drawing.right} ▸")


def _spans(axes: "Axes", drawing: Spans) -> None:
    places = list(range(len(drawing.spans)))
    for place, one in zip(places, drawing.spans, strict=True):
        low, high = sorted((one.start, one.end))
        axes.barh([place], [high - low], left=low, color=LIGHT[one.colour])
        axes.annotate(
            one.text, (high, place), (5, 0), textcoords="offset points", va="center", fontsize="small"
        )
    axes.set_yticks(places, [one.name for one in drawing.spans])
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.axvline(0.0, color=LIGHT["muted"], linewidth=1)
    axes.xaxis.set_major_formatter(lambda value, _: drawing.form(value))
    axes.grid(axis="x", color=LIGHT["grid"])


def _grid(axes: "Axes", drawing: Grid) -> None:
    for row, values in enumerate(drawing.values):
        for column, value in enumerate(values):
            colour = LIGHT["soft"] if value != value else LIGHT[drawing.colour]
            alpha = 1.0 if value != value else drawing.strength(value)
            axes.fill(
                [column - 0.5, column + 0.5, column + 0.5, column - 0.5],
                [row - 0.5, row - 0.5, row + 0.5, row + 0.5],
                color=colour,
                alpha=alpha,
                linewidth=0,
            )
            ink = LIGHT["paper"] if drawing.strength(value) > 0.6 else LIGHT["ink"]
            axes.text(column, row, drawing.form(value), ha="center", va="center", fontsize="small", color=ink)
    axes.set_xlim(-0.5, len(drawing.across) - 0.5)
    axes.set_ylim(len(drawing.down) - 0.5, -0.5)
    axes.set_xticks(range(len(drawing.across)), drawing.across)
    axes.set_yticks(range(len(drawing.down)), drawing.down)
    axes.set_xlabel(drawing.axis_across)
    axes.set_ylabel(drawing.axis_down)


def _wide(axes: "Axes") -> Any:
    """Across from -1 to 1 whatever the limit of the axis is, down in lanes."""
    from matplotlib.transforms import Affine2D

    return Affine2D().translate(1.0, 0.0).scale(0.5, 1.0) + axes.get_yaxis_transform()


def _draw_lane(axes: "Axes", lane: Lane, limit: float, y: int) -> None:
    colour = LIGHT[lane.sign.colour]
    for mark in lane.marks:
        side = -1 if mark.place < 0 else 1
        beyond = abs(mark.place) > limit
        shape = ("<" if side < 0 else ">") if beyond else SHAPES[lane.sign.shape]
        x = side * limit if beyond else mark.place
        axes.plot([x], [y], shape, color=colour, markersize=6)
        # Towards the middle from the ends, where there is no room outside.
        inside = abs(x) > 0.8 * limit
        outwards = -side if inside else side
        axes.annotate(
            mark.text,
            (x, y),
            (7 * outwards, 0),
            textcoords="offset points",
            ha="right" if outwards < 0 else "left",
            va="center",
            fontsize="small",
        )
    if not lane.marks:
        x, align = (lane.side * limit, -lane.side) if lane.at_edge else (0.0, lane.side)
        axes.text(
            x, y, f" {lane.remark} ", ha="right" if align < 0 else "left", va="center", fontsize="small"
        )


DRAW: dict[type, Callable[["Axes", Any], None]] = {
    Shares: _shares,
    Columns: _columns,
    Areas: _areas,
    Lines: _lines,
    Diverging: _diverging,
    Bars: _bars,
    Dots: _dots,
    Spans: _spans,
    Grid: _grid,
}

HEIGHTS: dict[type, Callable[[Any], float]] = {
    Shares: lambda drawing: 1.2,
    Columns: lambda drawing: 2.9,
    Areas: lambda drawing: 2.9,
    Lines: lambda drawing: 3.4 + 0.17 * len(drawing.marks),
    Diverging: lambda drawing: 1.0 + 0.25 * len(drawing.categories),
    Bars: lambda drawing: 0.6 + 0.3 * len(drawing.names),
    Dots: lambda drawing: 1.0 + 0.22 * sum(len(group.lanes) + 1 for group in drawing.groups),
    Spans: lambda drawing: 1.0 + 0.25 * len(drawing.spans),
    Grid: lambda drawing: 1.2 + 0.3 * len(drawing.down),
}
