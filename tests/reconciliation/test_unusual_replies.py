"""Replies that were once read wrongly, or not at all: what is right for each, and others of its kind."""

import json
from pathlib import Path
from typing import Any

import pytest

import levcore as lc
from levcore.cli.exit_codes import FAILED, FOUND, NOTHING_COMPARED, OK
from levcore.cli.main import main
from levcore.errors import FileFormatError
from levcore.files.instruments import read_instruments
from levcore.reconciliation.reconcile import reconcile
from levcore.reconciliation.result import ReconciledNumber, Reconciliation, Verdict
from levcore.venues.json import read_json
from levcore.venues.positions.reply import read_account, read_reply
from levcore.venues.tiers.read import read_tiers_file
from support.replies import FOLDER as REPLIES

FOLDER = Path(__file__).parents[1] / "data" / "unusual_replies"


def load(name: str) -> Any:
    """Parsed file of this folder."""
    return read_json(FOLDER / name)


def number(result: Reconciliation, field: str) -> ReconciledNumber:
    """First number of a field."""
    return next(each for each in result.numbers if each.field == field)


def run(data: Any, tmp_path: Path, *arguments: str) -> int:
    """Exit code of ``levcore reconcile`` of parsed JSON."""
    file = tmp_path / "reply.json"
    file.write_text(json.dumps(data))
    return main(["reconcile", str(file), *arguments])


def test_every_file_says_where_it_is_from() -> None:
    sources = load("index.json")
    files = {each.name for each in FOLDER.iterdir()} - {"index.json"}
    assert set(sources) == files
    assert all(sources.values())


BINANCE_FLAT = [{"symbol": "BTCUSDT", "positionAmt": "0.000", "entryPrice": "0.0"}]
WITHOUT_A_NUMBER = [{"symbol": "BTCUSDT", "positionAmt": "1", "entryPrice": "60000", "marginType": "cross"}]


