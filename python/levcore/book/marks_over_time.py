"""Mark prices by time and instrument as the caller gives them."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats, flat_array, float_column
from levcore.book.labelled import column_names, values_of
from levcore.errors import DTypeError, InputError, ShapeError

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook

__all__ = ["marks_over_time"]

TIME = "time"


def marks_over_time(book: "PositionBook", marks: Any, times: Any) -> tuple[Floats, npt.NDArray[Any]]:
    """Prices of shape (t, instruments) or (t, policies, instruments), NaN where missing, and the times.

    Raises
    ------
    ShapeError, DTypeError, InputError
        As `levcore.Engine.evaluate_over` says.
    """
    names = column_names(marks)
    if names is None:
        prices = _array(book, marks)
        labels = None
    else:
        prices = _frame(book, marks, names)
        labels = marks[TIME] if TIME in names else getattr(marks, "index", None)
    given = labels if times is None else times
    found = np.arange(len(prices)) if given is None else flat_array("times", values_of(given))
    if found.shape != (len(prices),):
        raise ShapeError("times", "must have one value a row of marks", str((len(prices),)), str(found.shape))
    return prices, found


def _frame(book: "PositionBook", marks: Any, names: list[str]) -> Floats:
    known = [name for name in book.instrument_names if name in names]
    if not known:
        expected = ", ".join(book.instrument_names[:5])
        raise InputError("marks", "must have a column an instrument", expected, ", ".join(names[:5]))
    columns = {name: float_column(f"marks[{name!r}]", values_of(marks[name]), None, []) for name in known}
    rows = columns[known[0]].size
    for name, column in columns.items():
        if column.size != rows:
            raise ShapeError(f"marks[{name!r}]", "must have one value a time", str(rows), str(column.size))
    missing = np.full(rows, np.nan)
    return np.stack([columns.get(name, missing) for name in book.instrument_names], axis=1)


def _array(book: "PositionBook", marks: Any) -> Floats:
    try:
        array = np.asarray(marks)
    except ValueError as error:
        raise ShapeError("marks", "must be a table", "one row a time", str(error)) from None
    if array.dtype.kind not in "fiu":
        raise DTypeError("marks", "must hold real numbers", "float64", str(array.dtype))
    shapes: list[tuple[int, ...]] = [(len(book.instrument_names),)]
    if book.policy_names:
        shapes.append((len(book.policy_names), len(book.instrument_names)))
    if array.shape[1:] not in shapes or array.ndim < 2:
        expected = " or ".join(str(("t", *shape)) for shape in shapes)
        raise ShapeError("marks", "must have one row a time", expected, str(array.shape))
    return np.array(array, dtype=np.float64)
