"""Another system's numbers beside ours, and what explains the differences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.arguments import is_word, of_kind, optional
from levcore.book.arrays import Floats, float_column, label_sequence
from levcore.book.labelled import values_of
from levcore.engine.risk import BookRisk
from levcore.errors import DTypeError, InputError, LevcoreError, ShapeError
from levcore.measures import MEASURE_NAMES, MEASURES
from levcore.systems.causes import CAUSES
from levcore.systems.part import Part
from levcore.systems.result import UNEXPLAINED, Against, Group

__all__ = ["against"]

Mask = npt.NDArray[np.bool_]
SIGN, PERCENT, ZERO = "sign", "percent for fraction", "zero for none"
KEYS = ("instrument",)
"""Columns that say which row is which: they must be those of the book."""


def against(
    risk: BookRisk,
    frame: Mapping[str, Any],
    *,
    columns: Mapping[str, str] | None = None,
    tolerance: float = 1e-9,
    asset_prices: Mapping[str, float] | None = None,
) -> Against:
    """Compare another system's numbers with ours, and say which mistake explains the differences.

    Each mistake is evaluated: it explains a number where it gives that number. Known are ``"tier at entry"``,
    ``"deduction dropped"``, ``"flat for marginal"``, ``"fee left out"``, ``"cross read as isolated"``,
    ``"contracts read as units"``, ``"contracts read as notional"``, ``"entry for mark"``, ``"side"`` (long
    read as short), ``"sign"`` (the number with its sign turned), ``"percent for fraction"`` and ``"zero for
    none"``. Of several that give a number, those that give the row's other numbers too are named; the rest is
    ``"unexplained"``.

    Parameters
    ----------
    risk : BookRisk
        Our result, with the measures to compare.
    frame : mapping of name to array_like of shape (n,)
        The other system's columns, in the book's row order; NaN: missing. A column ``instrument`` must be the
        book's.
    columns : mapping of name to measure, optional
        Measures of columns that have other names, such as ``{"liq": "liquidation_price"}``. Columns that are
        neither are listed as left out.
    tolerance : float
        Share of a number up to which two are the same.
    asset_prices : mapping of asset name to price, optional
        Those that the book was evaluated with, if it has balances.

    Returns
    -------
    Against

    Raises
    ------
    DTypeError, ShapeError
        For what is no mapping of columns, or columns of another length.
    InputError
        For a frame without any measure, rows of other instruments, names of no column or measure, a tolerance
        that is none, or a book with balances without their prices.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0], leverage=[10.0])
    >>> risk = lc.Engine(lc.policy("binance-usdm@2024-10-24")).evaluate(book, {"BTCUSDT": 61_000.0})
    >>> found = lc.against(risk, {"unrealized_pnl": [-500.0]})
    >>> [(group.cause, group.count, group.money) for group in found.groups]
    [('side or sign', 1, 1000.0)]
    """
    of_kind("risk", risk, BookRisk)
    optional("columns", columns, Mapping)
    optional("asset_prices", asset_prices, Mapping)
    theirs, left_out = _numbers(risk, frame, columns or {})
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0 <= tolerance < 1:
        raise InputError("tolerance", "must be a share", "from 0 up to 1", repr(tolerance))
    if risk.book.balances is not None and asset_prices is None:
        raise InputError("asset_prices", "are needed for a book with balances", "asset to price", "none")
    ours = {name: np.asarray(risk[name]) for name in theirs}
    differs = {name: _differs(ours[name], theirs[name], tolerance) for name in theirs}
    found = _explained(risk, ours, theirs, differs, tolerance, asset_prices)
    causes = _named(found, differs)
    either = {name: ~np.isnan(theirs[name]) for name in theirs}
    return Against(
        len(risk.book),
        tuple(theirs),
        left_out,
        {name: int(mask.sum()) for name, mask in either.items()},
        {name: int((either[name] & ~differs[name]).sum()) for name in theirs},
        {name: int((~either[name] & ~np.isnan(ours[name])).sum()) for name in theirs},
        tuple(_groups(risk, ours, theirs, causes)),
        causes,
    )


def _numbers(
    risk: BookRisk, frame: Mapping[str, Any], renamed: Mapping[str, str]
) -> tuple[dict[str, Floats], tuple[str, ...]]:
    if not hasattr(frame, "keys") or not hasattr(frame, "__getitem__"):
        raise DTypeError("frame", "must be a mapping of columns", "name to numbers", type(frame).__name__)
    names = list(frame.keys())
    for column, measure in renamed.items():
        if column not in names:
            raise InputError(
                "columns", "must name a column of the frame", ", ".join(map(str, names)), repr(column)
            )
        if not is_word(measure, MEASURE_NAMES):
            raise InputError("columns", "must name a measure", ", ".join(MEASURE_NAMES), repr(measure))
    if "instrument" in names:
        _check_instruments(risk, frame["instrument"])
    theirs: dict[str, Floats] = {}
    for name in names:
        measure = renamed.get(name, name)
        if measure in MEASURE_NAMES:
            if measure in theirs:
                raise InputError("columns", "must give each measure once", measure, f"{measure} twice")
            theirs[measure] = float_column(str(name), values_of(frame[name]), len(risk.book), [])
    if not theirs:
        expected = ", ".join(MEASURE_NAMES) + "; or columns={their name: measure}"
        raise InputError("frame", "must have a column to compare", expected, ", ".join(map(str, names)))
    used = {*theirs, *renamed, *KEYS}
    return theirs, tuple(str(name) for name in names if name not in used)


def _check_instruments(risk: BookRisk, given: Any) -> None:
    book = risk.book
    labels = list(label_sequence("instrument", values_of(given)))
    if len(labels) != len(book):
        raise ShapeError("instrument", "must have one value a row", str(len(book)), str(len(labels)))
    own = np.array(book.instrument_names, dtype=object)[book.instrument_codes]
    odd = np.flatnonzero(own != np.array(labels, dtype=object))
    if odd.size:
        row = int(odd[0])
        raise InputError(
            "instrument", "must be the book's, row by row", repr(own[row]), repr(labels[row]), row, odd.size
        )


def _differs(ours: Floats, theirs: Floats, tolerance: float) -> Mask:
    """Rows where they have a number and ours is another one, or none."""
    with np.errstate(invalid="ignore"):
        same = (ours == theirs) | (
            np.abs(ours - theirs) <= tolerance * np.maximum(np.abs(ours), np.abs(theirs))
        )
    differs: Mask = ~np.isnan(theirs) & ~same
    return differs


def _explained(
    risk: BookRisk,
    ours: Mapping[str, Floats],
    theirs: Mapping[str, Floats],
    differs: Mapping[str, Mask],
    tolerance: float,
    asset_prices: Mapping[str, float] | None,
) -> dict[str, dict[str, Mask]]:
    """By measure and cause, the rows whose number the cause gives."""
    found = {
        name: _plain_causes(name, ours[name], theirs[name], mask, tolerance) for name, mask in differs.items()
    }
    odd = np.logical_or.reduce(list(differs.values()))
    if not odd.any():
        return found
    part = Part.of(risk, odd, asset_prices)
    base = part.evaluate((*dict.fromkeys((*theirs, "notional", "liquidation_price")),))
    for cause, make in CAUSES.items():
        try:
            changed = make(part, base)
            other = None if changed is None else changed.evaluate(tuple(theirs))
        except LevcoreError:  # rules that refuse such a book: nobody evaluated it so
            continue
        if other is None:
            continue
        for name, mask in differs.items():
            rows = np.zeros(len(risk.book), np.bool_)
            rows[part.rows] = ~_differs(np.asarray(other[name]), theirs[name][part.rows], tolerance)
            found[name][cause] = rows & mask
    return found


def _plain_causes(
    name: str, ours: Floats, theirs: Floats, differs: Mask, tolerance: float
) -> dict[str, Mask]:
    """Causes that need no evaluation."""
    causes = {SIGN: differs & ~_differs(-ours, theirs, tolerance)}
    if _unit(name) == "fraction":
        causes[PERCENT] = differs & ~_differs(100.0 * ours, theirs, tolerance) & (ours != 0.0)
    causes[ZERO] = differs & (np.isnan(ours) | np.isinf(ours)) & (theirs == 0.0)
    return causes


def _unit(name: str) -> str:
    return MEASURES[MEASURE_NAMES.index(name)].unit


def _named(
    found: Mapping[str, Mapping[str, Mask]], differs: Mapping[str, Mask]
) -> dict[str, npt.NDArray[Any]]:
    """The cause of each row by measure: of those that give its number, those that give most of the row's."""
    totals: dict[str, npt.NDArray[np.int64]] = {}
    for by_cause in found.values():
        for cause, mask in by_cause.items():
            totals[cause] = totals.get(cause, np.zeros(mask.size, np.int64)) + mask
    named = {}
    for name, by_cause in found.items():
        best = np.zeros(differs[name].size, np.int64)
        for cause, mask in by_cause.items():
            best = np.maximum(best, np.where(mask, totals[cause], 0))
        words = np.where(differs[name], UNEXPLAINED, "").astype(object)
        for cause in sorted(by_cause):
            chosen = by_cause[cause] & (totals[cause] == best)
            words[chosen & (words != UNEXPLAINED)] += f" or {cause}"
            words[chosen & (words == UNEXPLAINED)] = cause
        named[name] = words
    return named


