"""Worlds as the caller describes them, as relative moves of each instrument's price."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.arguments import number_in
from levcore.book.arrays import Floats, flat_array, float_column
from levcore.book.labelled import column_names, values_of
from levcore.errors import DTypeError, InputError, ShapeError

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook

__all__ = ["moves_of_instruments"]

LABELS = "scenario"
"""Column of a table of shocks that names the scenarios."""

Betas = Mapping[str, Mapping[str, float]]


def moves_of_instruments(
    book: "PositionBook", shocks: Any, betas: Betas | None, others: float | None
) -> tuple[Floats, npt.NDArray[Any]]:
    """Moves of shape (s, instruments of the book), as fractions of the mark, and the scenarios' labels.

    Raises
    ------
    ShapeError, DTypeError, InputError
        As `levcore.stress` says.
    """
    names = column_names(shocks)
    if names is None:
        if betas is not None:
            raise DTypeError("shocks", "must be a table of factors", "columns by name", type(shocks).__name__)
        moves = _array(book, shocks)
        labels = np.arange(len(moves))
    else:
        columns = _columns(shocks, [name for name in names if name != LABELS])
        count = len(next(iter(columns.values())))
        found = flat_array(LABELS, values_of(shocks[LABELS])) if LABELS in names else np.arange(count)
        if found.shape != (count,):
            raise ShapeError(LABELS, "must have one value a scenario", str((count,)), str(found.shape))
        labels = found
        moves = _by_name(book, columns, others) if betas is None else _by_factor(book, columns, betas, others)
    bad = ~(np.isfinite(moves) & (moves > -1.0))
    if bad.any():
        scenario, code = (int(each[0]) for each in np.nonzero(bad))
        raise InputError(
            f"shocks[{book.instrument_names[code]!r}]",
            "must be a finite move above -1, which leaves a price above 0",
            "a fraction of the mark, such as -0.2",
            repr(float(moves[scenario, code])),
            scenario,
            int(bad.sum()),
        )
    return moves, labels


def _columns(shocks: Any, names: list[str]) -> dict[str, Floats]:
    # A name may be a number, as an instrument of a frame may be.
    keys = {str(key): key for key in shocks} if isinstance(shocks, Mapping) else {}
    columns = {
        name: float_column(f"shocks[{name!r}]", values_of(shocks[keys.get(name, name)]), None, [])
        for name in names
    }
    if not columns:
        raise InputError("shocks", "must have a column an instrument or factor", "columns of moves", "none")
    first = next(iter(columns))
    for name, column in columns.items():
        if column.size != columns[first].size:
            expected = f"{columns[first].size}, as {first!r} has"
            raise ShapeError(
                f"shocks[{name!r}]", "must have one value a scenario", expected, str(column.size)
            )
    return columns


def _by_name(book: "PositionBook", columns: dict[str, Floats], others: float | None) -> Floats:
    _refuse_strangers("shocks", set(columns) - set(book.instrument_names), book)
    count = len(next(iter(columns.values())))
    moves = np.empty((count, len(book.instrument_names)))
    for code, name in enumerate(book.instrument_names):
        moves[:, code] = columns[name] if name in columns else _rest("shocks", name, others)
    return moves


def _by_factor(
    book: "PositionBook", factors: dict[str, Floats], betas: Betas, others: float | None
) -> Floats:
    if not isinstance(betas, Mapping):
        raise DTypeError("betas", "must be a mapping", "instrument to its betas", type(betas).__name__)
    _refuse_strangers("betas", set(betas) - set(book.instrument_names), book)
    count = len(next(iter(factors.values())))
    moves = np.zeros((count, len(book.instrument_names)))
    for code, name in enumerate(book.instrument_names):
        if name not in betas:
            moves[:, code] = _rest("betas", name, others)
            continue
        if not isinstance(betas[name], Mapping):
            raise DTypeError(
                f"betas[{name!r}]", "must be a mapping", "factor to beta", type(betas[name]).__name__
            )
        for factor, beta in betas[name].items():
            if factor not in factors:
                known = ", ".join(factors)
                raise InputError(f"betas[{name!r}]", "must be of a factor of shocks", known, repr(factor))
            number_in(f"betas[{name!r}]", beta, -np.inf, np.inf, "must be finite", "a number")
            moves[:, code] += float(beta) * factors[factor]
    return moves


def _rest(argument: str, name: str, others: float | None) -> float:
    if others is None:
        raise InputError(
            argument,
            "must have one for every instrument, or come with others=",
            "a move",
            f"none for {name!r}",
        )
    number_in("others", others, -1.0, np.inf, "must be a move above -1", "a fraction")
    return float(others)


def _refuse_strangers(argument: str, strangers: set[str], book: "PositionBook") -> None:
    if strangers:
        expected = ", ".join(book.instrument_names[:5])
        found = ", ".join(map(repr, sorted(strangers)[:5]))
        raise InputError(argument, "must name instruments of the book", expected, found, count=len(strangers))


def _array(book: "PositionBook", shocks: Any) -> Floats:
    try:
        array = np.asarray(shocks)
    except ValueError as error:
        raise ShapeError("shocks", "must be a table", "one row a scenario", str(error)) from None
    if array.dtype.kind not in "fiu":
        raise DTypeError("shocks", "must hold real numbers", "float64", str(array.dtype))
    expected = ("s", len(book.instrument_names))
    if array.ndim != 2 or array.shape[1] != expected[1]:
        raise ShapeError("shocks", "must have one row a scenario", str(expected), str(array.shape))
    return np.array(array, dtype=np.float64)
