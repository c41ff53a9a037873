"""Comparison of policies: that each answer is the engine's own, and that nothing is matched by guessing."""

import doctest
import importlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import levcore as lc
from levcore.comparison.compare import compare
from levcore.comparison.comparison import Comparison, Refusal
from levcore.errors import DTypeError, ShapeError, UnknownInstrumentError, UnknownPolicyError
from levcore.measures import MEASURE_NAMES
from levcore.samples import generate
from support.comparison import assert_same_risk

BINANCE = "binance-usdm@2024-10-24"
MARKS = {"BTCUSDT": 61_000.0, "ETHUSDT": 3_050.0}
NONE = lc.InstrumentTable()


def usdt(name: str = BINANCE) -> dict[str, lc.Instrument]:
    """Instruments of one settlement currency."""
    return {name: one for name, one in lc.policy(name).instruments.items() if one.settlement == "USDT"}


def bybit() -> lc.MarginPolicy:
    """Policy without a table of its own whose fee is stated."""
    return lc.policy("bybit-linear@2025-10-02").replace(closing_fee_rate=0.00055, instruments=NONE)


def okx() -> lc.MarginPolicy:
    """Another one, whose tables are flat."""
    return lc.policy("okx-linear-swap").replace(closing_fee_rate=0.0005, instruments=NONE)


def two_positions() -> lc.PositionBook:
    """Isolated long and short."""
    return lc.PositionBook(
        ["BTCUSDT", "ETHUSDT"],
        [0.5, -4.0],
        [60_000.0, 3_000.0],
        isolated_margin=[3_000.0, 1_200.0],
        leverage=[10.0, 10.0],
    )


def house(rate: float, **rules: Any) -> lc.MarginPolicy:
    """Generic policy with one rate for A-USD, in contracts of one."""
    tiers = lc.TierTable.single_rate(rate)
    return lc.policy("generic").with_instruments([lc.Instrument("A-USD", "linear", tiers)]).replace(**rules)


def one_position(**columns: Any) -> lc.PositionBook:
    """Long position in A-USD."""
    arguments: dict[str, Any] = {"isolated_margin": [100.0], "leverage": [10.0]} | columns
    return lc.PositionBook(["A-USD"], [10.0], [100.0], **arguments)


@pytest.fixture(scope="module")
def generated() -> Comparison:
    """Comparison of a generated book of cross and isolated positions."""
    book, marks = generate.book(3000, usdt(), seed=11, margin_mode="mixed")
    policies: list[str | lc.MarginPolicy] = [BINANCE, bybit(), okx()]
    return compare(book, policies, marks, tiers_from=BINANCE)


def test_documented_example() -> None:
    assert doctest.testmod(importlib.import_module("levcore.comparison.compare")).failed == 0


def test_each_answer_is_that_of_the_engine(generated: Comparison) -> None:
    book, marks = generated.book, generated.marks
    assert len(generated.answers) == 3
    for label, risk in generated.answers.items():
        borrowed = generated.policies[label].with_instruments(usdt()).replace(table_shape="any")
        alone = lc.policy(BINANCE) if label == BINANCE else borrowed
        assert_same_risk(risk, lc.Engine(alone).evaluate(book, marks, measures=MEASURE_NAMES), label)
        for measure in ("margin_ratio", "liquidation_price", "state"):
            assert generated.table(measure)[label] is not None
            assert np.array_equal(generated.table(measure)[label], risk[measure], equal_nan=True)
        assert generated.account_table("equity")[label].tolist() == risk.accounts.equity.tolist()


def test_spread_and_first_are_those_of_a_plain_loop(generated: Comparison) -> None:
    distances = generated.table("distance_to_liquidation")
    first = generated.liquidates_first
    seen = 0
    for row in range(len(generated)):
        of_row = {label: float(column[row]) for label, column in distances.items()}
        known = [value for value in of_row.values() if value == value]
        assert len(known) == 3
        low, high = min(known), max(known)
        expected = 0.0 if low == high else high - low
        assert generated.spread[row] == expected
        earliest = {label for label, value in of_row.items() if value == low} if low < high else set()
        assert {label for label in first if first[label][row]} == earliest
        seen += low < high
    assert seen > 1000


