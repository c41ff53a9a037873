"""Instruments: the bundled tables against their sources' rules, look-ups, and tables of the caller's."""

import math
import pickle
from pathlib import Path

import pytest

import levcore as lc
from levcore.errors import FileFormatError, InputError, TierError, UnknownInstrumentError
from levcore.files.instruments import read_instruments
from levcore.rules.instruments import Instrument, InstrumentTable, plain_symbol
from levcore.rules.tiers import Number, TierTable

NEWEST = "binance-usdm-2026-09-29"
SINGLE = TierTable.single_rate("0.01")


def test_known_tiers_of_known_days() -> None:
    first = InstrumentTable.bundled("binance-usdm-2022-02-05")["BTCUSDT"].tiers
    assert first.floors[:3] == (0.0, 50_000.0, 250_000.0)
    assert first.max_leverage[0] == 125
    assert first.deductions[:4] == (0.0, 50.0, 1_300.0, 16_300.0)
    newest = InstrumentTable.bundled(NEWEST)["BTCUSDT"].tiers
    assert (newest.rates[0], newest.max_leverage[0], newest.floors[1]) == (0.004, 150, 300_000)
    assert "LUNAUSDT" in InstrumentTable.bundled("binance-usdm-2022-04-16")
    assert "LUNAUSDT" not in InstrumentTable.bundled("binance-usdm-2022-05-21")


def test_sentinel_caps_are_unbounded_and_dated_contracts_stand_apart() -> None:
    table = InstrumentTable.bundled("binance-usdm-2022-02-05")
    assert table["BTCUSDT_210326"].tiers.cap == math.inf
    assert table["BTCUSDT"].tiers.cap < math.inf
    assert InstrumentTable.bundled("binance-usdm-2023-12-12")["BTCUSDT_231229"].settlement == "USDT"
    assert InstrumentTable.bundled(NEWEST)["ETHBTC"].settlement == "BTC"


def test_hyperliquid_rates_are_half_of_the_initial_rate() -> None:
    btc = InstrumentTable.bundled("hyperliquid-2026-08-07")["BTC"].tiers
    assert (btc.rates, btc.deductions, btc.cap) == ((0.0125, 0.025), (0.0, 1_875_000.0), math.inf)


@pytest.mark.parametrize(
    ("symbol", "plain"),
    [
        ("BTC/USDT:USDT", "BTCUSDT"),
        ("BTC/USDC:USDC", "BTCUSDC"),
        ("RAY/USDT", "RAYUSDT"),
        ("BTC/USDT:USDT-231229", "BTCUSDT_231229"),
        ("ETH/BTC:BTC", "ETHBTC"),
        ("BTC/USD:BTC", "BTC/USD:BTC"),  # an inverse contract, which venues name in ways of their own
        ("BTCUSDT", "BTCUSDT"),
        ("BTC-USDT-SWAP", "BTC-USDT-SWAP"),
    ],
)
def test_plain_symbols(symbol: str, plain: str) -> None:
    assert plain_symbol(symbol) == plain


def test_look_ups_take_both_spellings_and_name_what_is_close() -> None:
    table = InstrumentTable.bundled(NEWEST)
    assert table["BTC/USDT:USDT"] == table["BTCUSDT"]
    assert "BTC/USDC:USDC" in table
    assert 7 not in table  # type: ignore[comparison-overlap]
    assert table.get("NOSUCH") is None
    with pytest.raises(UnknownInstrumentError, match="one of 907 instruments, such as BTCUSDT") as caught:
        table["BTCUSD"]
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(UnknownInstrumentError, match="this table is empty"):
        InstrumentTable()["BTCUSDT"]


def test_with_instruments_adds_and_replaces() -> None:
    table = InstrumentTable.bundled(NEWEST)
    mine = [Instrument("BTCUSDT", "linear", SINGLE), Instrument("MINE", "inverse", SINGLE)]
    more = table.with_instruments(mine)
    assert len(more) == len(table) + 1
    assert list(more)[-1] == "MINE"
    assert more["BTCUSDT"].tiers == SINGLE
    assert table["BTCUSDT"].tiers != SINGLE
    assert more == table.with_instruments({each.name: each for each in mine})
    assert more != table
    with pytest.raises(InputError, match="two have one name"):
        table.with_instruments([mine[0], mine[0]])
    with pytest.raises(InputError, match="a key must be its instrument's name"):
        table.with_instruments({"OTHER": mine[0]})


