"""``levcore tiers``: what is bundled, what changed, and a venue's reply as a file for ``--instruments``."""

import json
from pathlib import Path

import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.files.instruments import read_instruments
from levcore.reports.archive import coverage_rows

HEADER = "instrument,quantity,entry_price,mark_price,margin_mode,isolated_margin,leverage\n"


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["tiers", *words]) == 0
    return capsys.readouterr().out


def test_dates_and_sources_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "bybit-linear")
    assert "2024-12-25  300 contracts, a part of what was listed; marginal tiers in quote\n" in text
    assert "2025-09-18  625 contracts, a part of what was listed; contract sizes and ticks, no tiers" in text
    assert "of 1 nothing is known above an end" in text
    assert lc.policy("bybit-linear").instruments.source_of("ETHUSDT") in text
    assert "2022-02-05" in printed(capsys, "binance-usdm@2024-10-24")  # every date of its series
    everything = printed(capsys)
    assert "lighter-robinhood\n  2026-10-25  63 contracts, all that was listed" in everything


def test_one_contract_at_each_date_in_any_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "okx-linear-swap", "ada_usdt")
    assert "ADA-USDT-SWAP, okx-linear-swap 2021-06-11" in text
    assert "linear, settled in USDT, contract size 100, tick 0.0001" in text
    assert "nothing is known above" in text
    assert main(["tiers", "okx-linear-swap", "NOTHING"]) == 1
    assert "SYMBOL: is in no table of these" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["htx-linear"],
        ["nowhere"],
        ["bybit-linear", "BTCUSDT", "more"],
        ["diff", "binance-usdm"],
        ["diff", "binance-usdm", "hyperliquid@2020-01-01"],
        ["convert", "nofile.json"],
        ["convert", "nofile.json", "--from=okx"],
    ],
)
def test_wrong_words_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tiers", *words]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("levcore: error: ")
    assert not captured.out


def test_diff_names_what_came_went_and_changed(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "diff", "binance-usdm@2022-04-16", "binance-usdm@2022-05-21")
    assert "only in binance-usdm@2022-04-16: 21: " in text
    assert "LUNAUSDT" in text.partition("only in binance-usdm@2022-05-21")[0]
    assert "other tiers: 5 of 141\n" in text
    assert "BTCUSDT              tier 5: above 7,500,000 5 % at 10x; then above 10,000,000 5 % at 10x" in text
    same = printed(capsys, "diff", "binance-usdm@2022-02-05", "binance-usdm@2022-04-16")
    assert "other tiers: 0 of 162" in same
    text = printed(capsys, "diff", "hyperliquid@2025-08-22", "hyperliquid@2026-09-27")
    assert "other tiers: 36 of " in text


def test_diff_says_whose_price_moves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "positions.csv"
    rows = "BTC,1,100000,100000,isolated,10000,10\nTIA,1000,1,1,isolated,200,5\n"
    path.write_text(HEADER + rows, encoding="utf-8")
    text = printed(capsys, "diff", "hyperliquid@2025-08-22", "hyperliquid@2026-09-27", str(path))
    assert "under hyperliquid@2026-08-07: 1 of 2 positions move\n" in text
    line = text.splitlines()[-1]
    # 0.8 / (1 - rate), at half of 1 / 10 and half of 1 / 5.
    assert line.startswith(
        "  row 1 TIA: liquidation_price 0.8421052632 to 0.8888888889, maintenance_margin 50 to 100"
    )


OKX = {
    "data": [
        {"instFamily": "BTC-USDT", "instId": "", "tier": "1", "minSz": "0", "maxSz": "1000"}
        | {"mmr": "0.004", "maxLever": "100"},
        {"instFamily": "BTC-USDT", "instId": "", "tier": "2", "minSz": "1001", "maxSz": "5000"}
        | {"mmr": "0.005", "maxLever": "66.66"},
    ]
}


