"""Prices of another unit: instruments with marks and entry prices far apart are named."""

from pathlib import Path

import numpy as np
import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.engine.price_units import PriceApart
from levcore.samples import generate

RATES = lc.TierTable.single_rate("0.01")
POLICY = lc.policy("generic").with_instruments(
    [lc.Instrument(name, "linear", RATES, settlement="USD") for name in ("X", "Y")]
)


def evaluated(entries: list[float], marks: dict[str, float], **more: list[float]) -> lc.BookRisk:
    names = ["X"] * (len(entries) - 1) + ["Y"]
    quantity = more.get("quantity", [1.0] * len(entries))
    book = lc.PositionBook(names, quantity, entries, isolated_margin=[20.0] * len(entries))
    return lc.Engine(POLICY).evaluate(book, marks)


@pytest.mark.parametrize("mark", [100_000.0, 0.1])
def test_an_instrument_in_other_units_is_named_with_both_prices(mark: float) -> None:
    risk = evaluated([100.0, mark, 101.0, 50.0], {"X": mark, "Y": 51.0})
    assert risk.prices_apart() == [PriceApart("X", 0, 100.0, mark, 2)]
    assert f"X: mark {mark:g}, entry price 100 in row 0 (2 so far apart), check units" in lc.report(risk)


@pytest.mark.parametrize(
    ("entries", "mark"),
    [
        ([100.0, 100.0, 51.0], 2_000.0),  # exactly the factor
        ([2_000.0, 2_000.0, 51.0], 100.0),
        ([1.0, 100.0, 51.0], 100.0),  # half of its positions
        ([np.nan, np.nan, 51.0], 100.0),
        ([100.0, 100.0, 51.0], np.nan),
    ],
)
def test_what_is_near_rare_or_missing_is_not_told(entries: list[float], mark: float) -> None:
    risk = evaluated(entries, {"X": mark, "Y": 51.0})
    assert risk.prices_apart() == []
    assert "check units" not in lc.report(risk)


def test_ordinary_books_raise_no_alarm() -> None:
    policy = lc.policy("binance-usdm@2024-10-24")
    held = {name: one for name, one in policy.instruments.items() if one.settlement == "USDT"}
    for mode in ("isolated", "cross"):
        book, marks = generate.book(2_000, held, seed=7, margin_mode=mode)
        assert lc.Engine(policy).evaluate(book, marks).prices_apart() == []


def test_each_policy_has_marks_of_its_own() -> None:
    book = lc.PositionBook(
        ["X", "X"], [1.0, 1.0], [100.0, 100.0], isolated_margin=[20.0, 20.0], policy=["a", "b"]
    )
    marks = {"a": {"X": 100.0}, "b": {"X": 100_000.0}}
    risk = lc.Engine({"a": POLICY, "b": POLICY}).evaluate(book, marks)
    assert risk.prices_apart() == []  # one of two is not most
    risk = lc.Engine({"a": POLICY, "b": POLICY}).evaluate(book, {**marks, "a": {"X": 90_000.0}})
    assert risk.prices_apart() == [PriceApart("X", 0, 100.0, 90_000.0, 2)]


def test_the_command_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    positions = tmp_path / "positions.csv"
    head = "instrument,quantity,entry_price,margin_mode,mark_price,leverage,isolated_margin\n"
    positions.write_text(head + "BTCUSDT,0.5,60,isolated,61000,10,3000\n")
    assert main(["score", str(positions), "--policy=binance-usdm"]) in (0, 2, 3)
    assert "note: BTCUSDT: mark 61000, entry price 60 in row 0" in capsys.readouterr().err
    positions.write_text(head + "BTCUSDT,0.5,60000,isolated,61000,10,3000\n")
    assert main(["score", str(positions), "--policy=binance-usdm"]) == 0
    assert "check units" not in capsys.readouterr().err
