"""Money in whole quanta of one settlement currency, and contracts as coordinates."""

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore._levcore import to_quanta
from levcore.arguments import number_in
from levcore.errors import InputError

if TYPE_CHECKING:
    from levcore.book.arrays import Floats
    from levcore.book.positions import PositionBook
    from levcore.rules.instruments import Instrument
    from levcore.rules.policy import MarginPolicy

__all__ = [
    "Wholes",
    "coordinates",
    "in_quanta",
    "instruments_of",
    "lots_of",
    "one_in_quanta",
    "prices_of",
    "quanta_per_unit",
    "sizes",
]

Wholes = npt.NDArray[np.int64]
LARGEST_UNIT = 1e18
"""Most quanta of a unit of money; 64 bits hold 9 such units."""


def quanta_per_unit(quantum: float, argument: str = "quantum") -> float:
    """How many quanta a unit of money has, or lots a contract.

    Raises
    ------
    InputError
        Unless it is a whole number: amounts of one unit would not be whole.
    """
    number_in(argument, quantum, 0, math.nextafter(1.0, 2.0), "must be a whole part of one", "1e-8, 0.01, 1")
    quantum = float(quantum)
    if 1 / quantum > LARGEST_UNIT or abs(round(1 / quantum) * quantum - 1) > 1e-12:
        raise InputError(argument, "must be a whole part of one", "1e-8, 0.01, 1", repr(quantum))
    return float(round(1 / quantum))


def in_quanta(
    argument: str, amounts: "Floats", per_unit: float, *, unit: str = "quantum", rows: Wholes | None = None
) -> Wholes:
    """Amounts as whole numbers of quanta, or quantities of lots, to the nearest, a tie to the even one.

    Parameters
    ----------
    argument : str
        What the caller knows the amounts by.
    amounts : ndarray of float64, shape (n,)
    per_unit : float
        Quanta of a unit of money, lots of a contract.
    unit : str
        The argument that says how large a quantum is.
    rows : ndarray of int64, shape (n,), optional
        Where the amounts stand in the caller's column.

    Raises
    ------
    InputError
        For an amount that is no number, or of 2^62 quanta and more.
    """
    try:
        return to_quanta(np.ascontiguousarray(amounts), per_unit)
    except InputError as error:
        expected = f"a smaller amount, or a larger {unit}"
        row = None if rows is None or error.row is None else int(rows[error.row])
        raise InputError(argument, error.rule, expected, error.found, row) from None


def lots_of(quantity: "Floats", rows: Wholes, lots_per_unit: float) -> Wholes:
    """Whole lots of the quantities of some rows of a book."""
    return in_quanta("quantity", np.abs(quantity), lots_per_unit, unit="lot", rows=rows)


def one_in_quanta(argument: str, amount: float, per_unit: float) -> int:
    """One amount, as `in_quanta` counts them."""
    return int(in_quanta(argument, np.array([float(amount)]), per_unit)[0])


def instruments_of(policy: "MarginPolicy", names: tuple[str, ...]) -> "list[Instrument | None]":
    """Instruments by name; None where the policy has none.

    Raises
    ------
    InputError
        Where they settle in several currencies: no fund pays in all of them.
    """
    found = [policy.instruments.get(name) for name in names]
    currencies = sorted({each.settlement for each in found if each is not None})
    if len(currencies) > 1:
        rule = "must settle in one currency, that of the fund and the ledger"
        raise InputError("book", rule, "one currency a call", ", ".join(map(repr, currencies)))
    return found


def coordinates(
    instruments: "list[Instrument | None]", codes: npt.NDArray[np.uint32], prices: "Floats"
) -> "Floats":
    """Prices as coordinates, in which value is size times coordinate; NaN without an instrument."""
    factor = np.array([math.nan if each is None else each.multiplier for each in instruments])[codes]
    inverse = np.array([each is not None and each.payoff == "inverse" for each in instruments])[codes]
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Floats = np.where(inverse, 1.0 / prices, prices * factor)
    return result


def prices_of(
    instruments: "list[Instrument | None]", codes: npt.NDArray[np.uint32], at: "Floats"
) -> "Floats":
    """Coordinates as prices: `coordinates` undone."""
    factor = np.array([math.nan if each is None else each.multiplier for each in instruments])[codes]
    inverse = np.array([each is not None and each.payoff == "inverse" for each in instruments])[codes]
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Floats = np.where(inverse, 1.0 / at, at / factor)
    return result


def sizes(book: "PositionBook", instruments: "list[Instrument | None]") -> "tuple[Floats, Floats]":
    """Size of each row, and gain a unit of the coordinate: the size with the sign of the position."""
    codes = book.instrument_codes
    contract = np.array([math.nan if each is None else each.contract_size for each in instruments])[codes]
    sign = np.array([-1.0 if each is not None and each.payoff == "inverse" else 1.0 for each in instruments])
    size = np.abs(book.quantity) * contract
    return size, np.copysign(size, book.quantity) * sign[codes]
