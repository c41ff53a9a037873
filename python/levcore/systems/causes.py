"""Mistakes that systems make, each as the part of a book that such a system evaluates.

A cause explains a number where evaluating with the mistake gives that number; nothing is guessed from the
size of a difference.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from levcore.book.arrays import Floats
from levcore.reconciliation.alternatives import one_line
from levcore.rules.instruments import Instrument
from levcore.rules.tiers import TierTable
from levcore.systems.part import Part

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk

__all__ = ["CAUSES"]

Cause = Callable[[Part, "BookRisk"], Part | None]
"""A part and our result of it; None where the mistake cannot be made there."""

FEELESS: dict[str, Any] = {
    "closing_fee_basis": "none",
    "closing_fee_rate": 0.0,
    "closing_fee_in_initial_margin": False,
    "closing_fee_in_maintenance_margin": False,
    "bankruptcy_includes_closing_fee": False,
}


def _side(part: Part, _: "BookRisk") -> Part:
    """Long read as short: quantities with the sign turned."""
    return part.with_columns(quantity=-_column(part, "quantity"))


def _entry_for_mark(part: Part, _: "BookRisk") -> Part:
    """Valued at the entry price instead of the mark."""
    return part.at_entry


def _fee_left_out(part: Part, _: "BookRisk") -> Part | None:
    """Without the fee for closing."""
    if all(policy.closing_fee_basis == "none" for policy in part.policies):
        return None
    return part.with_rules(lambda policy: policy.replace(**FEELESS))


def _cross_as_isolated(part: Part, _: "BookRisk") -> Part | None:
    """Cross positions by themselves, with the margin that opened them."""
    if not part.cross.any():
        return None
    margin = _column(part, "isolated_margin")
    alone = part.with_columns(isolated_margin=np.where(part.cross, np.nan, margin))
    return replace(alone, cross=np.zeros_like(part.cross))


def _contracts_as_units(part: Part, _: "BookRisk") -> Part | None:
    """A contract read as one unit, whatever its size."""
    quantity = _column(part, "quantity").copy()
    sizes = _sizes(part)
    if (sizes == 1.0).all():
        return None
    return part.with_columns(quantity=quantity / sizes)


def _contracts_as_notional(part: Part, _: "BookRisk") -> Part:
    """The number of contracts read as the value at entry, in quote currency; of inverse contracts it is."""
    price = _column(part, "entry_price")
    linear = part.by_row(_is_linear) != 0.0
    units = _column(part, "quantity") / np.where(linear, price, 1.0)
    return part.with_columns(quantity=units / _sizes(part))


def _tier_at_entry(part: Part, _: "BookRisk") -> Part | None:
    """Rate and deduction of the tier of the value at entry, at every price."""
    return _at_tiers(part, part.at_entry.evaluate(("notional",)).notional, with_deduction=True)


def _deduction_dropped(part: Part, ours: "BookRisk") -> Part | None:
    """Rate of the right tier at the liquidation price, without its deduction."""
    there = _value_at(part, ours, ours.liquidation_price)
    return _at_tiers(part, there, with_deduction=False)


def _flat_for_marginal(part: Part, ours: "BookRisk") -> Part | None:
    """Rate of the tier of the value at the mark, on the whole position."""
    return _at_tiers(part, ours.notional, with_deduction=False)


def _value_at(part: Part, ours: "BookRisk", prices: Floats) -> Floats:
    moved = prices / part.mark_of_rows
    value: Floats = ours.notional * np.where(part.by_row(_is_linear) != 0.0, moved, 1.0 / moved)
    return value


def _at_tiers(part: Part, values: Floats, *, with_deduction: bool) -> Part | None:
    """Each row under the one line of the tier that holds this value, where its table is by value."""
    short = _column(part, "quantity") < 0.0
    keys = np.full(values.size, np.nan)
    for code, held in enumerate(part.instruments):
        for name, instrument in held.items():
            own = (part.policy_codes == code) & (part.codes == part.names.index(name)) & (values > 0.0)
            for rows, side in ((own & ~short, False), (own & short, True)):
                table = _table(instrument, short=side)
                if _is_by_value(instrument, table):
                    tiers = np.maximum(np.searchsorted(table.floors, values[rows]) - 1, 0)
                    keys[rows] = 2.0 * tiers + side
    if np.isnan(keys).all():
        return None

    def change(place: int, instrument: Instrument) -> Instrument:
        tier, side = divmod(int(keys[place]), 2)
        table = _table(instrument, short=bool(side))
        rate, deduction = table.rates[tier], table.deductions[tier]
        line = (
            one_line(table, rate, deduction)
            if with_deduction and deduction
            else TierTable.single_rate(rate, unit=table.unit)
        )
        return replace(instrument, tiers=line, short_tiers=None)

    return part.with_instruments_by(keys, change)


def _table(instrument: Instrument, *, short: bool) -> TierTable:
    return instrument.short_tiers if short and instrument.short_tiers is not None else instrument.tiers


def _is_by_value(instrument: Instrument, table: TierTable) -> bool:
    """Whether tiers are found by the value in settlement currency, and there are several."""
    by_value = {"linear": "quote", "inverse": "base"}.get(instrument.payoff)
    return table.unit == by_value and len(table) > 1 and not table.slope


def _is_linear(instrument: Instrument | None) -> bool:
    return instrument is None or instrument.payoff != "inverse"


def _sizes(part: Part) -> Floats:
    return part.by_row(lambda instrument: 1.0 if instrument is None else instrument.contract_size)


def _column(part: Part, name: str) -> Floats:
    column = part.columns[name]
    return np.full(len(part.rows), np.nan) if column is None else column


CAUSES: dict[str, Cause] = {
    "side": _side,
    "entry for mark": _entry_for_mark,
    "fee left out": _fee_left_out,
    "cross read as isolated": _cross_as_isolated,
    "contracts read as units": _contracts_as_units,
    "contracts read as notional": _contracts_as_notional,
    "tier at entry": _tier_at_entry,
    "deduction dropped": _deduction_dropped,
    "flat for marginal": _flat_for_marginal,
}
"""Mistakes by name."""
