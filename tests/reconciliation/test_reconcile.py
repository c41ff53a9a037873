"""Reconciling: what each kind of difference is put down to, what is recovered, and what is refused.

Where a case needs a venue that computes by other rules, the engine makes its numbers under those rules.
"""

import json
import math
from argparse import Namespace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.cli.reconcile import tiers_of
from levcore.errors import FileFormatError, InputError
from levcore.files.instruments import read_instruments
from levcore.reconciliation.reconcile import reconcile
from levcore.reconciliation.result import ReconciledNumber, Reconciliation, Verdict
from levcore.venues.json import read_json
from levcore.venues.positions.reply import SOURCES
from support.replies import FOLDER

POLICY = lc.policy("binance-usdm@2024-10-24")


def binance_reply(
    policy: lc.MarginPolicy = POLICY,
    *,
    instrument: str = "BTCUSDT",
    quantity: float = 5.0,
    mark: float = 61000.0,
    made_at: float | None = None,
    margin: float = 30000.0,
    **changed: str,
) -> list[dict[str, Any]]:
    """Isolated position whose numbers the engine makes under a policy, printed as Binance prints them."""
    book = lc.PositionBook([instrument], [quantity], [60000.0], isolated_margin=[margin], leverage=[10.0])
    risk = lc.Engine(policy).evaluate(book, {instrument: made_at or mark})
    numbers = {
        "notional": risk.notional,
        "unRealizedProfit": risk.unrealized_pnl,
        "positionInitialMargin": risk.initial_margin,
        "maintMargin": risk.maintenance_margin,
        "isolatedMargin": risk.equity,
        "liquidationPrice": risk.liquidation_price,
    }
    return [
        {
            "symbol": instrument,
            "positionAmt": str(quantity),
            "entryPrice": "60000.00000000",
            "markPrice": f"{mark:.8f}",
            "leverage": "10",
            "marginType": "isolated",
            "isolatedWallet": f"{margin:.8f}",
            **{field: f"{float(values[0]):.8f}" for field, values in numbers.items()},
            **changed,
        }
    ]


def number(result: Reconciliation, field: str, row: int = 0) -> ReconciledNumber:
    """Number of a field, of the first position or another."""
    return [each for each in result.numbers if each.field == field][row]


def test_numbers_made_by_the_same_rules_agree() -> None:
    result = reconcile(binance_reply(), "binance", policy=POLICY)
    assert [each.verdict for each in result.numbers] == [Verdict.SAME] * 6
    assert result.recovered == ()
    assert result.policies == (POLICY.id,)


def test_difference_and_share_are_those_of_the_two_numbers() -> None:
    result = reconcile(binance_reply(notional="305001.00000000"), "binance", policy=POLICY)
    notional = number(result, "notional")
    assert notional.ours == 305000.0
    assert notional.theirs == "305001.00000000"
    assert notional.difference == -1.0
    assert notional.relative == pytest.approx(-1 / 305001)


@pytest.mark.parametrize(
    ("theirs", "verdict", "cause"),
    [
        ("1016.6565", Verdict.SAME, ""),
        ("1016.65650000", Verdict.SAME, ""),
        ("1016.66", Verdict.SAME, ""),
        ("1017", Verdict.SAME, ""),
        ("1016.65", Verdict.ROUNDED, "cut"),
        ("1016", Verdict.ROUNDED, "cut"),
        ("1016.6567", Verdict.DIFFERS, ""),
        ("1016.64", Verdict.DIFFERS, ""),
    ],
)
def test_digits_of_a_margin(theirs: str, verdict: Verdict, cause: str) -> None:
    """Ours is 1016.6565; a rate implied by theirs is of no few digits and so no reason."""
    flat = lc.Instrument("X", "linear", lc.TierTable.single_rate("0.0033333"))
    data = binance_reply(POLICY.with_instruments([flat]), instrument="X", maintMargin=theirs)
    found = number(reconcile(data, "binance", policy=POLICY, instruments={"X": flat}), "maintMargin")
    assert found.ours == pytest.approx(1016.6565)
    assert (found.verdict, found.cause) == (verdict, cause)


def test_tiers_of_another_date_are_named() -> None:
    old = lc.policy("binance-usdm@2022-02-05")
    result = reconcile(binance_reply(old), "binance", policy=POLICY)
    for field in ("maintMargin", "liquidationPrice"):
        found = number(result, field)
        assert (found.verdict, found.cause) == (Verdict.DIFFERS, "date")
        assert "2022-02-05" in found.reason
        assert "2024-10-24" in found.reason
    assert number(result, "positionInitialMargin").verdict is Verdict.SAME


