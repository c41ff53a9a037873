"""Partitions over processes: the totals of one evaluation to the last bit, also where a worker is killed."""

from __future__ import annotations

from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore import errors
from levcore.measures import MEASURE_NAMES
from support.deadly_frames import DeadlyFrame
from support.parted_books import ENGINE, parted_frame, same_summary

FRAME = parted_frame(11, 400, priced=True)


def partitions_of(frame: pl.DataFrame, count: int) -> list[pl.DataFrame]:
    """Hash partitions: all positions of an account in one."""
    number = frame["account"].hash(1) % count
    return [frame.filter(number == part) for part in range(count)]


def together(partitions: list[pl.DataFrame]) -> lc.BookRisk:
    """All partitions evaluated as one book."""
    book = lc.PositionBook.from_frame(pl.concat(partitions))
    assert book.marks is not None
    return ENGINE.evaluate(book, book.marks, measures=MEASURE_NAMES)


def pool() -> Executor:
    """Two processes."""
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


@given(st.integers(0, 2**32 - 1), st.integers(1, 7))
def test_any_partitions_give_the_summary_of_the_whole(seed: int, count: int) -> None:
    partitions = partitions_of(parted_frame(seed, 80, priced=True), count)
    found = lc.cluster.evaluate(partitions, ENGINE)
    assert found.rows == tuple(map(len, partitions))
    same_summary(found.summary(), together(partitions).summary())


def test_files_go_through_processes_and_results_come_to_a_folder(tmp_path: Path) -> None:
    partitions, out, done = partitions_of(FRAME, 5), tmp_path / "out", list[int]()
    out.mkdir()
    paths = [tmp_path / f"{place}.parquet" for place in range(5)]
    for path, part in zip(paths, partitions, strict=True):
        part.write_parquet(path)
    found = lc.cluster.evaluate(paths, ENGINE, 2, out=out, progress=done.append)
    expected = together(partitions)
    same_summary(found.summary(), expected.summary())
    assert sorted(out.iterdir()) == [file for files in found.files for file in files]
    written = pl.concat([pl.read_parquet(file) for file in sorted(out.iterdir())], how="vertical_relaxed")
    assert written.equals(pl.DataFrame(expected))
    assert len(done) == 5
    assert done[-1] == len(FRAME)
    assert found.retried == 0


def test_a_partition_may_be_evaluated_in_batches(tmp_path: Path) -> None:
    partitions = [FRAME[:150], FRAME[150:]]
    # Where an account is cut, both partitions hold a part of it.
    edge = FRAME["account"][150]
    whole = [part.filter(pl.col("account") != edge) for part in partitions]
    paths = [tmp_path / f"{place}.parquet" for place in range(2)]
    for path, part in zip(paths, whole, strict=True):
        part.write_parquet(path)
    (tmp_path / "out").mkdir()
    found = lc.cluster.evaluate(paths, ENGINE, ThreadPoolExecutor(2), rows=40, out=tmp_path / "out")
    expected = together(whole)
    same_summary(found.summary(), expected.summary())
    assert [file.name for file in found.files[1]][:2] == [
        "part-00001-00000.parquet",
        "part-00001-00001.parquet",
    ]
    written = pl.concat(
        [pl.read_parquet(each) for files in found.files for each in files], how="vertical_relaxed"
    )
    assert written.equals(pl.DataFrame(expected))


@pytest.mark.parametrize("executor", [2, pool])
def test_a_killed_worker_costs_a_retry_and_no_row(tmp_path: Path, executor: Any) -> None:
    partitions, out = partitions_of(FRAME, 5), tmp_path / "out"
    out.mkdir()
    sources = [*partitions[:2], DeadlyFrame(partitions[2], tmp_path, 2), *partitions[3:]]
    found = lc.cluster.evaluate(sources, ENGINE, executor, out=out)
    assert len(list(tmp_path.glob("dead-*"))) == 2
    assert found.retried >= 2
    expected = together(partitions)
    same_summary(found.summary(), expected.summary())
    written = pl.concat([pl.read_parquet(file) for file in sorted(out.iterdir())], how="vertical_relaxed")
    assert written.equals(pl.DataFrame(expected))


def test_workers_that_die_again_and_again_are_given_up(tmp_path: Path) -> None:
    with pytest.raises(errors.InputError, match="again and again") as refused:
        lc.cluster.evaluate([DeadlyFrame(FRAME, tmp_path, 99)], ENGINE, 1, retries=1)
    assert len(list(tmp_path.glob("dead-*"))) == 2
    assert "partitions 0" in refused.value.found


def test_an_executor_that_cannot_be_made_again_is_told(tmp_path: Path) -> None:
    with pool() as once, pytest.raises(errors.InputError, match="has lost a worker") as refused:
        lc.cluster.evaluate([DeadlyFrame(FRAME, tmp_path, 1)], ENGINE, once)
    assert "a function that makes an executor" in refused.value.expected


def test_an_account_in_two_partitions_is_refused_by_name() -> None:
    cross = FRAME.filter(pl.col("margin_mode") == "cross")
    account = cross["account"][0]
    with pytest.raises(errors.InputError, match="must not be split between partitions") as refused:
        lc.cluster.evaluate([cross, cross[:1]], ENGINE)
    assert refused.value.found == f"{account!r} in 0 and in 1"
    found = lc.cluster.evaluate([cross, cross[:1]], ENGINE, check_accounts=False)
    assert found.rows == (len(cross), 1)


def test_marks_of_partitions_must_not_contradict_each_other() -> None:
    first, other = (FRAME.filter(pl.col("margin_mode") == "isolated")[part::2] for part in range(2))
    later = other.with_columns(mark_price=pl.col("mark_price") + 1.0)
    options: dict[str, Any] = {"check_accounts": False}
    with pytest.raises(errors.InputError, match="contradicts an earlier part of the book"):
        lc.cluster.evaluate([first, later], ENGINE, **options)
    missing = other.with_columns(mark_price=pl.lit(None, pl.Float64))
    with pytest.raises(errors.InputError, match="was missing in another"):
        lc.cluster.evaluate([missing, first], ENGINE, **options)


def test_an_error_says_which_partition_it_was() -> None:
    wrong = FRAME.with_columns(margin_mode=pl.lit("portfolio"))
    for executor in (None, ThreadPoolExecutor(1)):
        with pytest.raises(errors.InputError, match="must be a margin mode") as refused:
            lc.cluster.evaluate([FRAME, wrong], ENGINE, executor, check_accounts=False)
        assert refused.value.__notes__[-1] == "in partition 1"


def test_partitions_may_come_one_by_one() -> None:
    partitions = partitions_of(FRAME, 6)
    found = lc.cluster.evaluate(iter(partitions), ENGINE, ThreadPoolExecutor(2))
    same_summary(found.summary(), together(partitions).summary())


@pytest.mark.parametrize(
    ("partitions", "executor", "options", "rule"),
    [
        ("book.parquet", None, {}, "must be several"),
        (FRAME, None, {}, "must be several"),
        ([], None, {}, "must hold a partition"),
        ([FRAME], 0, {}, "must be a number of processes"),
        ([FRAME], "dask", {}, "must run partitions"),
        ([FRAME], None, {"rows": 0}, "must be positive"),
        ([FRAME], None, {"out": "no/such/folder"}, "must be a folder that exists"),
    ],
)
def test_bad_calls(partitions: Any, executor: Any, options: dict[str, Any], rule: str) -> None:
    with pytest.raises(errors.InputError, match=rule):
        lc.cluster.evaluate(partitions, ENGINE, executor, **options)
