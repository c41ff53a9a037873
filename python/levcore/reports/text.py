"""Pages and tables for a terminal: plain, aligned text."""

import textwrap
from collections.abc import Sequence
from typing import Any

from levcore._levcore import __version__
from levcore.reports.page import Page, Section
from levcore.reports.tables import Cell, Column, Kind, Table, plain_table

__all__ = ["page_text", "section_text", "table_text", "text_table", "wrapped"]

WIDTH = 118
INDENT = GAP = "  "
NARROWEST = 24  # characters of a column of prose
LONGEST_WORD = 40  # for which a column of prose makes room; addresses are longer and stay whole


def page_text(page: Page, width: int = WIDTH) -> str:
    """Lay out a page; figures are left out, for their numbers stand in tables.

    Parameters
    ----------
    page : Page
    width : int
        Columns of the terminal, kept wherever names and numbers leave a choice.
    """
    first = ", ".join(part for part in (page.title, page.made, f"levcore {__version__}") if part)
    facts = (("verdict", page.verdict), *page.facts) if page.verdict else page.facts
    # Not wrapped, so that a search for the verdict finds a line.
    head = [first, *(f"{word:8} {text}" for word, text in facts)]
    return (
        "\n\n".join(["\n".join(head), *(section_text(one, width) for one in page.sections_of("text"))]) + "\n"
    )


def section_text(section: Section, width: int = WIDTH) -> str:
    """Lay out one section."""
    blocks = [part for part in (section.title, wrapped(section.note, width)) if part]
    tables = [table_text(part, width) for part in section.parts if isinstance(part, Table)]
    # The first table follows its title, the others stand apart.
    return "\n\n".join(["\n".join([*blocks, *tables[:1]]), *tables[1:]])


def table_text(table: Table[Any], width: int = WIDTH) -> str:
    """Lay out one table under its title and note.

    Parameters
    ----------
    table : Table
    width : int
        Columns to keep to by wrapping prose; names and numbers stay whole.
    """
    columns, rows = table.columns_of("text"), table.cells_of("text")
    heads = [Cell((column.head,)) for column in columns]
    lines = [heads, *rows] if any(column.head for column in columns) else rows
    widths = _widths(columns, lines, width)
    body = [text for line in lines[: len(lines) - len(rows)] for text in _row(columns, line, widths)]
    for place, line in enumerate(rows):
        body += [""] if place in table.starts and place else []
        body += _row(columns, line, widths)
    return "\n".join([part for part in (table.title, wrapped(table.note, width)) if part] + body)


def _widths(columns: Sequence[Column[Any]], lines: Sequence[Sequence[Cell]], width: int) -> list[int]:
    """Width of each column: what its cells need, but for prose at most a share of what is left."""
    needed = [
        max((len(text) for line in lines for text in line[place].lines), default=0)
        for place in range(len(columns))
    ]
    prose = [place for place, column in enumerate(columns) if column.kind == "prose"]
    left = width - len(INDENT) - len(GAP) * (len(columns) - 1) - sum(needed)
    left += sum(needed[place] for place in prose)
    texts = {place: [text for line in lines for text in line[place].lines] for place in prose}
    letters = {place: max(1, sum(map(len, texts[place]))) for place in prose}
    # Room by how much is to be said; the briefest first, so that what it does not need goes to the others.
    for place in sorted(prose, key=lambda each: letters[each]):
        words = [len(word) for text in texts[place] for word in text.split()]
        longest = max((length for length in words if length <= LONGEST_WORD), default=0)
        share = left * letters[place] // sum(letters.values())
        needed[place] = min(needed[place], max(NARROWEST, longest, share))
        left -= needed[place]
        del letters[place]
    return needed


def _row(columns: Sequence[Column[Any]], line: Sequence[Cell], widths: Sequence[int]) -> list[str]:
    """Lines of text of one row of a table."""
    filled = [
        [part for text in cell.lines for part in wrapped(text, width).split("\n")]
        if column.kind == "prose"
        else list(cell.lines)
        for column, cell, width in zip(columns, line, widths, strict=True)
    ]
    return [
        INDENT + GAP.join(map(_set, columns, (_part(texts, row) for texts in filled), widths)).rstrip()
        for row in range(max(map(len, filled), default=0))
    ]


def _part(texts: Sequence[str], row: int) -> str:
    return texts[row] if row < len(texts) else ""


def _set(column: Column[Any], text: str, width: int) -> str:
    return text.rjust(width) if column.kind == "number" else text.ljust(width)


def wrapped(text: str, width: int, first: str = "", following: str = "") -> str:
    """Text in lines of at most `width`; addresses, dates and names of rules stay whole, to be copied."""
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )


def text_table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Aligned table of finished cells; the first `left` columns are words, the others numbers.

    Examples
    --------
    >>> print(text_table(["name", "value"], [["a", "1.50"], ["bcd", "20.00"]]))
      name  value
      a      1.50
      bcd   20.00
    """
    kinds: list[Kind] = ["name"] * left
    return table_text(plain_table(heads, rows, kinds))
