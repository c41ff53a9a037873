"""Figures as data: what is drawn and what each mark says, described once for every renderer.

Colours are names of `levcore.reports.charts.colours`. Each figure carries a description for those who do not
see it, and each mark its value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Areas",
    "Bars",
    "Columns",
    "Diverging",
    "Dots",
    "Drawing",
    "Figure",
    "Format",
    "Grid",
    "Group",
    "Lane",
    "Lines",
    "Mark",
    "Place",
    "Series",
    "Shape",
    "Shares",
    "Sign",
    "Span",
    "Spans",
]

Format = Callable[[float], str]
Shape = Literal["circle", "square", "diamond", "triangle"]


@dataclass(frozen=True, slots=True)
class Series:
    """One set of values under one name: one a category or place; below 0 in `Lines` alone, NaN: none."""

    name: str
    values: Sequence[float]
    colour: str


@dataclass(frozen=True, slots=True)
class Sign:
    """What stands for a policy wherever it is drawn."""

    colour: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Shares:
    """One bar cut into the shares of its parts, one value each."""

    parts: Sequence[Series]
    form: Format


@dataclass(frozen=True, slots=True)
class Columns:
    """Stacked vertical bars, one a category, the first series at the bottom.

    Parameters
    ----------
    categories : sequence of str
        From left to right.
    series : sequence of Series
    form : callable
        Text of a value.
    axis : str
        What the categories are.
    whole : bool
        Whether the values are counts.
    """

    categories: Sequence[str]
    series: Sequence[Series]
    form: Format
    axis: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Areas:
    """Filled curves over a numeric axis, each from zero; `form_place` is the text of a place on it."""

    places: Sequence[float]
    series: Sequence[Series]
    form: Format
    form_place: Format


@dataclass(frozen=True, slots=True)
class Place:
    """Vertical rule at a place of a numeric axis, with its name."""

    at: float
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Curves over a numeric axis, values of either sign, and rules at places that matter.

    Parameters
    ----------
    places : sequence of float
        Ascending.
    series : sequence of Series
        One value a place.
    marks : sequence of Place
        Within the places.
    form, form_place : callable
        Text of a value and of a place.
    axis : str
        What the places are.
    """

    places: Sequence[float]
    series: Sequence[Series]
    marks: Sequence[Place]
    form: Format
    form_place: Format
    axis: str


@dataclass(frozen=True, slots=True)
class Diverging:
    """Horizontal bars to either side of a common middle, one line a category, from top to bottom."""

    categories: Sequence[str]
    left: Series
    right: Series
    form: Format


@dataclass(frozen=True, slots=True)
class Bars:
    """Horizontal bars with their values beside them, each behind the sign of its policy."""

    names: Sequence[str]
    signs: Sequence[Sign]
    values: Sequence[float]
    form: Format


@dataclass(frozen=True, slots=True)
class Mark:
    """Point on the axis of a dot plot: its place as a fraction, its text, and what it says in full."""

    place: float
    text: str
    told: str
    is_below: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of a group; without marks a remark stands in it.

    Parameters
    ----------
    name : str
    sign : Sign
    marks : sequence of Mark
    remark : str
    side : {-1, 1}
        Left or right, where the remark belongs.
    at_edge : bool
        Whether the remark stands at the end of the axis, as of what never happens, or at its middle.
    """

    name: str
    sign: Sign
    marks: Sequence[Mark]
    remark: str
    side: int
    at_edge: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Lanes that are compared: words before them, the first the most important, and notes behind them."""

    words: Sequence[str]
    notes: Sequence[str]
    lanes: Sequence[Lane]


@dataclass(frozen=True, slots=True)
class Dots:
    """Dot plot in groups; the axis runs from ``-limit`` to `limit`, and marks beyond are arrows."""

    groups: Sequence[Group]
    limit: float
    middle: str
    left: str
    right: str
    notes: str


@dataclass(frozen=True, slots=True)
class Span:
    """Bar from one value to another, of either sign, with the text that stands beside it."""

    name: str
    start: float
    end: float
    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Spans:
    """Horizontal bars over one axis, from top to bottom: steps of a sum, or values of either sign."""

    spans: Sequence[Span]
    form: Format


@dataclass(frozen=True, slots=True)
class Grid:
    """Coloured cells, the larger the value the stronger.

    Parameters
    ----------
    across, down : sequence of str
        Heads of the columns, and of the rows from top to bottom.
    values : sequence of sequence of float
        A row each of `down`, none negative; NaN: none.
    colour : str
        Of the largest value.
    form : callable
        Text of a value.
    axis_across, axis_down : str
        What the heads are.
    """

    across: Sequence[str]
    down: Sequence[str]
    values: Sequence[Sequence[float]]
    colour: str
    form: Format
    axis_across: str
    axis_down: str

    def strength(self, value: float) -> float:
        """Share of the largest value, 0 where nothing is above zero."""
        largest = max((each for row in self.values for each in row if each > 0.0), default=0.0)
        return value / largest if largest and value > 0.0 else 0.0


Drawing = Shares | Columns | Areas | Lines | Diverging | Bars | Dots | Spans | Grid


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its words.

    Parameters
    ----------
    title : str
    subtitle : str
        What is shown, in the caption; empty for a drawing without one.
    description : str
        What is to be seen, with its numbers, for those who do not see it.
    drawing : Drawing
    is_wide : bool
        Whether it takes the whole width of a page or half of it.
    """

    title: str
    subtitle: str
    description: str
    drawing: Drawing
    is_wide: bool = True
