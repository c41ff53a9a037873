"""Prices of another unit: instruments with marks and entry prices far apart are named."""

from pathlib import Path

import numpy as np
import polars as pl
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


def parts_and_whole() -> tuple[list[pl.DataFrame], lc.BookRisk]:
    """Rows in three parts: X far apart in most of them together, Y in one part alone, Z behind the first."""
    rows = [
        ("X", 100.0),
        ("Y", 5.0),
        ("X", 100.0),
        ("X", 90_000.0),
        ("Y", 50.0),
        ("Z", 1.0),
        ("Y", 51.0),
        ("X", 7.0),
    ]
    marks = {"X": 100_000.0, "Y": 101.0, "Z": 30.0}
    frame = pl.DataFrame(
        {
            "instrument": [name for name, _ in rows],
            "quantity": 1.0,
            "margin_mode": "isolated",
            "entry_price": [entry for _, entry in rows],
            "isolated_margin": 20.0,
            "mark_price": [marks[name] for name, _ in rows],
        }
    )
    book = lc.PositionBook.from_frame(frame)
    return [frame[:2], frame[2:5], frame[5:]], lc.Engine(POLICY).evaluate(book, marks)


def test_batches_and_partitions_tell_what_the_whole_book_does() -> None:
    parts, whole = parts_and_whole()
    expected = whole.prices_apart()
    assert [(each.instrument, each.row, each.positions) for each in expected] == [("X", 0, 3), ("Z", 5, 1)]
    risks = lc.evaluate_batches(lc.Engine(POLICY), parts)
    with pytest.raises(lc.InputError, match="must be evaluated first"):
        risks.prices_apart()
    assert [len(risk) for risk in risks] == [2, 3, 3]
    assert risks.prices_apart() == expected
    for executor in (None, 2):
        assert lc.cluster.evaluate(parts, lc.Engine(POLICY), executor).prices_apart() == expected


def test_the_streaming_command_says_so_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "positions.parquet"
    columns = {
        "instrument": "BTCUSDT",
        "quantity": 0.5,
        "margin_mode": "isolated",
        "mark_price": 61_000.0,
        "isolated_margin": 3_000.0,
    }
    for entry, told in ((60.0, True), (60_000.0, False)):
        pl.DataFrame({name: [one] for name, one in columns.items()} | {"entry_price": [entry]}).write_parquet(
            file
        )
        assert main(["score", str(file), "--policy=binance-usdm", "--stream"]) in (0, 2)
        said = "note: BTCUSDT: mark 61000, entry price 60 in row 0" in capsys.readouterr().err
        assert said == told
