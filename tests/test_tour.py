"""The notebook of the examples runs from top to bottom, and shows something in every cell."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

TOUR = Path(__file__).parents[1] / "examples" / "tour.ipynb"
SHOWN = {
    "trade": "54,216.87", "book": "3 positions, 3 instruments, 1 cross account", "risk": "SOLUSDT",
    "elsewhere": "positions evaluated", "worlds": "liquidates most",
}  # fmt: skip
"""What the table of each name holds."""


def last_value(source: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook does, magics left out; its last expression, or None."""
    lines = [line for line in source.splitlines() if not line.startswith("%")]
    cell = ast.parse("\n".join(lines))
    last = cell.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(cell, TOUR.name, "exec"), names)
        return None
    exec(compile(ast.Module(cell.body[:-1], []), TOUR.name, "exec"), names)
    return eval(compile(ast.Expression(last.value), TOUR.name, "eval"), names)


def test_the_tour_runs(capsys: pytest.CaptureFixture[str]) -> None:
    notebook = json.loads(TOUR.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len({*ids}) == len(ids)
    names: dict[str, Any] = {}
    figures, tables = 0, set()
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        assert cell["outputs"] == []  # they would age; the tests make them anew
        source = "".join(cell["source"])
        value = last_value(source, names)
        figures += isinstance(value, Figure)
        name = source.splitlines()[-1]
        if name in SHOWN:
            assert SHOWN[name] in value._repr_html_()
            tables.add(name)
    assert tables == {*SHOWN}
    assert figures == 4
    assert "liquidation" in capsys.readouterr().out
    assert -0.2 < names["lc"].reverse_stress(names["engine"], names["book"], names["marks"], 0.5).lower < 0.0
