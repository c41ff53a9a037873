"""A reverse stress ends where a stress of a hair more liquidates the share, and of a hair less does not."""

from __future__ import annotations

import numpy as np
import pytest

import levcore as lc
from levcore.errors import InputError
from levcore.samples import generate

POLICY = lc.policy("binance-usdm@2024-10-24")
DOLLARS = {name: POLICY.instruments[name] for name in POLICY.instruments}
DOLLARS = dict(list({n: i for n, i in DOLLARS.items() if i.settlement == "USDT"}.items())[:12])
ENGINE = lc.Engine(POLICY)
HAIR = 1e-9


@pytest.mark.parametrize("mode", ["isolated", "cross", "mixed"])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_it_ends_where_a_stress_reaches_the_share(mode: str, share: float) -> None:
    book, marks = generate.book(400, DOLLARS, seed=5, margin_mode=mode)  # type: ignore[arg-type]
    betas = {name: 0.5 + 0.1 * code for code, name in enumerate(book.instrument_names)}
    found = lc.reverse_stress(ENGINE, book, marks, share, betas)
    now = ENGINE.evaluate(book, marks)
    gone_now = now.state >= lc.State.LIQUIDATION  # a move the other way does not bring it back
    total = now.notional[now.ok].sum()
    for move in (found.lower, found.upper):
        if np.isnan(move) or move == 0.0:
            assert (move == 0.0) == (found.share_now >= share)
            continue
        before, after = (move * (1.0 - HAIR), move * (1.0 + HAIR))
        gone = []
        for each in (before, after):
            moved = {name: marks[name] * (1.0 + betas[name] * each) for name in book.instrument_names}
            state = ENGINE.evaluate(book, moved).state
            gone_there = (state >= lc.State.LIQUIDATION) & (state != lc.State.INCOMPLETE)
            gone.append(now.notional[gone_now | gone_there].sum())
        assert gone[0] < share * total <= gone[1] * (1.0 + HAIR)
    assert not np.isnan([found.lower, found.upper]).all()


def test_a_share_that_is_gone_already_needs_no_move() -> None:
    book = lc.PositionBook(["BTCUSDT"], [1.0], [60_000.0], isolated_margin=[100.0])
    found = lc.reverse_stress(ENGINE, book, {"BTCUSDT": 60_000.0}, 1.0)
    assert (abs(found.lower), found.upper, found.share_now) == (0.0, 0.0, 1.0)


def test_what_could_not_be_judged_is_left_out() -> None:
    book = lc.PositionBook(
        ["BTCUSDT", "ETHUSDT"], [1.0, 1.0], [60_000.0, 3_000.0], isolated_margin=[6e3, 1e3]
    )
    found = lc.reverse_stress(ENGINE, book, {"BTCUSDT": 60_000.0}, 1.0)
    assert found.left_out == 1
    assert np.isnan(found.moves_lower[1])


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, np.nan])
def test_a_share_outside_of_its_range_is_refused(share: float) -> None:
    book = lc.PositionBook(["BTCUSDT"], [1.0], [60_000.0], isolated_margin=[6e3])
    with pytest.raises(InputError, match="share"):
        lc.reverse_stress(ENGINE, book, {"BTCUSDT": 60_000.0}, share)


def test_values_of_two_currencies_are_not_added_up() -> None:
    names, marks = ["BTCUSDT", "BTCUSDC"], {"BTCUSDT": 60_000.0, "BTCUSDC": 60_000.0}
    book = lc.PositionBook(names, [1.0, 1.0], [60_000.0] * 2, isolated_margin=[6e3, 12e3])
    with pytest.raises(InputError, match="never added up"):
        lc.reverse_stress(ENGINE, book, marks, 0.5)
    with pytest.raises(InputError, match="must be one that positions settle in"):
        lc.reverse_stress(ENGINE, book, marks, 0.5, currency="BTC")
    for place, currency in enumerate(("USDT", "USDC")):
        alone = lc.PositionBook(
            names[place : place + 1], [1.0], [60_000.0], isolated_margin=[6e3 * (place + 1)]
        )
        expected = lc.reverse_stress(ENGINE, alone, marks, 0.5).lower
        assert lc.reverse_stress(ENGINE, book, marks, 0.5, currency=currency).lower == expected


def test_a_currency_of_which_nothing_could_be_judged_has_no_move() -> None:
    book = lc.PositionBook(["BTCUSDT", "BTCUSDC"], [1.0, 1.0], [60_000.0] * 2, isolated_margin=[6e3] * 2)
    found = lc.reverse_stress(ENGINE, book, {"BTCUSDT": 60_000.0}, 0.5, currency="USDC")
    assert np.isnan([found.lower, found.upper, found.share_now]).all()


def test_a_currency_that_is_named_but_not_held_does_not_matter() -> None:
    names = ["BTCUSDT", "BTCUSDC"]
    book = lc.PositionBook(np.array([0]), [1.0], [60_000.0], isolated_margin=[6e3], instrument_names=names)
    found = lc.reverse_stress(ENGINE, book, {"BTCUSDT": 60_000.0}, 1.0)
    assert found.lower < 0.0
