"""A book in batches: the rows and totals of one evaluation to the last bit, and no account in two pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore import errors
from levcore.files.batches import read_batches
from levcore.measures import MEASURE_NAMES
from support.parted_books import ENGINE, MARKS, cut, parted_frame, same_summary

SEEDS = st.integers(0, 2**32 - 1)


def whole(frame: pl.DataFrame, **options: Any) -> lc.BookRisk:
    """The book evaluated at once."""
    book = lc.PositionBook.from_frame(frame, **options)
    return ENGINE.evaluate(book, MARKS if book.marks is None else book.marks, measures=MEASURE_NAMES)


@given(SEEDS, st.lists(st.integers(0, 60), max_size=8), st.booleans())
def test_any_batches_give_the_rows_and_totals_of_the_whole(seed: int, cuts: list[int], priced: bool) -> None:
    frame = parted_frame(seed, 60, priced=priced)
    at_once = whole(frame)
    risks = lc.evaluate_batches(ENGINE, cut(frame, cuts), None if priced else MARKS)
    parts = [pl.DataFrame(risk) for risk in risks]
    assert pl.concat(parts, how="vertical_relaxed").equals(pl.DataFrame(at_once))
    assert risks.rows == len(frame)
    same_summary(risks.summary(), at_once.summary())


@given(SEEDS, st.integers(1, 6), st.randoms(use_true_random=False))
def test_whole_accounts_may_come_in_any_order(seed: int, count: int, random: Any) -> None:
    frame = parted_frame(seed, 60, priced=True)
    number = frame["account"].fill_null("").hash(seed) % count
    batches = [frame.filter(number == part) for part in range(count)]
    random.shuffle(batches)
    risks = lc.evaluate_batches(ENGINE, batches, accounts="whole")
    assert sum(map(len, risks)) == len(frame)
    found, expected = risks.summary(), whole(frame).summary()
    for summary in (found, expected):
        # The rows stand elsewhere.
        del summary["nearest"]
    same_summary(found, expected)


@given(SEEDS, st.lists(st.integers(0, 60), max_size=5))
def test_wallets_of_their_own_reach_their_accounts(seed: int, cuts: list[int]) -> None:
    frame = parted_frame(seed, 60, priced=True)
    wallets = dict(
        frame.filter(pl.col("wallet_balance").is_not_null()).select("account", "wallet_balance").iter_rows()
    )
    wallets |= {"zz without positions": 1_234.5}
    bare = frame.drop("wallet_balance")
    risks = lc.evaluate_batches(ENGINE, cut(bare, cuts), wallet_balance=wallets)
    assert "zz without positions" in [account for risk in risks for account in risk.accounts.ids]
    same_summary(risks.summary(), whole(bare, wallet_balance=wallets).summary())


def test_an_account_that_comes_back_is_refused_by_name() -> None:
    frame = parted_frame(3, 60, priced=True).filter(pl.col("margin_mode") == "cross")
    account = frame["account"][0]
    again = pl.concat([frame, frame[:1]])
    with pytest.raises(errors.InputError, match="must not come back") as refused:
        list(lc.evaluate_batches(ENGINE, cut(again, [len(frame) // 2])))
    assert (refused.value.found, refused.value.row) == (f"{account!r} again", len(frame))
    assert refused.value.__notes__ == [
        "in batch 1, evaluated from row " + str(len(frame)) + " of the book on"
    ]


def test_an_account_in_two_batches_of_whole_accounts_is_refused_by_name() -> None:
    frame = parted_frame(3, 60, priced=True).filter(pl.col("margin_mode") == "cross")
    account = frame["account"][0]
    with pytest.raises(errors.InputError, match="must not be split") as refused:
        list(lc.evaluate_batches(ENGINE, [frame, frame[:1]], accounts="whole"))
    assert (refused.value.found, refused.value.row) == (f"{account!r} again", len(frame))


def rows(account: list[str], mark: list[float | None], instrument: str = "BTCUSDT") -> pl.DataFrame:
    """Isolated positions with marks."""
    count = len(account)
    return pl.DataFrame(
        {
            "account": account,
            "instrument": [instrument] * count,
            "quantity": [1.0] * count,
            "entry_price": [60_000.0] * count,
            "margin_mode": ["isolated"] * count,
            "isolated_margin": [6_000.0] * count,
            "mark_price": mark,
        },
        schema_overrides={"mark_price": pl.Float64},
    )


def test_a_mark_holds_for_later_batches_and_must_not_contradict_itself() -> None:
    first, later = rows(["a"], [61_000.0]), rows(["b", "c"], [None, None])
    risks = list(lc.evaluate_batches(ENGINE, [first.drop("account"), later.drop("account")]))
    assert [risk.unrealized_pnl.tolist() for risk in risks] == [[1_000.0], [1_000.0, 1_000.0]]
    with pytest.raises(errors.InputError, match="contradicts an earlier part of the book for BTCUSDT"):
        list(lc.evaluate_batches(ENGINE, [first, rows(["b"], [62_000.0])]))
    with pytest.raises(errors.InputError, match="contradicts the column mark_price for BTCUSDT"):
        list(lc.evaluate_batches(ENGINE, [first], {"BTCUSDT": 62_000.0}))


def test_a_mark_that_comes_too_late_is_refused_and_not_forgotten() -> None:
    batches = [rows(["a"], [None]), rows(["b"], [61_000.0]), rows(["c"], [61_000.0])]
    with pytest.raises(errors.InputError, match="was missing in another") as refused:
        list(lc.evaluate_batches(ENGINE, batches))
    assert "marks=" in refused.value.expected
    risks = list(lc.evaluate_batches(ENGINE, batches, {"BTCUSDT": 61_000.0}))
    assert all(risk.ok.all() for risk in risks)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_file_is_read_in_batches(tmp_path: Path, suffix: str) -> None:
    frame, path = parted_frame(5, 100, priced=True), tmp_path / f"book{suffix}"
    frame.write_parquet(path) if suffix == ".parquet" else frame.write_ipc(path)
    assert [len(batch) for batch in read_batches(path, 30)] == [30, 30, 30, 10]
    assert [len(batch) for batch in read_batches(path, 50)] == [50, 50]
    risks = lc.evaluate_batches(ENGINE, path, rows=30)
    assert sum(map(len, risks)) == 100
    same_summary(risks.summary(), whole(frame).summary())
    halves = [tmp_path / f"{half}{suffix}" for half in "ab"]
    for half, part in zip(halves, (frame[:47], frame[47:]), strict=True):
        part.write_parquet(half) if suffix == ".parquet" else part.write_ipc(half)
    risks = lc.evaluate_batches(ENGINE, halves, rows=30)
    assert sum(map(len, risks)) == 100
    same_summary(risks.summary(), whole(frame).summary())


def test_what_cannot_be_read_in_batches_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    parted_frame(5, 10, priced=True).write_csv(path)
    with pytest.raises(errors.InputError, match=r"must be a file that can be read in parts.*sink_parquet"):
        list(lc.evaluate_batches(ENGINE, path))
    path = tmp_path / "book.parquet"
    with pytest.raises(FileNotFoundError):
        list(lc.evaluate_batches(ENGINE, path))
    path.write_bytes(b"no such thing")
    with pytest.raises(errors.FileFormatError, match="must be a Parquet file"):
        list(lc.evaluate_batches(ENGINE, path))


def test_an_empty_book_has_a_summary(tmp_path: Path) -> None:
    frame = parted_frame(5, 10, priced=True)[:0]
    frame.write_parquet(tmp_path / "empty.parquet")
    risks = lc.evaluate_batches(ENGINE, tmp_path / "empty.parquet")
    with pytest.raises(errors.InputError, match="must be evaluated first"):
        risks.summary()
    assert [len(risk) for risk in risks] == [0]
    same_summary(risks.summary(), whole(frame).summary())


@pytest.mark.parametrize(
    ("batches", "options", "rule"),
    [
        ([], {}, "must hold a batch"),
        (3, {}, "must be frames or files"),
        ([[1]], {}, "must be frames or files"),
        ([rows(["a"], [1.0])], {"accounts": "split"}, "must be a known choice"),
        ([rows(["a"], [1.0])], {"rows": 0}, "must be positive"),
        ([rows(["a"], [1.0]), rows(["b"], [1.0]).drop("mark_price")], {}, "must have the same columns"),
        (
            [rows(["a"], [1.0]), rows(["1"], [1.0]).with_columns(account=pl.lit(1))],
            {},
            "must have the same type in every batch",
        ),
    ],
)
def test_bad_calls(batches: Any, options: dict[str, Any], rule: str) -> None:
    with pytest.raises(errors.InputError, match=rule):
        list(lc.evaluate_batches(ENGINE, batches, **options))


def test_other_frames_than_those_of_polars(tmp_path: Path) -> None:
    frame = parted_frame(8, 40, priced=True)
    for batches in (
        [part.to_pandas() for part in cut(frame, [13])],
        [part.to_arrow() for part in cut(frame, [13])],
    ):
        risks = lc.evaluate_batches(ENGINE, batches)
        assert sum(map(len, risks)) == 40
        same_summary(risks.summary(), whole(frame).summary())
    book = lc.PositionBook.from_frame(frame)
    np.testing.assert_array_equal(book.quantity, frame["quantity"].to_numpy())
