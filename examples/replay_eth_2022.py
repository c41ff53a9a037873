"""ETH, 2022-06-10 to 2022-06-19: 100,000 generated loans and positions, one book under seven rules.

The prices are five-minute *spot* prices, used as marks. A loan on ETH at a threshold of 82.5 % is a long
position with a maintenance rate of 17.5 %: equity is collateral less debt, and it is liquidated where
the debt is 82.5 % of the collateral. The threshold and the bonus of 5 %, here the fee of the close-out,
are assumed. A call closes half of a loan, as the policy `aave-v3` has it, and all of one that is far
below its threshold. Venues stand with the table of Binance of 2022-04-16.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import levcore as lc
from crash import counterfactuals, isolated, policies, read, replays, told, write

parser = argparse.ArgumentParser(description="Replay ETH of June 2022.")
parser.add_argument("--report", type=Path, metavar="FILE.html", help="write the report too")
options = parser.parse_args()

eth = read("eth_2022-06.csv.gz", "ETHUSDT", "2022-06-09T12:00")
FIRST = 144  # 2022-06-10T00:00; positions were entered in the twelve hours before
columns = isolated([eth], FIRST, value=2_000.0)
# A loan has no short side, and a leverage below 1 / 17.5 %.
columns["quantity"] = np.abs(columns["quantity"])
columns["leverage"] = np.clip(columns["leverage"] / 3.0, 1.1, 4.0)
prices, book = eth.table(FIRST), lc.PositionBook(**columns)
interest = float((np.abs(book.quantity) * eth.bars[FIRST, 0]).sum())
arguments: dict[str, Any] = {"fund": 0.0001 * interest}

loan = lc.Instrument("ETHUSDT", "linear", tiers=lc.TierTable.single_rate(0.175))
HALVES = ("step", "share", "next", "whole_level")
halves = {f"close_out_{rule}": getattr(lc.policy("aave-v3"), f"close_out_{rule}") for rule in HALVES}
lending = (
    lc.policy("unprotected")
    .replace(close_out_fee_rate=0.05, trader_owes="no", close_out_payers=(), close_out_remainder="trader")
    .replace(**halves)
    .with_instruments([loan])
)
chosen = {"a loan at 82.5 %, bonus 5 %": lending} | policies("binance-usdm@2022-04-16", ["ETHUSDT"])
found = replays(chosen, book, prices, **(arguments | {"path": "both"}))
told("ETH 2022-06-10..19, a fund of 0.01 % of the open interest", found)
first = next(iter(found.values()))
other = first.other
assert other is not None
shares = [f"{each.totals()['share']:.2%}" for each in (other, first)]
print("liquidated with the high before the low {}, the other way {}".format(*shares))
told("counterfactuals of the loans", counterfactuals(first.policy, book, prices, **arguments))
fall = eth.bars[FIRST:, 2].min() / eth.bars[FIRST, 0] - 1
FACTS = [("ETH fell from 1,790 to 881 within the nine days", f"{fall:.1%}", "the prices")]
if options.report:
    notes = [
        (__doc__ or "").replace("\n", " ").strip(),
        "The loans are generated; the fund has 0.01 % of their value.",
    ]
    write(found, options.report, "Replay: ETH, June 2022", FACTS, notes)
