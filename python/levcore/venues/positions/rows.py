"""What the readers of replies share: rows into positions, printed numbers by reading, units of inputs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeAlias

from levcore.venues.json import Record, shown
from levcore.venues.positions.reply import BorrowedPosition, Reported, VenuePosition
from levcore.venues.printed_number import PrintedNumber

__all__ = ["read_rows", "reported", "size_or_reason", "unit_of_entry"]

_Row: TypeAlias = VenuePosition | BorrowedPosition | str | None
TELLING_DIGITS = 4
"""Significant digits from which on a number's own last digit says how exact it is."""


def reported(
    record: Record, readings: Mapping[str, str], none: tuple[str, ...] = (), *, drops_zeros: bool = False
) -> tuple[Reported, ...]:
    """Numbers of a record that the venue computed.

    Parameters
    ----------
    record : Record
    readings : mapping of str to str
        Field to reading; fields that the record lacks, or holds empty, are not reported.
    none : tuple of str
        Fields by which the venue says that there is no such number, empty or 0.
    drops_zeros : bool
        Whether the venue prints ``0.001`` for ``0.00100000``: an amount of few digits then has as many
        decimals as the one with the most.
    """
    found: list[Reported] = []
    for given, reading in readings.items():
        name = record.key(given)
        if name is None or any(each.field == name for each in found):
            continue
        if record.is_no_number(name):
            found.append(
                Reported(name, "", None, f"the venue prints {record.text(name)}, which is no number")
            )
            continue
        printed = record.printed(name)
        if given in none and (printed is None or printed.value <= 0):
            found.append(Reported(name, reading, None))
        elif printed is not None:
            found.append(Reported(name, reading, printed))
    return _with_common_unit(found) if drops_zeros else tuple(found)


def read_rows(
    rows: Iterable[Record], read: Callable[[Record], _Row], name: tuple[str, ...]
) -> tuple[tuple[Any, ...], tuple[str, ...], int]:
    """Positions of rows, what was left out and why, and how many rows were flat.

    Parameters
    ----------
    rows : iterable of Record
    read : callable
        Makes a position of a row, the reason why it cannot, or None of a row without a size.
    name : tuple of str
        Fields that may hold the instrument's name.
    """
    positions: list[Any] = []
    left_out = []
    flat = 0
    for row in rows:
        found = read(row)
        if found is None:
            flat += 1
        elif isinstance(found, str):
            left_out.append(f"{row.place} {row.text(*name)}: {found}")
        else:
            positions.append(found)
    return tuple(positions), tuple(left_out), flat


def size_or_reason(row: Record, name: str) -> Decimal | str:
    """Size of a row, or why it is not known: a venue that prints none does not say that it is 0.

    Raises
    ------
    FileFormatError
        Where the row has no such field, or no number in it.
    """
    if name not in row:
        raise row.error(
            name, "must be given", "a number", "fields " + ", ".join(map(shown, [*row.fields][:8]))
        )
    size = row.number(name)
    if size is None:
        return f"{row.key(name)} is {row.text(name) or 'empty'}, so that its size is not known"
    return size


def unit_of_entry(entry: PrintedNumber, *prices: PrintedNumber | None) -> Decimal:
    """Unit of an average price: its own last digit, or where its zeros were dropped that of another price."""
    if "." in entry.text and entry.text.endswith("0"):
        return entry.unit
    return min([entry.unit, *(each.unit for each in prices if each is not None)])


def _with_common_unit(numbers: list[Reported]) -> tuple[Reported, ...]:
    """Short amounts with the unit of the one with the most decimals; prices and ratios keep their own."""
    units = [each.printed.unit for each in numbers if each.printed is not None and _is_amount(each.reading)]
    unit = min(units, default=Decimal(1))
    return tuple(
        replace(each, printed=replace(each.printed, unit=unit))
        if each.printed is not None and _is_amount(each.reading) and _is_short(each.printed)
        else each
        for each in numbers
    )


def _is_short(number: PrintedNumber) -> bool:
    return len(number.value.normalize().as_tuple().digits) < TELLING_DIGITS


def _is_amount(reading: str) -> bool:
    return reading != "" and not reading.endswith(("price", "ratio")) and "return" not in reading
