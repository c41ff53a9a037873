"""A real cross account, read from files: its margin, and how far each price is from liquidating it."""

from pathlib import Path

import numpy as np

import levcore as lc
from levcore.files.instruments import read_instruments
from levcore.files.positions import read_accounts, read_positions

DATA = Path(__file__).parent / "data" / "hyperliquid_account_2026-01-14"

positions = read_positions(DATA / "positions.csv")
book = positions.book(read_accounts(DATA / "accounts.csv"))
policy = lc.policy("hyperliquid").with_instruments(read_instruments(DATA / "instruments.csv"))
marks = positions.marks

risk = lc.Engine(policy).evaluate(book, marks)
account = risk.accounts
print(f"equity {account.equity[0]:,.2f}, maintenance margin {account.maintenance_margin[0]:,.2f}")
print(f"margin ratio {account.margin_ratio[0]:.2%}, {lc.State(account.state[0]).phrase}")

# In a cross account the liquidation price of a leg is the price at which *the account* is liquidated while
# all other marks stay. A leg small beside the account may have none: its distance is infinite.
for row in np.argsort(risk.distance_to_liquidation)[:5].tolist():
    distance = risk.distance_to_liquidation[row]
    print(f"{book.name_of(row)}: {risk.liquidation_price[row]:,.4f}, {distance:.0%} away")

# What a fall of every price by 20 % does to the account.
fallen = lc.Engine(policy).evaluate(book, {name: 0.8 * mark for name, mark in marks.items()})
print(f"after a fall of 20 %: equity {fallen.accounts.equity[0]:,.2f}")
