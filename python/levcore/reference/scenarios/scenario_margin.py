"""Portfolio margin by scenarios in pure Python: the same result as `levcore.scenarios`, to the last bit."""

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore.reference.scenarios.account import Account, GroupScan, NetAmounts, Tables, judge
from levcore.scenarios.status import ScenarioAccountStatus, ScenarioRowStatus

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.scenarios.add_ons import ScenarioAddOns
    from levcore.scenarios.arrays import ScenarioArrays
    from levcore.scenarios.inputs import Adjustments, CompiledNetAmounts, CompiledScenarios, Equity
    from levcore.scenarios.risk import RawResults, ScenarioRisk

__all__ = ["scenario_margin"]

NO_SCENARIO = 0xFFFF_FFFF


def scenario_margin(
    book: "PositionBook",
    arrays: "ScenarioArrays",
    add_ons: "ScenarioAddOns | None" = None,
    *,
    equity: "Equity | None" = None,
    adjustments: "Adjustments | None" = None,
    keep_profits: bool = False,
    keep_groups: bool = True,
) -> "ScenarioRisk":
    """Portfolio margin of every cross account of a book; see `levcore.scenarios.scenario_margin`."""
    from levcore.measures import SCENARIO_MEASURES
    from levcore.scenarios.inputs import compile_scenarios
    from levcore.scenarios.risk import ScenarioRisk, measures_of

    inputs = compile_scenarios(book, arrays, add_ons, equity, adjustments)
    raw = _evaluate(inputs, keep_profits, keep_groups)
    measures = measures_of(
        inputs.option_value is not None, inputs.initial_ratio is not None, inputs.equity is not None
    )
    asked = raw[0][[SCENARIO_MEASURES.index(name) for name in measures]]
    return ScenarioRisk(book, arrays, measures, (asked, *raw[1:]), has_groups=keep_groups)


def _evaluate(inputs: "CompiledScenarios", keep_profits: bool, keep_groups: bool) -> "RawResults":
    tables = _tables(inputs)
    accounts, failures = _sum_legs(inputs, tables)
    failed = {inputs.account[row] for row, _ in failures}
    measures, statuses = np.full((9, len(accounts)), math.nan), []
    groups: list[tuple[int, GroupScan]] = []
    table = np.full((len(accounts), tables.scenarios), math.nan)
    for code, account in enumerate(accounts):
        adjustments = None if inputs.adjustments is None else inputs.adjustments[code].tolist()
        complete = _adjust(account, tables, adjustments) and code not in failed
        equity = math.nan if inputs.equity is None else float(inputs.equity[code])
        measured, rows = judge(account, tables, adjustments, equity, complete)
        groups += [(code, row) for row in rows if keep_groups]
        statuses.append(_account_status(inputs, equity, measured is not None))
        if measured is not None:
            measures[:, code] = measured
            table[code] = _total(account, tables)
    return (
        measures,
        np.array(statuses, dtype=np.uint8),
        list(_group_codes(groups)),
        [
            np.array(risks)
            for risks in ([row.scan_risk for _, row in groups], [row.pool_scan_risk for _, row in groups])
        ],
        np.array([row for row, _ in failures], dtype=np.uint32),
        np.array([status for _, status in failures], dtype=np.uint8),
        table if keep_profits else None,
    )


def _tables(inputs: "CompiledScenarios") -> Tables:
    return Tables(
        profits=inputs.profits.tolist(),
        scenarios=inputs.profits.shape[1],
        group=inputs.group.tolist(),
        pool=inputs.pool.tolist(),
        offset=inputs.offset.tolist(),
        minimum=_net_amounts(inputs.minimum),
        contingency=_net_amounts(inputs.contingency),
        spread=_net_amounts(inputs.spread),
        spread_charge=[] if inputs.spread_charge is None else inputs.spread_charge.tolist(),
        option_value=None if inputs.option_value is None else inputs.option_value.tolist(),
        initial_ratio=inputs.initial_ratio,
    )


def _net_amounts(amounts: "CompiledNetAmounts | None") -> NetAmounts | None:
    if amounts is None:
        return None
    columns = (amounts.set, amounts.size, amounts.group, amounts.long, amounts.short)
    return NetAmounts(*(column.tolist() for column in columns))


def _sum_legs(inputs: "CompiledScenarios", tables: Tables) -> tuple[list[Account], list[tuple[int, int]]]:
    """Accounts with their legs added up, and the rows that could not be."""
    accounts = [Account() for _ in range(inputs.accounts)]
    failures = []
    owners, quantities, instruments = inputs.account.tolist(), inputs.quantity.tolist(), inputs.instrument
    for row, owner in enumerate(owners):
        if owner >= len(accounts):
            continue
        quantity, place = quantities[row], int(inputs.places[instruments[row]])
        status = _row_status(tables, quantity, place)
        if status is not None:
            failures.append((row, int(status)))
        elif quantity != 0.0:
            accounts[owner].add(tables, place, quantity)
    return accounts, failures


def _row_status(tables: Tables, quantity: float, place: int) -> ScenarioRowStatus | None:
    """Why a row cannot be added up; the first rule that applies decides."""
    if not math.isfinite(quantity):
        return ScenarioRowStatus.INVALID_QUANTITY
    if quantity == 0.0:
        return None
    if place < 0:
        return ScenarioRowStatus.UNKNOWN_INSTRUMENT
    if not all(map(math.isfinite, tables.profits[place])):
        return ScenarioRowStatus.INCOMPLETE_ARRAY
    if tables.option_value is not None and not math.isfinite(tables.option_value[place]):
        return ScenarioRowStatus.MISSING_OPTION_VALUE
    return None


def _adjust(account: Account, tables: Tables, adjustments: list[float] | None) -> bool:
    """Take in groups that are adjusted without a leg; whether all adjustments are numbers."""
    for group, adjustment in enumerate(adjustments or ()):
        if adjustment != 0.0:
            account.touch(tables, group)
    return all(map(math.isfinite, adjustments or ()))


def _account_status(inputs: "CompiledScenarios", equity: float, complete: bool) -> ScenarioAccountStatus:
    if not complete:
        return ScenarioAccountStatus.INCOMPLETE
    if inputs.equity is None or math.isfinite(equity):
        return ScenarioAccountStatus.OK
    missing = math.isnan(equity)
    return ScenarioAccountStatus.MISSING_EQUITY if missing else ScenarioAccountStatus.INVALID_EQUITY


def _total(account: Account, tables: Tables) -> list[float]:
    """Profit by scenario over all groups, in the order of their first legs."""
    total = [0.0] * tables.scenarios
    for profits in account.profits.values():
        for scenario, profit in enumerate(profits):
            total[scenario] += profit
    return total


def _group_codes(groups: list[tuple[int, GroupScan]]) -> npt.NDArray[np.uint32]:
    """Account, group, worst scenario and that of the pool, one column a group."""
    columns = [
        (code, row.group, row.worst_scenario % (NO_SCENARIO + 1), row.pool_worst_scenario % (NO_SCENARIO + 1))
        for code, row in groups
    ]
    return np.array(columns, dtype=np.uint32).reshape(-1, 4).T.copy()
