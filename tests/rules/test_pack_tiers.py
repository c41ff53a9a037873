"""The packer: what it writes into the archive, and what it refuses to write."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from levcore.rules.bundles import parse_bundle

RAW_BINANCE = """{"_meta": {"date": "2030-01-01", "source": "somewhere", "commit": "abc",
"columns": ["notional_floor", "notional_cap", "maint_margin_rate", "max_leverage", "maint_amount_cum"]},
"B/USDT:USDT": [["0", "5E3", "0.0100", "25", "0"], ["5000", "9223372036854775807", "0.025", "20", "%s"]],
"A/USDT:USDT": [["0", "5000", "0.01", "25", "0"], ["5000", "9223372036854775807", "0.025", "20", "75"]]}"""


def pack(folder: Path, raw: str) -> subprocess.CompletedProcess[str]:
    (folder / "raw.json").write_text(raw, encoding="utf-8")
    script = Path(__file__).parents[2] / "tools" / "pack_tiers.py"
    command = [sys.executable, str(script), str(folder / "raw.json"), "--out", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_packer_shares_equal_tables_and_refuses_wrong_ones(tmp_path: Path) -> None:
    assert pack(tmp_path, RAW_BINANCE % "75").returncode == 0
    path = tmp_path / "instruments" / "binance-usdm-2030-01-01.txt"
    text = path.read_text(encoding="utf-8")
    assert text.endswith(
        "[tables]\n0 0.01 25 0; 5000 0.025 20 75 | -\n[instruments]\nAUSDT USDT 1\nBUSDT USDT 1\n"
    )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    sums = (tmp_path / "instruments" / "SHA256SUMS").read_text(encoding="utf-8")
    assert sums == f"{digest}  {path.name}\n"
    refused = pack(tmp_path, RAW_BINANCE % "75.000000001")
    assert refused.returncode != 0
    assert "BUSDT, tier 2: the deduction must be 75" in refused.stderr
    assert path.read_text(encoding="utf-8") == text


def raw_okx(**changes: Any) -> str:
    """A file of another venue: three tiers with the gap of a lot, and the rule for more."""
    columns = ("floor", "cap", "rate", "initial_rate", "max_leverage")
    printed = [(0, 100, 0.01, 0.02, 50), (100.5, 200, 0.02, 0.04, 25), (200.5, 300, 0.03, 0.05, 20)]
    tiers = [dict(zip(columns, row, strict=True)) for row in printed]
    for place, change in changes.pop("tiers", {}).items():
        tiers[place] |= change
    step = {"from_tier": 2, "size": 100, "rate": 0.01, "initial_rate": 0.01, "last_initial_rate": 0.07}
    row = {"contract_size": 2, "payoff": "linear", "settlement": "USDT", "tick": None, "size_step": 0.5}
    row |= {"step": step | changes.pop("step", {}), "complete": False, "tiers": tiers}
    raw = {"venue": "okx", "product": "swap", "as_of": "2030-01-01", "unit": "contracts", "source": "s"}
    return json.dumps(raw | {"notes": "n", "instruments": {"A-USDT-SWAP": row}} | changes)


def test_the_packer_closes_gaps_of_a_lot_and_keeps_the_rule_for_more(tmp_path: Path) -> None:
    packed = pack(tmp_path, raw_okx())
    assert packed.returncode == 0, packed.stderr
    text = (tmp_path / "instruments" / "okx-linear-swap-2030-01-01.txt").read_text(encoding="utf-8")
    assert "100 0.02 0.04" in text
    assert "| 300 + 100 0.01 0.01 0.07" in text
    tiers = parse_bundle("okx-linear-swap-2030-01-01", text).tiers("A-USDT-SWAP")
    assert tiers.floors == (0.0, 100.0, 200.0, 300.0, 400.0)
    assert tiers.rates == (0.01, 0.02, 0.03, 0.04, 0.05)
    assert tiers.cap == 500.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tiers": {1: {"floor": 101.7}}}, "tier 2: the floor must be the cap below"),
        ({"tiers": {1: {"rate": 0.01}}}, "tier 2: the rate must rise"),
        ({"tiers": {0: {"floor": 1}}}, "tier 1: the first floor must be 0"),
        ({"tiers": {2: {"max_leverage": 30}}}, "tier 3: leverage times initial rate must be 1"),
        ({"tiers": {2: {"initial_rate": 0.03, "max_leverage": 33}}}, "initial rate must be above the rate"),
        ({"tiers": {0: {"rate": 1.5}}}, "tier 1: the rate must be a fraction"),
        ({"step": {"size": 90}}, "does not follow the step"),
        ({"step": {"rate": 0.02}}, "does not follow the step"),
    ],
)
def test_the_packer_refuses_what_breaks_a_rule(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    refused = pack(tmp_path, raw_okx(**changes))
    assert refused.returncode != 0
    assert message in refused.stderr
    assert not list(tmp_path.glob("instruments/*.txt"))
