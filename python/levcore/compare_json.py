"""A comparison as plain values that JSON knows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.compare_terms import policy_facts
from levcore.file_output import json_cells, json_value
from levcore.measures import ACCOUNT_MEASURES, DEFAULT_MEASURES
from levcore.report_style import state_word
from levcore.status import State

if TYPE_CHECKING:
    from levcore.comparison import Comparison

__all__ = ["comparison_dict"]

STATE_WORDS = [state_word(state) for state in State]


def comparison_dict(comparison: "Comparison") -> dict[str, Any]:
    """What `Comparison.to_dict` returns."""
    return {
        "policies": {label: policy_facts(comparison, label) for label in comparison.policies},
        "positions": _positions(comparison),
        "accounts": _accounts(comparison),
        "totals": json_value(comparison.totals()),
    }


def _positions(comparison: "Comparison") -> dict[str, Any]:
    book, rows = comparison.book, range(len(comparison))
    columns: dict[str, Any] = {
        "instrument": [book.name_of(row) for row in rows],
        "account": [json_value(book.account_of(row)) for row in rows],
        "margin_mode": ["cross" if is_cross else "isolated" for is_cross in book.is_cross.tolist()],
        "quantity": _plain(book.quantity),
        "mark_price": _plain(comparison.marks[book.instrument_codes]),
    }
    columns |= {measure: _by_label(comparison.table(measure)) for measure in (*DEFAULT_MEASURES, "state")}
    columns["spread"] = _plain(comparison.spread)
    columns["liquidates_first"] = {
        label: first.tolist() for label, first in comparison.liquidates_first.items()
    }
    return columns


def _accounts(comparison: "Comparison") -> dict[str, Any]:
    columns: dict[str, Any] = {"account": [json_value(one) for one in comparison.book.account_ids]}
    measures = (*ACCOUNT_MEASURES, "state")
    return columns | {measure: _by_label(comparison.account_table(measure)) for measure in measures}


def _by_label(table: Mapping[str, npt.NDArray[Any]]) -> dict[str, list[Any]]:
    return {label: _plain(column) for label, column in table.items()}


def _plain(column: npt.NDArray[Any]) -> list[Any]:
    if column.dtype == np.uint8:
        return json_cells((column, STATE_WORDS), 0, len(column))
    return json_cells(column, 0, len(column))
