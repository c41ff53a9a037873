"""What must hold of any position, whatever the formulas: signs, units, order, symmetry, round trips."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import levcore as lc
from levcore.measures import DEFAULT_MEASURES, MEASURE_NAMES
from levcore.status import FIRST_PARTIAL
from support.measured import NEAR
from support.random_books import CONFIGURATIONS, Configuration, book_of, random_columns

ROWS = 4_000
AMOUNTS = ("notional", "unrealized_pnl", "initial_margin", "maintenance_margin", "equity")
configurations = pytest.mark.parametrize(
    "configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name
)


def evaluated(configuration: Configuration, seed: int = 5) -> tuple[lc.BookRisk, dict[str, Any]]:
    columns, marks = random_columns(configuration, ROWS, seed, spoiled=False)
    return lc.Engine(configuration.policy).evaluate(book_of(columns), marks, measures=MEASURE_NAMES), columns


def marks_of_rows(risk: lc.BookRisk) -> npt.NDArray[np.float64]:
    prices: npt.NDArray[np.float64] = risk.marks[risk.book.instrument_codes]
    return prices


@configurations
def test_signs(configuration: Configuration) -> None:
    risk, _ = evaluated(configuration)
    held = risk.status < FIRST_PARTIAL
    for name in ("notional", "margin_ratio", "effective_leverage"):
        assert (risk[name][held] > 0.0).all(), name
    policy, margin = configuration.policy, risk.maintenance_margin[held]
    # A long position without leverage goes bankrupt at a price of 0, where its value asks for nothing.
    at_bankruptcy = "bankruptcy" in (policy.requirement_basis_isolated, policy.requirement_basis_cross)
    assert (margin >= 0.0 if at_bankruptcy else margin > 0.0).all()
    side, mark, entry = np.sign(risk.book.quantity), marks_of_rows(risk), risk.book.entry_price
    # Whatever the payoff, a long position gains when the price is above its entry.
    assert (np.sign(risk.unrealized_pnl) == np.sign(side * (mark - entry)))[held].all()
    for name in ("liquidation_price", "bankruptcy_price"):
        assert ((risk[name] > 0.0) | np.isnan(risk[name]))[held].all(), name
    # Written so that a price that does not exist leaves room.
    room = ~(risk.liquidation_price_lower >= mark) & ~(risk.liquidation_price_upper <= mark)
    priced = held & ~np.isnan(risk.liquidation_price)
    assert (room == (risk.distance_to_liquidation > 0.0))[priced].all()
    assert ((risk.margin_ratio == np.inf) == (risk.state == lc.State.BANKRUPT))[held].all()
    assert ((risk.equity <= 0.0) == (risk.state == lc.State.BANKRUPT))[held].all()


@configurations
def test_liquidation_comes_before_bankruptcy(configuration: Configuration) -> None:
    risk, _ = evaluated(configuration)
    both = ~np.isnan(risk.liquidation_price) & ~np.isnan(risk.bankruptcy_price)
    side = np.sign(risk.book.quantity)
    gap = side * (risk.liquidation_price - risk.bankruptcy_price) / risk.bankruptcy_price
    if configuration.policy.bankruptcy_includes_closing_fee is True:
        # The fee inside of the bankruptcy price may exceed a requirement that is frozen below it.
        assert (gap[both] > -0.01).all()
    else:
        assert (gap[both] > 0.0).all()


@configurations
def test_the_ratio_is_at_its_level_at_the_liquidation_price(
    configuration: Configuration,
) -> None:
    risk, columns = evaluated(configuration)
    policy = configuration.policy
    bases = (policy.requirement_basis_isolated, policy.requirement_basis_cross)
    usable = (risk.status < lc.Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER) | (
        risk.status == lc.Status.ALREADY_LIQUIDATABLE
    )
    usable &= ~np.isnan(risk.liquidation_price)
    # A requirement frozen at the mark is another one at another mark: no round trip is to be expected.
    frozen = np.where(risk.book.is_cross, bases[1] == "mark", bases[0] == "mark")
    rows = np.flatnonzero(usable & ~frozen)[:150].tolist()
    engine = lc.Engine(policy)
    for row in rows:
        if is_beyond_last_tier(risk, row):
            continue
        account = risk.book.account_of(row) if risk.book.is_cross[row] else None
        ratio, condition = ratio_at_liquidation(engine, columns, risk, row, account)
        assert abs(ratio / policy.liquidation_level - 1.0) < 64 * NEAR * condition, row


def is_beyond_last_tier(risk: lc.BookRisk, row: int) -> bool:
    """Whether no tier holds the value at the liquidation price; the status of a liquidatable row hides it."""
    instrument, is_short = risk.policy.instruments[risk.book.name_of(row)], risk.book.quantity[row] < 0.0
    tiers = instrument.short_tiers if is_short and instrument.short_tiers is not None else instrument.tiers
    moved = risk.liquidation_price[row] / risk.mark_of(row)
    value = risk.notional[row] * (1.0 / moved if instrument.payoff == "inverse" else moved)
    return tiers.shape != "flat" and bool(value > tiers.cap)


def ratio_at_liquidation(
    engine: lc.Engine, columns: dict[str, Any], risk: lc.BookRisk, row: int, account: Any
) -> tuple[float, float]:
    """Margin ratio with one row marked at its liquidation price, the others as they were; its condition."""
    book = risk.book
    rows, wallet = np.array([row]), 0.0
    if account is not None:
        assert book.account_codes is not None
        rows = np.flatnonzero((book.account_codes == book.account_codes[row]) & book.is_cross)
        wallet = abs(float(book.wallet_balance[book.account_codes[row]]))
    one = dict(columns)
    # The instrument of the row gets a second name, so that other legs in it keep their mark.
    policy = engine.policy
    name = book.name_of(row)
    twin = policy.instruments[name]
    moved = replace(twin, name="MOVED")
    one["instrument_names"] = [*columns["instrument_names"], "MOVED"]
    one["instrument"] = columns["instrument"].copy()
    one["instrument"][row] = len(columns["instrument_names"])
    marks = np.append(risk.marks, risk.liquidation_price[row])
    again = lc.Engine(policy.with_instruments([moved])).evaluate(book_of(one, rows), marks)
    place = int(np.flatnonzero(rows == row)[0])
    moves = book.entry_price[rows] / again.marks[again.book.instrument_codes]
    values = (again.notional * (1.0 + np.maximum(moves, 1.0 / moves))).sum()
    condition = 1.0 + (values + wallet) / max(again.equity[place], 1e-300)
    return float(again.margin_ratio[place]), float(condition)


@configurations
def test_more_margin_moves_the_liquidation_price_away(configuration: Configuration) -> None:
    risk, columns = evaluated(configuration)
    more = dict(columns)
    isolated = ~risk.book.is_cross
    if "isolated_margin" in more:
        more["isolated_margin"] = more["isolated_margin"] + 0.01 * np.abs(more["isolated_margin"])
    else:
        more["accrued_funding"] = more["accrued_funding"] + 0.01 * risk.notional
        more["accrued_funding"][~np.isfinite(more["accrued_funding"])] = 0.0
    if "wallet_balance" in more:
        more["wallet_balance"] = more["wallet_balance"] + 0.01 * np.abs(more["wallet_balance"])
    safer = lc.Engine(configuration.policy).evaluate(book_of(more), risk.marks, measures=MEASURE_NAMES)
    held = (risk.status < FIRST_PARTIAL) & (safer.status < FIRST_PARTIAL)
    if configuration.policy.closing_fee_basis == "bankruptcy":
        held &= isolated | (risk.book.quantity != 0.0)
    side = np.sign(risk.book.quantity)
    both = held & ~np.isnan(risk.liquidation_price) & ~np.isnan(safer.liquidation_price)
    assert not (risk.liquidation_price_lower < safer.liquidation_price_lower)[both].any()
    assert not (risk.liquidation_price_upper > safer.liquidation_price_upper)[both].any()
    assert (safer.margin_ratio <= risk.margin_ratio)[held].all()
    assert (safer.distance_to_liquidation >= risk.distance_to_liquidation)[both].all()
    # A long position that had no liquidation price gets none by being safer.
    gains = held & np.isnan(risk.liquidation_price) & (side > 0.0) & (risk.state < lc.State.LIQUIDATION)
    assert np.isnan(safer.liquidation_price[gains]).all()


@configurations
def test_another_unit_of_money_scales_amounts_and_nothing_else(configuration: Configuration) -> None:
    # 2**20 of the new unit for one of the old: exact, so the numbers must be the same to the bit.
    risk, columns = evaluated(configuration)
    unit = 2.0**20
    scaled = dict(columns)
    instruments = [
        scaled_instrument(instrument, unit) for instrument in configuration.policy.instruments.values()
    ]
    payoffs = [payoff_of(configuration.policy, name) for name in columns["instrument_names"]]
    # A linear contract is quoted in the money; an inverse one holds more of it, a quanto one pays more.
    quoted = np.array([payoff == "linear" for payoff in payoffs])
    of_rows = quoted[columns["instrument"]]
    scaled["entry_price"] = np.where(of_rows, columns["entry_price"] * unit, columns["entry_price"])
    marks = np.where(quoted, risk.marks * unit, risk.marks)
    for name in ("isolated_margin", "accrued_funding", "wallet_balance"):
        if name in columns:
            scaled[name] = columns[name] * unit
    policy = configuration.policy.with_instruments(instruments)
    if "contract" in (policy.closing_fee_basis, policy.closing_fee_basis_cross):
        policy = policy.replace(closing_fee_rate=float(policy.closing_fee_rate) * unit)
    again = lc.Engine(policy).evaluate(book_of(scaled), marks)
    assert (again.status == risk.status).all()
    assert (again.state == risk.state).all()
    for name in DEFAULT_MEASURES:
        factor: Any = unit if name in AMOUNTS else 1.0
        if name in ("liquidation_price", "bankruptcy_price"):
            factor = np.where(of_rows, unit, 1.0)
        assert np.array_equal(again[name], risk[name] * factor, equal_nan=True), name


def payoff_of(policy: lc.MarginPolicy, name: str) -> str:
    instrument = policy.instruments.get(name)
    return "linear" if instrument is None else instrument.payoff


def scaled_instrument(instrument: lc.Instrument, unit: float) -> lc.Instrument:
    """The same instrument with amounts of money counted in a smaller unit."""
    inverse = instrument.payoff == "inverse"
    return replace(
        instrument,
        tiers=scaled_tiers(instrument.tiers, unit, inverse),
        short_tiers=instrument.short_tiers and scaled_tiers(instrument.short_tiers, unit, inverse),
        initial_tiers=instrument.initial_tiers and scaled_tiers(instrument.initial_tiers, unit, inverse),
        contract_size=instrument.contract_size * (unit if inverse else 1.0),
        multiplier=instrument.multiplier * (unit if instrument.payoff == "quanto" else 1.0),
    )


def scaled_tiers(tiers: lc.TierTable, unit: float, inverse: bool) -> lc.TierTable:
    """The same table: bounds and deductions are money, and of an inverse contract so is its size."""
    if tiers.shape == "growing" and inverse:
        return replace(tiers, slope=tiers.slope / unit, cap=tiers.cap * unit)
    if tiers.shape != "marginal":
        return tiers
    return replace(
        tiers,
        floors=tuple(floor * unit for floor in tiers.floors),
        deductions=tuple(deduction * unit for deduction in tiers.deductions),
        cap=tiers.cap * unit,
    )


def test_a_long_and_a_short_mirror_each_other() -> None:
    # Without a requirement that differs by the price, prices lie symmetrically around the entry.
    tiers = lc.TierTable.single_rate("0.01")
    policy = lc.policy("generic").replace(requirement_basis_isolated="entry")
    engine = lc.Engine(policy.with_instruments([lc.Instrument("X", "linear", tiers)]))
    quantity = np.array([2.0, -2.0])
    book = lc.PositionBook(["X", "X"], quantity, [100.0, 100.0], isolated_margin=[50.0, 50.0], leverage=4.0)
    risk = engine.evaluate(book, {"X": 100.0})
    for name in ("liquidation_price", "bankruptcy_price"):
        above, below = risk[name][1] - 100.0, 100.0 - risk[name][0]
        assert above == pytest.approx(below, rel=1e-12)
    for name in ("notional", "initial_margin", "maintenance_margin", "equity", "margin_ratio"):
        assert risk[name][0] == risk[name][1], name


@configurations
def test_both_sides_of_one_position_gain_what_the_other_loses(configuration: Configuration) -> None:
    risk, columns = evaluated(configuration)
    other = columns | {"quantity": -columns["quantity"]}
    mirrored = lc.Engine(configuration.policy).evaluate(book_of(other), risk.marks)
    held = (risk.status < FIRST_PARTIAL) & (mirrored.status < FIRST_PARTIAL)
    assert (risk.unrealized_pnl == -mirrored.unrealized_pnl)[held].all()
    assert (risk.notional == mirrored.notional)[held].all()


def test_a_short_inverse_position_is_a_long_one_in_the_reciprocal_price() -> None:
    tiers = [(0, "0.01"), (1_024, "0.02"), (8_192, "0.05")]
    linear = lc.Instrument("L", "linear", lc.TierTable.marginal(tiers, unit="quote"))
    inverse = lc.Instrument("I", "inverse", lc.TierTable.marginal(tiers, unit="base"))
    engine = lc.Engine(lc.policy("generic").with_instruments([linear, inverse]))
    # Powers of two have exact reciprocals.
    random = np.random.default_rng(3)
    entry, mark = 2.0 ** random.integers(-6, 7, 300), 0.25
    quantity = random.choice([-1.0, 1.0], 300) * 2.0 ** random.integers(0, 14, 300)
    margin = 2.0 ** random.integers(-4, 12, 300)
    one = engine.evaluate(lc.PositionBook(["L"] * 300, quantity, entry, isolated_margin=margin), [mark])
    two = engine.evaluate(
        lc.PositionBook(["I"] * 300, -quantity, 1.0 / entry, isolated_margin=margin), [1.0 / mark]
    )
    for name in ("notional", "unrealized_pnl", "maintenance_margin", "equity", "margin_ratio"):
        assert np.array_equal(one[name], two[name]), name
    assert (one.state == two.state).all()
    both = ~np.isnan(one.liquidation_price)
    assert (both == ~np.isnan(two.liquidation_price)).all()
    np.testing.assert_allclose(one.liquidation_price[both] * two.liquidation_price[both], 1.0, rtol=1e-14)


def test_one_cross_position_is_an_isolated_one_with_the_wallet_as_margin() -> None:
    configuration = CONFIGURATIONS[0]
    columns, marks = random_columns(configuration, ROWS, 11, spoiled=False)
    columns["isolated_margin"] = np.abs(columns["isolated_margin"]) + 1.0
    ids = np.arange(ROWS)
    cross = columns | {"account": ids, "accounts": ids, "wallet_balance": columns["isolated_margin"]}
    alone = lc.Engine(configuration.policy).evaluate(book_of(columns), marks)
    shared = lc.Engine(configuration.policy).evaluate(book_of(cross | {"margin_mode": "cross"}), marks)
    held = (alone.status < FIRST_PARTIAL) & (shared.status < FIRST_PARTIAL)
    assert held.sum() > 0.9 * ROWS
    for name in DEFAULT_MEASURES:
        left, right = alone[name][held], shared[name][held]
        assert (np.isnan(left) == np.isnan(right)).all(), name
        if name in ("notional", "unrealized_pnl", "initial_margin", "maintenance_margin"):
            assert np.array_equal(left, right), name
    scale = np.maximum(alone.notional, 1.0) / np.maximum(np.abs(alone.equity), 1e-12)
    priced = held & ~np.isnan(alone.liquidation_price)
    error = np.abs(alone.liquidation_price / shared.liquidation_price - 1.0)
    assert (error[priced] < 1e-9 * (1.0 + scale[priced])).all()