def test_a_policy_without_a_price_spreads_to_infinity() -> None:
    # Margin of the whole entry value: only a fee at entry leaves a price above zero.
    book = one_position(isolated_margin=[1_000.0])
    fee = {"closing_fee_basis": "entry", "closing_fee_rate": 0.01, "closing_fee_in_initial_margin": False}
    fee |= {"closing_fee_in_maintenance_margin": False, "bankruptcy_includes_closing_fee": False}
    charged = house(0.01, **fee)
    both = compare(book, {"free": house(0.01), "charged": charged}, {"A-USD": 100.0})
    assert np.isnan(both.table("liquidation_price")["free"][0])
    assert both.table("liquidation_price")["charged"][0] > 0
    assert both.spread[0] == np.inf
    assert both.liquidates_first["charged"].tolist() == [True]
    assert both.liquidates_first["free"].tolist() == [False]
    same = compare(book, {"one": house(0.01), "two": house(0.02)}, {"A-USD": 100.0})
    assert same.spread[0] == 0.0


def test_a_policy_that_refuses_is_a_column_not_an_error() -> None:
    policies = [BINANCE, "okx-linear-swap"]
    both = compare(two_positions(), policies, MARKS, tiers_from=BINANCE, quantities_of=BINANCE)
    refusal = both.results["okx-linear-swap"]
    assert isinstance(refusal, Refusal)
    reason = lc.policy("okx-linear-swap").unknown["closing_fee_rate"]
    assert str(refusal) == f"refuses: rule closing_fee_rate is unknown, because: {reason}"
    assert "replace(closing_fee_rate=" in refusal.remedy
    assert list(both.answers) == [BINANCE]
    assert np.isnan(both.table("liquidation_price")["okx-linear-swap"]).all()
    assert both.table("state")["okx-linear-swap"].tolist() == [lc.State.INCOMPLETE] * 2
    assert np.isnan(both.spread).all()
    assert list(both.totals()) == [BINANCE]


def test_all_may_refuse() -> None:
    policies = ["bybit-linear", "okx-linear-swap"]
    both = compare(two_positions(), policies, MARKS, tiers_from=BINANCE, quantities_of="bybit-linear")
    assert both.answers == {}
    assert both.compared.tolist() == [False, False]
    assert (
        "No position has an answer under two policies. bybit-linear, okx-linear-swap: no answer."
        in lc.report(both)
    )
    assert json.dumps(both.to_dict(), allow_nan=False)


# Instruments


def test_an_instrument_that_a_policy_does_not_hold_has_no_numbers() -> None:
    both = compare(two_positions(), {"binance": BINANCE, "bybit": bybit()}, MARKS)
    assert both.matches["bybit"].unmatched == ("BTCUSDT", "ETHUSDT")
    assert both.answers["bybit"].status.tolist() == [lc.Status.UNKNOWN_INSTRUMENT] * 2
    assert np.isnan(both.table("maintenance_margin")["bybit"]).all()
    assert np.isfinite(both.table("maintenance_margin")["binance"]).all()
    assert both.totals()["binance"] == {}
    assert "No instrument, and therefore no numbers: BTCUSDT, ETHUSDT." in lc.report(both)


def test_tiers_from_fills_what_is_missing_and_says_so() -> None:
    own = bybit().with_instruments([lc.Instrument("BTCUSDT", "linear", lc.TierTable.single_rate(0.01))])
    both = compare(two_positions(), {"binance": BINANCE, "bybit": own}, MARKS, tiers_from="binance")
    match = both.matches["bybit"]
    assert (match.own, match.from_caller, match.borrowed) == (("BTCUSDT",), ("BTCUSDT",), ("ETHUSDT",))
    assert match.instruments["BTCUSDT"].tiers.rates == (0.01,)
    assert match.instruments["ETHUSDT"].tiers == lc.policy(BINANCE).instruments["ETHUSDT"].tiers
    assert both.matches["binance"].borrowed == ()
    text = " ".join(lc.report(both).split())
    assert "Instruments and tiers of binance for 1 of 2 instruments: there the rules are compared" in text
    assert "Its own instruments and tiers for 1 of 2 instruments; the caller gave all of them." in text


