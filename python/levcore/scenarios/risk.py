"""Results of a portfolio margin: one value an account, one row a group of an account, rows that failed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import scenario_measures
from levcore.book.arrays import Codes, Floats
from levcore.errors import InputError
from levcore.scenarios.status import ScenarioAccountStatus, ScenarioRowStatus

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.scenarios.arrays import ScenarioArrays

__all__ = ["GroupRisk", "RawResults", "RowFailure", "ScenarioRisk", "measures_of"]

RawResults = tuple[Floats, npt.NDArray[np.uint8], Codes, Floats, Codes, npt.NDArray[np.uint8], Floats | None]
"""What the kernel and the reference return, see ``rust/levcore-py/src/scenarios.rs``."""

_MEASURES = tuple(name for name, _, _ in scenario_measures())


@dataclass(frozen=True, slots=True)
class RowFailure:
    """A row that could not be evaluated.

    Parameters
    ----------
    row : int
        Row of the book, from 0.
    status : ScenarioRowStatus
        Why.
    instrument : str
        What it holds.
    """

    row: int
    status: ScenarioRowStatus
    instrument: str


@dataclass(frozen=True, slots=True)
class GroupRisk:
    """Groups of the accounts, one row a group that an account holds, by account.

    Attributes
    ----------
    account : ndarray of uint32, shape (g,)
        Place of the account in ``ScenarioRisk.ids``.
    group : ndarray of uint32, shape (g,)
        Place of the group in ``ScenarioArrays.groups``.
    scan_risk : ndarray of float64, shape (g,), settlement currency
        Worst loss of the group over the scenarios, 0 if it loses nowhere; NaN: its account is incomplete.
    worst_scenario : ndarray of int32, shape (g,)
        Place of the scenario with the lowest profit, the first of equals; -1: the account is incomplete.
    pool_scan_risk, pool_worst_scenario : ndarray, shape (g,)
        The same of the pool of groups that offset each other; the group's own where it stands alone.
    """

    account: Codes
    group: Codes
    scan_risk: Floats
    worst_scenario: npt.NDArray[np.int32]
    pool_scan_risk: Floats
    pool_worst_scenario: npt.NDArray[np.int32]

    def __len__(self) -> int:
        """Number of rows."""
        return self.account.size


class ScenarioRisk:
    """Portfolio margin of the cross accounts of a book, one value an account, in settlement currency.

    Attributes
    ----------
    ids : list of str or int
        Accounts of the book.
    scan_risk : ndarray of float64, shape (a,)
        Sum over the pools of groups of their worst losses, at least 0.
    charges : ndarray of float64, shape (a,)
        Contingency, spread charges and adjustments.
    minimum : ndarray of float64, shape (a,)
        Sum of the minimum charges. It binds pool by pool.
    requirement : ndarray of float64, shape (a,)
        Maintenance requirement: sum over the pools of ``max(scan risk + charges, minimum)``.
    initial_margin : ndarray of float64, shape (a,)
        ``requirement * initial_ratio``.
    net_option_value : ndarray of float64, shape (a,)
        Value of the options held, short ones negative.
    equity : ndarray of float64, shape (a,)
        The equity given, plus the net option value if there is one.
    surplus : ndarray of float64, shape (a,)
        Equity less requirement.
    margin_ratio : ndarray of float64, shape (a,), fraction
        Requirement over equity; infinite when no equity is left.
    status : ndarray of uint8, shape (a,)
        Codes of `ScenarioAccountStatus`.
    groups : GroupRisk
        Scan risk and worst scenario by account and group.
    profits : ndarray of float64, shape (a, scenarios)
        Profit of each account in each scenario over all its groups, without offsets and charges.

    Notes
    -----
    Reading a measure that was not asked for (`initial_margin` without a ratio, `equity` without equity,
    `profits` without ``keep_profits``) raises `InputError`.
    """

    __slots__ = ("_failed", "_profits", "_results", "arrays", "book", "groups", "ids", "measures", "status")

    def __init__(
        self, book: "PositionBook", arrays: "ScenarioArrays", measures: tuple[str, ...], raw: RawResults
    ) -> None:
        self.book = book
        self.arrays = arrays
        self.measures = measures
        self.ids: list[Any] = book.account_ids
        self._results, self.status, codes, risks, rows, row_status, self._profits = raw
        account, group, worst, pool_worst = codes
        self.groups = GroupRisk(
            account, group, risks[0], worst.view(np.int32), risks[1], pool_worst.view(np.int32)
        )
        self._failed = rows, row_status

    def __len__(self) -> int:
        """Number of accounts."""
        return len(self.ids)

    def __repr__(self) -> str:
        """Sizes of the result; isolated positions have no part in it."""
        incomplete = int((self.status == ScenarioAccountStatus.INCOMPLETE).sum())
        isolated = int((~self.book.is_cross).sum())
        return (
            f"ScenarioRisk({len(self):,} accounts over {len(self.arrays.scenarios)} scenarios, "
            f"{incomplete:,} incomplete, {isolated:,} isolated positions left out)"
        )

    def __getattr__(self, name: str) -> Floats:
        """Column of a measure."""
        if name not in _MEASURES:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self[name]

    def __getitem__(self, measure: str) -> Floats:
        """Column of a measure."""
        if measure not in self.measures:
            raise InputError("measure", "was not computed", ", ".join(self.measures), repr(measure))
        column: Floats = self._results[_MEASURES.index(measure)]
        return column

    @property
    def profits(self) -> Floats:
        """Profit of each account in each scenario, shape (accounts, scenarios), settlement currency."""
        if self._profits is None:
            raise InputError("profits", "were not kept", "keep_profits=True", "False")
        return self._profits

    def failures(self) -> list[RowFailure]:
        """Rows that could not be evaluated, ascending; their accounts are incomplete."""
        rows, status = self._failed
        return [
            RowFailure(
                int(rows[place]), ScenarioRowStatus(int(status[place])), self.book.name_of(int(rows[place]))
            )
            for place in np.argsort(rows, kind="stable")
        ]

    def to_dict(self) -> dict[str, Any]:
        """Columns by name, ``account`` first; views, not copies."""
        columns: dict[str, Any] = {"account": self.ids}
        return columns | {name: self[name] for name in self.measures} | {"status": self.status}

    def groups_to_dict(self) -> dict[str, Any]:
        """Groups with names instead of codes: account, group, scan risk, worst scenario; None: incomplete."""
        groups = self.groups
        worst = groups.worst_scenario.tolist()
        return {
            "account": [self.ids[code] for code in groups.account.tolist()],
            "group": [self.arrays.groups[code] for code in groups.group.tolist()],
            "scan_risk": groups.scan_risk,
            "worst_scenario": [None if place < 0 else self.arrays.scenarios[place] for place in worst],
        }


def measures_of(option_value: bool, initial_ratio: bool, equity: bool) -> tuple[str, ...]:
    """Measures that an evaluation computes."""
    asked = {
        "initial_margin": initial_ratio,
        "net_option_value": option_value,
        "equity": equity,
        "surplus": equity,
        "margin_ratio": equity,
    }
    return tuple(name for name in _MEASURES if asked.get(name, True))
