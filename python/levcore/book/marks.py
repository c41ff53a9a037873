"""Mark prices as the caller gives them, as one array by instrument, or by policy and instrument."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from levcore._levcore import prices_of_names
from levcore.book.arrays import Floats, float_column, label_sequence, real_number
from levcore.book.labelled import column_names, labels_of, values_of
from levcore.errors import InputError, ShapeError

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook

__all__ = ["Marks", "mark_prices", "marks_by_policy", "marks_of_rows", "prices_of"]


class Labelled(Protocol):
    """A series or frame of another library."""

    def to_numpy(self) -> npt.NDArray[Any]:
        """Its values."""
        ...


Marks: TypeAlias = Mapping[str, Any] | npt.ArrayLike | Labelled
"""Prices by instrument under every policy, or those of each policy by its label."""
INSTRUMENT = "instrument"
PRICE_COLUMNS = ("mark_price", "mark", "price")
PLAIN_NUMBERS = frozenset({float})


def mark_prices(book: "PositionBook", marks: Any, argument: str = "marks") -> Floats:
    """Mark prices of a book's instruments, NaN where missing.

    Parameters
    ----------
    book : PositionBook
    marks : Marks
        Mapping of instrument to price, or array_like of shape (instruments,): one price under every policy.
        Also a series with the names as its index, a frame of instruments and prices, or an array of one price
        a row of the book. For a book with policies also a mapping of their labels to either of these, or an
        array_like of shape (policies, instruments), in the order of ``book.policy_names`` and
        ``book.instrument_names``.
    argument : str
        What the caller knows them by.

    Returns
    -------
    ndarray of float64, shape (instruments,) or (policies, instruments), quote per base

    Raises
    ------
    DTypeError, ShapeError
        For prices that are no numbers, or an array of another shape.
    """
    names = book.instrument_names
    if not isinstance(marks, np.ndarray) and not (isinstance(marks, dict) and INSTRUMENT not in marks):
        marks = _plain(marks, argument)
    if isinstance(marks, np.ndarray) and _are_of_rows(book, marks):
        return marks_of_rows(book, marks, argument)
    if not book.policy_names:
        return prices_of(names, marks, argument)
    if isinstance(marks, Mapping):
        given = [marks.get(label) for label in book.policy_names]
        if any(isinstance(prices, (Mapping, Sequence, np.ndarray)) for prices in given):
            return np.stack(
                [prices_of(names, {} if prices is None else prices, argument) for prices in given]
            )
    elif np.ndim(marks) == 2:
        shape = (len(book.policy_names), len(names))
        if np.shape(marks) != shape:
            raise ShapeError(argument, "must have one row a policy", str(shape), str(np.shape(marks)))
        return float_column(argument, np.reshape(marks, -1), shape[0] * shape[1], []).reshape(shape)
    return prices_of(names, marks, argument)


def prices_of(names: tuple[str, ...], marks: Marks, argument: str = "marks") -> Floats:
    """Prices of these instruments, NaN where missing; see `mark_prices` for what marks may be."""
    if type(marks) is dict:
        plain = prices_of_names(names, marks)
        if plain is not None:
            return plain
    if not isinstance(marks, np.ndarray) and isinstance(marks, Mapping):
        prices = [marks.get(name, np.nan) for name in names]
        if not PLAIN_NUMBERS.issuperset(map(type, prices)):
            prices = [real_number(argument, price, place) for place, price in enumerate(prices)]
        column: Floats = np.array(prices, dtype=np.float64)
        return column
    if marks is None:
        raise ShapeError(argument, "must be given", "a mapping, or one price an instrument", "None")
    if isinstance(marks, (int, float)):
        # One price for every instrument is nobody's book.
        raise ShapeError(
            argument, "must name its instrument", "a mapping, or one price an instrument", "a number"
        )
    return float_column(argument, marks, len(names), [])


def _are_of_rows(book: "PositionBook", marks: npt.NDArray[Any]) -> bool:
    """Whether an array can only be one price a row: there are more rows than instruments, or fewer."""
    return marks.ndim == 1 and marks.size == len(book) and marks.size != len(book.instrument_names)


def marks_of_rows(book: "PositionBook", prices: object, argument: str = "marks") -> Floats:
    """Marks by instrument of a column that has one price a row of the book.

    Parameters
    ----------
    book : PositionBook
    prices : array_like, shape (n,), quote per base
        The same for all rows of an instrument, or missing in some of them.

    Raises
    ------
    InputError
        For an instrument with two prices, naming the row of the second one.
    """
    column = float_column(argument, values_of(prices), len(book), [])
    marks = np.full(len(book.instrument_names), np.nan)
    known = np.flatnonzero(~np.isnan(column))[::-1]  # of several the first stays
    marks[book.instrument_codes[known]] = column[known]
    odd = np.flatnonzero(~np.isnan(column) & (column != marks[book.instrument_codes]))
    if odd.size:
        row = int(odd[0])
        name = book.instrument_names[book.instrument_codes[row]]
        expected = f"{marks[book.instrument_codes[row]]} for {name!r}, as in a row before"
        rule = "must be one price an instrument"
        raise InputError(argument, rule, expected, str(column[row]), row, int(odd.size))
    return marks


def _plain(marks: Any, argument: str) -> Any:
    """Marks of a series or a frame as a mapping or an array; others as they are."""
    if isinstance(marks, (list, tuple)):
        return marks
    labels = labels_of(marks)
    if labels is not None:
        return _mapping(labels, values_of(marks), argument)
    names = column_names(marks)
    if names is None or INSTRUMENT not in names:
        return values_of(marks)
    if isinstance(marks, Mapping) and np.ndim(marks[INSTRUMENT]) == 0:
        return marks  # an instrument of that name
    given = [name for name in PRICE_COLUMNS if name in names]
    if len(given) != 1:
        expected = ", ".join(PRICE_COLUMNS)
        raise InputError(argument, "must have one column of prices", expected, ", ".join(given) or "none")
    return _mapping(
        label_sequence(argument, values_of(marks[INSTRUMENT])), values_of(marks[given[0]]), argument
    )


def _mapping(labels: Any, values: Any, argument: str) -> dict[str, float]:
    """Price by name, each name once."""
    prices = float_column(argument, values, len(labels), []).tolist()
    found = dict(zip(labels, prices, strict=True))
    if len(found) < len(prices):
        seen: set[Any] = set()
        row = next(row for row, label in enumerate(labels) if label in seen or seen.add(label))  # type: ignore[func-returns-value]
        raise InputError(argument, "must name an instrument once", "", f"{labels[row]!r} again", row)
    return found


def marks_by_policy(marks: Floats, policies: int) -> Floats:
    """Marks that `mark_prices` returned, as a view of shape (policies, instruments)."""
    return np.broadcast_to(marks, (policies, marks.shape[-1]))