def test_tables_pickle_small_compare_and_hash() -> None:
    table = InstrumentTable.bundled(NEWEST).with_instruments([Instrument("MINE", "linear", SINGLE)])
    packed = pickle.dumps(table)
    assert len(packed) < 1_000
    assert pickle.loads(packed) == table
    assert hash(pickle.loads(packed)) == hash(table)
    assert InstrumentTable.bundled("binance-usdm-2022-02-05") == InstrumentTable.bundled(
        "binance-usdm-2022-04-16"
    )
    assert table != "BTCUSDT"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("payoff", "option"),
        ("contract_size", 0.0),
        ("contract_size", math.inf),
        ("multiplier", math.nan),
        ("multiplier", 2.0),
        ("tick_size", -0.1),
        ("tiers", 0.01),
        ("short_tiers", 0.01),
        ("initial_tiers", 0.01),
        ("settlement", None),
        ("underlying", 5),
        ("funding_rate", math.nan),
    ],
)
def test_instruments_refuse_values_out_of_range(field: str, value: object) -> None:
    fields = {"name": "X", "payoff": "linear", "tiers": SINGLE} | {field: value}
    with pytest.raises(lc.LevcoreError, match=field.replace("name", "instrument")):
        Instrument(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 5),
        ("weights", 0.9),
        ("weights", ("0.9",)),
        ("weights", (None,)),
        ("weights", (0.9, 0.95)),
        ("floors", 0),
        ("floors", (None,)),
        ("floors", (1.0,)),
        ("liability_weight", "1.1"),
        ("liability_weight", 0.9),
        ("liability_tiers", 0.01),
        ("underlying", 5),
        ("unit", "coins"),
    ],
)
def test_assets_refuse_values_that_are_none(field: str, value: object) -> None:
    with pytest.raises(InputError, match="asset"):
        lc.Asset(**({"name": "X"} | {field: value}))  # type: ignore[arg-type]


HEADER = "instrument,payoff,contract_size,multiplier,tick_size,tier,floor,rate,deduction,max_leverage,unit"
BTC = "BTCUSDT,linear,1,,0.1,1,0,0.004,0,125,quote"


def write(folder: Path, *lines: str) -> Path:
    path = folder / "instruments.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_csv_of_every_payoff(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        HEADER + ",cap,settlement",
        BTC + ",50000,USDT",
        "BTCUSDT,linear,1,,0.1,2,50000,0.005,,100,quote,,USDT",
        "",
        "BTCUSD,inverse,100,,0.5,1,0,0.004,,,base,,BTC",
        "ETHUSD,quanto,1,0.000001,0.05,,0,0.01,,50,risk_limit,50,XBT",
        "ETHUSD,quanto,1,0.000001,0.05,,50,0.015,,33,risk_limit,100,XBT",
    )
    table = read_instruments(path, as_of="2026-01-01")
    assert list(table) == ["BTCUSDT", "BTCUSD", "ETHUSD"]
    assert (table.source, table.as_of) == (str(path), "2026-01-01")
    assert table["BTCUSDT"] == Instrument(
        "BTCUSDT",
        "linear",
        TierTable(
            "marginal", "quote", (0.0, 50_000.0), (0.004, 0.005), (0.0, 50.0), math.inf, (125.0, 100.0)
        ),
        tick_size=0.1,
        settlement="USDT",
    )
    assert table["BTCUSD"].tiers.is_single_rate
    assert table["ETHUSD"].multiplier == 1e-6
    assert table["ETHUSD"].tiers.shape == "flat"
    assert table["ETHUSD"].tiers.cap == 100


def test_a_csv_with_a_table_for_each_purpose(tmp_path: Path) -> None:
    more = ",underlying,funding_rate,slope,table"
    path = write(
        tmp_path,
        HEADER + more,
        BTC + ",BTC,0.0001,,",
        "BTCUSDT,linear,1,,0.1,2,50000,0.005,,100,quote,BTC,0.0001,,maintenance",
        "BTCUSDT,linear,1,,0.1,1,0,0.006,,100,quote,BTC,0.0001,,short",
        "BTCUSDT,linear,1,,0.1,,0,0.02,,50,base,BTC,0.0001,0.000005,initial",
    )
    found = read_instruments(path)["BTCUSDT"]
    assert found == Instrument(
        "BTCUSDT",
        "linear",
        TierTable.marginal([(0, "0.004", None, 125), (50_000, "0.005", None, 100)], unit="quote"),
        tick_size=0.1,
        underlying="BTC",
        short_tiers=TierTable.single_rate("0.006", 100),
        initial_tiers=TierTable.growing("0.02", "0.000005", max_leverage=50),
        funding_rate=0.0001,
    )


