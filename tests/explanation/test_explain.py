"""Explanations: every expression gives its value, and the values are the kernel's, to the last bit."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

import levcore as lc
from levcore.errors import DTypeError, InputError, UnknownRuleError
from levcore.explanation.steps import Explanation
from support.pooled_books import random_book as random_pooled_book

NAN = math.nan
LINEAR = lc.Instrument(
    "LINEAR",
    "linear",
    settlement="USDT",
    tiers=lc.TierTable.marginal([(0, "0.01"), (50_000, "0.02"), (200_000, "0.05")], unit="quote", cap=1e7),
)
INVERSE = lc.Instrument(
    "INVERSE",
    "inverse",
    contract_size=100.0,
    tiers=lc.TierTable.marginal([(0, "0.005"), (5, "0.01"), (50, "0.03")], unit="base"),
)
QUANTO = lc.Instrument(
    "QUANTO", "quanto", multiplier=1e-6, contract_size=10.0, tiers=lc.TierTable.single_rate("0.01")
)
BY_CONTRACTS = lc.Instrument(
    "CONTRACTS",
    "linear",
    contract_size=0.1,
    tiers=lc.TierTable.flat([(0, "0.01"), (30, "0.02")], unit="contracts"),
)
BY_LIMIT = lc.Instrument(
    "LIMIT", "linear", tiers=lc.TierTable.flat([(0, "0.01"), (1e6, "0.02")], unit="risk_limit")
)
GROWING = lc.Instrument(
    "GROWING",
    "linear",
    tiers=lc.TierTable.growing("0.02", "0.0005", cap=500),
    short_tiers=lc.TierTable.single_rate("0.03").with_minimum(12),
    initial_tiers=lc.TierTable.flat([(0, "0.1"), (25, "0.2")], unit="contracts"),
    funding_rate=0.0004,
)
GROWING_INVERSE = lc.Instrument(
    "GROWING_INVERSE",
    "inverse",
    contract_size=100.0,
    tiers=lc.TierTable.growing("0.01", "0.002"),
    initial_tiers=lc.TierTable.growing("0.02", "0.004"),
)
INSTRUMENTS = [LINEAR, INVERSE, QUANTO, BY_CONTRACTS, BY_LIMIT, GROWING, GROWING_INVERSE]
NAMES = [instrument.name for instrument in INSTRUMENTS]
MARKS = {
    "LINEAR": 100.0,
    "INVERSE": 2_000.0,
    "QUANTO": 310.5,
    "CONTRACTS": 95.0,
    "LIMIT": 33.3,
    "GROWING": 140.0,
    "GROWING_INVERSE": 1_900.0,
}

FEES: list[dict[str, object]] = [
    {},
    {"closing_fee_basis": "price", "closing_fee_rate": 0.0006},
    {"closing_fee_basis": "entry", "closing_fee_rate": 0.0006, "closing_fee_in_initial_margin": True},
    {
        "closing_fee_basis": "bankruptcy",
        "closing_fee_rate": 0.00055,
        "closing_fee_bankruptcy_cross": "leverage",
        "closing_fee_in_initial_margin": True,
        "closing_fee_in_maintenance_margin": True,
        "bankruptcy_includes_closing_fee": True,
    },
]
BASES: list[dict[str, object]] = [
    {},
    {"requirement_basis_isolated": "entry", "requirement_basis_cross": "mark"},
    {"initial_margin_basis_isolated": "entry", "initial_margin_basis_cross": "entry"},
    {"initial_margin_rule": "table", "funding_in_requirement": "rate_times_value"},
    {
        "liquidation_level": 0.9,
        "warning_level": 0.3,
        "margin_call_level": 0.5,
        "liquidation_level_inclusive": False,
    },
]


def rules(fee: dict[str, object], basis: dict[str, object]) -> lc.MarginPolicy:
    """Policy with every kind of instrument and these rules."""
    return lc.policy("generic").replace(**fee, **basis).with_instruments(INSTRUMENTS)


def random_book(seed: int, rows: int = 60) -> lc.PositionBook:
    """Positions near liquidation and far from it, isolated and cross; some are flat or wrong."""
    random = np.random.default_rng(seed)
    names = [NAMES[code] for code in random.integers(0, len(NAMES), rows)]
    marks = np.array([MARKS[name] for name in names])
    entry = marks * random.uniform(0.8, 1.25, rows)
    size = np.array([{"LINEAR": 3000.0, "INVERSE": 700.0}.get(name, 50.0) for name in names])
    quantity = np.round(random.uniform(-1, 1, rows) * size, 3)
    quantity[::13] = 0.0
    quantity[7] = NAN
    margin = random.uniform(0.01, 0.3, rows) * np.abs(quantity) * 30
    margin[::3] = NAN
    margin[margin <= 0] = NAN
    margin[4::11] *= 0.02
    leverage = random.choice([3.0, 10.0, 25.0], rows)
    leverage[::17] = NAN
    # An account holds an instrument once, or its legs would be duplicates.
    accounts = ["abcdefghijklmnopqrstuvwxyz"[names[:row].count(name)] for row, name in enumerate(names)]
    return lc.PositionBook(
        names,
        quantity,
        entry,
        accounts,
        np.where(random.random(rows) < 0.5, "cross", "isolated"),
        margin,
        leverage,
        accrued_funding=random.normal(size=rows),
        risk_limit=random.choice([1e5, 2e6], rows),
        wallet_balance={"a": 4e5, "b": 1e5, "c": 20.0, "d": 3e5, "e": 3e5, "f": 50.0, "g": 9e5, "h": 1e6},
    )


def same(left: float, right: float) -> bool:
    """Equal, or both NaN."""
    return left == right or (math.isnan(left) and math.isnan(right))


def check(explanation: Explanation, risk: lc.BookRisk) -> None:
    """Every expression gives its value; every measure that is explained is the kernel's."""
    words = {"abs": abs, "max": max, "sqrt": math.sqrt, "nan": NAN, "inf": math.inf, "__builtins__": {}}
    for step in explanation.steps:
        if step.numbers and isinstance(step.value, float):
            assert same(eval(step.numbers, words), step.value), step
    explained = {step.name: step.value for step in explanation.steps}
    row = explanation.row
    is_flat = risk.book.quantity[row] == 0.0
    assert explanation.state == risk.state[row]
    assert explanation.status == risk.status[row]
    # A lone leg has one of them, its liquidation price.
    bounds = (
        {"liquidation_price_lower", "liquidation_price_upper"} if "moves together" not in explained else set()
    )
    for name in set(risk.measures) - bounds:
        value = float(risk.column(name)[row])
        found = explained.get("notional V" if name == "notional" else name)
        if isinstance(found, float):
            assert same(found, value), name
        elif found is None and not explanation.status.is_failure and not is_flat:
            assert math.isnan(value), name


