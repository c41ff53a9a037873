"""Tables of the manual that are taken from the library itself, so that they cannot say something else.

The directive ``{levcore-table}`` takes one argument, a name of `TABLES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import levcore
from levcore.reports.archive import coverage_rows
from levcore.rules.policies import PolicyInfo

DATE = re.compile(r"(\d{4}-\d{2}-\d{2})")

Rows = Iterable[tuple[str, ...]]


def measures() -> Rows:
    """Every measure of a position."""
    yield "name", "unit", "meaning"
    for measure in levcore.MEASURES:
        yield measure.name, measure.unit, measure.doc


def statuses() -> Rows:
    """Every status of a row."""
    yield "code", "name", "meaning"
    for status in levcore.Status:
        yield str(int(status)), status.name, status.describe()


def account_statuses() -> Rows:
    """Every status of an account."""
    yield "code", "name", "meaning"
    for status in levcore.AccountStatus:
        yield str(int(status)), status.name, status.describe()


def states() -> Rows:
    """Every state of a position or an account."""
    yield "code", "name", "meaning"
    for state in levcore.State:
        yield str(int(state)), state.name, state.describe()


def policies() -> Rows:
    """Every policy in the package, with what its newest version does not know."""
    yield "name", "as of", "title", "unknown in the newest"
    versions: dict[str, list[PolicyInfo]] = {}
    for policy in levcore.policies():
        versions.setdefault(policy.name, []).append(policy)
    for name, dated in versions.items():
        newest = dated[-1]
        yield (
            name,
            ", ".join(each.as_of for each in dated),
            newest.title,
            ", ".join(newest.unknown) or "nothing",
        )


def archive() -> Rows:
    """What each policy bundles of its venue's tables and fees."""
    return coverage_rows()


TABLES: dict[str, Callable[[], Rows]] = {
    "measures": measures,
    "statuses": statuses,
    "account_statuses": account_statuses,
    "states": states,
    "policies": policies,
    "archive": archive,
}


class LevcoreTable(SphinxDirective):
    """A table whose first row is its head."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Callable[[str], object]]] = {}

    def run(self) -> list[nodes.Node]:
        """Build the table that the argument names."""
        head, *body = list(TABLES[self.arguments[0]]())
        group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in head), cols=len(head))
        group += nodes.thead("", self.row(head, head, is_head=True))
        group += nodes.tbody("", *(self.row(cells, head) for cells in body))
        return [nodes.table("", group)]

    @staticmethod
    def row(cells: tuple[str, ...], head: tuple[str, ...], *, is_head: bool = False) -> nodes.row:
        """One row; the column of names is set as code."""
        made = nodes.row()
        for cell, title in zip(cells, head, strict=True):
            is_code = title == "name" and not is_head
            text = [nodes.literal(cell, cell)] if is_code else list(_whole_dates(cell))
            made += nodes.entry("", nodes.paragraph("", "", *text))
        return made


def _whole_dates(text: str) -> Iterator[nodes.Node]:
    """Pieces of a text, in which no date is broken over two lines."""
    for place, piece in enumerate(DATE.split(text)):
        yield nodes.inline(piece, piece, classes=["date"]) if place % 2 else nodes.Text(piece)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("levcore-table", LevcoreTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
