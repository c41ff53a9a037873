"""The scenarios of one account: sums over its legs, scan risk by group and pool, charges, and the verdict."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from levcore.reference.formulas.margin import larger, margin_ratio

__all__ = ["Account", "GroupScan", "NetAmounts", "Tables", "judge", "measure"]

Row = tuple[int, float]
"""Place of the instrument of a leg in the arrays, and its quantity."""


@dataclass(frozen=True, slots=True)
class NetAmounts:
    """Net positions by set, as `levcore.scenarios.inputs.CompiledNetAmounts`."""

    set: list[int]
    size: list[float]
    group: list[int]
    long: list[float]
    short: list[float]


@dataclass(frozen=True, slots=True)
class Tables:
    """Arrays and charges, as `levcore.scenarios.inputs.CompiledScenarios`."""

    profits: list[list[float]]
    scenarios: int
    group: list[int]
    pool: list[int]
    offset: list[float]
    minimum: NetAmounts | None
    contingency: NetAmounts | None
    spread: NetAmounts | None
    spread_charge: list[float]
    option_value: list[float] | None
    initial_ratio: float | None


@dataclass(slots=True)
class Account:
    """Legs of an account, added up by group in the order of their rows."""

    held: list[Row] = field(default_factory=list)
    profits: dict[int, list[float]] = field(default_factory=dict)
    net_option_value: float = 0.0

    def add(self, tables: Tables, place: int, quantity: float) -> None:
        """Add one leg."""
        sums = self.touch(tables, tables.group[place])
        for scenario, profit in enumerate(tables.profits[place]):
            sums[scenario] += quantity * profit
        if tables.option_value is not None:
            self.net_option_value += quantity * tables.option_value[place]
        self.held.append((place, quantity))

    def touch(self, tables: Tables, group: int) -> list[float]:
        """Sums of a group, zeros if it has none yet."""
        return self.profits.setdefault(group, [0.0] * tables.scenarios)

    def is_finite(self) -> bool:
        """Whether no sum has overflowed."""
        return all(math.isfinite(profit) for sums in self.profits.values() for profit in sums)


@dataclass(slots=True)
class GroupScan:
    """Scan risk of a group and of its pool."""

    group: int
    scan_risk: float = math.nan
    worst_scenario: int = -1
    pool_scan_risk: float = math.nan
    pool_worst_scenario: int = -1


def scan(profits: Sequence[float]) -> tuple[float, int]:
    """Worst loss, 0 if there is none, and the first scenario with the lowest profit."""
    lowest, scenario = profits[0], 0
    for place, profit in enumerate(profits):
        if profit < lowest:
            lowest, scenario = profit, place
    return (-lowest if lowest < 0.0 else 0.0), scenario


def pool_requirement(scan_risk: float, charges: float, minimum: float) -> float:
    """The larger of the scan risk with its charges and the minimum."""
    return larger(scan_risk + charges, minimum)


def sides(account: Account, amounts: NetAmounts) -> dict[int, tuple[float, float]]:
    """Amounts of the long and of the short net positions of each group."""
    net: dict[int, float] = {}
    for place, quantity in account.held:
        net[amounts.set[place]] = net.get(amounts.set[place], 0.0) + quantity * amounts.size[place]
    sums = dict.fromkeys(account.profits, (0.0, 0.0))
    for code, position in net.items():
        long, short = sums[amounts.group[code]]
        if position > 0.0:
            long += position * amounts.long[code]
        else:
            short += -position * amounts.short[code]
        sums[amounts.group[code]] = long, short
    return sums


def charge(
    account: Account, tables: Tables, adjustments: Sequence[float] | None
) -> dict[int, tuple[float, float]]:
    """Charges and minimum of each group."""
    charges = dict.fromkeys(account.profits, 0.0)
    minimum = dict.fromkeys(account.profits, 0.0)
    if tables.minimum is not None:
        for group, (long, short) in sides(account, tables.minimum).items():
            minimum[group] = long + short
    if tables.contingency is not None:
        for group, (long, short) in sides(account, tables.contingency).items():
            charges[group] += long + short
    if tables.spread is not None:
        for group, (long, short) in sides(account, tables.spread).items():
            charges[group] += tables.spread_charge[group] * (long if long < short else short)
    if adjustments is not None:
        for group in charges:
            charges[group] += adjustments[group]
    return {group: (charges[group], minimum[group]) for group in account.profits}


def scan_pool(account: Account, tables: Tables, members: list[int]) -> tuple[float, list[GroupScan]]:
    """Scan risk of a pool, losses in full and gains by their fractions, and of each of its groups."""
    rows = [GroupScan(group, *scan(account.profits[group])) for group in members]
    alone = len(members) == 1
    risk, scenario = scan(account.profits[members[0]]) if alone else scan_sum(account, tables, members)
    for row in rows:
        row.pool_scan_risk, row.pool_worst_scenario = risk, scenario
    return risk, rows


def scan_sum(account: Account, tables: Tables, members: list[int]) -> tuple[float, int]:
    """Scan risk of several groups that offset each other."""
    pooled = [0.0] * tables.scenarios
    for group in members:
        offset = tables.offset[group]
        for scenario, profit in enumerate(account.profits[group]):
            pooled[scenario] += profit * offset if profit > 0.0 else profit
    return scan(pooled)


def members_by_pool(account: Account, tables: Tables) -> list[int]:
    """Groups of an account by pool, then by group."""
    return sorted(account.profits, key=lambda group: (tables.pool[group], group))


def measure(
    account: Account, tables: Tables, adjustments: Sequence[float] | None, given_equity: float
) -> tuple[list[float], list[GroupScan]] | None:
    """Measures of a complete account and its groups; None if one of the measures overflows."""
    charged = charge(account, tables, adjustments)
    scan_risk = charges = minimum = requirement = 0.0
    rows: list[GroupScan] = []
    for _, pool in groupby(members_by_pool(account, tables), key=lambda group: tables.pool[group]):
        members = list(pool)
        risk, scanned = scan_pool(account, tables, members)
        rows += scanned
        pool_charges = pool_minimum = 0.0
        for group in members:
            pool_charges += charged[group][0]
            pool_minimum += charged[group][1]
        scan_risk += risk
        charges += pool_charges
        minimum += pool_minimum
        requirement += pool_requirement(risk, pool_charges, pool_minimum)
    value = account.net_option_value
    initial_margin = math.nan if tables.initial_ratio is None else requirement * tables.initial_ratio
    sums = (scan_risk, charges, minimum, requirement, value)
    if not all(map(math.isfinite, sums)) or math.isinf(initial_margin):
        return None
    equity = given_equity + value if math.isfinite(given_equity) else math.nan
    ratio = math.nan if math.isnan(equity) else margin_ratio(requirement, equity)
    option_value = math.nan if tables.option_value is None else value
    measures = [
        scan_risk, charges, minimum, requirement, initial_margin, option_value,
        equity, equity - requirement, ratio,
    ]  # fmt: skip
    return measures, rows


def judge(
    account: Account,
    tables: Tables,
    adjustments: Sequence[float] | None,
    equity: float,
    complete: bool,
) -> tuple[list[float] | None, list[GroupScan]]:
    """Measures of an account, None if it is incomplete, and its groups."""
    measured = measure(account, tables, adjustments, equity) if complete and account.is_finite() else None
    if measured is None:
        return None, [GroupScan(group) for group in members_by_pool(account, tables)]
    return measured
