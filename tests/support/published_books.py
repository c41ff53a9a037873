"""Books and policies of published cases, as their files give them."""

import math
from pathlib import Path
from typing import Any

import levcore as lc
from levcore.book.balances import Balances
from levcore.files.instruments import read_instruments
from levcore.files.positions import read_accounts, read_positions
from levcore.rules.assets import Asset

ACCOUNTS = Path(__file__).parents[2] / "examples" / "data"


def policy_of(run: dict[str, Any], rules: lc.MarginPolicy | None = None) -> lc.MarginPolicy:
    """Policy of a run, or `rules`, with what the caller states and the instruments of the case."""
    policy = (rules or lc.policy(run["policy"])).replace(**run.get("stated", {}))
    if "account" in run:
        return policy.with_instruments(read_instruments(ACCOUNTS / run["account"] / "instruments.csv"))
    instruments = [instrument_of(*each) for each in run.get("instruments", {}).items()]
    assets = [asset_of(*each) for each in run.get("assets", {}).items()]
    return policy.with_instruments(instruments).with_assets(assets)


def instrument_of(name: str, facts: dict[str, Any]) -> lc.Instrument:
    """Instrument of a case."""
    given = {key: value for key, value in facts.items() if key not in ("shape", "unit", "tiers", "minimum")}
    for table in ("short_tiers", "initial_tiers"):
        if table in given:
            given[table] = table_of(given[table])
    return lc.Instrument(name=name, tiers=table_of(facts), **given)


def asset_of(name: str, facts: dict[str, Any]) -> Asset:
    """Collateral asset of a case."""
    given = dict(facts)
    for key in ("weights", "floors"):
        if key in given:
            given[key] = tuple(given[key])
    for table in ("liability_tiers", "liability_initial_tiers"):
        if table in given:
            given[table] = table_of(given[table])
    return Asset(name=name, **given)


def table_of(facts: dict[str, Any]) -> lc.TierTable:
    """Tier table of a case, not below its ``minimum`` where it has one."""
    table = plain_table_of(facts)
    return table.with_minimum(facts["minimum"]) if "minimum" in facts else table


def plain_table_of(facts: dict[str, Any]) -> lc.TierTable:
    """Tier table of a case; missing deductions are derived, a growing one has its rate and slope as tiers."""
    if facts.get("shape") == "half_of_initial_rate":
        return lc.TierTable.half_of_initial_rate(facts["tiers"])
    if facts.get("shape") == "per_unit":
        return lc.TierTable.per_unit(facts["tiers"])
    if facts.get("shape") == "growing":
        return lc.TierTable.growing(*facts["tiers"], unit=facts["unit"])
    build = lc.TierTable.flat if facts.get("shape") == "flat" else lc.TierTable.marginal
    return build(facts["tiers"], unit=facts["unit"])


def book_of(run: dict[str, Any]) -> tuple[lc.PositionBook, Any]:
    """Book and marks of a run."""
    if "account" in run:
        folder = ACCOUNTS / run["account"]
        positions = read_positions(folder / "positions.csv")
        return positions.book(read_accounts(folder / "accounts.csv")), positions.marks
    rows = run.get("positions", [])
    optional: dict[str, Any] = {
        name: [row.get(name, math.nan) for row in rows]
        for name in ("isolated_margin", "leverage", "risk_limit")
        if any(name in row for row in rows)
    }
    if any("accrued_funding" in row for row in rows):
        optional["accrued_funding"] = [row.get("accrued_funding", 0.0) for row in rows]
    book = lc.PositionBook(
        instrument=[row["instrument"] for row in rows],
        quantity=[row["quantity"] for row in rows],
        entry_price=[row["entry_price"] for row in rows],
        account=[row.get("account", "account") for row in rows],
        margin_mode=[row["margin_mode"] for row in rows],
        wallet_balance=wallets_of(run),
        position_mode=run.get("position_mode", "one_way"),
        balances=balances_of(run),
        **optional,
    )
    return book, run.get("marks", {})


def wallets_of(run: dict[str, Any]) -> dict[str, float] | None:
    """Balances by account; a plain number is of the one account of the run."""
    given = run.get("wallet_balance")
    return {"account": given} if isinstance(given, (int, float)) else given


def balances_of(run: dict[str, Any]) -> Balances | None:
    """What the accounts of a run hold and owe in several assets."""
    rows = run.get("balances")
    if rows is None:
        return None
    return Balances(
        account=[row.get("account", "account") for row in rows],
        asset=[row["asset"] for row in rows],
        balance=[row["balance"] for row in rows],
        liability=[row.get("liability", 0.0) for row in rows],
        interest=[row.get("interest", 0.0) for row in rows],
    )
