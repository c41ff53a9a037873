"""Tier tables read from replies: units, deductions, and what is refused."""

import json
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import levcore as lc
from levcore.errors import FileFormatError, InputError, TierError
from levcore.venues.tiers.convert import converted
from levcore.venues.tiers.read import (
    instruments_from_mexc,
    instruments_from_okx,
    read_tiers_file,
    tiers_from_binance,
    tiers_from_bybit,
    tiers_from_ccxt,
    tiers_from_freqtrade,
    tiers_from_gate,
    tiers_from_hyperliquid,
    tiers_from_okx,
)

BINANCE: list[dict[str, Any]] = [
    {
        "symbol": "WLDUSDT",
        "notionalCoef": 1.5,
        "brackets": [
            {
                "bracket": 1,
                "initialLeverage": 50,
                "notionalCap": 5000,
                "notionalFloor": 0,
                "maintMarginRatio": 0.006,
                "cum": 0.0,
            },
            {
                "bracket": 2,
                "initialLeverage": 20,
                "notionalCap": 25000,
                "notionalFloor": 5000,
                "maintMarginRatio": 0.01,
                "cum": 20.0,
            },
        ],
    }
]

# Bybit's own table of BTCPERP of 2025-12-29, as far as its fourth row.
BYBIT_ROWS = [
    ("100000", "0.004", "0.008", "125.00", ""),
    ("1000000", "0.005", "0.01", "100.00", "100"),
    ("2000000", "0.0067", "0.0133", "75.00", "1800"),
    ("3000000", "0.01", "0.02", "50.00", "8400"),
]

# OKX's own table of 0G-USDT of 2026-05-28, as far as its third row.
OKX_ROWS = [
    ("1", "0", "20000", "0.02", "20"),
    ("2", "20001", "42000", "0.03", "15"),
    ("3", "42001", "62000", "0.04", "12.5"),
]

MEXC = {
    "symbol": "BTC_USDT",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "settleCoin": "USDT",
    "contractSize": 0.0001,
    "maxLeverage": 125,
    "priceUnit": 0.5,
    "maxVol": 1000000,
    "maintenanceMarginRate": 0.004,
    "initialMarginRate": 0.008,
    "riskBaseVol": 10000,
    "riskIncrVol": 10000,
    "riskIncrMmr": 0.004,
    "riskIncrImr": 0.004,
    "riskLevelLimit": 3,
}


def bybit(
    rows: Sequence[tuple[str, ...]] = BYBIT_ROWS, symbol: str = "BTCPERP", **changed: str
) -> dict[str, Any]:
    """Reply of ``risk-limit``, first row last, as nothing says that rows come in order."""
    fields = ("riskLimitValue", "maintenanceMargin", "initialMargin", "maxLeverage", "mmDeduction")
    made = [
        {"id": number, "symbol": symbol, **dict(zip(fields, row, strict=True))}
        for number, row in enumerate(rows)
    ]
    return {"retCode": 0, "result": {"category": "linear", "list": made[::-1], **changed}}


def okx(rows: Sequence[tuple[str, ...]] = OKX_ROWS, **changed: str) -> dict[str, Any]:
    """Reply of ``position-tiers`` for swaps."""
    fields = ("tier", "minSz", "maxSz", "mmr", "maxLever")
    common = {"instId": "", "instFamily": "0G-USDT", "uly": "0G-USDT", "quoteMaxLoan": "", **changed}
    return {"code": "0", "data": [{**common, **dict(zip(fields, row, strict=True))} for row in rows]}


def test_binance_in_quote_currency() -> None:
    table = tiers_from_binance(BINANCE)["WLDUSDT"]
    assert (table.shape, table.unit, table.cap) == ("marginal", "quote", 25000.0)
    assert table.floors == (0.0, 5000.0)
    assert table.rates == (0.006, 0.01)
    assert table.deductions == (0.0, 20.0)
    assert table.max_leverage == (50.0, 20.0)


def test_binance_one_symbol_comes_without_a_list() -> None:
    assert tiers_from_binance(BINANCE[0]) == tiers_from_binance(BINANCE)


