"""Leverage above the maximum of the tier is told, by row, with what is allowed there."""

from __future__ import annotations

import math

import numpy as np
import pytest

import levcore as lc
from levcore.engine.leverage_limits import LeverageAboveTier
from levcore.rules.tiers import Tier
from levcore.status import FIRST_PARTIAL

POLICY = lc.policy("binance-usdm@2024-10-24")


def evaluated(leverage: float, quantity: float = 1.0, policy: lc.MarginPolicy = POLICY) -> lc.BookRisk:
    book = lc.PositionBook(["BTCUSDT"], [quantity], [26_000.0], leverage=[leverage])
    return lc.Engine(policy).evaluate(book, {"BTCUSDT": 26_000.0})


def test_a_leverage_that_the_venue_does_not_offer_is_named_with_the_maximum() -> None:
    risk = evaluated(200.0)
    assert risk.leverage_above_tier() == [LeverageAboveTier(0, "BTCUSDT", 200.0, 125.0)]
    told = "1 position above the maximum of the tier; first row 0, BTCUSDT: 200x where 125x is allowed"
    assert told in " ".join(lc.report(risk).split())


@pytest.mark.parametrize(
    ("leverage", "quantity", "maximum"),
    [
        (125.0, 1.0, None),
        (100.0, 3.0, None),
        (101.0, 20.0, 100.0),
        (101.0, -20.0, 100.0),
        (80.0, 100.0, 75.0),
    ],
)
def test_the_tier_is_that_of_the_size(leverage: float, quantity: float, maximum: float | None) -> None:
    risk = evaluated(leverage, quantity)
    found = risk.leverage_above_tier()
    assert (risk.status[0] == lc.Status.LEVERAGE_ABOVE_TIER) == (maximum is not None)
    assert [each.maximum for each in found] == ([] if maximum is None else [maximum])


def test_a_table_without_a_maximum_and_a_row_without_leverage_say_nothing() -> None:
    plain = POLICY.with_instruments([lc.Instrument("BTCUSDT", "linear", lc.TierTable.single_rate("0.004"))])
    assert evaluated(900.0, policy=plain).leverage_above_tier() == []
    assert evaluated(float("nan")).leverage_above_tier() == []


@pytest.mark.parametrize("unit", ["contracts", "risk_limit"])
def test_tables_that_are_keyed_by_contracts_or_a_chosen_limit(unit: str) -> None:
    rows = [(0, "0.01", 50), (10, "0.02", 20)]
    tiers = [{"floor": floor, "rate": rate, "max_leverage": highest} for floor, rate, highest in rows]
    table = lc.TierTable.flat(tiers, unit=unit)  # type: ignore[arg-type]
    policy = lc.policy("generic").with_instruments([lc.Instrument("X", "linear", table)])
    book = lc.PositionBook(
        ["X", "X"], [5.0, 15.0], [100.0, 100.0], leverage=[30.0, 30.0], risk_limit=[5.0, 15.0]
    )
    found = lc.Engine(policy).evaluate(book, {"X": 100.0}).leverage_above_tier()
    assert found == [LeverageAboveTier(1, "X", 30.0, 20.0)]


def test_the_status_of_a_row_is_that_of_the_list() -> None:
    """The core and the list find the tier each by itself; a status before this one hides no row."""
    generator = np.random.default_rng(16)
    rows, names = 4_000, ["BTCUSDT", "ETHUSDT"]
    lists = [(0, "0.01", 50), (10, "0.02", 20), (40, "0.03", 7)]
    tiers = [Tier(floor, rate, None, highest) for floor, rate, highest in lists]
    made = [
        lc.Instrument("C", "linear", lc.TierTable.flat(tiers, unit="contracts")),
        lc.Instrument("R", "linear", lc.TierTable.flat(tiers, unit="risk_limit")),
        lc.Instrument(
            "S", "linear", lc.TierTable.single_rate("0.01", 9), short_tiers=lc.TierTable.single_rate("0.01")
        ),
        lc.Instrument("G", "linear", lc.TierTable.growing("0.01", "0.0001", max_leverage=30)),
    ]
    policy = POLICY.replace(table_shape="any").with_instruments(made)
    names += [each.name for each in made]
    book = lc.PositionBook(
        generator.choice(names, rows),
        generator.choice([-1.0, 1.0], rows) * 10.0 ** generator.uniform(-2, 2.5, rows),
        np.full(rows, 1_000.0),
        leverage=10.0 ** generator.uniform(0, 2.3, rows),
        risk_limit=10.0 ** generator.uniform(-1, 2, rows),
        account=generator.integers(0, 900, rows).astype(str),
        margin_mode=generator.choice(["isolated", "cross"], rows),
        wallet_balance={str(account): 1e9 for account in range(900)},
    )
    risk = lc.Engine(policy).evaluate(book, dict.fromkeys(names, 1_000.0))
    listed = {each.row for each in risk.leverage_above_tier() if risk.status[each.row] < FIRST_PARTIAL}
    told = set(np.flatnonzero(risk.status == lc.Status.LEVERAGE_ABOVE_TIER).tolist())
    assert told <= listed
    before = (
        lc.Status.ALREADY_LIQUIDATABLE,
        lc.Status.LIQUIDATION_PRICE_BEYOND_ENTRY,
        lc.Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER,
    )
    assert all(risk.status[row] in before for row in listed - told)
    assert min(len(told), rows - len(listed)) > 200
    reference = lc.reference.evaluate(book, policy, dict.fromkeys(names, 1_000.0))
    assert reference.status.tolist() == risk.status.tolist()


def test_the_leverage_allowed_is_the_one_of_the_tier_found_by_looking_through_all() -> None:
    def table(*rows: tuple[float, str, float]) -> lc.TierTable:
        tiers = [Tier(floor, rate, None, highest) for floor, rate, highest in rows]
        return lc.TierTable.marginal(tiers, unit="quote")

    both = table((0, "0.01", 50), (5_000, "0.02", 20), (20_000, "0.05", 5))
    shorts = table((0, "0.01", 25), (1_000, "0.04", 10))
    plain = lc.TierTable.single_rate("0.01")
    one = [lc.Instrument("A", "linear", both, short_tiers=shorts), lc.Instrument("B", "linear", plain)]
    two = [lc.Instrument("A", "linear", shorts), lc.Instrument("B", "linear", both)]
    generic = lc.policy("generic")
    engine = lc.Engine({"one": generic.with_instruments(one), "two": generic.with_instruments(two)})
    random = np.random.default_rng(11)
    names, policies = random.choice(["A", "B"], 400).tolist(), random.choice(["one", "two"], 400).tolist()
    quantity = random.choice([-1.0, 1.0], 400) * random.choice([5.0, 10.0, 50.0, 200.0, 333.0, np.nan], 400)
    book = lc.PositionBook(names, quantity, [100.0] * 400, policy=policies)
    risk = engine.evaluate(book, {"A": 100.0, "B": 100.0})

    def highest(name: str, label: str, size: float) -> float:
        instrument = engine.policies[label].instruments[name]
        tiers = instrument.short_tiers if size < 0.0 and instrument.short_tiers else instrument.tiers
        allowed = tiers.max_leverage[0] if tiers.max_leverage else math.nan
        for floor, leverage in zip(tiers.floors, tiers.max_leverage, strict=False):
            allowed = leverage if abs(size) * 100.0 > floor else allowed
        return math.nan if math.isnan(size) else allowed

    expected = [highest(*row) for row in zip(names, policies, quantity.tolist(), strict=True)]
    assert len({*expected} - {math.nan}) >= 5
    np.testing.assert_array_equal(risk.allowed_leverage(), expected)
