"""Invariants of every policy and date, with each unknown rule at each of its values, over every table.

Nothing asks for less than nothing; nothing at or past its liquidation level, and nothing whose equity is
no finite number, is healthy; every price at which the surplus is zero is told; and at a price that is told
the ratio is at the level, just before it healthy, just past it liquidatable. The surplus is the exact one of
the oracle.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import groupby

import numpy as np
import pytest

import levcore as lc
from levcore.rules.policy import RULES
from support.every_policy import MODES, drawn_book, every_version, variants
from support.moved_prices import Moved, Ruled, grid_of

THOROUGH = os.environ.get("LEVCORE_TESTS") == "thorough"
CASES = 300 if THOROUGH else 1
"""Accounts and isolated rows of a policy, shared by its variants and modes, each with one at least; 60 meet
all tables and payoffs."""
BY_NAME = {name: list(group) for name, group in groupby(every_version(), key=lambda policy: policy.name)}
STEP = 2.0**-20
NEAR = Fraction(1, 10**9)
AFTER_THE_TRIGGER = tuple(rule for rule in RULES if rule.startswith("close_out_"))
UNSAID = ("ratio", "debtor", "price_rounding_long", "price_rounding_short", "trader_owes", *AFTER_THE_TRIGGER)


def ruled_kinds(name: str) -> list[tuple[lc.MarginPolicy, str, str]]:
    """Each version and variant of a policy in each mode, with its name; the same rules are tried once."""
    kinds, tried = [], set()
    for policy in BY_NAME[name]:
        for variant, ruled in variants(policy):
            key = tuple(str(getattr(ruled, rule)) for rule in RULES if rule not in UNSAID)
            if key in tried:
                continue
            tried.add(key)
            for mode in MODES:
                if mode == "balances" and ruled.liabilities_count_as == "none":
                    continue
                if mode != "isolated" and ruled.closing_fee_bankruptcy_cross == "margin":
                    continue  # not computed: refused
                kinds.append((ruled, mode, f"{policy.id} {variant} {mode}"))
    return kinds


def ruled_books(name: str, told: Callable[[str], None]) -> Iterator[Ruled]:
    """A book of each kind, with as many accounts as come to it, of isolated rows twice as many."""
    kinds = ruled_kinds(name)
    shares = sum(2 if mode == "isolated" else 1 for _, mode, _ in kinds)
    first, done = sum(map(ord, name)), 0
    for ruled, mode, seed in kinds:
        count = max(CASES // shares, 1) * (2 if mode == "isolated" else 1)
        told(f"{done} of {max(CASES // shares, 1) * shares} cases; {seed}")
        first, done = first + count, done + count
        yield Ruled(drawn_book(ruled, mode, first, count, seed))


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Says on the terminal how far a thorough search is: it takes minutes."""
    start = time.perf_counter()

    def say(what: str) -> None:
        if THOROUGH:
            with capfd.disabled():
                sys.stderr.write(f"{time.perf_counter() - start:5.0f} s  {what}\n")

    return say


@pytest.mark.parametrize("name", BY_NAME)
def test_what_a_policy_says_holds_together(name: str, told: Callable[[str], None]) -> None:
    checked = 0
    for ruled in ruled_books(name, told):
        assert_nothing_is_negative(ruled.risk)
        movers = list(ruled.movers())
        assert_states_follow_the_surplus(ruled, movers)
        for moved in movers:
            assert_every_zero_is_told(ruled, moved)
            checked += assert_prices_that_are_told_are_zeros(ruled, moved)
    assert checked > 3


def assert_nothing_is_negative(risk: lc.BookRisk) -> None:
    """(a) No requirement or fee below zero, and no healthy row or account without a finite equity."""
    for measures in (risk, risk.accounts):
        for measure in ("initial_margin", "maintenance_margin", "margin_ratio"):
            column = getattr(measures, measure)
            assert ((column >= 0.0) | np.isnan(column)).all(), measure
        healthy = measures.state < lc.State.LIQUIDATION
        assert np.isfinite(measures.equity[healthy]).all()
        assert np.isfinite(measures.margin_ratio[healthy]).all()
    # The part of the requirement that the margins do not hold is the fee.
    alone = ~risk.book.is_cross & (risk.equity > 0.0)
    fee = risk.margin_ratio[alone] * risk.equity[alone] - risk.maintenance_margin[alone]
    assert (fee >= -1e-12 * risk.notional[alone]).all()


