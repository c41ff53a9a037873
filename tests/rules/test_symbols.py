"""Symbols: every spelling of a contract finds it, and no other one does."""

import doctest
import json
import pickle
from pathlib import Path

import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.errors import UnknownInstrumentError
from levcore.rules import symbols
from levcore.rules.policy_files import FOLDER
from levcore.rules.symbols import base_of

SINGLE = lc.TierTable.single_rate("0.01")
SPELLINGS = ("BTC-USDT-SWAP", "BTC/USDT:USDT", "BTCUSDT", "BTC_USDT", "btc-usdt", "btcusdt", "Btc/Usdt")
TRADING_VIEW = ("BTCUSDT.P", "btcusdt.p", "BINANCE:BTCUSDT", "BYBIT:BTCUSDT.P")
NAMES = {
    "binance-usdm": "BTCUSDT",
    "bybit-linear": "BTCUSDT",
    "okx-linear-swap": "BTC-USDT-SWAP",
    "mexc-linear": "BTC_USDT",
    "gate-perpetual": "BTC_USDT",
    "bitget-linear": "BTCUSDT",
    "kucoin-linear": "XBTUSDTM",
    "bitmex": "XBTUSDT",
}


def test_documented_examples() -> None:
    assert doctest.testmod(symbols).failed == 0


@pytest.mark.parametrize("policy", NAMES)
@pytest.mark.parametrize("spelling", [*SPELLINGS, *TRADING_VIEW])
def test_every_spelling_finds_the_contract(policy: str, spelling: str) -> None:
    table = lc.policy(policy).instruments
    assert table[spelling].name == NAMES[policy]
    assert table[spelling] is not None
    assert table[spelling].underlying == "BTC"
    assert spelling in table
    assert table.is_bundled(spelling)


@pytest.mark.parametrize(
    ("policy", "spelling", "name"),
    [
        ("bybit-linear", "BTC/USDC:USDC", "BTCPERP"),
        ("bybit-linear", "BTC", None),  # the bare base is no contract where others have quotes
        ("hyperliquid", "BTC/USDC:USDC", "BTC"),
        ("hyperliquid", "kpepe", "kPEPE"),
        ("hyperliquid", "BTCUSDT", None),
        ("dydx-v4", "BTC/USD:USDC", "BTC-USD"),
        ("dydx-v4", "BTC/USD:BTC", None),  # an inverse contract is another one
        ("kraken-futures-multi-collateral", "BTC/USD:USD", "PF_XBTUSD"),
        ("kraken-futures-multi-collateral", "BTC/USD:BTC", None),
        ("kraken-futures-inverse", "BTC/USD:BTC", "PI_XBTUSD"),
        ("binance-usdm@2023-12-12", "BTC/USDT:USDT-231229", "BTCUSDT_231229"),
        ("binance-usdm", "BTC/USD:BTC", None),
        ("bitmex", "BITMEX:XBTUSD.P", "XBTUSD"),
        ("bybit-linear", "NASDAQ:BTCUSDT", None),  # no venue of contracts
        ("bybit-linear", "BTC.P", None),  # a class of shares, not a perpetual
        ("bybit-linear", "BYBIT:", None),
        ("hyperliquid", "xyz:GOLD", "xyz:GOLD"),
        ("hyperliquid", "OKX:GOLD", None),
    ],
)
def test_settlement_and_expiry_tell_contracts_apart(policy: str, spelling: str, name: str | None) -> None:
    assert lc.policy(policy).instruments.resolve(spelling) == name


def test_two_contracts_of_one_spelling_are_refused_by_name() -> None:
    table = lc.InstrumentTable([lc.Instrument(name, "linear", SINGLE) for name in ("A-USDT", "A_USDT")])
    assert table["A-USDT"].name == "A-USDT"
    with pytest.raises(UnknownInstrumentError, match="A-USDT, A_USDT, which are all spelled so"):
        table["AUSDT"]


def test_a_book_may_use_any_spelling() -> None:
    engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    columns = {"isolated_margin": [3_000.0], "leverage": [10.0]}
    prices = {
        float(
            engine.evaluate(
                lc.PositionBook([name], [0.5], [60_000.0], **columns),  # type: ignore[arg-type]
                {name: 61_000.0},
            ).liquidation_price[0]
        )
        for name in SPELLINGS
    }
    assert len(prices) == 1
    assert round(prices.pop(), 2) == 54216.87


