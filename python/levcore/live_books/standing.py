"""Where a live book stands: its positions, prices, totals, and the numbers of everybody."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from threading import RLock
from types import MappingProxyType
from typing import Any

from levcore.book.arrays import Floats
from levcore.book.positions import PositionBook
from levcore.engine.engine import Engine
from levcore.frozen import Frozen
from levcore.live_books.figures import LiveFigures, LiveTotals, TotalsBySide
from levcore.live_books.levels import LEVELS
from levcore.live_books.resident import Resident
from levcore.rules.tiers import TierTable

__all__ = ["StandingBook"]


class StandingBook(Frozen):
    """What may be asked of a live book; nothing here changes it."""

    __slots__ = ("_lock", "_resident")

    _instead = "change it by its verbs, such as live.change(...), or make another one by levcore.live(...)"

    _lock: AbstractContextManager[Any]
    _resident: Resident

    def __init__(self, resident: Resident) -> None:
        self._fill(_resident=resident, _lock=RLock())

    def held(self) -> AbstractContextManager[Any]:
        """Keep other threads waiting while ``with live.held():`` lasts: several calls then see the same."""
        return self._lock

    def __len__(self) -> int:
        """Number of positions, closed ones included."""
        return len(self._resident.owners.is_cross)

    @property
    def engine(self) -> Engine:
        """The engine that the book is evaluated by, with the tables that hold now."""
        return self._resident.engine

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels that are watched under any of the policies."""
        of_parts = {level for part in self._resident.parts for level in part.levels}
        return tuple(level for level in LEVELS if level in of_parts)

    @property
    def levels_by_policy(self) -> Mapping[str, tuple[str, ...]]:
        """Levels that are watched under each policy, by its label."""
        return {part.label: part.levels for part in self._resident.parts}

    @property
    def replaced_tiers(self) -> Mapping[tuple[str, str], TierTable]:
        """Tables that hold now instead of those of the beginning, by label of the policy and instrument."""
        return MappingProxyType(dict(self._resident.replaced_tiers))

    @property
    def account_ids(self) -> tuple[Any, ...]:
        """Accounts by their places, those included that came with positions or balances."""
        return tuple(self._resident.owners.ids)

    @property
    def instrument_names(self) -> tuple[str, ...]:
        """Instruments by their places."""
        return self._resident.names

    @property
    def asset_names(self) -> tuple[str, ...]:
        """Assets by their places: those that balances are in, then all others of the policies."""
        return self._resident.assets

    @property
    def examined(self) -> int:
        """How many evaluations of a position or an account ticks and changes have taken so far.

        One each level that was reached; what `totals`, `positions` and `accounts` evaluate is not among them.
        """
        with self._lock:
            return sum(core.examined() for core in self._resident.cores)

    @property
    def followed(self) -> int:
        """How many looks at an account have needed no evaluation so far, one each level.

        The surplus of an account moves with the prices along a line: as long as that stays clear of zero,
        the verdict is what it was.
        """
        with self._lock:
            return sum(core.followed() for core in self._resident.cores)

    def totals(self) -> LiveTotals:
        """Totals at the prices that hold now."""
        with self._lock:
            return self._resident.totals()

    def totals_by_side(self) -> TotalsBySide:
        """Totals of each instrument, long and short, at the prices that hold now."""
        with self._lock:
            return self._resident.totals_by_side()

    def positions(self) -> LiveFigures:
        """Numbers of the isolated positions at the prices that hold now."""
        with self._lock:
            return self._resident.figures()[0]

    def accounts(self) -> LiveFigures:
        """Numbers of the accounts with positions or balances, by place, at the prices that hold now."""
        with self._lock:
            return self._resident.figures()[1]

    def marks(self) -> Floats:
        """Prices that hold now, by the book's instruments; NaN where there is none.

        Of a book under several policies of shape (policies, instruments), as `levcore.Engine.evaluate` takes
        them.
        """
        with self._lock:
            return self._resident.marks()

    def asset_prices(self) -> dict[str, float] | None:
        """Prices of assets that hold now, as `levcore.Engine.evaluate` takes them; None without balances."""
        with self._lock:
            has_balances = bool(self._resident.owners.in_assets.any())
            return self._resident.asset_prices() if has_balances else None

    def book(self) -> PositionBook:
        """The positions as they stand, closed ones included, in their rows; balances policy by policy."""
        with self._lock:
            return self._resident.book()
