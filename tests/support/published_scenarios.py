"""Published numbers of portfolio margins: how a run over scenarios is built and a number read from it.

The ``scenarios`` of a run are tables that are joined: ``profits`` or ``losses`` by instrument, futures by
their ``span_futures`` ranges, or a ``price_grid`` at ``marks``; or ``"volatility_shock"`` with its arguments.
``positions`` are quantities by instrument, ``contingency`` and ``spread`` the add-ons.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import levcore as lc
from levcore.reference.scenarios import scenario_margin as reference
from levcore.scenarios import (
    SPAN_SCENARIOS,
    ContractCharge,
    ScenarioAddOns,
    ScenarioArrays,
    ScenarioRisk,
    SpreadCharge,
    scenario_margin,
    volatility_shock,
)

__all__ = ["arrays_of", "scenario_reading", "scenario_risk"]

EVALUATORS: dict[str, Callable[..., ScenarioRisk]] = {
    "engine": scenario_margin,
    "reference": reference.scenario_margin,
}


def scenario_reading(run: dict[str, Any], expected: dict[str, Any], evaluator: str) -> float:
    """Number of levcore beside a printed one."""
    if run["scenarios"] == "volatility_shock":
        return volatility_shock(**run["arguments"])
    risk = scenario_risk(run, evaluator)
    if expected["measure"] == "profit":
        return float(risk.profits[0, expected["scenario"]])
    if expected["measure"] == "worst_scenario":
        return int(risk.groups.worst_scenario[0])
    return float(risk[expected["measure"]][0])


def scenario_risk(run: dict[str, Any], evaluator: str) -> ScenarioRisk:
    """Risk of the one account of a run."""
    positions = run["positions"]
    book = lc.PositionBook(
        list(positions),
        list(positions.values()),
        [1.0] * len(positions),
        account=["account"] * len(positions),
        margin_mode="cross",
    )
    add_ons = ScenarioAddOns(
        contingency=ContractCharge(**run["contingency"]) if "contingency" in run else None,
        spread=SpreadCharge(**run["spread"]) if "spread" in run else None,
    )
    arrays = reduce(ScenarioArrays.joined_with, map(arrays_of, run["scenarios"]))
    return EVALUATORS[evaluator](book, arrays, add_ons, keep_profits=True)


def arrays_of(table: dict[str, Any]) -> ScenarioArrays:
    """One table of a run."""
    groups = table.get("groups")
    if "span_futures" in table:
        return ScenarioArrays.span_futures(
            table["span_futures"],
            extreme_multiple=table["extreme_multiple"],
            extreme_cover=table["extreme_cover"],
            groups=groups,
        )
    if "price_grid" in table:
        tiers = lc.TierTable.single_rate("0.01")
        held = [lc.Instrument(name, tiers=tiers, **facts) for name, facts in table["price_grid"].items()]
        return ScenarioArrays.price_grid(held, table["marks"], table["moves"], groups=groups)
    kind = "profits" if "profits" in table else "losses"
    build = ScenarioArrays.from_profits if kind == "profits" else ScenarioArrays.from_losses
    rows = list(table[kind].values())
    labels = SPAN_SCENARIOS if len(rows[0]) == len(SPAN_SCENARIOS) else None
    return build(rows, list(table[kind]), scenarios=labels, groups=groups)
