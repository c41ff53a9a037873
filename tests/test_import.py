"""`import levcore` costs next to nothing, and an evaluation what it needs, no more."""

import ast
import pydoc
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import levcore as lc

OF_PYTHON = {
    "__future__", "_decimal", "copy", "dataclasses", "decimal", "fractions",
}  # fmt: skip
"""What an evaluation imports of Python's own, beyond NumPy's; numbers of tier tables are read exactly."""

OURS = {
    "levcore": ["arguments", "errors", "frozen", "measures", "shown", "status"],
    "levcore.book": [
        "arrays", "asset_prices", "balances", "coded_labels", "labelled", "labels", "listings", "marks",
        "named_wallets", "numbered_labels", "policy_labels", "positions", "readers", "wallets",
    ],
    "levcore.engine": [
        "account_risk", "answers", "balance_risk", "columns", "compiled", "engine", "frames", "memory",
        "risk", "shared_memory", "threads", "wallet_risk",
    ],
    "levcore.rules": [
        "assets", "fees", "instruments", "policies", "policy", "policy_checks", "symbols", "table_fit",
        "terms", "tier_checks", "tier_rows", "tiers",
    ],
}  # fmt: skip
"""What it imports of ours beside the core, by room."""

EVALUATION = "levcore.Engine, levcore.PositionBook, levcore.BookRisk, levcore.policy"
"""The names that an evaluation is written with."""


def modules_after(statements: str, before: str = "numpy, numpy.typing") -> set[str]:
    """Modules that `statements` import in a fresh interpreter that has imported those `before`."""
    first = f"import {before}; " if before else ""
    program = f"import sys; {first}before = set(sys.modules); {statements}"
    program += "; print(*sorted(set(sys.modules) - before))"
    return set(
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_what_is_not_asked_for_is_not_imported() -> None:
    assert modules_after("import levcore") == {"levcore", "levcore._levcore"}
    assert "numpy" not in modules_after("import levcore", before="")


def test_what_an_evaluation_does_not_need_is_imported_later() -> None:
    found = modules_after(f"import levcore; {EVALUATION}", before="numpy, numpy.typing, levcore")
    ours = {name for name in found if name.partition(".")[0] == "levcore"}
    rooms = set(OURS) - {"levcore"}
    assert ours == {*rooms, *(f"{room}.{name}" for room, names in OURS.items() for name in names)}
    assert found - ours <= OF_PYTHON


def test_every_public_name_is_found_where_it_is_written_down() -> None:
    assert {*lc.HOMES, *lc.ROOMS, "__version__"} >= set(lc.__all__)
    assert set(lc.HOMES) <= set(lc.__all__) <= set(dir(lc))
    for name, home in lc.HOMES.items():
        assert getattr(lc, name) is getattr(import_module(home), name)
    for room in lc.ROOMS:
        assert getattr(lc, room) is import_module(f"levcore.{room}")
    assert pydoc.render_doc(lc)
    with pytest.raises(AttributeError, match="no attribute 'enigne'"):
        lc.enigne  # noqa: B018 - what is asked for is the error


def test_type_checkers_are_told_the_homes_that_are_imported_from() -> None:
    told: dict[str, str | None] = {}
    for node in ast.walk(ast.parse(Path(lc.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module not in {"typing", "importlib"}:
            told |= {name.name: node.module for name in node.names}
    told = {name: home for name, home in told.items() if home != "levcore" and name != "__version__"}
    assert told == lc.HOMES


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
