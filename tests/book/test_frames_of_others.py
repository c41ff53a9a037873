"""Frames that cannot be given: whoever made them, the error is one of ours and says what to do."""

from typing import Any

import pandas as pd
import polars as pl
import pytest

import levcore as lc
from levcore.errors import DTypeError, InputError

ROWS: dict[str, list[Any]] = {
    "instrument": ["BTCUSDT", "ETHUSDT"],
    "quantity": [0.5, -4.0],
    "entry_price": [60_000.0, 3_000.0],
    "margin_mode": ["isolated", "Cross"],
    "account": ["ann", "bob"],
    "isolated_margin": [3_000.0, None],
}
FRAME = pd.DataFrame(ROWS)
TWICE = pd.concat([FRAME, FRAME[["quantity"]]], axis=1)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (TWICE, "Duplicate column names"),
        (FRAME.astype({"quantity": pd.SparseDtype(float)}), "column quantity"),
        (FRAME.astype({"quantity": complex}), "column quantity with type complex128"),
        (FRAME.assign(quantity=[0.5, "-4"]), "column quantity with type object"),
    ],
    ids=["a column twice", "sparse", "complex", "numbers and text"],
)
def test_what_another_library_cannot_give_is_our_error(frame: Any, told: str) -> None:
    with pytest.raises(
        InputError, match="frame: cannot be given as an Arrow stream; expected columns"
    ) as raised:
        lc.PositionBook.from_frame(frame)
    assert told in str(raised.value)
    assert raised.value.__cause__ is not None


def test_a_lazy_frame_and_a_column_of_text_have_a_remedy() -> None:
    frame = pl.DataFrame(ROWS)
    with pytest.raises(DTypeError, match=r"collect\(\) what is lazy first, found LazyFrame"):
        lc.PositionBook.from_frame(frame.lazy())
    with pytest.raises(DTypeError, match=r"quantity: must be numbers; .*cast text first"):
        lc.PositionBook.from_frame(frame.with_columns(pl.col("quantity").cast(str)))
