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

if TYPE_CHECKING:
    from levcore import cluster, plot, reference, venues
    from levcore.book.balances import Balances
    from levcore.book.positions import PositionBook
    from levcore.changes.changes import Changes
    from levcore.changes.orders import Orders, order_margin
    from levcore.changes.what_if import what_if
    from levcore.closing.cascade import cascade
    from levcore.closing.close_out import close_out
    from levcore.closing.concentration import concentration
    from levcore.closing.fills import Impact
    from levcore.closing.fund import Fund
    from levcore.closing.guards import Guard
    from levcore.closing.ladder import ladder
    from levcore.closing.loans import close_loans
    from levcore.closing.outcomes import outcomes
    from levcore.closing.variants import variants
    from levcore.cluster.batches import evaluate_batches
    from levcore.comparison.compare import compare
    from levcore.engine.account_risk import AccountRisk
    from levcore.engine.distances import distance
    from levcore.engine.engine import Engine
    from levcore.engine.leg_costs import LegCosts, leg_costs
    from levcore.engine.quantities_to_close import quantities_to_close
    from levcore.engine.risk import BookRisk
    from levcore.engine.wallet_risk import WalletRisk
    from levcore.errors import InputError, InternalError, LevcoreError, PolicyError
    from levcore.explanation.explain import explain
    from levcore.fills.result import FillStatus
    from levcore.fills.table import positions_from_fills
    from levcore.live_books.index import TriggerIndex
    from levcore.live_books.live import LiveBook, live
    from levcore.measures import MEASURES
    from levcore.planning.plan import plan
    from levcore.reconciliation.reconcile import reconcile
    from levcore.replays.replay import replay
    from levcore.reports.installation import show_versions
    from levcore.reports.report import report
    from levcore.rules.assets import Asset, AssetTable
    from levcore.rules.funds import FundRules, fund_rules
    from levcore.rules.instruments import Instrument, InstrumentTable
    from levcore.rules.policies import policies, policy
    from levcore.rules.policy import MarginPolicy
    from levcore.rules.several import with_rules
    from levcore.rules.tiers import TierTable
    from levcore.status import AccountStatus, State, Status
    from levcore.stress_testing.index import StressIndex
    from levcore.stress_testing.reverse import reverse_stress
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
    "Fund",
    "FundRules",
    "Guard",
    "Impact",
    "InputError",
    "Instrument",
    "InstrumentTable",
    "InternalError",
    "LegCosts",
    "LevcoreError",
    "LiveBook",
    "MarginPolicy",
    "Orders",
    "PolicyError",
    "PositionBook",
    "State",
    "Status",
    "StressIndex",
    "TierTable",
    "TriggerIndex",
    "WalletRisk",
    "__version__",
    "against",
    "cascade",
    "close_loans",
    "close_out",
    "cluster",
    "compare",
    "concentration",
    "distance",
    "evaluate_batches",
    "explain",
    "fund_rules",
    "ladder",
    "leg_costs",
    "live",
    "order_margin",
    "outcomes",
    "plan",
    "plot",
    "policies",
    "policy",
    "positions_from_fills",
    "quantities_to_close",
    "reconcile",
    "reference",
    "replay",
    "report",
    "reverse_stress",
    "show_versions",
    "stress",
    "variants",
    "venues",
    "what_if",
    "with_rules",
]

HOMES = {
    "AccountRisk": "levcore.engine.account_risk",
    "AccountStatus": "levcore.status",
    "Asset": "levcore.rules.assets",
    "AssetTable": "levcore.rules.assets",
    "Balances": "levcore.book.balances",
    "BookRisk": "levcore.engine.risk",
    "Changes": "levcore.changes.changes",
    "Engine": "levcore.engine.engine",
    "FillStatus": "levcore.fills.result",
    "Fund": "levcore.closing.fund",
    "FundRules": "levcore.rules.funds",
    "Guard": "levcore.closing.guards",
    "Impact": "levcore.closing.fills",
    "InputError": "levcore.errors",
    "Instrument": "levcore.rules.instruments",
    "InstrumentTable": "levcore.rules.instruments",
    "InternalError": "levcore.errors",
    "LegCosts": "levcore.engine.leg_costs",
    "LevcoreError": "levcore.errors",
    "LiveBook": "levcore.live_books.live",
    "MEASURES": "levcore.measures",
    "MarginPolicy": "levcore.rules.policy",
    "Orders": "levcore.changes.orders",
    "PolicyError": "levcore.errors",
    "PositionBook": "levcore.book.positions",
    "State": "levcore.status",
    "Status": "levcore.status",
    "StressIndex": "levcore.stress_testing.index",
    "TierTable": "levcore.rules.tiers",
    "TriggerIndex": "levcore.live_books.index",
    "WalletRisk": "levcore.engine.wallet_risk",
    "against": "levcore.systems.against",
    "cascade": "levcore.closing.cascade",
    "close_loans": "levcore.closing.loans",
    "close_out": "levcore.closing.close_out",
    "compare": "levcore.comparison.compare",
    "concentration": "levcore.closing.concentration",
    "distance": "levcore.engine.distances",
    "evaluate_batches": "levcore.cluster.batches",
    "explain": "levcore.explanation.explain",
    "fund_rules": "levcore.rules.funds",
    "ladder": "levcore.closing.ladder",
    "leg_costs": "levcore.engine.leg_costs",
    "live": "levcore.live_books.live",
    "order_margin": "levcore.changes.orders",
    "outcomes": "levcore.closing.outcomes",
    "plan": "levcore.planning.plan",
    "policies": "levcore.rules.policies",
    "policy": "levcore.rules.policies",
    "positions_from_fills": "levcore.fills.table",
    "quantities_to_close": "levcore.engine.quantities_to_close",
    "reconcile": "levcore.reconciliation.reconcile",
    "replay": "levcore.replays.replay",
    "report": "levcore.reports.report",
    "reverse_stress": "levcore.stress_testing.reverse",
    "show_versions": "levcore.reports.installation",
    "stress": "levcore.stress_testing.stress",
    "variants": "levcore.closing.variants",
    "what_if": "levcore.changes.what_if",
    "with_rules": "levcore.rules.several",
}
"""Module of each name, imported when the name is first asked for."""

ROOMS = ("book", "cluster", "engine", "errors", "measures", "plot", "reference", "rules", "status", "venues")
"""Modules that are asked for by name."""


def __getattr__(name: str) -> Any:
    """Import what is first asked for."""
    from importlib import import_module

    if name in ROOMS:
        return import_module(f"levcore.{name}")
    if name in HOMES:
        found = globals()[name] = getattr(import_module(HOMES[name]), name)
        return found
    raise AttributeError(f"module 'levcore' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Names, those that are not imported yet included."""
    return sorted({*globals(), *__all__})
