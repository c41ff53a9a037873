"""``levcore replay`` and ``levcore ladder``: files in, a report out, exit codes."""

from pathlib import Path

import pytest

from levcore.cli.main import main

POSITIONS = """instrument,quantity,entry_price,leverage,margin_mode,mark_price
BTCUSDT,1,60000,10,isolated,60000
BTCUSDT,2,60000,20,isolated,60000
BTCUSDT,-3,60000,10,isolated,60000
"""
PRICES = """time,open,high,low,close,volume
2024-11-01T00:00,60000,60100,58900,59000,1
2024-11-01T00:01,59000,59100,56900,57000,1
2024-11-01T00:02,56000,56500,53000,54000,1
"""
RULES = [
    "--set",
    "close_out_step=whole",
    "--set",
    "close_out_fee_rate=0",
    "--set",
    "close_out_remainder=trader",
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "positions.csv").write_text(POSITIONS)
    (tmp_path / "prices.csv").write_text(PRICES)
    return str(tmp_path / "positions.csv"), str(tmp_path / "prices.csv")


def test_a_replay_is_told_and_written(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    policy = ["--policy", "binance-usdm@2024-10-24", *RULES]
    assert main(["replay", *files, *policy, "--fund", "1000", "--report", str(report)]) == 0
    told = capsys.readouterr().out
    assert "66.67 % of 3 positions are liquidated under binance-usdm@2024-10-24" in told
    assert "The order within a bar" in told
    assert "Over time" not in told  # figures alone, which text has none of
    assert "deleveraged winners" in told
    assert "Who paid what was missing" in report.read_text(encoding="utf-8")


def test_a_rule_that_is_unknown_says_how_to_state_it(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", *files, "--policy", "binance-usdm@2024-10-24"]) == 1
    assert "close_out_step is unknown" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--delisted", "BTCUSDT"], "--delisted: must name an instrument and a time"),
        (["--delisted", "XYZ=2024-11-01"], "delisted: must be instruments of the book"),
        (["--slippage", "-1"], "slippage: must be basis points"),
        (["--marks", "prices.csv"], "--marks: is no input of a replay"),
    ],
)
def test_bad_options(
    files: tuple[str, str], options: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", *files, "--policy", "binance-usdm@2024-10-24", *RULES, *options]) == 1
    assert expected in capsys.readouterr().err


def test_an_instrument_ends_and_funding_is_paid(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    funding = tmp_path / "funding.csv"
    funding.write_text("time,instrument,rate\n2024-11-01T00:01,BTCUSDT,0.0001\n")
    options = ["--policy", "binance-usdm@2024-10-24", *RULES, "--funding", str(funding), "--path", "close"]
    assert main(["replay", *files, *options, "--delisted", "BTCUSDT=2024-11-01T00:02"]) == 0
    assert "its last price alone" in capsys.readouterr().out


def test_positions_of_a_replay_need_no_marks(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    positions, prices = files
    options = ["--policy", "binance-usdm@2024-10-24", *RULES]
    assert main(["replay", positions, prices, *options]) == 0
    told = capsys.readouterr().out
    Path(positions).write_text(POSITIONS.replace(",mark_price", "").replace("isolated,60000", "isolated"))
    assert main(["replay", positions, prices, *options]) == 0
    assert capsys.readouterr().out == told


def test_a_file_without_times_or_with_a_gap(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    positions, prices = files
    policy = ["--policy", "binance-usdm@2024-10-24", *RULES]
    (tmp_path / "bare.csv").write_text("open,high,low,close\n1,1,1,1\n")
    assert main(["replay", positions, str(tmp_path / "bare.csv"), *policy]) == 1
    assert "must have a column of times" in capsys.readouterr().err
    rows = PRICES + "2024-11-01T00:09,54000,54000,54000,54000,1\n"
    Path(prices).write_text(rows)
    assert main(["replay", positions, prices, *policy]) == 1
    assert "must be without gaps" in capsys.readouterr().err
    assert main(["replay", positions, prices, *policy, "--hold-gaps"]) == 0


def test_funding_among_the_prices_is_not_passed_over(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    positions, prices = files
    Path(prices).write_text(PRICES.replace("volume", "funding_rate"))
    assert main(["replay", positions, prices, "--policy", "binance-usdm@2024-10-24", *RULES]) == 1
    said = "PRICES: must hold no funding, which is due at times of its own; expected --funding, a table"
    assert said in capsys.readouterr().err


def test_a_ladder_is_told_and_written(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "ladder.html"
    options = ["--policy", "binance-usdm@2024-10-24", "--rungs", "5", "--report", str(report)]
    assert main(["ladder", files[0], *options]) == 0
    told = capsys.readouterr().out
    assert "BTCUSDT at 60,000: 2 positions by 30,000, 1 positions by 120,000" in told
    assert "Liquidated by the time a price is there" in report.read_text(encoding="utf-8")
    assert (
        main(["ladder", files[0], "--policy", "binance-usdm@2024-10-24", "--lowest", "9", "--highest", "8"])
        == 1
    )
    assert "--lowest: must lie below --highest" in capsys.readouterr().err
