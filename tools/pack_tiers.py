"""Write venue data into the archive: ``python/levcore/rules/data/instruments`` and ``data/fees.txt``.

    python tools/pack_tiers.py RAW.json [RAW.json ...]

A raw file is one of

* ``{"_meta": {date, source, commit, columns}, symbol: [[tier columns as text] ...]}``, Binance USD-M;
* ``{venue, product, as_of, unit, source, notes, instruments: {symbol: {contract_size, payoff, settlement,
  tick, tiers: [{floor, cap, rate, initial_rate, max_leverage, deduction}], ...}}}``, every other venue;
* a list of fees ``{venue, product, tier, maker, taker, liquidation_fee, as_of, source, note}``, which
  replaces those that the archive has.

Each is checked exactly, written by its date, and read back. A file that breaks a rule is not written. The
sums of all files are written anew. To add a date is to run this with its file.
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from archive_form import Series, render, text_of  # noqa: E402

from levcore.rules.instruments import plain_symbol  # noqa: E402

DATA = ROOT / "python" / "levcore" / "rules" / "data"
RAW_COLUMNS = ["notional_floor", "notional_cap", "maint_margin_rate", "max_leverage", "maint_amount_cum"]
# Dated and index contracts stand in the older files without a slash: DOTECOUSDT, BTCBUSD_210129.
QUOTES = ("USDT", "BUSD", "USDC")
COLUMNS = ("payoff", "contract_size", "multiplier", "tick_size", "maker", "taker", "liquidation_fee")
FURTHER_COLUMNS = ("isolated_only", "close_out_rate", "default_initial_rate")
# Series of the archive by venue and product of a raw file; {payoff} splits it, as policies are
# split, and {dex} is the exchange of others on Hyperliquid (HIP-3) that a name begins with.
SERIES = {
    ("binance", "coinm"): "binance-coinm",
    ("bitget", "linear"): "bitget-linear",
    ("bitget", "swap"): "bitget-{payoff}",
    ("bitmex", "all"): "bitmex",
    ("bybit", "inverse"): "bybit-inverse",
    ("bybit", "linear"): "bybit-linear",
    ("bybit", "swap"): "bybit-{payoff}",
    ("deribit", "future"): "deribit",
    ("dydx", "v4"): "dydx-v4",
    ("gate", "usdt-perpetual"): "gate-usdt",
    ("hyperliquid", "perps"): "hyperliquid{dex}",
    ("krakenfutures", "all"): "kraken-futures-{payoff}",
    ("kucoin", "futures"): "kucoin-{payoff}",
    ("lighter", "perps"): "lighter-perps",
    ("lighter", "robinhood"): "lighter-robinhood",
    ("mexc", "futures"): "mexc-{payoff}",
    ("okx", "swap"): "okx-{payoff}-swap",
    ("paradex", "perps"): "paradex-perps",
}
# Whole listings, by series and date; the others are parts.
WHOLE = {
    ("bitmex", "2021-07-22"),
    ("bitmex", "2022-11-22"),
    ("binance-coinm", "2021-07-21"),
    ("dydx-v4", "2023-10-26"),
    ("gate-usdt", "2023-05-24"),
    ("kraken-futures-inverse", "2021-07-22"),
    *(("hyperliquid", date) for date in ("2025-08-22", "2025-12-13", "2026-02-06", "2026-09-27")),
    ("hyperliquid-hip3-xyz", "2026-09-27"),
    ("hyperliquid-hip3-para", "2026-09-27"),
    ("lighter-perps", "2026-10-25"),
    ("lighter-robinhood", "2026-10-25"),
    ("mexc-linear", "2025-08-03"),
    ("mexc-inverse", "2025-08-03"),
}
# No source says what the second tier means.
UNKNOWN_SHAPE = {"mexc", "krakenfutures", "kucoin"}
# The replies of 2023 print no deductions, and the accounts of then chose a risk limit.
UNKNOWN_AT = {("bybit", "2023-08-16")}
# Where the initial margin is the table's and not one over the trader's leverage.
INITIAL_BY_TABLE = {"krakenfutures", "paradex"}
FLAT_UNITS = ("contracts", "risk_limit")
# Where a venue's rule for further tiers does not say where it ends, it is followed as far as where it does.
LAST_INITIAL_RATE = 0.5


def settlement_of(symbol: str) -> str:
    """Settlement currency of a symbol of Binance; linear contracts settle in their quote currency."""
    if "/" in symbol:
        return symbol.split("/")[1].split(":")[0]
    for quote in QUOTES:
        if symbol.split("_")[0].endswith(quote):
            return quote
    raise SystemExit(f"{symbol}: settlement currency not recognised")


def binance_usdm(raw: dict[str, Any]) -> dict[str, str]:
    """File of Binance USD-M by its name."""
    meta = raw.pop("_meta")
    if meta["columns"] != RAW_COLUMNS:
        raise SystemExit(f"columns must be {RAW_COLUMNS}, found {meta['columns']}")
    rows: dict[str, dict[str, Any]] = {}
    for symbol, tiers in raw.items():
        name = plain_symbol(symbol)
        if name in rows:
            raise SystemExit(f"{symbol}: a second instrument named {name}")
        keys = ("floor", "cap", "rate", "max_leverage", "deduction")
        rows[name] = {
            "payoff": "linear",
            "contract_size": 1,
            "settlement": settlement_of(symbol),
            "tiers": [dict(zip(keys, tier, strict=True)) for tier in tiers],
            "columns": ("payoff", "contract_size"),
        }
    source = f"Binance USD-M leverage brackets as recorded by {meta['source']}"
    # Some sources name their version already.
    if str(meta["commit"]) not in source:
        source += f" @ {meta['commit']}"
    columns = ("floor", "rate", "max_leverage", "deduction")
    series = Series("binance-usdm", meta["date"], source, "all", "quote", "marginal", tier_columns=columns)
    return {f"binance-usdm-{meta['date']}": render(series, rows)}


def venue_files(raw: dict[str, Any]) -> dict[str, str]:
    """Files of another venue by their names: one, or one a payoff."""
    venue, as_of = raw["venue"], raw["as_of"]
    pattern = SERIES[venue, raw["product"]]
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for name, row in raw["instruments"].items():
        if row["settlement"] == "Gwei":
            continue  # valued in a thousand-millionth of what it is settled in: no payoff of levcore
        dex, colon, _ = name.partition(":")
        payoff = "inverse" if row["payoff"] == "inverse" else "linear"
        series = pattern.format(payoff=payoff, dex=f"-hip3-{dex}" if colon else "")
        groups.setdefault(series, {})[name] = _instrument(row, raw)
    files = {}
    for name, rows in groups.items():
        units = {row.pop("unit") for row in rows.values()}
        if len(units) != 1:
            raise SystemExit(f"{name}: several units, {units}")
        unit = units.pop()
        unknown = venue in UNKNOWN_SHAPE or (venue, as_of) in UNKNOWN_AT
        known = "flat" if unit in FLAT_UNITS else "marginal"
        half = venue == "hyperliquid"
        described = Series(
            name,
            as_of,
            raw["source"].strip(),
            "all" if (name, as_of) in WHOLE else "part",
            unit,
            "unknown" if unknown else known,
            " ".join(raw["notes"].split()),
            half,
            venue in INITIAL_BY_TABLE,
            _tier_columns(venue),
        )
        files[f"{name}-{as_of}"] = render(described, rows)
    return files


def _tier_columns(venue: str) -> tuple[str, ...]:
    if venue == "hyperliquid":
        return ("floor", "max_leverage")
    # Bybit's initial rates are its leverages, rounded; nothing reads them.
    return (
        ("floor", "rate", "max_leverage", "deduction")
        if venue == "bybit"
        else Series._field_defaults["tier_columns"]
    )


def _instrument(row: dict[str, Any], raw: dict[str, Any]) -> dict[str, Any]:
    """One instrument in the words of the archive."""
    made = dict(row)
    made["unit"] = row.get("bound_unit", raw["unit"])
    made["tick_size"] = row.get("tick")
    if row["payoff"] == "quanto":
        made["contract_size"], made["multiplier"] = 1, row["contract_size"]
    if "step" in row:
        last = row["step"]["last_initial_rate"] or LAST_INITIAL_RATE
        assumed = row["step"]["last_initial_rate"] is None
        made["step"] = {**row["step"], "last_initial_rate": last, "end_assumed": assumed}
    elif raw["venue"] == "bitmex":
        step = {
            "size": row["risk_step"],
            "rate": row["risk_step_rate"],
            "initial_rate": row["risk_step_rate"],
        }
        made["step"] = {**step, "last_initial_rate": LAST_INITIAL_RATE, "end_assumed": True}
    if raw["venue"] == "gate" and raw["unit"] == "risk_limit":
        made["complete"] = False
    if raw["venue"] == "dydx" and "liquidity_tiers" in raw and raw["as_of"] < "2024":
        # At genesis the requirement grew with the square root of the value above this.
        made["tiers"] = [
            {**tier, "cap": raw["liquidity_tiers"][row["liquidity_tier"]]["base_position_notional"]}
            for tier in row["tiers"]
        ]
        made["complete"] = False
    present = {key for each in raw["instruments"].values() for key in each}
    always = {"payoff", "contract_size", "tick_size"}
    if any(each["payoff"] == "quanto" for each in raw["instruments"].values()):
        always.add("multiplier")
        made.setdefault("multiplier", 1)
    made["columns"] = [key for key in (*COLUMNS, *FURTHER_COLUMNS) if key in always | present]
    for key in made["columns"]:
        made.setdefault(key, None)
    return made


def hyperliquid_of_august(raw: dict[str, Any]) -> dict[str, str]:
    """Four coins of Hyperliquid out of a collection of samples; the rest of it bears no date."""
    rows = {
        coin: {
            "payoff": "linear",
            "contract_size": 1,
            "settlement": "USDC",
            "tiers": [
                {"floor": floor, "cap": cap, "rate": rate, "max_leverage": leverage}
                for floor, cap, rate, leverage, _ in tiers
            ],
            "columns": ("payoff", "contract_size"),
        }
        for coin, tiers in raw["hyperliquid"]["derived_brackets"].items()
    }
    source = "Hyperliquid marginTables as recorded from an API reply; the tables of these four coins alone"
    columns = ("floor", "max_leverage")
    series = Series(
        "hyperliquid", "2026-08-07", source, "part", "quote", "marginal", "", True, False, columns
    )
    return {"hyperliquid-2026-08-07": render(series, rows)}


def fees_text(raw: list[dict[str, Any]]) -> str:
    """Text of ``data/fees.txt``."""
    lines, source = [], ""
    for row in raw:
        source = source if row["source"] == "as the line above" else row["source"]
        secondary = "secondary" if source.endswith("(secondary)") else "venue"
        schedule = f"{row['venue']}-{row['product'].replace(' ', '-')}"
        schedule = schedule.replace("krakenfutures", "kraken-futures").removesuffix("-multi-collateral")
        numbers = (text_of(row[key]) for key in ("maker", "taker", "liquidation_fee"))
        # The records of tables have a source of their own in the archive.
        read = re.sub(r"([\w-]+)_(\d{4}-\d\d-\d\d)\.json", r"the archive's tables of \2", source)
        cells = (schedule, row["as_of"], row["tier"], *numbers, secondary, read.removesuffix(" (secondary)"))
        lines.append(" | ".join((*cells, row.get("note", ""))).rstrip(" |"))
    head = "# Fees as fractions of value: levcore/rules/fees.py describes the form.\n"
    head += "# tools/pack_tiers.py wrote this file.\n"
    return head + "\n".join(sorted(lines)) + "\n"


def pack(raw: Any) -> dict[str, str]:
    """Texts of files by their names in the archive."""
    if "_meta" in raw:
        return hyperliquid_of_august(raw) if "hyperliquid" in raw else binance_usdm(raw)
    return venue_files(raw)


def write_sums(folder: Path) -> None:
    """Write the SHA-256 of every file, as ``sha256sum`` does."""
    paths = sorted(folder.glob("*.txt"))
    sums = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in paths)
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")


def main() -> None:
    """Pack the files named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("raw", nargs="+", type=Path, help="raw tables or fees")
    parser.add_argument("--out", type=Path, default=DATA, help="folder of the data; default: that of levcore")
    options = parser.parse_args()
    folder = options.out / "instruments"
    folder.mkdir(exist_ok=True)
    for path in options.raw:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(raw, list):
            (options.out / "fees.txt").write_text(fees_text(raw), encoding="utf-8")
            continue
        for name, text in pack(raw).items():
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
            sys.stdout.write(f"{name}: {len(text):,} characters\n")
    write_sums(folder)


if __name__ == "__main__":
    main()
