"""Columns of a book at the door: dtype, length, layout and codes, checked once.

A contiguous float64 array is kept as it is, behind a read-only view; anything else is copied once and named
in ``PositionBook.copied``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import column_of_numbers
from levcore.book.coded_labels import CodedLabels
from levcore.book.numbered_labels import labels_of_column, number_labels
from levcore.errors import DTypeError, InputError, ShapeError

__all__ = [
    "Codes",
    "Floats",
    "factorize",
    "flat_array",
    "float_column",
    "frozen",
    "integer_codes",
    "label_sequence",
    "read_only",
    "real_number",
    "refuse_masked",
]

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint32]
FLOAT64 = np.dtype(np.float64)
FLAGS = frozenset({bool, np.bool_})
"""Types that are no numbers, and that NumPy takes for some beside them."""


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
    if (
        type(values) is np.ndarray
        and values.dtype == FLOAT64
        and values.ndim == 1
        and (rows is None or values.size == rows)
    ):
        flags = values.flags
        if flags.c_contiguous and flags.aligned:
            # Nothing to do, and marks come this way at every call.
            return _read_only(values)
    if type(values) is list or type(values) is tuple:
        plain = column_of_numbers(values)
        if plain is not None and (rows is None or plain.size == rows):
            copied.append(name)
            return plain
    if isinstance(values, (int, float)) and not isinstance(values, bool) and rows is not None:
        alike = np.empty(rows)
        alike.fill(real_number(name, values))
        copied.append(name)
        return _read_only(alike)
    array = _numeric_array(name, values)
    if array.ndim != 1:
        raise ShapeError(name, "must be one-dimensional", "1 dimension", f"{array.ndim} dimensions")
    if rows is not None and array.size != rows:
        raise ShapeError(name, "must have one value a row", str(rows), str(array.size))
    column: Floats = np.require(array, dtype=np.float64, requirements=["C", "A"])
    if not column.dtype.isnative:
        column = column.astype(np.float64)
    if values is not column and not (isinstance(values, np.ndarray) and np.shares_memory(column, values)):
        copied.append(name)
    return _read_only(column)


def _read_only(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    column: npt.NDArray[Any] = frozen(values.view())
    return column


def frozen(values: npt.NDArray[Any] | None) -> Any:
    """An array of our own, which from now on cannot be written through."""
    if values is not None:
        # By place: by its name, `write`, which NumPy's types ask for, it takes twice the time.
        values.setflags(False)  # type: ignore[call-arg]
    return values


def read_only(values: Any) -> Any:
    """An array as a view that cannot be written through; what is none as it is."""
    return _read_only(values) if isinstance(values, np.ndarray) and values.flags.writeable else values


def real_number(name: str, value: object, row: int | None = None) -> float:
    """A number as float64, NaN for None.

    Raises
    ------
    DTypeError
        For what `float` would take and no number is (text, booleans, dates), and for what it cannot hold.
    """
    if value is None:
        return np.nan
    # NumPy gives a `__float__` to its booleans, dates and arrays too.
    numeric = value.dtype.kind in "fiu" if isinstance(value, np.generic) else hasattr(value, "__float__")
    if numeric and not isinstance(value, (str, bytes, bool, complex, np.ndarray)):
        try:
            return float(value)  # type: ignore[arg-type]
        except OverflowError:
            found = f"{type(value).__name__} beyond its range"
            raise DTypeError(name, "must fit float64", "float64", found, row) from None
        except (TypeError, ValueError):
            pass
    raise DTypeError(name, "must hold real numbers", "numbers or None", repr(value), row)


def flat_array(name: str, values: object) -> npt.NDArray[Any]:
    """Values as an array of whatever type they have.

    Raises
    ------
    ShapeError
        For sequences inside of the sequence that differ in length.
    """
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ShapeError(name, "must be one-dimensional", "a flat sequence", str(error)) from None


def _numeric_array(name: str, values: object) -> npt.NDArray[Any]:
    array = values if isinstance(values, np.ma.MaskedArray) else flat_array(name, values)
    if array.dtype.kind == "O":
        array = _object_array(name, array)
    # Beside a number NumPy takes one for 0 or 1.
    if (
        isinstance(values, (list, tuple))
        and array.dtype.kind in "fiu"
        and not FLAGS.isdisjoint(map(type, values))
    ):
        row, flag = next((row, value) for row, value in enumerate(values) if type(value) in FLAGS)
        raise DTypeError(name, "must hold real numbers", "numbers or None", repr(bool(flag)), row)
    if array.dtype.kind not in "fiu":
        raise DTypeError(name, "must hold real numbers", "float64", str(array.dtype))
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        raise DTypeError(name, "must fit float64 without loss", "float64", str(array.dtype))
    if isinstance(array, np.ma.MaskedArray):
        return np.ma.filled(array.astype(np.float64), np.nan)
    return array


def _object_array(name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    # A masked value comes out of `tolist` as None.
    values = [real_number(name, value, row) for row, value in enumerate(array.ravel().tolist())]
    return np.array(values, dtype=np.float64).reshape(array.shape)


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
    # Decisions of the book: later changes of the caller's array must neither be seen nor lead outside.
    return np.array(values, dtype=np.uint32, order="C")


def refuse_masked(name: str, values: object) -> None:
    """Refuse masked values where nothing stands for a missing one: below the mask lies a value like any."""
    if not isinstance(values, np.ma.MaskedArray):
        return
    masked = np.ma.getmaskarray(values)
    if masked.any():
        row = int(np.argmax(masked))
        raise InputError(name, "must not be masked", "a value a row", "masked", row, int(masked.sum()))


def label_sequence(
    name: str, values: object, known: list[Any] | None = None
) -> Sequence[Any] | npt.NDArray[Any]:
    """Labels in an order, with a length; where they come as codes, those that are `known` stand first.

    Raises
    ------
    DTypeError
        For one label, a mapping, or a set, whose order says nothing.
    """
    if isinstance(values, (str, bytes)):
        raise DTypeError(name, "must be a sequence of labels", "one label a row", f"the string {values!r}")
    if isinstance(values, (list, tuple, np.ndarray, Sequence)):
        return values
    labels = labels_of_column(values, known)
    if labels is not None:
        return labels
    to_pylist: Callable[[], list[Any]] | None = getattr(values, "to_pylist", None)
    if to_pylist is not None:
        # Iterated over, pyarrow's arrays and dictionaries give scalars of their own.
        return to_pylist()
    if isinstance(values, (Set, Mapping)) or not isinstance(values, Iterable):
        raise DTypeError(name, "must be a sequence of labels", "one label a row", type(values).__name__)
    return list(values)


def factorize(name: str, values: object, known: list[Any] | None = None) -> tuple[Codes, list[Any]]:
    """Codes of labels in the order of their first appearance, and the labels.

    Parameters
    ----------
    name : str
        Column, named in errors.
    values : sequence or iterable of str or of int
        Labels; None and NaN count as the empty string, a label that nothing knows.
    known : list, optional
        Labels that stand first, wherever the core can number all of them; whoever gives them looks whether
        they do.

    Raises
    ------
    DTypeError
        For labels that are neither text nor whole numbers.
    """
    if type(values) is list or type(values) is tuple:
        # What is asked of other sequences takes as long as numbering a few labels.
        numbered = number_labels(values, known)
        return _numbered_by_python(name, values) if numbered is None else numbered
    sequence = label_sequence(name, values, known)
    if isinstance(sequence, CodedLabels):
        return sequence.codes, list(sequence.labels)
    if isinstance(sequence, np.ndarray) and sequence.ndim != 1:
        raise ShapeError(name, "must be one-dimensional", "1 dimension", f"{sequence.ndim} dimensions")
    numbered = number_labels(sequence, known)
    return _numbered_by_python(name, sequence) if numbered is None else numbered


def _numbered_by_python(name: str, sequence: Sequence[Any] | npt.NDArray[Any]) -> tuple[Codes, list[Any]]:
    """The same for objects of any type, equal where they say so."""
    if isinstance(sequence, np.ndarray):
        sequence = sequence.tolist()
    labels: dict[Any, int] = {}
    try:
        codes = np.fromiter(
            (labels.setdefault(value, len(labels)) for value in sequence),
            dtype=np.uint32,
            count=len(sequence),
        )
    except TypeError:
        row, odd = next((row, value) for row, value in enumerate(sequence) if not _is_hashable(value))
        raise DTypeError(name, "must hold text or whole numbers", "str or int", repr(odd), row) from None
    return _without_missing(name, codes, list(labels))


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _without_missing(name: str, codes: Codes, labels: list[Any]) -> tuple[Codes, list[Any]]:
    """Give None and NaN the code of the empty label, and refuse labels that are no labels."""
    clean: dict[Any, int] = {}
    translation = np.empty(len(labels), dtype=np.uint32)
    for code, label in enumerate(labels):
        kept: str | int
        if label is None or (isinstance(label, float) and label != label):
            kept = ""
        elif isinstance(label, str):
            kept = label
        elif isinstance(label, (int, np.integer)) and not isinstance(label, bool):
            kept = int(label)
        else:
            row = int(np.argmax(codes == code))
            raise DTypeError(name, "must hold text or whole numbers", "str or int", repr(label), row)
        translation[code] = clean.setdefault(kept, len(clean))
    return (codes, list(clean)) if len(clean) == len(labels) else (translation[codes], list(clean))
