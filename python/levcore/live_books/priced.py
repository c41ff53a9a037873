"""A live book whose prices move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Codes, Floats
from levcore.book.positions import PositionBook
from levcore.live_books.arguments import (
    checked_times,
    code_of,
    label_of_policy,
    labels_of_policies,
    one_price,
    tick_codes,
    tick_prices,
)
from levcore.live_books.events import Events
from levcore.live_books.recorded import RecordedBook
from levcore.live_books.remarking import moved_prices
from levcore.live_books.resident import EVERY_POLICY, Resident

if TYPE_CHECKING:
    from levcore.book.marks import Marks

__all__ = ["PricedBook"]


class PricedBook(RecordedBook):
    """What prices do to a live book."""

    __slots__ = ("_nobody",)

    _nobody: PositionBook

    def __init__(self, resident: Resident) -> None:
        super().__init__(resident)
        self._fill(_nobody=resident.owners.nobody(resident.names))

    def tick(
        self, instrument: str | int, price: float, *, time: Any = None, policy: str | None = None
    ) -> Events:
        """Let the price of an instrument be another one; see `ticks`."""
        labels, code = self._resident.owners.labels, code_of("instrument", instrument, self.instrument_names)
        labelled = None if policy is None else np.array([label_of_policy(policy, labels)])
        return self._pass(code, one_price(price), _one_time(time), labelled)

    def tick_asset(self, asset: str | int, price: float, *, time: Any = None) -> Events:
        """Let the price of an asset be another one; see `ticks`."""
        code = code_of("asset", asset, self.asset_names) + np.uint32(len(self.instrument_names))
        return self._pass(code, one_price(price), _one_time(time), None)

    def ticks(
        self,
        instruments: Any,
        prices: npt.ArrayLike,
        times: npt.ArrayLike | None = None,
        *,
        is_asset: npt.ArrayLike | None = None,
        policies: Any = None,
    ) -> Events:
        """Let prices pass, one after the other.

        Parameters
        ----------
        instruments : array_like of str, or ndarray of integers, shape (t,)
            Names, or places in the book's names; of assets those in `asset_names`.
        prices : array_like, shape (t,), quote per base
            Of an asset in the currency of the accounts.
        times : array_like, shape (t,), optional
            Goes into the events and decides nothing.
        is_asset : array_like of bool, shape (t,), optional
            Which of them are prices of assets: what balances are worth, whatever the marks of instruments
            are. Absent: none.
        policies : str, or sequence of str, shape (t,), optional
            Labels of the policies under which the marks hold, for venues that mark one name at different
            prices. Absent: under all. Prices of assets hold under all in any case.

        Returns
        -------
        Events

        Raises
        ------
        InputError, ShapeError
            For instruments, assets and policies that the book lacks, and what is no price; no price has moved
            then.
        """
        price, resident = tick_prices(prices), self._resident
        codes = tick_codes(instruments, is_asset, resident.names, resident.assets, price.size)
        labelled = None
        if policies is not None:
            labelled = labels_of_policies(policies, resident.owners.labels, price.size)
        return self._pass(codes, price, checked_times(times, price.size), labelled)

    def _pass(
        self,
        codes: Codes,
        price: Floats,
        times: npt.NDArray[Any] | None,
        policies: npt.NDArray[np.int64] | None,
    ) -> Events:
        resident = self._resident
        columns: dict[str, npt.NDArray[Any]] = {"instrument": codes, "price": price}
        if policies is not None and len(resident.parts) > 1:
            columns["policy"] = np.where(codes < len(resident.names), policies, EVERY_POLICY)
        with self._lock:
            first = self.number
            events = self.do("ticks", columns)
        return events if times is None else replace(events, time=times[events.number - first])

    def remark(
        self, marks: Marks | None = None, *, asset_prices: Mapping[str, float] | None = None
    ) -> Events:
        """Let all prices be others at one instant.

        Only who depends on what has moved is evaluated, here where a level is reached, the rest when
        `totals`, `positions` or `accounts` are next asked for; all of it is an evaluation to the bit.

        Parameters
        ----------
        marks
            As `levcore.Engine.evaluate` takes them. An instrument that is missing or NaN keeps its price.
        asset_prices : mapping of asset name to price, optional
            An asset that is missing or NaN keeps its price.

        Returns
        -------
        Events
            Their ``instrument`` and ``asset`` are -1, their ``price`` NaN.
        """
        with self._lock:
            return self.do("remark", moved_prices(self._resident, self._nobody, marks, asset_prices))


def _one_time(time: Any) -> npt.NDArray[Any] | None:
    """Time of one tick, whatever it is, shape (1,)."""
    return None if time is None else checked_times([time], 1)