@pytest.mark.parametrize("floor", ["qtyFloor", "qtylFloor"])
def test_binance_coin_margined_tables_are_in_coin(floor: str) -> None:
    brackets = [
        {"bracket": 1, "initialLeverage": 125, "qtyCap": 50, floor: 0, "maintMarginRatio": 0.004, "cum": 0.0},
        {
            "bracket": 2,
            "initialLeverage": 100,
            "qtyCap": 100,
            floor: 50,
            "maintMarginRatio": 0.005,
            "cum": 0.05,
        },
    ]
    table = tiers_from_binance([{"symbol": "BTCUSD_PERP", "brackets": brackets}])["BTCUSD_PERP"]
    assert (table.unit, table.floors, table.deductions) == ("base", (0.0, 50.0), (0.0, 0.05))


def test_a_deduction_that_does_not_continue_is_refused() -> None:
    data = json.loads(json.dumps(BINANCE))
    data[0]["brackets"][1]["cum"] = 25.0
    with pytest.raises(TierError) as raised:
        tiers_from_binance(data)
    assert (raised.value.instrument, raised.value.tier, raised.value.column) == ("WLDUSDT", 2, "deduction")
    assert (raised.value.expected, raised.value.found) == ("20", "25")


def test_a_missing_deduction_is_derived() -> None:
    data = json.loads(json.dumps(BINANCE))
    del data[0]["brackets"][1]["cum"]
    assert tiers_from_binance(data) == tiers_from_binance(BINANCE)


def test_a_missing_field_is_refused_with_its_place() -> None:
    data = json.loads(json.dumps(BINANCE))
    del data[0]["brackets"][1]["maintMarginRatio"]
    with pytest.raises(FileFormatError) as raised:
        tiers_from_binance(data, file="brackets.json")
    assert (raised.value.file, raised.value.column) == ("brackets.json", "[0].brackets[1].maintMarginRatio")


def test_bybit_fractions() -> None:
    table = tiers_from_bybit(bybit())["BTCPERP"]
    assert (table.unit, table.cap) == ("quote", 3e6)
    assert table.floors == (0.0, 1e5, 1e6, 2e6)
    assert table.rates == (0.004, 0.005, 0.0067, 0.01)
    assert table.deductions == (0.0, 100.0, 1800.0, 8400.0)
    assert table.max_leverage == (125.0, 100.0, 75.0, 50.0)


def test_bybit_percent_is_the_same_table() -> None:
    percent = [
        (cap, str(float(Fraction(rate) * 100)), str(float(Fraction(initial) * 100)), leverage, deduction)
        for cap, rate, initial, leverage, deduction in BYBIT_ROWS
    ]
    assert tiers_from_bybit(bybit(percent)) == tiers_from_bybit(bybit())


def test_bybit_deductions_are_compared() -> None:
    wrong = [*BYBIT_ROWS[:2], ("2000000", "0.0067", "0.0133", "75.00", "1801"), BYBIT_ROWS[3]]
    with pytest.raises(TierError, match="must continue"):
        tiers_from_bybit(bybit(wrong))


@pytest.mark.parametrize("initial", ["0.1", "10"])
def test_bybit_rates_of_an_unclear_unit_are_refused(initial: str) -> None:
    rows = [BYBIT_ROWS[0], ("1000000", "0.005", initial, "100.00", "")]
    with pytest.raises(FileFormatError, match="percent") as raised:
        tiers_from_bybit(bybit(rows))
    assert raised.value.column == "result.list[0].initialMargin"


def test_bybit_rows_of_two_units_are_refused() -> None:
    rows = [BYBIT_ROWS[0], ("1000000", "0.5", "1", "100.00", "")]
    with pytest.raises(FileFormatError, match="all fractions or all percent"):
        tiers_from_bybit(bybit(rows))


