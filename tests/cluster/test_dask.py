"""Partitions on a cluster of Dask, two processes of this machine, one of which is killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from distributed import Client, LocalCluster

import levcore as lc
from levcore.measures import MEASURE_NAMES
from support.deadly_frames import DeadlyFrame
from support.parted_books import ENGINE, parted_frame, same_summary


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of two workers, each a process with one thread."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


def test_dask_gives_the_bits_of_one_process_though_a_worker_is_killed(client: Client, tmp_path: Path) -> None:
    frame = parted_frame(17, 400, priced=True)
    number = frame["account"].hash(2) % 6
    partitions = [frame.filter(number == part) for part in range(6)]
    sources = [*partitions[:3], DeadlyFrame(partitions[3], tmp_path, 1), *partitions[4:]]
    out = tmp_path / "out"
    out.mkdir()
    found = lc.cluster.evaluate(sources, ENGINE, client.get_executor(), out=out)
    assert len(list(tmp_path.glob("dead-*"))) == 1
    together = lc.PositionBook.from_frame(pl.concat(partitions))
    assert together.marks is not None
    risk = ENGINE.evaluate(together, together.marks, measures=MEASURE_NAMES)
    same_summary(found.summary(), risk.summary())
    written = pl.concat([pl.read_parquet(file) for file in sorted(out.iterdir())], how="vertical_relaxed")
    assert written.equals(pl.DataFrame(risk))
