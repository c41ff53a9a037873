"""`import levcore` costs what an evaluation needs, and no more."""

import subprocess
import sys

import pytest

LATER = {
    "csv",
    "difflib",
    "html",
    "json",
    "tomllib",
    "levcore.changes.changes",
    "levcore.comparison.comparison",
    "levcore.explanation.explain",
    "levcore.files.positions",
    "levcore.rules.policy_files",
    "levcore.reconciliation.reply",
    "levcore.reference",
    "levcore.reports.report",
    "jinja2",
    "matplotlib",
    "levcore.venues.positions.reply",
}


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
    assert "levcore.engine.engine" in found
    assert not found & LATER


@pytest.mark.parametrize(
    ("used", "module"),
    [
        ("levcore.reference.evaluate", "levcore.reference"),
        ("from levcore import reference", "levcore.reference"),
        ("levcore.report", "levcore.reports.report"),
        ("levcore.policy('generic')", "levcore.rules.policy_files"),
    ],
)
def test_it_is_imported_where_it_is_used(used: str, module: str) -> None:
    assert module in modules_after(f"import levcore; {used}")
