"""Tables that do not fit a policy are refused on every way in, and those that do are not."""

from pathlib import Path

import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.comparison.comparison import Refusal
from levcore.errors import TierError
from levcore.rules.tiers import Unit

T = lc.TierTable
HEADER = "instrument,quantity,entry_price,mark_price,margin_mode,isolated_margin,leverage\n"
TIERS = "instrument,payoff,contract_size,floor,rate,unit,shape\n"


def instrument(tiers: lc.TierTable, **more: lc.TierTable) -> lc.Instrument:
    return lc.Instrument("X", "linear", tiers, settlement="USD", underlying="X", **more)  # type: ignore[arg-type]


def marginal(unit: Unit = "quote") -> lc.TierTable:
    return T.marginal([(0, "0.0065"), (6_500, "0.01")], unit=unit)


def flat(unit: Unit = "contracts") -> lc.TierTable:
    return T.flat([(0, "0.0065"), (6_500, "0.01")], unit=unit)


CAPPED = T.marginal([(0, "0.01")], unit="quote", cap=1_000_000)
WRONG = {
    # What was found in use: OKX tiers given as value, and levels under policies that know single rates.
    "okx by value": ("okx-linear-swap", instrument(marginal())),
    "kraken levels": ("kraken-futures-multi-collateral", instrument(marginal())),
    "kucoin levels": ("kucoin-linear", instrument(marginal())),
    # Others of the kind.
    "okx by risk limit": ("okx-linear-swap", instrument(flat("risk_limit"))),
    "okx first tier by value": ("okx-linear-swap", instrument(CAPPED)),
    "okx short tiers": ("okx-linear-swap", instrument(flat(), short_tiers=marginal())),
    "bybit by contracts": ("bybit-linear", instrument(flat())),
    "binance by contracts": ("binance-usdm", instrument(flat())),
    "binance by coin": ("binance-usdm", lc.Instrument("X", "inverse", marginal("base"))),
    "mexc levels": ("mexc-linear", instrument(flat())),
    "mexc by value": ("mexc-linear", instrument(marginal())),
    "bitmex by contracts": ("bitmex", instrument(flat())),
    "gate 2024 by value": ("gate-perpetual@2024-01-12", instrument(marginal())),
    "gate 2025 by risk limit": ("gate-perpetual@2025-07-29", instrument(flat("risk_limit"))),
    "deribit by value": ("deribit-standard-margin", instrument(marginal())),
    "binance growing": ("binance-usdm", instrument(T.growing("0.02", "0.000005"))),
    "kraken initial levels": (
        "kraken-futures-multi-collateral",
        instrument(T.single_rate("0.01"), initial_tiers=marginal()),
    ),
    "htx levels": ("htx-linear", instrument(flat())),
    "dydx levels": ("dydx-v4", instrument(marginal())),
}
RIGHT = {
    "okx": ("okx-linear-swap", instrument(flat())),
    "okx single rate": ("okx-linear-swap", instrument(T.single_rate("0.01"))),
    "kraken first level": ("kraken-futures-multi-collateral", instrument(CAPPED)),
    "mexc first level": (
        "mexc-linear",
        instrument(T.flat([(0, "0.004")], unit="contracts", cap=30_000)),
    ),
    "gate 2024": ("gate-perpetual@2024-01-12", instrument(flat("risk_limit"))),
    "gate 2025": ("gate-perpetual@2025-07-29", instrument(marginal())),
    "generic": ("generic", instrument(flat("risk_limit"))),
}


def stated(name: str) -> lc.MarginPolicy:
    """Policy with a fee where it leaves one open."""
    policy = lc.policy(name)
    return policy.replace(closing_fee_rate=0.0005) if policy.closing_fee_rate == "unknown" else policy


