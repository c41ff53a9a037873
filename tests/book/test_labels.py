"""Columns of labels as codes: every kind of column as a dictionary of Python would number it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore._levcore import Table
from levcore.book.arrays import factorize, label_sequence
from levcore.book.labels import NO_ACCOUNT
from levcore.errors import DTypeError

TEXTS = st.one_of(
    st.sampled_from(["", "BTCUSDT", "ETHUSDT", "a", "a\0b", "é", "€uro", "漢字", "😀", "x" * 40]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
)
INTEGERS = st.one_of(
    st.integers(-3, 60), st.integers(-(2**63), 2**63 - 1), st.sampled_from([2**63 - 1, -(2**63)])
)


def numbered(values: list[Any]) -> tuple[list[int], list[Any]]:
    """Codes of values and the labels, by a dictionary; None is the empty label."""
    codes: dict[Any, int] = {}
    rows = [codes.setdefault("" if value is None else value, len(codes)) for value in values]
    return rows, list(codes)


def agree(column: Any, values: list[Any]) -> None:
    """The column gives the codes and labels of the values, types included."""
    codes, labels = factorize("column", column)
    expected_codes, expected_labels = numbered(values)
    assert codes.dtype == np.uint32
    assert codes.tolist() == expected_codes
    assert labels == expected_labels
    assert [type(label) for label in labels] == [type(label) for label in expected_labels]


def series_without_pyarrow(values: list[str | None]) -> pd.Series:
    return pd.Series(values, dtype=object)


OF_TEXTS: dict[str, Callable[[list[str | None]], Any]] = {
    "list": list,
    "tuple": tuple,
    "generator": lambda values: (value for value in values),
    "objects": lambda values: np.array([*values, None], dtype=object)[:-1],
    "every second object": lambda values: np.repeat(np.array([*values, None], dtype=object), 2)[:-2:2],
    "pandas": series_without_pyarrow,
    "pandas categorical": lambda values: series_without_pyarrow(values).astype("category"),
    "pandas Categorical": pd.Categorical,
    "polars": lambda values: pl.Series(values, dtype=pl.String),
    "polars categorical": lambda values: pl.Series(values, dtype=pl.String).cast(pl.Categorical),
    "polars enum": lambda values: pl.Series(
        values, dtype=pl.Enum(["unused", *dict.fromkeys(one for one in values[::-1] if one is not None)])
    ),
    "polars in two": lambda values: pl.concat(
        [pl.Series(values[:3], dtype=pl.String), pl.Series(values[3:], dtype=pl.String)], rechunk=False
    ),
    "pyarrow": lambda values: pa.array(values, pa.string()),
    "pyarrow large": lambda values: pa.array(values, pa.large_string()),
    "pyarrow view": lambda values: pa.array(values, pa.string_view()),
    "pyarrow dictionary": lambda values: pa.array(values, pa.string()).dictionary_encode(),
    "pyarrow in two": lambda values: pa.chunked_array([values[:2], values[2:]], pa.string()),
}


@pytest.mark.parametrize("kind", OF_TEXTS)
@given(values=st.lists(st.one_of(st.none(), TEXTS), max_size=30))
def test_texts_of_every_kind_are_numbered_alike(kind: str, values: list[str | None]) -> None:
    agree(OF_TEXTS[kind](values), values)


@given(values=st.lists(TEXTS, max_size=30), swap=st.booleans(), step=st.sampled_from([1, 2, -1]))
def test_fixed_widths_are_numbered_as_their_texts(values: list[str], swap: bool, step: int) -> None:
    column = np.array([*values, "é"])[:-1][::step]
    agree(column.astype(column.dtype.newbyteorder(">" if swap else "<")), column.tolist())


def test_fixed_widths_of_lone_surrogates_and_of_nothing() -> None:
    agree(np.array(["\ud800", "a", "\ud801", "\ud800"]), ["\ud800", "a", "\ud801", "\ud800"])
    agree(np.zeros(3, dtype="U0"), ["", "", ""])
    agree(np.zeros(0, dtype="U7"), [])


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i8"])
@given(values=st.lists(INTEGERS, max_size=40))
def test_integers_of_every_width_are_numbered_alike(dtype: str, values: list[int]) -> None:
    column = np.array(values, dtype=np.int64).astype(dtype)
    agree(column, column.tolist())
    if dtype != ">i8":
        agree(pl.Series(column), column.tolist())
        agree(pa.array(column), column.tolist())
        agree(pd.Series(column), column.tolist())
        agree(pd.Series(column).astype("category"), column.tolist())


@given(values=st.lists(st.one_of(st.none(), TEXTS, INTEGERS, st.integers(2**63, 2**65)), max_size=30))
def test_texts_and_integers_side_by_side(values: list[Any]) -> None:
    agree(values, values)
    agree(np.array([*values, None], dtype=object)[:-1], values)


def test_a_missing_label_and_the_empty_one_are_one() -> None:
    for kind in OF_TEXTS:
        agree(OF_TEXTS[kind](["b", None, "", "b", None]), ["b", None, "", "b", None])
    agree([1, float("nan"), None, 1], [1, None, None, 1])
    agree(np.ma.masked_array(["a", "b", "a"], [False, True, False]), ["a", None, "a"])
    agree(pa.array([3, None, 3]), [3, None, 3])
    agree(pl.Series([3, None, 3]), [3, None, 3])


class Text(str):
    """A text of a type of its own."""


def test_labels_that_only_python_can_compare() -> None:
    agree(["a", np.str_("a"), "b"], ["a", "a", "b"])
    codes, labels = factorize("column", [Text("b"), "b", np.int64(3), 3])
    assert (codes.tolist(), labels) == ([0, 0, 1, 1], ["b", 3])
    agree(np.array([2**64 - 1, 3, 2**64 - 1], dtype=np.uint64), [2**64 - 1, 3, 2**64 - 1])


@pytest.mark.parametrize(
    ("column", "row"),
    [
        (["a", 1.5], 1),
        (["a", "b", b"c"], 2),
        (np.array([b"a"]), 0),
        ([["a"]], 0),
        ([True], 0),
        (np.array([1.5, 2.0]), 0),
        (pl.Series(["a"]).cast(pl.Binary), 0),
        (pl.Series([1.5]), 0),
        (pl.Series([True]), 0),
        (pa.array([True]), 0),
        (pd.Series([pd.Timestamp("2026-01-01")]), 0),
        (pd.Series([pd.Timestamp("2026-01-01")]).astype("category"), 0),
        (pd.Series([1.5]).astype("category"), 0),
    ],
)
def test_what_is_no_label_is_refused_with_its_row(column: Any, row: int) -> None:
    with pytest.raises(DTypeError, match="must hold text or whole numbers") as caught:
        factorize("column", column)
    assert caught.value.row == row


ROWS = 400_000
"""So many that every thread has a part."""


@pytest.mark.parametrize("labels", [7, 30_000])
@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_a_long_column_is_numbered_alike_on_any_number_of_threads(
    labels: int, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEVCORE_NUM_THREADS", threads)
    codes = np.random.default_rng(labels).integers(0, labels, ROWS)
    texts = np.array([f"name-{label}" for label in range(labels)])[codes]
    expected = numbered(texts.tolist())[0]
    sparse = np.random.default_rng(1).integers(-(2**63), 2**63, labels)[codes]
    for column in (texts, texts.tolist(), texts.astype(object), pl.Series(texts), codes, sparse):
        found, of_codes = factorize("column", column)
        assert found.tolist() == expected
        assert len(of_codes) == max(expected) + 1


def texts_of_every_length() -> list[str | None]:
    """Texts of up to 40 bytes, which differ in one byte or in their length alone, nulls and empty ones."""
    texts: list[str | None] = [None, ""]
    for length in range(1, 41):
        texts.append("a" * length)
        texts += ["a" * place + "b" + "a" * (length - place - 1) for place in range(length)]
    return [*texts, "a" * 4000 + "b", "a" * 4000 + "c", "a\0", "a\0\0", "\0", "\0" * 9, "\0" * 17]


CUTS = {"whole": [ROWS], "in chunks": [ROWS // 2, 0, 3, ROWS // 2 - 3]}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_arrow_texts_are_numbered_by_every_byte(
    threads: str, kind: Any, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEVCORE_NUM_THREADS", threads)
    distinct = texts_of_every_length()
    # Runs of one text, and texts that come for the first time in the part of another thread.
    codes = np.random.default_rng(5).integers(0, len(distinct) - 20, ROWS)
    codes[1 : ROWS // 4] = np.sort(codes[1 : ROWS // 4])
    codes[-20:] = np.arange(len(distinct) - 20, len(distinct))
    texts = [distinct[code] for code in codes]
    # Slices with offsets, of columns that are longer on both sides.
    parts, start = [], 0
    for length in CUTS[cut]:
        part = pa.array(["before", None, *texts[start : start + length], "behind"], pa.string()).cast(kind)
        parts.append(part.slice(2, length))
        start += length
    assert start == ROWS
    table = Table.from_stream(pa.table({"x": pa.chunked_array(parts, kind)}).__arrow_c_stream__())
    found, labels = table.labels("x", False)
    expected, expected_labels = numbered(texts)
    assert found.tolist() == expected
    assert labels == expected_labels


def test_texts_and_integers_of_one_long_column() -> None:
    values = [str(row % 977) if row % 3 else row % 1013 for row in range(4099)]
    agree(values, values)


def join_by_dictionary(
    accounts: list[Any], is_cross: list[bool], wallets: dict[Any, float]
) -> tuple[list[int], list[Any]]:
    """Codes and ids of accounts: those with a wallet, then those with cross positions by first rows."""
    ids = list(wallets)
    with_cross = {account for account, cross in zip(accounts, is_cross, strict=True) if cross}
    ids += [one for one in dict.fromkeys(accounts) if one in with_cross and one not in wallets]
    place = {account: code for code, account in enumerate(ids)}
    none = int(NO_ACCOUNT)
    return [place[account] if cross else none for account, cross in zip(accounts, is_cross, strict=True)], ids


ACCOUNTS = st.lists(
    st.tuples(st.one_of(st.sampled_from("abcdef"), st.integers(0, 4)), st.booleans()), min_size=1, max_size=25
)


@given(
    rows=ACCOUNTS,
    wallets=st.dictionaries(st.one_of(st.sampled_from("abz"), st.integers(2, 6)), st.floats(0, 9)),
)
def test_accounts_are_joined_with_their_wallets(
    rows: list[tuple[Any, bool]], wallets: dict[Any, float]
) -> None:
    accounts, is_cross = [account for account, _ in rows], [cross for _, cross in rows]
    count = len(rows)
    book = lc.PositionBook(
        ["BTCUSDT"] * count,
        [1.0] * count,
        [1.0] * count,
        accounts,
        ["cross" if cross else "isolated" for cross in is_cross],
        wallet_balance=wallets,
        position_mode="hedge",
    )
    codes, ids = join_by_dictionary(accounts, is_cross, wallets)
    assert list(book.account_ids) == ids
    assert [type(one) for one in book.account_ids] == [type(one) for one in ids]
    if any(is_cross):
        assert book.account_codes is not None
        assert book.account_codes.tolist() == codes
    expected = [wallets.get(one, np.nan) for one in ids]
    np.testing.assert_array_equal(book.wallet_balance, expected)


@pytest.mark.parametrize("kind", OF_TEXTS)
def test_a_book_takes_its_labels_from_every_kind_of_column(kind: str) -> None:
    make = OF_TEXTS[kind]
    book = lc.PositionBook(
        make(["BTCUSDT", "ETHUSDT", "BTCUSDT"]),
        [1.0, 2.0, 3.0],
        [1.0, 1.0, 1.0],
        make(["b", "a", None]),
        make(["cross", "cross", "isolated"]),
        wallet_balance={"a": 5.0},
    )
    assert book.instrument_names == ("BTCUSDT", "ETHUSDT")
    assert book.account_ids == ("a", "b")
    assert book.is_cross.tolist() == [True, True, False]
    assert [book.account_of(row) for row in range(3)] == ["b", "a", None]


def test_one_label_and_a_mapping_are_no_column() -> None:
    for odd in ("BTCUSDT", {"BTCUSDT": 1}, {"BTCUSDT"}, 3):
        with pytest.raises(DTypeError, match="must be a sequence of labels"):
            label_sequence("column", odd)


def test_an_empty_list_of_codes_is_a_book_of_nobody() -> None:
    book = lc.PositionBook([], [], [], instrument_names=["X", "Y"])
    assert len(book) == 0
    assert book.instrument_names == ("X", "Y")
    assert book.instrument_codes.dtype == np.dtype(np.uint32)
    with pytest.raises(lc.errors.DTypeError, match="must hold codes of instrument_names"):
        lc.PositionBook(np.array([1.0]), [1.0], [1.0], instrument_names=["X", "Y"])
