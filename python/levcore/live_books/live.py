"""The live book: prices pass, positions change, and who enters or leaves a state is told at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.arguments import of_kind
from levcore.book.arrays import Codes, Floats, float_column
from levcore.book.asset_prices import asset_price_columns
from levcore.book.marks import mark_prices
from levcore.book.policy_labels import labels_of_book
from levcore.book.positions import PositionBook
from levcore.engine.engine import Engine
from levcore.errors import InputError
from levcore.live_books.arguments import (
    amended,
    checked_accounts,
    code_of,
    codes_of,
    label_of_policy,
    refuse_other_columns,
    refuse_other_money,
)
from levcore.live_books.events import Events
from levcore.live_books.levels import engine_with_tiers, watched_levels
from levcore.live_books.opening import opened
from levcore.live_books.owners import NUMBERS
from levcore.live_books.priced import PricedBook
from levcore.live_books.resident import Resident
from levcore.rules.tiers import TierTable

if TYPE_CHECKING:
    from levcore.book.balances import Balances
    from levcore.book.marks import Marks

__all__ = ["LiveBook", "live"]


def live(
    engine: Engine,
    book: PositionBook,
    marks: Marks,
    *,
    levels: Sequence[str] | None = None,
    asset_prices: Mapping[str, float] | None = None,
) -> LiveBook:
    """Keep a book whose prices move and whose positions change.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
        Its accounts with one wallet each, or with `levcore.Balances`, under one policy or several. Its
        columns are copied.
    marks
        Prices at the beginning, as `levcore.Engine.evaluate` takes them; missing ones may come later.
    levels : sequence of str, optional
        Levels to watch, of ``"warning"``, ``"margin_call"``, ``"liquidation"``, ``"bankruptcy"``; liquidation
        always is. Of several policies each watches those of them that it states. Default: all. Fewer are
        faster.
    asset_prices : mapping of asset name to price, optional
        As `levcore.Engine.evaluate` takes them, needed for a book with balances, also taken for one that gets
        some later; missing ones may come later.

    Returns
    -------
    LiveBook

    Raises
    ------
    InputError
        For a book with several wallets an account, and for levels that no policy states or that cannot be
        watched.

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
    return LiveBook(engine, book, marks, levels, asset_prices)


