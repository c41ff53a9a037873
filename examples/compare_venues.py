"""A real account under the rules of other venues: what each would ask, and when it would liquidate.

The tiers are those of the account's own venue for all of them: the rules are compared, not the tables.
"""

import argparse
from pathlib import Path

import levcore as lc
from levcore.comparison.compare import compare
from levcore.files.instruments import read_instruments
from levcore.files.positions import read_accounts, read_positions

DATA = Path(__file__).parent / "data" / "hyperliquid_account_2026-01-14"

parser = argparse.ArgumentParser(description="Compare the rules of venues on one account.")
parser.add_argument("--report", type=Path, metavar="FILE.html", help="write the report too")
options = parser.parse_args()

positions = read_positions(DATA / "positions.csv")
book = positions.book(read_accounts(DATA / "accounts.csv"))
own_table = read_instruments(DATA / "instruments.csv")

comparison = compare(
    book,
    {
        "hyperliquid": lc.policy("hyperliquid").with_instruments(own_table),
        "binance-usdm": "binance-usdm",
        # What a venue charges for closing depends on the client: it is stated here, not known to levcore.
        "bybit-linear": lc.policy("bybit-linear").replace(closing_fee_rate=0.00055),
        "okx-linear-swap": lc.policy("okx-linear-swap").replace(closing_fee_rate=0.0005),
        # And without it, a policy refuses rather than guesses.
        "mexc-linear": "mexc-linear",
    },
    positions.marks,
    tiers_from="hyperliquid",
)
TITLE = "Comparison of policies: a Hyperliquid account"
print(lc.report(comparison, title=TITLE, top=3))

earliest = {label: int(first.sum()) for label, first in comparison.liquidates_first.items()}
print("positions that each policy liquidates first:", earliest)
page: Path | None = options.report
if page:
    print("report:", lc.report(comparison, page, title=TITLE))
