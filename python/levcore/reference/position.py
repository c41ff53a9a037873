"""One row while it is evaluated: inputs, intermediate values, results; and the instrument that it is in."""

import math
from dataclasses import dataclass
from functools import cached_property

from levcore.engine.compiled import CompiledInstrument
from levcore.reference.rules.tables import Line, Tiers
from levcore.status import State, Status

__all__ = ["BY_ACCOUNT", "ROW_RESULTS", "MarkedInstrument", "Position", "is_positive"]

ROW_RESULTS = (
    "value",
    "unrealized_pnl",
    "return_on_equity",
    "initial_margin",
    "maintenance_margin",
    "equity",
    "margin_ratio",
    "effective_leverage",
    "liquidation_price",
    "bankruptcy_price",
    "distance_to_liquidation",
    "liquidation_price_lower",
    "liquidation_price_upper",
)
"""Attributes of `Position` in the order of `levcore.MEASURES`."""
BY_ACCOUNT = ROW_RESULTS[5:]
"""Those that depend on the account of a cross position."""


@dataclass(frozen=True)
class MarkedInstrument:
    """An instrument of the book at its mark; `instrument` is None if the policy does not know it."""

    instrument: CompiledInstrument | None
    tiers: Tiers | None
    mark: float

    @cached_property
    def failure(self) -> Status | None:
        """Why no position in it can be evaluated, if so."""
        if self.instrument is None:
            return Status.UNKNOWN_INSTRUMENT
        if math.isnan(self.mark):
            return Status.MISSING_MARK_PRICE
        return None if is_positive(self.mark) else Status.INVALID_MARK_PRICE


@dataclass(slots=True)
class Position:
    """Inputs, intermediate values and results of one row; NaN until a stage has filled it in."""

    quantity: float
    entry_price: float
    isolated_margin: float
    leverage: float
    funding: float
    risk_limit: float
    size: float = math.nan
    direction: float = math.nan
    coordinate: float = math.nan
    entry_coordinate: float = math.nan
    value: float = math.nan
    entry_value: float = math.nan
    unrealized_pnl: float = math.nan
    return_on_equity: float = math.nan
    cash: float = math.nan
    fixed_fee: float = 0.0
    maintenance: float = math.nan
    requirement: float = math.nan
    initial_margin: float = math.nan
    maintenance_margin: float = math.nan
    equity: float = math.nan
    margin_ratio: float = math.nan
    effective_leverage: float = math.nan
    needed: float = math.nan
    bankruptcy_needed: float = math.nan
    bankruptcy_value: float = math.nan
    liquidation_value: float = math.nan
    liquidation_price: float = math.nan
    bankruptcy_price: float = math.nan
    distance_to_liquidation: float = math.nan
    liquidation_price_lower: float = math.nan
    liquidation_price_upper: float = math.nan
    line: Line | None = None
    initial_line: Line | None = None
    liquidation_line: Line | None = None
    state: int = State.INCOMPLETE
    status: int = Status.OK


def is_positive(number: float) -> bool:
    """Whether a number is above 0 and finite."""
    return 0.0 < number < math.inf
