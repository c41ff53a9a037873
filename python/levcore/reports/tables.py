"""A table as data: described once, laid out by every report that shows it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

from levcore.reports.numbers import amount
from levcore.reports.steering import in_one_cell
from levcore.status import State

__all__ = ["Cell", "Column", "Kind", "Layout", "Table", "pairs_table", "plain_table", "signed", "state_cell"]

Kind = Literal["name", "number", "prose"]
Layout = Literal["text", "html"]
Line = TypeVar("Line")


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place of a table, where it is more than one line of text.

    Parameters
    ----------
    lines : tuple of str
        From top to bottom.
    state : State, optional
        Whose name this is; a layout with colours marks it.
    is_loss : bool
        Whether it is a negative amount.
    link : str
        Address that the text leads to.
    """

    lines: tuple[str, ...]
    state: State | None = None
    is_loss: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Column(Generic[Line]):
    """One column.

    Parameters
    ----------
    head : str
        What stands above it.
    cell : callable
        Text or `Cell` of a line of the table.
    kind : {"number", "name", "prose"}
        Numbers are set to the right; names stay whole and prose is wrapped, both set to the left.
    only : {"", "text", "html"}
        The one layout that shows it: a terminal has no room for every column, and a page draws its bars.
    """

    head: str
    cell: Callable[[Line], str | Cell]
    kind: Kind = "number"
    only: Layout | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Table(Generic[Line]):
    """A table, its lines being whatever its columns read.

    Parameters
    ----------
    columns : sequence of Column
    lines : sequence
        One a row.
    title, note : str
        Above it.
    shape : {"", "narrow", "flow"}
        As wide as the page, as wide as its cells, or pairs that flow in columns.
    starts : collection of int
        Rows that begin a group, where rows belong together.
    """

    columns: Sequence[Column[Line]]
    lines: Sequence[Line]
    title: str = ""
    note: str = ""
    shape: Literal["", "narrow", "flow"] = ""
    starts: Collection[int] = ()

    def columns_of(self, layout: Layout) -> list[Column[Line]]:
        """Columns that a layout shows."""
        return [column for column in self.columns if column.only in ("", layout)]

    def cells_of(self, layout: Layout) -> list[list[Cell]]:
        """Cells of the rows under `columns_of` the layout."""
        columns = self.columns_of(layout)
        cells = [[_as_cell(column.cell(line)) for column in columns] for line in self.lines]
        if layout == "text":
            return [
                [replace(cell, lines=tuple(map(in_one_cell, cell.lines))) for cell in row] for row in cells
            ]
        return cells


def _as_cell(value: str | Cell) -> Cell:
    return value if isinstance(value, Cell) else Cell((value,))


def _at(place: int) -> Callable[[Sequence[Any]], str | Cell]:
    return lambda line: line[place]


def plain_table(
    heads: Sequence[str],
    lines: Sequence[Sequence[str | Cell]],
    kinds: Sequence[Kind] = ("name",),
    **told: Any,
) -> Table[Any]:
    """Table of finished cells; columns beyond `kinds` hold numbers, and `told` goes to `Table`."""
    columns = [
        Column(head, _at(place), kinds[place] if place < len(kinds) else "number")
        for place, head in enumerate(heads)
    ]
    return Table(columns, lines, **told)


def pairs_table(pairs: Sequence[tuple[str, str | Cell]], **told: Any) -> Table[Any]:
    """Table of words and what is said of each, without heads."""
    return plain_table(("", ""), pairs, ("name", "prose"), **told)


def signed(value: float) -> Cell:
    """Amount, marked where it is negative."""
    return Cell((amount(value),), is_loss=value < 0)


def state_cell(state: State) -> Cell:
    """Name of a state, marked with its colour."""
    return Cell((state.phrase,), state=state)
