"""Hedged accounts on several assets under the rules of five venues' accounts, and one that cannot hold them.

Instruments, tiers and most weights are the same for all: the rules are compared. What no source states, the
fees, the rules for hedged legs and the loan rates, is stated here.
"""

import argparse
import dataclasses
from pathlib import Path

import levcore as lc
from levcore.files.balances import read_asset_prices, read_assets, read_balances
from levcore.files.instruments import read_instruments
from levcore.files.positions import read_positions

DATA = Path(__file__).parent / "data" / "hedged_multi_asset"

parser = argparse.ArgumentParser(description="Compare the rules of venues on hedged accounts.")
parser.add_argument("--report", type=Path, metavar="FILE.html", help="write the report too")
options = parser.parse_args()

positions = read_positions(DATA / "positions.csv")
book = positions.book(balances=read_balances(DATA / "balances.csv"), position_mode="hedge")
assets = {asset.name: asset for asset in read_assets(DATA / "assets.csv")}
# The more of it an account has, the less the next coin counts.
tiered = dataclasses.replace(assets["BTC"], weights=(0.95, 0.8, 0.5), floors=(0.0, 150_000.0, 250_000.0))

comparison = lc.compare(
    book,
    {
        "binance-usdm-multi-assets": lc.policy("binance-usdm-multi-assets")
        .with_instruments(read_instruments(DATA / "instruments.csv"))
        .with_assets(assets.values()),
        "binance-portfolio-margin": "binance-portfolio-margin",
        "okx-multi-currency": lc.policy("okx-multi-currency")
        .replace(closing_fee_rate=0.0005, hedge_requirement="sum")
        .with_assets([tiered]),
        "bybit-unified": lc.policy("bybit-unified").replace(
            closing_fee_rate=0.00055, hedge_requirement="larger_leg"
        ),
        # Legs net, and only what is uncovered asks for margin.
        "house rules": lc.policy("generic")
        .replace(liabilities_count_as="negative_equity", hedge_requirement="covered")
        .with_assets([tiered]),
        # An account of this mode is one wallet: it refuses, and the others answer.
        "binance-usdm": "binance-usdm",
    },
    positions.marks,
    tiers_from="binance-usdm-multi-assets",
    assets_from="binance-usdm-multi-assets",
    asset_prices=read_asset_prices(DATA / "asset_prices.csv"),
)
TITLE = "Comparison of policies: hedged accounts on several assets"
print(lc.report(comparison, title=TITLE, top=3))

place = book.account_ids.index("basis")
for label in comparison.answers:
    fall, rise = (comparison.account_table(f"distance_{side}")[label][place] for side in ("lower", "upper"))
    ends = [f"{move:+.1%}" for move in (fall, rise) if move == move]
    print(f"basis under {label}: liquidated by a move of all prices of {' or '.join(ends)}")
page: Path | None = options.report
if page:
    print("report:", lc.report(comparison, page, title=TITLE))
