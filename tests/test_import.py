"""`import levcore` costs what an evaluation needs, and no more."""

import subprocess
import sys

import pytest

OF_PYTHON = {
    "__future__", "_decimal", "copy", "dataclasses", "decimal", "fractions",
}  # fmt: skip
"""What `import levcore` imports of Python's own, beyond NumPy's; numbers of tier tables are read exactly."""

OURS = {
    "levcore": ["_levcore", "arguments", "errors", "frozen", "measures", "shown", "status"],
    "levcore.book": [
        "arrays", "asset_prices", "balances", "coded_labels", "labelled", "labels", "listings", "marks",
        "named_wallets", "numbered_labels", "policy_labels", "positions", "readers", "wallets",
    ],
    "levcore.engine": [
        "account_risk", "balance_risk", "columns", "compiled", "engine", "frames", "risk",
        "shared_memory", "threads", "wallet_risk",
    ],
    "levcore.rules": [
        "assets", "fees", "instruments", "policies", "policy", "policy_checks", "symbols", "table_fit",
        "terms", "tier_checks", "tier_rows", "tiers",
    ],
}  # fmt: skip
"""What it imports of ours, by room: what every evaluation needs."""


def modules_after(statements: str) -> set[str]:
    """Modules of a fresh interpreter that has run `statements` after NumPy was imported."""
    program = f"import sys, numpy, numpy.typing; before = set(sys.modules); {statements}"
    program += "; print(*sorted(set(sys.modules) - before))"
    return set(
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_what_an_evaluation_does_not_need_is_imported_later() -> None:
    found = modules_after("import levcore")
    ours = {name for name in found if name.partition(".")[0] == "levcore"}
    assert ours == {*OURS, *(f"{room}.{name}" for room, names in OURS.items() for name in names)}
    assert found - ours <= OF_PYTHON


@pytest.mark.parametrize(
    ("used", "module"),
    [
        ("levcore.reference.evaluate", "levcore.reference"),
        ("from levcore import reference", "levcore.reference"),
        ("levcore.report", "levcore.reports.report"),
        ("levcore.leg_costs", "levcore.engine.leg_costs"),
        ("levcore.distance", "levcore.engine.distances"),
        ("levcore.policy('generic')", "levcore.rules.policy_files"),
    ],
)
def test_it_is_imported_where_it_is_used(used: str, module: str) -> None:
    assert module in modules_after(f"import levcore; {used}")