@pytest.mark.parametrize("fee", FEES, ids=lambda fee: fee.get("closing_fee_basis", "none"))
@pytest.mark.parametrize("basis", BASES, ids=lambda basis: "-".join(basis) or "default")
def test_every_expression_gives_its_value_and_the_kernels(
    fee: dict[str, object], basis: dict[str, object]
) -> None:
    policy = rules(fee, basis)
    engine = lc.Engine(policy)
    for seed in range(3):
        book = random_book(seed)
        risk = engine.evaluate(book, MARKS)
        for row in range(len(book)):
            check(lc.explain(engine, book, MARKS, row), risk)


@pytest.mark.parametrize("hedge_requirement", ["sum", "larger_leg", "larger_side", "covered"])
def test_steps_of_accounts_whose_parts_move_together_are_the_kernels(hedge_requirement: str) -> None:
    found = set()
    for seed in range(30):
        pooled = random_pooled_book(seed, hedge_requirement=hedge_requirement)
        book = pooled.book()
        risk = pooled.evaluate(book)
        engine = lc.Engine(pooled.policies)
        for row in range(len(book)):
            explanation = lc.explain(engine, book, pooled.marks, row, asset_prices=pooled.asset_prices)
            check(explanation, risk)
            check_account(explanation, risk)
            found |= {step.name for step in explanation.steps}
    assert found >= {"moves together", "lower place", "upper place", "USDT: counted", "wallet: equity"}
    assert ("charged share" in found) == (hedge_requirement == "covered")