class LiveBook(PricedBook):
    """A book whose prices move and whose positions change in place; `levcore.live` makes one.

    Many threads may use it: calls take their turn, and each sees the whole of those before it, never a part;
    `held` has several calls see the same. Isolated positions and cross accounts, also with hedges and with
    balances in several assets; a position keeps its row, also when it is closed. Events are those of an
    evaluation of the whole book after every instant: each change of state comes at the very instant, with the
    numbers of the evaluation there.

    Only who comes near a level is evaluated, and then waits for prices a little before the next one: this
    delays no event, it only makes more evaluations than events where a price stays near a level.

    Attributes
    ----------
    engine : Engine
        With the tables that hold now.
    levels : tuple of str
        Levels that are watched under any policy.
    number : int
        How many instants there have been.
    replaced_tiers : mapping of (label of the policy, instrument) to TierTable
        Tables that hold now instead of those of the engine at the beginning.
    hash : bytes
        SHA-256 over all events, each instant chained to the one before.
    """

    __slots__ = ()

    def __init__(
        self,
        engine: Engine,
        book: PositionBook,
        marks: Marks,
        levels: Sequence[str] | None = None,
        asset_prices: Mapping[str, float] | None = None,
    ) -> None:
        of_kind("engine", engine, Engine)
        bound = engine.bind(book)
        if bound.wallets.is_split or bound.wallets.status is not None:
            remedy = "engine.by_wallet(book)"
            raise InputError("book", "must have one wallet an account", remedy, "accounts with several")
        if book.balances is not None or not isinstance(asset_prices, Mapping | None):
            asset_price_columns(book, bound.policies, asset_prices)
        labels = labels_of_book(book, tuple(engine.policies))
        watched = watched_levels(levels, bound.policies)
        prices = np.asarray(mark_prices(book, marks))
        # What an evaluation refuses is refused here: rates that fall in accounts settled as one whole, say.
        of_balances = asset_prices if book.balances is not None else None
        engine.evaluate(book, marks, asset_prices=of_balances, measures=("equity",))
        super().__init__(Resident(engine, book, labels, watched, prices, asset_prices or {}))

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
        balances: Balances | None = None,
        **columns: Any,
    ) -> Events:
        """Open positions, which get the rows after the last one.

        Parameters
        ----------
        instrument, quantity, entry_price, account, margin_mode
            As `levcore.PositionBook` takes them; instruments are some of the book.
        wallet_balance : mapping of account to balance, optional
            Of accounts that the book does not have yet.
        balances : Balances, optional
            The same in several assets; such an account needs no position.
        **columns
            ``isolated_margin``, ``leverage``, ``accrued_funding``, ``risk_limit``; ``policy``, needed in a
            book under several policies.

        Returns
        -------
        Events
            A position or an account comes as if it had been healthy before.

        Raises
        ------
        InputError
            For an account that would then settle in two currencies or stand under two policies, a wallet or
            balances of an account that there is already, a policy or an asset that the book does not have,
            and whatever `levcore.PositionBook` refuses; nothing is opened then.
        UnknownRuleError
            For positions that need a rule which no source states.
        """
        refuse_other_columns(columns, (*NUMBERS[2:], "policy"))
        codes = codes_of("instrument", instrument, self._resident.names, np.size(quantity))
        given = {"quantity": quantity, "entry_price": entry_price, "account": account}
        given |= {"margin_mode": margin_mode, "balances": balances} | columns
        with self._lock:
            record, ids = opened(self._resident, codes, wallet_balance, given)
            return self.do("open", record, words=ids)

    def set_wallets(self, accounts: Sequence[Any], balances: npt.ArrayLike) -> Events:
        """Set wallets of accounts, by their ids; of an account that stands twice the last one holds."""
        codes = self._accounts(accounts, in_assets=False)
        return self.do("wallets", {"account": codes, "balance": _of_each("balances", balances, codes)})

    def set_balances(
        self,
        accounts: Sequence[Any],
        assets: Sequence[str],
        balance: npt.ArrayLike | None = None,
        liability: npt.ArrayLike | None = None,
        interest: npt.ArrayLike | None = None,
    ) -> Events:
        """Set what accounts hold and owe, as after a loan or when interest accrues.

        Parameters
        ----------
        accounts : sequence of account ids, shape (b,)
            That have balances; of an account and asset that stand twice the last one holds.
        assets : sequence of str, shape (b,)
            Assets of the policies. One that the account does not hold yet begins with what is given, and zero
            for what is not.
        balance, liability, interest : array_like, shape (b,), units of the asset, optional
            As `levcore.Balances` takes them; what is absent stays as it is.

        Returns
        -------
        Events

        Raises
        ------
        InputError
            For accounts and assets that the book lacks, accounts with a wallet, and no column at all.
        """
        codes = self._accounts(accounts, in_assets=True)
        given = {"balance": balance, "liability": liability, "interest": interest}
        columns: dict[str, npt.NDArray[Any]] = {
            name: _of_each(name, values, codes) for name, values in given.items() if values is not None
        }
        if not columns:
            raise InputError("balance", "must be said, or another column", ", ".join(given), "none")
        of_asset = codes_of("assets", assets, self._resident.assets, codes.size)
        return self.do("balances", {"account": codes, "asset": of_asset, **columns})

    def transfer(
        self, accounts: Sequence[Any], amounts: npt.ArrayLike, assets: Sequence[str] | None = None
    ) -> Events:
        """Add amounts to wallets, one after the other; negative ones are taken out.

        With `assets`, one an amount, to the balances of accounts that have such.
        """
        codes = self._accounts(accounts, in_assets=assets is not None)
        moved = _of_each("amounts", amounts, codes)
        of_asset = np.zeros(codes.size, np.uint32)
        if assets is not None:
            of_asset = codes_of("assets", assets, self._resident.assets, codes.size)
        pairs = codes.astype(np.int64) * (len(self._resident.assets) + 1) + of_asset
        _, first, place = np.unique(pairs, return_index=True, return_inverse=True)
        resident, known = self._resident, codes[first]
        with self._lock:
            if assets is None:
                held = resident.cores[0].wallets(known)
                np.add.at(held, place, moved)
                return self.do("wallets", {"account": codes, "balance": held[place]})
            held = resident.balances_of(known, of_asset[first])[0]
            np.add.at(held, place, moved)
            return self.do("balances", {"account": codes, "asset": of_asset, "balance": held[place]})

    def replace_tiers(self, instrument: str | int, tiers: TierTable, *, policy: str | None = None) -> Events:
        """Have another table of maintenance tiers hold for an instrument from now on.

        Only those who hold the instrument are looked at. `engine` is then another one, whose policy holds the
        table. A snapshot holds it, too, so that `restore` takes the engine of the beginning.

        Parameters
        ----------
        instrument : str or int
            Name, or place in the book's names.
        tiers : TierTable
            Of long and of short positions, unless the instrument has a table of its own for short ones.
        policy : str, optional
            Label of the policy; needed where several of the book's policies know the instrument.

        Returns
        -------
        Events

        Raises
        ------
        InputError
            For an instrument that the book or the policy lacks, and a policy that is not said.
        TierError
            For a table that does not fit the instrument; the old one holds on then.
        """
        resident = self._resident
        code = code_of("instrument", instrument, resident.names)
        of_policy = self._policy_with(resident.names[int(code[0])], policy)
        # Refused before anything is done or recorded.
        engine_with_tiers(self.engine, resident.owners.labels[of_policy], resident.names[int(code[0])], tiers)
        columns: dict[str, npt.NDArray[Any]] = {"instrument": code, "policy": np.array([of_policy])}
        return self.do("tiers", columns, words=asdict(tiers))

    def _policy_with(self, instrument: str, policy: str | None) -> int:
        labels = self._resident.owners.labels
        if policy is not None:
            return label_of_policy(policy, labels)
        known = [
            code for code, label in enumerate(labels) if instrument in self.engine.policies[label].instruments
        ]
        if len(known) > 1:
            expected = ", ".join(labels[code] for code in known)
            raise InputError("policy", f"must be said for {instrument}", expected, "none")
        return known[0] if known else 0

    def _accounts(self, accounts: Sequence[Any], *, in_assets: bool) -> Codes:
        with self._lock:
            codes = checked_accounts(accounts, self._resident.owners)
            refuse_other_money(codes, self._resident.owners, in_assets)
        return codes


def _of_each(argument: str, values: npt.ArrayLike, accounts: Codes) -> Floats:
    return float_column(argument, values, accounts.size, [])
