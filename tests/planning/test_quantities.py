"""The quantities of a plan over books of linear, inverse and quanto contracts, against plain evaluations."""

import numpy as np
import pytest

import levcore as lc
from levcore.errors import InputError
from levcore.planning.quantities import (
    loss_at,
    price_at_ratio,
    size_for_budget,
    value_at,
)
from levcore.planning.survival import _halved, _Trial, survivable_leverage
from levcore.rules.tiers import TierTable

STEPPED = TierTable.marginal([(0, "0.01"), (5_000, "0.05"), (20_000, "0.6")], unit="quote")
IN_BASE = TierTable.marginal([(0, "0.01"), (50, "0.05")], unit="base")
INSTRUMENTS = [
    lc.Instrument("LIN", "linear", STEPPED),
    lc.Instrument("INV", "inverse", IN_BASE, contract_size=10.0),
    lc.Instrument("QUA", "quanto", TierTable.single_rate(0.02), multiplier=0.1),
]
MARKS = {"LIN": 101.0, "INV": 97.0, "QUA": 100.0}


def engine(**rules: object) -> lc.Engine:
    stated: dict[str, object] = {
        "requirement_basis_isolated": "price",
        "requirement_basis_cross": "price",
        "initial_margin_basis_isolated": "entry",
        "initial_margin_basis_cross": "entry",
        "closing_fee_basis": "price",
        "closing_fee_rate": 0.001,
        "closing_fee_in_initial_margin": False,
        "closing_fee_in_maintenance_margin": False,
        "bankruptcy_includes_closing_fee": False,
    }
    return lc.Engine(lc.policy("generic").replace(**(stated | rules)).with_instruments(INSTRUMENTS))


def book(rows: int = 60, seed: int = 7) -> lc.PositionBook:
    """Random isolated rows of all three payoffs, both sides."""
    random = np.random.default_rng(seed)
    names = [INSTRUMENTS[place].name for place in np.arange(rows) % 3]
    size = np.where(np.arange(rows) % 3 == 1, 300.0, 40.0)
    return lc.PositionBook(
        names,
        random.choice([-1.0, 1.0], rows) * size * random.uniform(0.2, 3.0, rows),
        random.uniform(90.0, 110.0, rows),
        leverage=random.uniform(2.0, 12.0, rows),
    )


def at_each_price(engine: lc.Engine, book: lc.PositionBook, prices: np.ndarray, measure: str) -> np.ndarray:
    """Measure of each row with its own mark, one evaluation a row."""
    values = []
    for row, price in enumerate(prices):
        marks = MARKS if np.isnan(price) else MARKS | {book.name_of(row): float(price)}
        values.append(engine.evaluate(book, marks)[measure][row])
    return np.array(values)


