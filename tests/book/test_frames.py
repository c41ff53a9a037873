"""The one door for tables: one book by every way in has the same bits, and comes back as a frame of rows."""

import datetime
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import levcore as lc
from levcore._levcore import Table
from levcore.book.columns import frame_table
from levcore.errors import DTypeError, InputError, InternalError, LevcoreError
from levcore.files.positions import read_positions
from levcore.measures import ACCOUNT_MEASURES, MEASURE_NAMES

POLICY = lc.policy("binance-usdm@2024-10-24")
ENGINE = lc.Engine(POLICY)
WALLETS = {"one": 20_000.0, "two": 3_000.0}
COLUMNS: dict[str, list[Any]] = {
    "id": ["p1", "p2", "p3", "p4", "p5"],
    "account": ["one", "one", "two", "two", None],
    "instrument": ["BTCUSDT", "ETHUSDT", "BTCUSDT", "NOSUCH", "ETHUSDT"],
    "quantity": [0.5, -4.25, 0.1, 1.0, 2.0],
    "entry_price": [60_000.1, 3_000.7, 59_000.0, 1.0, 3_100.3],
    "mark_price": [61_000.3, 3_050.9, 61_000.3, None, 3_050.9],
    "margin_mode": ["cross", "cross", "cross", "isolated", "isolated"],
    "isolated_margin": [None, None, None, 5.0, 700.0],
    "leverage": [10, 10, 25, None, 10],
}
MARKS = {"BTCUSDT": 61_000.3, "ETHUSDT": 3_050.9}


def of_arrays(make: Callable[[list[Any]], Any]) -> lc.PositionBook:
    """The book by the plain constructor."""

    def numbers(name: str) -> Any:
        return make([np.nan if value is None else float(value) for value in COLUMNS[name]])

    return lc.PositionBook(
        COLUMNS["instrument"],
        numbers("quantity"),
        numbers("entry_price"),
        COLUMNS["account"],
        COLUMNS["margin_mode"],
        numbers("isolated_margin"),
        numbers("leverage"),
        wallet_balance=WALLETS,
    )


def of_file(name: str, folder: Path) -> lc.PositionBook:
    """The book by a file."""
    frame, path = pl.DataFrame(COLUMNS), folder / name
    {"csv": frame.write_csv, "parquet": frame.write_parquet, "arrow": frame.write_ipc}[
        name.partition(".")[2]
    ](path)
    return read_positions(path).book(WALLETS)


WAYS: dict[str, Callable[[Path], lc.PositionBook]] = {
    "numpy": lambda _: of_arrays(np.array),
    "lists": lambda _: of_arrays(list),
    "polars": lambda _: lc.PositionBook.from_frame(pl.DataFrame(COLUMNS), wallet_balance=WALLETS),
    "pandas": lambda _: lc.PositionBook.from_frame(pd.DataFrame(COLUMNS), wallet_balance=WALLETS),
    "pyarrow": lambda _: lc.PositionBook.from_frame(pa.table(COLUMNS), wallet_balance=WALLETS),
    "duckdb": lambda _: lc.PositionBook.from_frame(
        duckdb.from_arrow(pa.table(COLUMNS)), wallet_balance=WALLETS
    ),
    "csv": lambda folder: of_file("book.csv", folder),
    "parquet": lambda folder: of_file("book.parquet", folder),
    "arrow": lambda folder: of_file("book.arrow", folder),
}
BACK: dict[str, Callable[[Any], list[dict[str, Any]]]] = {
    "polars": lambda result: pl.DataFrame(result).to_dicts(),
    "pyarrow": lambda result: pa.table(result).to_pylist(),
    "duckdb": lambda result: duckdb.from_arrow(pa.table(result)).pl().to_dicts(),
    "rows": list,
}


def test_every_way_in_gives_the_same_bits(tmp_path: Path) -> None:
    results = {way: ENGINE.evaluate(make(tmp_path), MARKS) for way, make in WAYS.items()}
    expected = results["numpy"]
    for way, risk in results.items():
        for name, column in expected.to_dict().items():
            assert risk[name].tobytes() == column.tobytes(), (way, name)
        for name in ACCOUNT_MEASURES:
            assert getattr(risk.accounts, name).tobytes() == getattr(expected.accounts, name).tobytes(), way
        assert risk.accounts.ids == ("one", "two")
    assert expected.status.tolist() == [0, 0, 0, lc.Status.UNKNOWN_INSTRUMENT, 0]


