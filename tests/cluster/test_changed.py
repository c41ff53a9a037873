"""Changes of partitions: the columns of `levcore.what_if` over the whole, to the last bit."""

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
from levcore.changes.status import ChangeKind
from levcore.cluster.own_changes import Columns, columns_of
from levcore.measures import MEASURE_NAMES
from support.comparison import same_bits
from support.parted_books import ENGINE, MARKS, parted_frame

KINDS = [
    "order",
    "order",
    "order",
    "close",
    "flip",
    "leverage",
    "margin",
    "wallet",
    "transfer",
    "tiers",
    "none",
]
TABLES = [lc.Instrument("BTCUSDT", "linear", lc.TierTable.single_rate("0.05"), settlement="USDT")]


def random_changes(random: np.random.Generator, frame: pl.DataFrame, count: int) -> dict[str, Any]:
    """Columns of changes of all kinds, some of which concern nobody; a transfer goes to its own account."""
    rows, height = random.integers(0, len(frame), count), len(frame)
    accounts = frame["account"].gather(rows).to_list()
    named = random.random(count) < 0.6
    by_row = ~named | (random.random(count) < 0.2)
    strange = random.random(count) < 0.1
    kind = random.choice(KINDS, count)
    # A close and a flip are of the whole position.
    ordered = ~np.isin(kind, ["close", "flip"])
    return {
        "kind": kind,
        "row": np.where(by_row, np.where(strange, height + 10**6, rows), -1),
        "account": [
            "nobody" if odd else label if named else ""
            for label, named, odd in zip(accounts, named, strange, strict=True)
        ],
        "instrument": random.choice([*MARKS, "", "XRPUSDT"], count),
        "quantity": np.where(ordered, random.normal(0.0, 0.5, count), np.nan),
        "price": np.where(random.random(count) < 0.5, np.nan, random.uniform(1_000.0, 60_000.0, count)),
        "leverage": random.choice([np.nan, 5.0, 20.0], count),
        "amount": random.normal(0.0, 2_000.0, count),
        "margin_mode": random.choice(["cross", "isolated"], count),
        "table": random.choice([-1, 0, 7], count),
    }


def same_columns(found: Columns, expected: Columns) -> None:
    """Compare columns, NaN for NaN."""
    assert found.keys() == expected.keys()
    for name, column in expected.items():
        assert found[name].dtype == column.dtype, name
        if column.dtype.kind == "f":
            assert same_bits(found[name], column), name
        else:
            np.testing.assert_array_equal(found[name], column, name)


