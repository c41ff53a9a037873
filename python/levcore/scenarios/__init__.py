"""Portfolio margin by scenarios: the worst loss of an account over a grid, and what is added to it.

>>> import levcore as lc
>>> from levcore.scenarios import ScenarioArrays, scenario_margin
>>> arrays = ScenarioArrays.from_profits(
...     [[-300.0, 0.0, 300.0], [-40.0, -25.0, 190.0]], ["FUTURE", "CALL"],
...     scenarios=["down", "unchanged", "up"], groups=["INDEX", "INDEX"],
... )
>>> book = lc.PositionBook(
...     ["FUTURE", "CALL"], [1.0, -2.0], [100.0, 3.0],
...     account=["ann", "ann"], margin_mode="cross",
... )
>>> risk = scenario_margin(book, arrays)
>>> risk.requirement.tolist(), risk.groups_to_dict()["worst_scenario"]
([220.0], ['down'])
"""

from levcore.scenarios.add_ons import ContractCharge, GroupOffsets, ScenarioAddOns, SpreadCharge
from levcore.scenarios.arrays import SPAN_SCENARIOS, ScenarioArrays, volatility_shock
from levcore.scenarios.margin import scenario_margin
from levcore.scenarios.risk import GroupRisk, ScenarioRisk
from levcore.scenarios.status import ScenarioAccountStatus, ScenarioRowStatus

__all__ = [
    "SPAN_SCENARIOS",
    "ContractCharge",
    "GroupOffsets",
    "GroupRisk",
    "ScenarioAccountStatus",
    "ScenarioAddOns",
    "ScenarioArrays",
    "ScenarioRisk",
    "ScenarioRowStatus",
    "SpreadCharge",
    "scenario_margin",
    "volatility_shock",
]