@pytest.mark.parametrize("way", [way for way in WAYS if way not in ("numpy", "lists")])
@pytest.mark.parametrize("back", BACK)
def test_a_result_is_a_frame_with_ids_and_words(way: str, back: str, tmp_path: Path) -> None:
    risk = ENGINE.evaluate(WAYS[way](tmp_path), MARKS)
    rows = BACK[back](risk)
    assert list(rows[0]) == [*COLUMNS, *MEASURE_NAMES, "state", "status"]
    assert [row["id"] for row in rows] == COLUMNS["id"]
    assert [row["account"] for row in rows] == COLUMNS["account"]
    assert [row["state"] for row in rows] == ["healthy"] * 3 + ["incomplete", "healthy"]
    assert rows[3]["status"] == "unknown_instrument"
    assert all(rows[3][name] is None for name in MEASURE_NAMES), "a failed row has nulls, not NaN"
    assert [row["equity"] for row in rows[:3]] == risk.equity[:3].tolist()


@pytest.mark.parametrize("back", BACK)
def test_accounts_are_frames_too(back: str) -> None:
    risk = ENGINE.evaluate(of_arrays(np.array), MARKS)
    rows = BACK[back](risk.accounts)
    assert [(row["account"], row["state"], row["status"]) for row in rows] == [
        ("one", "healthy", "ok"),
        ("two", "healthy", "ok"),
    ]
    assert [row["margin_ratio"] for row in rows] == risk.accounts.margin_ratio.tolist()
    found = BACK[back](lc.distance(ENGINE, of_arrays(np.array), MARKS))
    assert [row["account"] for row in found] == ["one", "two"]
    assert set(found[0]) == {"account", "lower", "upper", "status"}


def test_pandas_and_duckdb_take_a_result_by_itself() -> None:
    risk = ENGINE.evaluate(lc.PositionBook.from_frame(pd.DataFrame(COLUMNS), wallet_balance=WALLETS), MARKS)
    frame = pd.DataFrame.from_arrow(risk)
    assert frame["liquidation_price"].isna().tolist() == np.isnan(risk.liquidation_price).tolist()
    rows = pd.DataFrame(risk)
    assert rows.shape == (5, len(COLUMNS) + len(MEASURE_NAMES) + 2)
    assert rows["status"].tolist() == frame["status"].tolist()
    query = "select id from risk where status != 'ok'"
    assert duckdb.sql(query).fetchall() == [("p4",)]


def test_a_comparison_is_a_frame_with_columns_by_policy() -> None:
    book = lc.PositionBook.from_frame(pl.DataFrame(COLUMNS), wallet_balance=WALLETS)
    comparison = lc.compare(book, ["binance-usdm@2024-10-24", "binance-usdm@2022-05-21"], MARKS)
    frame = pl.DataFrame(comparison)
    assert frame["id"].to_list() == COLUMNS["id"]
    for label, risk in comparison.answers.items():
        expected = [None if np.isnan(price) else price for price in risk.liquidation_price.tolist()]
        assert frame[f"{label}.liquidation_price"].to_list() == expected
        assert frame[f"{label}.state"].to_list()[3] == "incomplete"


def test_the_schema_does_not_depend_on_the_data() -> None:
    def schema(book: lc.PositionBook) -> Any:
        return pa.table(ENGINE.evaluate(book, MARKS)).schema

    plain = lc.PositionBook(["BTCUSDT"], [1.0], [6e4], ["a"], "cross", leverage=5, wallet_balance={"a": 1e5})
    twice = lc.PositionBook(
        ["BTCUSDT", "BTCUSDT"], [1.0, -1.0], [6e4, 6e4], ["a", "a"], "cross", wallet_balance={"a": 1e5},
        position_mode="hedge",
    )  # fmt: skip
    failed = lc.PositionBook(["NOSUCH"], [np.nan], [np.nan], ["a"], "cross", wallet_balance={"a": 1.0})
    assert schema(plain) == schema(twice) == schema(failed)
    accounts = [pa.table(ENGINE.evaluate(book, MARKS).accounts).schema for book in (plain, twice, failed)]
    assert accounts[0] == accounts[1] == accounts[2]
    isolated = lc.PositionBook(["BTCUSDT"], [1.0], [6e4], leverage=5)
    balances = [pa.table(ENGINE.evaluate(book, MARKS).balances).schema for book in (plain, isolated)]
    assert balances[0] == balances[1]


