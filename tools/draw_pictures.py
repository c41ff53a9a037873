"""Take the README's pictures anew: a trade's chart by matplotlib, the report of a real account in chromium.

python tools/draw_pictures.py
"""

import subprocess
import tempfile
from pathlib import Path

import levcore as lc
from levcore.files.instruments import read_instruments
from levcore.files.positions import read_accounts, read_positions

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "images"
DATA = ROOT / "examples" / "data" / "hyperliquid_account_2026-01-14"


def main() -> None:
    """Write both pictures."""
    PICTURES.mkdir(exist_ok=True)
    trade = lc.plan(
        "BTCUSDT", "long", 0.5, entry=60_000.0, leverage=10.0, fees="regular", policies="binance-usdm"
    )
    figure = trade.plot()
    figure.set_size_inches(9.0, 6.3)
    figure.savefig(PICTURES / "plan.png", dpi=80)

    positions = read_positions(DATA / "positions.csv")
    policy = lc.policy("hyperliquid").with_instruments(read_instruments(DATA / "instruments.csv"))
    risk = lc.Engine(policy).evaluate(positions.book(read_accounts(DATA / "accounts.csv")), positions.marks)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        lc.report(risk, page)
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=1100,770"]
        shot = f"--screenshot={PICTURES / 'report.png'}"
        subprocess.run(["chromium", *options, shot, page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    main()
