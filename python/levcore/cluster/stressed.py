"""Partitions of a book in many scenarios: totals by scenario, added up over processes and machines."""

import pickle
from collections.abc import Collection, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore.arguments import of_kind
from levcore.book.labelled import column_names, values_of
from levcore.book.marks import mark_prices
from levcore.cluster.partitions import tasks_of
from levcore.cluster.pools import Pool, run
from levcore.cluster.prices import Prices
from levcore.cluster.whole_accounts import NotInputs
from levcore.cluster.whole_partitions import Known, Reading
from levcore.engine.engine import Engine
from levcore.engine.exact_total import ExactTotal
from levcore.errors import DTypeError, InputError
from levcore.files.tables import Progress
from levcore.stress_testing.result import StressTotals
from levcore.stress_testing.shocks import LABELS, Betas, moves_of_instruments
from levcore.stress_testing.stress import COUNTS, Sums, each_scenario, resolved

__all__ = ["StressTotals", "stress"]

Totals = dict[tuple[str, str], ExactTotal]


class Scenarios(NamedTuple):
    """What `stress` was asked for, as it travels to the workers."""

    shocks: dict[str, npt.NDArray[Any]]
    betas: Betas | None
    others: float | None


class Found(NamedTuple):
    """What a worker sends back of a partition."""

    labels: npt.NDArray[Any]
    totals: list[Totals]
    counts: list[dict[str, int]]
    shown: tuple[str, ...]
    used: set[str]
    instruments: tuple[str, ...]
    rows: int
    accounts: tuple[Any, ...]
    prices: Prices


def stress(
    partitions: Any,
    engine: Engine,
    shocks: Any,
    executor: Pool = None,
    *,
    marks: Mapping[str, Any] | None = None,
    betas: Betas | None = None,
    others: float | None = None,
    position_mode: Literal["one_way", "hedge"] = "one_way",
    threads: int | None = None,
    ignore_columns: Collection[str] = (),
    pass_columns: Collection[str] = (),
    check_accounts: bool = True,
    retries: int = 3,
    progress: Progress | None = None,
) -> StressTotals:
    """Evaluate the partitions of a book in many scenarios, by several processes or machines.

    Parameters
    ----------
    partitions, engine, executor, marks, position_mode, threads, ignore_columns, pass_columns
        As `levcore.cluster.evaluate` takes them; and `check_accounts`, `retries`, `progress`.
    shocks : table of columns
        Moves of instruments, or of factors, by name, as `levcore.stress` takes them; and `betas`, `others`.

    Returns
    -------
    StressTotals
        The bits of `levcore.stress` over all partitions in one book, for any partitions and workers.

    Raises
    ------
    InputError, DTypeError
        As `levcore.stress` and `levcore.cluster.evaluate`.

    Examples
    --------
    >>> import levcore as lc
    >>> import polars as pl
    >>> book = pl.DataFrame({
    ...     "account": ["a", "b"], "instrument": ["BTCUSDT", "ETHUSDT"], "quantity": [0.5, 4.0],
    ...     "entry_price": [60_000.0, 3_000.0], "mark_price": [60_000.0, 3_000.0],
    ...     "margin_mode": "cross", "wallet_balance": [3_000.0, 1_200.0],
    ... })
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> shocks = {"BTCUSDT": [0.0, -0.1, -0.2], "ETHUSDT": [0.0, -0.05, -0.3]}
    >>> worlds = lc.cluster.stress(book.partition_by("account"), engine, shocks)
    >>> worlds.positions_liquidated.tolist(), worlds.totals["USDT"]["shortfall"].round(2).tolist()
    ([0, 1, 2], [0.0, 0.0, 5400.0])
    """
    of_kind("engine", engine, Engine)
    names = column_names(shocks)
    if names is None:
        raise DTypeError("shocks", "must be a table", "columns by name", type(shocks).__name__)
    columns = {name: np.asarray(values_of(shocks[name])) for name in names}
    own = 1 if threads is None and executor is not None else threads
    asked = Scenarios(columns, betas, others)
    not_inputs = NotInputs(tuple(ignore_columns), tuple(pass_columns))
    reading = Reading(pickle.dumps(engine), marks, position_mode, not_inputs)
    tasks = tasks_of(partitions, (reading, asked, own))
    together = _Together(check_accounts)
    for place, found, _ in run(stress_partition, tasks, executor, retries):
        together.take(place, found)
        if progress is not None:
            progress(together.rows)
    return together.result("shocks" if betas is None else "betas", set(columns if betas is None else betas))


