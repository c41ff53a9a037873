"""Calls of public entry points that work, each argument given: what tests replace, or look at."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import polars as pl

import levcore as lc

__all__ = ["BOOK", "CROSS", "ENGINE", "GOOD", "GUARD", "MARKS", "POLICY", "RISK"]

POLICY = lc.policy("binance-usdm@2024-10-24")
ENGINE = lc.Engine(POLICY)
BOOK = lc.PositionBook(
    ["BTCUSDT", "ETHUSDT"], [0.5, -4.0], [6e4, 3e3], isolated_margin=[3e3, 1.2e3], leverage=[10.0, 10.0]
)
CROSS = lc.PositionBook(
    ["BTCUSDT", "ETHUSDT"],
    [0.5, -4.0],
    [6e4, 3e3],
    account=["ann", "ann"],
    margin_mode="cross",
    wallet_balance={"ann": 5e3},
    leverage=[10.0, 10.0],
)
MARKS = {"BTCUSDT": 61_000.0, "ETHUSDT": 3_050.0}
RISK = ENGINE.evaluate(BOOK, MARKS)
CLOSING = lc.Engine(
    POLICY.replace(
        close_out_step="whole",
        close_out_fee_rate=0.001,
        close_out_remainder="fund",
        close_out_payers=("fund",),
        close_out_guard_band=0.5,
        close_out_before=(),
    )
)
REPLAYED = lc.Engine(CLOSING.policy.replace(close_out_guard_band=0.0))
GUARD = lc.Guard(means=MARKS)
CHANGES = lc.Changes("order", row=[0, 1], quantity=[2.0, -1.0], price=[6e4, 3e3])
ORDERS = lc.Orders(account=["ann"], instrument=["BTCUSDT"], quantity=[1.0], price=[6e4])
BATCH = pl.DataFrame(
    {
        "instrument": ["BTCUSDT"],
        "quantity": [1.0],
        "entry_price": [6e4],
        "leverage": [5.0],
        "isolated_margin": [1.2e4],
        "margin_mode": ["isolated"],
    }
)
PRICES = {
    "time": [0.0, 0.0, 1.0, 1.0, 2.0, 2.0],
    "instrument": ["BTCUSDT", "ETHUSDT"] * 3,
    "price": [6e4, 3e3, 5e4, 3.5e3, 4e4, 4e3],
}

GOOD: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "PositionBook": (
        lc.PositionBook,
        {
            "instrument": ["BTCUSDT", "ETHUSDT"],
            "quantity": [0.5, -4.0],
            "entry_price": [6e4, 3e3],
            "isolated_margin": [3e3, 1.2e3],
            "leverage": [10.0, 10.0],
            "accrued_funding": [0.0, 0.0],
            "risk_limit": [1e5, 1e5],
            "margin_mode": "isolated",
            "account": ["ann", "bob"],
            "accounts": ["ann", "bob"],
            "wallet_balance": [1.0, 2.0],
            "position_mode": "one_way",
            "policy": None,
        },
    ),
    "Balances": (lc.Balances, {"account": ["ann"], "asset": ["BTC"], "balance": [1.0], "liability": [0.0]}),
    "Engine": (lc.Engine, {"policy": POLICY, "threads": 1, "instruction_set": None}),
    "evaluate": (ENGINE.evaluate, {"book": BOOK, "marks": MARKS, "measures": None, "threads": 1}),
    "policy": (lc.policy, {"name": "binance-usdm"}),
    "replace": (
        POLICY.replace,
        {
            "closing_fee_rate": 0.0005,
            "closing_fee_basis": "price",
            "liquidation_level": 1.0,
            "warning_level": 0.8,
            "hedge_requirement": "sum",
            "covered_share": 0.0,
            "trader_owes": "yes",
        },
    ),
    "with_instruments": (POLICY.with_instruments, {"instruments": []}),
    "single_rate": (lc.TierTable.single_rate, {"rate": "0.01"}),
    "marginal": (lc.TierTable.marginal, {"rows": [(0, "0.01")], "unit": "quote", "cap": None}),
    "Instrument": (
        lc.Instrument,
        {
            "name": "X",
            "payoff": "linear",
            "tiers": lc.TierTable.single_rate("0.01"),
            "contract_size": 1.0,
            "multiplier": 1.0,
            "tick_size": 0.1,
            "funding_rate": 0.0,
        },
    ),
    "distance": (lc.distance, {"engine": ENGINE, "book": CROSS, "marks": MARKS, "betas": None}),
    "quantities_to_close": (lc.quantities_to_close, {"engine": ENGINE, "book": CROSS, "marks": MARKS}),
    "explain": (lc.explain, {"engine": ENGINE, "book": BOOK, "marks": MARKS, "row": 0}),
    "compare": (lc.compare, {"book": BOOK, "policies": {"one": POLICY}, "marks": MARKS}),
    "report": (lc.report, {"result": RISK, "top": 5}),
    "leg_costs": (lc.leg_costs, {"engine": ENGINE, "book": CROSS, "marks": MARKS}),
    "concentration": (lc.concentration, {"risk": RISK}),
    "close_out": (
        lc.close_out,
        {
            "engine": CLOSING,
            "book": BOOK,
            "marks": MARKS,
            "fills": MARKS,
            "row_fills": [math.nan, 2_000.0],
            "slippage": 5.0,
            "trigger": "mark",
            "guard": GUARD,
            "cooling": [False, False],
            "priced_by": "mark",
            "fund": 1e6,
            "other_money": {"ann": 1.0},
            "quantum": 1e-4,
            "lot": 1e-4,
            "seed": 1,
        },
    ),
    "cascade": (
        lc.cascade,
        {
            "engine": CLOSING,
            "book": BOOK,
            "instrument": "BTCUSDT",
            "price": 50_000.0,
            "impact": lc.Impact.linear(0.1, 1e3),
            "marks": MARKS,
            "direction": "down",
            "lot": 1e-4,
        },
    ),
    "variants": (
        lc.variants,
        {
            "book": BOOK,
            "policy": POLICY,
            "at_most": (5.0,),
            "sizes_of": (0.5,),
            "isolated": True,
            "stops": (0.1,),
            "widest": (0.5,),
        },
    ),
    "outcomes": (
        lc.outcomes,
        {"engine": CLOSING, "variants": lc.variants(BOOK, POLICY), "marks": MARKS, "guard": GUARD},
    ),
    "close_loans": (
        lc.close_loans,
        {
            "policy": lc.policy("aave-v3"),
            "debt": [9e3],
            "collateral": [1e4],
            "health_factor": [0.9],
            "bonus": [0.05],
            "total_debt": [9e3],
            "total_collateral": [1e4],
            "fee": 0.1,
            "quantum": 1e-4,
        },
    ),
    "stress": (
        lc.stress,
        {
            "engine": ENGINE,
            "book": CROSS,
            "marks": MARKS,
            "shocks": {"BTCUSDT": [-0.1, 0.1], "ETHUSDT": [-0.2, 0.0]},
            "others": 0.0,
            "exact": False,
            "threads": 1,
        },
    ),
    "stress by factors": (
        lc.stress,
        {
            "engine": ENGINE,
            "book": CROSS,
            "marks": MARKS,
            "shocks": {"market": [-0.1, 0.1]},
            "betas": {"BTCUSDT": {"market": 1.0}},
            "others": 0.0,
        },
    ),
    "reverse_stress": (
        lc.reverse_stress,
        {"engine": ENGINE, "book": CROSS, "marks": MARKS, "share": 0.1, "others": 1.0, "currency": "USDT"},
    ),
    "replay": (
        lc.replay,
        {
            "engine": REPLAYED,
            "book": BOOK,
            "prices": PRICES,
            "fund": 1e6,
            "funding": {"time": [1.0], "instrument": ["BTCUSDT"], "rate": [1e-4]},
            "delisted": {"ETHUSDT": 2.0},
            "path": "low_first",
            "gaps": "refuse",
            "slippage": 5.0,
            "quantum": 1e-4,
            "lot": 1e-4,
            "seed": 1,
            "stop_after": 2,
        },
    ),
    "ladder": (
        lc.ladder,
        {
            "engine": ENGINE,
            "book": BOOK,
            "instrument": "BTCUSDT",
            "prices": [5e4],
            "marks": MARKS,
            "quantum": 1e-4,
        },
    ),
    "TriggerIndex": (lc.TriggerIndex, {"engine": ENGINE, "book": CROSS, "marks": MARKS}),
    "ticks": (
        lambda **ticks: lc.TriggerIndex(ENGINE, CROSS, MARKS).ticks(**ticks),
        {"instruments": ["BTCUSDT"], "prices": [5e4]},
    ),
    "live": (lc.live, {"engine": ENGINE, "book": CROSS, "marks": MARKS, "levels": ("liquidation",)}),
    "what_if": (
        lc.what_if,
        {
            "engine": ENGINE,
            "book": CROSS,
            "marks": MARKS,
            "changes": CHANGES,
            "sequence": False,
            "tables": (),
            "reducing": "share",
            "before": True,
            "measures": ("equity",),
            "threads": 1,
        },
    ),
    "Changes": (lc.Changes, {"kind": "order", "row": [0, 1], "quantity": [2.0, -1.0], "price": [6e4, 3e3]}),
    "order_margin": (lc.order_margin, {"engine": ENGINE, "book": CROSS, "marks": MARKS, "orders": ORDERS}),
    "Orders": (
        lc.Orders,
        {"account": ["ann"], "instrument": ["BTCUSDT"], "quantity": [1.0], "price": [6e4]},
    ),
    "against": (
        lc.against,
        {
            "risk": RISK,
            "frame": {"theirs": [5e4, 3e3]},
            "columns": {"theirs": "liquidation_price"},
            "tolerance": 1e-9,
        },
    ),
    "positions_from_fills": (
        lc.positions_from_fills,
        {
            "instruments": POLICY,
            "instrument": ["BTCUSDT"],
            "quantity": [1.0],
            "price": [6e4],
            "fee": [1.0],
            "time": [1],
            "account": ["ann"],
            "marks": MARKS,
            "threads": 1,
        },
    ),
    "reconcile": (
        lc.reconcile,
        {
            "positions": [],
            "source": "binance",
            "policy": POLICY,
            "rules": {},
            "tiers": {},
            "account": None,
            "wallet_balance": {"USDT": 1.0},
            "margin_mode": "isolated",
        },
    ),
    "evaluate_batches": (
        lambda **options: [*lc.evaluate_batches(ENGINE, **options)],
        {
            "batches": [BATCH],
            "marks": MARKS,
            "accounts": "sorted",
            "position_mode": "one_way",
            "rows": 10,
        },
    ),
    "with_rules": (lc.with_rules, {"policies": [POLICY], "rules": {"closing_fee_rate": 0.0}}),
    "Fund": (lc.Fund, {"balance": 1e6, "floor": 1.0, "largest_value": 1e5}),
    "fund_under": (lc.Fund.under, {"rules": lc.fund_rules("Bybit"), "balance": 1.0, "peak": 2.0}),
    "fund_rules": (lc.fund_rules, {"venue": "Binance", "on": "2020-01-01"}),
    "Guard": (lc.Guard, {"halted": ["BTCUSDT"], "ages": {"BTCUSDT": 1.0}, "oldest": 60.0}),
    "guarded": (
        lambda **guard: lc.close_out(CLOSING, BOOK, MARKS, guard=lc.Guard(**guard)),
        {"means": MARKS, "halted": ["ETHUSDT"], "ages": {"BTCUSDT": 1.0}, "oldest": 60.0},
    ),
    "linear": (lc.Impact.linear, {"coefficient": 0.1, "depth": 1e3}),
    "levels": (lc.Impact.levels, {"distance": [0.1], "size": [1e3]}),
    "plan": (
        lc.plan,
        {
            "symbol": "BTCUSDT",
            "side": "long",
            "size": 0.5,
            "entry": 6e4,
            "leverage": 10.0,
            "policies": "binance-usdm",
        },
    ),
}