def test_bybit_inverse_is_in_coin() -> None:
    row = {"symbol": "BTCUSD", "riskLimitValue": "150", "maintenanceMargin": "0.5", "initialMargin": "1"}
    data = {"result": {"category": "inverse", "list": [{**row, "maxLeverage": "100.00"}]}}
    table = tiers_from_bybit(data)["BTCUSD"]
    assert (table.unit, table.rates, table.cap) == ("base", (0.005,), 150.0)
    with pytest.raises(FileFormatError, match="category"):
        tiers_from_bybit(data["result"]["list"])
    assert tiers_from_bybit(data["result"]["list"], category="inverse") == {"BTCUSD": table}


def test_okx_counts_contracts_and_leaves_gaps_of_one() -> None:
    table = tiers_from_okx(okx())["0G-USDT"]
    assert (table.shape, table.unit, table.cap) == ("flat", "contracts", 62000.0)
    assert table.floors == (0.0, 20000.0, 42000.0)
    assert table.rates == (0.02, 0.03, 0.04)
    assert set(table.deductions) == {0.0}


def test_okx_tiers_may_also_touch() -> None:
    touching = [
        (tier, low.replace("01", "00"), high, rate, leverage) for tier, low, high, rate, leverage in OKX_ROWS
    ]
    assert tiers_from_okx(okx(touching)) == tiers_from_okx(okx())


def test_okx_larger_gaps_are_refused() -> None:
    with pytest.raises(TierError, match="must be the cap of the tier below"):
        tiers_from_okx(okx([OKX_ROWS[0], ("2", "20005", "42000", "0.03", "15")]))


def test_okx_tiers_of_borrowed_positions_are_refused() -> None:
    with pytest.raises(FileFormatError, match="borrowed"):
        tiers_from_okx(okx(quoteMaxLoan="200000", instId="ETH-USDT"))


def test_okx_instruments_bring_contract_size_and_tick() -> None:
    tiers = tiers_from_okx(okx())
    data = {
        "data": [
            {
                "instId": "0G-USDT-SWAP",
                "instFamily": "0G-USDT",
                "ctType": "linear",
                "ctVal": "10",
                "ctMult": "1",
                "tickSz": "0.0001",
                "settleCcy": "USDT",
            },
            {"instId": "BTC-USDT-SWAP", "instFamily": "BTC-USDT", "ctType": "linear", "ctVal": "0.01"},
        ]
    }
    made = instruments_from_okx(data, tiers)
    assert list(made) == ["0G-USDT-SWAP"]
    instrument = made["0G-USDT-SWAP"]
    assert (instrument.payoff, instrument.contract_size, instrument.tick_size) == ("linear", 10.0, 0.0001)
    assert instrument.tiers == tiers["0G-USDT"]


def test_mexc_steps() -> None:
    instrument = instruments_from_mexc({"success": True, "data": [MEXC]})["BTC_USDT"]
    assert (instrument.payoff, instrument.contract_size, instrument.tick_size) == ("linear", 0.0001, 0.5)
    table = instrument.tiers
    assert (table.shape, table.unit, table.cap) == ("flat", "contracts", 30000.0)
    assert table.floors == (0.0, 10000.0, 20000.0)
    assert table.rates == (0.004, 0.008, 0.012)
    assert table.max_leverage == (125.0, float(Fraction(1, Fraction("0.012"))), 62.5)


def test_mexc_one_contract_and_one_tier() -> None:
    single = instruments_from_mexc({"data": {**MEXC, "riskIncrVol": 0}})["BTC_USDT"].tiers
    assert (single.rates, single.cap) == ((0.004,), 1e6)


def test_mexc_where_the_first_tier_ends_must_be_stated_if_it_is_unclear() -> None:
    unclear = {**MEXC, "riskIncrVol": 200000}
    with pytest.raises(FileFormatError, match="not stated by the venue") as raised:
        instruments_from_mexc([unclear])
    assert raised.value.column == "[0].riskBaseVol"
    by_base = instruments_from_mexc([unclear], first_cap="base")["BTC_USDT"].tiers
    by_increment = instruments_from_mexc([unclear], first_cap="increment")["BTC_USDT"].tiers
    assert by_base.floors == (0.0, 10000.0, 210000.0)
    assert by_increment.floors == (0.0, 200000.0, 400000.0)


