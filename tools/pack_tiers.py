"""Convert raw bulk tier tables to the bundled form of ``levcore.instrument_bundles``.

    python tools/pack_tiers.py RAW.json [RAW.json ...] --out python/levcore/rules/data/instruments

A raw file is ``{"_meta": {date, source, commit, columns}, symbol: [[tier columns as text] ...]}``, Binance
USD-M. The packer refuses a table whose deductions do not continue exactly.
"""

import argparse
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from levcore.rules.instruments import plain_symbol
from levcore.rules.tiers import TierTable

RAW_COLUMNS = ["notional_floor", "notional_cap", "maint_margin_rate", "max_leverage", "maint_amount_cum"]
HEADER = """\
# Market facts: leverage tiers as the venue published them, in a form of our own.
# The form is described in levcore/instrument_bundles.py; tools/pack_tiers.py wrote this file.
as_of = {date}
source = Binance USD-M leverage brackets as recorded by {source}
payoff = linear
contract_size = 1
unit = quote
tier = floor rate max_leverage deduction
"""
# Dated and index contracts stand in the older files without a slash: DOTECOUSDT, BTCBUSD_210129.
QUOTES = ("USDT", "BUSD", "USDC")


def decimal_text(text: str) -> str:
    """Plain decimal of `text`, without exponent or trailing zeros."""
    plain = format(Decimal(text), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def settlement_of(symbol: str) -> str:
    """Settlement currency of a raw symbol; linear contracts settle in their quote currency."""
    if "/" in symbol:
        return symbol.split("/")[1].split(":")[0]
    for quote in QUOTES:
        if symbol.split("_")[0].endswith(quote):
            return quote
    raise SystemExit(f"{symbol}: settlement currency not recognised")


def check_exact(symbol: str, rows: list[list[str]]) -> None:
    """Refuse tiers that levcore would, and deductions that are not exactly continuous."""
    tiers = [(floor, rate, cum, leverage, cap) for floor, cap, rate, leverage, cum in rows]
    TierTable.marginal(tiers, unit="quote", instrument=symbol)
    expected = Fraction(0)
    previous = Fraction(rows[0][2])
    for number, (floor, _, rate, _, cum) in enumerate(rows, 1):
        expected += Fraction(floor) * (Fraction(rate) - previous)
        previous = Fraction(rate)
        if Fraction(cum) != expected:
            raise SystemExit(f"{symbol}, tier {number}: deduction {cum}, expected {expected}")


def table_line(rows: list[list[str]]) -> str:
    """Tiers and last cap as a line of the ``[tables]`` section."""
    cap = "-" if int(Decimal(rows[-1][1])) >= 2**63 - 1 else decimal_text(rows[-1][1])
    tiers = "; ".join(
        " ".join(map(decimal_text, (floor, rate, leverage, cum))) for floor, _, rate, leverage, cum in rows
    )
    return f"{tiers} | {cap}"


def pack(raw: dict[str, list[list[str]]], meta: dict[str, object]) -> str:
    """Text of the bundled file."""
    if meta["columns"] != RAW_COLUMNS:
        raise SystemExit(f"columns must be {RAW_COLUMNS}, found {meta['columns']}")
    numbers: dict[str, int] = {}
    instruments: dict[str, str] = {}
    for symbol, rows in sorted(raw.items(), key=lambda item: plain_symbol(item[0])):
        check_exact(symbol, rows)
        name = plain_symbol(symbol)
        if name in instruments:
            raise SystemExit(f"{symbol}: a second instrument named {name}")
        number = numbers.setdefault(table_line(rows), len(numbers) + 1)
        instruments[name] = f"{name} {settlement_of(symbol)} {number}"
    source = str(meta["source"])
    # Some sources name their version already.
    if str(meta["commit"]) not in source:
        source += f" @ {meta['commit']}"
    lines = [
        HEADER.format(date=meta["date"], source=source) + "[tables]",
        *numbers,
        "[instruments]",
        *instruments.values(),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Pack the files named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("raw", nargs="+", type=Path, help="raw tables")
    parser.add_argument("--out", required=True, type=Path, help="folder of the bundled tables")
    arguments = parser.parse_args()
    for path in arguments.raw:
        raw = json.loads(path.read_text(encoding="utf-8"))
        meta = raw.pop("_meta")
        target = arguments.out / f"binance-usdm-{meta['date']}.txt"
        target.write_text(pack(raw, meta), encoding="utf-8")


if __name__ == "__main__":
    main()
