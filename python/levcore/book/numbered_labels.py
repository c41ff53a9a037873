"""Columns of labels as codes by the core: NumPy's, Python's, and those of polars, pandas and pyarrow.

A column that holds anything but text, whole numbers of 64 bits and missing values is left to Python, which
alone knows when other objects are equal (`levcore.book.arrays.factorize`).
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import Table, number_code_points, number_integers, number_objects
from levcore.book.coded_labels import CodedLabels

__all__ = ["labels_of_column", "number_labels"]

_COLUMN = "labels"
_POLARS = {"String", "Categorical", "Enum", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32"}
_ARROW = {
    "string",
    "large_string",
    "string_view",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
}


def number_labels(
    values: Any, known: list[Any] | None = None
) -> tuple[npt.NDArray[np.uint32], list[Any]] | None:
    """Codes of labels in the order of their first rows, and the labels; None for what Python has to look at.

    Parameters
    ----------
    values : list, tuple or one-dimensional ndarray
        None counts as the empty label.
    known : list, optional
        Labels that come first, whether a row has them or not, if they are distinct text and whole numbers.
    """
    if isinstance(values, (list, tuple)):
        return number_objects(values, known)
    if isinstance(values, np.ma.MaskedArray) or not isinstance(values, np.ndarray) or values.ndim != 1:
        return None
    kind = values.dtype.kind
    if kind == "O":
        return number_objects(np.ascontiguousarray(values), known)
    if kind == "U" and values.dtype.itemsize:
        native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
        points = native.view(np.uint32)
        (codes, labels), rows = number_code_points(points, native.dtype.itemsize // 4, known)
    elif kind == "i" or (kind == "u" and values.dtype.itemsize < 8):
        (codes, labels), rows = number_integers(np.ascontiguousarray(values, dtype=np.int64), known)
    else:
        return None
    return codes, labels + values[rows].tolist()


def labels_of_column(values: Any, known: list[Any] | None = None) -> CodedLabels | npt.NDArray[Any] | None:
    """Labels of a column of polars, pandas or pyarrow; None for any other, or one without labels.

    Those that are `known` come first in columns of text and whole numbers, as `number_labels` says.
    """
    library = type(values).__module__.partition(".")[0]
    if library == "polars" and hasattr(values, "to_frame"):
        if str(values.dtype).partition("(")[0] in _POLARS:
            return _labels_of_arrow(values.to_frame(_COLUMN), known)
    elif library == "pyarrow" and hasattr(values, "type"):
        kind = getattr(values.type, "value_type", values.type)
        if str(kind) in _ARROW:
            return _labels_of_arrow(sys.modules["pyarrow"].table({_COLUMN: values}), known)
    elif library == "pandas" and hasattr(values, "dtype"):
        return _labels_of_pandas(values)
    return None


def _labels_of_arrow(frame: Any, known: list[Any] | None) -> CodedLabels:
    codes, labels = Table.from_stream(frame.__arrow_c_stream__()).labels(_COLUMN, False, known)
    return CodedLabels(codes, labels)


def _labels_of_pandas(values: Any) -> CodedLabels | npt.NDArray[Any] | None:
    if values.dtype.name != "category":
        array = values.to_numpy()
        # The dates of others would come out as whole numbers.
        return array if array.dtype.kind in "OUiu" else None
    categorical = values.cat if hasattr(values, "cat") else values
    (codes, _), rows = number_integers(np.asarray(categorical.codes, dtype=np.int64))
    names = [*categorical.categories.tolist(), None]
    # The code of what is missing is -1, the last of the names.
    labels = number_objects([names[code] for code in np.asarray(categorical.codes)[rows].tolist()])
    return None if labels is None else CodedLabels(labels[0][codes], labels[1])
