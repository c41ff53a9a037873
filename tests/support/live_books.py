"""Live books beside evaluations of everybody: an event is a state that differs between instants."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from levcore.errors import TierError
from levcore.live_books.levels import STATES

__all__ = ["Oracle", "armed", "random_change"]

State = lc.State
Standing = dict[tuple[bool, int], tuple[int, float, float, float]]


def armed(engine: lc.Engine, book: lc.PositionBook, marks: Any) -> lc.LiveBook:
    """Live book that watches whatever its policy lets it watch."""
    try:
        return lc.live(engine, book, marks)
    except lc.InputError as error:
        if "cannot be watched" not in str(error):
            raise
        return lc.live(engine, book, marks, levels=["liquidation"])


class Oracle:
    """Evaluates the whole book after every instant."""

    def __init__(self, live: lc.LiveBook, evaluate: Any = None) -> None:
        self.live, self.events = live, 0
        # Its engine is another one where a table is replaced.
        self.evaluate = evaluate or (lambda book, marks: live.engine.evaluate(book, marks))
        watched = {State.HEALTHY, State.LIQUIDATION, State.INCOMPLETE}
        self.watched = sorted(watched | {STATES[level] for level in live.levels[1:]})
        self.known = self.standing(live.book(), live.marks())

    def seen(self, state: int) -> int:
        return int(max(level for level in self.watched if level <= state))

    def standing(self, book: lc.PositionBook, marks: npt.NDArray[Any]) -> Standing:
        """State, equity, maintenance margin and ratio of isolated rows and of accounts with legs."""
        risk = self.evaluate(book, marks)
        columns = (risk.state, risk.equity, risk.maintenance_margin, risk.margin_ratio)
        rows = np.flatnonzero(~book.is_cross)
        kept = [column[rows].tolist() for column in columns]
        found = {(False, row): each for row, each in zip(rows.tolist(), zip(*kept, strict=True), strict=True)}
        if book.account_codes is not None:
            of = risk.accounts
            columns = (of.state, of.equity, of.maintenance_margin, of.margin_ratio)
            codes = np.unique(book.account_codes[book.is_cross])
            kept = [column[codes].tolist() for column in columns]
            each = zip(*kept, strict=True)
            found |= {(True, code): numbers for code, numbers in zip(codes.tolist(), each, strict=True)}
        return found

    def check(self, events: Any, book: lc.PositionBook, marks: npt.NDArray[Any]) -> None:
        """Compare the events of one instant with what differs."""
        now = self.standing(book, marks)
        healthy = (int(State.HEALTHY), 0.0, 0.0, 0.0)
        before = {key: self.seen(self.known.get(key, healthy)[0]) for key in now}
        expected = sorted(key for key in now if before[key] != self.seen(now[key][0]))
        found = list(zip(events.subject.is_account.tolist(), events.subject.place.tolist(), strict=True))
        assert found == expected
        assert events.before.tolist() == [before[key] for key in expected]
        assert events.state.tolist() == [self.seen(now[key][0]) for key in expected]
        for number, column in enumerate((events.equity, events.maintenance_margin, events.margin_ratio), 1):
            same(column, [now[key][number] for key in expected])
        self.known = now
        self.events += len(found)

    def check_totals(self) -> None:
        """Compare figures to the bit, and totals with sums that are exact."""
        live, known = self.live, self.known
        for is_account, figures in ((False, live.positions()), (True, live.accounts())):
            keys = [(is_account, place) for place in figures.place.tolist()]
            assert keys == sorted(key for key in known if key[0] == is_account)
            assert figures.state.tolist() == [known[key][0] for key in keys]
            for number, column in enumerate(
                (figures.equity, figures.maintenance_margin, figures.margin_ratio), 1
            ):
                same(column, [known[key][number] for key in keys])
        totals = live.totals()
        summed = [numbers for numbers in known.values() if numbers[0] != State.INCOMPLETE]
        same(np.array([totals.equity]), [math.fsum(numbers[1] for numbers in summed)])
        same(np.array([totals.maintenance_margin]), [math.fsum(numbers[2] for numbers in summed)])
        for is_account, counts in ((False, totals.positions), (True, totals.accounts)):
            states = [numbers[0] for key, numbers in known.items() if key[0] == is_account]
            assert counts == {state: states.count(state) for state in State}
        self.check_totals_by_side()

    def check_totals_by_side(self) -> None:
        """Compare totals by instrument and side with sums that are exact."""
        found, book = self.live.totals_by_side(), self.live.book()
        sided = np.isfinite(book.quantity) & (book.quantity != 0)
        incomplete = (int(State.INCOMPLETE), 0.0, 0.0, 0.0)
        figures = [self.known.get((False, row), incomplete) for row in range(len(book))]
        known = np.array([numbers[0] != State.INCOMPLETE for numbers in figures], dtype=bool)
        for code in range(len(book.instrument_names)):
            for side, on_side in enumerate((book.quantity > 0, book.quantity < 0)):
                own = sided & on_side & (book.instrument_codes == code)
                rows = np.flatnonzero(own & known).tolist()
                assert found.positions[code, side] == own.sum()
                assert found.quantity[code, side] == math.fsum(np.abs(book.quantity[own]))
                assert found.equity[code, side] == math.fsum(figures[row][1] for row in rows)
                assert found.maintenance_margin[code, side] == math.fsum(figures[row][2] for row in rows)


def same(found: npt.NDArray[Any], expected: list[float]) -> None:
    """Compare to the bit; a state that is not known has no numbers."""
    wanted = np.array(expected, dtype=np.float64)
    known = ~np.isnan(wanted)
    assert np.isnan(found[~known]).all()
    assert (found[known] == wanted[known]).all()


def random_change(random: np.random.Generator, live: lc.LiveBook) -> Any:
    """Change something of a live book; the events of it, None where a position would need another wallet."""
    try:
        return changed(random, live)
    except lc.InputError as error:
        if "must settle in the currency" in str(error):
            return None
        raise


def changed(random: np.random.Generator, live: lc.LiveBook) -> Any:
    if len(live) == 0:
        return live.change([], quantity=[])
    rows = random.integers(0, len(live), int(random.integers(1, 4)))
    held = live.book()
    match int(random.integers(0, 9)):
        case 0:
            sizes = np.where(np.isfinite(held.quantity[rows]), held.quantity[rows], 1.0)
            return live.change(rows, quantity=sizes * random.uniform(-1.5, 1.5, rows.size))
        case 1:
            entries = np.where(held.entry_price[rows] > 0, held.entry_price[rows], 1.0)
            return live.change(rows, entry_price=entries * random.uniform(0.8, 1.2, rows.size))
        case 2:
            return live.change(rows, leverage=random.integers(2, 30, rows.size).astype(float))
        case 3:
            values = np.abs(held.quantity[rows] * held.entry_price[rows])
            values = np.where(np.isfinite(values), values, 1.0)
            return live.change(
                rows, isolated_margin=values * random.uniform(0.01, 0.5, rows.size), accrued_funding=0.25
            )
        case 4:
            return live.close(rows)
        case 5 if live.account_ids:
            places = random.integers(0, len(live.account_ids), 2)
            known = np.where(np.isfinite(held.wallet_balance), held.wallet_balance, 100.0)[places]
            ids = [live.account_ids[place] for place in places]
            if random.random() < 0.5:
                return live.set_wallets(ids, known * random.uniform(0.2, 2.0, 2))
            return live.transfer(ids, np.abs(known) * random.uniform(-0.7, 0.7, 2))
        case 6:
            return retiered(random, live)
        case _:
            return opened(random, live)


def retiered(random: np.random.Generator, live: lc.LiveBook) -> Any:
    """Have another table hold for an instrument; one that the policy does not know keeps none."""
    code = int(random.choice(live.book().instrument_codes))
    tiers = lc.TierTable.single_rate(float(random.integers(2, 60)) / 1_000)
    try:
        return live.replace_tiers(code, tiers)
    except (lc.InputError, TierError):
        # An instrument that the policy does not know, and a policy of another kind of table.
        return None


def opened(random: np.random.Generator, live: lc.LiveBook) -> Any:
    """Open two positions like ones that there are, or with an account that is new."""
    held, names = live.book(), live.instrument_names
    count = 2
    like = random.integers(0, len(held), count)
    codes = held.instrument_codes[like]
    quantity = np.where(np.isfinite(held.quantity[like]), held.quantity[like], 1.0) * random.uniform(0.2, 1.0)
    entry = np.where(held.entry_price[like] > 0, held.entry_price[like], 1.0)
    given: dict[str, Any] = {"leverage": 10.0}
    if held.is_cross.any():
        label = f"new {len(live)}"
        old = live.account_ids[int(random.integers(0, len(live.account_ids)))]
        kind = random.random()
        given["account"] = [old, old] if kind < 0.5 else [old, label] if kind < 0.8 else [label, label]
        given["margin_mode"] = "cross"
        if label in given["account"]:
            given["wallet_balance"] = {label: float(np.abs(quantity * entry).max() / 15)}
    return live.open([names[code] for code in codes], quantity, entry, **given)
