"""Results of a portfolio margin: one value an account, one row a group of an account, rows that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Codes, Floats
from levcore.engine.columns import AccountColumns, CodeColumn, Column, Failure
from levcore.errors import InputError
from levcore.measures import SCENARIO_MEASURES, SCENARIO_TABLE
from levcore.scenarios.status import ScenarioAccountStatus, ScenarioRowStatus

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.scenarios.arrays import ScenarioArrays

__all__ = ["GroupRisk", "RawResults", "ScenarioRisk", "measures_of"]

RawResults = tuple[
    Floats,
    npt.NDArray[np.uint8],
    Sequence[Codes],
    Sequence[Floats],
    Codes,
    npt.NDArray[np.uint8],
    Floats | None,
]
"""What the kernel and the reference find: measures by account and status; account, group and worst scenarios
of groups; their scan risks; rows that failed and why; profits. See ``rust/levcore-py/src/scenarios.rs``."""


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


class ScenarioRisk(AccountColumns):
    """Portfolio margin of the cross accounts of a book, one value an account, in settlement currency.

    Attributes
    ----------
    ids : tuple of str or int
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
    `profits` without ``keep_profits``, `groups` without ``keep_groups``) raises `InputError`.
    """

    __slots__ = ("_failed", "_groups", "_profits", "arrays", "measures")

    table = SCENARIO_TABLE
    scan_risk: Column = Column()
    charges: Column = Column()
    minimum: Column = Column()
    requirement: Column = Column()
    initial_margin: Column = Column()
    net_option_value: Column = Column()
    equity: Column = Column()
    surplus: Column = Column()
    margin_ratio: Column = Column()
    status: CodeColumn[ScenarioAccountStatus] = CodeColumn(ScenarioAccountStatus)

    arrays: "ScenarioArrays"
    measures: tuple[str, ...]
    _groups: GroupRisk | None
    _failed: tuple[Codes, npt.NDArray[np.uint8]]
    _profits: Floats | None

    def __init__(
        self,
        book: "PositionBook",
        arrays: "ScenarioArrays",
        measures: tuple[str, ...],
        raw: RawResults,
        *,
        has_groups: bool,
    ) -> None:
        results, status, (account, group, worst, pool_worst), risks, rows, row_status, profits = raw
        groups = GroupRisk(
            account, group, risks[0], worst.view(np.int32), risks[1], pool_worst.view(np.int32)
        )
        self._fill(
            book=book,
            arrays=arrays,
            measures=measures,
            _groups=groups if has_groups else None,
            _results=results,
            _codes=status.reshape(1, -1),
            _failed=(rows, row_status),
            _profits=profits,
        )

    def __repr__(self) -> str:
        """Sizes of the result; isolated positions have no part in it."""
        incomplete = int((self.status == ScenarioAccountStatus.INCOMPLETE).sum())
        isolated = int((~self.book.is_cross).sum())
        return (
            f"ScenarioRisk({len(self):,} accounts over {len(self.arrays.scenarios)} scenarios, "
            f"{incomplete:,} incomplete, {isolated:,} isolated positions left out)"
        )

    @property
    def groups(self) -> GroupRisk:
        """Scan risk and worst scenario by account and group."""
        if self._groups is None:
            raise InputError("groups", "were not kept", "keep_groups=True", "False")
        return self._groups

    @property
    def profits(self) -> Floats:
        """Profit of each account in each scenario, shape (accounts, scenarios), settlement currency."""
        if self._profits is None:
            raise InputError("profits", "were not kept", "keep_profits=True", "False")
        return self._profits

    def failures(self, limit: int | None = None) -> list[Failure]:
        """Rows that could not be evaluated, ascending, then accounts without all their measures."""
        rows, status = self._failed
        order = np.argsort(rows, kind="stable")
        failed = zip(rows[order].tolist(), status[order].tolist(), strict=True)
        of_rows = [self._row_failure(row, ScenarioRowStatus(code)) for row, code in failed]
        return (of_rows + super().failures())[:limit]

    def _row_failure(self, row: int, status: ScenarioRowStatus) -> Failure:
        is_quantity = status.column == "quantity"
        value = float(self.book.quantity[row]) if is_quantity else self.book.name_of(row)
        return Failure(row, self.book.account_of(row), status, status.column, value)

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
    return tuple(name for name in SCENARIO_MEASURES if asked.get(name, True))
