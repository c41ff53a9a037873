"""LUNA, 2022-05-07 to the halt of 2022-05-13: 100,000 generated positions under six policies.

The prices are one-minute *spot* prices, used as marks, and every position is filled at the first of them
past its trigger, whatever its size. The tier table of Binance of 2022-04-16 holds LUNAUSDT; the other
policies stand with it borrowed. At the halt the contract ends, and what is open is settled at its price.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import levcore as lc
from crash import counterfactuals, isolated, policies, read, replays, told, write

parser = argparse.ArgumentParser(description="Replay LUNA of May 2022.")
parser.add_argument("--report", type=Path, metavar="FILE.html", help="write the report too")
options = parser.parse_args()

luna = read("luna_2022-05.csv.gz", "LUNAUSDT", "2022-05-06T18:00")
FIRST = 360  # 2022-05-07T00:00; positions were entered in the six hours before
prices, book = luna.table(FIRST), lc.PositionBook(**isolated([luna], FIRST, value=500.0))
interest = float((np.abs(book.quantity) * luna.bars[FIRST, 0]).sum())
arguments: dict[str, Any] = {
    "fund": 0.0001 * interest,
    "delisted": {"LUNAUSDT": np.datetime64("2022-05-13T00:39")},
}

chosen = policies("binance-usdm@2022-04-16", ["LUNAUSDT"])
found = replays(chosen, book, prices, **(arguments | {"path": "both"}))
told("LUNA 2022-05-07..13, a fund of 0.01 % of the open interest", found)
first = next(iter(found.values()))
other = first.other
assert other is not None
shares = [f"{each.totals()['share']:.2%}" for each in (other, first)]
print("liquidated with the high before the low {}, the other way {}".format(*shares))
told("counterfactuals under " + first.policy.id, counterfactuals(first.policy, book, prices, **arguments))
longs = book.quantity > 0
gone = np.zeros(len(book), dtype=bool)
gone[first.events.row[first.events.kind == 0]] = True
FACTS = [
    (
        "LUNA fell from 77 to 0.00004 in the week, then was halted",
        f"{luna.bars[-1, 3]:.6f} at the halt",
        "the prices",
    ),
    ("no figure of liquidated shares was found", f"{gone[longs].mean():.1%} of the longs", ""),
]
print(f"longs liquidated {gone[longs].mean():.2%}, shorts {gone[~longs].mean():.2%}")
if options.report:
    notes = [
        (__doc__ or "").replace("\n", " ").strip(),
        "The positions are generated; the fund has 0.01 % of their value.",
    ]
    write(found, options.report, "Replay: LUNA, May 2022", FACTS, notes)
