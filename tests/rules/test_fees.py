"""Fees: dated lines with their source, chosen by name and never assumed."""

from pathlib import Path

import pytest

import levcore as lc
from levcore.cli.main import main
from levcore.errors import FileFormatError, InputError, UnknownRuleError
from levcore.rules import fees as module
from levcore.rules.fees import read_fees, regular_fees

# The newest line of the lowest account tier: taker, its tier, its date, whether the source is another's.
REGULAR = {
    "bybit-linear": (0.00055, "non-VIP", "2024-07-31", True),
    "okx-linear-swap": (0.0005, "regular user Lv1", "2026-10-23", True),
    "okx-inverse-swap": (0.0005, "regular user Lv1", "2026-10-23", True),
    "mexc-linear": (0.0004, "regular user", "2025-08-03", False),
    "gate-perpetual": (0.0005, "VIP 0", "2026-10-23", True),
    "bitget-linear": (0.0006, "regular user", "2026-09-25", False),
}


def test_every_line_is_read_and_none_stands_twice() -> None:
    lines = read_fees()
    assert len(lines) == 42
    assert len({(line.schedule, line.as_of, line.tier) for line in lines}) == len(lines)
    assert len({line.schedule.split("-")[0] for line in lines}) == 15
    assert all(line.source and line.as_of[:2] == "20" for line in lines)
    secondary = {line.schedule for line in lines if line.secondary}
    assert "bybit-inverse" in secondary  # its source is that of another line
    assert all("(secondary)" not in line.source for line in lines)


@pytest.mark.parametrize("name", REGULAR)
def test_the_regular_fee_is_that_of_the_lowest_account_tier(name: str) -> None:
    taker, tier, as_of, secondary = REGULAR[name]
    policy = lc.policy(name)
    with pytest.raises(UnknownRuleError) as caught:
        lc.Engine(policy)
    remedy = f"choose it with policy.with_fees('regular') ({taker:g}, {tier}, {as_of}"
    assert caught.value.expected.startswith(remedy + (", secondary)" if secondary else ")"))
    chosen = policy.with_fees("regular")
    assert chosen.closing_fee_rate == taker
    assert chosen.fees is not None
    assert (chosen.fees.taker, chosen.fees.tier, chosen.fees.as_of) == (taker, tier, as_of)
    assert chosen.fees.secondary == secondary
    assert chosen.rests_on["closing_fee_rate"] == f"[caller] chosen with policy.with_fees: {chosen.fees}"
    assert "closing_fee_rate" not in chosen.unknown
    assert policy.fees is None


def test_a_fee_that_a_policy_states_stays() -> None:
    binance = lc.policy("binance-usdm").with_fees()
    assert binance.closing_fee_rate == 0.0
    assert binance.fees is not None
    assert binance.fees.taker == 0.0005
    mine = lc.policy("bybit-linear").replace(closing_fee_rate=0.001).with_fees()
    assert mine.closing_fee_rate == 0.001
    # KuCoin's reserve depends on the position; no fee of the account is it.
    kucoin = lc.policy("kucoin-linear").with_fees()
    with pytest.raises(UnknownRuleError) as caught:
        kucoin.known("closing_fee_rate")
    assert "with_fees" not in caught.value.expected


def test_fees_of_a_date() -> None:
    old = lc.policy("binance-usdm").with_fees(as_of="2023-05-11")
    assert old.fees is not None
    assert old.fees.taker == 0.0004
    for wrong in ("2023-05-12", "2021-07-21", ""):  # 2021-07-21 holds a liquidation fee and no account's
        with pytest.raises(InputError, match="2023-05-11"):
            lc.policy("binance-usdm").with_fees(as_of=wrong)


def test_what_is_not_bundled_is_refused() -> None:
    with pytest.raises(UnknownRuleError, match="no fees of this product are bundled"):
        lc.policy("htx-linear").with_fees()
    with pytest.raises(InputError, match="must be an account tier that is bundled"):
        lc.policy("bybit-linear").with_fees("vip")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a schedule that is bundled"):
        regular_fees("nowhere")


def test_liquidation_fees_by_contract() -> None:
    mexc = lc.policy("mexc-linear").instruments.facts("BTC/USDT:USDT")
    assert mexc is not None
    assert (mexc.taker, mexc.maker, mexc.liquidation_fee) == (0.0004, 0.0001, 0.0004)
    coinm = lc.policy("binance-coinm").instruments.facts("BTCUSD_PERP")
    assert coinm is not None
    assert (coinm.liquidation_fee, coinm.contract_size) == (0.015, 100.0)


@pytest.mark.parametrize(
    "line",
    [
        "a | 2026-01-01 | t | 0 | 0.5 | - | venue | s",  # percent where a fraction is due
        "a | 2026-01-01 | t | 0 | 0.0005 | - | hearsay | s",
        "a | 2026-01-01 | t | 0",
        "a | 2026-01-01 | t | nan | 0.0005 | - | venue | s",
        "a | 2026-01-01 | t | 0 | 0.0005 | - | venue | s | n | more",
    ],
)
def test_a_wrong_line_is_refused(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fees.txt"
    path.write_text(f"# head\n{line}\n", encoding="utf-8")
    monkeypatch.setattr(module, "fees_file", lambda: path)
    with pytest.raises(FileFormatError) as caught:
        read_fees.__wrapped__()
    assert caught.value.line == 2


def test_the_command_line_chooses_fees_and_prints_their_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "positions.csv"
    header = "instrument,quantity,entry_price,mark_price,margin_mode,isolated_margin,leverage"
    path.write_text(f"{header}\nBTC-USDT,0.5,60000,61000,isolated,3000,10\n", encoding="utf-8")
    assert main(["score", str(path), "--policy=bybit-linear"]) == 1
    assert (
        "--fees regular (0.00055, non-VIP, 2024-07-31, secondary), or --set closing_fee_rate=VALUE"
        in capsys.readouterr().err
    )
    assert main(["score", str(path), "--policy=bybit-linear", "--fees=regular", "--format=csv"]) == 0
    captured = capsys.readouterr()
    assert "54208.6" in captured.out
    assert "taker 0.00055, maker 0.0002; non-VIP, as of 2024-07-31; secondary source: " in captured.err
    policies = "--policies=binance-usdm@2024-10-24,bybit-linear"
    assert main(["compare", str(path), policies, "--fees=regular", "--format=json"]) == 0
    assert "secondary source" in capsys.readouterr().err
