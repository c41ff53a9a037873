"""What a report shows, as plain values: `gather` fills it in, `page` and the tables lay it out."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from levcore.engine.risk import BookRisk
from levcore.status import AccountStatus, State, Status

__all__ = [
    "DISTANCE_BINS",
    "AccountGroup",
    "Distances",
    "InstrumentLine",
    "Report",
    "Rows",
    "StateLine",
    "StatusGroup",
    "Totals",
]

Floats = NDArray[np.float64]
Rows: TypeAlias = tuple[int, ...]

DISTANCE_BINS = (
    "past", "0–1 %", "1–2 %", "2–5 %", "5–10 %", "10–20 %", "20–50 %", "50–100 %", "≥ 100 %", "no price",
)  # fmt: skip
"""Classes of the distance to liquidation; a border belongs to the class above it."""


@dataclass(frozen=True)
class Totals:
    """What `levcore.engine.totals` adds up in one currency; NaN where there is nothing to add up."""

    settlement: str
    positions: int
    long_notional: float
    short_notional: float
    unrealized_pnl: float
    maintenance_margin: float
    isolated_equity: float
    account_equity: float

    @property
    def gross(self) -> float:
        """Notional of longs and shorts together."""
        return self.long_notional + self.short_notional

    @property
    def net(self) -> float:
        """Notional of longs less that of shorts."""
        return self.long_notional - self.short_notional

    @property
    def equity(self) -> float:
        """Equity of isolated positions and of cross accounts."""
        return self.isolated_equity + self.account_equity


@dataclass(frozen=True)
class StateLine:
    """How many of each kind are in one state."""

    state: State
    isolated_positions: int
    cross_positions: int
    accounts: int


@dataclass(frozen=True)
class InstrumentLine:
    """Exposure in one instrument, or in all those that are not listed (`instrument` empty).

    `past` positions are past their liquidation price; `nearest` is the shortest distance of the others,
    infinite where none has a liquidation price.
    """

    instrument: str
    settlement: str
    instruments: int
    positions: int
    long_notional: float
    short_notional: float
    unrealized_pnl: float
    mark_price: float
    past: int
    nearest: float


@dataclass(frozen=True)
class StatusGroup:
    """Rows with one status, and the first of them."""

    status: Status
    count: int
    column: str
    rows: tuple[tuple[int, str, str, float | None], ...]
    """(row, account, instrument, value of `column`)."""


@dataclass(frozen=True)
class AccountGroup:
    """Accounts that could not be judged for one reason, and the first of them."""

    status: AccountStatus
    count: int
    accounts: tuple[str, ...]


@dataclass(frozen=True)
class Distances:
    """Distribution of the distance to liquidation, longs and shorts apart.

    Counts and notionals have one value for each of `DISTANCE_BINS`. The profile says how much notional has
    its liquidation price within a move of 0, 1, ... per cent against the position, as a share of the long and
    of the short notional together.
    """

    settlement: str
    left_out: int
    long_count: Floats
    short_count: Floats
    long_notional: Floats
    short_notional: Floats
    long_profile: Floats
    short_profile: Floats


@dataclass(frozen=True)
class Report:
    """Everything a report shows; accounts, balances and positions by their places in the result."""

    risk: BookRisk
    generated_at: datetime
    rows: int
    failed: int
    partial: int
    totals: tuple[Totals, ...]
    totals_of_balances: Totals | None
    states: tuple[StateLine, ...]
    accounts_past: Rows
    accounts: Rows
    balances: Rows
    balances_left_out: int
    positions_past: Rows
    positions: Rows
    instruments: tuple[InstrumentLine, ...]
    distances: Distances
    failures: tuple[StatusGroup, ...]
    account_failures: tuple[AccountGroup, ...]
    findings: tuple[StatusGroup, ...]
    marks: tuple[tuple[str, float], ...]
    marks_left_out: int

    def in_state(self, *states: State) -> int:
        """Isolated positions and cross accounts that are in one of the states."""
        return sum(line.isolated_positions + line.accounts for line in self.states if line.state in states)