CSV_FAULTS = {
    "an unknown table": ([HEADER + ",table", BTC + ",longs"], 2, "table", "maintenance or short or initial"),
    "no maintenance tiers": ([HEADER + ",table", BTC + ",short"], 2, "table", "has no maintenance tiers"),
    "two growing rows": (
        [
            HEADER.replace(",tier", ",slope"),
            *["BTCUSDT,linear,1,,,0.1,0,0.01,,,base"] * 2,
        ],
        3,
        None,
        "a growing table has one row",
    ),
    "a growing rate that does not start at 0": (
        [HEADER.replace(",tier", ",slope"), "BTCUSDT,linear,1,,,0.1,5,0.01,,,base"],
        2,
        "floor",
        "must be 0 in a growing table",
    ),
    "a growing shape without slope": (
        [HEADER + ",shape", BTC.replace("quote", "base") + ",growing"],
        2,
        "slope",
        "must be given",
    ),
    "two funding rates": (
        [HEADER + ",funding_rate", BTC + ",0.1", BTC.replace(",1,0,", ",2,9,") + ",0.2"],
        3,
        "funding_rate",
        "must be the same in every row of an instrument",
    ),
    "a funding rate of 100 %": ([HEADER + ",funding_rate", BTC + ",1"], 2, "funding_rate", "fraction"),
    "an empty file": ([""], None, None, "must have a header line"),
    "no unit": ([HEADER.removesuffix(",unit")], 1, "unit", "is missing"),
    "a misspelt column": (
        [HEADER.replace("deduction", "deducton")],
        1,
        "deducton",
        "is no column of instruments",
    ),
    "a column twice": ([HEADER + ",rate"], 1, "rate", "stands twice"),
    "too few cells": (
        [HEADER, BTC, "BTCUSDT,linear"],
        3,
        "contract_size",
        "the line is ragged; expected 11 cells as in the header, found 2",
    ),
    "a floor that is no number": (
        [HEADER, BTC.replace(",0,0.004", ",zero,0.004")],
        2,
        "floor",
        "must be a number",
    ),
    "no floor": ([HEADER, BTC.replace(",0,0.004", ",,0.004")], 2, "floor", "must be given"),
    "no name": ([HEADER, BTC.replace("BTCUSDT", "")], 2, "instrument", "must be given"),
    "an unknown unit": (
        [HEADER, BTC.replace("quote", "usd")],
        2,
        "unit",
        "expected quote or base or contracts",
    ),
    "an unknown payoff": ([HEADER, BTC.replace("linear", "lineal")], 2, "payoff", "must be known"),
    "a contract size that is no number": (
        [HEADER, BTC.replace("linear,1", "linear,one")],
        2,
        "contract_size",
        "number",
    ),
    "a quanto contract without multiplier": (
        [HEADER, BTC.replace("linear", "quanto")],
        2,
        "multiplier",
        "given",
    ),
    "a wrong deduction": (
        [HEADER, BTC, "BTCUSDT,linear,1,,0.1,2,50000,0.005,51,100,quote"],
        3,
        "deduction",
        r"must continue the tier below \(instrument BTCUSDT\); expected 50, found 51",
    ),
    "a tier left out": (
        [HEADER, BTC, "BTCUSDT,linear,1,,0.1,3,50000,0.005,50,100,quote"],
        3,
        "tier",
        "must count up by one; expected 2, found 3",
    ),
    "two tick sizes": (
        [HEADER, BTC, "BTCUSDT,linear,1,,0.5,2,50000,0.005,50,100,quote"],
        3,
        "tick_size",
        "must be the same in every row",
    ),
    "a shape that does not fit its unit": (
        [HEADER + ",shape", BTC + ",flat"],
        2,
        "unit",
        "flat rate must not be keyed",
    ),
    "a quote left open": ([HEADER, '"BTCUSDT'], 2, None, "must be valid CSV"),
}


@pytest.mark.parametrize("case", CSV_FAULTS)
def test_a_wrong_csv_is_refused_with_file_line_and_column(case: str, tmp_path: Path) -> None:
    lines, line, column, rule = CSV_FAULTS[case]
    path = write(tmp_path, *lines)
    with pytest.raises(FileFormatError, match=rule) as caught:
        read_instruments(path)
    assert (caught.value.file, caught.value.line, caught.value.column) == (str(path), line, column)
    assert str(path) in str(caught.value)


def test_a_csv_must_be_utf8(tmp_path: Path) -> None:
    path = tmp_path / "instruments.csv"
    path.write_bytes(HEADER.encode() + b"\n\xff\xfe\n")
    with pytest.raises(FileFormatError, match="expected UTF-8, found byte 0xff"):
        read_instruments(path)


def test_rows_say_which_one_is_wrong() -> None:
    good: dict[str, Number | None] = {
        "instrument": "X",
        "payoff": "linear",
        "contract_size": 1,
        "floor": 0,
        "rate": 0.01,
        "unit": "quote",
    }
    assert InstrumentTable.from_rows([good], source="mine").source == "mine"
    assert InstrumentTable.from_rows([good])["X"].tiers == SINGLE
    with pytest.raises(InputError, match="first bad row 1") as caught:
        InstrumentTable.from_rows([good, good | {"floor": 5, "rate": 0.005}])
    assert (caught.value.argument, caught.value.row) == ("rate", 1)
    assert isinstance(caught.value.__cause__, TierError)
    with pytest.raises(InputError, match="is no column of instruments"):
        InstrumentTable.from_rows([good | {"mmr": 1}])
