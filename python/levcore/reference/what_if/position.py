"""A position as a change sees it, and the margin that an isolated one holds."""

import math
from dataclasses import dataclass

from levcore.engine.compiled import CompiledInstrument, CompiledRules
from levcore.reference.formulas import contract, exposure, margin

__all__ = ["Position", "Terms", "opening_margin"]

NONE = math.nan


@dataclass(frozen=True, slots=True)
class Terms:
    """What a position is priced and margined by; `mark` is the price of its instrument."""

    instrument: CompiledInstrument
    rules: CompiledRules
    mark: float


@dataclass(frozen=True, slots=True)
class Position:
    """One position of a book; `account` None: isolated."""

    instrument: int
    policy: int
    account: int | None
    quantity: float = 0.0
    entry_price: float = NONE
    isolated_margin: float = NONE
    leverage: float = NONE
    funding: float = 0.0
    risk_limit: float = NONE

    @property
    def is_open(self) -> bool:
        """Whether there is a position whose quantity and entry price are numbers."""
        return self.quantity != 0.0 and self.is_valid

    @property
    def is_valid(self) -> bool:
        """Whether an order may add to it: it is flat, or quantity and entry price are numbers."""
        return self.quantity == 0.0 or (math.isfinite(self.quantity) and 0.0 < self.entry_price < math.inf)

    def held_margin(self, terms: Terms) -> float:
        """Margin of an isolated position: as given, else the one that its leverage asks for at entry."""
        if not math.isnan(self.isolated_margin):
            return self.isolated_margin
        if self.quantity == 0.0:
            return 0.0
        return opening_margin(self.quantity, self.entry_price, self.leverage, terms)


def opening_margin(quantity: float, price: float, leverage: float, terms: Terms) -> float:
    """Margin that opening so many contracts at a price and leverage puts in."""
    instrument, rules = terms.instrument, terms.rules
    size = exposure.size(quantity, instrument.contract_size)
    value = exposure.value(size, contract.coordinate(instrument, price))
    direction = exposure.direction(quantity, contract.long_direction(instrument))
    opening = margin.initial_margin(value, leverage)
    if not rules.fee_in_initial:
        return opening
    if rules.reserve_at_bankruptcy:
        return opening + margin.reserved_fee(value, direction, leverage, rules.fee_rate)
    basis = rules.fee_basis_isolated
    if basis in ("none", "price"):
        return opening
    if basis == "entry":
        charged = value
    elif basis == "mark":
        charged = exposure.value(size, contract.coordinate(instrument, terms.mark))
    elif basis == "contract":
        charged = abs(quantity)
    elif basis == "entry_and_margin":
        charged = value + margin.initial_margin(value, leverage)
    else:
        charged = margin.bankruptcy_value_of_leverage(value, direction, leverage)
    return opening + rules.fee_rate * charged