@pytest.mark.parametrize(
    ("source", "data"),
    [
        ("ccxt", "ccxt_contracts_null.json"),
        ("binance", []),
        ("binance", BINANCE_FLAT),
        ("binance", WITHOUT_A_NUMBER),
        ("binance", [{**WITHOUT_A_NUMBER[0], "positionAmt": "NaN"}]),
        ("binance", "binance_price_nan.json"),
        ("bybit", {"retCode": 0, "result": {"list": []}}),
        (
            "bybit",
            {"result": {"category": "option", "list": [{"symbol": "X-C", "side": "Buy", "size": "1"}]}},
        ),
        ("bybit", {"result": [{"data": {"symbol": "X", "side": "Buy", "size": "1"}, "is_valid": False}]}),
        ("okx", {"code": "0", "data": []}),
        ("okx", {"code": "0", "data": [{"instId": "BTC-USD-C", "instType": "OPTION", "pos": "1"}]}),
        ("okx", {"data": [{"instId": "LTC-USDT", "instType": "MARGIN", "mgnMode": "cross", "pos": "1"}]}),
        ("okx", {"data": [{"instId": "LTC-USDT", "instType": "MARGIN", "mgnMode": "isolated", "pos": "1"}]}),
        ("hyperliquid", {"assetPositions": []}),
        ("hyperliquid", {"assetPositions": [{"position": {"coin": "BTC", "szi": None}}]}),
    ],
)
def test_nothing_compared_is_no_success(
    source: str, data: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = load(data) if isinstance(data, str) else data
    code = run(data, tmp_path, "--from", source, "--policy", "generic" if source == "ccxt" else "")
    if source != "ccxt":
        code = run(data, tmp_path, "--from", source)
    assert code == NOTHING_COMPARED
    shown = capsys.readouterr()
    assert "0 numbers compared" in shown.err
    sizes = read_reply(data, source)
    result = reconcile(data, source, policy="generic" if source == "ccxt" else None)
    assert all(line in shown.out for line in result.left_out)
    assert len(result.left_out) == len(sizes.left_out) + len(sizes.positions) + len(sizes.borrowed)
    assert all(line.partition(": ")[2] for line in result.left_out)
    assert result.flat == (1 if data == BINANCE_FLAT else 0)


def test_one_position_left_out_beside_one_compared_is_no_success(tmp_path: Path) -> None:
    good = read_json(REPLIES / "binance" / "v2_isolated_2022-01.json")
    assert run(good, tmp_path, "--from", "binance", "--policy", "binance-usdm@2022-02-05") == OK
    bad = [*good, {**WITHOUT_A_NUMBER[0], "positionAmt": None}]
    assert run(bad, tmp_path, "--from", "binance", "--policy", "binance-usdm@2022-02-05") == NOTHING_COMPARED
    good[0]["notional"] = "44.53230000"
    assert run([*good, bad[-1]], tmp_path, "--from", "binance", "--policy", "binance-usdm@2022-02-05") in (
        FOUND,
        NOTHING_COMPARED,
    )


@pytest.mark.parametrize(
    ("source", "data"),
    [
        ("binance", {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}),
        ("bybit", {"retCode": 10003, "retMsg": "API key is invalid.", "result": {}}),
        ("bybit", {"ret_code": 10002, "ret_msg": "invalid request", "result": None}),
        ("okx", {"code": "50111", "msg": "Invalid OK-ACCESS-KEY", "data": []}),
        ("okx", {"code": "1", "data": [{"instId": "BTC-USDT-SWAP", "pos": "1"}]}),
        ("hyperliquid", {"error": "user not found"}),
        ("hyperliquid", None),
        ("ccxt", {"success": False, "message": "rate limit"}),
        ("ccxt", {"code": 429}),
    ],
)
def test_an_error_reply_is_no_success(source: str, data: Any, tmp_path: Path) -> None:
    assert run(data, tmp_path, "--from", source) == FAILED
    with pytest.raises(FileFormatError):
        reconcile(data, source)


def first_reply(source: str) -> Any:
    """A recorded reply of a source."""
    index = json.loads((REPLIES / "index.json").read_text())
    return read_json(REPLIES / next(each["file"] for each in index if each["from"] == source))


SOURCES = ("binance", "bybit", "ccxt", "hyperliquid", "okx")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("other", SOURCES)
def test_a_reply_under_another_venues_name_says_whose_it_is(source: str, other: str) -> None:
    if source != other:
        with pytest.raises(FileFormatError) as raised:
            reconcile(first_reply(other), source)
        assert raised.value.found == f"one of {other}"


@pytest.mark.parametrize(
    ("venue", "row"),
    [
        ("Gate", {"contract": "BTC_USDT", "size": 1, "entry_price": "1", "leverage": "2"}),
        ("Bitget", {"symbol": "BTCUSDT", "holdSide": "long", "total": "1", "size": "1", "side": "x"}),
        ("MEXC", {"symbol": "BTC_USDT", "holdVol": 1, "positionType": 1}),
        ("KuCoin", {"symbol": "XBTUSDTM", "currentQty": 1, "posMaint": 2}),
        ("BitMEX", {"symbol": "XBTUSD", "currentQty": 1, "avgEntryPrice": 2}),
        ("Deribit", {"instrument_name": "BTC-PERPETUAL", "direction": "buy", "size": 1}),
        ("Kraken", {"symbol": "PF_XBTUSD", "side": "long", "size": 1, "fillTime": "2022-01-01"}),
    ],
)
@pytest.mark.parametrize("source", SOURCES)
def test_a_venue_without_a_reader_is_named(venue: str, row: dict[str, Any], source: str) -> None:
    with pytest.raises(FileFormatError) as raised:
        reconcile([row], source)
    assert raised.value.found == f"one of {venue}"


def snake(data: Any) -> Any:
    """Parsed JSON with its fields spelled with underscores."""
    if isinstance(data, dict):
        return {
            "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key): snake(value)
            for key, value in data.items()
        }
    return [snake(each) for each in data] if isinstance(data, list) else data


@pytest.mark.parametrize(
    "file",
    [
        "binance/v2_isolated_2022-01.json",
        "binance/v3_documentation.json",
        "bybit/isolated_2022-11-25.json",
        "bybit/inverse_isolated_2023-05-16.json",
        "okx/future_isolated_2021-04-27.json",
        "okx/margin_2023-01.json",
        "hyperliquid/documentation_isolated.json",
    ],
)
def test_the_same_fields_with_underscores_are_the_same_reply(file: str) -> None:
    source, data = file.partition("/")[0], read_json(REPLIES / file)
    plain, spelled = reconcile(data, source), reconcile(_wrapped(snake(data)), source)
    assert [each.verdict for each in spelled.numbers] == [each.verdict for each in plain.numbers]
    assert [each.ours for each in spelled.numbers] == [each.ours for each in plain.numbers]
    assert [each.field.replace("_", "").lower() for each in spelled.numbers] == [
        each.field.lower() for each in plain.numbers
    ]


def _wrapped(data: Any) -> Any:
    """Hyperliquid's list keeps its name, by which its replies are known."""
    if isinstance(data, dict) and "asset_positions" in data:
        data["assetPositions"] = data.pop("asset_positions")
    return data


@pytest.mark.parametrize("other", ["positionValue", "PositionValue", "positionvalue", "POSITION_VALUE"])
def test_a_field_in_two_spellings_must_say_one_thing(other: str) -> None:
    row = load("bybit_snake_case.json")[0]
    same = reconcile([{**row, other: row["position_value"]}], "bybit")
    assert [each.verdict for each in same.numbers] == [
        each.verdict for each in reconcile([row], "bybit").numbers
    ]
    with pytest.raises(FileFormatError, match="given once"):
        reconcile([{**row, other: "85"}], "bybit")


@pytest.mark.parametrize("file", ["bybit_snake_case.json", "bybit_v2_wrapped.json"])
def test_bybits_older_replies_are_read(file: str) -> None:
    result = reconcile(load(file), "bybit", rules={"closing_fee_rate": 0.0006})
    assert number(result, "position_value").verdict is Verdict.SAME
    assert result.flat == (1 if "wrapped" in file else 0)
    position = read_reply(load(file), "bybit").positions[0]
    assert (position.margin_mode, str(position.isolated_margin)) == ("isolated", "4.2")


@pytest.mark.parametrize("side", ["buy", "BUY", "Buy"])
def test_a_side_in_any_case(side: str) -> None:
    data = load("bybit_lower_case_side.json")
    data["result"]["list"][0]["side"] = side
    assert read_reply(data, "bybit").positions[0].quantity == 7
    data["result"]["list"][0]["side"] = "long"
    with pytest.raises(FileFormatError, match="Buy, Sell or None"):
        read_reply(data, "bybit")


def test_a_fee_that_other_numbers_contradict_is_not_recovered() -> None:
    tiers = read_tiers_file(FOLDER / "bybit_fee_tiers.json", "bybit")
    result = reconcile(load("bybit_fee.json"), "bybit", margin_mode="isolated", tiers=tiers)
    assert result.recovered == ()
    fee = number(result, "positionIM")
    assert fee.verdict is Verdict.NOT_DERIVABLE
    assert "0.00075 fits positionIM and positionIMByMp" in fee.reason
    assert "0.00055 fits positionIM on the value at entry and positionMM" in fee.reason
    assert "no one rate gives all of these numbers to their last digit, so none is taken" in fee.reason
    stated = reconcile(
        load("bybit_fee.json"),
        "bybit",
        margin_mode="isolated",
        tiers=tiers,
        rules={"closing_fee_rate": 0.00055},
    )
    price = number(stated, "liqPrice")
    assert price.verdict is Verdict.SAME
    assert price.ours == pytest.approx(0.503696, abs=5e-7)
    # Why 0.00055 is not taken: each margin is past the half of its last digit, 1e-8. The requirement is
    # that of a fee on a bankruptcy price rounded up to 0.49967; the initial margin is 5e-8 above that.
    maintenance = number(stated, "positionMM").ours
    assert maintenance is not None
    assert 1.3e-8 < 0.04387893 - maintenance < 1.4e-8
    assert round(7 * 0.7492 * 0.008 + 0.00055 * 7 * 0.49967, 8) == 0.04387893
    assert round(1.75075711 - (5.2465 / 3 + 0.00055 * 7 * 0.49967), 8) == 5e-8


@pytest.mark.parametrize("fee", ["0.0004", "0.00055", "0.0006", "0.00075", "0.001"])
def test_a_fee_that_fits_margin_and_requirement_is_recovered(fee: str) -> None:
    """Numbers that the engine makes under a fee give that fee back; with one of them off nothing is taken."""
    policy = lc.policy("bybit-linear@2026-05-27").replace(closing_fee_rate=float(fee))
    flat = lc.Instrument("X", "linear", lc.TierTable.single_rate("0.008"))
    book = lc.PositionBook(["X"], [7000.0], [0.7495], isolated_margin=[1750.0], leverage=[3.0])
    risk = lc.Engine(policy.with_instruments([flat])).evaluate(book, {"X": 0.7492})
    row = {
        **load("bybit_fee.json")["result"]["list"][0],
        "symbol": "X",
        "size": "7000",
        "positionBalance": "1750.0",
        "positionValue": "5246.5",
        "unrealisedPnl": "-2.1",
        "liqPrice": f"{risk.liquidation_price[0]:.6f}",
        **dict.fromkeys(("positionIM", "positionIMByMp"), f"{risk.initial_margin[0]:.8f}"),
        **dict.fromkeys(("positionMM", "positionMMByMp"), f"{risk.maintenance_margin[0]:.8f}"),
    }
    options: dict[str, Any] = {
        "policy": "bybit-linear@2026-05-27",
        "margin_mode": "isolated",
        "instruments": {"X": flat},
    }
    found = reconcile([row], "bybit", **options)
    assert [(each.name, str(each.value)) for each in found.recovered] == [("closing_fee_rate", fee)]
    assert not [each for each in found.numbers if each.verdict is Verdict.DIFFERS]
    off = f"{risk.maintenance_margin[0] * 1.0123457:.8f}"
    assert reconcile([{**row, "positionMM": off}], "bybit", **options).recovered == ()


def test_fields_with_the_same_digits_get_the_same_verdict() -> None:
    result = reconcile(
        load("bybit_fee.json"),
        "bybit",
        margin_mode="isolated",
        tiers=read_tiers_file(FOLDER / "bybit_fee_tiers.json", "bybit"),
        rules={"closing_fee_rate": 0.0006},
    )
    for first, second in (("positionIM", "positionIMByMp"), ("positionMM", "positionMMByMp")):
        one, other = number(result, first), number(result, second)
        assert one.theirs == other.theirs
        assert (one.verdict, one.cause) == (other.verdict, other.cause)


def test_the_digits_of_the_profit_pin_the_entry() -> None:
    table = read_instruments(FOLDER / "okx_one_tick_instruments.csv")
    rules = {"closing_fee_rate": 0.0005}
    for instruments in (table, {"BIGTIME-USDT-SWAP": table["BIGTIME-USDT-SWAP"]}):
        price = number(
            reconcile(load("okx_one_tick.json"), "okx", rules=rules, instruments=instruments), "liqPx"
        )
        assert (price.verdict, price.cause) == (Verdict.DIFFERS, "tick")
        assert price.ours == pytest.approx(0.0116577335375191, abs=1e-15)
        assert "one tick of 0.00001 above" in price.reason


def test_without_another_number_the_entrys_digits_leave_a_price_open() -> None:
    table = read_instruments(FOLDER / "okx_one_tick_instruments.csv")
    data = load("okx_one_tick.json")
    for field in ("upl", "uplRatio", "mgnRatio"):
        del data["data"][0][field]
    own = {
        "BIGTIME-USDT-SWAP": lc.Instrument(
            "B", "linear", table["BIGTIME-USDT-SWAP"].tiers, contract_size=10.0
        )
    }
    price = number(reconcile(data, "okx", rules={"closing_fee_rate": 0.0005}, instruments=own), "liqPx")
    assert (price.verdict, price.cause) == (Verdict.ROUNDED, "input digits")


def test_the_time_of_the_reply_chooses_the_version() -> None:
    data = load("binance_row_2022-11-24.json")
    result = reconcile(data, "binance")
    assert result.policies == ("binance-usdm@2022-11-25",)
    assert "2022-11-24" in result.notes[0]
    assert number(result, "maintMargin").verdict is Verdict.ROUNDED
    newest = number(reconcile(data, "binance", policy="binance-usdm@2026-09-29"), "maintMargin")
    assert newest.cause == "date"
    assert "2022-11-25" in newest.reason
    assert "2022-02-05" not in newest.reason


@pytest.mark.parametrize(
    ("milliseconds", "version"),
    [
        ("1643000000000", "2022-02-05"),
        ("1653100000000", "2022-05-21"),
        (1664300000000, "2022-09-27"),
        ("1702400000000", "2023-12-12"),
        (1729800000000, "2024-10-24"),
        ("1790000000000", "2026-09-29"),
        ("", "2026-09-29"),
        ("yesterday", "2026-09-29"),
        ("99", "2026-09-29"),
    ],
)
def test_versions_by_their_distance_from_the_reply(milliseconds: Any, version: str) -> None:
    data = load("binance_row_2022-11-24.json")
    data[0]["updateTime"] = milliseconds
    assert reconcile(data, "binance").policies == (f"binance-usdm@{version}",)


def test_nan_costs_the_number_that_it_is() -> None:
    result = reconcile(load("binance_price_nan.json"), "binance")
    assert number(result, "liquidationPrice").verdict is Verdict.NOT_DERIVABLE
    assert "NaN" in number(result, "liquidationPrice").reason
    assert number(result, "unrealizedProfit").ours == pytest.approx(137.01159805)


@pytest.mark.parametrize("text", ["NaN", "nan", "Infinity", "-inf", "+Infinity"])
@pytest.mark.parametrize(
    "field", ["notional", "unRealizedProfit", "liquidationPrice", "markPrice", "leverage"]
)
def test_no_number_costs_no_other(field: str, text: str) -> None:
    data = read_json(REPLIES / "binance" / "v2_isolated_2022-01.json")
    whole = reconcile(data, "binance", policy="binance-usdm@2022-02-05")
    data[0][field] = text
    result = reconcile(data, "binance", policy="binance-usdm@2022-02-05")
    assert not [each for each in result.numbers if each.verdict is Verdict.DIFFERS]
    own = [each for each in result.numbers if each.field == field]
    assert all(each.verdict is Verdict.NOT_DERIVABLE for each in own)
    assert len(result.numbers) == len(whole.numbers)
    assert result.compared >= 2


def test_a_balance_reply_is_an_account() -> None:
    accounts = read_account(load("binance_balance_v2.json"), "binance")
    assert str(accounts["USDT"].wallet_balance) == "53.35717705"
    broken: tuple[Any, ...] = ([], [{"asset": "USDT"}], {"assets": []})
    for data in broken:
        with pytest.raises(FileFormatError, match="wallet balance"):
            read_account(data, "binance")


def test_a_borrowed_short_of_okx() -> None:
    result = reconcile(load("okx_margin_short.json"), "okx")
    price = number(result, "liqPx")
    assert price.verdict is Verdict.SAME
    assert price.ours == pytest.approx(100.31430948814871, rel=1e-15)
    assert number(result, "mgnRatio").ours == pytest.approx(3.903466055555656, rel=1e-15)
    assert [(each.name, str(each.value)) for each in result.recovered] == [
        ("maintenance_rate", "0.05"),
        ("closing_fee_rate", "0.0015"),
    ]
    stated = reconcile(load("okx_margin_short.json"), "okx", rules={"closing_fee_rate": 0.0015})
    assert number(stated, "mgnRatio").verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("field", "value", "verdict"),
    [
        ("liqPx", "100.31430948815", Verdict.SAME),
        ("liqPx", "100.3143094", Verdict.ROUNDED),
        ("liqPx", "100.31", Verdict.SAME),
        ("liqPx", "100.35", Verdict.DIFFERS),
        ("liqPx", "", Verdict.DIFFERS),
        ("markPx", "", Verdict.NOT_DERIVABLE),
        ("markPx", "0", Verdict.NOT_DERIVABLE),
        ("markPx", "-3", Verdict.NOT_DERIVABLE),
        ("mmr", "0.4996", Verdict.SAME),
        ("mmr", "0.4123456789", Verdict.NOT_DERIVABLE),
        ("mgnRatio", "3.9", Verdict.DIFFERS),
        ("mgnRatio", "-3.9", Verdict.NOT_DERIVABLE),
    ],
)
def test_borrowed_positions_of_other_numbers(field: str, value: str, verdict: Verdict) -> None:
    data = load("okx_margin_short.json")
    data["data"][0][field] = value
    assert number(reconcile(data, "okx"), "liqPx").verdict is verdict


