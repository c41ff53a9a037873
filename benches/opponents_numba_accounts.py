"""numba on accounts whose parts move together: hedged pairs, and collateral in several assets.

Along the price of an instrument the surplus of its account is made of straight pieces and bends downwards
only. From the mark a leg, or both legs of a pair, walk outwards from border to border of their tiers until a
piece is zero inside of its borders; most walks end in their first piece. Which row is the other leg of a pair
is found once a book, as are the rows of each account.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange, set_num_threads

from contender import Outputs, empty_outputs
from opponents_numba import account_sums, own_measures, tier_of
from workload import (
    ASSETS,
    BANKRUPT,
    HEALTHY,
    LIABILITY_WEIGHTS,
    LIQUIDATION,
    MEASURES,
    WARNING,
    WARNING_LEVEL,
    WEIGHTS,
    Workload,
)

DOWN, UP = -1.0, 1.0
RISING, FALLING = 1.0, -1.0
SLACK = 1e-13
"""A zero that rounding puts just outside of its piece is in it."""


@njit(inline="always")
def counted(value, weight, liability_weight):  # type: ignore[no-untyped-def]
    """What counts of an equity of this value."""
    return value * (weight if value > 0.0 else liability_weight)


@njit(inline="always")
def border(floors, tier, size, direction):  # type: ignore[no-untyped-def]
    """Price at which a leg of this size leaves its tier."""
    if size == 0.0:
        return 0.0 if direction < 0.0 else np.inf
    if direction < 0.0:
        return floors[tier] / size
    return floors[tier + 1] / size if tier + 1 < floors.size else np.inf


@njit
def walk(  # type: ignore[no-untyped-def]
    direction, sign, mark, surplus, net, coins, equity, one, two, factor, weights, floors, rates
):
    """Price in this direction at which the surplus passes zero with a slope of this sign; NaN if none.

    `net` is the quantity whose profit adds to `equity`, what is held of the settlement currency, `coins` the
    value of the collateral that moves as well, by price, `one` and `two` the sizes of the legs.
    """
    tier, other = tier_of(one * mark, floors), tier_of(two * mark, floors)
    zero_equity = mark - equity / net if net != 0.0 else np.nan
    place, height, owes = mark, surplus, equity <= 0.0
    while True:
        own, others = border(floors, tier, one, direction), border(floors, other, two, direction)
        end = max(own, others) if direction < 0.0 else min(own, others)
        bends = (zero_equity - place) * direction > 0.0 and (end - zero_equity) * direction > 0.0
        if bends:
            end = zero_equity
        slope = net * (weights[1] if owes else weights[0]) + coins
        slope -= factor * (rates[tier] * one + rates[other] * two)
        if slope * sign > 0.0:
            zero = place - height / slope
            before, after = (zero - place) * direction, (zero - end) * direction
            if before >= -SLACK * place and after <= SLACK * zero:
                return zero if zero > 0.0 else np.nan
        if end <= 0.0 or end == np.inf:
            return np.nan
        height += slope * (end - place)
        place = end
        if bends:
            owes = not owes
            # The next border is not this one again.
            zero_equity = np.nan
        elif direction < 0.0:
            tier, other = tier - (own >= end), other - (others >= end and two > 0.0)
        else:
            tier, other = tier + (own <= end), other + (others <= end)


@njit(inline="always")
def zero_of_equity(sign, mark, total, net, coins, equity, weights):  # type: ignore[no-untyped-def]
    """Price at which the equity, the smaller of two lines, passes zero with a slope of this sign."""
    now = counted(equity, weights[0], weights[1])
    zero, opposite = np.nan, np.nan
    for weight in weights:
        slope = net * weight + coins
        place = mark - (total - now + weight * equity) / slope if slope != 0.0 else np.nan
        if slope > 0.0:
            if sign > 0.0:
                zero = place if not zero > place else zero
            else:
                opposite = place if not opposite > place else opposite
        elif slope < 0.0:
            if sign < 0.0:
                zero = place if not zero < place else zero
            else:
                opposite = place if not opposite < place else opposite
    exists = zero > 0.0 and not (zero - opposite) * sign > 0.0
    return zero if exists else np.nan


@njit(inline="always")
def nearer_above(mark, lower, upper):  # type: ignore[no-untyped-def]
    """Whether the price above is met first."""
    return np.isnan(lower) or mark - lower > upper - mark


@njit(parallel=True, cache=True)
def finish(  # type: ignore[no-untyped-def]
    accounts, partners, sums, held, balances, asset_prices, coin_of, weights, liability_weights, factor,
    warning, codes, quantity, marks, tables,
    notional, pnl, on_equity, initial, maintenance, equity, ratio, effective, price, bankruptcy, distance,
    state,
):  # fmt: skip
    """Measures that depend on the account; the first leg of a pair does those of both."""
    floors, rates = tables
    own_weights = weights[0], liability_weights[0]
    for i in prange(codes.size):
        partner = partners[i]
        if 0 <= partner < i:
            continue
        account, code, mark = accounts[i], codes[i], marks[codes[i]]
        total, required = sums[account, 0], sums[account, 1]
        surplus, own = total - required, held[account]
        net, one, two = quantity[i], abs(quantity[i]), 0.0
        if partner >= 0:
            net, two = net + quantity[partner], abs(quantity[partner])
        coin = coin_of[code]
        coins = 0.0
        if coin > 0:
            worth = balances[account, coin] * asset_prices[coin]
            coins = counted(worth, weights[coin], liability_weights[coin]) / mark
        used = required / total if total > 0.0 else np.inf
        judged = LIQUIDATION if used >= 1.0 else (WARNING if used >= warning else HEALTHY)
        if total <= 0.0:
            judged = BANKRUPT
        below, above = DOWN, UP
        if surplus < 0.0:
            # Both zeros lie where the surplus rises.
            tier, other = tier_of(one * mark, floors[code]), tier_of(two * mark, floors[code])
            slope = net * (own_weights[1] if own <= 0.0 else own_weights[0]) + coins
            slope -= factor * (rates[code, tier] * one + rates[code, other] * two)
            below = above = UP if slope > 0.0 else DOWN
        shape = factor, own_weights, floors[code], rates[code]
        lower = walk(below, RISING, mark, surplus, net, coins, own, one, two, *shape)
        upper = walk(above, FALLING, mark, surplus, net, coins, own, one, two, *shape)
        at_upper = nearer_above(mark, lower, upper)
        limit = upper if at_upper else lower
        low = zero_of_equity(RISING, mark, total, net, coins, own, own_weights)
        high = zero_of_equity(FALLING, mark, total, net, coins, own, own_weights)
        nothing_above = at_upper if not np.isnan(limit) else nearer_above(mark, low, high)
        room = abs(mark - limit) / mark if not np.isnan(limit) else np.inf
        for turn in range(1 if partner < 0 else 2):
            leg = partner if turn else np.int64(i)
            equity[leg] = total
            ratio[leg] = used
            effective[leg] = notional[leg] / total if total > 0.0 else np.inf
            price[leg] = limit
            bankruptcy[leg] = high if nothing_above else low
            distance[leg] = -room if judged >= LIQUIDATION else room
            state[leg] = judged


@njit(cache=True)
def account_totals(  # type: ignore[no-untyped-def]
    sums, held, balances, asset_prices, weights, liability_weights, factor
):
    """Turn equity and margin in the first asset into what counts of all assets, and the requirement."""
    for account in range(held.size):
        held[account] = sums[account, 0]
        total = 0.0
        for asset in range(weights.size):
            worth = held[account] if asset == 0 else balances[account, asset] * asset_prices[asset]
            total += counted(worth, weights[asset], liability_weights[asset])
        sums[account, 0] = total
        sums[account, 1] *= factor


def partners_of(work: Workload) -> npt.NDArray[np.int64]:
    """Row of the other leg in the same instrument and account; -1: none."""
    order = np.lexsort((work.codes, work.accounts))
    codes, accounts = work.codes[order], work.accounts[order]
    first = np.flatnonzero((codes[1:] == codes[:-1]) & (accounts[1:] == accounts[:-1]))
    partners = np.full(len(order), -1, np.int64)
    partners[order[first]], partners[order[first + 1]] = order[first + 1], order[first]
    return partners


class NumbaAccounts:
    """A book of hedged legs, whose wallet is its one asset, or of balances in several assets."""

    def __init__(self, work: Workload, mode: str) -> None:
        self.work = work
        several = mode == "assets"
        tables = work.tables
        self.tables = tables.floors, tables.rates, tables.deductions, tables.floors, tables.rates
        self.balances = work.balances if several else work.wallet_balance[:, None]
        assets = len(ASSETS) if several else 1
        self.weights = WEIGHTS if several else np.ones(1)
        self.liability_weights = LIABILITY_WEIGHTS if several else np.ones(1)
        self.prices = [work.asset_prices(tick)[:assets] for tick in (0, 1)]
        self.coins = tables.coins if several else np.zeros_like(tables.coins)
        self.warning = np.inf if several else WARNING_LEVEL
        self.partners = partners_of(work)
        self.sums, self.held = np.empty((len(self.balances), 2)), np.empty(len(self.balances))
        self.out = empty_outputs(len(work.codes))
        self.columns = (*(self.out[name] for name in MEASURES), self.out["state"])

    def run(self, variant: str, tick: int) -> None:
        """Evaluate on one or two threads."""
        work, marks, prices = self.work, self.work.marks[tick], self.prices[tick]
        set_num_threads(int(variant[0]))
        legs = work.codes, work.quantity
        weights = self.weights, self.liability_weights, self.liability_weights[0]
        own_measures(*legs, work.entry_price, work.leverage, marks, self.tables, *self.columns)
        pnl, margin = self.out["unrealized_pnl"], self.out["maintenance_margin"]
        account_sums(work.accounts, self.balances[:, 0], pnl, margin, self.sums)
        account_totals(self.sums, self.held, self.balances, prices, *weights)
        finish(
            work.accounts,
            self.partners,
            self.sums,
            self.held,
            self.balances,
            prices,
            self.coins,
            *weights,
            self.warning,
            *legs,
            marks,
            self.tables[:2],
            *self.columns,
        )

    def outputs(self) -> Outputs:
        """Columns of the last run."""
        return self.out