def test_gate_with_deductions_is_marginal() -> None:
    rows = [
        {
            "contract": "X",
            "risk_limit": "500000",
            "maintenance_rate": "0.01",
            "leverage_max": "50",
            "deduction": "0",
        },
        {
            "contract": "X",
            "risk_limit": "1000000",
            "maintenance_rate": "0.02",
            "leverage_max": "33",
            "deduction": "5000",
        },
    ]
    table = tiers_from_gate(rows)["X"]
    assert (table.shape, table.unit, table.deductions, table.cap) == ("marginal", "quote", (0.0, 5000.0), 1e6)


def test_gate_without_deductions_must_state_the_shape() -> None:
    rows = [
        {"risk_limit": "1000000", "maintenance_rate": "0.004", "leverage_max": "125"},
        {"risk_limit": "2000000", "maintenance_rate": "0.008", "leverage_max": "83.33"},
    ]
    with pytest.raises(FileFormatError, match="contract"):
        tiers_from_gate(rows)
    with pytest.raises(InputError, match="marginal or flat"):
        tiers_from_gate(rows, contract="BTC_USDT")
    flat = tiers_from_gate(rows, contract="BTC_USDT", shape="flat")["BTC_USDT"]
    assert (flat.shape, flat.unit, flat.rates) == ("flat", "risk_limit", (0.004, 0.008))
    marginal = tiers_from_gate(rows, contract="BTC_USDT", shape="marginal")["BTC_USDT"]
    assert (marginal.unit, marginal.deductions) == ("quote", (0.0, 4000.0))


def test_hyperliquid_rates_follow_from_leverage() -> None:
    tiers = [{"lowerBound": "0.0", "maxLeverage": 40}, {"lowerBound": "150000000.0", "maxLeverage": 20}]
    meta = {
        "universe": [
            {"name": "BTC", "maxLeverage": 40, "marginTableId": 56},
            {"name": "WIF", "maxLeverage": 5, "marginTableId": 5},
        ],
        "marginTables": [[56, {"description": "tiered 40x", "marginTiers": tiers}]],
    }
    tables = tiers_from_hyperliquid(meta)
    assert tables["BTC"] == lc.policy("hyperliquid").instruments["BTC"].tiers
    assert tables["WIF"].rates == (0.1,)
    assert tiers_from_hyperliquid([meta, []]) == tables
    with pytest.raises(FileFormatError, match="margin table"):
        tiers_from_hyperliquid(
            {**meta, "universe": [{"name": "BTC", "maxLeverage": 50, "marginTableId": 56}]}
        )