def _groups(
    risk: BookRisk,
    ours: Mapping[str, Floats],
    theirs: Mapping[str, Floats],
    causes: Mapping[str, npt.NDArray[Any]],
) -> list[Group]:
    currencies = _currencies(risk)
    groups = []
    for name, words in causes.items():
        money = _money(risk, name, ours[name], theirs[name])
        off = np.abs(ours[name] - theirs[name])
        for cause, currency in sorted({*zip(words.tolist(), currencies.tolist(), strict=True)}):
            if not cause:
                continue
            rows = np.flatnonzero((words == cause) & (currencies == currency))
            sizes = np.where(np.isnan(off[rows]), -1.0, off[rows])
            row = int(rows[np.argmax(sizes)])
            known = money[rows][np.isfinite(money[rows])]
            total = float(known.sum()) if known.size else np.nan
            groups.append(
                Group(
                    cause,
                    name,
                    currency,
                    rows.size,
                    total,
                    row,
                    float(ours[name][row]),
                    float(theirs[name][row]),
                )
            )
    return sorted(
        groups, key=lambda group: (group.cause, -np.nan_to_num(group.money, nan=-1.0), group.column)
    )


def _currencies(risk: BookRisk) -> npt.NDArray[Any]:
    book = risk.book
    codes = np.zeros(len(book), np.int64) if book.policy_codes is None else book.policy_codes
    words = np.array(
        [
            [
                policy.instruments[name].settlement if name in policy.instruments else ""
                for name in book.instrument_names
            ]
            for policy in risk.policies
        ],
        dtype=object,
    ).reshape(len(risk.policies), len(book.instrument_names))
    currencies: npt.NDArray[Any] = words[codes, book.instrument_codes]
    return currencies


def _money(risk: BookRisk, name: str, ours: Floats, theirs: Floats) -> Floats:
    """Absolute differences in settlement currency; NaN for what is no money."""
    unit = _unit(name)
    if unit == "settlement currency":
        return np.abs(ours - theirs)
    if unit != "quote per base":
        return np.full(ours.size, np.nan)
    book = risk.book
    codes = np.zeros(len(book), np.int64) if book.policy_codes is None else book.policy_codes
    contracts = {
        (code, place): policy.instruments[label]
        for code, policy in enumerate(risk.policies)
        for place, label in enumerate(book.instrument_names)
        if label in policy.instruments
    }
    money = np.full(ours.size, np.nan)
    for (code, place), instrument in contracts.items():
        rows = (codes == code) & (book.instrument_codes == place)
        size = np.abs(book.quantity[rows]) * instrument.contract_size
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            gap = (
                1.0 / ours[rows] - 1.0 / theirs[rows]
                if instrument.payoff == "inverse"
                else (ours[rows] - theirs[rows]) * instrument.multiplier
            )
            money[rows] = size * np.abs(gap)
    return money
