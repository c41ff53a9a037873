"""Balances, prices of assets and rules of assets from files."""

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from levcore.book.balances import Balances
from levcore.book.frames import check_named, first_repeated, one_value_each
from levcore.errors import FileFormatError, InputError
from levcore.files.tables import FileColumns, read_columns
from levcore.rules.assets import Asset
from levcore.rules.tiers import TierTable

__all__ = ["read_asset_prices", "read_assets", "read_balances"]

TABLES = ("collateral", "liability", "liability_initial")


def read_balances(path: str | Path, *, ignore_columns: Collection[str] = ()) -> Balances:
    """Balances of accounts, one asset of one account a row.

    Parameters
    ----------
    path : path
        A table with the columns ``account``, ``asset`` and ``balance``, and optionally ``liability``,
        ``interest`` (units of the asset) and ``policy``. An empty amount is missing, never zero.
    ignore_columns : collection of str
        Columns that are no inputs whatever their name says.

    Raises
    ------
    FileFormatError
        A column is missing, an account or an asset has no name, an account has an asset twice, an amount is
        not a number.
    """
    columns = read_columns(
        path,
        ("account", "asset", "policy"),
        ("balance", "liability", "interest"),
        ("account", "asset", "balance"),
        ignored=ignore_columns,
    )
    every_row = np.arange(len(columns))
    for name in columns.texts:
        check_named(columns, name, every_row)
    account, asset = columns.texts["account"], columns.texts["asset"]
    pairs = account.codes.astype(np.int64) * len(asset.labels) + asset.codes
    if np.unique(pairs).size < pairs.size:
        row = first_repeated(pairs)
        found = f"{asset[row]} of account {account[row]!r} again"
        raise columns.error(row, "asset", "must have one line an account", found=found)
    policy = columns.texts.get("policy")
    return Balances(
        account,
        asset,
        columns.numbers["balance"],
        columns.numbers.get("liability"),
        columns.numbers.get("interest"),
        policy,
    )


def read_asset_prices(path: str | Path, *, ignore_columns: Collection[str] = ()) -> dict[str, float]:
    """Price by asset, in the accounts' currency; an asset with an empty cell has none.

    Parameters
    ----------
    path : path
        A table with the columns ``asset`` and ``price``.
    ignore_columns : collection of str
        Columns that are no inputs whatever their name says.

    Raises
    ------
    FileFormatError
        A column is missing, an asset has no name or two prices, a price is not a number.
    """
    columns = read_columns(path, ("asset",), ("price",), ("asset", "price"), ignored=ignore_columns)
    check_named(columns, "asset", np.arange(len(columns)))
    return one_value_each(columns, "asset", "price", columns.numbers["price"])


def read_assets(path: str | Path, *, ignore_columns: Collection[str] = ()) -> list[Asset]:
    """Rules of assets, one tier of one asset a row.

    Parameters
    ----------
    path : path
        A table with the columns ``asset`` and ``weight``, and optionally ``floor`` (empty: 0),
        ``unit``, ``liability_weight`` and ``underlying``, as `levcore.Asset` has them. With a column
        ``table`` a row may also be a tier of the margin of a liability (``liability`` or
        ``liability_initial``; empty: ``collateral``): it then has a ``rate`` and no weight.
    ignore_columns : collection of str
        Columns that are no inputs whatever their name says.

    Raises
    ------
    FileFormatError
        A column is missing, a cell is not what it must be, the tiers of an asset break a rule of
        `levcore.Asset`: with the line.
    """
    columns = read_columns(
        path,
        ("asset", "unit", "underlying", "table"),
        ("weight", "floor", "liability_weight", "rate"),
        ("asset", "weight"),
        ignored=ignore_columns,
    )
    check_named(columns, "asset", np.arange(len(columns)))
    return list(_assets(columns))


def _assets(columns: FileColumns) -> Iterator[Asset]:
    asset, nothing = columns.texts["asset"], np.full(len(columns), np.nan)
    weights = columns.numbers.get("liability_weight", nothing)
    liability_weights = one_value_each(columns, "asset", "liability_weight", weights)
    for code, name in enumerate(asset.labels):
        rows = np.flatnonzero(asset.codes == code)
        tables = _tables(columns, rows)
        own = tables["collateral"]
        try:
            yield Asset(
                name,
                tuple(_numbers(columns, own, "weight")),
                tuple(_floors(columns, own)),
                _text(columns, rows, "unit") or "value",  # type: ignore[arg-type]
                liability_weights.get(name, 1.0),
                _liability_tiers(columns, tables["liability"], name),
                _liability_tiers(columns, tables["liability_initial"], name),
                _text(columns, rows, "underlying"),
            )
        except FileFormatError:
            raise
        except InputError as error:
            line, rule = columns.line_of(int(rows[0])), f"{error.argument}: {error.rule}"
            raise FileFormatError(columns.path, rule, error.expected, error.found, line) from None


def _tables(columns: FileColumns, rows: NDArray[np.int64]) -> dict[str, list[int]]:
    """Rows of each table of an asset."""
    tables: dict[str, list[int]] = {table: [] for table in TABLES}
    texts = columns.texts.get("table")
    for row in rows.tolist():
        table = (texts[row] if texts is not None else "") or TABLES[0]
        if table not in TABLES:
            raise columns.error(row, "table", "must be a table of an asset", ", ".join(TABLES), repr(table))
        tables[table].append(row)
    return tables


def _liability_tiers(columns: FileColumns, rows: list[int], asset: str) -> TierTable | None:
    if not rows:
        return None
    # repr: the decimal that stood in the file, so that deductions are exact.
    rates, floors = _numbers(columns, rows, "rate"), _floors(columns, rows)
    tiers = [(repr(floor), repr(rate)) for floor, rate in zip(floors, rates, strict=True)]
    return TierTable.marginal(tiers, unit="quote", instrument=asset)


def _numbers(columns: FileColumns, rows: list[int], name: str) -> list[float]:
    """Numbers of a column, all of which must be there."""
    if rows and name not in columns.numbers:
        raise columns.error(rows[0], name, "the column is missing", f"a column {name!r}")
    for row in rows:
        if np.isnan(columns.numbers[name][row]):
            raise columns.error(row, name, "must not be empty", "a number", "an empty cell")
    return [float(columns.numbers[name][row]) for row in rows]


def _floors(columns: FileColumns, rows: list[int]) -> list[float]:
    floors = columns.numbers.get("floor", np.full(len(columns), np.nan))
    return [0.0 if np.isnan(floor) else float(floor) for floor in floors[rows]]


def _text(columns: FileColumns, rows: NDArray[np.int64], name: str) -> str:
    """The one text that stands in a column of these rows; empty for none."""
    texts = columns.texts.get(name)
    given = "" if texts is None else next(filter(None, (texts[row] for row in rows.tolist())), "")
    for row in rows.tolist() if texts is not None else ():
        if texts is not None and texts[row] not in ("", given):
            raise columns.error(row, name, "contradicts an earlier line", repr(given), repr(texts[row]))
    return given
