"""Forced sales that move the price: the fixed point, its accounting, and its twin."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore import _levcore as core
from levcore.errors import InputError, LevcoreError
from levcore.reference.closing.cascade import cascade as cascade_of_twin
from levcore.reference.closing.impact import Impact as ImpactOfTwin
from support.closing_books import closing_policy

IMPACTS = {
    "linear": lc.Impact.linear(0.1, 200.0),
    "square_root": lc.Impact.square_root(0.05, 200.0),
    "levels": lc.Impact.levels([0.005, 0.02, 0.05, 0.1, 0.3], [5.0, 20.0, 50.0, 100.0, 1e6]),
    "none": lc.Impact.linear(0.0, 1.0),
}


def side_of(seed: int, falls: bool) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    count = int(random.integers(0, 80))
    away = random.uniform(-0.02, 0.3, count)
    trigger = np.round(100.0 * (1.0 - away if falls else 1.0 + away), 1)  # some the same
    trigger[random.random(count) < 0.1] = np.nan
    return np.round(random.lognormal(0, 1, count) + 0.01, 3), trigger


@pytest.mark.parametrize("kind", IMPACTS)
@pytest.mark.parametrize("falls", [True, False])
def test_cascades_are_the_same_bits_and_the_least_fixed_point(kind: str, falls: bool) -> None:
    impact = IMPACTS[kind]
    twin = ImpactOfTwin(impact.kind, impact.first, impact.second)
    numbers = (impact.kind, np.array(impact.first), np.array(impact.second))
    lengths, start = set(), 98.0 if falls else 102.0
    for seed in range(150):
        quantity, trigger = side_of(seed, falls)
        positions, lots, (fill, price), wave = core.cascade(quantity, trigger, falls, start, *numbers, 1e3)
        waves, places = cascade_of_twin(quantity.tolist(), trigger.tolist(), falls, start, twin, 1e3)
        columns = (positions.tolist(), lots.tolist(), fill.tolist(), price.tolist())
        assert list(zip(*columns, strict=True)) == waves
        assert wave.tolist() == places
        assert set(np.flatnonzero(wave >= 0)) == one_by_one(quantity, trigger, falls, start, twin)
        proceeds = float((fill * np.diff(lots, prepend=0)).sum()) / 1e3
        sold = float(lots[-1]) / 1e3 if lots.size else 0.0
        sign = -1.0 if falls else 1.0
        assert proceeds == pytest.approx(start * (sold + sign * twin.cost(sold)), rel=1e-12)
        lengths.add(len(waves))
    assert max(lengths) > 2 or kind == "none"


def one_by_one(quantity: Any, trigger: Any, falls: bool, start: float, impact: ImpactOfTwin) -> set[int]:
    """Oracle: sell one position after the other, the nearest trigger first, until the price reaches none."""
    sign = -1 if falls else 1
    left = [row for row in range(quantity.size) if not np.isnan(trigger[row])]
    left.sort(key=lambda row: sign * trigger[row])
    sold, closed = Fraction(0), set()
    for row in left:
        price = start * (1.0 + sign * impact.at(float(sold)))
        if (price > trigger[row]) if falls else (price < trigger[row]):
            break
        sold += Fraction(round(quantity[row] * 1000), 1000)
        closed.add(row)
    return closed


def test_a_cascade_of_a_book_is_settled_to_the_quantum() -> None:
    random = np.random.default_rng(9)
    leverage = random.integers(3, 50, 400).astype(float)
    side = random.choice([-1.0, 1.0], 400)
    book = lc.PositionBook(
        np.repeat("A", 400),
        side * np.round(random.lognormal(0, 1, 400) + 0.01, 3),
        100.0 + side * random.uniform(-4.0, 2.0, 400),
        leverage=leverage,
        account=np.arange(400),
    )
    policy = closing_policy(close_out_payers=("fund",), close_out_remainder="fund", trader_owes="no")
    engine = lc.Engine(policy)
    fallen = lc.cascade(engine, book, "A", 96.0, lc.Impact.linear(0.1, 300.0), marks={"A": 100.0})
    assert fallen.positions.size > 2
    assert (np.diff(fallen.price) <= 0).all()
    assert fallen.end < 96.0
    assert fallen.contracts.sum() == pytest.approx(np.abs(book.quantity[fallen.wave >= 0]).sum())
    closed = lc.close_out(engine, book, {"A": fallen.end}, row_fills=fallen.fills(), fund=50.0)
    assert closed.rows.tolist() == np.flatnonzero(fallen.wave >= 0).tolist()
    np.testing.assert_array_equal(closed.fill, fallen.fills()[closed.rows])
    balances = closed.ledger.balances()
    assert (balances["closed"], sum(balances.values())) == (0, 0)
    alone = lc.close_out(engine, book, {"A": 96.0}, fund=50.0)
    assert alone.totals()["missing"] < closed.totals()["missing"]


def test_cascades_refuse_what_they_cannot_follow() -> None:
    engine = lc.Engine(closing_policy())
    book = lc.PositionBook(["A"], [100.0], [100.0], leverage=[10.0])
    impact = lc.Impact.levels([0.1], [50.0])
    with pytest.raises(LevcoreError, match="levels that hold all that is traded"):
        lc.cascade(engine, book, "A", 80.0, impact, marks={"A": 100.0})
    with pytest.raises(LevcoreError, match="impact that leaves a price"):
        lc.cascade(engine, book, "A", 80.0, lc.Impact.linear(2.0, 10.0), marks={"A": 100.0})
    for wrong in ({"instrument": "B"}, {"price": 0.0}, {"direction": "sideways"}, {"impact": 0.1}):
        given: Any = {"instrument": "A", "price": 80.0, "impact": impact, "marks": {"A": 100.0}} | wrong
        with pytest.raises(InputError, match=next(iter(wrong))):
            lc.cascade(engine, book, **given)
    several = lc.Engine({"a": closing_policy(), "b": closing_policy()})
    held = lc.PositionBook(["A"], [100.0], [100.0], leverage=[10.0], policy=["a"])
    with pytest.raises(InputError, match="policy: is not one"):
        lc.cascade(several, held, "A", 80.0, impact, marks={"A": 100.0})
    for numbers in (([-0.1], [1.0]), ([0.2, 0.1], [1.0, 1.0]), ([0.1], [0.0]), ([0.1], [])):
        with pytest.raises(LevcoreError):
            lc.Impact.levels(*numbers)
    with pytest.raises(LevcoreError, match="depth"):
        lc.Impact.linear(0.1, 0.0)


def test_a_step_is_filled_by_its_size() -> None:
    """Two longs of 3 and 1 are sold together: 4 through levels of 2 at 1 % and 10 at 3 %, 2 % on average."""
    engine = lc.Engine(closing_policy(close_out_payers=(), trader_owes="yes", close_out_remainder="trader"))
    book = lc.PositionBook(
        ["A", "A", "B"], [3.0, 1.0, 1.0], [100.0, 100.0, 20.0], leverage=20.0, account=["a", "b", "c"]
    )
    levels = lc.Impact.levels([0.01, 0.03], [2.0, 10.0])
    closed = lc.close_out(engine, book, {"A": 90.0, "B": 10.0}, slippage=levels)
    np.testing.assert_allclose(closed.fill, [90.0 * 0.98, 90.0 * 0.98, 10.0 * 0.99], rtol=1e-15)
    root = lc.close_out(engine, book, {"A": 90.0, "B": 10.0}, slippage=lc.Impact.square_root(0.03, 4.0))
    np.testing.assert_allclose(root.fill, [90.0 * 0.98, 90.0 * 0.98, 10.0 * 0.99], rtol=1e-15)
