"""The live book: prices pass, positions change, and who enters or leaves a state is told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import LiveBook as CoreBook
from levcore.arguments import a_path, of_kind
from levcore.book.arrays import Codes, Floats
from levcore.book.labels import NO_ACCOUNT
from levcore.book.marks import mark_prices, prices_of
from levcore.book.positions import PositionBook
from levcore.engine.compiled import pools_every_account
from levcore.engine.engine import Engine
from levcore.errors import DTypeError, InputError
from levcore.files.records import Journal, Record, write_record
from levcore.live_books.arguments import (
    NUMBERS,
    Opened,
    Owners,
    amended,
    checked_accounts,
    checked_times,
    instrument_codes,
    opened,
    tick_prices,
    tiers_of,
)
from levcore.live_books.events import Events, chained_hash
from levcore.live_books.figures import LiveFigures, LiveTotals, TotalsBySide
from levcore.live_books.index import Subjects
from levcore.live_books.levels import engine_with_tiers, kernels_of_levels, states_of, watched_levels
from levcore.rules.tiers import TierTable
from levcore.status import State

if TYPE_CHECKING:
    from levcore.book.marks import Marks

__all__ = ["LiveBook", "live"]

CoreEvents = tuple[Any, ...]


def live(
    engine: Engine, book: PositionBook, marks: Marks, *, levels: Sequence[str] | None = None
) -> LiveBook:
    """Keep a book whose prices move and whose positions change.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
        Under one policy, its accounts with one wallet each and without `levcore.Balances`. Its columns are
        copied.
    marks
        Prices at the beginning, as `levcore.Engine.evaluate` takes them; missing ones may come later.
    levels : sequence of str, optional
        Levels to watch, of ``"warning"``, ``"margin_call"``, ``"liquidation"``, ``"bankruptcy"``; liquidation
        always is. Default: all that the policy states. Fewer are faster.

    Returns
    -------
    LiveBook

    Raises
    ------
    InputError
        For a book with balances, several policies or several wallets an account, and for levels that the
        policy lacks or that cannot be watched.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(["BTCUSDT"] * 2, [1.0, 2.0], [60_000.0, 60_000.0], leverage=[10.0, 20.0])
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> live = lc.live(engine, book, {"BTCUSDT": 60_000.0})
    >>> events = live.ticks(["BTCUSDT"] * 3, [57_500.0, 57_100.0, 56_900.0])
    >>> events.number.tolist(), events.subject.place.tolist(), [lc.State(code).name for code in events.state]
    ([1, 2], [1, 1], ['LIQUIDATION', 'BANKRUPT'])
    """
    return LiveBook(engine, book, marks, levels)


class LiveBook:
    """A book whose prices move and whose positions change in place; `levcore.live` makes one.

    Many threads may use it: calls take their turn, and each sees the whole of those before it, never a part;
    `held` has several calls see the same. Isolated positions and cross accounts, also with hedges; a
    position keeps its row, also when it is closed. Events are those of an evaluation of the whole book after
    every instant: each change of state comes at the very instant, with the numbers of the evaluation there.

    Only who comes near a level is evaluated, and then waits for prices a little before the next one: this
    delays no event, it only makes more evaluations than events where a price stays near a level.

    Attributes
    ----------
    engine : Engine
    levels : tuple of str
        Levels that are watched.
    number : int
        How many instants there have been.
    replaced_tiers : mapping of instrument to TierTable
        Tables that hold now instead of those of the engine at the beginning.
    hash : bytes
        SHA-256 over all events, each instant chained to the one before.
    """

    __slots__ = (
        "_core",
        "_journal",
        "_lock",
        "_names",
        "_owners",
        "engine",
        "hash",
        "levels",
        "number",
        "replaced_tiers",
    )

    def __init__(
        self, engine: Engine, book: PositionBook, marks: Marks, levels: Sequence[str] | None = None
    ) -> None:
        of_kind("engine", engine, Engine)
        bound = engine.bind(book)
        if book.balances is not None:
            raise InputError("book", "must be without balances in several assets", "wallets", "balances")
        if len(bound.policies) != 1:
            raise InputError("book", "must stand under one policy", "one", str(len(bound.policies)))
        if bound.wallets.is_split or bound.wallets.status is not None:
            remedy = "engine.by_wallet(book)"
            raise InputError("book", "must have one wallet an account", remedy, "accounts with several")
        policy = bound.policies[0]
        self.engine, self.levels = engine, watched_levels(levels, policy)
        self.number, self.hash = 0, bytes(32)
        self._journal: Journal | None = None
        self._lock = RLock()
        self.replaced_tiers: Mapping[str, TierTable] = {}
        self._owners = Owners(book, policy)
        self._names = book.instrument_names
        self._core = CoreBook(
            bound.handle,
            len(self._names),
            book.is_cross,
            _codes_of(book),
            (book.position_mode == "hedge", pools_every_account(policy)),
            kernels_of_levels(engine, book, self.levels),
            states_of(self.levels),
            np.ascontiguousarray(np.asarray(mark_prices(book, marks)).reshape(-1)),
            engine.used_instruction_set,
        )

    def __len__(self) -> int:
        """Number of positions, closed ones included."""
        return len(self._owners.is_cross)

    @property
    def account_ids(self) -> tuple[Any, ...]:
        """Accounts by their places, those included that came with positions."""
        return tuple(self._owners.ids)

    @property
    def examined(self) -> int:
        """How many evaluations of a position or an account ticks and changes have taken so far.

        One each level that was reached; what `totals`, `positions` and `accounts` evaluate is not among them.
        """
        found: int = self._core.examined()
        return found

    @property
    def followed(self) -> int:
        """How many looks at an account have needed no evaluation so far, one each level.

        The surplus of an account moves with the prices along a line: as long as that stays clear of zero,
        the verdict is what it was.
        """
        found: int = self._core.followed()
        return found

    @property
    def instrument_names(self) -> tuple[str, ...]:
        """Instruments by their places."""
        return self._names

    def tick(self, instrument: str | int, price: float, *, time: Any = None) -> Events:
        """Let the price of an instrument be another one; see `ticks`."""
        return self.ticks([instrument], [price], None if time is None else [time])

    def ticks(self, instruments: Any, prices: npt.ArrayLike, times: npt.ArrayLike | None = None) -> Events:
        """Let prices pass, one after the other.

        Parameters
        ----------
        instruments : array_like of str, or ndarray of integers, shape (t,)
            Names, or places in the book's names.
        prices : array_like, shape (t,), quote per base
        times : array_like, shape (t,), optional
            Goes into the events and decides nothing.

        Returns
        -------
        Events

        Raises
        ------
        InputError, ShapeError
            For instruments that the book lacks, and what is no price; no price has moved then.
        """
        price = tick_prices(prices)
        codes = instrument_codes(instruments, self._names, price.size)
        given = checked_times(times, price.size)
        with self._lock:
            first = self.number
            events = self.do("ticks", {"instrument": codes, "price": price})
        return events if given is None else replace(events, time=given[events.number - first])

    def remark(self, marks: Marks) -> Events:
        """Let all prices be others at one instant.

        Only who depends on what has moved is evaluated, here where a level is reached, the rest when
        `totals`, `positions` or `accounts` are next asked for; all of it is an evaluation to the bit.

        Parameters
        ----------
        marks : mapping of instrument to price, or array_like of shape (instruments,)
            An instrument that is missing or NaN keeps its price.

        Returns
        -------
        Events
            Their ``instrument`` is -1, their ``price`` NaN.
        """
        if isinstance(marks, Mapping):
            unknown = [name for name in marks if name not in self._names]
            if unknown:
                expected = ", ".join(self._names[:8])
                raise InputError("marks", "must be of instruments of the book", expected, repr(unknown[0]))
        price = np.asarray(prices_of(self._names, marks), dtype=np.float64)
        known = ~np.isnan(price)
        tick_prices(price[known])
        with self._lock:
            moved = np.flatnonzero(known & (price != self._core.marks())).astype(np.uint32)
            return self.do("remark", {"instrument": moved, "price": price[moved]})

    def change(self, rows: npt.ArrayLike, **columns: Any) -> Events:
        """Amend positions in place.

        Parameters
        ----------
        rows : array_like of integers, shape (r,)
        **columns : array_like, shape (r,), or a number
            ``quantity``, ``entry_price``, ``isolated_margin``, ``leverage``, ``accrued_funding``,
            ``risk_limit``, as `levcore.PositionBook` takes them; the others stay as they are.

        Returns
        -------
        Events
        """
        # Rows are never taken away: those that there are now stay.
        places, numbers = amended(rows, columns, len(self))
        given = {name: column for name, column in zip(NUMBERS, numbers, strict=True) if column is not None}
        return self.do("change", {"rows": places, **given})

    def close(self, rows: npt.ArrayLike) -> Events:
        """Close positions: their quantity is 0 from now on. Profit and margin go where the caller says."""
        return self.change(rows, quantity=0.0)

    def open(
        self,
        instrument: Any,
        quantity: npt.ArrayLike,
        entry_price: npt.ArrayLike,
        account: Sequence[Any] | None = None,
        margin_mode: str | Sequence[str] = "isolated",
        *,
        wallet_balance: Mapping[Any, float] | None = None,
        **columns: Any,
    ) -> Events:
        """Open positions, which get the rows after the last one.

        An isolated position, and a leg of an instrument that its account does not hold, takes as long as it
        is; a second leg of an instrument has the whole book armed anew.

        Parameters
        ----------
        instrument, quantity, entry_price, account, margin_mode
            As `levcore.PositionBook` takes them; instruments are some of the book.
        wallet_balance : mapping of account to balance, optional
            Of accounts that the book does not have yet.
        **columns
            ``isolated_margin``, ``leverage``, ``accrued_funding``, ``risk_limit``.

        Returns
        -------
        Events
            A position or an account comes as if it had been healthy before.

        Raises
        ------
        InputError
            For an account that would then settle in two currencies, a wallet of an account that there is
            already, and whatever `levcore.PositionBook` refuses; nothing is opened then.
        """
        count = np.size(quantity)
        codes = instrument_codes(instrument, self._names, count)
        given = {"quantity": quantity, "entry_price": entry_price, "account": account}
        given |= {"margin_mode": margin_mode} | columns
        with self._lock:
            new = opened(codes, self._names, given, wallet_balance, self._owners)
            numbers = zip(NUMBERS, new.numbers, strict=True)
            columns = {name: column for name, column in numbers if column is not None}
            columns |= {"instrument": codes, "is_cross": new.is_cross}
            columns |= {"account": new.account, "wallets": new.wallets}
            return self.do("open", columns, words=new.ids)

    def set_wallets(self, accounts: Sequence[Any], balances: npt.ArrayLike) -> Events:
        """Set wallets of accounts, by their ids; of an account that stands twice the last one holds."""
        codes, amounts = checked_accounts(accounts, balances, "balances", self._owners)
        return self.do("wallets", {"account": codes, "balance": amounts})

    def transfer(self, accounts: Sequence[Any], amounts: npt.ArrayLike) -> Events:
        """Add amounts to wallets, one after the other; negative ones are taken out."""
        codes, moved = checked_accounts(accounts, amounts, "amounts", self._owners)
        known, place = np.unique(codes, return_inverse=True)
        with self._lock:
            wallets = self._core.wallets(known)
            np.add.at(wallets, place, moved)
            return self.do("wallets", {"account": codes, "balance": wallets[place]})

    def replace_tiers(self, instrument: str | int, tiers: TierTable) -> Events:
        """Have another table of maintenance tiers hold for an instrument from now on.

        Only those who hold the instrument are looked at. `engine` is then another one, whose policy holds the
        table. A snapshot holds it, too, so that `restore` takes the engine of the beginning.

        Parameters
        ----------
        instrument : str or int
            Name, or place in the book's names.
        tiers : TierTable
            Of long and of short positions, unless the instrument has a table of its own for short ones.

        Returns
        -------
        Events

        Raises
        ------
        InputError
            For an instrument that the book or the policy lacks.
        TierError
            For a table that does not fit the instrument; the old one holds on then.
        """
        code = instrument_codes([instrument], self._names, 1)
        # Refused before anything is done or recorded.
        engine_with_tiers(self.engine, self._owners.nobody(self._names), self._names[int(code[0])], tiers)
        return self.do("tiers", {"instrument": code}, words=asdict(tiers))

    def totals(self) -> LiveTotals:
        """Totals at the prices that hold now."""
        with self._lock:
            equity, margin, (positions, accounts) = self._core.totals()
        of_state = [dict(zip(State, counts, strict=True)) for counts in (positions, accounts)]
        return LiveTotals(equity, margin, *of_state)

    def totals_by_side(self) -> TotalsBySide:
        """Totals of each instrument, long and short, at the prices that hold now."""
        with self._lock:
            positions, sums = self._core.totals_by_side()
        shape = (len(self._names), 2)
        return TotalsBySide(self._names, positions.reshape(shape), *(sum_.reshape(shape) for sum_ in sums))

    def held(self) -> AbstractContextManager[Any]:
        """Keep other threads waiting while ``with live.held():`` lasts: several calls then see the same."""
        return self._lock

    def positions(self) -> LiveFigures:
        """Numbers of the isolated positions at the prices that hold now."""
        with self._lock:
            (state, (equity, margin, ratio)), _, _ = self._core.figures()
            rows = np.flatnonzero(~self._owners.is_cross)
        return LiveFigures(rows, state[rows], equity[rows], margin[rows], ratio[rows])

    def accounts(self) -> LiveFigures:
        """Numbers of the accounts that have positions, by their places, at the prices that hold now."""
        with self._lock:
            _, codes, (state, (equity, margin, ratio)) = self._core.figures()
        order = np.argsort(codes)
        columns = (state[order], equity[order], margin[order], ratio[order])
        return LiveFigures(codes[order].astype(np.int64), *columns)

    def marks(self) -> Floats:
        """Prices that hold now, by the book's instruments; NaN where there is none."""
        with self._lock:
            marks: Floats = self._core.marks()
        return marks

    def book(self) -> PositionBook:
        """The positions as they stand, closed ones included, in their rows."""
        with self._lock:
            instrument, numbers, wallets = self._core.columns()
            return self._owners.book(
                instrument, self._names, dict(zip(NUMBERS, numbers, strict=True)), wallets
            )

    def __reduce__(self) -> Any:
        """Refuse to be copied or pickled: two live books of one journal would tell two stories.

        Raises
        ------
        DTypeError
            Always.
        """
        instead = "snapshot(path) and LiveBook.restore(engine, path)"
        raise DTypeError("LiveBook", "cannot be copied or pickled", instead, "a copy")

    def snapshot(self, path: str | Path) -> None:
        """Write everything that a live book needs to go on into a file, whole or not at all.

        Raises
        ------
        DTypeError
            For account ids that are neither text nor whole numbers, and for what is no path.
        OSError
            Where it cannot be written.
        """
        from levcore.live_books.keeping import snapshot_of

        a_path("path", path)
        with self._lock:
            record = snapshot_of(self, self._owners, self._core.columns())
        write_record(path, record)

    def record(self, path: str | Path, *, sync: bool = False) -> None:
        """Record everything that happens from now on into a journal, which must not exist.

        An event is returned after what led to it was recorded, so that a process may be killed at any time:
        `restore` goes on from a snapshot and the journal.

        Parameters
        ----------
        path : str or Path
        sync : bool
            Whether a record also outlives a power cut; takes a disk its time.

        Raises
        ------
        OSError
            Where it exists or cannot be written. A record that cannot be written ends the journal: all
            further calls are refused until another one is begun, after another snapshot.
        """
        a_path("path", path)
        self.continue_journal(Journal(path, sync=sync))

    def continue_journal(self, journal: Journal) -> None:
        """Record into this journal from now on."""
        with self._lock:
            if self._journal is not None:
                self._journal.close()
            self._journal = journal

    @staticmethod
    def restore(
        engine: Engine, snapshot: str | Path, journal: str | Path | None = None, *, sync: bool = False
    ) -> tuple[LiveBook, Events]:
        """Live book of a snapshot, with what a journal has recorded since, which it then continues.

        Parameters
        ----------
        engine : Engine
            With the policy of the snapshot.
        snapshot, journal : str or Path
            The journal may begin before the snapshot.
        sync : bool
            As of `record`.

        Returns
        -------
        LiveBook
        Events
            Those of what the journal had recorded since the snapshot.

        Raises
        ------
        FileFormatError
            For files that are none of these, damaged, of another policy, or not of each other.
        """
        from levcore.live_books.keeping import restored

        a_path("snapshot", snapshot)
        if journal is not None:
            a_path("journal", journal)
        return restored(engine, snapshot, journal, sync)

    def do(self, kind: str, columns: Mapping[str, npt.NDArray[Any]], words: Any = ()) -> Events:
        """Do what a record of a journal says, and record it."""
        with self._lock:
            if self._journal is not None:
                self._journal.refuse_failed()
            first = self.number
            events = self._told(kind, columns, self._done(kind, columns, words))
            if self._journal is not None:
                told = {"kind": kind, "first": first, "number": self.number, "hash": self.hash.hex()}
                self._journal.append(Record({**told, "words": words}, columns))
            return events

    def _done(self, kind: str, columns: Mapping[str, npt.NDArray[Any]], words: Any) -> CoreEvents:
        """Events of the core."""
        numbers = [columns.get(name) for name in NUMBERS]
        match kind:
            case "ticks":
                starts = np.arange(columns["price"].size + 1, dtype=np.uint64)
                return self._core.ticks(starts, columns["instrument"], columns["price"])
            case "remark":
                starts = np.unique(np.array([0, columns["price"].size], dtype=np.uint64))
                return self._core.ticks(starts, columns["instrument"], columns["price"])
            case "change":
                return self._core.amend(columns["rows"], numbers)
            case "wallets":
                return self._core.set_wallets(columns["account"], columns["balance"])
            case "tiers":
                code, nobody = int(columns["instrument"][0]), self._owners.nobody(self._names)
                name, tiers = self._names[code], tiers_of(words)
                self.engine = engine_with_tiers(self.engine, nobody, name, tiers)
                self.replaced_tiers = {**self.replaced_tiers, name: tiers}
                return self._core.replace_rules(kernels_of_levels(self.engine, nobody, self.levels), code)
            case _:
                new = Opened(
                    columns["is_cross"], columns["account"], numbers, list(words), columns["wallets"]
                )
                instruments = columns["instrument"]
                core = self._core.open(instruments, new.is_cross, new.account, numbers, new.wallets)
                self._owners.take(new, instruments)
                return core

    def _told(self, kind: str, columns: Mapping[str, npt.NDArray[Any]], core: CoreEvents) -> Events:
        """Events of what has just been done, counted and hashed."""
        instant, is_account, place, before, (state, (equity, margin, ratio)) = core
        instant = instant.astype(np.int64)
        instants, instrument = 1, np.full(instant.size, -1, dtype=np.int64)
        price = np.full(instant.size, np.nan)
        if kind == "ticks":
            instants = columns["price"].size
            instrument, price = columns["instrument"][instant].astype(np.int64), columns["price"][instant]
        if kind == "remark":
            instants = int(columns["price"].size > 0)
        subject = Subjects(is_account, place.astype(np.int64))
        number = instant + self.number
        events = Events(number, None, instrument, price, subject, before, state, equity, margin, ratio)
        self.number += instants
        self.hash = chained_hash(self.hash, events)
        return events


def _codes_of(book: PositionBook) -> Codes:
    """Account of each row; without meaning for isolated ones."""
    if book.account_codes is None:
        return np.full(len(book), NO_ACCOUNT, dtype=np.uint32)
    return book.account_codes