def check_account(explanation: Explanation, risk: lc.BookRisk) -> None:
    """Every measure of the account and of its balances that is explained is the kernel's."""
    explained = {step.name: step.value for step in explanation.steps}
    if "counted value" not in explained:
        return
    accounts, place = risk.accounts, risk.accounts.ids.index(explanation.account)
    for name, value in {
        "equity": accounts.equity,
        "account initial margin": accounts.initial_margin,
        "account maintenance": accounts.maintenance_margin,
        "free margin": accounts.free_margin,
        "collateral value": accounts.collateral_value,
        "liabilities": accounts.liabilities,
        "surplus": accounts.surplus,
        "margin_call_amount": accounts.margin_call_amount,
    }.items():
        assert same(explained[name], float(value[place])), name  # type: ignore[arg-type]
    for row, balances in enumerate([] if risk.book.balances is None else risk.balances.to_dict()["account"]):
        if balances == explanation.account:
            asset = risk.balances.to_dict()["asset"][row]
            assert explained[f"{asset}: equity"] == risk.balances.equity[row]
            assert explained[f"{asset}: value"] == risk.balances.market_value[row]
            assert explained[f"{asset}: counted"] == risk.balances.collateral_value[row]


@pytest.mark.parametrize("mode", ["isolated", "cross"])
def test_the_random_books_reach_every_kind_of_row(mode: str) -> None:
    engine = lc.Engine(rules(FEES[0], BASES[3]))
    found = set()
    for seed in range(8):
        book = random_book(seed)
        risk = engine.evaluate(book, MARKS)
        found |= {lc.Status(code).name for code in risk.status[book.is_cross == (mode == "cross")]}
    expected = {"OK", "FLAT", "MISSING_LEVERAGE", "ALREADY_LIQUIDATABLE"}
    assert found >= expected | (
        {"ACCOUNT_INCOMPLETE"} if mode == "cross" else {"LIQUIDATION_PRICE_BEYOND_ENTRY"}
    )


def isolated(quantity: float = 0.5, mark: float | None = 61_000.0, **columns: object) -> Explanation:
    """Explain the worked row of the manual, or a variation of it."""
    given = {"entry_price": [60_000.0], "isolated_margin": [3_000.0], "leverage": [10.0], **columns}
    book = lc.PositionBook(["BTCUSDT"], [quantity], **given)  # type: ignore[arg-type]
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    return lc.explain(engine, book, {} if mark is None else {"BTCUSDT": mark}, 0)


def test_the_text_shows_tiers_formulas_numbers_and_sources() -> None:
    text = str(isolated())
    for part in (
        "row 0: BTCUSDT, isolated, under binance-usdm@2024-10-24",
        "healthy; ok: evaluated, nothing to remark",
        "over 0 up to 50000:  0.004 * V - 0  <- at mark and liquidation price",
        "over 50000 up to 600000:  0.005 * V - 50\n",
        "(d * n) * (x - x0) = (1 * 0.5) * (61000 - 60000) = 500",
        "requirement / equity = 122 / 3500 = 0.03485714285714286",
        "not reached (margin_ratio >= 0.8)",
        "margin_call_level is unknown: no separate margin-call level was found",
        "= 54216.86746987952\n",
        "requirement_basis_isolated = price: [V]",
        "the insurance fund sets a negative wallet back to 0",
        "maintenance margin over margin balance",
        "https://www.binance.com/en/support/faq/360033162192",
        "dated 2024-02-26",
    ):
        assert part in text