def test_the_lender_need_not_be_compared() -> None:
    policies = {"bybit": bybit()}
    by_name = compare(two_positions(), policies, MARKS, tiers_from=BINANCE)
    by_policy = compare(two_positions(), policies, MARKS, tiers_from=lc.policy(BINANCE))
    assert_same_risk(by_name.answers["bybit"], by_policy.answers["bybit"])
    assert by_name.matches["bybit"].lender == BINANCE


def test_tiers_of_another_shape_are_remarked() -> None:
    both = compare(two_positions(), [okx(), bybit()], MARKS, tiers_from=BINANCE)
    assert both.matches[okx().id].misfits == ("BTCUSDT", "ETHUSDT")
    assert both.matches[bybit().id].misfits == ()
    text = " ".join(lc.report(both).split())
    assert "own tables are flat, keyed by contracts; these are not." in text


def test_unified_symbols_match_in_both_directions() -> None:
    tiers = lc.TierTable.single_rate(0.02)
    unified = lc.policy("generic").with_instruments([lc.Instrument("BTC/USDT:USDT", "linear", tiers)])
    plain_book = lc.PositionBook(["BTCUSDT"], [1.0], [60_000.0], isolated_margin=[9_000.0])
    unified_book = lc.PositionBook(["BTC/USDT:USDT"], [1.0], [60_000.0], isolated_margin=[9_000.0])
    for book, name in ((plain_book, "BTCUSDT"), (unified_book, "BTC/USDT:USDT")):
        both = compare(book, {"binance": BINANCE, "unified": unified}, {name: 61_000.0})
        assert both.compared.tolist() == [True]
        assert both.table("maintenance_margin")["unified"].tolist() == [0.02 * 61_000.0]


def test_two_candidates_are_no_match() -> None:
    tiers = lc.TierTable.single_rate(0.02)
    names = ("BTC/USDT", "BTC/USDT:USDT")
    unified = lc.policy("generic").with_instruments([lc.Instrument(name, "linear", tiers) for name in names])
    book = lc.PositionBook(["BTCUSDT"], [1.0], [60_000.0], isolated_margin=[9_000.0])
    both = compare(book, {"unified": unified}, {"BTCUSDT": 61_000.0})
    assert both.matches["unified"].unmatched == ("BTCUSDT",)


@pytest.mark.parametrize("key", ["binance", BINANCE, "binance-usdm"])
def test_names_given_by_the_caller_come_first(key: str) -> None:
    book = lc.PositionBook(["BTC"], [1.0], [60_000.0], isolated_margin=[9_000.0])
    policies = {"binance": BINANCE, "hyperliquid": "hyperliquid"}
    given: dict[str, Mapping[str, str | lc.Instrument]] = {key: {"BTC": "BTCUSDT", "not held": "BTCUSDT"}}
    both = compare(book, policies, {"BTC": 61_000.0}, instruments=given)
    assert both.compared.tolist() == [True]
    alone = lc.PositionBook(["BTCUSDT"], [1.0], [60_000.0], isolated_margin=[9_000.0])
    engine = lc.Engine(lc.policy(BINANCE))
    expected = engine.evaluate(alone, {"BTCUSDT": 61_000.0}, measures=MEASURE_NAMES)
    assert_same_risk(both.answers["binance"], expected)
    # Two currencies are two lines, never one sum.
    assert {label: list(total) for label, total in both.totals().items()} == {
        "binance": ["USDT"],
        "hyperliquid": ["USDC"],
    }
    wide = lc.Instrument("anything", "linear", lc.TierTable.single_rate(0.5))
    replaced = compare(book, policies, {"BTC": 61_000.0}, instruments={"binance": {"BTC": wide}})
    assert replaced.table("maintenance_margin")["binance"].tolist() == [30_500.0]
    assert replaced.matches["binance"].from_caller == ("BTC",)


