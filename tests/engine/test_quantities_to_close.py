"""How much of one leg to close so that a margin call ends: parity, exact requirements, closed forms."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore import _levcore, errors
from levcore.reference.accounts.close import quantities_to_close as reference_quantities
from levcore.status import AccountStatus
from support.budgets import UNIT, Budget
from support.comparison import same_bits
from support.oracle import ONE, ZERO, Number, times, total
from support.oracle_pooled import ExactPool
from support.pooled_books import PooledBook, random_book
from support.refusals import NAN, Refused

BUDGET = Budget(
    "requirement after closing", 0.5, 0.09, "requirement before and after + level × scale of the equity"
)
BOOKS = range(130)
NOTHING = Fraction(1, 2**30)
"""Share that is left where as good as nothing is: a minimum that a table asks for is still due."""
THREADS = (1, 2, 7)


def quantities(drawn: PooledBook, book: lc.PositionBook, **options: Any) -> Any:
    engine = lc.Engine(drawn.policies, instruction_set=options.pop("instruction_set", None))
    return lc.quantities_to_close(engine, book, drawn.marks, asset_prices=drawn.asset_prices, **options)


@given(st.integers(0, 2**32), st.sampled_from([None, 0.7]))
def test_kernel_equals_reference(seed: int, margin_call_level: float | None) -> None:
    drawn = random_book(seed, margin_call_level=margin_call_level)
    book = drawn.book()
    expected = reference_quantities(book, drawn.policies, drawn.marks, asset_prices=drawn.asset_prices)
    for instruction_set in _levcore.instruction_sets():
        for threads in THREADS:
            found = quantities(drawn, book, instruction_set=instruction_set, threads=threads)
            assert same_bits(found, expected), (instruction_set, threads, found, expected)


class PartlyClosed:
    """Requirement of an account of whose one leg only a share is left, under the rates of the whole leg."""

    def __init__(self, pool: ExactPool, row: int) -> None:
        self.pool, self.row, self.whole = pool, row, dict(pool.legs)
        policy = pool.policy
        level = policy.liquidation_level if policy.margin_call_level is None else policy.margin_call_level
        now = pool.value_at()
        self.apart = total(now.requirement, times(-1, self.of_legs()))
        self.target = times(Fraction(level), now.counted_value)

    def of_legs(self) -> Number:
        """What all groups ask for."""
        pool, rule = self.pool, self.pool.policy.hedge_requirement
        return total(Number(ZERO), *(pool.of_sides(*sides, rule) for sides in pool.value_at().sides.values()))

    def excess(self, kept: Fraction) -> Number:
        """Requirement above what ends the call."""
        for row, held in self.whole.items():
            leg = copy(held.leg)
            if row == self.row:
                leg.quantity, leg.size, leg.value, leg.entry_value = (
                    leg.quantity * kept,
                    leg.size * kept,
                    leg.value * kept,
                    leg.entry_value * kept,
                )
            self.pool.legs[row] = replace(held, leg=leg, share=ONE, charged_at_entry=leg.entry_value)
        if self.pool.policy.hedge_requirement == "covered":
            self.pool._cover()
        excess = total(self.apart, self.of_legs(), times(-1, self.target))
        self.pool.legs.update(self.whole)
        return excess

    @property
    def has_no_line(self) -> bool:
        """Whether it is one of a covered pair that is charged at its average entry."""
        rules = self.pool.policy.hedge_requirement, self.pool.policy.requirement_basis_cross
        group = [held for held in self.whole.values() if held.group == self.whole[self.row].group]
        return rules == ("covered", "entry") and len(group) > 1


def judged_legs(books: range) -> Iterator[tuple[PartlyClosed, float, float]]:
    """Legs of accounts that can be judged; their quantity, and what of it is to be closed."""
    for seed in books:
        # Low levels, for calls that closing one leg can end.
        level = (None, 0.7, 0.4, 0.2)[seed % 4]
        drawn = random_book(seed, 12, spoiled=False, policies=1, margin_call_level=level, warning_level=None)
        (policy,) = drawn.policies.values()
        book = drawn.book()
        found, status = quantities(drawn, book), drawn.evaluate(book).accounts.status
        for row in np.flatnonzero(book.is_cross & (book.quantity != 0.0)).tolist():
            assert book.account_codes is not None
            code = int(book.account_codes[row])
            assert status[code] == AccountStatus.OK
            pool = ExactPool(book, policy, drawn.marks, drawn.asset_prices, code)
            yield PartlyClosed(pool, row), abs(float(book.quantity[row])), float(found[row])


def test_what_is_closed_is_exactly_enough() -> None:
    met: Counter[str] = Counter()
    largest = 0.0
    for leg, quantity, found in judged_legs(BOOKS):
        now = leg.excess(ONE)
        if abs(now.exact) < Fraction(1, 2**40) * now.scale:
            met["too close to call"] += 1
        elif now.exact < 0:
            met["no call"] += 1
            assert found == 0.0
        elif leg.has_no_line:
            met["pair at its entry"] += 1
            assert math.isnan(found)
        elif math.isnan(found):
            met["not enough"] += 1
            assert all(leg.excess(share).exact > 0 for share in (NOTHING, *shares_above(NOTHING)))
        else:
            met["enough"] += 1
            kept = ONE - Fraction(found) / Fraction(quantity)
            assert 0 <= kept < 1
            left = leg.excess(kept)
            largest = max(largest, float(abs(left.exact) / (now.scale + left.scale)) / UNIT)
            # Nothing less is enough.
            assert all(leg.excess(share).exact > 0 for share in shares_above(kept))
    assert largest <= BUDGET.units
    assert BUDGET.measured / 2 <= largest <= BUDGET.measured + 0.01, largest
    assert met.pop("too close to call", 0) < 0.01 * met.total()
    assert min(met[name] for name in ("no call", "pair at its entry", "not enough", "enough")) > 3, met
    assert met["enough"] > 30, met


def shares_above(kept: Fraction) -> list[Fraction]:
    return [kept + (ONE - kept) * Fraction(step, 6) for step in range(1, 6)]


RATE = 0.1
TABLE = lc.TierTable.single_rate(str(RATE))
MARKS = {"A": 100.0, "B": 10.0}
POLICY = lc.policy("generic").with_instruments(
    [
        lc.Instrument("A", "linear", TABLE, underlying="U"),
        lc.Instrument("B", "linear", TABLE, underlying="U"),
    ]
)


def hedged(legs: list[tuple[str, float]], wallet: float, **others: Any) -> lc.PositionBook:
    """One account of these legs, entered at the marks."""
    columns: dict[str, Any] = {
        "instrument": [name for name, _ in legs],
        "quantity": [quantity for _, quantity in legs],
        "entry_price": [MARKS[name] for name, _ in legs],
        "margin_mode": "cross",
        "wallet_balance": {"a": wallet},
        "account": ["a"] * len(legs),
    }
    return lc.PositionBook(**(columns | others), position_mode="hedge")


def closing(policy: lc.MarginPolicy, book: lc.PositionBook) -> list[float]:
    found: list[float] = lc.quantities_to_close(lc.Engine(policy), book, MARKS).tolist()
    return found


@pytest.mark.parametrize(
    ("rules", "legs", "wallet", "expected"),
    [
        # 100 n + 100 is required at a rate of 0.1: 20 of a wallet of 15.
        ({}, [("A", 1.0), ("B", 10.0)], 15.0, [0.5, 5.0]),
        ({}, [("A", 1.0), ("B", -10.0)], 15.0, [0.5, 5.0]),
        ({}, [("A", 1.0), ("B", 10.0)], 20.5, [0.0, 0.0]),
        # Even without one of the legs 10 are required.
        ({}, [("A", 1.0), ("B", 10.0)], 9.0, [NAN, NAN]),
        ({"margin_call_level": 0.5}, [("A", 1.0), ("B", 10.0)], 36.0, [0.2, 2.0]),
        # 30 of the longs: the shorts ask for less and do not matter, and the longs only above their 20.
        ({"hedge_requirement": "larger_leg"}, [("A", 3.0), ("A", -2.0)], 25.0, [0.5, NAN]),
        ({"hedge_requirement": "larger_leg"}, [("A", 3.0), ("A", -2.0)], 19.0, [NAN, NAN]),
        ({"hedge_requirement": "larger_side"}, [("A", 3.0), ("B", -20.0)], 25.0, [0.5, NAN]),
        ({"hedge_requirement": "larger_leg"}, [("A", 3.0), ("B", -20.0)], 45.0, [0.5, 5.0]),
        # Charged on the 2 that are not covered: closing the covering leg leaves more of them.
        ({"hedge_requirement": "covered", "covered_share": 0.0}, [("A", 3.0), ("A", -1.0)], 15.0, [0.5, NAN]),
        # On 2 + 0.5 * 1: closed by more than the 2, the short is the larger leg.
        ({"hedge_requirement": "covered", "covered_share": 0.5}, [("A", 3.0), ("A", -1.0)], 6.0, [1.9, NAN]),
        ({"hedge_requirement": "covered", "covered_share": 0.5}, [("A", 3.0), ("A", -1.0)], 4.0, [NAN, NAN]),
        ({"hedge_requirement": "covered", "covered_share": 1.0}, [("A", 3.0), ("A", -1.0)], 25.0, [0.5, NAN]),
        (
            {"hedge_requirement": "covered", "covered_share": 0.0, "requirement_basis_cross": "entry"},
            [("A", 3.0), ("A", -1.0), ("B", 10.0)],
            25.0,
            [NAN, NAN, 5.0],
        ),
        # What follows the sizes alone is closed by them: funding and fees at the price.
        (
            {"closing_fee_basis": "price", "closing_fee_rate": 0.02},
            [("A", 1.0), ("B", 10.0)],
            18.0,
            [0.5, 5.0],
        ),
    ],
)
def test_closed_forms(
    rules: dict[str, Any], legs: list[tuple[str, float]], wallet: float, expected: list[float]
) -> None:
    found = closing(POLICY.replace(**rules), hedged(legs, wallet))
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", ["A", "B"])
def test_after_closing_the_ratio_is_the_level(name: str) -> None:
    policy = POLICY.replace(margin_call_level=0.8)
    entry = {"A": 120.0, "B": 8.0}
    legs = {"A": 1.0, "B": -10.0}
    book = hedged(list(legs.items()), 55.0, entry_price=list(entry.values()))
    engine = lc.Engine(policy)
    assert engine.evaluate(book, MARKS).accounts.margin_ratio[0] > 0.8
    closed = closing(policy, book)[list(legs).index(name)]
    side = math.copysign(1.0, legs[name])
    realized = side * closed * (MARKS[name] - entry[name])
    left = legs | {name: legs[name] - side * closed}
    after = hedged(list(left.items()), 55.0 + realized, entry_price=list(entry.values()))
    assert engine.evaluate(after, MARKS).accounts.margin_ratio[0] == pytest.approx(0.8, rel=1e-13)


def test_isolated_flat_and_failed_rows() -> None:
    book = hedged(
        [("A", 1.0), ("B", 10.0), ("A", 0.0), ("A", 1.0), ("A", 1.0), ("B", NAN)],
        15.0,
        account=["a", "a", "a", "alone", "bad", "bad"],
        margin_mode=["cross", "cross", "cross", "isolated", "cross", "cross"],
        wallet_balance={"a": 15.0, "bad": 1.0},
        isolated_margin=[NAN, NAN, NAN, 1.0, NAN, NAN],
    )
    assert closing(POLICY, book) == pytest.approx([0.5, 5.0, 0.0, NAN, NAN, NAN], nan_ok=True)


BOOK = hedged([("A", 1.0), ("B", 10.0)], 15.0)
REFUSED: dict[str, tuple[Callable[[], object], Refused]] = {
    "no book": (
        lambda: lc.quantities_to_close(lc.Engine(POLICY), None, MARKS),  # type: ignore[arg-type]
        Refused(errors.DTypeError, "book"),
    ),
    "too few marks": (
        lambda: lc.quantities_to_close(lc.Engine(POLICY), BOOK, np.array([1.0])),
        Refused(errors.ShapeError, "marks"),
    ),
    "prices of assets for wallets": (
        lambda: lc.quantities_to_close(lc.Engine(POLICY), BOOK, MARKS, asset_prices={"USDT": 1.0}),
        Refused(errors.InputError, "asset_prices"),
    ),
    "no threads": (
        lambda: lc.quantities_to_close(lc.Engine(POLICY), BOOK, MARKS, threads=0),
        Refused(errors.InputError, "threads"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_calls_are_refused(name: str) -> None:
    call, refused = REFUSED[name]
    refused.check(call)