def ccxt(info: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Tiers as ccxt 4.5.90 returns them for WLDUSDT, with another raw row."""
    first = {
        "tier": 1.0,
        "minNotional": 0.0,
        "maxNotional": 5000.0,
        "maintenanceMarginRate": 0.006,
        "maxLeverage": 50.0,
    }
    second = {
        "tier": 2.0,
        "minNotional": 5000.0,
        "maxNotional": 25000.0,
        "maintenanceMarginRate": 0.01,
        "maxLeverage": 20.0,
    }
    return {"WLD/USDT:USDT": [{**first, "info": {}}, {**second, "info": info}]}


@pytest.mark.parametrize("info", [{}, {"cum": 20.0}, {"cum": "20.0"}, {"mmDeduction": "20"}])
def test_ccxt_deductions_come_from_the_raw_row_or_are_derived(info: dict[str, Any]) -> None:
    found = tiers_from_ccxt(ccxt(info), unit="quote")["WLD/USDT:USDT"]
    assert found == tiers_from_binance(BINANCE)["WLDUSDT"]


def test_ccxt_raw_deductions_are_compared() -> None:
    with pytest.raises(TierError, match="must continue"):
        tiers_from_ccxt(ccxt({"cum": "21"}), unit="quote")


def test_ccxt_contracts_called_notional() -> None:
    table = tiers_from_ccxt(ccxt({}), unit="contracts")["WLD/USDT:USDT"]
    assert (table.shape, table.unit, table.deductions) == ("flat", "contracts", (0.0, 0.0))


def test_ccxt_tier_without_a_rate_is_refused() -> None:
    tier: dict[str, Any] = {
        "tier": 0,
        "minNotional": None,
        "maxNotional": None,
        "maintenanceMarginRate": None,
        "info": {},
    }
    with pytest.raises(FileFormatError, match="ccxt knows no rate"):
        tiers_from_ccxt({"BTC/USDT:USDT": [tier]}, unit="contracts")


def test_freqtrade_is_the_bundled_table(tmp_path: Path) -> None:
    """The file's form, with texts inside of info, made of a bundled table: it reads back as that table."""
    bundled = lc.policy("binance-usdm@2024-10-24").instruments["BTCUSDT"].tiers
    caps = [*bundled.floors[1:], bundled.cap]
    rows = zip(bundled.floors, caps, bundled.rates, bundled.max_leverage, bundled.deductions, strict=True)
    data = {
        "BTC/USDT:USDT": [
            {
                "tier": float(number),
                "currency": "USDT",
                "minNotional": floor,
                "maxNotional": cap,
                "maintenanceMarginRate": rate,
                "maxLeverage": leverage,
                "info": {"bracket": str(number), "cum": repr(deduction)},
            }
            for number, (floor, cap, rate, leverage, deduction) in enumerate(rows, 1)
        ]
    }
    assert tiers_from_freqtrade(data) == {"BTC/USDT:USDT": bundled}
    file = tmp_path / "tiers.json"
    file.write_text(json.dumps(data))
    assert read_tiers_file(file, "freqtrade") == {"BTC/USDT:USDT": bundled}
    assert read_tiers_file(file, "ccxt", unit="quote") == {"BTC/USDT:USDT": bundled}
    with pytest.raises(InputError, match="unit"):
        read_tiers_file(file, "ccxt")


def test_files_of_every_source(tmp_path: Path) -> None:
    replies: dict[str, Any] = {"binance": BINANCE, "bybit": bybit(), "okx": okx(), "mexc": [MEXC]}
    for source, data in replies.items():
        file = tmp_path / f"{source}.json"
        file.write_text(json.dumps(data))
        assert len(read_tiers_file(file, source)) == 1, source
    with pytest.raises(InputError, match="kraken"):
        read_tiers_file(tmp_path / "binance.json", "kraken")


@pytest.mark.parametrize(
    "load",
    [
        tiers_from_binance,
        tiers_from_bybit,
        tiers_from_freqtrade,
        tiers_from_gate,
        tiers_from_hyperliquid,
        tiers_from_okx,
        instruments_from_mexc,
    ],
)
@pytest.mark.parametrize("data", ["text", 3, {"a": 1}, [1], [[1]]])
def test_other_data_is_no_table(load: Any, data: Any) -> None:
    with pytest.raises(FileFormatError):
        load(data)


def okx_tiers(*bounds: tuple[str, str]) -> list[dict[str, str]]:
    """Rows of OKX's reply with these ends, at rising rates."""
    return [
        {
            "instFamily": "X-USDT",
            "tier": str(n),
            "minSz": low,
            "maxSz": high,
            "mmr": f"0.00{n}",
            "maxLever": "9",
        }
        for n, (low, high) in enumerate(bounds, 1)
    ]


@pytest.mark.parametrize("lot", ["0", "1", "0.1", "0.01", "0.001"])
def test_okx_floors_one_lot_above_the_cap_below(lot: str) -> None:
    """As ETH-USDT of 2026-05-12 has them: 0 to 5000, 5000.01 to 10000, 10000.01 to 25000."""
    above = [str(Decimal(cap) + Decimal(lot)) for cap in ("5000", "10000")]
    table = tiers_from_okx(okx_tiers(("0", "5000"), (above[0], "10000"), (above[1], "25000")))["X-USDT"]
    assert (table.floors, table.cap) == ((0.0, 5000.0, 10000.0), 25000.0)


@pytest.mark.parametrize(
    ("first", "second"),
    [("0.02", "0.02"), ("0.01", "0.1"), ("1", "0.01"), ("-1", "-1"), ("10", "10"), ("2", "2")],
)
def test_okx_gaps_that_are_no_lot_are_refused(first: str, second: str) -> None:
    above = [str(Decimal(cap) + Decimal(gap)) for cap, gap in (("5000", first), ("10000", second))]
    with pytest.raises(TierError, match="cap of the tier below"):
        tiers_from_okx(okx_tiers(("0", "5000"), (above[0], "10000"), (above[1], "25000")))


# Two of six tiers that contract/detail listed for ADA_USDT on 2025-08-03, beside fields that describe one.
MEXC_CUSTOM = {
    **MEXC,
    "riskIncrVol": 0,
    "riskLevelLimit": 1,
    "riskBaseVol": 2800000,
    "riskLimitMode": "CUSTOM",
    "riskLimitType": "BY_VOLUME",
    "riskLimitCustom": [
        {"level": 2, "maxVol": 2800000, "mmr": 0.004, "imr": 0.005, "maxLeverage": 200},
        {"level": 1, "maxVol": 140000, "mmr": 0.0023, "imr": 0.00333333, "maxLeverage": 300},
    ],
}


def test_mexc_listed_tiers_are_read() -> None:
    table = instruments_from_mexc([MEXC_CUSTOM])["BTC_USDT"].tiers
    assert (table.floors, table.cap) == ((0.0, 140000.0), 2800000.0)
    assert (table.rates, table.max_leverage) == ((0.0023, 0.004), (300.0, 200.0))
    assert (table.shape, table.unit) == ("flat", "contracts")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"riskLimitType": "BY_VALUE"}, "contracts"),
        ({"riskLimitCustom": []}, "must list the tiers"),
        ({"riskLimitCustom": None}, "list"),
        ({"riskLimitCustom": [{"level": 1, "maxVol": 5}]}, "mmr"),
        ({"riskLimitCustom": [{"level": 1, "mmr": 0.01}]}, "maxVol"),
        ({"riskLimitCustom": {"level": 1}}, "list of objects"),
    ],
)
def test_mexc_listed_tiers_that_say_too_little_are_refused(change: dict[str, Any], match: str) -> None:
    with pytest.raises(FileFormatError, match=match):
        instruments_from_mexc([{**MEXC_CUSTOM, **change}])