def test_the_tier_at_the_liquidation_price_may_be_another_one() -> None:
    moved = isolated(0.9, mark=60_000.0, isolated_margin=[9_000.0])
    named = {step.name: step.value for step in moved.steps}
    assert named["tier 2"] == "at mark"
    assert named["tier 1"] == "at liquidation price"
    assert named["tier there"] == "tier 1"


@pytest.mark.parametrize(
    ("change", "column", "status", "value"),
    [
        ({"quantity": NAN}, "quantity", "INVALID_QUANTITY", "nan"),
        ({"entry_price": [-1.0]}, "entry_price", "INVALID_ENTRY_PRICE", "-1"),
        ({"mark": None}, "mark_price", "MISSING_MARK_PRICE", "nan"),
        ({"mark": -5.0}, "mark_price", "INVALID_MARK_PRICE", "-5"),
        ({"isolated_margin": [math.inf]}, "isolated_margin", "INVALID_MARGIN", "inf"),
        (
            {"isolated_margin": None, "leverage": None},
            "isolated_margin",
            "WITHOUT_MARGIN",
            "the book has no such",
        ),
        ({"accrued_funding": [NAN]}, "accrued_funding", "INVALID_FUNDING", "nan"),
        ({"leverage": [0.0]}, "leverage", "INVALID_LEVERAGE", "0"),
        ({"quantity": 1e9}, "quantity", "TIER_OVERFLOW", "1000000000"),
    ],
)
def test_a_failed_row_names_its_column_and_why(
    change: dict[str, object], column: str, status: str, value: str
) -> None:
    explanation = isolated(**change)  # type: ignore[arg-type]
    assert explanation.status.name == status
    wrong = explanation.steps[0]
    assert (wrong.part, wrong.name) == ("wrong" if explanation.status.is_failure else "missing", column)
    assert value in str(wrong.value)
    assert explanation.status.describe() in str(explanation)
    assert not any(step.name == "liquidation_price" for step in explanation.steps)


def test_an_instrument_that_the_policy_does_not_know() -> None:
    book = lc.PositionBook(["NOPE"], [1.0], [1.0], isolated_margin=[1.0])
    explanation = lc.explain(lc.Engine(lc.policy("binance-usdm@2024-10-24")), book, {"NOPE": 1.0}, 0)
    assert explanation.steps[0].name == "instrument"
    assert "'NOPE'; the policy has 349 instruments" in str(explanation)


def test_a_rate_that_grows_is_shown_with_the_root_that_solves_it() -> None:
    policy = rules({}, {"initial_margin_rule": "table"})
    book = lc.PositionBook(["GROWING_INVERSE"], [-200.0], [2_000.0], isolated_margin=[3.0])
    text = lc.explain(lc.Engine(policy), book, MARKS, 0)
    assert text.step("rate").numbers == "0.01 + 0.002 * S"
    assert text.step("discriminant").formula == "gap * gap - 4 * slope * needed"
    assert text.step("value V* there").formula == "d * 2 * needed / (gap + sqrt(discriminant))"
    assert text.step("initial_margin").formula == "(rate + slope * S) * V of the initial tiers"


def test_no_price_restores_a_position_whose_rate_outgrows_its_equity() -> None:
    # A short of 100 coins at 100 each, whose margin is 1: at every price more is asked for than is there.
    hungry = replace(GROWING_INVERSE, tiers=lc.TierTable.growing("0.01", "0.004"))
    engine = lc.Engine(lc.policy("generic").with_instruments([hungry]))
    book = lc.PositionBook(["GROWING_INVERSE"], [-100.0], [100.0], isolated_margin=[1.0])
    explanation = lc.explain(engine, book, {"GROWING_INVERSE": 100.0}, 0)
    assert explanation.step("discriminant").value < 0.0  # type: ignore[operator]
    assert "no value meets the requirement" in str(explanation)
    assert explanation.status == lc.Status.ALREADY_LIQUIDATABLE


