"""Isolated positions in all scenarios at once, by the lines that they are made of."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import stress_isolated as core_stress_isolated
from levcore.book.arrays import Floats
from levcore.book.listings import settlements
from levcore.book.positions import PositionBook
from levcore.stress_testing.result import TOTALS, Stress, add_amounts

if TYPE_CHECKING:
    from levcore.engine.engine import Engine

__all__ = ["isolated_rows", "sum_isolated"]

COLUMNS = ("quantity", "entry_price", "isolated_margin", "leverage", "accrued_funding", "risk_limit")


def sum_isolated(
    engine: "Engine", book: PositionBook, moved: Floats, result: Stress, threads: int | None
) -> npt.NDArray[np.bool_]:
    """Add the isolated positions of a book to a result that has none yet; the rows that are in it now.

    Left out are rows that failed, or whose amounts are no lines in the price: those whose rate grows with
    their value or is one a unit, and those with a closing fee on the value at the mark.
    """
    bound = engine.bind(book)
    currencies, places = settlements(book, bound.policies)
    count, worst = len(moved), result.worst_of_rows
    totals = np.zeros((len(currencies), len(TOTALS), count))
    done = np.zeros(len(book), np.bool_)
    core_stress_isolated(
        bound.handle,
        bound.kernel,
        np.ascontiguousarray(moved).reshape(-1),
        count,
        places.tolist(),
        totals.reshape(-1),
        (result.positions_liquidated, result.not_judged),
        (worst.scenario, worst.equity, worst.liquidations, done),
        engine.used_instruction_set,
        engine.threads_of_call(threads, len(book) * max(1, count.bit_length())),
    )
    add_amounts(result, currencies, totals)
    return done


def isolated_rows(book: PositionBook, rows: npt.NDArray[np.intp]) -> PositionBook:
    """Some rows of a book without accounts, with its instruments and policies."""
    given = {name: getattr(book, name) for name in COLUMNS}
    columns: dict[str, Any] = {name: each[rows] for name, each in given.items() if each is not None}
    if book.policy_codes is not None:
        columns |= {"policy": book.policy_codes[rows], "policy_names": book.policy_names}
    return PositionBook(book.instrument_codes[rows], instrument_names=book.instrument_names, **columns)