def stress_partition(
    place: int, source: Any, reading: Reading, asked: Scenarios, threads: int | None
) -> Found:
    """Totals of one partition, in a worker."""
    own, prices, positions, book = reading.read(source)
    start = np.asarray(mark_prices(book, prices.of(positions)))
    betas = _betas(asked, book.instrument_names)
    moves, labels = moves_of_instruments(book, asked.shocks, betas, asked.others)
    moved = start[np.newaxis] * (1.0 + moves).reshape(len(moves), *(1,) * (start.ndim - 1), -1)
    sums, totals, counts = Sums(own, book), list[Totals](), list[dict[str, int]]()
    for _, of_rows, of_wallets in each_scenario(own, book, moves, moved, None, threads):
        totals.append(sums.totals(of_rows, of_wallets))
        counts.append(sums.counts(of_rows, of_wallets))
    return Found(
        labels,
        totals,
        counts,
        sums.shown,
        sums.used,
        book.instrument_names,
        len(book),
        book.account_ids,
        prices.without_given(),
    )


def _betas(asked: Scenarios, instruments: tuple[str, ...]) -> Betas:
    """Betas of the instruments of a partition; without them each instrument is a factor of its own."""
    if asked.betas is not None:
        return {name: asked.betas[name] for name in instruments if name in asked.betas}
    unknown = next((name for name in instruments if name not in asked.shocks), None)
    if unknown is not None and asked.others is None:
        rule = "must have one for every instrument, or come with others="
        raise InputError("shocks", rule, "a move", f"none for {unknown!r}")
    return {name: {name: 1.0} for name in instruments if name in asked.shocks and name != LABELS}


class _Together(Known):
    """Totals of partitions, added up as they come: exact sums know no order."""

    def __init__(self, check_accounts: bool) -> None:
        super().__init__(check_accounts)
        self._found: Found | None = None
        self._instruments: set[str] = set()

    def take(self, place: int, found: Found) -> None:
        """Take over a partition that is done."""
        self.note(place, found.accounts, found.prices, found.rows)
        self._instruments.update(found.instruments)
        if self._found is None:
            self._found = found
            return
        mine = self._found
        for totals, more in zip(mine.totals, found.totals, strict=True):
            for key, total in more.items():
                totals[key] = totals.get(key, ExactTotal()) + total
        for counts, others in zip(mine.counts, found.counts, strict=True):
            for name, count in others.items():
                counts[name] += count
        shown = tuple(sorted({*mine.shown, *found.shown}))
        self._found = mine._replace(shown=shown, used=mine.used | found.used)

    def result(self, argument: str, named: set[str]) -> StressTotals:
        """All of them together; refuses moves of instruments that no partition has."""
        found = self._found
        if found is None:
            raise InputError("partitions", "must hold a partition", "one at least", "none")
        strangers = sorted(named - self._instruments - {LABELS})
        if strangers:
            expected = ", ".join(sorted(self._instruments)[:5])
            rule, names = "must name instruments of the book", ", ".join(map(repr, strangers[:5]))
            raise InputError(argument, rule, expected, names, count=len(strangers))
        result = StressTotals(found.labels, found.shown, self.rows)
        for name in COUNTS:
            getattr(result, name)[:] = [counts[name] for counts in found.counts]
        for scenario, totals in enumerate(found.totals):
            for currency, amounts in resolved(totals, found.used, found.shown).items():
                for name, value in amounts.items():
                    result.totals[currency][name][scenario] = value
        return result
