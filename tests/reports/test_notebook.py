"""Notebooks show results as small tables, in which no name is anything but text."""

from __future__ import annotations

import sys
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import levcore as lc
from levcore.reports import html
from levcore.shown import Shown
from support.closing_books import closing_policy

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=y>{{ 7 * 7 }}"
RULES = lc.policy("generic")
BOOK = lc.PositionBook(
    [HOSTILE, HOSTILE], [0.5, 1.0], [60_000.0, 60_000.0], account=[HOSTILE, None],
    margin_mode=["cross", "isolated"], isolated_margin=[np.nan, 3_000.0], wallet_balance={HOSTILE: 3_000.0},
)  # fmt: skip
MARKS = {HOSTILE: 50_000.0}


def policy() -> lc.MarginPolicy:
    """Policy that knows the hostile instrument, and has a hostile title itself."""
    instrument = lc.Instrument(
        HOSTILE, "linear", lc.TierTable.marginal([(0, "0.005")], unit="quote"), settlement=HOSTILE
    )
    rules = RULES.with_instruments(lc.InstrumentTable([instrument]))
    return rules.replace(title=HOSTILE, ratio=HOSTILE)


def shown() -> dict[str, Any]:
    """One of everything that a notebook shows, each with the hostile name in it."""
    one, engine = policy(), lc.Engine(policy())
    risk = engine.evaluate(BOOK, MARKS)
    shocks = {"scenario": [HOSTILE, "calm"], HOSTILE: [-0.5, 0.0]}
    closing = lc.Engine(
        closing_policy(close_out_payers=("fund",), close_out_remainder="fund", trader_owes="no")
    )
    held = lc.PositionBook(["A"], [1.0], [10_000.0], isolated_margin=[1_000.0])
    return {
        "close-out": lc.close_out(closing, held, {"A": 7_000.0}),
        "replay": lc.replay(closing, held, {"time": [0, 1, 2], "price": [10_000.0, 9_900.0, 7_000.0]}),
        "book": BOOK,
        "risk": risk,
        "policy": one,
        "comparison": lc.compare(BOOK, {HOSTILE: one, "other": one}, MARKS),
        "stress": lc.stress(engine, BOOK, MARKS, shocks),
        "plan": lc.plan("BTCUSDT", "long", 0.5, entry=60_000.0, leverage=10.0, fees=0.0005),
        "against": lc.against(risk, {"instrument": [HOSTILE] * 2, "liquidation_price": [1.0, 2.0]}),
    }


SHOWN = shown()


@pytest.mark.parametrize("name", SHOWN)
def test_what_a_notebook_shows_is_escaped(name: str) -> None:
    text = SHOWN[name]._repr_html_()
    for piece in ("<script", "<img", "onerror=y>", "49"):
        assert piece not in text
    root = ElementTree.fromstring(text)
    assert root.get("class") == "levcore"
    words = " ".join(root.itertext())
    assert (HOSTILE in words) == (name not in ("plan", "against", "close-out", "replay"))
    assert {element.tag for element in root.iter()} <= {
        "div", "style", "p", "b", "h3", "table", "thead", "tbody", "tr", "th", "td", "span", "br", "a",
    }  # fmt: skip


def test_numbers_are_those_of_the_result() -> None:
    text = SHOWN["risk"]._repr_html_()
    risk = SHOWN["risk"]
    assert f"{risk.notional[0]:,.2f}" in text
    assert "2 positions under generic" in text
    partial = lc.Engine(policy()).evaluate(BOOK, MARKS, measures=("notional",))
    assert "Margin ratio" in text
    assert "Margin ratio" not in str(partial._repr_html_())


def test_a_long_book_is_cut() -> None:
    book = lc.PositionBook(["A"] * 25, [1.0] * 25, [1.0] * 25, isolated_margin=[1.0] * 25)
    text = str(book._repr_html_())
    assert "15 further rows." in text
    assert text.count("<tr>") == 11


def test_without_templates_the_text_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    html._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    try:
        assert all(each._repr_html_() is None for each in SHOWN.values())
    finally:
        html._environment.cache_clear()


def test_every_kind_that_is_shown_has_its_table() -> None:
    from levcore.reports.notebook import SHORT

    names = {kind.__qualname__ for kind in Shown.__subclasses__()}
    assert names == {kind.__qualname__ for kind in SHORT}