def test_another_tier_of_the_same_table_is_named() -> None:
    table = lc.TierTable.marginal([(0, "0.004"), (50_000, "0.005"), (500_000, "0.01")], unit="quote")
    own = lc.Instrument("BTCUSDT", "linear", table)
    data = binance_reply(POLICY.with_instruments([own]))
    # Rate of the third tier, and its deduction: 305,000 * 0.01 - 2550.
    data[0]["maintMargin"] = "500.00000000"
    found = number(reconcile(data, "binance", policy="generic", instruments={"BTCUSDT": own}), "maintMargin")
    assert (found.verdict, found.cause) == (Verdict.DIFFERS, "tier")
    assert "tier 3" in found.reason
    assert "deduction 2550" in found.reason


def test_a_rate_without_its_deduction_is_named() -> None:
    data = binance_reply()
    rates = POLICY.instruments["BTCUSDT"].tiers.rates
    data[0]["maintMargin"] = f"{305_000 * rates[1]:.8f}"
    found = number(reconcile(data, "binance", policy=POLICY), "maintMargin")
    assert (found.verdict, found.cause) == (Verdict.DIFFERS, "tier")
    assert "on the whole position" in found.reason


def test_the_rate_that_their_margin_implies_is_said() -> None:
    data = binance_reply()
    data[0]["maintMargin"] = f"{305_000 * 0.0123:.8f}"
    found = number(reconcile(data, "binance", policy=POLICY), "maintMargin")
    assert (found.verdict, found.cause) == (Verdict.DIFFERS, "rate")
    assert "0.0123 of the value" in found.reason


def test_a_requirement_at_entry_is_named() -> None:
    old_rule = POLICY.replace(requirement_basis_isolated="entry", initial_margin_basis_isolated="entry")
    result = reconcile(binance_reply(old_rule), "binance", policy=POLICY)
    for field, rule in (
        ("positionInitialMargin", "initial_margin_basis_isolated"),
        ("maintMargin", "requirement_basis_isolated"),
        ("liquidationPrice", "requirement_basis_isolated"),
    ):
        found = number(result, field)
        assert (found.verdict, found.cause) == (Verdict.DIFFERS, "rule")
        assert found.reason.startswith(f"{rule} = 'entry'")


def test_numbers_made_at_another_price_are_named() -> None:
    data = binance_reply(made_at=60987.5, lastPrice="0")
    result = reconcile(data, "binance", policy=POLICY)
    for field in ("notional", "unRealizedProfit", "positionInitialMargin", "maintMargin", "isolatedMargin"):
        found = number(result, field)
        assert (found.verdict, found.cause) == (Verdict.DIFFERS, "price")
        assert "60987.5" in found.reason
    assert number(result, "liquidationPrice").verdict is Verdict.SAME


def test_percent_against_a_fraction_is_named() -> None:
    data = json.loads((FOLDER / "hyperliquid" / "account_2026-01-14.json").read_text())
    position = next(each["position"] for each in data["assetPositions"] if each["position"]["coin"] == "LTC")
    position["returnOnEquity"] = "-199.70668555"
    result = reconcile(data, "hyperliquid")
    found = next(
        each for each in result.numbers if each.instrument == "LTC" and each.field == "returnOnEquity"
    )
    assert (found.cause, found.verdict) == ("unit", Verdict.DIFFERS)
    assert "percent" in found.reason


def test_contracts_against_base_units_are_named() -> None:
    data = binance_reply()
    data[0] |= {"symbol": "X", "notional": "305.00000000"}
    own = lc.Instrument("X", "linear", POLICY.instruments["BTCUSDT"].tiers, contract_size=0.001)
    data[0]["positionAmt"] = "5000"
    data[0]["notional"] = "305000000.00000000"
    found = number(reconcile(data, "binance", policy=POLICY, instruments={"X": own}), "notional")
    assert (found.cause, found.verdict) == ("unit", Verdict.DIFFERS)
    assert "contracts" in found.reason


