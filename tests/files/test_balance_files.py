"""Files of balances, prices of assets and rules of assets, and the commands that take them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.errors import FileFormatError
from levcore.files.balances import read_asset_prices, read_assets, read_balances
from levcore.files.instruments import read_instruments

POSITIONS = """instrument,quantity,entry_price,mark_price,margin_mode,account,leverage
BTCUSDT,6,93500,97250,cross,desk,10
BTCUSDT,-2.5,99800,97250,cross,desk,10
ETHUSDT,-60,3255,3310,cross,family,50
"""
BALANCES = """account,asset,balance,liability,interest
desk,USDT,46500,0,0
desk,BTC,0.95,0,0
family,USDT,9800,1000,2.5
idle,BTC,1,0,0
"""
PRICES = "asset,price\nUSDT,0.9996\nBTC,97230\n"
ASSETS = """asset,table,floor,weight,rate,liability_weight,underlying
USDT,,,0.9999,,1.001,
USDT,liability,0,,0.02,,
USDT,liability,5000,,0.05,,
BTC,collateral,0,0.95,,,BTC
BTC,collateral,50000,0.9,,,
"""
POLICY = "binance-usdm-multi-assets@2022-07-06"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder with the files of three accounts."""
    contracts = lc.policy("binance-usdm@2022-05-21").instruments
    rows = ["instrument,payoff,contract_size,floor,rate,unit,settlement,underlying"]
    for coin in ("BTC", "ETH"):
        tiers = contracts[f"{coin}USDT"].tiers
        for floor, rate in zip(tiers.floors, tiers.rates, strict=True):
            rows.append(f"{coin}USDT,linear,1,{floor!r},{rate!r},quote,USDT,{coin}")
    texts = {
        "positions": POSITIONS,
        "balances": BALANCES,
        "prices": PRICES,
        "assets": ASSETS,
        "instruments": "\n".join(rows) + "\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def options(folder: Path) -> list[str]:
    """Arguments of every command on the three accounts."""
    return [
        str(folder / "positions.csv"),
        f"--balances={folder / 'balances.csv'}",
        f"--asset-prices={folder / 'prices.csv'}",
        f"--assets={folder / 'assets.csv'}",
        f"--instruments={folder / 'instruments.csv'}",
        "--position-mode=hedge",
        f"--policy={POLICY}",
    ]


def evaluated(folder: Path) -> lc.BookRisk:
    """The same by the interface of Python."""
    policy = lc.policy(POLICY)
    policy = policy.with_instruments(read_instruments(folder / "instruments.csv"))
    liability = lc.TierTable.marginal([(0, "0.02"), (5000, "0.05")], unit="quote")
    assets = [
        lc.Asset("USDT", (0.9999,), liability_weight=1.001, liability_tiers=liability),
        lc.Asset("BTC", (0.95, 0.9), (0.0, 50_000.0), underlying="BTC"),
    ]
    book = lc.PositionBook(
        ["BTCUSDT", "BTCUSDT", "ETHUSDT"],
        [6.0, -2.5, -60.0],
        [93_500.0, 99_800.0, 3_255.0],
        ["desk", "desk", "family"],
        "cross",
        leverage=[10.0, 10.0, 50.0],
        position_mode="hedge",
        balances=lc.Balances(
            ["desk", "desk", "family", "idle"],
            ["USDT", "BTC", "USDT", "BTC"],
            [46_500.0, 0.95, 9_800.0, 1.0],
            liability=[0.0, 0.0, 1_000.0, 0.0],
            interest=[0.0, 0.0, 2.5, 0.0],
        ),
    )
    marks = {"BTCUSDT": 97_250.0, "ETHUSDT": 3_310.0}
    engine = lc.Engine(policy.with_assets(assets))
    return engine.evaluate(book, marks, asset_prices={"USDT": 0.9996, "BTC": 97_230.0})


def test_score_gives_the_numbers_of_the_engine(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", *options(folder), "--format=json"]) == 0
    found, risk = json.loads(capsys.readouterr().out), evaluated(folder)
    assert [row["liquidation_price_lower"] for row in found["positions"][:2]] == (
        risk.liquidation_price_lower[:2].tolist()
    )
    assert [row["account"] for row in found["accounts"]] == ["desk", "family", "idle"]
    assert [row["surplus"] for row in found["accounts"]] == risk.accounts.surplus.tolist()
    assert [(row["account"], row["asset"]) for row in found["balances"]] == [
        ("desk", "USDT"), ("desk", "BTC"), ("family", "USDT"), ("idle", "BTC"),
    ]  # fmt: skip
    for name in ("equity", "collateral_value", "maintenance_margin"):
        assert [row[name] for row in found["balances"]] == risk.balances.to_dict()[name].tolist()
    assert math.isfinite(risk.accounts.equity.sum())


def test_reports_list_the_balances(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", *options(folder), f"--report={folder / 'report.html'}"]) == 0
    text = capsys.readouterr().out
    note = "The largest by value; equity in units of the asset, all else in the account's currency.\n"
    section = text.split(f"Balances\n{note}")[1]
    lines = [line.split() for line in section.split("\n\n")[0].splitlines()]
    assert lines[0] == [
        "Account",
        "Asset",
        "Equity",
        "Value",
        "Counted",
        "Maintenance",
        "Liquidation",
        "Status",
    ]
    risk = evaluated(folder)
    assert sorted((line[0], line[1]) for line in lines[1:]) == [
        ("desk", "BTC"), ("desk", "USDT"), ("family", "USDT"), ("idle", "BTC"),
    ]  # fmt: skip
    assert lines[1][3] == f"{np.abs(risk.balances.market_value).max():,.2f}"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "<h2>Balances</h2>" in page
    # Equities in several assets have no sum in the currency of the positions.
    assert "accounts hold several assets" in page


def test_explain_shows_what_moves_together(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *options(folder), "--row=1"]) == 0
    text = capsys.readouterr().out
    assert "BTCUSDT in row 0, BTCUSDT in row 1, balance BTC; USDT is held still" in text
    assert "BTC: counted" in text


def test_accounts_without_positions_are_scored(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "positions.csv").write_text(POSITIONS.splitlines()[0] + "\n", encoding="utf-8")
    assert main(["score", *options(folder)]) == 0
    assert "3 accounts" in capsys.readouterr().out


def test_balances_may_name_policies(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [line + f",{POLICY}" for line in BALANCES.splitlines()[1:]]
    rows[-1] = rows[-1].replace(POLICY, "binance-portfolio-margin")
    (folder / "balances.csv").write_text("\n".join([BALANCES.splitlines()[0] + ",policy", *rows]) + "\n")
    header, *lines = POSITIONS.splitlines()
    named = "\n".join([f"{header},policy", *(f"{line},{POLICY}" for line in lines)]) + "\n"
    (folder / "positions.csv").write_text(named, encoding="utf-8")
    assert main(["score", *options(folder)[:-1]]) == 0
    assert "policy   binance-portfolio-margin" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ("--asset-prices", "--asset-prices: are needed with --balances"),
        ("--balances", "--asset-prices: belong to --balances"),
    ],
)
def test_balances_and_prices_go_together(
    folder: Path, left_out: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", *(each for each in options(folder) if not each.startswith(left_out))]) == 1
    assert words in capsys.readouterr().err


def test_one_way_is_the_default(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [each for each in options(folder) if not each.startswith("--position-mode")]
    assert main(["score", *arguments]) == 2
    assert "duplicate leg" in capsys.readouterr().out


def test_parquet_files(folder: Path) -> None:
    columns = {"account": ["a", "a"], "asset": ["USDT", "BTC"], "balance": [1.0, None], "liability": [0, 1]}
    pq.write_table(pa.table(columns), folder / "balances.parquet")
    balances = read_balances(folder / "balances.parquet")
    assert balances.asset_names == ("USDT", "BTC")
    assert balances.balance[0] == 1.0
    assert math.isnan(balances.balance[1])
    assert balances.liability is not None
    assert balances.liability.tolist() == [0.0, 1.0]
    assert balances.interest is None


def test_prices_that_are_empty_are_missing(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("asset,price\nUSDT,1\nBTC,\n")
    assert read_asset_prices(tmp_path / "prices.csv") == {"USDT": 1.0}


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("balances", "account,asset\na,USDT\n", "column 'balance': the column is missing"),
        ("balances", "account,asset,balance\na,,1\n", "line 2, column 'asset': must not be empty"),
        ("balances", "account,asset,balance\n,USDT,1\n", "line 2, column 'account': must not be empty"),
        (
            "balances",
            "account,asset,balance\na,USDT,1\nb,USDT,1\na,USDT,2\n",
            "line 4, column 'asset': must have one line an account; found USDT of account 'a' again",
        ),
        ("balances", "account,asset,balance\na,USDT,one\n", "line 2, column 'balance': must be a number"),
        ("prices", "asset,price\nUSDT,1\nUSDT,2\n", "line 3, column 'price': contradicts itself for USDT"),
        ("assets", "asset,weight\nUSDT,\n", "line 2, column 'weight': must not be empty"),
        (
            "assets",
            "asset,weight,table\nUSDT,1,debt\n",
            "line 2, column 'table': must be a table of an asset",
        ),
        (
            "assets",
            "asset,weight\nUSDT,1.5\n",
            "line 2: asset USDT, weights: must be shares that do not rise",
        ),
        ("assets", "asset,weight,unit\nUSDT,1,pounds\n", "line 2: asset USDT, unit: must be known"),
        (
            "assets",
            "asset,weight,floor,underlying\nB,1,0,BTC\nB,0.9,5,ETH\n",
            "line 3, column 'underlying': contradicts an earlier line; expected 'BTC', found 'ETH'",
        ),
        (
            "assets",
            "asset,weight,table\nUSDT,1,\nUSDT,,liability\n",
            "line 3, column 'rate': the column is missing",
        ),
        ("assets", "asset,weight,table,rate\nU,,liability,0.1\n", "line 2: asset U, floors"),
    ],
)
def test_a_wrong_file_is_refused_where_it_is_wrong(tmp_path: Path, kind: str, text: str, words: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(text)
    read = {"balances": read_balances, "prices": read_asset_prices, "assets": read_assets}[kind]
    with pytest.raises(FileFormatError) as caught:
        read(path)
    assert words in str(caught.value)


def test_initial_tiers_of_a_liability_are_those_of_their_own_rows(tmp_path: Path) -> None:
    file = tmp_path / "assets.csv"
    file.write_text(
        "asset,weight,floor,table,rate\n"
        "USDT,1,0,collateral,\n"
        "USDT,,0,liability,0.02\n"
        "USDT,,1000,liability,0.04\n"
        "USDT,,0,liability_initial,0.1\n"
        "USDT,,500,liability_initial,0.2\n"
        "BTC,1,0,,\n"
        "BTC,,0,liability_initial,0.3\n"
    )
    usdt, btc = read_assets(file)
    assert usdt.liability_tiers == lc.TierTable.marginal([(0, "0.02"), (1000, "0.04")], unit="quote")
    assert usdt.liability_initial_tiers == lc.TierTable.marginal([(0, "0.1"), (500, "0.2")], unit="quote")
    assert btc.liability_tiers is None
    assert btc.liability_initial_tiers is not None
    assert btc.liability_initial_tiers.rates == (0.3,)


def test_initial_tiers_of_a_liability_make_the_initial_margin() -> None:
    asset = lc.Asset(
        "USDT",
        liability_tiers=lc.TierTable.single_rate("0.02"),
        liability_initial_tiers=lc.TierTable.single_rate("0.1"),
    )
    policy = lc.policy("okx-isolated-margin").with_assets([asset, lc.Asset("BTC")])
    balances = lc.Balances(["a", "a"], ["BTC", "USDT"], [1.0, 0.0], liability=[0.0, 30_000.0])
    book = lc.PositionBook([], [], [], balances=balances)
    risk = lc.Engine(policy).evaluate(book, {}, asset_prices={"BTC": 60_000.0, "USDT": 1.0})
    assert risk.accounts.maintenance_margin[0] == 600.0
    assert risk.accounts.initial_margin[0] == 3000.0