TEXT_TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.uint16(), pa.large_string()),
    pa.dictionary(pa.int64(), pa.string()),
]
NUMBER_TYPES = [
    pa.float64(), pa.float32(), pa.float16(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(),
    pa.uint16(), pa.uint32(), pa.uint64(), pa.decimal128(20, 4), pa.decimal256(50, 4),
    pa.dictionary(pa.int32(), pa.float64()),
]  # fmt: skip


@pytest.mark.parametrize("kind", TEXT_TYPES, ids=str)
@pytest.mark.parametrize("cut", [[3], [1, 2], [0, 3, 0], [1, 1, 1]])
def test_text_of_every_type_and_in_chunks(kind: Any, cut: list[int]) -> None:
    texts, parts, start = ["b", None, "b"], [], 0
    for length in cut:
        part = pa.array(texts[start : start + length], pa.string())
        # A word of the dictionary that no row has is no label.
        dictionary = pa.DictionaryArray.from_arrays(
            pa.array([None if text is None else 1 for text in part.to_pylist()], pa.int8()), ["unused", "b"]
        )
        parts.append((dictionary if pa.types.is_dictionary(kind) else part).cast(kind))
        start += length
    codes, labels = frame_table(pa.table({"x": pa.chunked_array(parts, kind)})).labels("x", False)
    assert [labels[code] for code in codes] == ["b", "", "b"]
    assert labels == ["b", ""]


@pytest.mark.parametrize("kind", NUMBER_TYPES, ids=str)
def test_numbers_of_every_type_with_nulls(kind: Any) -> None:
    plain = pa.array([1, None, 3], pa.float64() if pa.types.is_dictionary(kind) else pa.int8())
    values = plain.dictionary_encode() if pa.types.is_dictionary(kind) else plain.cast(kind)
    found = frame_table(pa.table({"x": values}).slice(1)).numbers("x", False)
    assert np.isnan(found[0])
    assert found[1] == 3.0


def test_decimals_are_rounded_once() -> None:
    texts = ["0.1", "1234567890.123456789", "-0.000000001", "9007199254740993"]
    column = pa.array(texts).cast(pa.decimal128(38, 9))
    assert frame_table(pa.table({"x": column})).numbers("x", False).tolist() == list(map(float, texts))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("quantity", ["1", "2", "3", "4", "5"]),
        ("quantity", [True] * 5),
        ("leverage", [datetime.date(2026, 1, 1)] * 5),
        ("entry_price", [[1.0]] * 5),
        ("instrument", [1.5] * 5),
        ("account", [datetime.datetime(2026, 1, 1)] * 5),
        ("margin_mode", [{"a": 1}] * 5),
    ],
)
def test_columns_of_a_wrong_type_are_refused_by_name(column: str, values: list[Any]) -> None:
    with pytest.raises(DTypeError, match=f"{column}: must be (numbers|text)"):
        lc.PositionBook.from_frame(pa.table({**COLUMNS, column: values}), wallet_balance=WALLETS)


@pytest.mark.parametrize("frame", [None, 5, "text", [1, 2], {"quantity": [1.0]}, np.zeros(3), object()])
def test_what_is_no_frame_is_refused(frame: object) -> None:
    with pytest.raises(DTypeError, match="frame: must be a frame"):
        lc.PositionBook.from_frame(frame)


def test_a_null_is_missing_and_never_zero() -> None:
    frame = pl.DataFrame({**COLUMNS, "quantity": [None] * 5, "leverage": [None] * 5}, strict=False)
    book = lc.PositionBook.from_frame(frame, wallet_balance=WALLETS)
    assert np.isnan(book.quantity).all()
    risk = ENGINE.evaluate(book, MARKS)
    assert (risk.status >= 16).all()


