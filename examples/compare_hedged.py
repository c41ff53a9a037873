"""Hedged accounts on several assets under the rules of five venues' accounts, and one that cannot hold them.

Instruments, tiers and most weights are the same for all: the rules are compared. What no source states, the
fees, the rules for hedged legs and the loan rates, is stated here.
"""

import argparse
import csv
from pathlib import Path

import levcore as lc
from levcore.files import read_positions

DATA = Path(__file__).parent / "data" / "hedged_multi_asset"
LOANS = lc.TierTable.single_rate(0.05)
ASSETS = [
    lc.Asset("USDT", weights=(0.9999,), liability_tiers=LOANS),
    lc.Asset("USDC", weights=(0.9999,), liability_tiers=LOANS),
    lc.Asset("BTC", weights=(0.95,), liability_tiers=LOANS),
]
# The more of it, the less the next coin counts.
TIERED_BTC = lc.Asset("BTC", (0.95, 0.8, 0.5), (0.0, 150_000.0, 250_000.0), liability_tiers=LOANS)

parser = argparse.ArgumentParser(description="Compare the rules of venues on hedged accounts.")
parser.add_argument("--report", type=Path, metavar="FILE.html", help="write the report too")
options = parser.parse_args()


def read(name: str) -> dict[str, list[str]]:
    """Columns of a file of the example."""
    with open(DATA / name, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {column: [row[column] for row in rows] for column in rows[0]}


def numbers(texts: list[str]) -> list[float]:
    """Cells as numbers."""
    return [float(text) for text in texts]


held = read("balances.csv")
balances = lc.Balances(
    held["account"],
    held["asset"],
    numbers(held["balance"]),
    liability=numbers(held["liability"]),
    interest=numbers(held["interest"]),
)
legs = read("positions.csv")
book = lc.PositionBook(
    legs["instrument"],
    numbers(legs["quantity"]),
    numbers(legs["entry_price"]),
    account=legs["account"],
    margin_mode=legs["margin_mode"],
    leverage=numbers(legs["leverage"]),
    position_mode="hedge",
    balances=balances,
)
prices = read("asset_prices.csv")

comparison = lc.compare(
    book,
    {
        "binance-usdm-multi-assets": lc.policy("binance-usdm-multi-assets").with_assets(ASSETS),
        "binance-portfolio-margin": "binance-portfolio-margin",
        "okx-multi-currency": lc.policy("okx-multi-currency")
        .replace(closing_fee_rate=0.0005, hedge_requirement="sum")
        .with_assets([TIERED_BTC]),
        "bybit-unified": lc.policy("bybit-unified").replace(
            closing_fee_rate=0.00055, hedge_requirement="larger_leg"
        ),
        # Legs net, and only what is uncovered asks for margin.
        "house rules": lc.policy("generic")
        .replace(liabilities_count_as="negative_equity", hedge_requirement="covered")
        .with_assets([TIERED_BTC]),
        # An account of this mode is one wallet: it refuses, and the others answer.
        "binance-usdm": "binance-usdm",
    },
    read_positions(DATA / "positions.csv").marks,
    instruments={
        name: dict(lc.InstrumentTable.from_csv(DATA / "instruments.csv"))
        for name in ("binance-usdm-multi-assets",)
    },
    tiers_from="binance-usdm-multi-assets",
    assets_from="binance-usdm-multi-assets",
    asset_prices=dict(zip(prices["asset"], numbers(prices["price"]), strict=True)),
)
print(comparison.text(name="hedged accounts on several assets", top=3))

place = book.account_ids.index("basis")
for label in comparison.answers:
    fall, rise = (comparison.account_table(f"distance_{side}")[label][place] for side in ("lower", "upper"))
    ends = [f"{move:+.1%}" for move in (fall, rise) if move == move]
    print(f"basis under {label}: liquidated by a move of all prices of {' or '.join(ends)}")
if options.report:
    print("report:", comparison.report(options.report, name="hedged accounts on several assets"))