def test_losses_and_values_are_those_of_an_evaluation_there() -> None:
    positions, judge = book(), engine()
    prices = positions.entry_price * np.linspace(0.8, 1.2, len(positions))
    expected = -at_each_price(judge, positions, prices, "unrealized_pnl")
    assert loss_at(judge, positions, MARKS, prices) == pytest.approx(expected, rel=1e-12, abs=1e-9)
    values = at_each_price(judge, positions, prices, "notional")
    assert value_at(judge, positions, MARKS, prices) == pytest.approx(values, rel=1e-12)
    several = loss_at(judge, positions, MARKS, np.stack([prices, positions.entry_price]))
    assert several.shape == (2, len(positions))
    assert several[1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("ratio", [0.3, 0.5, 0.8, 1.0])
def test_the_margin_ratio_at_the_price_found_is_the_one_asked_for(ratio: float) -> None:
    positions, judge = book(), engine()
    prices = price_at_ratio(judge, positions, MARKS, ratio)
    found = np.isfinite(prices) & (prices > 0)
    assert found.sum() > 40
    ratios = at_each_price(judge, positions, np.where(found, prices, np.nan), "margin_ratio")
    assert ratios[found] == pytest.approx(ratio, rel=1e-9)


def test_at_the_level_of_the_policy_it_is_the_liquidation_price() -> None:
    positions, judge = book(), engine()
    risk = judge.evaluate(positions, MARKS)
    assert price_at_ratio(judge, positions, MARKS, 1.0).tolist() == risk.liquidation_price.tolist()


def test_a_size_for_a_budget_loses_it() -> None:
    positions, judge = book(), engine()
    stops = positions.entry_price * (1 - 0.05 * np.sign(positions.quantity))
    sized = size_for_budget(judge, positions, MARKS, stops, 250.0, 0.001)
    assert (np.sign(sized) == np.sign(positions.quantity)).all()
    again = lc.PositionBook(
        [positions.name_of(row) for row in range(len(positions))],
        sized,
        positions.entry_price,
        leverage=positions.leverage,
    )
    fees = 0.001 * (
        value_at(judge, again, MARKS, positions.entry_price) + value_at(judge, again, MARKS, stops)
    )
    assert loss_at(judge, again, MARKS, stops) + fees == pytest.approx(250.0, rel=1e-9)


def test_a_stop_that_gains_has_no_size() -> None:
    positions, judge = book(), engine()
    stops = positions.entry_price * (1 + 0.05 * np.sign(positions.quantity))
    assert np.isnan(size_for_budget(judge, positions, MARKS, stops, 250.0)).all()


@pytest.mark.parametrize("move", [-0.2, -0.05, 0.1])
def test_the_highest_leverage_survives_and_the_next_one_does_not(move: float) -> None:
    positions, judge = book(), engine()
    highest = survivable_leverage(judge, positions, move)
    inside = (highest > 1) & (highest < 1000)
    assert inside.sum() > 10
    for factor, is_dead in ((1 - 1e-9, False), (1 + 1e-9, True)):
        tried = lc.PositionBook(
            [positions.name_of(row) for row in range(len(positions))],
            positions.quantity,
            positions.entry_price,
            leverage=np.where(inside, highest * factor, 1.0),
        )
        prices = positions.entry_price * (1 + move)
        states = at_each_price(judge, tried, prices, "state")
        opened = at_each_price(judge, tried, positions.entry_price, "state")
        dead = np.maximum(states, opened) >= lc.State.LIQUIDATION
        assert (dead[inside] == is_dead).all()


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"closing_fee_in_initial_margin": True, "closing_fee_basis": "entry"},
        {"closing_fee_basis": "bankruptcy", "requirement_basis_isolated": "entry"},
        {"liquidation_level": 0.7, "closing_fee_basis": "none", "closing_fee_rate": 0.0},
    ],
)
def test_the_line_finds_what_halving_finds(rules: dict[str, object]) -> None:
    positions, judge = book(300, seed=3), engine(**rules)
    for move in (-0.95, -0.3, 0.02, 0.5):
        halved = _halved(_Trial(judge, positions, move), 1000.0)
        alive = _Trial(judge, positions, move).survives(np.ones(len(positions))) == 1.0
        found = survivable_leverage(judge, positions, move)
        assert found[alive] == pytest.approx(halved[alive], rel=1e-11)
        assert (found[~alive] == 0.0).all()


def test_what_cannot_be_judged_survives_nothing_known() -> None:
    names, entries = ["LIN", "NONE", "LIN"], [100.0, 100.0, float("nan")]
    found = survivable_leverage(engine(), lc.PositionBook(names, [1.0] * 3, entries), -0.1)
    assert found[0] > 1.0
    assert np.isnan(found[1:]).all()


def test_what_gains_from_a_move_is_limited_by_its_opening_alone() -> None:
    judge = engine()
    both = lc.PositionBook(["QUA", "QUA"], [1.0, 1.0], [100.0, 100.0], leverage=[2.0, 3.0])
    # Opened at a ratio of 1: margin equal to 2 % and the fee of 0.1 %.
    assert survivable_leverage(judge, both, 0.1) == pytest.approx(1 / 0.021, rel=1e-9)


def test_bad_arguments_are_refused() -> None:
    positions, judge = book(3), engine()
    with pytest.raises(InputError, match="ratio"):
        price_at_ratio(judge, positions, MARKS, 0.0)
    with pytest.raises(InputError, match="prices"):
        loss_at(judge, positions, MARKS, [1.0, 2.0])
    with pytest.raises(InputError, match="move"):
        survivable_leverage(judge, positions, -1.0)
    cross = lc.PositionBook(["LIN"], [1.0], [100.0], margin_mode="cross", wallet_balance=10.0)
    with pytest.raises(InputError, match="isolated"):
        survivable_leverage(judge, cross, -0.1)