def test_a_flat_row_has_equity_and_no_price() -> None:
    explanation = isolated(0.0)
    assert explanation.status == lc.Status.FLAT
    assert explanation.step("equity").value == 3_000.0
    assert "the quantity is zero" in str(explanation)
    assert not any(step.name == "liquidation_price" for step in explanation.steps)


def test_a_leg_of_an_account_that_could_not_be_judged_shows_the_leg_at_fault() -> None:
    book = lc.PositionBook(
        ["BTCUSDT", "ETHUSDT"], [1.0, 1.0], [6e4, 3e3], margin_mode="cross", leverage=10.0, wallet_balance=1e4
    )
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    explanation = lc.explain(engine, book, {"BTCUSDT": 6e4}, 0)
    assert explanation.status == lc.Status.ACCOUNT_INCOMPLETE
    assert explanation.step("leg in row 1").value == ("missing_mark_price: no mark price for the instrument")
    assert explanation.step("verdict").value == "incomplete, incomplete"
    assert explanation.step("notional V").value == 6e4


def test_many_legs_are_cut_and_counted_but_all_are_summed() -> None:
    rows, policy = 100, lc.policy("binance-usdm@2024-10-24")
    names = [name for name, each in policy.instruments.items() if each.settlement == "USDT"][:rows]
    book = lc.PositionBook(
        names,
        np.arange(1.0, rows + 1),
        np.full(rows, 100.0),
        margin_mode="cross",
        wallet_balance=1e6,
    )
    explanation = lc.explain(lc.Engine(policy), book, dict.fromkeys(names, 101.0), 70)
    assert explanation.step("leg in row 70").formula.endswith("this row")
    assert explanation.step("legs not listed").value == "79"
    assert explanation.step("sum of profits").value == 5050.0
    assert len(str(explanation).splitlines()) < 200


@pytest.mark.parametrize("row", [-1, 1, 10**30])
def test_a_row_outside_of_the_book_is_refused(row: int) -> None:
    book = lc.PositionBook(["BTCUSDT"], [1.0], [1.0], isolated_margin=[1.0])
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    with pytest.raises(InputError, match=f"row: must be a row of the book; expected 0 to 0, found {row}"):
        lc.explain(engine, book, {"BTCUSDT": 1.0}, row)


def test_a_row_must_be_a_whole_number() -> None:
    book = lc.PositionBook(["BTCUSDT"], [1.0], [1.0], isolated_margin=[1.0])
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    with pytest.raises(DTypeError, match="row: must be a whole number"):
        lc.explain(engine, book, {"BTCUSDT": 1.0}, 0.5)  # type: ignore[arg-type]
    assert lc.explain(engine, book, {"BTCUSDT": 1.0}, np.int64(0)).row == 0


def test_a_rule_that_is_unknown_refuses_here_too() -> None:
    policy = lc.policy("mexc-linear").replace(closing_fee_rate=0.0006).with_instruments([QUANTO])
    book = lc.PositionBook(["QUANTO"], [1.0], [300.0], margin_mode="cross", leverage=10.0, wallet_balance=1.0)
    with pytest.raises(UnknownRuleError, match="requirement_basis_cross is unknown"):
        lc.explain(lc.Engine(policy), book, {"QUANTO": 310.0}, 0)


def test_the_dict_is_json_and_says_what_is_missing() -> None:
    plain = isolated(0.5, leverage=[NAN]).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == json.loads(json.dumps(plain))
    assert plain["status"] == "missing_leverage"
    margins = [step["value"] for step in plain["steps"] if step["name"] == "initial_margin"]
    assert margins == [None]
    assert plain["sources"][0]["url"].startswith("https://")


def test_a_step_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="must be a step of this row"):
        isolated().step("delta")
