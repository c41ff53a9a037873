"""Times of replays: zones, units, gaps."""

import datetime as dt
from typing import Any

import numpy as np
import polars
import pytest

import levcore as lc
from support.closing_books import closing_policy
from support.small_replays import RULES, bars, run

MINUTES = ["2024-11-01T00:00", "2024-11-01T00:01", "2024-11-01T00:02"]
ZONE = dt.timezone(dt.timedelta(hours=2))


@pytest.mark.parametrize(
    "times",
    [
        [f"{each}:00Z" for each in MINUTES],
        [f"{each}+00:00" for each in MINUTES],
        ["2024-11-01T02:00+02:00", "2024-10-31T20:01-04:00", "2024-11-01T00:02"],
        [dt.datetime(2024, 11, 1, 0, minute) for minute in range(3)],
        [dt.datetime(2024, 11, 1, 2, minute, tzinfo=ZONE) for minute in range(3)],
        np.array(MINUTES, dtype="datetime64[ns]"),
        polars.Series([dt.datetime(2024, 11, 1, 2, minute, tzinfo=ZONE) for minute in range(3)]),
        np.array(MINUTES).astype("S"),
    ],
    ids=["Z", "offset of none", "offsets", "datetimes", "zones", "nanoseconds", "a frame's", "bytes"],
)
def test_times_with_a_zone_are_turned_into_utc(times: Any) -> None:
    found = run({"time": times, "price": [100.0, 99.0, 98.0]})
    assert found.times.tolist() == [dt.datetime(2024, 11, 1, 0, minute) for minute in range(3)]


@pytest.mark.parametrize(
    ("times", "found"),
    [
        (["0", "60", "120"], "found '0'"),
        (["1730419200", "1730419260", "1730419320"], "found '1730419200'"),
        ([0, None, 120], "found None; first bad row 1"),
        ([MINUTES[0], None, MINUTES[2]], "found None; first bad row 1"),
        ([MINUTES[0], 60, MINUTES[2]], "found '60'; first bad row 1"),
        (np.array([0, 1, 1_500], dtype="datetime64[us]"), "whole milliseconds"),
        ([f"{each}:00.0001" for each in MINUTES], "whole milliseconds"),
    ],
)
def test_what_may_be_another_time_is_refused(times: Any, found: str) -> None:
    with pytest.raises(lc.LevcoreError, match=found):
        run({"time": times, "price": [100.0, 99.0, 98.0]}, gaps="hold")


def test_numbers_in_a_column_of_objects_are_numbers() -> None:
    table = {"time": np.array([0, 60, 120], dtype=object), "price": [100.0, 99.0, 98.0]}
    assert run(table).times.tolist() == [0, 60, 120]


def test_tenths_of_seconds_have_no_gaps_but_one_that_is_missing() -> None:
    times = np.arange(1, 7) / 10
    assert run(bars(time=times)).is_complete
    with pytest.raises(lc.LevcoreError, match=r"prices: must be without gaps.* 0.3 to 0.5"):
        run(bars(time=np.array([0.1, 0.2, 0.3, 0.5, 0.6, 0.7])))


@pytest.mark.parametrize(
    ("of_b", "found"),
    [([0, 1, 2], "no B at 3"), ([0, 5], "no B at 1"), ([0, 2, 4], "no B at 1"), ([0], "no B at 1")],
)
def test_a_price_that_would_be_held_in_silence_is_refused(of_b: list[int], found: str) -> None:
    held = lc.PositionBook(["A", "B"], [1.0, 1.0], [100.0, 20.0], leverage=[2.0, 2.0])
    table = {
        "time": [*range(6), *of_b],
        "instrument": ["A"] * 6 + ["B"] * len(of_b),
        "price": [100.0] * 6 + [20.0] * len(of_b),
    }
    engine = lc.Engine(closing_policy(**RULES))
    with pytest.raises(lc.LevcoreError, match=f"prices: must be without gaps.*{found}"):
        lc.replay(engine, held, table)
    assert lc.replay(engine, held, table, gaps="hold").is_complete
    if of_b == [0, 1, 2]:
        assert lc.replay(engine, held, table, delisted={"B": 3}).series.open.tolist() == [2, 2, 2, 1, 1, 1]
