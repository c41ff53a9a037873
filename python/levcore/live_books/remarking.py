"""Which prices move when all of them are given anew."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats, real_number
from levcore.book.marks import mark_prices, marks_by_policy
from levcore.errors import DTypeError, InputError
from levcore.files.records import Columns
from levcore.live_books.arguments import PRICES, no_prices
from levcore.live_books.resident import EVERY_POLICY, Resident

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.positions import PositionBook

__all__ = ["moved_prices"]


def moved_prices(
    resident: Resident,
    nobody: "PositionBook",
    marks: "Marks | None",
    asset_prices: Mapping[str, float] | None,
) -> Columns:
    """Columns of a record with the prices that differ from those that hold.

    Raises
    ------
    InputError, DTypeError, ShapeError
        For instruments, policies and assets that the book lacks, and what is no price.
    """
    parts = len(resident.parts)
    given = np.full((parts, len(resident.names)), np.nan)
    if marks is not None:
        if isinstance(marks, Mapping):
            _refuse_unknown(resident, marks)
        given = marks_by_policy(np.atleast_2d(mark_prices(nobody, marks)), parts)
    moved = _moved(given, np.atleast_2d(resident.marks()))
    policy, code = np.nonzero(moved)
    of_assets = _given_prices(resident, asset_prices)
    known = resident.asset_prices()
    held = np.array([known.get(name, np.nan) for name in resident.assets], dtype=np.float64)
    asset = np.flatnonzero(_moved(of_assets, held))
    _refuse_no_prices("marks", given[policy, code], [resident.names[each] for each in code])
    _refuse_no_prices("asset_prices", of_assets[asset], [resident.assets[each] for each in asset])
    columns: dict[str, npt.NDArray[Any]] = {
        "instrument": np.concatenate((code, asset + len(resident.names))).astype(np.uint32),
        "price": np.concatenate((given[policy, code], of_assets[asset])),
    }
    if parts > 1:
        every = np.full(asset.size, EVERY_POLICY, np.int64)
        columns["policy"] = np.concatenate((policy, every)).astype(np.int64)
    return columns


def _moved(given: Floats, held: Floats) -> npt.NDArray[np.bool_]:
    moved: npt.NDArray[np.bool_] = ~np.isnan(given) & (given != held)
    return moved


def _refuse_no_prices(argument: str, prices: Floats, names: Sequence[str]) -> None:
    bad = no_prices(prices)
    if bad.size:
        found = f"{float(prices[bad[0]])!r} for {names[bad[0]]!r}"
        raise InputError(argument, "must be prices", PRICES, found, None, int(bad.size))


def _refuse_unknown(resident: Resident, marks: Mapping[str, Any]) -> None:
    """Refuse instruments that the book lacks; of a mapping by policy each in its own."""
    by_policy = any(isinstance(prices, (Mapping, Sequence, np.ndarray)) for prices in marks.values())
    known = resident.owners.labels if by_policy else resident.names
    tables = [marks]
    if by_policy:
        tables += [prices for prices in marks.values() if isinstance(prices, Mapping)]
    for place, table in enumerate(tables):
        names = known if place == 0 else resident.names
        unknown = [name for name in table if name not in names]
        if unknown:
            what = "policies" if by_policy and place == 0 else "instruments"
            rule = f"must be of {what} of the book"
            raise InputError("marks", rule, ", ".join(names[:8]), repr(unknown[0]))


def _given_prices(resident: Resident, prices: Mapping[str, float] | None) -> Floats:
    if prices is not None and not isinstance(prices, Mapping):
        raise DTypeError("asset_prices", "must be a mapping", "asset to price", type(prices).__name__)
    unknown = [name for name in prices or () if name not in resident.assets]
    if unknown:
        expected = ", ".join(resident.assets[:8])
        raise InputError("asset_prices", "must be of assets of the book", expected, repr(unknown[0]))
    given = [real_number("asset_prices", (prices or {}).get(name)) for name in resident.assets]
    return np.array(given, dtype=np.float64)