def test_marks_wallets_and_side_may_be_columns() -> None:
    frame = pl.DataFrame(
        {
            "symbol": ["BTCUSDT", "ETHUSDT"], "side": ["short", "long"], "qty": [0.5, 4.0],
            "entry": [6e4, 3e3], "mark": [61e3, 3050.0], "is_cross": [True, True], "user": [7, 7],
            "wallet": [9e3, 9e3],
        }
    )  # fmt: skip
    book = lc.PositionBook.from_frame(frame)
    assert book.marks == {"BTCUSDT": 61e3, "ETHUSDT": 3050.0}
    assert book.quantity.tolist() == [-0.5, 4.0]
    assert book.account_ids == (7,)
    assert book.wallet_balance.tolist() == [9e3]
    accounts = pl.DataFrame(ENGINE.evaluate(book, book.marks).accounts)
    assert accounts["account"].to_list() == [7]
    with pytest.raises(InputError, match="wallet_balance: is a column already"):
        lc.PositionBook.from_frame(frame, wallet_balance={7: 1.0})
    with pytest.raises(InputError, match="wallet: contradicts itself for 7"):
        lc.PositionBook.from_frame(frame.with_columns(pl.Series("wallet", [9e3, 8e3])))


def test_columns_that_look_like_inputs_are_refused_in_frames_too() -> None:
    frame = pl.DataFrame({**COLUMNS, "margin_used": [1.0] * 5})
    with pytest.raises(InputError, match="margin_used: the column looks like an input and is not read"):
        lc.PositionBook.from_frame(frame, wallet_balance=WALLETS)
    kept = lc.PositionBook.from_frame(frame, wallet_balance=WALLETS, pass_columns=["margin_used"])
    assert "margin_used" in pl.DataFrame(ENGINE.evaluate(kept, MARKS)).columns
    left = lc.PositionBook.from_frame(frame, wallet_balance=WALLETS, ignore_columns=["margin_used"])
    assert "margin_used" not in pl.DataFrame(ENGINE.evaluate(left, MARKS)).columns
    sizes = pl.DataFrame({**COLUMNS, "contract_size": [0.001] * 5})
    with pytest.raises(InputError, match=r"instruments=policy\.instruments"):
        lc.PositionBook.from_frame(sizes, wallet_balance=WALLETS)
    book = lc.PositionBook.from_frame(sizes, wallet_balance=WALLETS, instruments=POLICY.instruments)
    assert book.quantity.tolist()[:2] == [0.5 * 0.001, -4.25 * 0.001]


def test_columns_of_any_type_travel_with_the_book() -> None:
    extra = {
        "when": pa.array([datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)] * 5),
        "tags": pa.array([["a", "b"]] * 5),
        "deep": pa.array([{"x": 1}] * 5),
    }
    table = pa.table({**COLUMNS, **extra})
    book = pickle.loads(pickle.dumps(lc.PositionBook.from_frame(table, wallet_balance=WALLETS)))
    found = pa.table(ENGINE.evaluate(book, MARKS))
    for name, column in extra.items():
        assert found.column(name).combine_chunks().equals(column)
    with pytest.raises(DTypeError, match="when: cannot be given row by row"):
        list(ENGINE.evaluate(book, MARKS))


def test_a_replaced_column_does_not_stand_beside_the_old_one() -> None:
    book = lc.PositionBook.from_frame(pl.DataFrame(COLUMNS), wallet_balance=WALLETS)
    other = pl.DataFrame(ENGINE.evaluate(book.replace(quantity=-book.quantity), MARKS))
    assert other["quantity"].to_list() == (-book.quantity).tolist()
    assert "id" not in other.columns
    richer = ENGINE.evaluate(book.replace(wallet_balance={"one": 1e6, "two": 1e6}), MARKS)
    assert pl.DataFrame(richer)["id"].to_list() == COLUMNS["id"]