@pytest.mark.parametrize(
    "change", [{"initialMarginRate": 0}, {"riskLevelLimit": 1e9}, {"riskLevelLimit": 1.5}]
)
def test_mexc_steps_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(FileFormatError):
        instruments_from_mexc([{**MEXC, **change}])


@pytest.mark.parametrize(
    ("source", "reply", "told"),
    [
        ("okx", {"code": "50011", "msg": "Too Many Requests", "data": []}, "the reply is an error"),
        ("bybit", {"retCode": 10006, "retMsg": "Too many visits!", "result": {"list": []}}, "an error"),
        ("mexc", {"success": False, "code": 510, "message": "too frequent", "data": []}, "is an error"),
        ("okx", {"code": "0", "data": []}, "holds no tiers"),
        ("bybit", {"retCode": 0, "result": {"list": []}}, "holds no tiers"),
        ("binance", [], "holds no tiers"),
        ("gate", [], "holds no tiers"),
        ("mexc", {"success": True, "code": 0, "data": []}, "holds no tiers"),
        ("ccxt", {}, "holds no tiers"),
    ],
)
def test_a_reply_that_failed_or_holds_nothing_is_no_table(
    source: str, reply: Any, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "reply.json"
    file.write_text(json.dumps(reply))
    with pytest.raises(FileFormatError, match=told):
        read_tiers_file(file, source, unit="quote")
    with pytest.raises(FileFormatError, match=told):
        converted(file, source, unit="quote")
