"""The section on what each leg costs: in text and file, on request, with numbers of `levcore.leg_costs`."""

from __future__ import annotations

from pathlib import Path

import pytest

import levcore as lc
from levcore.cli.main import main

MARKS = {"BTCUSDT": 58_500.0, "ETHUSDT": 3_150.0, "SOLUSDT": 131.0}


def book(modes: list[str] | None = None) -> lc.PositionBook:
    return lc.PositionBook(
        ["BTCUSDT", "ETHUSDT", "SOLUSDT"], [0.5, -4.0, -60.0], [60_000.0, 3_000.0, 250.0], ["desk"] * 3,
        modes or "cross", leverage=10.0, wallet_balance={"desk": 9_000.0},
        isolated_margin=None if modes is None else [3_000.0, 1_200.0, 1_500.0],
    )  # fmt: skip


@pytest.fixture
def engine() -> lc.Engine:
    return lc.Engine(lc.policy("binance-usdm@2024-10-24"))


def test_legs_stand_by_what_they_add_and_those_that_help_apart(engine: lc.Engine) -> None:
    held = book()
    costs = lc.leg_costs(engine, held, MARKS, with_distances=True)
    text = lc.report(engine.evaluate(held, MARKS), leg_costs=costs)
    assert "Which leg costs what" not in lc.report(engine.evaluate(held, MARKS))
    weighing, helping = text.split("Which leg costs what")[1].split("Legs that help their account")
    assert [line.split()[2] for line in weighing.splitlines() if "desk " in line] == ["BTCUSDT", "ETHUSDT"]
    assert [line.split()[2] for line in helping.splitlines() if "desk " in line] == ["SOLUSDT"]
    row = next(line for line in weighing.splitlines() if "BTCUSDT" in line)
    assert f"{costs.marginal_maintenance_margin[0]:,.2f}" in row
    assert f"{100 * costs.without.margin_ratio[0]:.2f} %" in row
    assert f"{100 * costs.distance.upper[0]:.2f} %" in row  # type: ignore[union-attr]
    assert "Distance without" in text


def test_isolated_positions_have_no_legs(engine: lc.Engine) -> None:
    alone = book(["isolated"] * 3)
    text = lc.report(engine.evaluate(alone, MARKS), leg_costs=lc.leg_costs(engine, alone, MARKS))
    assert "No cross account has a leg to leave out." in text


def test_lists_are_cut_and_say_so(engine: lc.Engine) -> None:
    held = book()
    text = lc.report(engine.evaluate(held, MARKS), leg_costs=lc.leg_costs(engine, held, MARKS), top=1)
    assert "The first 1 of 2." in " ".join(text.split())


def test_costs_of_another_book_are_refused(engine: lc.Engine) -> None:
    held = book()
    risk, costs = engine.evaluate(held, MARKS), lc.leg_costs(engine, held, MARKS)
    other = lc.leg_costs(engine, held, MARKS | {"BTCUSDT": 58_000.0})
    for wrong in (lc.leg_costs(engine, book(), MARKS), other):
        with pytest.raises(lc.InputError, match="must be of the book and the marks of a risk report"):
            lc.report(risk, leg_costs=wrong)
    with pytest.raises(lc.InputError, match="must be of the book and the marks of a risk report"):
        lc.report(lc.compare(held, ["binance-usdm"], MARKS), leg_costs=costs)
    with pytest.raises(lc.LevcoreError, match="must be a LegCosts"):
        lc.report(risk, leg_costs=risk)  # type: ignore[call-overload]


def test_the_command_says_it_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    positions, wallets, page = (tmp_path / name for name in ("p.csv", "w.csv", "r.html"))
    positions.write_text(
        "instrument,quantity,entry_price,margin_mode,mark_price,leverage,account\n"
        "BTCUSDT,0.5,60000,cross,58500,10,desk\nETHUSDT,-4,3000,cross,3150,10,desk\n"
    )
    wallets.write_text("account,wallet_balance\ndesk,9000\n")
    call = ["score", str(positions), "--accounts", str(wallets), "--policy=binance-usdm"]
    assert main([*call, "--leg-costs", "--report", str(page)]) == 0
    assert "Which leg costs what" in capsys.readouterr().out
    assert "Which leg costs what" in page.read_text(encoding="utf-8")
    assert main(call) == 0
    assert "Which leg costs what" not in capsys.readouterr().out