@pytest.mark.parametrize(
    ("name", "settlement", "payoff", "base"),
    [
        ("BTCUSDT", "USDT", "linear", "BTC"),
        ("BTC-USD", "USDC", "linear", "BTC"),
        ("BTCPERP", "USDC", "linear", "BTC"),
        ("PF_XBTUSD", "USD", "linear", "BTC"),
        ("1000PEPE_USDT", "USDT", "linear", "1000PEPE"),
        ("XBTUSDTM", "USDT", "linear", "BTC"),
        ("BTC", "USDC", "linear", "BTC"),
        ("USDT", "USDT", "linear", "USDT"),
        ("BTCUSD_PERP", "BTC", "inverse", "BTC"),
        (
            "ETHFI_USDT",
            "USDT",
            "linear",
            "ETHFI",
        ),  # FI_ is a kind where a name begins alone
        ("PI_USDT", "USDT", "linear", "PI"),  # and before a pair alone
        ("XBTUSDTH23", "USDT", "linear", "BTC"),
    ],
)
def test_what_the_price_is_of(name: str, settlement: str, payoff: str, base: str) -> None:
    assert base_of(name, settlement, payoff) == base


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_no_name_of_the_archive_is_another_ones_nor_loses_its_beginning(path: Path) -> None:
    table = lc.policy(path.stem).instruments
    assert not {key: names for key, names in table._by_key().items() if len(names) > 1}
    for name in table:
        base = table[name].underlying
        for kind in ("PF_", "PI_", "FF_", "FI_", "XBT"):
            if name.startswith(kind) and path.stem.startswith(("kraken", "bitmex", "kucoin")):
                break
        else:
            assert not base or name.upper().startswith(base.upper()), name
            assert not base or base != table[name].settlement or table[name].payoff != "linear", name


def test_a_contract_in_another_currency_is_taken_when_asked_for_and_said() -> None:
    policy = lc.policy("hyperliquid")
    table = policy.instruments
    assert "BTCUSDT" not in table
    with pytest.raises(UnknownInstrumentError, match="with_stand_ins takes BTC, on the same base"):
        table["BTCUSDT"]
    taken = table.with_stand_ins(["BTCUSDT", "BTC", "NOSUCHUSDT", "ETH/USDT:USDT"])
    assert dict(taken.stand_ins) == {"BTCUSDT": "BTC", "ETH/USDT:USDT": "ETH"}
    assert taken["BTCUSDT"] == table["BTC"]
    assert taken.date_of("BTCUSDT") == table.date_of("BTC")
    assert taken.told("BTCUSDT") == "BTCUSDT is BTC here, settled in USDC"
    assert list(taken) == list(table)
    assert taken != table
    assert pickle.loads(pickle.dumps(taken)) == taken
    assert dict(taken.with_instruments([]).stand_ins) == dict(taken.stand_ins)
    # A symbol that says no currency may mean any; an inverse contract is another contract.
    assert not lc.policy("binance-usdm").instruments.with_stand_ins(["BTC"]).stand_ins
    assert not lc.policy("binance-coinm").instruments.with_stand_ins(["BTCUSDT"]).stand_ins


def test_commands_say_which_contract_they_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = "BTCUSDT is BTC here, settled in USDC"
    positions = tmp_path / "positions.csv"
    positions.write_text(
        "instrument,quantity,entry_price,margin_mode,mark_price,leverage,isolated_margin\n"
        "BTCUSDT,0.5,60000,isolated,61000,10,3000\n"
    )
    assert main(["score", str(positions), "--policy=hyperliquid", "--format=json"]) == 0
    captured = capsys.readouterr()
    assert f"{said}, on the same base; nothing is converted" in captured.err
    price = json.loads(captured.out)["positions"][0]["liquidation_price"]
    assert main(["compare", str(positions), "--policies=binance-usdm,hyperliquid", "--format=json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["policies"]["hyperliquid"]["in_another_currency"] == [said]
    assert found["policies"]["binance-usdm"]["in_another_currency"] == []
    assert found["positions"]["liquidation_price"]["hyperliquid"] == [price]
    assert main(["compare", str(positions), "--policies=binance-usdm,hyperliquid"]) == 0
    assert said in " ".join(capsys.readouterr().out.split())
    assert main(["tiers", "hyperliquid", "BTCUSDT"]) == 0
    assert capsys.readouterr().out.startswith(f"{said}: the contract on the same base\n")
    assert (
        main(["plan", "BTCUSDT", "long", "1", "--entry=60000", "--leverage=10", "--policies=hyperliquid"])
        == 0
    )
    assert said in capsys.readouterr().out
