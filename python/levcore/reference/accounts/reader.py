"""Reading accounts whose parts move together into pools, account by account."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from levcore.reference.accounts.hedge import cover
from levcore.reference.accounts.pool import Holding, Leg, Move, Pool
from levcore.reference.formulas import contract
from levcore.reference.position import Position
from levcore.reference.rules.collateral import WALLET
from levcore.reference.rules.curve import Curve
from levcore.reference.rules.tables import Table
from levcore.status import FIRST_FAILURE, AccountStatus, Status

if TYPE_CHECKING:
    from levcore.reference.evaluate import BookReplay, Part

__all__ = ["AccountReader", "BalanceRow", "LegRow"]

LARGER_SIDE = "larger_side"
NO_TABLE = Table("value", (), math.inf, None)
"""Of legs without exposure, which ask for nothing."""


@dataclass(slots=True)
class LegRow:
    """A row of the account; `leg` is its place in the pool, None for flat rows without funding."""

    row: int
    status: int
    position: Position
    leg: int | None = None
    moves: bool = False
    mover: Hashable = None


@dataclass(slots=True)
class BalanceRow:
    """A balance of the account; `holding` is its place among the holdings of the pool."""

    row: int
    status: int
    holding: int | None = None


@dataclass(slots=True)
class AccountReader:
    """One account, read.

    Parameters
    ----------
    replay : BookReplay
    part : Part
        Its policy.
    account : int
        Its code.
    rows, balance_rows : sequence of int
        Its legs and balances, ascending.
    """

    replay: "BookReplay"
    part: "Part"
    account: int
    rows: Sequence[int]
    balance_rows: Sequence[int]
    holdings: list[Holding] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    leg_rows: list[LegRow] = field(default_factory=list)
    balances: list[BalanceRow] = field(default_factory=list)
    movers_of_holdings: list[Hashable] = field(default_factory=list)
    holding_of_asset: dict[int, int] = field(default_factory=dict)
    number_of_group: dict[Hashable, int] = field(default_factory=dict)

    @property
    def has_balances(self) -> bool:
        """Whether the account is kept in balances, not in one wallet."""
        return len(self.balance_rows) > 0

    def read(self) -> Pool:
        """Holdings, then legs, then what covers what."""
        if self.has_balances:
            for row in self.balance_rows:
                self._read_balance(row)
        else:
            self.holdings.append(Holding(WALLET, 1.0, 1.0, self.replay.wallets[self.account], 0.0))
            self.movers_of_holdings.append(None)
        duplicates = self._duplicates()
        for row in self.rows:
            self._read_leg(row, row in duplicates)
        cover(self.legs, self.part.policy)
        return Pool(self.part.policy, self.holdings, self.legs, len(self.number_of_group))

    def status(self) -> AccountStatus:
        """Why the account cannot be judged, if so."""
        if not self.has_balances:
            status = self.replay.status_of_account(self.account)
            if status != AccountStatus.OK:
                return status
        statuses = [leg.status for leg in self.leg_rows] + [balance.status for balance in self.balances]
        failed = any(status >= FIRST_FAILURE for status in statuses)
        return AccountStatus.INCOMPLETE if failed else AccountStatus.OK

    def moves(self) -> dict[Hashable, Move]:
        """What each mover moves: its legs and balances; what its legs settle in is held still."""
        moves: dict[Hashable, Move] = {}
        paces: dict[Hashable, dict[int, float]] = {}
        for leg_row in self.leg_rows:
            if leg_row.moves and leg_row.leg is not None:
                moves.setdefault(leg_row.mover, Move()).legs.append((leg_row.leg, 1.0))
                paces.setdefault(leg_row.mover, {})[self.legs[leg_row.leg].holding] = 0.0
        for holding, mover in enumerate(self.movers_of_holdings):
            if mover is not None:
                moves.setdefault(mover, Move())
                paces.setdefault(mover, {})[holding] = 1.0
        for mover, move in moves.items():
            move.holdings = sorted(paces[mover].items())
        return moves

    def _read_balance(self, row: int) -> None:
        asset, held, liability, interest = self.replay.balance(row)
        place = self.part.places_of_assets[asset]
        owed = liability + interest
        valid = math.isfinite(held) and math.isfinite(owed) and liability >= 0.0 and interest >= 0.0
        status = Status.UNKNOWN_ASSET if place is None else self.part.price_status(place)
        if status == Status.OK and not valid:
            status = Status.INVALID_BALANCE
        balance = BalanceRow(row, status)
        if status == Status.OK and place is not None:
            balance.holding = self._add_holding(place, held, owed)
        self.balances.append(balance)

    def _add_holding(self, place: int, held: float, owed: float) -> int:
        asset = self.part.assets[place]
        price = margin_price = self.part.asset_prices[place]
        if self.part.policy.rules.margins_at_liability_weight:
            margin_price = price * asset.liability_weight
        self.holdings.append(Holding(asset, price, margin_price, held, owed))
        self.movers_of_holdings.append(asset.mover)
        self.holding_of_asset[place] = len(self.holdings) - 1
        return len(self.holdings) - 1

    def _duplicates(self) -> set[int]:
        """Rows of instruments with too many legs; rows without a quantity are none."""
        sides = {row: _side(self.replay.quantity(row)) for row in self.rows}
        hedge = self.replay.hedge

        def key(row: int) -> tuple[int, int]:
            return self.replay.codes[row], sides[row] if hedge else 0

        counts = Counter(key(row) for row in self.rows if sides[row])
        return {row for row in self.rows if sides[row] and counts[key(row)] > 1}

    def _read_leg(self, row: int, duplicate: bool) -> None:
        position, released = self.replay.legs[row]
        leg_row = LegRow(row, position.status, position)
        self.leg_rows.append(leg_row)
        if duplicate and leg_row.status < FIRST_FAILURE:
            leg_row.status = Status.DUPLICATE_LEG
        flat = leg_row.status == Status.FLAT
        profit = position.unrealized_pnl + position.funding
        if leg_row.status >= FIRST_FAILURE or (flat and profit == 0.0):
            return
        marked = self.replay.marked_of(row)
        holding = self._settle_in(marked.instrument.settlement if marked.instrument is not None else None)
        if isinstance(holding, Status):
            leg_row.status = holding
            return
        group: Hashable = None  # that of flat legs, which ask for nothing
        reciprocal, curve, initial = False, Curve(NO_TABLE, position), None
        if not flat and marked.instrument is not None and marked.tiers is not None:
            leg_row.moves = True
            group = leg_row.mover = self.replay.codes[row]
            reciprocal = self.has_balances and contract.is_inverse(marked.instrument)
            curve, initial = Curve(marked.tiers.of(position.quantity), position), marked.tiers.initial
            if self.has_balances:
                leg_row.mover = marked.instrument.mover
            if self.part.policy.grouping == LARGER_SIDE:
                group = marked.instrument.mover
        leg_row.leg = len(self.legs)
        self.legs.append(Leg(position, curve, initial, holding, self._group(group), reciprocal, released))

    def _group(self, key: Hashable) -> int:
        return self.number_of_group.setdefault(key, len(self.number_of_group))

    def _settle_in(self, settlement: int | None) -> int | Status:
        """Holding that a leg settles in, or why there is none."""
        if not self.has_balances:
            return 0
        if settlement is None:
            return Status.UNKNOWN_SETTLEMENT
        status = self.part.price_status(settlement)
        if status != Status.OK:
            return status
        known = self.holding_of_asset.get(settlement)
        return self._add_holding(settlement, 0.0, 0.0) if known is None else known


def _side(quantity: float) -> int:
    """Sign of a quantity; 0 for one that is none."""
    return (quantity > 0.0) - (quantity < 0.0)