@pytest.mark.parametrize("case", WRONG)
def test_a_table_that_does_not_fit_is_refused_on_every_way_in(case: str) -> None:
    name, given = WRONG[case]
    policy = stated(name)
    ways = (
        policy.with_instruments([given]),
        policy.replace(instruments=lc.InstrumentTable([given])),
        policy.with_instruments(lc.InstrumentTable([given])),
    )
    book = lc.PositionBook(["X"], [1.0], [2.0], isolated_margin=[1.0], leverage=[2.0])
    for way in ways:
        with pytest.raises(TierError) as caught:
            lc.Engine(way)
        assert caught.value.instrument == "X"
        assert policy.id in str(caught.value)
        assert "policy.replace(table_shape='any')" in caught.value.expected
        with pytest.raises(TierError):
            lc.reference.evaluate(book, way, {"X": 2.0})
        with pytest.raises(TierError):
            lc.Engine([way])
        answer = lc.compare(book, {"one": way}, {"X": 2.0}).results["one"]
        assert isinstance(answer, Refusal)
    # In any order with other rules, a statement of the caller's holds.
    for way in (
        ways[0].replace(table_shape="any"),
        policy.replace(table_shape="any").with_instruments([given]),
    ):
        assert lc.Engine(way).policy.table_shape == "any"


@pytest.mark.parametrize("case", RIGHT)
def test_a_table_that_fits_is_taken(case: str) -> None:
    name, given = RIGHT[case]
    lc.Engine(stated(name).with_instruments([given]))


def test_the_refusal_gives_the_policy_s_own_reason() -> None:
    for case, reason in (
        ("okx by value", "tier by number of contracts"),
        ("kraken levels", "whether the rate of a level holds for the whole position"),
        ("mexc levels", "whether the rate of a risk-limit tier holds"),
    ):
        name, given = WRONG[case]
        with pytest.raises(TierError, match=reason):
            lc.Engine(stated(name).with_instruments([given]))


def test_borrowed_tables_of_another_shape_are_compared_and_own_ones_refused() -> None:
    book = lc.PositionBook(["X"], [1.0], [2.0], isolated_margin=[1.0], leverage=[2.0])
    lender = lc.policy("generic").with_instruments([instrument(marginal())])
    okx = stated("okx-linear-swap")
    both = lc.compare(book, {"okx": okx, "generic": lender}, {"X": 2.0}, tiers_from="generic")
    assert both.matches["okx"].misfits == ("X",)
    assert "own tables are flat, keyed by contracts" in " ".join(str(lc.report(both)).split())
    assert set(both.answers) == {"okx", "generic"}


@pytest.mark.parametrize(
    ("policy", "row", "tiers", "answer"),
    [
        ("okx-linear-swap", "X,6501,2,2,isolated,1300,10", "0,0.0065,quote,;6500,0.01,quote,", None),
        (
            "okx-linear-swap",
            "X,6501,2,2,isolated,1300,10",
            "0,0.0065,contracts,flat;6500,0.01,contracts,flat",
            "130.02",
        ),
        (
            "kraken-futures-multi-collateral",
            "X,15,1e5,1e5,isolated,1e5,15",
            "0,0.01,quote,;1000000,0.02,quote,",
            None,
        ),
    ],
)
def test_the_command_line_refuses_them(
    policy: str, row: str, tiers: str, answer: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    positions, instruments = tmp_path / "positions.csv", tmp_path / "instruments.csv"
    positions.write_text(f"{HEADER}{row}\n", encoding="utf-8")
    lines = "".join(f"X,linear,1,{tier}\n" for tier in tiers.split(";"))
    instruments.write_text(TIERS + lines, encoding="utf-8")
    command = ["score", str(positions), f"--instruments={instruments}", f"--policy={policy}", "--format=csv"]
    command += ["--set=closing_fee_rate=0.0005"] if policy.startswith("okx") else []
    assert main(command) == (1 if answer is None else 0)
    captured = capsys.readouterr()
    if answer is None:
        assert "does not fit" in captured.err
        assert not captured.out
    else:
        assert f",{answer}," in captured.out
