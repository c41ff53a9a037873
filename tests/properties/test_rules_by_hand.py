"""Rules that only the agreement of kernel and reference would hold: each by a number worked out by hand.

Every number is asked of the kernel and of the reference alone, so that a rule that is wrong in both is seen.
Rates and prices are such that float64 holds every step exactly where the assertion is an equality.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

import levcore as lc
from levcore.measures import MEASURE_NAMES

pytestmark = pytest.mark.parametrize("by", ["kernel", "reference"])
NAN = math.nan


def evaluated(
    by: str,
    policy: lc.MarginPolicy,
    book: lc.PositionBook,
    marks: Mapping[str, float],
    prices: Mapping[str, float] | None = None,
) -> lc.BookRisk:
    """The book by the kernel, or by the reference."""
    options: dict[str, Any] = {"asset_prices": prices, "measures": MEASURE_NAMES}
    if by == "kernel":
        return lc.Engine(policy).evaluate(book, marks, **options)
    return lc.reference.evaluate(book, policy, marks, **options)


def generic(*instruments: lc.Instrument, **rules: Any) -> lc.MarginPolicy:
    return lc.policy("generic").replace(**rules).with_instruments(instruments)


def linear(name: str, tiers: lc.TierTable, **more: Any) -> lc.Instrument:
    return lc.Instrument(name, "linear", tiers, **more)


def roof(
    by: str, mark: float, cap: float | None = None, wallet: float = 70.0, floor: float = 384.0
) -> lc.BookRisk:
    """3 long and 2 short from 100, at 1/8 up to a value of 384 and 5/8 above.

    Up to 128 the surplus is ``wallet - 100 + 3/8 P``, from there to 192 ``wallet + 92 - 9/8 P``: with 70 it
    is zero at 80 and at 144.
    """
    tiers = lc.TierTable.marginal([(0, 0.125), (floor, 0.625)], unit="quote", cap=cap)
    policy = generic(linear("X", tiers), hedge_requirement="sum")
    book = lc.PositionBook(
        ["X", "X"],
        [3.0, -2.0],
        [100.0, 100.0],
        margin_mode="cross",
        position_mode="hedge",
        wallet_balance=wallet,
    )
    return evaluated(by, policy, book, {"X": mark})


@pytest.mark.parametrize(
    ("mark", "shown"), [(88.0, 80.0), (111.0, 80.0), (112.0, 80.0), (113.0, 144.0), (128.0, 144.0)]
)
def test_of_two_prices_a_pooled_leg_shows_the_nearer_and_of_equals_the_lower(
    by: str, mark: float, shown: float
) -> None:
    risk = roof(by, mark)
    for leg in (0, 1):
        assert risk.liquidation_price_lower[leg] == pytest.approx(80.0, rel=1e-14)
        assert risk.liquidation_price_upper[leg] == pytest.approx(144.0, rel=1e-14)
        assert risk.liquidation_price[leg] == pytest.approx(shown, rel=1e-14)
        assert risk.distance_to_liquidation[leg] == pytest.approx(abs(mark - shown) / mark, rel=1e-13)


def test_of_two_prices_equally_far_the_lower_is_shown(by: str) -> None:
    # ``-24 + 3/8 P`` up to 160, ``216 - 9/8 P`` from there: zero at 64 and at 192, both 64 away.
    risk = roof(by, 128.0, wallet=76.0, floor=480.0)
    assert (risk.liquidation_price_lower[0], risk.liquidation_price_upper[0]) == (64.0, 192.0)
    assert risk.liquidation_price.tolist() == [64.0, 64.0]


@pytest.mark.parametrize(
    ("cap", "status"),
    [
        (432.0, lc.Status.NO_BANKRUPTCY_PRICE),
        (math.nextafter(432.0, 0.0), lc.Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER),
        (400.0, lc.Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER),
    ],
)
def test_a_pooled_leg_is_beyond_the_last_tier_above_the_cap_and_not_at_it(
    by: str, cap: float, status: lc.Status
) -> None:
    # At 144 the long leg is worth 432, the short one 288. The equity ends at 30, on the other side.
    risk = roof(by, 128.0, cap)
    assert risk.status.tolist() == [status, lc.Status.NO_BANKRUPTCY_PRICE]


@pytest.mark.parametrize(("mark", "price"), [(79.0, 80.0), (144.5, 144.0)])
def test_a_pooled_leg_past_its_price_is_already_liquidatable(by: str, mark: float, price: float) -> None:
    # Also where the price lies beyond the last tier: what is past says more.
    risk = roof(by, mark, 433.5)
    assert risk.status.tolist() == [lc.Status.ALREADY_LIQUIDATABLE] * 2
    assert risk.state.tolist() == [lc.State.LIQUIDATION] * 2
    assert risk.distance_to_liquidation[0] == pytest.approx(-abs(mark - price) / mark, rel=1e-12)


TABLES = {
    "value": lc.TierTable.marginal([(0, 0.125), (64, 0.25)], unit="quote", cap=128),
    "contracts": lc.TierTable.flat([(0, 0.125), (4, 0.25)], unit="contracts", cap=8),
    "risk_limit": lc.TierTable.flat([(0, 0.125), (4, 0.25)], unit="risk_limit", cap=8),
    "size": lc.TierTable.growing("0.125", "0.03125", cap=8),
}


@pytest.mark.parametrize("key", TABLES)
def test_a_table_holds_what_is_at_its_cap_and_nothing_above(by: str, key: str) -> None:
    above = math.nextafter(8.0, 9.0)
    # A mark of 16: 8 contracts are worth 128.
    held = [8.0, 8.0] if key == "risk_limit" else [8.0, above]
    book = lc.PositionBook(
        ["X", "X"], held, [16.0] * 2, isolated_margin=[100.0] * 2, risk_limit=[8.0, above], leverage=[1.0] * 2
    )
    risk = evaluated(by, generic(linear("X", TABLES[key])), book, {"X": 16.0})
    assert risk.status[0] < lc.Status.ACCOUNT_INCOMPLETE
    assert risk.status[1] == lc.Status.TIER_OVERFLOW


@pytest.mark.parametrize("key", ["contracts", "risk_limit"])
def test_a_flat_table_at_its_floor_has_the_rate_below(by: str, key: str) -> None:
    above = math.nextafter(4.0, 5.0)
    held = [4.0, 4.0] if key == "risk_limit" else [4.0, above]
    book = lc.PositionBook(
        ["X", "X"], held, [16.0] * 2, isolated_margin=[40.0] * 2, risk_limit=[4.0, above], leverage=[1.0] * 2
    )
    risk = evaluated(by, generic(linear("X", TABLES[key])), book, {"X": 16.0})
    assert risk.maintenance_margin[0] == 8.0
    assert risk.maintenance_margin[1] == pytest.approx(16.0, rel=1e-15)
    # 64 - 40 = 24 = P * 4 * 7/8, or 3/4.
    assert risk.liquidation_price.tolist() == pytest.approx([48 / 7, 8.0], rel=1e-14)


def test_a_price_at_the_cap_is_within_the_last_tier(by: str) -> None:
    status = {}
    for cap in (128.0, 127.0):
        tiers = lc.TierTable.marginal([(0, 0.25)], unit="quote", cap=cap)
        # 64 + margin = 160 = 128 * 1.25.
        book = lc.PositionBook(["X"], [-1.0], [64.0], isolated_margin=[96.0], leverage=[1.0])
        risk = evaluated(by, generic(linear("X", tiers)), book, {"X": 64.0})
        assert risk.liquidation_price[0] == 128.0
        status[cap] = risk.status[0]
    assert status == {128.0: lc.Status.OK, 127.0: lc.Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER}


FINDINGS: dict[str, tuple[dict[str, Any], float, lc.Status]] = {
    # Short from 100 with -5: liquidated at 95 / 1.01 = 94.06, below the entry and above a cap of 90.
    "beyond entry over beyond the last tier": (
        {"quantity": [-1.0], "isolated_margin": [-5.0], "leverage": [2.0]},
        80.0,
        lc.Status.LIQUIDATION_PRICE_BEYOND_ENTRY,
    ),
    "beyond entry over a missing leverage": (
        {"quantity": [-0.5], "isolated_margin": [-2.5], "leverage": [NAN]},
        80.0,
        lc.Status.LIQUIDATION_PRICE_BEYOND_ENTRY,
    ),
    "liquidatable over beyond entry": (
        {"quantity": [-0.5], "isolated_margin": [-2.5], "leverage": [2.0]},
        95.0,
        lc.Status.ALREADY_LIQUIDATABLE,
    ),
    "liquidatable over beyond the last tier": (
        # (50 + 36) / 1.01 = 85.1 at the price, 86 at the mark of 172.
        {"quantity": [-0.5], "isolated_margin": [36.0], "leverage": [2.0]},
        172.0,
        lc.Status.ALREADY_LIQUIDATABLE,
    ),
    "beyond the last tier over a missing leverage": (
        {"quantity": [-0.5], "isolated_margin": [60.0], "leverage": [NAN]},
        100.0,
        lc.Status.LIQUIDATION_PRICE_BEYOND_LAST_TIER,
    ),
    "no price over a missing leverage": (
        {"quantity": [0.5], "isolated_margin": [60.0], "leverage": [NAN]},
        100.0,
        lc.Status.NO_LIQUIDATION_PRICE,
    ),
    "liquidatable over no price": (
        # More is lost than any price gives back: 50 - 80 of funding.
        {"quantity": [-0.5], "isolated_margin": [10.0], "accrued_funding": [-80.0], "leverage": [2.0]},
        100.0,
        lc.Status.ALREADY_LIQUIDATABLE,
    ),
}


@pytest.mark.parametrize("kind", FINDINGS)
def test_of_two_findings_the_graver_is_told(by: str, kind: str) -> None:
    columns, mark, status = FINDINGS[kind]
    policy = generic(linear("X", lc.TierTable.marginal([(0, 0.01)], unit="quote", cap=90)))
    row: dict[str, Any] = {"instrument": ["X"], "entry_price": [100.0], **columns}
    book = lc.PositionBook(**row)
    assert evaluated(by, policy, book, {"X": mark}).status.tolist() == [status]


def test_no_bankruptcy_price_over_a_missing_leverage(by: str) -> None:
    policy = generic(linear("X", lc.TierTable.single_rate("0.01")), requirement_basis_isolated="entry")
    book = lc.PositionBook(["X"], [1.0], [100.0], isolated_margin=[100.0], leverage=[NAN])
    risk = evaluated(by, policy, book, {"X": 100.0})
    assert (risk.status[0], risk.liquidation_price[0]) == (lc.Status.NO_BANKRUPTCY_PRICE, 1.0)


def test_of_several_failures_the_first_check_is_told(by: str) -> None:
    limit = lc.TierTable.flat([(0, "0.01")], unit="risk_limit", cap=90)
    policy = generic(linear("X", limit), closing_fee_basis="bankruptcy", closing_fee_rate=0.001).replace(
        closing_fee_bankruptcy_cross="leverage"
    )
    wrong: dict[str, Any] = {
        "quantity": NAN,
        "accrued_funding": NAN,
        "mark": NAN,
        "entry_price": -1.0,
        "leverage": 0.5,
        "isolated_margin": math.inf,
        "risk_limit": NAN,
    }
    right = {
        "quantity": 1.0,
        "accrued_funding": 0.0,
        "mark": 100.0,
        "entry_price": 100.0,
        "leverage": 5.0,
        "isolated_margin": 20.0,
        "risk_limit": 50.0,
    }
    found = []
    for name in right:
        columns: dict[str, Any] = {each: [value] for each, value in wrong.items() if each != "mark"}
        book = lc.PositionBook(**(columns | {"instrument": ["X"]}))
        found.append(lc.Status(evaluated(by, policy, book, {"X": wrong["mark"]}).status[0]).name)
        wrong[name] = right[name]
    assert found == [
        "INVALID_QUANTITY",
        "INVALID_FUNDING",
        "MISSING_MARK_PRICE",
        "INVALID_ENTRY_PRICE",
        "INVALID_LEVERAGE",
        "INVALID_MARGIN",
        "MISSING_RISK_LIMIT",
    ]


@pytest.mark.parametrize(
    ("levels", "wallet", "call"),
    [
        ({"margin_call_level": 0.5}, 50.0, 14.0),
        ({"margin_call_level": 0.5}, 70.0, 0.0),
        ({"margin_call_level": None, "warning_level": None, "liquidation_level": 0.8}, 30.0, 10.0),
        ({"margin_call_level": None, "warning_level": None, "liquidation_level": 2.0}, 10.0, 6.0),
        ({"margin_call_level": 1.25, "warning_level": None, "liquidation_level": 2.0}, 10.0, 15.6),
    ],
)
def test_a_margin_call_ends_at_its_level_or_at_that_of_liquidation(
    by: str, levels: dict[str, Any], wallet: float, call: float
) -> None:
    # 320 at 10 %: 32 over the level, less the equity.
    policy = generic(linear("X", lc.TierTable.single_rate("0.1")), **levels)
    book = lc.PositionBook(["X"], [2.0], [160.0], ["a"], "cross", wallet_balance={"a": wallet})
    risk = evaluated(by, policy, book, {"X": 160.0})
    assert risk.accounts.margin_call_amount[0] == pytest.approx(call, abs=1e-13)


ASSETS = (lc.Asset("USD"), lc.Asset("OWED", liability_weight=1.25))


def in_assets(
    by: str, rule: str, assets: tuple[lc.Asset, ...], balances: dict[str, Any], prices: dict[str, float]
) -> lc.BookRisk:
    """An account with balances and one position of 200 at 10x, rate 5 %, opened at the mark."""
    policy = generic(
        linear("X", lc.TierTable.single_rate("0.05"), settlement="USD"),
        liabilities_count_as=rule,
        margins_convert_at="price",
    ).with_assets(assets)
    names = balances.pop("asset")
    book = lc.PositionBook(
        ["X"],
        [2.0],
        [100.0],
        ["a"],
        "cross",
        leverage=[10.0],
        balances=lc.Balances(["a"] * len(names), names, **balances),
    )
    return evaluated(by, policy, book, {"X": 100.0}, prices)


def test_a_debt_that_is_charged_is_no_equity_and_leaves_no_free_margin(by: str) -> None:
    held = {"asset": ["USD", "OWED"], "balance": [1_000.0, 0.0], "liability": [0.0, 3.0]}
    accounts = in_assets(by, "requirement", ASSETS, held, {"USD": 1.0, "OWED": 80.0}).accounts
    # Owed: 3 * 80 * 1.25 = 300; of 1,000 that count, 700 are left; initial margin 300 + 20.
    assert accounts.equity[0] == 700.0
    assert accounts.liabilities[0] == 300.0
    assert accounts.initial_margin[0] == 320.0
    assert accounts.free_margin[0] == 680.0
    assert accounts.maintenance_margin[0] == 10.0
    assert accounts.margin_ratio[0] == 310.0 / 1_000.0
    assert accounts.surplus[0] == 690.0


def test_a_negative_equity_counts_at_its_weight_and_is_charged_as_a_liability(by: str) -> None:
    tiers = lc.TierTable.marginal([(0, 0.125), (128, 0.25)], unit="quote")
    initial = lc.TierTable.marginal([(0, 0.25), (128, 0.5)], unit="quote")
    owed = lc.Asset("OWED", liability_weight=1.25, liability_tiers=tiers, liability_initial_tiers=initial)
    held = {"asset": ["USD", "OWED"], "balance": [1_000.0, -1.0], "liability": [0.0, 1.5]}
    accounts = in_assets(by, "negative_equity", (ASSETS[0], owed), held, {"USD": 1.0, "OWED": 80.0}).accounts
    # -2.5 units are worth -200 and count -250; 25 % of 200 less 16, and 50 % less 32, are asked for them.
    assert accounts.equity[0] == 750.0
    assert accounts.liabilities[0] == 250.0
    assert accounts.collateral_value[0] == 1_000.0
    assert accounts.maintenance_margin[0] == 34.0 + 10.0
    assert accounts.initial_margin[0] == 68.0 + 20.0


def test_a_larger_debt_than_the_negative_equity_is_what_is_charged(by: str) -> None:
    tiers = lc.TierTable.marginal([(0, 0.125), (128, 0.25)], unit="quote")
    owed = lc.Asset("OWED", liability_tiers=tiers)
    held = {"asset": ["USD", "OWED"], "balance": [1_000.0, 1.0], "liability": [0.0, 2.5]}
    accounts = in_assets(by, "negative_equity", (ASSETS[0], owed), held, {"USD": 1.0, "OWED": 80.0}).accounts
    # Equity -1.5, owed 2.5: 200 at 25 % less 16.
    assert accounts.equity[0] == 880.0
    assert accounts.maintenance_margin[0] == 34.0 + 10.0


@pytest.mark.parametrize(
    ("unit", "floor", "balance", "counted"),
    [
        ("value", 1_000.0, 15.0, 937.5 + 250.0),
        ("value", 1_000.0, 10.0, 937.5),
        ("value", 1_000.0, 9.0, 843.75),
        ("amount", 10.0, 15.0, 937.5 + 250.0),
        ("amount", 10.0, 10.0, 937.5),
        ("amount", 10.0, 9.0, 843.75),
    ],
)
def test_a_haircut_grows_from_tier_to_tier(
    by: str, unit: Any, floor: float, balance: float, counted: float
) -> None:
    coin = lc.Asset("COIN", (0.9375, 0.5), (0.0, floor), unit=unit)
    held = {"asset": ["USD", "COIN"], "balance": [0.0, balance]}
    risk = in_assets(by, "negative_equity", (ASSETS[0], coin), held, {"USD": 1.0, "COIN": 100.0})
    assert risk.accounts.collateral_value[0] == counted
    # The requirement is 10. By value all of a cheap coin is in the first tier; by amount the tiers stay.
    weighed = counted / 100.0 if unit == "amount" else 0.9375 * balance
    assert risk.balances.liquidation_price_lower[1] == pytest.approx(10.0 / weighed, rel=1e-13)


@pytest.mark.parametrize(
    ("rules", "initial", "maintenance"),
    [
        ({"hedge_requirement": "sum"}, 80.0, 20.0),
        ({"hedge_requirement": "larger_leg"}, 60.0, 15.0),
        ({"hedge_requirement": "larger_side"}, 60.0, 15.0),
        ({"hedge_requirement": "covered", "covered_share": 0.5}, 50.0, 12.5),
        ({"hedge_requirement": "covered", "covered_share": 0.0}, 40.0, 10.0),
        # The average entry of 3 from 90 and 1 from 110 is 95.
        (
            {
                "hedge_requirement": "covered",
                "covered_share": 0.5,
                "initial_margin_basis_cross": "entry",
                "requirement_basis_cross": "entry",
            },
            2.5 * 95 / 5,
            2.5 * 95 / 20,
        ),
        ({"hedge_requirement": "sum", "initial_margin_basis_cross": "entry"}, 76.0, 20.0),
        ({"hedge_requirement": "larger_leg", "initial_margin_basis_cross": "entry"}, 54.0, 15.0),
    ],
)
def test_initial_and_maintenance_margin_of_hedged_legs(
    by: str, rules: dict[str, Any], initial: float, maintenance: float
) -> None:
    policy = generic(linear("X", lc.TierTable.single_rate("0.05")), **rules)
    book = lc.PositionBook(
        ["X", "X"],
        [3.0, -1.0],
        [90.0, 110.0],
        leverage=[5.0, 5.0],
        margin_mode="cross",
        position_mode="hedge",
        wallet_balance=100.0,
    )
    accounts = evaluated(by, policy, book, {"X": 100.0}).accounts
    assert accounts.initial_margin[0] == pytest.approx(initial, rel=1e-14)
    assert accounts.maintenance_margin[0] == pytest.approx(maintenance, rel=1e-14)
    assert accounts.free_margin[0] == pytest.approx(100.0 + 40.0 - initial, rel=1e-14)
