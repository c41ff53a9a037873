"""Mark prices as the caller gives them, as one array by instrument, or by policy and instrument."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats, float_column, real_number
from levcore.errors import ShapeError

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook

__all__ = ["Marks", "mark_prices", "marks_by_policy", "prices_of"]

Marks: TypeAlias = Mapping[str, float] | Mapping[str, Mapping[str, float] | npt.ArrayLike] | npt.ArrayLike
"""Prices by instrument under every policy, or those of each policy by its label."""
PLAIN_NUMBERS = frozenset({float})


def mark_prices(book: "PositionBook", marks: Marks) -> Floats:
    """Mark prices of a book's instruments, NaN where missing.

    Parameters
    ----------
    book : PositionBook
    marks : mapping of instrument to price, or array_like of shape (instruments,)
        One price under every policy. For a book with policies also a mapping of their labels to either of
        these, or an array_like of shape (policies, instruments), in the order of ``book.policy_names`` and
        ``book.instrument_names``.

    Returns
    -------
    ndarray of float64, shape (instruments,) or (policies, instruments), quote per base

    Raises
    ------
    DTypeError, ShapeError
        For prices that are no numbers, or an array of another shape.
    """
    names = book.instrument_names
    if not book.policy_names:
        return prices_of(names, marks)
    if isinstance(marks, Mapping):
        given = [marks.get(label) for label in book.policy_names]
        if any(isinstance(prices, (Mapping, Sequence, np.ndarray)) for prices in given):
            return np.stack([prices_of(names, {} if prices is None else prices) for prices in given])
    elif np.ndim(marks) == 2:
        shape = (len(book.policy_names), len(names))
        if np.shape(marks) != shape:
            raise ShapeError("marks", "must have one row a policy", str(shape), str(np.shape(marks)))
        return float_column("marks", np.reshape(marks, -1), shape[0] * shape[1], []).reshape(shape)
    return prices_of(names, marks)


def prices_of(names: tuple[str, ...], marks: Marks) -> Floats:
    """Prices of these instruments, NaN where missing; see `mark_prices` for what marks may be."""
    if isinstance(marks, (dict, Mapping)):  # dict first: asking for the kind takes longer
        prices = [marks.get(name, np.nan) for name in names]
        if not PLAIN_NUMBERS.issuperset(map(type, prices)):
            prices = [real_number("marks", price, place) for place, price in enumerate(prices)]
        column: Floats = np.array(prices, dtype=np.float64)
        return column
    if isinstance(marks, (int, float)):
        # One price for every instrument is nobody's book.
        raise ShapeError(
            "marks", "must name its instrument", "a mapping, or one price an instrument", "a number"
        )
    return float_column("marks", marks, len(names), [])


def marks_by_policy(marks: Floats, policies: int) -> Floats:
    """Marks that `mark_prices` returned, as a view of shape (policies, instruments)."""
    return np.broadcast_to(marks, (policies, marks.shape[-1]))
