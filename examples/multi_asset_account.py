"""An account that holds several assets: what counts, what moves together, and how far prices may fall.

The account is in Binance's multi-assets mode: its currency is USD, and an asset counts at one less its bid
buffer. Those used here are of 2021-05-28; for decisions read yours from ``GET /fapi/v1/assetIndex``.
"""

import dataclasses

import levcore as lc

contracts = lc.policy("binance-usdm@2022-05-21").instruments
policy = (
    lc.policy("binance-usdm-multi-assets@2022-07-06")
    .with_assets([lc.Asset("USDT", (0.9999,)), lc.Asset("BTC", (0.95,)), lc.Asset("ETH", (0.95,))])
    .with_instruments(contracts[f"{coin}USDT"] for coin in ("BTC", "ETH"))
)
book = lc.PositionBook(
    instrument=["BTCUSDT", "BTCUSDT", "ETHUSDT"],
    quantity=[3.0, -1.0, 20.0],
    entry_price=[20_000.0, 21_000.0, 1_100.0],
    account=["ann", "ann", "ann"],
    margin_mode="cross",
    leverage=[20.0, 20.0, 10.0],
    position_mode="hedge",
    balances=lc.Balances(["ann"] * 3, ["USDT", "BTC", "ETH"], [2_000.0, 0.5, 4.0]),
)
engine = lc.Engine(policy)
marks = {"BTCUSDT": 20_500.0, "ETHUSDT": 1_150.0}
prices = {"USDT": 1.0, "BTC": 20_500.0, "ETH": 1_150.0}
risk = engine.evaluate(book, marks, asset_prices=prices)

account = risk.accounts
print(f"equity {account.equity[0]:,.2f} USD, of it {account.surplus[0]:,.2f} more than liquidates")
print(f"ratio {account.margin_ratio[0]:.2%}, {lc.State(account.state[0]).phrase}")
print(f"room for new positions: {account.free_margin[0]:,.2f} ({'yes' if account.may_add_risk[0] else 'no'})")

held = risk.balances
for row, asset in enumerate(["USDT", "BTC", "ETH"]):
    print(
        f"{asset:5} {held.equity[row]:>10,.2f} worth {held.market_value[row]:>10,.2f}, "
        f"counted {held.collateral_value[row]:>10,.2f}, liquidates at "
        f"{held.liquidation_price_lower[row]:,.2f} and {held.liquidation_price_upper[row]:,.2f}"
    )
for row in range(len(book)):
    print(
        f"{book.name_of(row)} {book.quantity[row]:+g}: liquidated at "
        f"{risk.liquidation_price_lower[row]:,.2f} and {risk.liquidation_price_upper[row]:,.2f}"
    )

# The price of a leg moves the BTC that is held as well. Without the underlying it would stand still.
still = policy.with_instruments(
    dataclasses.replace(contracts[name], underlying="") for name in ("BTCUSDT", "ETHUSDT")
)
alone = lc.Engine(still).evaluate(book, marks, asset_prices=prices)
print(f"BTCUSDT alone, the collateral standing still: {alone.liquidation_price_lower[0]:,.2f}")

# All prices fall together, ETH half as fast again as BTC.
move = lc.distance(engine, book, marks, {"BTC": 1.0, "ETH": 1.5}, asset_prices=prices)
print(
    f"together: liquidated once BTC has moved by {move.lower[0]:+.2%} and ETH by {1.5 * move.lower[0]:+.2%}"
)
