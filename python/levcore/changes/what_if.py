"""What if: every change of a table evaluated, alone or in sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Literal

import numpy as np
import numpy.typing as npt

from levcore._levcore import what_if as core_what_if
from levcore.arguments import is_word, of_kind, rows_of
from levcore.book.asset_prices import asset_price_columns
from levcore.book.marks import Marks
from levcore.book.positions import PositionBook
from levcore.changes.changes import Changes
from levcore.changes.columns import ChangeColumns, change_columns
from levcore.changes.members import members_of
from levcore.changes.names import extended_marks, kernels, names_of
from levcore.changes.order_columns import names_in, order_columns
from levcore.changes.orders import Orders, check_orders
from levcore.changes.result import WhatIf
from levcore.changes.status import ChangeKind
from levcore.engine.engine import Engine
from levcore.engine.shared_memory import book_columns, refuse_overlap
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.measures import chosen_measures, default_measures, measure_mask
from levcore.rules.instruments import Instrument

__all__ = ["new_result", "what_if"]

REDUCING = ("share", "nothing")


def what_if(
    engine: Engine,
    book: PositionBook,
    marks: Marks,
    changes: Changes,
    *,
    sequence: bool | npt.ArrayLike = False,
    tables: Sequence[Instrument] = (),
    orders: Orders | None = None,
    reducing: Literal["share", "nothing"] = "share",
    before: bool = True,
    asset_prices: Mapping[str, float] | None = None,
    measures: tuple[str, ...] | None = None,
    out: WhatIf | None = None,
    threads: int | None = None,
) -> WhatIf:
    """Evaluate changes that have not happened: the changed position and its account, each as a whole.

    The numbers are those of evaluating the whole book with the change in it, to the last bit.

    Parameters
    ----------
    engine : Engine
        Policies.
    book : PositionBook
        Positions and wallets; it is not changed.
    marks : mapping or array_like
        Mark prices, as `levcore.Engine.evaluate` takes them; a mapping may also hold those of instruments
        that only changes name.
    changes : Changes
        One change a row.
    sequence : bool, or sequence of str or int, shape (c,)
        False: each change is applied to the book as it is. True: one after the other, in their order. Labels:
        those of one label one after the other. A change that is refused leaves its sequence as it was.
    tables : sequence of Instrument, optional
        What ``"tiers"`` changes replace an instrument by: the one of the same name.
    orders : Orders, optional
        Open orders of the book's cross accounts, as `levcore.order_margin` takes them; they stay as they are.
        Free margin and `WhatIf.may_open` of each change then count what its account's orders ask for beside
        the changed positions.
    reducing : {"share", "nothing"}
        What an order that reduces an isolated position gives back. ``"share"``: the share of the margin that
        the closed part had, with its profit or loss less the fee, to the wallet. ``"nothing"``: the margin
        stays, profit, loss and fee go into it. Few venues say which they do; the default is proportional,
        so that leverage and liquidation price stay what they were.
    before : bool
        Whether position and account before each change are evaluated, too.
    asset_prices : mapping of asset name to price, optional
        As `levcore.Engine.evaluate` takes them.
    measures : tuple of str, optional
        Measures of the positions, of `levcore.MEASURES`.
    out : WhatIf, optional
        Result of an earlier call with as many changes, and what else is wanted the same.
    threads : int, optional
        Threads of this call; any number gives the same bits.

    Returns
    -------
    WhatIf
        One value a change; `out` if it was given.

    Raises
    ------
    ShapeError, DTypeError, InputError
        For arguments of the wrong type, size or word. A change that refers to nothing is data: it is refused
        with a status.
    UnknownRuleError
        If a policy does not know a rule that the changed positions, or the orders, need.

    Notes
    -----
    An order that adds averages the entry price by size (by value for inverse contracts), one that reduces
    leaves it. On isolated margin it brings `amount`, else value over leverage at its price; the position is
    then judged by its equity at the mark and the entry price after. Accrued funding stays with the position.
    A cross fill realizes profit less fee into the wallet, or the balance of the currency that it settles in.
    A transfer closes the position and opens it in the other account at one price; an isolated position takes
    its margin along. A replaced table holds for all legs of the account in the instrument.

    Examples
    --------
    >>> import levcore as lc
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0], leverage=[10.0])
    >>> kinds = ["none", "order", "margin"]
    >>> changes = lc.Changes(kinds, row=0, quantity=[None, 0.5, None], amount=[None, None, 1_000.0])
    >>> result = lc.what_if(engine, book, {"BTCUSDT": 61_000.0}, changes)
    >>> result.after.positions.liquidation_price.round(2).tolist()
    [54216.87, 54673.37, 52208.84]
    """
    for argument, value, kind in (("engine", engine, Engine), ("changes", changes, Changes)):
        if not isinstance(value, kind):
            raise DTypeError(argument, f"must be {kind.__name__}", kind.__name__, type(value).__name__)
    if not is_word(reducing, REDUCING):
        raise InputError("reducing", "must be a known choice", " or ".join(REDUCING), repr(reducing))
    of_kind("before", before, bool)
    bound = engine.bind(book)
    policies = bound.policies
    if orders is not None:
        check_orders(engine, book, orders)
    tables = rows_of("tables", tables)
    for table in tables:
        of_kind("tables", table, Instrument)
    names = names_of(book, changes, tables, policies, names_in(orders))
    columns = change_columns(engine, book, changes, names, policies, sequence, reducing)
    charged = None if orders is None else order_columns(book, orders, names, policies)
    prices = extended_marks(book, names, marks)
    result = new_result(book, changes, measures, before, out)
    if out is not None:
        _refuse_shared_memory(result, book, columns, prices)
    order_sums = result.room_for_orders(orders is not None)
    effect, status = result.buffers
    core_what_if(
        bound.handle,
        members_of(book, bound.handle).handle,
        kernels(engine, book, names),
        prices if prices.ndim == 1 else prices.ravel(),
        asset_price_columns(book, policies, asset_prices),
        columns,
        measure_mask(result.after.positions.measures),
        (
            result.after.buffers,
            None if result.before is None else result.before.buffers,
            None if result.source is None else result.source.buffers,
        ),
        effect,
        status,
        None if charged is None else (charged, order_sums),
        engine.used_instruction_set,
        engine.threads_of_call(threads, 8 * len(changes)),
    )
    # Last: a result whose call was refused keeps what its numbers belong to.
    result.about(book, changes, names, policies, order_sums)
    return result


def _refuse_shared_memory(
    result: WhatIf, book: PositionBook, columns: ChangeColumns, prices: npt.NDArray[np.float64]
) -> None:
    """Refuse to write where an input lies; AliasError names the first such column."""
    sides = (side for side in (result.after, result.before, result.source) if side is not None)
    written = [*result.buffers, *(buffer for side in sides for buffer in side.buffers)]
    own = ((each.name, getattr(columns, each.name)) for each in fields(columns))
    of_changes = [(f"changes.{name}", column) for name, column in own if isinstance(column, np.ndarray)]
    refuse_overlap(written, [("marks", prices), *book_columns(book), *of_changes])


def new_result(
    book: PositionBook,
    changes: Changes,
    measures: tuple[str, ...] | None,
    before: bool,
    out: WhatIf | None,
) -> WhatIf:
    """Where the results of a call go: a new result, or `out` if it fits."""
    if out is not None and not isinstance(out, WhatIf):
        raise DTypeError("out", "must be a WhatIf", "WhatIf", type(out).__name__)
    if measures is not None:
        measures = chosen_measures(measures)
    elif out is None:
        measures = default_measures(book.has_pooled_accounts or book.position_mode == "hedge")
    else:
        measures = out.after.positions.measures
    transfers = bool(np.any(changes.kind == ChangeKind.TRANSFER))
    if out is None:
        return WhatIf(book, measures, len(changes), with_before=before, with_source=transfers)
    if out.after.positions.measures != measures:
        expected, found = ", ".join(measures), ", ".join(out.after.positions.measures)
        raise InputError("out", "must hold the same measures", expected, found)
    wanted, held = (before, transfers), (out.before is not None, out.source is not None)
    if len(out) != len(changes) or wanted != held:
        expected = f"{len(changes)} changes, before: {before}, source: {transfers}"
        found = f"{len(out)} changes, before: {held[0]}, source: {held[1]}"
        raise ShapeError("out", "must fit the changes", expected, found)
    return out
