"""Columns of a book at the door: dtype, length, layout and codes, checked once.

A contiguous float64 array is kept as it is, behind a read-only view; anything else is copied once and named
in ``PositionBook.copied``.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.errors import DTypeError, InputError, ShapeError

__all__ = ["Codes", "Floats", "factorize", "float_column", "integer_codes"]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint32]
FLOAT64 = np.dtype(np.float64)


def float_column(name: str, values: object, rows: int | None, copied: list[str]) -> Floats:
    """A read-only float64 column.

    Parameters
    ----------
    name : str
        Column, named in errors.
    values : array_like, shape (rows,), or a number
        Real numbers; a number stands for every row. None inside of a list and masked values become NaN
        (missing).
    rows : int or None
        Expected length; None: whatever it is.
    copied : list of str
        Receives `name` if the values had to be copied.

    Raises
    ------
    DTypeError
        For text, booleans, complex numbers, dates.
    ShapeError
        For a wrong length or number of dimensions.
    """
    if type(values) is np.ndarray and values.dtype == FLOAT64 and values.ndim == 1 and values.size == rows:
        flags = values.flags
        if flags.c_contiguous and flags.aligned:
            # Nothing to do, and marks come this way at every call.
            return _read_only(values)
    if isinstance(values, (int, float)) and not isinstance(values, bool) and rows is not None:
        array: npt.NDArray[Any] = np.full(rows, values, dtype=np.float64)
        given: object = None
    else:
        given = values
        array = _numeric_array(name, values)
    if array.ndim != 1:
        raise ShapeError(name, "must be one-dimensional", "1 dimension", f"{array.ndim} dimensions")
    if rows is not None and array.size != rows:
        raise ShapeError(name, "must have one value a row", str(rows), str(array.size))
    column: Floats = np.require(array, dtype=np.float64, requirements=["C", "A"])
    if not column.dtype.isnative:
        column = column.astype(np.float64)
    if given is not column and not (isinstance(given, np.ndarray) and np.shares_memory(column, given)):
        copied.append(name)
    return _read_only(column)


def _read_only(values: Floats) -> Floats:
    column = values.view()
    column.flags.writeable = False
    return column


def _numeric_array(name: str, values: object) -> npt.NDArray[Any]:
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.filled(values.astype(np.float64), np.nan)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ShapeError(name, "must be one-dimensional", "a flat sequence of numbers", str(error)) from None
    if array.dtype.kind == "O":
        array = _object_array(name, array)
    if array.dtype.kind not in "fiu":
        raise DTypeError(name, "must hold real numbers", "float64", str(array.dtype))
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        raise DTypeError(name, "must fit float64 without loss", "float64", str(array.dtype))
    return array


def _object_array(name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    for row, value in enumerate(array.ravel().tolist()):
        if value is not None and (
            isinstance(value, (str, bytes, bool, complex)) or not hasattr(value, "__float__")
        ):
            raise DTypeError(name, "must hold real numbers", "numbers or None", repr(value), row)
    return array.astype(np.float64)


def integer_codes(name: str, values: npt.NDArray[Any], limit: int) -> Codes:
    """Codes of the caller as uint32, each below `limit`.

    Raises
    ------
    InputError
        Naming the first code outside of the table and how many there are.
    """
    if values.ndim != 1:
        raise ShapeError(name, "must be one-dimensional", "1 dimension", f"{values.ndim} dimensions")
    outside = (values < 0) | (values >= limit)
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            name,
            "must be a code of its table",
            f"a code from 0 to {limit - 1}",
            str(values[row]),
            row,
            int(outside.sum()),
        )
    return np.ascontiguousarray(values, dtype=np.uint32)


def factorize(name: str, values: Iterable[object]) -> tuple[Codes, list[Any]]:
    """Codes of labels in the order of their first appearance, and the labels.

    Parameters
    ----------
    name : str
        Column, named in errors.
    values : iterable of str or of int
        Labels; None and NaN count as the empty string, a label that nothing knows.

    Raises
    ------
    DTypeError
        For labels that are neither text nor whole numbers.
    """
    if isinstance(values, (str, bytes)):
        raise DTypeError(name, "must be a sequence of labels", "one label a row", f"the string {values!r}")
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise ShapeError(name, "must be one-dimensional", "1 dimension", f"{values.ndim} dimensions")
        if values.dtype.kind in "iu":
            return _factorize_integers(values)
        values = values.tolist()
    labels: dict[Any, int] = {}
    sequence = values if isinstance(values, Sequence) else list(values)
    codes = np.fromiter(
        (labels.setdefault(value, len(labels)) for value in sequence), dtype=np.uint32, count=len(sequence)
    )
    return _without_missing(name, codes, list(labels))


def _factorize_integers(values: npt.NDArray[Any]) -> tuple[Codes, list[Any]]:
    if values.size == 0:
        return np.empty(0, dtype=np.uint32), []
    steps = values[1:] != values[:-1]
    if bool((values[1:] >= values[:-1]).all()):
        codes = np.zeros(values.size, dtype=np.uint32)
        np.cumsum(steps, out=codes[1:], dtype=np.uint32)
        return codes, values[np.flatnonzero(np.concatenate(([True], steps)))].tolist()
    labels, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(order.size, dtype=np.uint32)
    rank[order] = np.arange(order.size, dtype=np.uint32)
    return rank[inverse.ravel()], labels[order].tolist()


def _without_missing(name: str, codes: Codes, labels: list[Any]) -> tuple[Codes, list[Any]]:
    """Give None and NaN the code of the empty label, and refuse labels that are no labels."""
    clean: dict[Any, int] = {}
    translation = np.empty(len(labels), dtype=np.uint32)
    for code, label in enumerate(labels):
        missing = label is None or (isinstance(label, float) and label != label)
        if not missing and (isinstance(label, bool) or not isinstance(label, (str, int, np.integer))):
            row = int(np.argmax(codes == code))
            raise DTypeError(name, "must hold text or whole numbers", "str or int", repr(label), row)
        kept = "" if missing else label if isinstance(label, str) else int(label)
        translation[code] = clean.setdefault(kept, len(clean))
    return (codes, list(clean)) if len(clean) == len(labels) else (translation[codes], list(clean))
