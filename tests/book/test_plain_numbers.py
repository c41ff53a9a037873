"""Lists of plain numbers and dictionaries of prices are read by the core as NumPy and Python read them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import levcore as lc
from levcore.book.arrays import float_column, real_number
from levcore.book.marks import prices_of
from levcore.errors import DTypeError, ShapeError

NUMBERS = st.one_of(st.floats(), st.integers(-(2**70), 2**70), st.none())


@given(values=st.lists(NUMBERS, max_size=80))
def test_a_list_is_read_as_its_numbers_one_by_one(values: list[Any]) -> None:
    expected = np.array([real_number("x", value) for value in values], dtype=np.float64)
    for given_as in (values, tuple(values)):
        copied: list[str] = []
        column = float_column("x", given_as, len(values), copied)
        assert column.tobytes() == expected.tobytes() or np.array_equal(column, expected, equal_nan=True)
        assert copied == ["x"]
        assert not column.flags.writeable


@pytest.mark.parametrize("odd", [True, "1", b"1", 1j, [1.0], object()])
def test_what_is_no_number_is_still_refused(odd: Any) -> None:
    with pytest.raises((DTypeError, ShapeError)):
        float_column("x", [odd], 1, [])


@pytest.mark.parametrize("beside", [-4.0, 3, np.float64(2.0), np.int32(1)])
@pytest.mark.parametrize("odd", [True, False, np.True_])
def test_a_flag_beside_numbers_is_none_of_them(odd: Any, beside: Any) -> None:
    for values in ([beside, odd], (beside, odd)):
        with pytest.raises(DTypeError, match="x: must hold real numbers") as caught:
            float_column("x", values, 2, [])
        assert caught.value.row == 1
    with pytest.raises(DTypeError, match="must hold real numbers"):
        lc.PositionBook(["X", "Y"], [beside, odd], [1.0, 1.0])


def test_a_list_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ShapeError, match="one value a row"):
        float_column("x", [1.0, 2.0], 3, [])


COLUMNS = ("quantity", "entry_price", "isolated_margin", "leverage", "accrued_funding", "risk_limit")
PLAIN = st.one_of(st.floats(), st.integers(-(2**60), 2**60), st.none())


@given(data=st.data(), rows=st.integers(0, 5))
def test_plain_columns_are_read_together_as_one_by_one(data: st.DataObject, rows: int) -> None:
    column = st.lists(PLAIN, min_size=rows, max_size=rows)
    drawn: dict[str, Any] = {name: data.draw(column | column.map(tuple), name) for name in COLUMNS[:2]}
    optional = st.one_of(column, st.floats(), st.integers(-5, 5), st.none())
    drawn |= {name: data.draw(optional, name) for name in COLUMNS[2:]}
    book = lc.PositionBook(["BTCUSDT"] * rows, **drawn)
    given_names = tuple(name for name in COLUMNS if drawn[name] is not None)
    assert book.copied == given_names
    for name in COLUMNS:
        values, found = drawn[name], getattr(book, name)
        if values is None:
            assert found is None
            continue
        expected = float_column(name, values, rows, [])
        assert np.array_equal(found, expected, equal_nan=True)
        assert found.shape == (rows,)
        assert found.flags.c_contiguous
        assert not found.flags.writeable


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize(
    ("odd", "error"),
    [([1.0, "x"], DTypeError), ([1.0], ShapeError), ([1.0, object()], DTypeError), (True, DTypeError)],
)
def test_an_odd_column_among_plain_ones_is_named(name: str, odd: Any, error: type[Exception]) -> None:
    columns: dict[str, Any] = {column: [1.0, 2.0] for column in COLUMNS} | {name: odd}
    # The others have the length of the first.
    named = "entry_price" if name == "quantity" and error is ShapeError else name
    with pytest.raises((DTypeError, ShapeError), match=named):
        lc.PositionBook(["BTCUSDT"] * 2, **columns)


def test_a_price_is_no_column_that_may_be_absent() -> None:
    with pytest.raises((DTypeError, ShapeError), match="entry_price"):
        lc.PositionBook(["BTCUSDT"], [1.0], None)  # type: ignore[arg-type]


PRICES = st.one_of(st.floats(), st.integers(-(2**60), 2**60), st.none())


@given(prices=st.dictionaries(st.sampled_from("abcdef"), PRICES))
def test_a_dictionary_of_prices_is_read_as_any_mapping(prices: dict[str, Any]) -> None:
    names = tuple("aceg")
    of_dictionary, of_mapping = prices_of(names, prices), prices_of(names, MappingProxyType(prices))
    assert np.array_equal(of_dictionary, of_mapping, equal_nan=True)


@pytest.mark.parametrize("odd", [True, "1", [1.0]])
def test_what_is_no_price_is_refused_from_a_dictionary_too(odd: Any) -> None:
    with pytest.raises(DTypeError, match="marks"):
        prices_of(("a", "b"), {"a": 1.0, "b": odd})


def test_one_position_may_be_given_by_values() -> None:
    engine, marks = lc.Engine(lc.policy("binance-usdm")), {"BTCUSDT": 61_000.0}
    alone = lc.PositionBook("BTCUSDT", 0.5, 60_000.0, isolated_margin=3_000.0, leverage=10)
    column = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0], leverage=[10])
    assert engine.evaluate(alone, marks).liquidation_price == engine.evaluate(column, marks).liquidation_price
    ann = lc.PositionBook("BTCUSDT", 0.5, 60_000.0, "ann", "cross", wallet_balance={"ann": 4_000.0})
    assert engine.evaluate(ann, marks).accounts.to_dict()["account"] == ("ann",)
    for quantity in ([0.5], np.array([0.5])):
        with pytest.raises(DTypeError, match="sequence of labels"):
            lc.PositionBook("BTCUSDT", quantity, 60_000.0)
