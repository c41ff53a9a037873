"""Twelve policies with instruments of every kind, and seeded random books of any size, some rows of them bad.

Made with NumPy, so that a million rows take a second; `strategies.py` looks for odd cases in small books.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc

__all__ = ["CONFIGURATIONS", "Columns", "Configuration", "book_of", "random_columns"]

Floats = npt.NDArray[np.float64]
Columns = dict[str, Any]
"""Arguments of `levcore.PositionBook`, columns as arrays."""

UNKNOWN_NAME = "NOBODY-KNOWS"


def in_quote() -> lc.TierTable:
    rows = [(0, "0.004"), (50_000, "0.005"), (250_000, "0.01"), (1_000_000, "0.025"), (5_000_000, "0.1")]
    return lc.TierTable.marginal(rows, unit="quote", cap=50_000_000)


def in_base() -> lc.TierTable:
    rows = [(0, "0.005"), (1_000, "0.01"), (4_000, "0.02"), (20_000, "0.05")]
    return lc.TierTable.marginal(rows, unit="base", cap=1_000_000)


def linear(name: str, *, tiers: lc.TierTable | None = None, size: float = 1.0, **more: Any) -> lc.Instrument:
    return lc.Instrument(name, "linear", tiers or in_quote(), contract_size=size, **more)


def inverse(
    name: str, *, tiers: lc.TierTable | None = None, size: float = 100.0, **more: Any
) -> lc.Instrument:
    return lc.Instrument(name, "inverse", tiers or in_base(), contract_size=size, **more)


def quanto(name: str, *, tiers: lc.TierTable | None = None, **more: Any) -> lc.Instrument:
    table = lc.TierTable.marginal([(0, "0.01"), (2, "0.02"), (40, "0.04")], unit="quote")
    return lc.Instrument(name, "quanto", tiers or table, contract_size=1.0, multiplier=1e-6, **more)


def by_contracts() -> lc.TierTable:
    rows = [(0, "0.005"), (100, "0.0075"), (20_000, "0.02"), (200_000, "0.06")]
    return lc.TierTable.flat(rows, unit="contracts", cap=1e13)


def by_risk_limit() -> lc.TierTable:
    rows = [(0, "0.005"), (100_000, "0.01"), (1_000_000, "0.03")]
    return lc.TierTable.flat(rows, unit="risk_limit", cap=10_000_000)


def single(rate: str = "0.03") -> lc.TierTable:
    return lc.TierTable.single_rate(rate)


@dataclass(frozen=True)
class Configuration:
    """One policy with instruments, and how positions under it are margined.

    Parameters
    ----------
    name : str
        Name of the test.
    policy : MarginPolicy
        Rules and instruments.
    mode : {"isolated", "cross", "mixed"}
        Margin mode of the rows.
    together : bool
        Whether the rows of an account stand together, as they do in a sorted book.
    absent : tuple of str
        Optional columns that the book does not have.
    """

    name: str
    policy: lc.MarginPolicy
    mode: str
    together: bool = False
    absent: tuple[str, ...] = ()


def generic(instruments: Mapping[str, lc.Instrument] | list[lc.Instrument], **rules: Any) -> lc.MarginPolicy:
    return lc.policy("generic").replace(**rules).with_instruments(instruments)


def venue(name: str, instruments: list[lc.Instrument], **rules: Any) -> lc.MarginPolicy:
    # Parity wants every rule on every table, also where the venue has no such table.
    return lc.policy(name).replace(table_shape="any", instruments=lc.InstrumentTable(instruments), **rules)


LINEAR = [linear("L1"), linear("L2", size=0.01), linear("L3", tiers=single()), linear("L4", size=10.0)]
INVERSE = [inverse("I1"), inverse("I2", size=1.0), inverse("I3", tiers=single("0.015"), size=10.0)]
FLAT = [
    linear("FL", tiers=by_contracts(), size=0.01),
    inverse("FI", tiers=by_contracts(), size=100.0),
    linear("RL", tiers=by_risk_limit()),
    quanto("FQ", tiers=by_contracts()),
]
QUANTO = [quanto("Q1"), quanto("Q2", tiers=single("0.02"))]


def growing(rate: str, slope: str, cap: float | None = None) -> lc.TierTable:
    return lc.TierTable.growing(rate, slope, cap=cap)


# In the order of how often a book holds them; the fourth and fifth have no valid mark where rows are spoiled.
GROWING = [
    linear("GL1", tiers=growing("0.01", "0.000005"), initial_tiers=growing("0.02", "0.000005")),
    inverse("GI1", tiers=growing("0.01", "0.00005", 60_000), initial_tiers=growing("0.02", "0.00005")),
    inverse("GI2", tiers=growing("0.02", "0.000001"), initial_tiers=in_base().with_minimum(2), size=10.0),
    linear("L5"),
    linear("L6"),
    linear("GL2", tiers=growing("0.005", "0.00001", 40_000), short_tiers=in_quote().with_minimum(50)),
    inverse("GI3", tiers=in_base(), short_tiers=growing("0.005", "0.00002"), initial_tiers=single("0.1")),
]
SIDED = [
    linear("S1", short_tiers=in_quote().with_minimum(150), initial_tiers=single("0.05"), funding_rate=0.0003),
    linear("S2", short_tiers=in_quote().with_minimum(300), tiers=single("0.01"), funding_rate=0.0001),
    inverse("S3", tiers=in_base().with_minimum(5), short_tiers=in_base(), initial_tiers=single("0.02")),
    linear("S7", initial_tiers=in_quote().with_minimum(30), funding_rate=-0.0001),
    quanto("S6", short_tiers=single("0.03").with_minimum("0.0001"), initial_tiers=single("0.25")),
    linear("S4", short_tiers=by_contracts(), initial_tiers=by_risk_limit(), size=0.01),
    linear("S5", tiers=by_risk_limit(), short_tiers=single("0.04"), initial_tiers=by_contracts()),
]

CONFIGURATIONS = (
    Configuration("binance-usdm, isolated", lc.policy("binance-usdm"), "isolated"),
    Configuration(
        "hyperliquid, strict level, cross kept together", lc.policy("hyperliquid"), "cross", together=True
    ),
    Configuration(
        "binance-usdm, mixed, without funding",
        lc.policy("binance-usdm"),
        "mixed",
        absent=("accrued_funding",),
    ),
    Configuration(
        "bybit-linear at entry, fee at bankruptcy, mixed",
        venue("bybit-linear@2025-10-02", LINEAR, closing_fee_rate=0.00055),
        "mixed",
    ),
    Configuration(
        "bybit-inverse at the price, fee at bankruptcy, mixed",
        venue("bybit-inverse@2026-05-27", INVERSE, closing_fee_rate=0.00075, warning_level=0.5),
        "mixed",
        together=True,
    ),
    Configuration(
        "okx-linear-swap, flat tables and fee at the price, mixed",
        venue(
            "okx-linear-swap",
            [*FLAT, *LINEAR],
            closing_fee_rate=0.0005,
            warning_level=0.25,
            margin_call_level=0.6,
        ),
        "mixed",
    ),
    Configuration(
        "okx-inverse-swap, flat tables, isolated",
        venue("okx-inverse-swap", [*FLAT, *INVERSE], closing_fee_rate=0.0005),
        "isolated",
    ),
    Configuration(
        "mexc-linear, fee at entry, isolated without margin",
        venue("mexc-linear", LINEAR, closing_fee_rate=0.0006),
        "isolated",
        absent=("isolated_margin", "risk_limit"),
    ),
    Configuration(
        "every payoff, requirement at the mark, level 0.8 strict, cross",
        generic(
            [*LINEAR, *INVERSE, *QUANTO, *FLAT],
            requirement_basis_isolated="mark",
            requirement_basis_cross="mark",
            liquidation_level=0.8,
            liquidation_level_inclusive=False,
            warning_level=0.4,
            margin_call_level=0.6,
            margin_call_level_inclusive=False,
        ),
        "cross",
        absent=("leverage", "isolated_margin"),
    ),
    Configuration(
        "every payoff, level 1.25, fee at entry in both margins, mixed",
        generic(
            [*LINEAR, *INVERSE, *QUANTO, *FLAT],
            liquidation_level=1.25,
            closing_fee_basis="entry",
            closing_fee_rate=0.001,
            closing_fee_in_initial_margin=True,
            closing_fee_in_maintenance_margin=True,
            bankruptcy_includes_closing_fee=True,
            initial_margin_basis_isolated="entry",
        ),
        "mixed",
    ),
    Configuration(
        "rates that grow, initial tables, fee at the price, mixed",
        generic(
            GROWING,
            initial_margin_rule="table",
            closing_fee_basis="price",
            closing_fee_rate=0.0004,
            liquidation_level=0.9,
        ),
        "mixed",
    ),
    Configuration(
        "other tiers for shorts, minima, initial tables, funding, mixed",
        generic(
            SIDED,
            initial_margin_rule="table",
            initial_margin_basis_cross="entry",
            funding_in_requirement="rate_times_value",
            closing_fee_basis="bankruptcy",
            closing_fee_rate=0.0005,
            closing_fee_bankruptcy_cross="leverage",
            closing_fee_in_initial_margin=True,
        ),
        "mixed",
        together=True,
    ),
    Configuration(
        "requirement at bankruptcy, fee on entry and margin, funding of the payer, mixed",
        generic(
            [*LINEAR, *INVERSE, *QUANTO, *FLAT],
            requirement_basis_isolated="bankruptcy",
            requirement_basis_cross="bankruptcy",
            closing_fee_basis="entry_and_margin",
            closing_fee_rate=0.0006,
            closing_fee_bankruptcy_cross="leverage",
            closing_fee_in_initial_margin=True,
            bankruptcy_includes_closing_fee=True,
            funding_in_requirement="rate_times_value_of_payer",
            return_basis="mark",
        ),
        "mixed",
    ),
    Configuration(
        "fee at the price isolated and frozen at the mark in cross, mixed",
        generic(
            [*LINEAR, *INVERSE, *GROWING],
            requirement_basis_cross="mark",
            closing_fee_basis="price",
            closing_fee_basis_cross="mark",
            closing_fee_rate=0.0006,
            closing_fee_in_initial_margin=True,
            closing_fee_reserved="bankruptcy",
            closing_fee_in_maintenance_margin=True,
            liquidation_level=0.9,
        ),
        "mixed",
    ),
    Configuration(
        "fee a contract, cross alone, funding of the payer, mixed",
        generic(
            SIDED,
            closing_fee_basis="none",
            closing_fee_basis_cross="contract",
            closing_fee_rate=0.85,
            closing_fee_in_initial_margin=True,
            funding_in_requirement="rate_times_value_of_payer",
        ),
        "mixed",
        together=True,
    ),
)
"""Policies of every shape; `tests/test_parity_large.py` takes a million rows of each."""


def random_columns(
    configuration: Configuration, rows: int, seed: int, *, spoiled: bool = True
) -> tuple[Columns, Floats]:
    """Columns of a random book and the marks of its instruments, with bad rows unless `spoiled` is false.

    Returns
    -------
    columns : dict
        Arguments of `levcore.PositionBook`; ``wallet_balance`` aligned with ``accounts``.
    marks : ndarray of float64, shape (len(instrument_names),)
        One of them missing and one negative where there are more than four instruments.
    """
    random = np.random.default_rng(seed)
    names = [*_held(configuration)[:60], UNKNOWN_NAME]
    marks = np.exp(random.normal(3.0, 2.0, len(names)))
    codes = _popular(random, len(names), rows)
    typical = _typical_quantities(configuration.policy, names, marks)
    quantity = typical[codes] * random.lognormal(0.0, 2.0, rows) * random.choice([-1.0, 1.0], rows)
    entry = marks[codes] * np.exp(random.normal(0.0, 0.1, rows))
    leverage = np.floor(np.exp(random.uniform(0.0, 4.5, rows)))
    value = (
        np.abs(quantity) / typical[codes] * 20_000.0 * _unit_values(configuration.policy, names, marks)[codes]
    )
    margin = value / leverage * np.exp(random.normal(0.0, 0.3, rows))
    funding = random.normal(0.0, 0.01, rows) * margin
    limit = 10.0 ** random.uniform(3.0, 7.1, rows)
    columns: Columns = {
        "instrument": codes.astype(np.uint32),
        "quantity": quantity,
        "entry_price": entry,
        "isolated_margin": margin,
        "leverage": leverage,
        "accrued_funding": funding,
        "risk_limit": limit,
        "instrument_names": names,
    }
    if spoiled:
        _spoil(random, columns, rows)
    for name in configuration.absent:
        columns.pop(name, None)
    if configuration.mode != "isolated":
        _open_accounts(random, configuration, columns, margin, rows)
    if len(names) > 5 and spoiled:
        marks[3], marks[4] = np.nan, -1.0
    return columns, marks


def _held(configuration: Configuration) -> list[str]:
    """Instruments of the policy; for cross accounts those that settle in the currency of the first."""
    table = configuration.policy.instruments
    names = list(table)
    if configuration.mode == "isolated":
        return names
    return [name for name in names if table[name].settlement == table[names[0]].settlement]


def _popular(random: np.random.Generator, instruments: int, rows: int) -> npt.NDArray[np.int64]:
    """Instruments in runs and mixed, since the kernel treats a run of one instrument in its own way."""
    # Not steeper, or few instruments would leave few legs an account, which holds each of them once.
    weights = 1.0 / np.sqrt(np.arange(1, instruments + 1))
    # The last is the instrument that nobody knows, the fourth and fifth have no valid mark: few rows each.
    weights[-1] = weights.sum() * 0.005
    weights[3:5] *= 0.02
    codes = random.choice(instruments, rows, p=weights / weights.sum())
    runs = np.sort(codes[: rows // 4])
    return np.concatenate((runs, codes[rows // 4 :]))


def _unit_values(policy: lc.MarginPolicy, names: list[str], marks: Floats) -> Floats:
    """Settlement currency for a dollar of value, roughly."""
    units = []
    for name, mark in zip(names, marks, strict=True):
        instrument = policy.instruments.get(name)
        payoff = "linear" if instrument is None else instrument.payoff
        units.append(1.0 / mark if payoff == "inverse" else 1e-6 if payoff == "quanto" else 1.0)
    return np.array(units)


def _typical_quantities(policy: lc.MarginPolicy, names: list[str], marks: Floats) -> Floats:
    """Contracts that are worth some 20,000 dollars."""
    quantities = []
    for name, mark in zip(names, marks, strict=True):
        instrument = policy.instruments.get(name)
        if instrument is None:
            quantities.append(20_000.0 / mark)
        elif instrument.payoff == "inverse":
            quantities.append(20_000.0 / instrument.contract_size)
        else:
            quantities.append(20_000.0 / (mark * instrument.contract_size))
    return np.array(quantities)


SPOILED: dict[str, tuple[tuple[float, float], ...]] = {
    # Value and its share of the rows.
    "quantity": (
        (0.0, 0.01),
        (-0.0, 0.001),
        (np.nan, 0.002),
        (np.inf, 0.001),
        (1e300, 0.001),
        (5e-324, 0.001),
    ),
    "entry_price": ((0.0, 0.002), (-1.0, 0.001), (np.nan, 0.002), (np.inf, 0.001), (1e-310, 0.0005)),
    "isolated_margin": ((np.nan, 0.1), (0.0, 0.002), (-5.0, 0.002), (np.inf, 0.001), (1e-320, 0.001)),
    "leverage": ((np.nan, 0.02), (0.0, 0.001), (-3.0, 0.001), (np.inf, 0.001)),
    "accrued_funding": ((np.nan, 0.001), (np.inf, 0.001), (-1e308, 0.0005)),
    "risk_limit": ((np.nan, 0.01), (0.0, 0.002), (-1.0, 0.001), (np.inf, 0.001)),
}


def _spoil(random: np.random.Generator, columns: Columns, rows: int) -> None:
    for name, values in SPOILED.items():
        for value, share in values:
            columns[name][random.integers(0, rows, int(rows * share))] = value


def _open_accounts(
    random: np.random.Generator, configuration: Configuration, columns: Columns, margin: Floats, rows: int
) -> None:
    """Accounts of up to about eight legs, no instrument twice, most with a wallet.

    Bad legs are gathered in few accounts, where an instrument may stand twice.
    """
    is_cross = np.full(rows, True) if configuration.mode == "cross" else random.random(rows) < 0.6
    spoiled = np.isin(columns["instrument"], (3, 4, len(columns["instrument_names"]) - 1))
    # What no cross leg is judged by fails none.
    for name in (SPOILED.keys() & columns.keys()) - {"isolated_margin"}:
        column = columns[name]
        spoiled |= ~np.isfinite(column) | (np.abs(column) > 1e290)
        if name == "entry_price":
            spoiled |= column <= 0.0
    # Nearly all of them share one account of a hundred.
    gathered = is_cross & spoiled & (random.random(rows) < 0.99)
    codes = columns["instrument"].astype(np.int64)
    count = max(1, rows // 8, int(np.bincount(codes[is_cross & ~gathered], minlength=1).max()))
    account = random.integers(0, count, rows)
    for code in np.unique(codes):
        legs = np.flatnonzero(is_cross & ~gathered & (codes == code))
        account[legs] = random.permutation(count)[: legs.size]
    account[gathered] = account[gathered] // 100 * 100
    columns["account"] = account
    columns["margin_mode"] = (
        np.where(is_cross, "cross", "isolated") if configuration.mode == "mixed" else "cross"
    )
    needed = np.bincount(account, weights=np.nan_to_num(margin, nan=0.0, posinf=0.0), minlength=count)
    ids = np.flatnonzero(random.random(count) > 0.01)
    wallets = needed[ids] * np.exp(random.normal(0.3, 1.0, ids.size))
    wallets = np.where(random.random(ids.size) < 0.005, -wallets, wallets)
    wallets[random.random(ids.size) < 0.002] = np.inf
    wallets[random.random(ids.size) < 0.002] = np.nan
    if configuration.together:
        order = np.argsort(account, kind="stable")
        for name, column in columns.items():
            if isinstance(column, np.ndarray):
                columns[name] = column[order]
    columns["accounts"], columns["wallet_balance"] = ids, wallets


def book_of(columns: Columns, rows: npt.NDArray[Any] | slice | None = None) -> lc.PositionBook:
    """Book of all rows of the columns, or of some."""
    if rows is None:
        return lc.PositionBook(**columns)
    whole = ("instrument_names", "policy_names", "accounts", "wallet_balance")
    chosen = {
        name: column if name in whole or isinstance(column, str) else column[rows]
        for name, column in columns.items()
    }
    return lc.PositionBook(**chosen)
