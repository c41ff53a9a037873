"""A book larger than memory: batches of rows in, batches of results out, and totals that know no batches."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from levcore.arguments import is_word, of_kind, whole_number
from levcore.book.columns import frame_table
from levcore.book.frames import Positions, positions_of_frame
from levcore.book.marks import Marks
from levcore.book.positions import PositionBook
from levcore.cluster.prices import Prices
from levcore.cluster.whole_accounts import (
    Accounts,
    NotInputs,
    SortedAccounts,
    UnsortedAccounts,
    judged_accounts,
)
from levcore.engine.engine import Engine
from levcore.engine.price_units import PriceApart, PriceUnits
from levcore.engine.risk import BookRisk
from levcore.engine.summary import Summary
from levcore.errors import DTypeError, InputError, LevcoreError
from levcore.files.batches import ROWS, read_batches
from levcore.files.tables import polars_library
from levcore.measures import MEASURE_NAMES
from levcore.rules.instruments import InstrumentTable

if TYPE_CHECKING:
    from levcore.book.frames import Sizes

__all__ = ["BatchRisks", "Part", "evaluate_batches", "parts", "sizes_of"]


class Part(NamedTuple):
    """Rows of a book that can be evaluated by themselves."""

    book: PositionBook
    marks: Marks
    first_row: int


class BatchRisks(Iterator[BookRisk]):
    """Results of a book that comes in batches, one after the other; made by `evaluate_batches`.

    Attributes
    ----------
    rows : int
        Rows evaluated so far.
    prices : Prices
        Marks that the batches brought so far.
    """

    rows: int

    def __init__(
        self, engine: Engine, found: Iterator[Part], prices: Prices, options: dict[str, Any]
    ) -> None:
        self.prices = prices
        self.rows = 0
        self._summary: Summary | None = None
        self._units: PriceUnits | None = None
        self._engine, self._parts, self._options = engine, found, options

    def __next__(self) -> BookRisk:
        """Evaluate the next batch."""
        part = next(self._parts)
        risk = self._engine.evaluate(part.book, part.marks, **self._options)
        found, units = Summary(risk, part.first_row), PriceUnits(risk, part.first_row)
        if self._summary is None or self._units is None:
            self._summary, self._units = found, units
        else:
            self._summary.add(found)
            self._units.add(units)
        self.rows += len(risk)
        return risk

    def counted(self) -> Summary:
        """Counts and totals of the batches so far, to which those of other parts can be added.

        Raises
        ------
        InputError
            Where no batch has been evaluated.
        """
        return self._evaluated()[0]

    def price_units(self) -> PriceUnits:
        """Marks beside entry prices of the batches so far; raises as `counted`."""
        return self._evaluated()[1]

    def _evaluated(self) -> tuple[Summary, PriceUnits]:
        if self._summary is None or self._units is None:
            raise InputError("batches", "must be evaluated first", "for risk in ...: ...", "none so far")
        return self._summary, self._units

    def summary(self) -> dict[str, Any]:
        """What `BookRisk.summary` of all batches so far in one book would return, to the last bit."""
        return self.counted().to_dict()

    def prices_apart(self) -> list[PriceApart]:
        """What `BookRisk.prices_apart` of all batches so far would say; raises as `counted`."""
        return self.price_units().apart()


def evaluate_batches(
    engine: Engine,
    batches: Any,
    marks: Mapping[str, Any] | None = None,
    *,
    accounts: Literal["sorted", "whole"] = "sorted",
    wallet_balance: Mapping[Any, Any] | None = None,
    position_mode: Literal["one_way", "hedge"] = "one_way",
    rows: int = ROWS,
    ignore_columns: Collection[str] = (),
    pass_columns: Collection[str] = (),
    **options: Any,
) -> BatchRisks:
    """Evaluate a book batch by batch, in the memory of one batch.

    A cross account is judged by all of its positions, so no batch may end inside of one. With rows sorted by
    account the positions of the last account of a batch wait for the next batch. An account that comes back
    after that is refused, never judged by half.

    Parameters
    ----------
    engine : Engine
    batches : path, frame, or iterable of either
        Parquet and Arrow files, read `rows` rows at a time; frames as `levcore.PositionBook.from_frame` takes
        them. All have the same columns. Needs polars, the extra ``files``.
    marks : mapping of instrument to price, or of policy label to such a mapping, optional
        Mark prices; default: the column ``mark_price``, in which an instrument has one price throughout.
    accounts : {"sorted", "whole"}
        ``"sorted"``: rows are sorted by account, in the ascending order of its numbers or of its text by code
        points, as SQL's ``ORDER BY`` and polars' ``sort`` leave them. ``"whole"``: rows are in any order, and
        every batch holds whole accounts; all accounts are then remembered, some 100 bytes each.
    wallet_balance : mapping of account to float, or to mapping of currency to float, optional
        Wallets, unless they are a column; those of accounts without positions come as a last batch.
    position_mode, ignore_columns, pass_columns
        As `levcore.PositionBook.from_frame` takes them.
    rows : int
        Rows of a batch of a file.
    **options
        As `levcore.Engine.evaluate` takes them: ``measures`` (default: all), ``threads``, ``on_bad_row``.

    Returns
    -------
    BatchRisks
        An iterator of `levcore.BookRisk`, whose rows together are those of the batches in their order;
        ``summary()`` has counts and totals of what was evaluated so far: the bits of one evaluation of the
        whole book, however it was cut; ``prices_apart()`` instruments whose units are to be checked.

    Raises
    ------
    InputError, DTypeError
        While iterating, as `levcore.PositionBook.from_frame` does; and for an account or a mark that
        contradicts an earlier batch. A note of the error says which batch it was.

    Examples
    --------
    >>> import levcore as lc
    >>> import polars as pl
    >>> book = pl.DataFrame({
    ...     "account": ["a", "a", "b"], "instrument": ["BTCUSDT", "ETHUSDT", "BTCUSDT"],
    ...     "quantity": [0.5, -4.0, 1.0], "entry_price": [60_000.0, 3_000.0, 61_000.0], "leverage": 10.0,
    ...     "margin_mode": "cross", "wallet_balance": [9_000.0, 9_000.0, 7_000.0],
    ... })
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> marks = {"BTCUSDT": 61_000.0, "ETHUSDT": 3_050.0}
    >>> risks = lc.evaluate_batches(engine, [book[:1], book[1:]], marks)
    >>> [(len(risk), risk.accounts.ids) for risk in risks]
    [(2, ('a',)), (1, ('b',))]
    >>> risks.summary()["totals"]["USDT"]["unrealized_pnl"]
    300.0
    """
    of_kind("engine", engine, Engine)
    if not is_word(accounts, ("sorted", "whole")):
        raise InputError("accounts", "must be a known choice", "'sorted' or 'whole'", repr(accounts))
    if whole_number("rows", rows) < 1:
        raise InputError("rows", "must be positive", "1 or more", repr(rows))
    known = SortedAccounts() if accounts == "sorted" else UnsortedAccounts()
    prices = Prices(marks)
    found = parts(
        engine,
        _frames(batches, rows),
        known,
        prices,
        wallet_balance,
        position_mode,
        NotInputs(ignore_columns, pass_columns),
    )
    # The same in every batch, whatever its accounts hold.
    return BatchRisks(engine, found, prices, {"measures": MEASURE_NAMES} | options)


def parts(
    engine: Engine,
    frames: Iterator[Any],
    accounts: Accounts,
    prices: Prices,
    wallet_balance: Mapping[Any, Any] | None,
    position_mode: Literal["one_way", "hedge"],
    not_inputs: NotInputs,
) -> Iterator[Part]:
    """Books of the batches, each with whole accounts, and their marks."""
    wallets = None if wallet_balance is None else dict(wallet_balance)
    sizes = sizes_of(engine)
    first_row = 0

    def part(frame: Any, number: int, is_last: bool) -> Part:
        with _Told(number, first_row):
            positions = positions_of_frame(
                frame, ignore_columns=not_inputs.ignored, pass_columns=not_inputs.passed
            )
            accounts.take(positions, first_row)
            own = wallets if wallets is None or is_last else _wallets_of(positions, wallets)
            book = positions.book(own, position_mode=position_mode, instruments=sizes)
            return Part(book, prices.of(positions), first_row)

    number, waiting = -1, None
    for number, frame in enumerate(frames):
        with _Told(number, first_row):
            waiting = frame if waiting is None else _joined(waiting, frame)
        cut = accounts.cut(waiting, not_inputs)
        if cut:
            yield part(waiting[:cut], number, is_last=False)
        first_row += cut
        waiting = waiting[cut:]
    if waiting is None:
        raise InputError("batches", "must hold a batch", "one at least, which may have no rows", "none")
    if waiting.height or first_row == 0 or wallets:
        yield part(waiting, number, is_last=True)


class _Told:
    """Notes in an error which batch it is about."""

    def __init__(self, number: int, first_row: int) -> None:
        self.number, self.first_row = number, first_row

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, LevcoreError):
            error.add_note(f"in batch {self.number}, evaluated from row {self.first_row} of the book on")


def _frames(batches: Any, rows: int) -> Iterator[Any]:
    """Frames of polars of what the caller gave, one after the other."""
    if isinstance(batches, (str, Path)):
        yield from read_batches(batches, rows)
    elif hasattr(batches, "__arrow_c_stream__") or hasattr(batches, "to_numpy"):
        yield polars_library("batches").DataFrame(frame_table(batches))
    elif isinstance(batches, Iterable):
        for batch in batches:
            if isinstance(batch, Iterable) and not _is_batch(batch):
                raise DTypeError(
                    "batches", "must be frames or files", "frames or paths", type(batch).__name__
                )
            yield from _frames(batch, rows)
    else:
        raise DTypeError("batches", "must be frames or files", "frames or paths", type(batches).__name__)


def _is_batch(batch: object) -> bool:
    return (
        isinstance(batch, (str, Path)) or hasattr(batch, "__arrow_c_stream__") or hasattr(batch, "to_numpy")
    )


def _joined(waiting: Any, frame: Any) -> Any:
    """Rows that wait with those of the next batch behind them."""
    if waiting.columns != frame.columns:
        expected, found = ", ".join(waiting.columns), ", ".join(frame.columns)
        raise InputError("batches", "must have the same columns", expected, found)
    polars = polars_library("batches")
    for name, kind in waiting.schema.items():
        other, untyped = frame.schema[name], polars.Null
        if kind != other and untyped not in (kind, other) and not (kind.is_numeric() and other.is_numeric()):
            raise InputError(name, "must have the same type in every batch", str(kind), str(other))
    return polars.concat([waiting, frame], how="vertical_relaxed")


def _wallets_of(positions: Positions, wallets: dict[Any, Any]) -> dict[Any, Any]:
    """Wallets of the accounts of a batch, taken out of those that are left."""
    return {account: wallets.pop(account) for account in judged_accounts(positions) if account in wallets}


def sizes_of(engine: Engine) -> "Sizes":
    """Instruments in whose contracts the engine counts."""
    policies = engine.policies
    if len(policies) == 1:
        return next(iter(policies.values())).instruments
    sizes: dict[str, InstrumentTable] = {label: one.instruments for label, one in policies.items()}
    return sizes