def parted(frame: pl.DataFrame, count: int) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Partitions by account, and all of them one behind the other."""
    number = frame["account"].hash(1) % count
    partitions = [frame.filter(number == part) for part in range(count)]
    return partitions, pl.concat(partitions)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.booleans(), st.booleans())
def test_any_partitions_give_the_columns_of_the_whole(
    seed: int, count: int, in_sequence: bool, before: bool
) -> None:
    partitions, frame = parted(parted_frame(seed, 60, priced=False), count)
    random = np.random.default_rng(seed)
    given = random_changes(random, frame, 40)
    # A sequence of its own for every account, and one for each change without.
    labels = [label or f"row {row}" for label, row in zip(given["account"], range(40), strict=True)]
    if in_sequence:
        given["row"] = np.where(np.array(given["account"]) == "", given["row"], -1)
    sequence: Any = labels if in_sequence else False
    changes = lc.Changes(**given)
    options: dict[str, Any] = {"tables": TABLES, "sequence": sequence, "before": before}
    book = lc.PositionBook.from_frame(frame)
    expected = columns_of(lc.what_if(ENGINE, book, MARKS, changes, measures=MEASURE_NAMES, **options))
    found = lc.cluster.what_if(partitions, ENGINE, changes, marks=MARKS, **options)
    same_columns(found.columns, expected)
    assert len(found) == 40
    assert found.refused.sum() == (expected["status"] >= 32).sum()


def test_a_sequence_goes_on_with_what_it_opened() -> None:
    partitions, frame = parted(parted_frame(8, 40, priced=False), 3)
    book = lc.PositionBook.from_frame(frame)
    account = frame.filter(pl.col("wallet_balance") > 1_000.0)["account"][-1]
    height = len(frame)
    changes = lc.Changes(
        ["order", "order", "close"],
        row=[-1, height, height],
        account=[account, "", ""],
        instrument=["ETHUSDT", "", ""],
        margin_mode="isolated",
        quantity=[0.01, 0.02, np.nan],
        leverage=[10.0, np.nan, np.nan],
    )
    expected = columns_of(lc.what_if(ENGINE, book, MARKS, changes, sequence=True, measures=MEASURE_NAMES))
    found = lc.cluster.what_if(partitions, ENGINE, changes, marks=MARKS, sequence=True)
    same_columns(found.columns, expected)
    assert found["quantity"].tolist() == [0.01, 0.03, 0.0]


def test_processes_and_files_give_the_same_bits(tmp_path: Path) -> None:
    partitions, frame = parted(parted_frame(5, 200, priced=False), 4)
    paths = [tmp_path / f"{part}.parquet" for part in range(4)]
    for partition, path in zip(partitions, paths, strict=True):
        partition.write_parquet(path)
    changes = lc.Changes(**random_changes(np.random.default_rng(5), frame, 300))
    book = lc.PositionBook.from_frame(frame)
    expected = lc.what_if(ENGINE, book, MARKS, changes, tables=TABLES, measures=MEASURE_NAMES)
    done = list[int]()
    found = lc.cluster.what_if(paths, ENGINE, changes, 2, marks=MARKS, tables=TABLES, progress=done.append)
    same_columns(found.columns, columns_of(expected))
    assert (done[-1], len(done), repr(found)) == (
        200,
        4,
        f"PartitionWhatIf(300 changes, {expected.refused.sum()} refused)",
    )
    assert {ChangeKind(kind) for kind in changes.kind} == set(ChangeKind) - {ChangeKind.COLLATERAL}
    assert pl.DataFrame(found.to_dict()).height == 300


def test_open_orders_count_beside_the_changes() -> None:
    names = ["a", "b", "c"]
    frame = pl.DataFrame(
        {
            "account": names, "instrument": ["BTCUSDT", "ETHUSDT", "BTCUSDT"], "margin_mode": "cross",
            "quantity": [0.5, -4.0, 1.0], "entry_price": [60_000.0, 3_000.0, 61_000.0], "leverage": 10.0,
            "wallet_balance": [9_000.0, 7_000.0, 9_000.0],
        }
    )  # fmt: skip
    orders = lc.Orders(["c", "a"], ["BTCUSDT", "ETHUSDT"], [0.5, 2.0], [60_000.0, 3_000.0], leverage=10.0)
    changes = lc.Changes(
        "order", account=names, instrument=["BTCUSDT"] * 3, quantity=[0.1, 0.1, 0.1], leverage=10.0
    )
    expected = lc.what_if(ENGINE, lc.PositionBook.from_frame(frame), MARKS, changes, orders=orders)
    found = lc.cluster.what_if(frame.partition_by("account"), ENGINE, changes, marks=MARKS, orders=orders)
    for name in ("order_margin", "order_loss", "free_margin", "may_open", "after_equity"):
        own = expected.after.positions.equity if name == "after_equity" else getattr(expected, name)
        np.testing.assert_array_equal(found[name], own)
    stranger = lc.Orders(["z"], ["BTCUSDT"], [0.5], [60_000.0])
    with pytest.raises(errors.InputError, match=r"orders: must be of accounts of the book.*'z'"):
        lc.cluster.what_if([frame], ENGINE, changes, marks=MARKS, orders=stranger)


def test_what_concerns_two_partitions_is_refused() -> None:
    frame = parted_frame(5, 60, priced=False).filter(pl.col("margin_mode") == "cross")
    first, second = frame.head(1)["account"][0], frame.tail(1)["account"][0]
    partitions, whole = parted(frame, 3)
    places = [
        next(p for p, part in enumerate(partitions) if label in part["account"]) for label in (first, second)
    ]
    if places[0] == places[1]:
        partitions = [frame.filter(pl.col("account") != second), frame.filter(pl.col("account") == second)]
        whole = pl.concat(partitions)
    row = int(whole["account"].index_of(first) or 0)
    transfer = lc.Changes("transfer", row=row, account=[second])
    with pytest.raises(errors.InputError, match="changes: must concern one partition"):
        lc.cluster.what_if(partitions, ENGINE, transfer, marks=MARKS)
    both = lc.Changes("wallet", account=[first, second], amount=[1.0, -1.0])
    with pytest.raises(errors.InputError, match="with all changes of their sequence"):
        lc.cluster.what_if(partitions, ENGINE, both, marks=MARKS, sequence=True)
    with pytest.raises(errors.InputError, match="must not be split between partitions"):
        lc.cluster.what_if([frame, frame[:1]], ENGINE, both, marks=MARKS)


def test_a_mark_that_only_another_partition_has_is_refused() -> None:
    frame = parted_frame(5, 60, priced=True)
    btc = frame.filter((pl.col("instrument") == "BTCUSDT") & (pl.col("margin_mode") == "cross"))
    eth = frame.filter(
        (pl.col("instrument") == "ETHUSDT") & ~pl.col("account").is_in(btc["account"].implode())
    )
    order = lc.Changes(
        "order", account=[btc["account"][0]], instrument=["ETHUSDT"], quantity=[1.0], leverage=5.0
    )
    with pytest.raises(
        errors.InputError, match="one mark an instrument in the whole book: give them as marks="
    ):
        lc.cluster.what_if([btc, eth], ENGINE, order)
    assert lc.cluster.what_if([btc, eth], ENGINE, order, marks=MARKS)["status"].tolist() == [0]


@pytest.mark.parametrize(
    ("changes", "options", "error"),
    [
        (["order"], {}, "changes: must be a Changes"),
        (
            lc.Changes("close", row=0),
            {"partitions": iter(())},
            "must come as a sequence where changes name rows",
        ),
        (lc.Changes("wallet", account=["a"]), {"partitions": []}, "must hold a partition"),
        (lc.Changes("wallet", account=["a"]), {"sequence": [1, 2]}, "sequence: must have one value a change"),
    ],
)
def test_bad_calls(changes: Any, options: dict[str, Any], error: str) -> None:
    partitions = options.pop("partitions", [parted_frame(5, 20, priced=True)])
    with pytest.raises((errors.InputError, errors.DTypeError, errors.ShapeError), match=error):
        lc.cluster.what_if(partitions, ENGINE, changes, **options)
