"""A report as data: what it says, in the order in which it is read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from levcore.reports.charts.model import Figure
from levcore.reports.tables import Layout, Table
from levcore.status import State

__all__ = ["Page", "Section", "Tile"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One large number, with its name and a remark."""

    head: str
    value: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Part of a report under one title; a layout without drawings leaves figures out.

    Parameters
    ----------
    title, note : str
        Above everything else.
    parts : sequence of Table or Figure
        In reading order.
    only : {"", "text", "html"}
        The one layout that shows it.
    """

    title: str
    note: str = ""
    parts: Sequence[Table[Any] | Figure] = ()
    only: Layout | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report.

    Parameters
    ----------
    title : str
    verdict : str
        The answer in one sentence, before everything else.
    worst : State
        What the verdict amounts to; a layout with colours shows it.
    facts : sequence of (str, str)
        What was evaluated, and under which policies: word and text.
    made : str
        When; empty where the same result is to give the same bytes.
    tiles : sequence of Tile
        The few largest numbers, all of which stand in the tables as well.
    sections : sequence of Section
    """

    title: str
    verdict: str
    worst: State
    facts: Sequence[tuple[str, str]] = ()
    made: str = ""
    tiles: Sequence[Tile] = ()
    sections: Sequence[Section] = field(default=())

    def sections_of(self, layout: Layout) -> list[Section]:
        """Sections that a layout shows; text has nothing to say of one that holds figures alone."""
        return [
            section
            for section in self.sections
            if section.only in ("", layout)
            and not (layout == "text" and section.parts and _are_figures(section.parts))
        ]


def _are_figures(parts: Sequence[Table[Any] | Figure]) -> bool:
    return all(isinstance(part, Figure) for part in parts)
