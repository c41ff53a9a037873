"""What became of the comparison with another system: differences by their cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.shown import Shown

__all__ = ["UNEXPLAINED", "Against", "Group"]

Mask = npt.NDArray[np.bool_]
UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Group:
    """Differences of one column with one cause, in one currency.

    Parameters
    ----------
    cause : str
        As `levcore.against` lists them; several that give the same numbers joined by ``" or "``;
        ``"unexplained"`` where none does.
    column : str
        The measure.
    currency : str
        Settlement currency of the rows; empty where the instruments name none.
    count : int
        Rows.
    money : float
        Sum of the absolute differences in that currency, prices by what the position gains between them; NaN
        for columns that are no money.
    largest_row : int
        Row of the largest one.
    ours, theirs : float
        Its numbers.
    """

    cause: str
    column: str
    currency: str
    count: int
    money: float
    largest_row: int
    ours: float
    theirs: float


@dataclass(frozen=True)
class Against(Shown):
    """Another system's columns against ours.

    Parameters
    ----------
    rows : int
        Rows of the book.
    columns : tuple of str
        Measures compared.
    left_out : tuple of str
        Columns of the other system that are no measure.
    compared, same, missing : dict of str to int
        By measure: rows where either has a number, rows that agree, rows where theirs is missing.
    groups : tuple of Group
        The differences, the most money first in each cause.
    causes : dict of str to list of str
        By measure, the cause of each row; empty where it agrees.
    """

    rows: int
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    compared: Mapping[str, int]
    same: Mapping[str, int]
    missing: Mapping[str, int]
    groups: tuple[Group, ...]
    causes: Mapping[str, npt.NDArray[Any]]

    @property
    def unexplained(self) -> int:
        """Numbers that differ for no reason found."""
        return sum(group.count for group in self.groups if group.cause == UNEXPLAINED)

    def counts(self) -> dict[str, int]:
        """Rows by cause, each row once a cause."""
        found: dict[str, Mask] = {}
        for column in self.causes.values():
            for cause in set(column.tolist()) - {""}:
                found[cause] = found.get(cause, np.zeros(self.rows, np.bool_)) | (column == cause)
        return {cause: int(mask.sum()) for cause, mask in sorted(found.items())}

    def to_dict(self) -> dict[str, Any]:
        """Everything but the causes by row, as JSON takes it."""
        groups = [{name: _json(getattr(group, name)) for name in Group.__slots__} for group in self.groups]
        return {
            "rows": self.rows,
            "columns": list(self.columns),
            "left_out": list(self.left_out),
            "compared": dict(self.compared),
            "same": dict(self.same),
            "missing": dict(self.missing),
            "rows_by_cause": self.counts(),
            "groups": groups,
        }


def _json(value: object) -> object:
    return None if isinstance(value, float) and not np.isfinite(value) else value
