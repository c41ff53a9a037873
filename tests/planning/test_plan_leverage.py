"""The maximum leverage of a plan is that of the tier it opens in, of the side that it is on."""

import levcore as lc


def test_a_short_is_held_to_its_own_table() -> None:
    tiers = lc.TierTable.marginal([(0, "0.01", None, 50)], unit="quote")
    short = lc.TierTable.marginal([(0, "0.02", None, 20)], unit="quote")
    instrument = lc.Instrument("BTCUSDT", "linear", tiers, settlement="USDT", short_tiers=short)
    policy = lc.policy("generic").with_instruments([instrument])
    highest = {
        side: lc.plan("BTCUSDT", side, 0.5, entry=100.0, leverage=5.0, policies=policy).first.maximum_leverage
        for side in ("long", "short")
    }
    assert highest == {"long": 50.0, "short": 20.0}
