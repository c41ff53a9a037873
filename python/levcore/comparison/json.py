"""A comparison as plain values that JSON knows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.comparison.comparison import COMPARED_OF_ACCOUNTS
from levcore.comparison.terms import policy_facts
from levcore.files.results import json_cells, json_value
from levcore.measures import BALANCE_MEASURES, MEASURE_NAMES
from levcore.status import State, Status

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison

__all__ = ["comparison_dict"]


def comparison_dict(comparison: "Comparison") -> dict[str, Any]:
    """What `Comparison.to_dict` returns."""
    return {
        "policies": {label: policy_facts(comparison, label) for label in comparison.policies},
        "positions": _positions(comparison),
        "accounts": _accounts(comparison),
        "balances": _balances(comparison),
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
    columns |= {measure: _by_label(comparison.table(measure)) for measure in (*MEASURE_NAMES, "state")}
    columns["spread"] = _plain(comparison.spread)
    columns["liquidates_first"] = {
        label: first.tolist() for label, first in comparison.liquidates_first.items()
    }
    return columns


def _accounts(comparison: "Comparison") -> dict[str, Any]:
    columns: dict[str, Any] = {"account": [json_value(one) for one in comparison.book.account_ids]}
    measures = (*COMPARED_OF_ACCOUNTS, "state")
    columns |= {measure: _by_label(comparison.account_table(measure)) for measure in measures}
    for label, free in comparison.account_table("free_margin").items():
        allowed = columns["may_add_risk"][label]
        columns["may_add_risk"][label] = [
            None if unknown else one for one, unknown in zip(allowed, np.isnan(free).tolist(), strict=True)
        ]
    return columns


def _balances(comparison: "Comparison") -> dict[str, Any]:
    balances = comparison.book.balances
    if balances is None:
        return {}
    columns: dict[str, Any] = {
        "account": [json_value(one) for one in balances.account],
        "asset": [balances.asset_names[code] for code in balances.asset_codes.tolist()],
        "balance": _plain(balances.balance),
        "liability": None if balances.liability is None else _plain(balances.liability),
        "interest": None if balances.interest is None else _plain(balances.interest),
    }
    columns |= {measure: _by_label(comparison.balance_table(measure)) for measure in BALANCE_MEASURES}
    columns["status"] = {
        label: [Status(code).word for code in risk.balances.status.tolist()]
        for label, risk in comparison.answers.items()
    }
    return columns


def _by_label(table: Mapping[str, npt.NDArray[Any]]) -> dict[str, list[Any]]:
    return {label: _plain(column) for label, column in table.items()}


def _plain(column: npt.NDArray[Any]) -> list[Any]:
    if column.dtype == np.bool_:
        return [bool(one) for one in column]
    if column.dtype == np.uint8:
        return [State.words()[code] for code in column.tolist()]
    return json_cells(column)
