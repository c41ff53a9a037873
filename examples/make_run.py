"""What `make run` shows: a real account against its venue, then a million positions against the clock.

Writes two reports to out/. Takes about ten seconds; ``--rows`` makes the generated book smaller or larger.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import levcore as lc
from levcore.files.instruments import read_instruments
from levcore.files.positions import Positions, read_accounts, read_positions
from levcore.reports.text import text_table
from levcore.samples import generate

DATA = Path(__file__).parent / "data" / "hyperliquid_account_2026-01-14"
ROWS = 1_000_000
SAMPLE_ROWS = 20_000
CALLS = 5


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description="Score a real account and a generated book.")
    parser.add_argument("--rows", type=int, default=ROWS, help="positions of the generated book")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parents[1] / "out", help="folder of the reports"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    real_account(options.out)
    generated_book(options.rows, options.out)


def real_account(out: Path) -> None:
    """Score the real account and set our numbers beside the venue's."""
    positions = read_positions(DATA / "positions.csv")
    book = positions.book(read_accounts(DATA / "accounts.csv"))
    policy = lc.policy("hyperliquid").with_instruments(read_instruments(DATA / "instruments.csv"))
    risk = lc.Engine(policy).evaluate(book, positions.marks)

    print("1. A real Hyperliquid account of 2026-01-14 (examples/data/README.md)\n")
    print_liquidation_prices(positions, risk)
    venue = json.loads((DATA / "venue.json").read_text(encoding="utf-8"))
    isolated = ~book.is_cross
    compared = (
        ("account value, cross", float(risk.accounts.equity[0]), venue["cross_account_value"]),
        (
            "account value, all",
            float(risk.accounts.equity[0] + risk.equity[isolated].sum()),
            venue["account_value"],
        ),
        (
            "maintenance margin, cross",
            float(risk.accounts.maintenance_margin[0]),
            venue["cross_maintenance_margin"],
        ),
    )
    rows = [(name, f"{ours:,.6f}", f"{float(theirs):,.6f}") for name, ours, theirs in compared]
    print("\n" + text_table(("USDC", "levcore", "venue"), rows))
    report = lc.report(
        risk, out / "hyperliquid_account.html", title="Risk report: Hyperliquid account of 2026-01-14"
    )
    print(f"\nreport: {report}\n")


def print_liquidation_prices(positions: Positions, risk: lc.BookRisk) -> None:
    """Print liquidation prices, ours and the venue's, with their relative difference."""
    rows: list[tuple[str, str, str, str, str]] = []
    for row, text in enumerate(positions.columns.kept.values("venue_liquidation_price")):
        ours = float(risk.liquidation_price[row])
        difference = "" if text is None else f"{abs(ours / float(text) - 1):.1e}"
        rows.append(
            (
                risk.book.name_of(row),
                "cross" if risk.book.is_cross[row] else "isolated",
                "none" if np.isnan(ours) else f"{ours:.10g}",
                "none" if text is None else f"{float(text):.10g}",
                difference,
            )
        )
    headers = ("instrument", "mode", "liquidation price", "venue's", "relative difference")
    print(text_table(headers, rows, left=2))


def generated_book(rows: int, out: Path) -> None:
    """Score a generated book over real tier tables, time it, and check a sample against the reference."""
    policy = lc.policy("binance-usdm")
    # One currency, since an account of that venue's single-asset mode holds one.
    instruments = {name: one for name, one in policy.instruments.items() if one.settlement == "USDT"}
    tiers = sum(len(one.tiers) for one in instruments.values())
    book, marks = generate.book(rows, instruments, seed=2026, margin_mode="mixed", order="by_account")
    engine = lc.Engine(policy)

    print(f"2. {rows:,} generated positions, cross and isolated, in {len(book.account_ids):,} accounts")
    print(f"   over {len(instruments):,} real tier tables ({tiers:,} tiers, {policy.id})")
    print(f"   on {os.cpu_count()} CPUs\n")
    fresh = best_of(lambda: engine.evaluate(book, marks))
    risk = engine.evaluate(book, marks)
    reused = best_of(lambda: engine.evaluate(book, marks, out=risk))
    sample, sample_rows = whole_accounts(book, min(SAMPLE_ROWS, rows))
    start = time.perf_counter()
    reference = lc.reference.evaluate(sample, policy, marks)
    reference_seconds = (time.perf_counter() - start) / len(sample) * rows
    lines = [
        timing("engine.evaluate, fresh outputs", fresh, rows, reference_seconds),
        timing("engine.evaluate, out= reused", reused, rows, reference_seconds),
        timing("pure-Python reference, extrapolated", reference_seconds, rows, reference_seconds),
    ]
    print(text_table((f"all 11 measures, best of {CALLS}", "seconds", "ns/position", "times faster"), lines))
    print(f"   The reference was timed on {len(sample):,} of the positions and extrapolated.\n")
    check_same_bits(risk, reference, sample_rows)

    start = time.perf_counter()
    report = lc.report(risk, out / "generated_book.html", title=f"Risk report: {rows:,} generated positions")
    print(f"\nreport: {report} ({report.stat().st_size:,} bytes, {time.perf_counter() - start:.2f} s)")


def best_of(call: Callable[[], object]) -> float:
    """Seconds of the fastest of some calls."""
    seconds: list[float] = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def timing(name: str, seconds: float, rows: int, reference_seconds: float) -> tuple[str, str, str, str]:
    """Line of the table of timings."""
    return name, f"{seconds:.4f}", f"{seconds / rows * 1e9:,.1f}", f"{reference_seconds / seconds:,.0f}"


def whole_accounts(book: lc.PositionBook, about: int) -> tuple[lc.PositionBook, slice]:
    """First accounts of a book ordered by account, as a book of their own, and their rows."""
    account = np.asarray(book.account, np.int64)
    # An account cut in two would be another account: end where the next one begins.
    stop = int(np.searchsorted(account, account[about - 1], side="right"))
    rows = slice(0, stop)
    accounts = int(account[stop - 1]) + 1
    assert book.isolated_margin is not None
    assert book.leverage is not None
    sample = lc.PositionBook(
        instrument=book.instrument_codes[rows],
        instrument_names=book.instrument_names,
        quantity=book.quantity[rows],
        entry_price=book.entry_price[rows],
        account=account[rows],
        margin_mode=np.where(book.is_cross[rows], "cross", "isolated"),
        isolated_margin=book.isolated_margin[rows],
        leverage=book.leverage[rows],
        accounts=book.account_ids[:accounts],
        wallet_balance=book.wallet_balance[:accounts],
    )
    return sample, rows


def check_same_bits(risk: lc.BookRisk, reference: lc.BookRisk, rows: slice) -> None:
    """Compare the sample with the same rows of the whole book, NaN and signs of zero included."""
    for name, expected in reference.to_dict().items():
        found = np.ascontiguousarray(risk[name][rows])
        if found.tobytes() != np.ascontiguousarray(expected).tobytes():
            row = next(row for row in range(len(expected)) if found[row].tobytes() != expected[row].tobytes())
            message = f"{name} of row {row}: engine {found[row]!r}, reference {expected[row]!r}"
            raise SystemExit(f"engine and reference differ: {message}")
    print(f"   Engine and reference agree bit for bit on these {len(reference):,} positions.")


if __name__ == "__main__":
    main()
