"""A policy of the caller's own, from a file: in Python and wherever a command takes a name."""

from __future__ import annotations

from pathlib import Path

import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.errors import FileFormatError, UnknownPolicyError
from levcore.files.policies import read_policy
from levcore.rules.policy_files import FOLDER


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    text = (FOLDER / "generic.toml").read_text(encoding="utf-8").replace('"generic"', '"my-desk"')
    text = text.replace("liquidation_level = 1.0", "margin_call_level = 0.8\nliquidation_level = 1.0")
    path = tmp_path / "my-desk.toml"
    path.write_text(
        text.replace('instruments = ""', 'instruments = "binance-usdm-2024-10-24"'), encoding="utf-8"
    )
    return path


def test_a_file_gives_its_rules_and_the_newest_version(desk: Path) -> None:
    policy = read_policy(desk)
    assert (policy.name, policy.margin_call_level) == ("my-desk", 0.8)
    assert policy.instruments.date_of("BTCUSDT") == "2024-10-24"
    bundled = read_policy(FOLDER / "hyperliquid.toml")
    assert bundled == lc.policy("hyperliquid")
    assert read_policy(FOLDER / "hyperliquid.toml", as_of="2023") == lc.policy("hyperliquid@2023")
    with pytest.raises(UnknownPolicyError, match="has no such date"):
        read_policy(FOLDER / "hyperliquid.toml", as_of="2022")


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    for content in (b"rules = [", b"\xff\xfe\xfd"):
        path.write_bytes(content)
        with pytest.raises(FileFormatError, match="must be TOML in UTF-8"):
            read_policy(path)
    path.write_text("nothing = 1\n")
    with pytest.raises(lc.PolicyError):
        read_policy(path)


def test_commands_take_a_file_where_they_take_a_name(
    desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    positions = tmp_path / "positions.csv"
    positions.write_text(
        "instrument,quantity,entry_price,margin_mode,mark_price,leverage,isolated_margin\n"
        "BTCUSDT,0.5,60000,isolated,54260,10,3000\n"
    )
    # 0.4 % of 27,130 over an equity of 130 is 83.5 %: above the desk's level of its margin call.
    assert main(["score", str(positions), f"--policy={desk}"]) == 2
    assert "1 of 1 accounts and isolated positions is in margin call or worse" in capsys.readouterr().out
    assert main(["compare", str(positions), f"--policies=binance-usdm,{desk}", "--format=json"]) in (0, 2)
    assert '"my-desk"' in capsys.readouterr().out
    plan = ["plan", "BTCUSDT", "long", "0.5", "--entry=60000", "--leverage=10", f"--policies={desk}"]
    assert main(plan) == 0
    assert "margin call at 54,271.36" in capsys.readouterr().out
    assert main([*plan, "--set=my-desk.margin_call_level=0.5"]) == 0
    assert "margin call at 54,435.48" in capsys.readouterr().out


def test_a_table_of_ones_own_takes_the_place_of_the_bundled_one_in_any_spelling() -> None:
    table = lc.policy("binance-usdm").instruments
    mine = lc.Instrument("BTC/USDT:USDT", "linear", lc.TierTable.single_rate("0.02"), settlement="USDT")
    both = table.with_instruments([mine])
    assert len(both) == len(table)
    for spelling in ("BTCUSDT", "BTC/USDT:USDT", "btc-usdt"):
        assert both[spelling].tiers == mine.tiers
        assert not both.is_bundled(spelling)
    policy = lc.policy("binance-usdm").with_instruments([mine])
    book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0])
    risk = lc.Engine(policy).evaluate(book, {"BTCUSDT": 60_000.0})
    assert risk.maintenance_margin.tolist() == [600.0]
    # Another payoff is another contract, and two of the caller's stay two.
    inverse = lc.Instrument("BTC/USDT:USDT", "inverse", lc.TierTable.single_rate("0.02"), settlement="USDT")
    assert len(table.with_instruments([inverse])) == len(table) + 1
    plain = lc.Instrument("BTCUSDT", "linear", lc.TierTable.single_rate("0.03"), settlement="USDT")
    two = table.with_instruments([mine, plain])
    assert (two["BTCUSDT"].tiers, two["BTC/USDT:USDT"].tiers) == (plain.tiers, mine.tiers)
