"""A column of labels as codes into its distinct labels, so that a million rows hold each label once."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

__all__ = ["CodedLabels"]


class CodedLabels(Sequence[Any]):
    """Labels, one a row, held as codes.

    Parameters
    ----------
    codes : ndarray of uint32, shape (n,)
        Place of each row's label in `labels`.
    labels : sequence of str or int
        Distinct labels in the order of their first row; before them any that were known beforehand.
    """

    __slots__ = ("codes", "labels")

    codes: npt.NDArray[np.uint32]
    labels: tuple[Any, ...]

    def __init__(self, codes: npt.NDArray[np.uint32], labels: Sequence[Any]) -> None:
        self.codes = codes
        self.labels = tuple(labels)

    def __len__(self) -> int:
        """Number of rows."""
        return self.codes.size

    @overload
    def __getitem__(self, row: int) -> Any: ...
    @overload
    def __getitem__(self, row: slice) -> "CodedLabels": ...
    def __getitem__(self, row: int | slice) -> Any:
        """Label of a row, or the rows of a slice."""
        if isinstance(row, slice):
            return CodedLabels(self.codes[row], self.labels)
        return self.labels[int(self.codes[row])]

    def __iter__(self) -> Iterator[Any]:
        """Label by label."""
        return map(self.labels.__getitem__, self.codes.tolist())

    def rows_of(self, label: Any) -> npt.NDArray[np.int64]:
        """Rows that have a label."""
        if label not in self.labels:
            return np.empty(0, np.int64)
        return np.flatnonzero(self.codes == self.labels.index(label))

    def __repr__(self) -> str:
        """Sizes."""
        return f"CodedLabels({len(self):,} rows, {len(self.labels):,} labels)"
