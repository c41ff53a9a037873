"""The cascade of 2025-10-10: 100,000 generated positions in BTC and ETH under six policies.

A tenth of them stand in cross accounts of two. The prices are five-minute bars of Binance's perpetual
contracts, last prices used as marks. The tier table is Binance's of 2024-10-24, the last one before that
day that is bundled; the other policies stand with it borrowed. Mark is not last: the mark of the coin-
margined BTC contract, one minute a bar, is replayed beside the last price of the same hours. How much
a liquidation closes at a time is each venue's own rule where it states one, else everything.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import levcore as lc
from crash import (
    Prices,
    counterfactuals,
    isolated,
    joined,
    policies,
    read,
    replays,
    told,
    with_accounts,
    write,
)

parser = argparse.ArgumentParser(description="Replay the cascade of 2025-10-10.")
parser.add_argument("--report", type=Path, metavar="FILE.html", help="write the report too")
options = parser.parse_args()

START = "2025-10-09T12:00"
btc = read("btc_2025-10.csv.gz", "BTCUSDT", START)
eth = read("eth_2025-10.csv.gz", "ETHUSDT", START)
FIRST = 288  # 2025-10-10T12:00; positions were entered in the day before


prices = joined([btc.table(FIRST), eth.table(FIRST)])
book = lc.PositionBook(**with_accounts(isolated([btc, eth], FIRST, value=1_000.0)))
first_price = {each.name: each.bars[FIRST, 0] for each in (btc, eth)}
names = np.array(book.instrument_names)[book.instrument_codes]
interest = float((np.abs(book.quantity) * np.array([first_price[name] for name in names])).sum())
arguments: dict[str, Any] = {"fund": 0.0001 * interest}

chosen = policies("binance-usdm@2024-10-24", ["BTCUSDT", "ETHUSDT"])
found = replays(chosen, book, prices, **(arguments | {"path": "both"}))
told("2025-10-10, a fund of 0.01 % of the open interest", found)
first = next(iter(found.values()))
other = first.other
assert other is not None
shares = [f"{each.totals()['share']:.2%}" for each in (other, first)]
print("liquidated with the high before the low {}, the other way {}".format(*shares))
told("counterfactuals under " + first.policy.id, counterfactuals(first.policy, book, prices, **arguments))

# The mark of the coin-margined contract and the last price of the other, from noon to midnight, on BTC alone.
mark = read("btc_mark_2025-10.csv.gz", "BTCUSDT", "2025-10-10T12:00")
day = Prices("BTCUSDT", btc.time[: FIRST + 144], btc.bars[: FIRST + 144])
alone = lc.PositionBook(**isolated([btc], FIRST, value=1_000.0))
engine = lc.Engine(first.policy)
by_mark = lc.replay(engine, alone, mark.table(0), **arguments)
by_last = lc.replay(engine, alone, day.table(FIRST), **arguments)
told("BTC from noon to midnight", {"by the mark, one minute": by_mark, "by the last price, five": by_last})

e = first.events
closed = e.time[e.kind == 0]
busiest = np.unique(closed, return_counts=True)[1].max() / closed.size
FACTS = [
    (
        "Hyperliquid: 63,637 liquidations and 34,983 deleveragings, 0.55 of one for each",
        f"{(e.kind == 1).sum() / max(closed.size, 1):.2f} of one",
        "HyperMultiAssetedADL@79bad0f, a replay of 3.2 M events",
    ),
    (
        "its busiest second holds 11,279 of the 63,637, 18 %",
        f"{busiest:.0%} in the busiest five minutes",
        "the same",
    ),
]
for stated, here, source in FACTS:
    print(f"{stated}: here {here} ({source})")
if options.report:
    notes = [
        (__doc__ or "").replace("\n", " ").strip(),
        "The positions are generated; the fund has 0.01 % of their value.",
    ]
    write(found, options.report, "Replay: the cascade of 2025-10-10", FACTS, notes)