@pytest.mark.parametrize("name", ["note\0", "\0", "a\0b"])
def test_a_name_with_a_zero_byte_does_not_end_the_process(name: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({**COLUMNS, name: [1] * 5})
    with pytest.raises(InputError, match="zero byte"):
        lc.PositionBook.from_frame(frame, wallet_balance=WALLETS)
    path = tmp_path / "book.csv"
    path.write_text(
        f"instrument,quantity,entry_price,mark_price,margin_mode,leverage,{name}\nX,1,1,1,isolated,1,1\n"
    )
    with pytest.raises(InputError, match="zero byte"):
        read_positions(path)
    with pytest.raises(InputError, match="zero byte"):
        Table(1).with_integers(name, [1])


def test_a_stream_is_read_once() -> None:
    capsule = pa.table(COLUMNS).__arrow_c_stream__()

    class Once:
        """A frame that hands out one and the same capsule."""

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return capsule

    assert len(lc.PositionBook.from_frame(Once(), wallet_balance=WALLETS)) == 5
    with pytest.raises(InputError, match="must not have been read before"):
        lc.PositionBook.from_frame(Once(), wallet_balance=WALLETS)


def test_pandas_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({**COLUMNS, "account": ["one", "one", "two", "two", None], "code": [1, 2, 3, 4, 5]})

    def missing(*_: object) -> None:
        raise ImportError("pyarrow")

    monkeypatch.setattr(pd.DataFrame, "__arrow_c_stream__", missing)
    risk = ENGINE.evaluate(lc.PositionBook.from_frame(frame, wallet_balance=WALLETS), MARKS)
    expected = ENGINE.evaluate(of_arrays(np.array), MARKS)
    assert risk.equity.tobytes() == expected.equity.tobytes()
    assert [row["code"] for row in risk] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "make",
    [
        pa.array,
        lambda values: pa.array(values).dictionary_encode(),
        lambda values: pa.chunked_array([values]),
        pl.Series,
        lambda values: pl.Series(values, dtype=pl.Categorical),
        pd.Series,
        lambda values: pd.Series(values, dtype="category"),
        lambda values: pd.Series(values, dtype="string"),
    ],
)
def test_the_plain_constructor_takes_columns_of_frames(make: Callable[[list[str]], Any]) -> None:
    book = lc.PositionBook(
        make(["BTCUSDT", "ETHUSDT"]), [1.0, 2.0], [6e4, 3e3], make(["a", "b"]), make(["cross", "isolated"]),
        leverage=10, wallet_balance={"a": 1e5},
    )  # fmt: skip
    assert book.instrument_names == ("BTCUSDT", "ETHUSDT")
    assert book.is_cross.tolist() == [True, False]
    assert book.account_ids == ("a",)


def test_a_parquet_file_of_dictionaries_is_read(tmp_path: Path) -> None:
    table = pa.table({name: pa.array(values) for name, values in COLUMNS.items()})
    place = table.column_names.index("instrument")
    table = table.set_column(place, "instrument", table.column("instrument").dictionary_encode())
    pq.write_table(table, tmp_path / "book.parquet")
    assert read_positions(tmp_path / "book.parquet").marks == MARKS


def test_a_pickle_whose_validity_bits_do_not_reach_is_refused() -> None:
    """Bytes cut off, an offset too large, a length too large: an error of ours, not a panic of Arrow's."""
    column = pa.array([1.0, None, 3.0, None, 5.0, 6.0, 7.0, None, 9.0])
    table = Table.from_stream(pa.table({"x": column}).__arrow_c_stream__())
    unpacked, (fields, batches) = table.__reduce__()
    ((rows, ((length, offset, ((bits, from_bit),), buffers, inside),)),) = batches
    whole = (length, offset, [(bits, from_bit)], buffers, inside)
    assert unpacked(fields, [(rows, [whole])]).numbers("x", False)[2] == 3.0
    for tampered in (
        (length, offset, [(b"", from_bit)], buffers, inside),
        (length, offset, [(bits[:1], from_bit)], buffers, inside),
        (length, offset, [(bits, 8 * len(bits))], buffers, inside),
        (length, offset, [(bits, 2**64 - 1)], buffers, inside),
        (2**62, offset, [(bits, from_bit)], buffers, inside),
        (length, 2**62, [(bits, from_bit)], buffers, inside),
    ):
        with pytest.raises(LevcoreError) as caught:
            unpacked(fields, [(rows, [tampered])])
        assert not isinstance(caught.value, InternalError)
