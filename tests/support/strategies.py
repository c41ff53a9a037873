"""Hypothesis strategies: policies of every shape, instruments of every kind, missing and bad values.

Small books whose every number may be odd. A row is drawn from few values, so that ties, thresholds and zeros
are met; some books are repeated until they fill more than one tile of the kernel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

import levcore as lc
from levcore.rules.instruments import Payoff
from support.random_books import Columns

__all__ = ["Case", "cases", "instruments", "policies", "tier_tables"]

Case = tuple[lc.MarginPolicy, Columns, npt.NDArray[np.float64]]
"""Policy, arguments of `levcore.PositionBook`, marks."""

UNKNOWN_NAME = "NOBODY-KNOWS"
PAYOFFS: tuple[Payoff, ...] = ("linear", "linear", "inverse", "quanto")
BASES = st.sampled_from(["price", "price", "entry", "mark", "bankruptcy"])
INITIAL_BASES = st.sampled_from(["mark", "entry"])


@st.composite
def tier_tables(draw: st.DrawFn, payoff: str) -> lc.TierTable:
    """Marginal with a minimum or without, flat, growing or a single rate; with a cap or without."""
    shapes = ["marginal", "marginal", "minimum", "contracts", "risk_limit", "single", "growing"]
    shape = draw(st.sampled_from(shapes[:-1] if payoff == "quanto" else shapes))
    if shape == "growing":
        slope = draw(st.sampled_from(["0.00001", "0.001", "0.02"]))
        cap = draw(st.sampled_from([None, None, 40]))
        return lc.TierTable.growing(draw(st.sampled_from(["0.01", "0.25"])), slope, cap=cap)
    thousandths = draw(st.lists(st.integers(1, 60), min_size=1, max_size=10, unique=True).map(sorted))
    if shape == "single":
        return lc.TierTable.single_rate(f"{thousandths[0]}e-3")
    steps = draw(st.lists(st.integers(1, 40), min_size=len(thousandths), max_size=len(thousandths)))
    floors = [0, *np.cumsum(steps)[:-1].tolist()]
    scale = 1000 if shape == "risk_limit" else draw(st.sampled_from([1, 100]))
    rows = [(floor * scale, f"{rate}e-3") for floor, rate in zip(floors, thousandths, strict=True)]
    cap = draw(st.sampled_from([None, rows[-1][0] + 50 * scale]))
    if shape in ("marginal", "minimum"):
        table = lc.TierTable.marginal(rows, unit="base" if payoff == "inverse" else "quote", cap=cap)
        # Below every cap above, and now and then above the second tier's floor.
        return table if shape == "marginal" else table.with_minimum(draw(st.sampled_from(["0.001", "0.04"])))
    return lc.TierTable.flat(rows, unit="contracts" if shape == "contracts" else "risk_limit", cap=cap)


@st.composite
def instruments(draw: st.DrawFn, name: str) -> lc.Instrument:
    """Linear, inverse or quanto with a table of any kind."""
    payoff: Payoff = draw(st.sampled_from(PAYOFFS))
    return lc.Instrument(
        name,
        payoff,
        draw(tier_tables(payoff)),
        contract_size=draw(st.sampled_from([1.0, 0.1, 100.0])),
        multiplier=draw(st.sampled_from([1.0, 0.01])) if payoff == "quanto" else 1.0,
        short_tiers=draw(st.one_of(st.none(), st.none(), tier_tables(payoff))),
        initial_tiers=draw(st.one_of(st.none(), tier_tables(payoff))),
        funding_rate=draw(st.sampled_from([0.0, 0.0001, 0.01])),
    )


@st.composite
def fee_bases(draw: st.DrawFn) -> tuple[str, str]:
    """Values on which the closing fees of isolated and cross positions are taken; amounts stand alone."""
    bases = st.sampled_from(["none", "price", "entry", "mark", "bankruptcy", "entry_and_margin", "contract"])
    isolated = draw(bases)
    cross = draw(st.one_of(st.just(isolated), st.just(isolated), bases))
    if "contract" in (isolated, cross) and isolated != cross:
        cross = draw(st.sampled_from(["none", isolated])) if isolated == "contract" else isolated
    return isolated, cross


@st.composite
def policies(draw: st.DrawFn) -> lc.MarginPolicy:
    """Every combination of rules, over instruments of every kind."""
    fee_basis, fee_basis_cross = draw(fee_bases())
    requirement_bases = draw(BASES), draw(BASES)
    if requirement_bases == ("price", "price") and (fee_basis == "price") != (fee_basis_cross == "price"):
        requirement_bases = "price", "mark"
    charged = {fee_basis, fee_basis_cross} - {"none"}
    at_bankruptcy = "bankruptcy" in charged or "bankruptcy" in requirement_bases
    included = st.booleans() if at_bankruptcy else st.sampled_from([False, True, "unknown"])
    liquidation = draw(st.sampled_from([1.0, 1.0, 0.8, 1.25, 0.3]))
    call = draw(st.sampled_from([None, liquidation, 0.75 * liquidation]))
    warning = draw(st.sampled_from([None, 0.5 * liquidation]))
    rules = {
        "requirement_basis_isolated": requirement_bases[0],
        "requirement_basis_cross": requirement_bases[1],
        "initial_margin_basis_isolated": draw(INITIAL_BASES),
        "initial_margin_basis_cross": draw(INITIAL_BASES),
        "closing_fee_basis": fee_basis,
        "closing_fee_basis_cross": "same" if fee_basis_cross == fee_basis else fee_basis_cross,
        "closing_fee_rate": draw(st.sampled_from([0.0, 0.0006, 0.01])) if charged else 0.0,
        "closing_fee_bankruptcy_cross": "leverage" if at_bankruptcy else "none",
        "closing_fee_in_initial_margin": draw(st.booleans()),
        "closing_fee_in_maintenance_margin": draw(st.booleans()),
        "bankruptcy_includes_closing_fee": False if "contract" in charged else draw(included),
        "closing_fee_reserved": draw(st.sampled_from(["same", "bankruptcy"])),
        "return_basis": draw(st.sampled_from(["entry", "mark"])),
        "warning_level": warning,
        "warning_level_inclusive": draw(st.booleans()),
        "margin_call_level": call,
        "margin_call_level_inclusive": draw(st.booleans()),
        "liquidation_level": liquidation,
        "liquidation_level_inclusive": draw(st.booleans()),
        "initial_margin_rule": draw(st.sampled_from(["leverage", "table"])),
        "funding_in_requirement": draw(
            st.sampled_from(["none", "rate_times_value", "rate_times_value_of_payer"])
        ),
    }
    names = [f"I{number}" for number in range(draw(st.integers(1, 4)))]
    held = [draw(instruments(name)) for name in names]
    return lc.policy("generic").replace(**rules).with_instruments(held)


FURTHER = 1_000
"""Above every account that is drawn."""
PRICES = (1.0, 2.0, 10.0, 12.5, 99.99, 100.0, 101.0, 40_000.0)
BAD = (math.nan, math.inf, -math.inf, 0.0, -0.0, -1.0, 5e-324, 1e-310, 1e300, 1.7e308)
COLUMNS: dict[str, st.SearchStrategy[float]] = {
    "quantity": st.sampled_from([1.0, -1.0, 3.0, -3.0, 0.5, -20.0, 50.0, 1000.0, -1000.0, 0.1, -1e-9]),
    "entry_price": st.sampled_from(PRICES),
    "isolated_margin": st.sampled_from([0.01, 1.0, 5.0, 10.0, 250.0, math.nan]),
    "leverage": st.sampled_from([1.0, 2.0, 10.0, 125.0, 3.3, math.nan]),
    "accrued_funding": st.sampled_from([0.0, 0.0, 0.5, -0.5, -7.0]),
    "risk_limit": st.sampled_from([1.0, 1000.0, 5000.0, 40_000.0]),
}
OPTIONAL = ("isolated_margin", "leverage", "accrued_funding", "risk_limit")


def _numbers(values: st.SearchStrategy[float], spoiled: bool) -> st.SearchStrategy[float]:
    """Ordinary values, any float at all now and then, bad ones if wanted."""
    if not spoiled:
        return values
    return st.one_of(values, values, values, values, st.sampled_from(BAD), st.floats())


@st.composite
def cases(
    draw: st.DrawFn,
    modes: tuple[str, ...] = ("isolated", "cross", "mixed"),
    repeats_of: tuple[int, ...] = (1, 1, 3, 20),
    pooled: tuple[bool, ...] = (False, False, False, True),
) -> Case:
    """Policy, columns of a book, marks; of a pooled one accounts may hold an instrument several times."""
    policy = draw(policies())
    names = [*policy.instruments, *draw(st.sampled_from([[], [UNKNOWN_NAME]]))]
    mark_values = _numbers(st.sampled_from(PRICES), draw(st.booleans()))
    marks = np.array(draw(st.lists(mark_values, min_size=len(names), max_size=len(names))))
    distinct = draw(st.integers(0, 12))
    # Past the 64 rows of a tile, and past the shortest run of one instrument that gets a tile of its own.
    repeats = draw(st.sampled_from(repeats_of))
    columns: Columns = {"instrument_names": names}
    codes = draw(st.lists(st.integers(0, len(names) - 1), min_size=distinct, max_size=distinct))
    columns["instrument"] = _repeated(sorted(codes) if draw(st.booleans()) else codes, repeats, np.uint32)
    for name, values in COLUMNS.items():
        if name in OPTIONAL and draw(st.sampled_from([False, False, True])):
            continue
        spoiled = draw(st.sampled_from([False, False, True]))
        drawn = draw(st.lists(_numbers(values, spoiled), min_size=distinct, max_size=distinct))
        columns[name] = _repeated(drawn, repeats, np.float64)
    _add_accounts(draw, columns, draw(st.sampled_from(modes)), distinct, repeats)
    if draw(st.sampled_from(pooled)):
        columns["position_mode"] = draw(st.sampled_from(["one_way", "hedge"]))
    elif "wallet_balance" in columns or "account" in columns:
        columns = one_way(columns)
    return policy, columns, marks


def one_way(columns: Columns) -> Columns:
    """The same with each instrument at most once an account: further legs in accounts of their own.

    In a book of one account they are left out.
    """
    rows = columns["quantity"].size
    is_cross = np.broadcast_to(np.asarray(columns["margin_mode"]) == "cross", rows)
    account = columns.get("account", np.zeros(rows, dtype=np.int64))
    held = list(zip(account.tolist(), columns["instrument"].tolist(), is_cross.tolist(), strict=True))
    legs = np.array([held[:row].count(leg) if leg[2] else 0 for row, leg in enumerate(held)], dtype=np.int64)
    if "account" not in columns:
        return {
            name: column[legs == 0] if isinstance(column, np.ndarray) else column
            for name, column in columns.items()
        }
    moved = columns | {"account": account + FURTHER * legs}
    if "accounts" in columns:
        generations = np.arange(legs.max(initial=0) + 1)
        moved["accounts"] = np.add.outer(FURTHER * generations, columns["accounts"]).ravel()
        moved["wallet_balance"] = np.tile(columns["wallet_balance"], generations.size)
    return moved


def _repeated(values: list[Any], repeats: int, dtype: Any) -> npt.NDArray[Any]:
    return np.tile(np.array(values, dtype=dtype), repeats)


def _add_accounts(draw: st.DrawFn, columns: Columns, mode: str, distinct: int, repeats: int) -> None:
    columns["margin_mode"] = mode
    if mode == "isolated":
        return
    if mode == "mixed":
        cross = draw(st.lists(st.booleans(), min_size=distinct, max_size=distinct))
        columns["margin_mode"] = np.where(_repeated(cross, repeats, np.bool_), "cross", "isolated")
    balances = _numbers(st.sampled_from([0.0, 1.0, 10.0, 1000.0, 1e6]), draw(st.booleans()))
    if draw(st.booleans()):
        columns["wallet_balance"] = draw(balances)
        return
    accounts = draw(st.lists(st.integers(0, 4), min_size=distinct, max_size=distinct))
    columns["account"] = _repeated(accounts, repeats, np.int64)
    if draw(st.booleans()):
        # Each copy with accounts of its own.
        columns["account"] += np.repeat(np.arange(repeats) * 10, distinct)
    if draw(st.booleans()):
        # Accounts without a wallet, and wallets without a position.
        ids = draw(st.lists(st.integers(0, 45), max_size=8, unique=True))
        columns["accounts"] = np.array(ids, dtype=np.int64)
        columns["wallet_balance"] = np.array(
            draw(st.lists(balances, min_size=len(ids), max_size=len(ids))), dtype=np.float64
        )