def test_contract_sizes_are_restated_only_on_request() -> None:
    hundredths = lc.Instrument(
        "A-USD",
        "linear",
        lc.TierTable.flat([(0, "0.01"), (500, "0.02"), (2000, "0.05")], unit="contracts", cap=9000),
        contract_size=0.01,
    )
    small = lc.policy("generic").with_instruments([hundredths])
    policies = {"units": house(0.01), "hundredths": small}
    marks = {"A-USD": 110.0}
    with pytest.raises(
        lc.InputError, match="quantities_of: must say whose contracts the book counts"
    ) as caught:
        compare(one_position(), policies, marks)
    assert caught.value.found == "1 under units, 0.01 under hundredths"
    both = compare(one_position(), policies, marks, quantities_of="units")
    assert both.matches["hundredths"].restated == ("A-USD",)
    # Ten units are a thousand contracts of a hundredth: the second tier.
    assert both.table("notional")["hundredths"].tolist() == [1_100.0]
    assert both.table("maintenance_margin")["hundredths"].tolist() == [22.0]
    thousand = lc.PositionBook(["A-USD"], [1_000.0], [100.0], isolated_margin=[100.0], leverage=[10.0])
    alone = lc.Engine(small).evaluate(thousand, marks)
    for measure in alone.measures:
        assert both.table(measure)["hundredths"] == pytest.approx(alone[measure], rel=1e-14)
    assert "Contract sizes restated in the book's contracts: A-USD." in " ".join(lc.report(both).split())
    other = compare(one_position(), policies, marks, quantities_of="hundredths")
    assert other.table("notional")["units"].tolist() == pytest.approx([11.0])
    assert other.matches["units"].restated == ("A-USD",)


def test_contracts_of_another_kind_are_refused() -> None:
    tiers = lc.TierTable.single_rate(0.01, unit="base")
    inverse = lc.policy("generic").with_instruments([lc.Instrument("A-USD", "inverse", tiers)])
    with pytest.raises(lc.InputError, match="A-USD must be one contract under every policy"):
        compare(one_position(), {"one": house(0.01), "two": inverse}, {"A-USD": 100.0})


def test_a_failed_leg_leaves_its_account_without_a_verdict_and_the_row_out_of_the_totals() -> None:
    book = lc.PositionBook(
        ["BTCUSDT", "ETHUSDT", "BTCUSDT"],
        [1.0, 1.0, 1.0],
        [60_000.0, 3_000.0, 60_000.0],
        account=["a", "a", "b"],
        margin_mode="cross",
        leverage=[10.0] * 3,
        wallet_balance={"a": 9_000.0},
    )
    policies = {"all": BINANCE, "btc": bybit().with_instruments([usdt()["BTCUSDT"]])}
    both = compare(book, policies, MARKS)
    assert both.compared.tolist() == [True, False, True]
    expected = both.table("maintenance_margin")["all"][[0, 2]].sum()
    assert both.totals()["all"]["USDT"]["maintenance_margin"] == expected
    statuses = {label: risk.accounts.status.tolist() for label, risk in both.answers.items()}
    assert statuses["all"] == [lc.AccountStatus.OK, lc.AccountStatus.MISSING_WALLET_BALANCE]
    assert statuses["btc"] == [lc.AccountStatus.INCOMPLETE, lc.AccountStatus.MISSING_WALLET_BALANCE]
    text = lc.report(both)
    assert "missing wallet balance" in text
    assert "unknown instrument" in text


# Calls that are wrong