def assert_states_follow_the_surplus(ruled: Ruled, movers: list[Moved]) -> None:
    """(b) At every place of a grid, liquidation where the exact surplus says so, and nowhere else."""
    for place, wave in grid_of(movers, 4 if not THOROUGH else 8):
        risk = ruled.at({name: float(place) for moved in wave for name in moved.instruments + moved.assets})
        assert_nothing_is_negative(risk)
        for moved in wave:
            state, surplus = ruled.state_of(risk, moved), moved.surplus(place)
            frozen = moved.basis == "mark" and place != 1
            if frozen or state == lc.State.INCOMPLETE or abs(surplus) < NEAR * moved.scale(place):
                continue
            assert (state >= lc.State.LIQUIDATION) == (surplus < 0), (ruled.policy.id, moved.mover, place)


def prices_told(ruled: Ruled, moved: Moved) -> list[tuple[str, float, float]]:
    """Prices that rows and balances are told, each with the mark that it is a multiple of."""
    risk, found = ruled.risk, []
    for side in ("lower", "upper"):
        column = f"liquidation_price_{side}"
        found += [(side, float(risk[column][row]), risk.mark_of(row)) for row in moved.rows]
        found += [
            (side, float(getattr(risk.balances, column)[row]), ruled.drawn.prices[asset])
            for row, asset in zip(moved.balances, moved.assets, strict=True)
        ]
    return found


def assert_every_zero_is_told(ruled: Ruled, moved: Moved) -> None:
    """(c) Each place where a scan finds the surplus zero is a price of all that moves with it."""
    for low, high, rises in moved.zeros:
        side = "lower" if rises else "upper"
        prices = [(price, mark) for each, price, mark in prices_told(ruled, moved) if each == side]
        assert prices
        for price, mark in prices:
            found = ruled.policy.id, ruled.drawn.mode, moved.mover, side, price
            # No second zero on a side: what is told is the one that the scan has found.
            assert low * Fraction(1 - STEP) <= price / mark <= high * Fraction(1 + STEP), found
    shown = {float(ruled.risk.liquidation_price[row]) for row in moved.rows}
    assert all(
        math.isnan(price) or price in [each for _, each, _ in prices_told(ruled, moved)] for price in shown
    )


def assert_prices_that_are_told_are_zeros(ruled: Ruled, moved: Moved) -> int:
    """(d) At a price the surplus is zero, just before it the row is healthy, just past it liquidatable."""
    checked = 0
    for side, price, mark in prices_told(ruled, moved)[:1] + prices_told(ruled, moved)[-1:]:
        if math.isnan(price):
            continue
        place = Fraction(price) / Fraction(mark)
        assert abs(moved.surplus(place)) <= NEAR * (moved.scale(place) + moved.scale(Fraction(1)))
        checked += 1
        outwards = -STEP if side == "lower" else STEP
        for step, liquidated in ((-outwards, False), (outwards, True)):
            beside = place * Fraction(1.0 + step)
            clear = abs(moved.surplus(beside)) > NEAR * moved.scale(beside)
            if moved.basis == "mark" or not clear or (moved.surplus(beside) < 0) != liquidated:
                # Frozen at another mark; or two zeros closer than the step; no state to look at.
                continue
            risk = ruled.at({name: float(beside) for name in moved.instruments + moved.assets})
            state = ruled.state_of(risk, moved)
            if state != lc.State.INCOMPLETE:
                assert (state >= lc.State.LIQUIDATION) == liquidated, (
                    ruled.policy.id,
                    moved.mover,
                    price,
                    step,
                )
    return checked


@pytest.mark.parametrize("name", BY_NAME)
def test_leverage_below_one_is_no_leverage(name: str) -> None:
    """No venue of ours lends less than nothing: what is paid in would be more than the position is worth."""
    policy = next(ruled for _, ruled in variants(BY_NAME[name][-1]))
    for mode in MODES:
        if mode == "balances" and policy.liabilities_count_as == "none":
            continue
        drawn = drawn_book(policy, mode, 7, 3, f"{name} {mode}")
        for leverage in (5e-324, 0.05, 0.5, 1.0 - 2.0**-53):
            drawn.columns["leverage"][0] = leverage
            risk = Ruled(drawn).risk
            assert risk.status[0] == lc.Status.INVALID_LEVERAGE
            assert risk.state[0] == lc.State.INCOMPLETE
            assert_nothing_is_negative(risk)
