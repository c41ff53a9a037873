"""A comparison as a frame of rows."""

from typing import TYPE_CHECKING

import numpy as np

from levcore._levcore import Table
from levcore.engine.frames import book_table, with_codes
from levcore.measures import MEASURE_NAMES
from levcore.status import State, Status

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = ["comparison_table"]

NO_CODE = 255
"""State and status under a policy that refuses: no code, so that the word is null."""


def comparison_table(comparison: "Comparison") -> Table:
    """The columns that came in, then ``<label>.<measure>``, state and status under each policy."""
    table = book_table(comparison.book)
    nothing = np.full(len(comparison), np.nan)
    for label in comparison.policies:
        risk = comparison.answers.get(label)
        for name in MEASURE_NAMES:
            column = nothing if risk is None or name not in risk.measures else risk.column(name)
            table = table.with_numbers(f"{label}.{name}", column)
        for name, kind in (("state", State), ("status", Status)):
            codes = np.full(len(comparison), NO_CODE, np.uint8) if risk is None else getattr(risk, name)
            table = with_codes(table, f"{label}.{name}", codes, kind)
    return table