def test_an_unknown_rule_costs_the_numbers_that_need_it() -> None:
    """The classic cross account of Bybit, whose rule for the fee is known and not computed."""
    table = lc.TierTable.single_rate("0.005", unit="base")
    result = reconcile(
        REPLIES / "bybit" / "inverse_push_2023-09-13.json",
        "bybit",
        policy="bybit-inverse@2024-09-10",
        rules={"closing_fee_rate": 0.0006},
        wallet_balance={"BTC": "0.0001"},
        instruments={"BTCUSD": lc.Instrument("BTCUSD", "inverse", table)},
    )
    assert number(result, "positionValue").verdict is Verdict.SAME
    price = number(result, "liqPrice")
    assert price.verdict is Verdict.NOT_DERIVABLE
    assert "--set closing_fee_bankruptcy_cross=VALUE" in price.reason


@pytest.mark.parametrize(
    "rule",
    ["requirement_basis_isolated", "closing_fee_basis", "initial_margin_rule", "maintenance_rate_rule"],
)
def test_rules_made_unknown_cost_no_value_and_no_profit(rule: str) -> None:
    policy = lc.policy("binance-usdm@2022-02-05")
    policy = policy.replace(**{rule: "unknown"})
    data = read_json(REPLIES / "binance" / "v2_isolated_2022-01.json")
    result = reconcile(data, "binance", policy=policy)
    assert number(result, "notional").verdict is Verdict.SAME
    assert number(result, "unRealizedProfit").verdict is Verdict.SAME
    price = number(result, "liquidationPrice")
    assert price.verdict is Verdict.SAME or rule in price.reason