def test_a_price_rounded_to_its_tick_is_no_difference() -> None:
    exact = number(reconcile(binance_reply(), "binance", policy=POLICY), "liquidationPrice").ours
    assert exact is not None
    tick = Decimal("0.5")
    above = (Decimal(exact) // tick + 1) * tick
    own = lc.Instrument("BTCUSDT", "linear", POLICY.instruments["BTCUSDT"].tiers, tick_size=0.5)
    data = binance_reply(liquidationPrice=str(above))
    stated = number(
        reconcile(data, "binance", policy=POLICY, instruments={"BTCUSDT": own}), "liquidationPrice"
    )
    assert (stated.verdict, stated.cause) == (Verdict.ROUNDED, "tick")
    assert "rounded up to the tick of 0.5" in stated.reason
    inferred = number(reconcile(data, "binance", policy=POLICY), "liquidationPrice")
    assert (inferred.verdict, inferred.cause) == (Verdict.ROUNDED, "tick")
    assert "not stated" in inferred.reason or "if the tick is" in inferred.reason


def test_other_positions_of_the_account_explain_a_cross_price() -> None:
    """One position's tiers are old at the venue; the other's liquidation price moves with it."""
    old = lc.policy("binance-usdm@2022-02-05").instruments["ADAUSDT"]
    venue = POLICY.with_instruments([old])
    book = lc.PositionBook(
        ["BTCUSDT", "ADAUSDT"],
        [1.0, 100_000.0],
        [60_000.0, 0.5],
        margin_mode="cross",
        leverage=10.0,
        wallet_balance=20_000.0,
    )
    risk = lc.Engine(venue).evaluate(book, {"BTCUSDT": 61_000.0, "ADAUSDT": 0.4})
    rows = [
        {
            "symbol": name,
            "positionAmt": str(book.quantity[row]),
            "entryPrice": f"{book.entry_price[row]:.8f}",
            "markPrice": mark,
            "leverage": "10",
            "marginType": "cross",
            "maintMargin": f"{risk.maintenance_margin[row]:.8f}",
            "liquidationPrice": f"{risk.liquidation_price[row]:.8f}",
        }
        for row, (name, mark) in enumerate([("BTCUSDT", "61000.00000000"), ("ADAUSDT", "0.40000000")])
    ]
    result = reconcile(rows, "binance", policy=POLICY, wallet_balance={"USDT": 20_000})
    assert number(result, "maintMargin", 0).verdict is Verdict.SAME
    assert number(result, "maintMargin", 1).cause == "date"
    assert number(result, "liquidationPrice", 0).cause == "others"
    assert number(result, "liquidationPrice", 1).cause == "date"


def test_two_cross_legs_of_one_instrument_share_their_price() -> None:
    book = lc.PositionBook(
        ["BTCUSDT", "BTCUSDT"],
        [1.0, -0.4],
        [60_000.0, 62_000.0],
        margin_mode="cross",
        leverage=10.0,
        wallet_balance=9_000.0,
        position_mode="hedge",
    )
    risk = lc.Engine(POLICY).evaluate(book, {"BTCUSDT": 61_000.0})
    rows = [
        {
            "symbol": "BTCUSDT",
            "positionSide": "LONG" if row == 0 else "SHORT",
            "positionAmt": str(book.quantity[row]),
            "entryPrice": f"{book.entry_price[row]:.8f}",
            "markPrice": "61000.00000000",
            "leverage": "10",
            "marginType": "cross",
            "maintMargin": f"{risk.maintenance_margin[row]:.8f}",
            "liquidationPrice": f"{risk.liquidation_price[row]:.8f}",
        }
        for row in range(2)
    ]
    assert rows[0]["liquidationPrice"] == rows[1]["liquidationPrice"]
    result = reconcile(rows, "binance", policy=POLICY, wallet_balance={"USDT": 9_000})
    assert [each.verdict for each in result.numbers] == [Verdict.SAME] * 4


def test_a_margin_mode_that_the_reply_does_not_tell() -> None:
    folder = FOLDER / "bybit"
    data = json.loads((folder / "isolated_2022-11-25.json").read_text())
    data[0]["tradeMode"] = 0
    options: dict[str, Any] = {
        "policy": "bybit-linear@2025-10-02",
        "rules": {"closing_fee_rate": 0.0006},
        "instruments": read_instruments(folder / "instruments_2022.csv"),
    }
    as_cross = reconcile(data, "bybit", **options)
    assert number(as_cross, "liqPrice").verdict is Verdict.INPUT
    assert "is implied by it" in number(as_cross, "liqPrice").reason
    as_isolated = reconcile(data, "bybit", margin_mode="isolated", **options)
    assert number(as_isolated, "liqPrice").verdict is Verdict.SAME
    assert number(as_isolated, "bustPrice").reason == "rounded up to the tick of 0.05"


def test_a_missing_wallet_is_said_and_can_be_given() -> None:
    file = FOLDER / "binance" / "cross_2022-06-14.json"
    data = read_json(file)
    data[0]["liquidationPrice"] = "0"
    without = number(reconcile(data, "binance", policy="binance-usdm@2022-05-21"), "liquidationPrice")
    assert without.verdict is Verdict.NOT_DERIVABLE
    assert "crossWalletBalance" in without.reason
    given = reconcile(file, "binance", policy="binance-usdm@2022-05-21", wallet_balance={"USDT": "2.5"})
    assert number(given, "liquidationPrice").verdict is Verdict.DIFFERS


def test_no_price_on_either_side_agrees() -> None:
    data = binance_reply(margin=400_000.0, liquidationPrice="0")
    found = number(reconcile(data, "binance", policy=POLICY), "liquidationPrice")
    assert (found.ours, found.theirs, found.verdict) == (None, None, Verdict.SAME)


@pytest.mark.parametrize(("margin", "theirs"), [(400_000.0, "31000.00000000"), (30_000.0, "0")])
def test_a_price_on_one_side_differs(margin: float, theirs: str) -> None:
    data = binance_reply(margin=margin, liquidationPrice=theirs)
    found = number(reconcile(data, "binance", policy=POLICY), "liquidationPrice")
    assert found.verdict is Verdict.DIFFERS
    assert (found.ours is None) != (found.theirs is None)
    assert found.is_unexplained


def test_positions_of_two_products_are_evaluated_under_their_own_policies() -> None:
    linear = json.loads((FOLDER / "binance" / "v2_isolated_2022-01.json").read_text())
    inverse = json.loads((FOLDER / "binance" / "coinm_portfolio.json").read_text())
    result = reconcile(inverse + linear, "binance")
    assert [each.partition("@")[0] for each in result.policies] == ["binance-coinm", "binance-usdm"]
    assert [each.place for each in result.numbers] == ["[0]"] * 3 + ["[1]"] * 4


def test_flat_rows_are_no_positions() -> None:
    data = binance_reply()
    flat = {"symbol": "ETHUSDT", "positionAmt": "0.000", "entryPrice": "0.0"}
    assert {each.instrument for each in reconcile([flat, *data], "binance").numbers} == {"BTCUSDT"}
    assert reconcile([flat], "binance").numbers == ()
    assert "no numbers" in lc.report(reconcile([flat], "binance"))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("data", ["{}", "[1, 2]", '"text"', "[[]]", "3"])
def test_other_json_is_no_reply(tmp_path: Path, source: str, data: str) -> None:
    file = tmp_path / "reply.json"
    file.write_text(data)
    if source == "ccxt" and data == "{}":
        return  # one position without contracts
    with pytest.raises(FileFormatError) as raised:
        reconcile(file, source)
    assert raised.value.file == str(file)
    assert raised.value.expected


def test_a_broken_file_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "reply.json"
    file.write_text('[\n {"symbol": "BTCUSDT",\n]')
    with pytest.raises(FileFormatError, match="line 3") as raised:
        reconcile(file, "binance")
    assert raised.value.line == 3


def test_a_broken_number_is_refused_with_its_place() -> None:
    data = [binance_reply()[0], binance_reply(markPrice="60,000")[0]]
    with pytest.raises(FileFormatError) as raised:
        reconcile(data, "binance")
    assert raised.value.column == "[1].markPrice"
    assert raised.value.found == "'60,000'"


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(InputError, match="kraken"):
        reconcile([], "kraken")


def test_ccxt_of_an_unknown_venue_needs_a_policy() -> None:
    position = {
        "symbol": "BTC/USDT:USDT",
        "side": "short",
        "contracts": 2.0,
        "contractSize": 0.5,
        "entryPrice": 100.0,
        "markPrice": 90.0,
        "marginMode": "isolated",
        "positionMargin": 10.0,
        "unrealizedPnl": 10.0,
        "notional": 90.0,
        "info": {},
    }
    with pytest.raises(InputError, match="policy"):
        reconcile([position], "ccxt")
    result = reconcile([position], "ccxt", policy="generic")
    assert [(each.field, each.verdict.value) for each in result.numbers] == [
        ("notional", "same"),
        ("unrealizedPnl", "same"),
    ]


def test_result_as_json_and_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    file = FOLDER / "binance" / "v2_isolated_2022-01.json"
    arguments = ["reconcile", str(file), "--from", "binance", "--policy", "binance-usdm@2022-02-05"]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "4 numbers compared: 4 same; none without a reason" in shown
    assert main([*arguments, "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["counts"]["notional"] == {"same": 1}
    assert data["numbers"][0]["theirs"] == "43.53230000"
    assert data["unexplained"] == 0


def test_an_unexplained_difference_is_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "reply.json"
    file.write_text(json.dumps(binance_reply(maintMargin="1234.56789012")))
    assert main(["reconcile", str(file), "--from", "binance", "--policy", POLICY.id]) == 2
    assert "1 without a reason" in capsys.readouterr().out


def test_options_of_the_command_line_reach_the_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    folder = FOLDER / "bybit"
    code = main(
        [
            "reconcile",
            str(folder / "unified_2025-10-02.json"),
            *("--from", "bybit", "--policy", "bybit-linear@2025-10-02"),
            *("--instruments", str(folder / "instruments_2022.csv")),
            *("--account", str(folder / "wallet_2025-10-02.json")),
            *("--set", "closing_fee_rate=0.000649", "--format", "json"),
        ]
    )
    assert code == 0
    numbers = {each["field"]: each for each in json.loads(capsys.readouterr().out)["numbers"]}
    assert numbers["positionIM"]["verdict"] == "same"
    assert numbers["liqPrice"]["cause"] == "surplus"
    assert math.isclose(numbers["liqPrice"]["ours"], 176.934980782, rel_tol=1e-9)


def test_tiers_of_ccxt_need_a_policy_that_says_their_unit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = FOLDER / "ccxt" / "okx.json"
    tiers = tmp_path / "tiers.json"
    rows = [{"minNotional": 0.0, "maxNotional": 1000.0, "maintenanceMarginRate": 0.004, "maxLeverage": 100.0}]
    tiers.write_text(json.dumps({"BTC/USDT:USDT": rows}))
    arguments = ["reconcile", str(file), "--from", "ccxt", "--tiers", str(tiers), "--format", "json"]
    assert main(arguments) == 1
    assert "--policy" in capsys.readouterr().err
    only = tmp_path / "one.json"
    only.write_text(json.dumps(json.loads(file.read_text())[1:]))
    arguments[1] = str(only)
    assert main([*arguments, "--policy", "okx-linear-swap", "--set", "closing_fee_rate=0.0005"]) == 0
    numbers = {each["field"]: each for each in json.loads(capsys.readouterr().out)["numbers"]}
    assert numbers["maintenanceMargin"]["cause"] == "price"


def test_tiers_may_be_a_table_of_instruments(tmp_path: Path) -> None:
    table = tmp_path / "tiers.csv"
    table.write_text("instrument,payoff,contract_size,floor,rate,unit\nX,linear,1,0,0.01,quote\n")
    options = Namespace(tiers=str(table), source="ccxt")
    assert tiers_of(options, None)["X"].rates == (0.01,)


@pytest.mark.parametrize("text", ["USDT", "USDT=", "=3", "USDT=much"])
def test_a_wallet_that_is_no_balance_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = FOLDER / "binance" / "v2_isolated_2022-01.json"
    code = main(["reconcile", str(file), "--from", "binance", "--wallet", text])
    assert code == 1
    assert "--wallet" in capsys.readouterr().err


@pytest.mark.parametrize(
    "printed", ["50", "50.00000000", "500000", "5e5", "500000.0000", "-5000", "-5000.00000000"]
)
def test_a_unit_is_not_claimed_from_one_digit(printed: str) -> None:
    """Ours is 5000: a hundredth, a hundredfold and the other sign of it are accidents of one digit."""
    found = number(
        reconcile(binance_reply(unRealizedProfit=printed), "binance", policy=POLICY), "unRealizedProfit"
    )
    assert found.verdict is Verdict.DIFFERS
    assert found.cause != "unit"


@pytest.mark.parametrize("printed", ["50.6", "506000", "-5060.00"])
def test_a_unit_is_claimed_from_three_digits(printed: str) -> None:
    data = binance_reply(mark=61012.0, unRealizedProfit=printed)
    found = number(reconcile(data, "binance", policy=POLICY), "unRealizedProfit")
    assert (found.ours, found.cause) == (5060.0, "unit")
