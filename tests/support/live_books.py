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


def armed(engine: lc.Engine, book: lc.PositionBook, marks: Any, **options: Any) -> lc.LiveBook:
    """Live book that watches whatever its policies let it watch."""
    try:
        return lc.live(engine, book, marks, **options)
    except lc.InputError as error:
        if "cannot be watched" not in str(error):
            raise
        return lc.live(engine, book, marks, **(options | {"levels": ["liquidation"]}))


def policies_of(book: lc.PositionBook) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Code of the policy of each row and of each account; of an account that holds nothing any."""
    of_account = np.zeros(len(book.account_ids), dtype=np.int64)
    of_row = np.zeros(len(book), dtype=np.int64)
    if book.policy_codes is not None:
        of_row = book.policy_codes.astype(np.int64)
    if book.balance_columns is not None and book.balance_columns.policy is not None:
        of_account[book.balance_columns.account] = book.balance_columns.policy
    if book.account_codes is not None:
        of_account[book.account_codes[book.is_cross]] = of_row[book.is_cross]
    return of_row, of_account


def accounts_of(book: lc.PositionBook) -> npt.NDArray[Any]:
    """Codes of the accounts with positions or balances."""
    held: list[npt.NDArray[Any]] = [np.empty(0, dtype=np.uint32)]
    if book.account_codes is not None:
        held.append(book.account_codes[book.is_cross])
    if book.balance_columns is not None:
        held.append(book.balance_columns.account)
    codes: npt.NDArray[Any] = np.unique(np.concatenate(held))
    return codes


def seen_states(live: lc.LiveBook) -> npt.NDArray[Any]:
    """Each state as the watched levels tell it, by policy."""
    found = []
    for levels in live.levels_by_policy.values():
        watched = {
            State.HEALTHY,
            State.LIQUIDATION,
            State.INCOMPLETE,
            *(STATES[level] for level in levels[1:]),
        }
        found.append([max(level for level in watched if level <= state) for state in State])
    return np.array(found, dtype=np.uint8)


class Prices:
    """Marks and prices of assets that move, as ticks and as an evaluation takes them."""

    def __init__(self, live: lc.LiveBook) -> None:
        self.live, self.labels = live, list(live.levels_by_policy)
        self.marks, self.of_assets = live.marks(), live.asset_prices()
        reasonable = (self.marks > 1e-9) & (self.marks < 1e9)
        # What ticks go on from where there is no price yet.
        self.at = np.atleast_2d(np.where(reasonable, self.marks, 1.0)).copy()
        self.at_assets = dict.fromkeys(live.asset_names, 1.0)
        self.at_assets |= {name: price for name, price in (self.of_assets or {}).items() if price > 1e-9}

    def ticks(self, random: np.random.Generator, size: float, count: int) -> tuple[dict[str, Any], list[Any]]:
        """Random ticks as arguments, and marks and prices of assets after each of them."""
        live, used = self.live, np.unique(self.live.book().instrument_codes)
        held = used.tolist() or list(range(len(live.instrument_names)))
        known = sorted(
            set(live.asset_names) & {name for one in live.engine.policies.values() for name in one.assets}
        )
        names, prices, is_asset, policies, after = [], [], [], [], []
        for _ in range(count):
            move = np.exp(random.normal(0, 20 * size if random.random() < 0.05 else size))
            policy = int(random.integers(0, len(self.labels)))
            policies.append(self.labels[policy])
            if self.of_assets is not None and known and random.random() < 0.4:
                name = str(random.choice(known))
                self.at_assets[name] *= move
                self.of_assets = {**self.of_assets, name: self.at_assets[name]}
                names.append(name)
                prices.append(self.at_assets[name])
            else:
                code = int(random.choice(held))
                self.at[policy, code] *= move
                self.marks = self.marks.copy()
                np.atleast_2d(self.marks)[policy, code] = self.at[policy, code]
                names.append(live.instrument_names[code])
                prices.append(self.at[policy, code])
            is_asset.append(names[-1] in known and prices[-1] == self.at_assets.get(names[-1]))
            after.append((self.marks, self.of_assets))
        given: dict[str, Any] = {"instruments": names, "prices": prices, "is_asset": is_asset}
        return given | ({"policies": policies} if len(self.labels) > 1 else {}), after

    def remark(self, random: np.random.Generator, size: float) -> Any:
        """Let all prices be others at once; the events."""
        self.at = self.at * np.exp(random.normal(0, size, self.at.shape))
        self.marks = self.at.reshape(self.marks.shape).copy()
        of_assets = None
        if self.of_assets is not None:
            of_assets = {
                name: price * np.exp(random.normal(0, size)) for name, price in self.of_assets.items()
            }
            of_assets = {name: price for name, price in of_assets.items() if price > 0}
            self.at_assets |= of_assets
            self.of_assets = {**self.of_assets, **of_assets}
        return self.live.remark(self.marks, asset_prices=of_assets)


class Oracle:
    """Evaluates the whole book after every instant."""

    def __init__(self, live: lc.LiveBook) -> None:
        self.live, self.events = live, 0
        self.seen_by_policy = seen_states(live)
        self.known = self.standing(live.book(), live.marks(), live.asset_prices())

    def standing(self, book: lc.PositionBook, marks: Any, of_assets: Any) -> Standing:
        """State, equity, maintenance margin and ratio of isolated rows and of accounts."""
        # Its engine is another one where a table is replaced.
        prices = of_assets if book.balances is not None else None
        risk = self.live.engine.evaluate(book, marks, asset_prices=prices)
        of_row, of_account = policies_of(book)
        self.policy = {(False, row): code for row, code in enumerate(of_row.tolist())}
        self.policy |= {(True, place): code for place, code in enumerate(of_account.tolist())}
        columns = (risk.state, risk.equity, risk.maintenance_margin, risk.margin_ratio)
        rows = np.flatnonzero(~book.is_cross)
        kept = [column[rows].tolist() for column in columns]
        found = {(False, row): each for row, each in zip(rows.tolist(), zip(*kept, strict=True), strict=True)}
        codes = accounts_of(book)
        if codes.size:
            of = risk.accounts
            columns = (of.state, of.equity, of.maintenance_margin, of.margin_ratio)
            kept = [column[codes].tolist() for column in columns]
            each = zip(*kept, strict=True)
            found |= {(True, code): numbers for code, numbers in zip(codes.tolist(), each, strict=True)}
        return found

    def seen(self, key: tuple[bool, int], state: int) -> int:
        return int(self.seen_by_policy[self.policy[key], state])

    def check(self, events: Any, book: lc.PositionBook, marks: Any, of_assets: Any) -> None:
        """Compare the events of one instant with what differs."""
        now = self.standing(book, marks, of_assets)
        healthy = (int(State.HEALTHY), 0.0, 0.0, 0.0)
        before = {key: self.seen(key, self.known.get(key, healthy)[0]) for key in now}
        expected = sorted(key for key in now if before[key] != self.seen(key, now[key][0]))
        found = list(zip(events.subject.is_account.tolist(), events.subject.place.tolist(), strict=True))
        assert found == expected
        assert events.before.tolist() == [before[key] for key in expected]
        assert events.state.tolist() == [self.seen(key, now[key][0]) for key in expected]
        for number, column in enumerate((events.equity, events.maintenance_margin, events.margin_ratio), 1):
            same(column, [now[key][number] for key in expected])
        self.known = now
        self.events += len(found)

    def check_now(self, events: Any) -> None:
        """The same of an instant that has just been."""
        self.check(events, self.live.book(), self.live.marks(), self.live.asset_prices())

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
    """Change something of a live book; the events of it, None where a position may not be opened so."""
    try:
        return changed(random, live)
    except lc.InputError as error:
        odd = ("must settle in the currency", "must be one for all cross positions")
        if any(words in str(error) for words in odd):
            return None
        raise


def changed(random: np.random.Generator, live: lc.LiveBook) -> Any:
    if len(live) == 0:
        return live.change([], quantity=[])
    rows = random.integers(0, len(live), int(random.integers(1, 4)))
    held = live.book()
    match int(random.integers(0, 9 if held.balances is None else 13)):
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
        case 5 if (places := np.setdiff1d(np.arange(len(live.account_ids)), in_assets(held))).size:
            places = random.choice(places, 2)
            known = np.where(np.isfinite(held.wallet_balance), held.wallet_balance, 100.0)[places]
            ids = [live.account_ids[place] for place in places]
            if random.random() < 0.5:
                return live.set_wallets(ids, known * random.uniform(0.2, 2.0, 2))
            return live.transfer(ids, np.abs(known) * random.uniform(-0.7, 0.7, 2))
        case 9 | 10 | 11:
            return in_balances(random, live, held)
        case 6:
            return retiered(random, live)
        case _:
            return opened(random, live)


def in_assets(book: lc.PositionBook) -> npt.NDArray[Any]:
    """Codes of accounts with balances."""
    held = book.balance_columns
    return np.empty(0, dtype=np.int64) if held is None else np.unique(held.account)


def in_balances(random: np.random.Generator, live: lc.LiveBook, held: lc.PositionBook) -> Any:
    """Move, lend, or let interest accrue on balances, also in assets that an account has not held."""
    codes, count = in_assets(held), int(random.integers(1, 4))
    ids = [live.account_ids[code] for code in random.choice(codes, count)]
    names = sorted({name for policy in live.engine.policies.values() for name in policy.assets})
    assets = [str(name) for name in random.choice(names, count)]
    # About what a contract is worth.
    amounts = np.array([300.0 if name.startswith("USD") else 3.0 for name in assets])
    kind = random.random()
    if kind < 0.5:
        return live.transfer(ids, amounts * random.uniform(-1.0, 1.5, count), assets)
    if kind < 0.75:
        return live.set_balances(ids, assets, liability=amounts * random.uniform(0.0, 0.5, count))
    return live.set_balances(ids, assets, amounts * random.uniform(0.0, 2.0, count), interest=amounts / 1_000)


def retiered(random: np.random.Generator, live: lc.LiveBook) -> Any:
    """Have another table hold for an instrument; one that the policy does not know keeps none."""
    code = int(random.choice(live.book().instrument_codes))
    tiers = lc.TierTable.single_rate(float(random.integers(2, 60)) / 1_000)
    label = str(random.choice(list(live.levels_by_policy)))
    try:
        return live.replace_tiers(code, tiers, policy=label)
    except (lc.InputError, TierError):
        # An instrument that the policy does not know, and a policy of another kind of table.
        return None


def opened(random: np.random.Generator, live: lc.LiveBook) -> Any:
    """Open two positions of one policy like ones that there are, or with an account that is new."""
    held, names = live.book(), live.instrument_names
    of_row, of_account = policies_of(held)
    policy = int(random.choice(of_row))
    like = random.choice(np.flatnonzero(of_row == policy), 2)
    codes = held.instrument_codes[like]
    quantity = np.where(np.isfinite(held.quantity[like]), held.quantity[like], 1.0) * random.uniform(0.2, 1.0)
    entry = np.where(held.entry_price[like] > 0, held.entry_price[like], 1.0)
    given: dict[str, Any] = {"leverage": 10.0}
    if held.policy_codes is not None:
        given["policy"] = [held.policy_names[policy]] * 2
    of_policy = np.flatnonzero(of_account == policy)
    if held.is_cross.any() and of_policy.size:
        label = f"new {len(live)}"
        old = live.account_ids[int(random.choice(of_policy))]
        kind = random.random()
        given["account"] = [old, old] if kind < 0.5 else [old, label] if kind < 0.8 else [label, label]
        given["margin_mode"] = "cross"
        if label in given["account"]:
            worth = float(np.abs(quantity * entry).max() / 15)
            assets = live.engine.policies[list(live.levels_by_policy)[policy]].assets
            if held.balances is not None and random.random() < 0.6:
                labels = None if len(live.levels_by_policy) == 1 else given["policy"][:1]
                given["balances"] = lc.Balances(
                    [label], [str(random.choice(list(assets)))], [worth], policy=labels
                )
            else:
                given["wallet_balance"] = {label: worth}
    return live.open([names[code] for code in codes], quantity, entry, **given)