def test_an_implied_wallet_is_said_to_be_implied() -> None:
    file = REPLIES / "binance" / "cross_2022-06-14.json"
    price = number(reconcile(file, "binance"), "liquidationPrice")
    assert price.verdict is Verdict.INPUT
    assert "wallet_balance 2.53267053 is implied by it" in price.reason


@pytest.mark.parametrize("wallet", [4000.0, 9000.125, 20_000.5, 34_567.89, 58_000.0001])
def test_the_wallet_that_cross_prices_imply(wallet: float) -> None:
    """Two positions of one account print prices of one wallet; with one of them off there is none."""
    policy = lc.policy("binance-usdm@2024-10-24")
    book = lc.PositionBook(
        ["BTCUSDT", "ETHUSDT"], [1.0, -10.0], [60_000.0, 3_000.0], margin_mode="cross", leverage=20.0,
        wallet_balance=wallet,
    )  # fmt: skip
    risk = lc.Engine(policy).evaluate(book, {"BTCUSDT": 61_000.0, "ETHUSDT": 3_010.0})
    rows = [
        {
            "symbol": name,
            "positionAmt": str(book.quantity[row]),
            "entryPrice": f"{book.entry_price[row]:.8f}",
            "markPrice": f"{mark:.8f}",
            "leverage": "20",
            "marginType": "cross",
            "maintMargin": f"{risk.maintenance_margin[row]:.8f}",
            "liquidationPrice": "0"
            if risk.liquidation_price[row] != risk.liquidation_price[row]
            else f"{risk.liquidation_price[row]:.8f}",
        }
        for row, (name, mark) in enumerate([("BTCUSDT", 61_000.0), ("ETHUSDT", 3_010.0)])
    ]
    result = reconcile(rows, "binance", policy=policy)
    wallets = [each for each in result.recovered if each.name == "wallet_balance"]
    assert [float(each.value) for each in wallets] == [pytest.approx(wallet, abs=1e-6)]
    rows[1]["liquidationPrice"] = f"{float(rows[1]['liquidationPrice']) * 1.01:.8f}"
    assert not [
        each for each in reconcile(rows, "binance", policy=policy).recovered if each.name == "wallet_balance"
    ]
