"""Margin, liquidation price and mark-to-market of large books of leveraged positions.

>>> import levcore as lc
>>> book = lc.PositionBook(
...     instrument=["BTCUSDT", "ETHUSDT"], quantity=[0.5, -4.0], entry_price=[60_000.0, 3_000.0],
...     isolated_margin=[3_000.0, 1_200.0], leverage=[10.0, 10.0],
... )
>>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
>>> risk = engine.evaluate(book, {"BTCUSDT": 61_000.0, "ETHUSDT": 3_050.0})
>>> risk.liquidation_price.round(2).tolist()
[54216.87, 3286.85]
"""

from typing import TYPE_CHECKING, Any

from levcore._levcore import __version__
from levcore.book.balances import Balances
from levcore.book.positions import PositionBook
from levcore.engine.account_risk import AccountRisk
from levcore.engine.engine import Engine
from levcore.engine.risk import BookRisk
from levcore.errors import InputError, InternalError, LevcoreError, PolicyError
from levcore.measures import MEASURES
from levcore.rules.assets import Asset, AssetTable
from levcore.rules.instruments import Instrument, InstrumentTable
from levcore.rules.policy import MarginPolicy, policies, policy
from levcore.rules.tiers import TierTable
from levcore.status import AccountStatus, State, Status

if TYPE_CHECKING:
    from levcore import reference, venues
    from levcore.changes.changes import Changes
    from levcore.changes.orders import Orders, order_margin
    from levcore.changes.what_if import what_if
    from levcore.closing.close_out import close_out
    from levcore.closing.concentration import concentration
    from levcore.closing.ladder import ladder
    from levcore.comparison.compare import compare
    from levcore.engine.distances import distance
    from levcore.engine.leg_costs import LegCosts, leg_costs
    from levcore.engine.quantities_to_close import quantities_to_close
    from levcore.explanation.explain import explain
    from levcore.fills.result import FillStatus
    from levcore.fills.table import positions_from_fills
    from levcore.planning.plan import plan
    from levcore.reconciliation.reconcile import reconcile
    from levcore.reports.installation import show_versions
    from levcore.reports.report import report
    from levcore.stress_testing.stress import stress
    from levcore.systems.against import against

__all__ = [
    "MEASURES",
    "AccountRisk",
    "AccountStatus",
    "Asset",
    "AssetTable",
    "Balances",
    "BookRisk",
    "Changes",
    "Engine",
    "FillStatus",
    "InputError",
    "Instrument",
    "InstrumentTable",
    "InternalError",
    "LegCosts",
    "LevcoreError",
    "MarginPolicy",
    "Orders",
    "PolicyError",
    "PositionBook",
    "State",
    "Status",
    "TierTable",
    "__version__",
    "against",
    "close_out",
    "compare",
    "concentration",
    "distance",
    "explain",
    "ladder",
    "leg_costs",
    "order_margin",
    "plan",
    "policies",
    "policy",
    "positions_from_fills",
    "quantities_to_close",
    "reconcile",
    "reference",
    "report",
    "show_versions",
    "stress",
    "venues",
    "what_if",
]

LATER = {
    "Changes": "levcore.changes.changes",
    "FillStatus": "levcore.fills.result",
    "LegCosts": "levcore.engine.leg_costs",
    "Orders": "levcore.changes.orders",
    "against": "levcore.systems.against",
    "close_out": "levcore.closing.close_out",
    "compare": "levcore.comparison.compare",
    "concentration": "levcore.closing.concentration",
    "distance": "levcore.engine.distances",
    "explain": "levcore.explanation.explain",
    "ladder": "levcore.closing.ladder",
    "leg_costs": "levcore.engine.leg_costs",
    "order_margin": "levcore.changes.orders",
    "plan": "levcore.planning.plan",
    "positions_from_fills": "levcore.fills.table",
    "quantities_to_close": "levcore.engine.quantities_to_close",
    "reconcile": "levcore.reconciliation.reconcile",
    "report": "levcore.reports.report",
    "show_versions": "levcore.reports.installation",
    "stress": "levcore.stress_testing.stress",
    "what_if": "levcore.changes.what_if",
}
"""Verbs that no evaluation needs, and the modules that are imported when one is first asked for."""

ROOMS = ("reference", "venues")
"""Rooms that are asked for by name."""


def __getattr__(name: str) -> Any:
    """Import what no evaluation needs when it is first asked for."""
    from importlib import import_module

    if name in ROOMS:
        return import_module(f"levcore.{name}")
    if name in LATER:
        verb = globals()[name] = getattr(import_module(LATER[name]), name)
        return verb
    raise AttributeError(f"module 'levcore' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Names, those that are imported later included."""
    return sorted({*globals(), *__all__})
