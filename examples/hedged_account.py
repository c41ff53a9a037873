"""A long and a short leg of one contract in one account: two liquidation prices, and what they ask for."""

from typing import Any

import levcore as lc

columns: dict[str, Any] = {
    "instrument": ["SOLUSDT", "SOLUSDT"],
    "quantity": [20_000.0, -18_500.0],
    "entry_price": [140.0, 140.0],
    "account": ["ann", "ann"],
    "margin_mode": "cross",
    "leverage": 10.0,
    "wallet_balance": {"ann": 120_000.0},
}
book = lc.PositionBook(**columns, position_mode="hedge")
policy = lc.policy("binance-usdm@2024-10-24")
engine = lc.Engine(policy)
marks = {"SOLUSDT": 140.0}
risk = engine.evaluate(book, marks)
lower, upper = float(risk.liquidation_price_lower[0]), float(risk.liquidation_price_upper[0])
print(f"margin {risk.accounts.maintenance_margin[0]:,.2f} of equity {risk.accounts.equity[0]:,.2f}")
print(f"liquidated at {lower:,.2f} and below, and at {upper:,.2f} and above")

# Below, the 1,500 SOL that are not covered lose; above, both legs climb into tiers that ask for more than the
# 1,500 gain. At both prices the account's margin ratio is 1.
for price in (lower, upper):
    there = engine.evaluate(book, {"SOLUSDT": price}).accounts
    print(
        f"at {price:,.2f}: equity {there.equity[0]:,.2f}, requirement {there.maintenance_margin[0]:,.2f}, "
        f"ratio {there.margin_ratio[0]:.6f}"
    )

# What hedged legs ask for together is a rule of the policy. Binance charges both; others do not.
for rule, share in (("sum", 0.0), ("larger_leg", 0.0), ("covered", 0.5), ("covered", 0.0)):
    other = lc.Engine(policy.replace(hedge_requirement=rule, covered_share=share)).evaluate(book, marks)
    name = rule if rule != "covered" else f"covered, {share:.0%} of it charged"
    print(
        f"{name:24} margin {other.accounts.maintenance_margin[0]:>9,.2f}, "
        f"prices {other.liquidation_price_lower[0]:.2f} and {other.liquidation_price_upper[0]:.2f}"
    )

# A book in one-way mode has one leg an instrument: two are a fault in the data, not a hedge.
for failure in engine.evaluate(lc.PositionBook(**columns), marks).failures():
    print(f"one-way, row {failure.row}: {failure.status.phrase}")