def test_convert_writes_what_instruments_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reply, out = tmp_path / "tiers.json", tmp_path / "instruments.csv"
    reply.write_text(json.dumps(OKX), encoding="utf-8")
    assert main(["tiers", "convert", str(reply), "--from=okx", f"--out={out}"]) == 0
    made = read_instruments(out)["BTC-USDT"]
    # The contract size is the archive's.
    assert (made.contract_size, made.tick_size, made.settlement) == (0.01, 0.1, "USDT")
    assert (made.tiers.floors, made.tiers.rates, made.tiers.cap) == ((0.0, 1000.0), (0.004, 0.005), 5000.0)
    lc.Engine(lc.policy("okx-linear-swap").with_fees().with_instruments([made]))
    reply.write_text(json.dumps(OKX).replace("BTC-USDT", "NEW-USDT"), encoding="utf-8")
    assert main(["tiers", "convert", str(reply), "--from=okx"]) == 1
    assert "of NEW-USDT is neither in the reply nor in the archive" in capsys.readouterr().err
    options = ["--payoff=linear", "--contract-size=5"]
    text = printed(capsys, "convert", str(reply), "--from=okx", *options)
    assert text.splitlines()[1].startswith("NEW-USDT,linear,5,1,,,,,,,1,0,1000,0.004,")


def test_every_bundled_table_survives_the_file(tmp_path: Path) -> None:
    from levcore.venues.tiers.convert import instruments_csv

    path = tmp_path / "instruments.csv"
    for name in (
        "binance-usdm",
        "okx-linear-swap",
        "kraken-futures-multi-collateral",
        "bitmex",
        "hyperliquid",
    ):
        table = lc.policy(name).instruments
        path.write_text("".join(f"{line}\n" for line in instruments_csv(table.values())), encoding="utf-8")
        assert read_instruments(path) == table


def test_score_says_why_a_row_has_no_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "positions.csv"
    rows = "LUNAUSDT,1,1,1,isolated,1,2\nBTCUSDT,1,1,1,isolated,1,2\n"
    path.write_text(HEADER + rows, encoding="utf-8")
    assert main(["score", str(path), "--policy=binance-usdm", "--format=csv"]) == 2
    note = (
        "levcore: note: LUNAUSDT under binance-usdm@2026-09-29: is not in its table; one of 907 instruments"
    )
    captured = capsys.readouterr()
    assert note in captured.err
    assert "LUNAUSDT was listed at 2022-02-05, 2022-04-16" in captured.err
    assert captured.err.count("note:") == 1
    path.write_text(HEADER + "BTC_USDT,40000,1e5,1e5,isolated,1e7,10\n", encoding="utf-8")
    assert main(["score", str(path), "--policy=mexc-linear", "--fees=regular", "--format=csv"]) == 2
    assert "above 30,000 (contracts) there are further tiers" in capsys.readouterr().err


def test_the_manual_s_table_says_what_each_policy_bundles() -> None:
    _, *lines = coverage_rows()
    rows = {name: rest for name, *rest in lines}
    mexc = ["775", "2025-08-03", "none", "6 answered up to an end", "taker 0.0004, 2025-08-03"]
    assert rows["mexc-linear"] == mexc
    assert rows["bybit-linear"][0] == "301"
    assert rows["bybit-linear"][1] == "2024-12-25, 2025-12-29, 2026-09-25"
    assert rows["bybit-linear"][4] == "taker 0.00055, 2024-07-31, secondary"
    earlier = "2025-08-22, 2025-12-13, 2026-02-06, 2026-08-07"
    assert rows["hyperliquid"][:4] == ["316", "2026-09-27", earlier, "nothing"]
    for name, (contracts, dates, before, *_) in rows.items():
        table = lc.policy(name).instruments
        assert int(contracts) == len(table)
        found = {table.date_of(each) for each in table}
        assert found == set(dates.split(", ")) - {"none"}
        for date in set(before.split(", ")) - {"none"}:
            assert table.at(date).as_of == date
    assert rows["okx-linear-swap"][3] == "238 without tiers or size"
    assert "htx-linear" not in rows
