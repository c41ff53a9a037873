"""Scenarios against exact fractions: how far float64 is from them, and what must hold of any portfolio."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore.scenarios import (
    ContractCharge,
    GroupOffsets,
    ScenarioAddOns,
    ScenarioArrays,
    SpreadCharge,
    scenario_margin,
)

INSTRUMENTS = ("FUTURE", "CALL", "OTHER")
GROUPS = ("INDEX", "INDEX", "METAL")
POOLED = {"INDEX": Fraction(9, 10), "METAL": Fraction(1, 2)}
MINIMUM, LONG_CHARGE, SHORT_CHARGE, SPREAD = 37.5, 0.1, 0.3, 12.3

# Below some 1e-300 float64 has fewer digits, and no bound relative to the numbers holds.
numbers = st.floats(-1e4, 1e4).map(lambda number: number if abs(number) > 1e-100 else 0.0)
profits = st.lists(st.lists(numbers, min_size=5, max_size=5), min_size=3, max_size=3)
legs = st.lists(st.tuples(st.integers(0, 2), numbers), min_size=1, max_size=12)


def book_of(rows: list[tuple[int, float]]) -> lc.PositionBook:
    return lc.PositionBook(
        np.array([code for code, _ in rows], dtype=np.uint32),
        np.array([quantity for _, quantity in rows]),
        np.ones(len(rows)),
        account=["ann"] * len(rows),
        margin_mode="cross",
        instrument_names=INSTRUMENTS,
    )


def arrays_of(table: list[list[float]]) -> ScenarioArrays:
    return ScenarioArrays.from_profits(table, INSTRUMENTS, groups=GROUPS)


def exact_net(rows: list[tuple[int, float]]) -> list[Fraction]:
    """Net position of each instrument."""
    return [sum((Fraction(q) for code, q in rows if code == each), Fraction(0)) for each in range(3)]


def exact_profit(table: list[list[float]], net: list[Fraction], group: str, scenario: int) -> Fraction:
    held = [each for each in range(3) if GROUPS[each] == group]
    return sum((net[each] * Fraction(table[each][scenario]) for each in held), Fraction(0))


def exact_scan(table: list[list[float]], net: list[Fraction], fractions: dict[str, Fraction]) -> Fraction:
    """Worst loss of groups that offset each other, from the definition."""
    worst = Fraction(0)
    for scenario in range(5):
        profits = {group: exact_profit(table, net, group, scenario) for group in fractions}
        losses = sum((-p for p in profits.values() if p < 0), Fraction(0))
        gains = sum((p * fractions[group] for group, p in profits.items() if p > 0), Fraction(0))
        worst = max(worst, losses - gains)
    return worst


def scale_of(table: list[list[float]], rows: list[tuple[int, float]]) -> float:
    """Sum of everything that is added on the way, an upper bound of what round-off is relative to."""
    return sum(abs(q) * (max(map(abs, table[code])) + 100.0) for code, q in rows) + 1e-300


def assert_near(found: float, exact: Fraction, scale: float, operations: int) -> None:
    assert abs(Fraction(found) - exact) <= Fraction(operations * 2.0**-53 * scale)


@given(profits, legs)
def test_scan_risk_is_near_the_exact_worst_loss(
    table: list[list[float]], rows: list[tuple[int, float]]
) -> None:
    risk = scenario_margin(book_of(rows), arrays_of(table))
    net, scale = exact_net(rows), scale_of(table, rows)
    exact = [exact_scan(table, net, {group: Fraction(1)}) for group in ("INDEX", "METAL")]
    assert_near(float(risk.requirement[0]), exact[0] + exact[1], scale, 3 * len(rows) + 4)
    for place, group in enumerate(risk.groups.group.tolist()):
        assert_near(float(risk.groups.scan_risk[place]), exact[group], scale, 2 * len(rows) + 2)


@given(profits, legs)
def test_offsets_and_charges_are_near_the_exact_ones(
    table: list[list[float]], rows: list[tuple[int, float]]
) -> None:
    add_ons = ScenarioAddOns(
        minimum=ContractCharge(long=MINIMUM, short=MINIMUM),
        contingency=ContractCharge(long=LONG_CHARGE, short=SHORT_CHARGE),
        spread=SpreadCharge({"FUTURE": 1.0, "CALL": 0.5}, {"INDEX": SPREAD}),
        offsets=GroupOffsets(dict.fromkeys(POOLED, "ALL"), {group: float(f) for group, f in POOLED.items()}),
    )
    risk = scenario_margin(book_of(rows), arrays_of(table), add_ons)
    net, scale = exact_net(rows), scale_of(table, rows)
    pooled = {group: Fraction(float(fraction)) for group, fraction in POOLED.items()}
    charges = sum((Fraction(LONG_CHARGE) * n for n in net if n > 0), Fraction(0))
    charges += sum((Fraction(SHORT_CHARGE) * -n for n in net if n < 0), Fraction(0))
    sizes = [net[0], net[1] * Fraction(1, 2)]
    long = sum((size for size in sizes if size > 0), Fraction(0))
    short = sum((-size for size in sizes if size < 0), Fraction(0))
    charges += Fraction(SPREAD) * min(long, short)
    minimum = sum((abs(n) * Fraction(MINIMUM) for n in net), Fraction(0))
    scan = exact_scan(table, net, pooled)
    operations = 6 * len(rows) + 20
    assert_near(float(risk.scan_risk[0]), scan, scale, operations)
    assert_near(float(risk.charges[0]), charges, scale, operations)
    assert_near(float(risk.minimum[0]), minimum, scale, operations)
    assert_near(float(risk.requirement[0]), max(scan + charges, minimum), scale, operations)


@given(profits, legs)
def test_twice_the_positions_need_twice_the_margin(
    table: list[list[float]], rows: list[tuple[int, float]]
) -> None:
    once = scenario_margin(book_of(rows), arrays_of(table))
    twice = scenario_margin(book_of([(code, 2.0 * q) for code, q in rows]), arrays_of(table))
    assert twice.requirement.tolist() == [2.0 * float(once.requirement[0])]


@given(profits, legs, st.integers(0, 11))
def test_a_portfolio_needs_no_more_than_its_parts(
    table: list[list[float]], rows: list[tuple[int, float]], cut: int
) -> None:
    arrays = arrays_of(table)
    parts = [part for part in (rows[:cut], rows[cut:]) if part]
    apart = sum(float(scenario_margin(book_of(part), arrays).requirement[0]) for part in parts)
    together = float(scenario_margin(book_of(rows), arrays).requirement[0])
    assert together <= apart + 2.0**-50 * scale_of(table, rows) * len(rows)


@given(profits, legs)
def test_losses_are_profits_with_the_other_sign(
    table: list[list[float]], rows: list[tuple[int, float]]
) -> None:
    losses = [[-number for number in row] for row in table]
    given_losses = ScenarioArrays.from_losses(losses, INSTRUMENTS, groups=GROUPS)
    left = scenario_margin(book_of(rows), given_losses)
    assert left.requirement.tolist() == scenario_margin(book_of(rows), arrays_of(table)).requirement.tolist()
