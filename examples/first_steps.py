"""Two isolated positions: what they are worth, how safe they are, and how the numbers came about."""

import levcore as lc

book = lc.PositionBook(
    instrument=["BTCUSDT", "ETHUSDT"],
    quantity=[0.5, -4.0],  # signed: long 0.5 BTC, short 4 ETH
    entry_price=[60_000.0, 3_000.0],
    isolated_margin=[3_000.0, 1_200.0],
    leverage=[10.0, 10.0],
)
engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
risk = engine.evaluate(book, {"BTCUSDT": 57_000.0, "ETHUSDT": 3_050.0})

for row in range(len(book)):
    print(
        f"{book.name_of(row)}: PnL {risk.unrealized_pnl[row]:,.2f}, "
        f"margin ratio {risk.margin_ratio[row]:.1%}, "
        f"liquidation at {risk.liquidation_price[row]:,.2f}, "
        f"{risk.distance_to_liquidation[row]:.1%} away: {lc.State(risk.state[row]).phrase}"
    )

# Missing data is never zero: without a mark the row fails, visibly, and the other one is not touched.
without_eth = engine.evaluate(book, {"BTCUSDT": 57_000.0})
for failure in without_eth.failures():
    print(f"row {failure.row}: {failure.status.describe()}")