@pytest.mark.parametrize(
    ("policies", "error", "words"),
    [
        ([], lc.InputError, "policies: must not be empty"),
        ({}, lc.InputError, "policies: must not be empty"),
        ("generic", DTypeError, "policies: must be several"),
        ([1], DTypeError, "must be policies or names"),
        (["binance"], UnknownPolicyError, "expected 'binance-usdm' or 'binance-coinm', found 'binance'"),
        (["nyse"], UnknownPolicyError, "has no such name"),
        (["generic", "generic"], lc.InputError, "two have one id"),
        ([BINANCE, lc.policy(BINANCE)], lc.InputError, "two have one id"),
        (["hyperliquid", "hyperliquid@2026-08-07"], lc.InputError, "found 'hyperliquid@2026-08-07'"),
    ],
)
def test_policies_that_cannot_be_compared(policies: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        compare(two_positions(), policies, MARKS)


def test_labels_tell_two_of_one_id_apart() -> None:
    cheap, dear = house(0.01), house(0.05)
    both = compare(one_position(), {"cheap": cheap, "dear": dear}, {"A-USD": 100.0})
    assert list(both.answers) == ["cheap", "dear"]
    assert both.short_names == {"cheap": "cheap", "dear": "dear"}
    assert both.liquidates_first["dear"].tolist() == [True]


def test_a_book_with_policies_of_its_own_is_refused() -> None:
    with pytest.raises(lc.InputError, match="book: must leave the policy open") as caught:
        compare(one_position(policy=["house"]), {"house": house(0.01)}, {"A-USD": 100.0})
    assert caught.value.found == "'house'"


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"instruments": {"okx": {}}}, lc.InputError, "instruments: must name one of the policies in use"),
        ({"instruments": {BINANCE: {"BTCUSDT": "BTC"}}}, UnknownInstrumentError, "is not in the table"),
        ({"tiers_from": "nyse"}, UnknownPolicyError, "has no such name"),
        ({"quantities_of": "nyse"}, lc.InputError, "quantities_of: must name one of the policies in use"),
        ({"marks": [1.0]}, ShapeError, "marks"),
        ({"book": "book"}, DTypeError, "book: must be a PositionBook"),
    ],
)
def test_wrong_arguments(options: dict[str, Any], error: type[Exception], words: str) -> None:
    arguments: dict[str, Any] = {
        "book": two_positions(),
        "policies": [BINANCE, "hyperliquid"],
        "marks": MARKS,
    } | options
    with pytest.raises(error, match=words):
        compare(**arguments)


def test_measures_that_are_none() -> None:
    one = compare(two_positions(), [BINANCE], MARKS)
    with pytest.raises(lc.InputError, match="must be a measure that is compared"):
        one.table("colour")
    with pytest.raises(lc.InputError, match="expected equity, "):
        one.account_table("liquidation_price")


def test_plain_values_are_the_columns(generated: Comparison) -> None:
    plain = json.loads(json.dumps(generated.to_dict(), allow_nan=False))
    positions = plain["positions"]
    for label, risk in generated.answers.items():
        found = [np.nan if value is None else float(value) for value in positions["margin_ratio"][label]]
        assert np.array_equal(found, risk.margin_ratio, equal_nan=True)
        words = [lc.State(code).word for code in risk.state]
        assert positions["state"][label] == words
        assert plain["accounts"]["margin_call_amount"][label] == risk.accounts.margin_call_amount.tolist()
    assert plain["totals"] == generated.totals()
    assert plain["policies"][BINANCE]["as_of"] == "2024-10-24"
    assert plain["policies"][bybit().id]["stated"] == {"closing_fee_rate": "0.00055"}
    assert plain["policies"][bybit().id]["tiers_borrowed_from"] == BINANCE


def test_an_empty_book_compares() -> None:
    empty = lc.PositionBook([], [], [])
    both = compare(empty, [BINANCE, "hyperliquid"], {})
    assert len(both) == 0
    assert both.spread.size == 0
    assert both.totals() == {BINANCE: {}, "hyperliquid": {}}
    assert "0 positions" in lc.report(both)
