"""A book of positions: columns checked once, grouped once, evaluated many times."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from levcore._levcore import Book, Table
from levcore.arguments import is_word
from levcore.book.arrays import Codes, Floats, frozen, read_only
from levcore.book.balances import BalanceColumns, Balances
from levcore.book.labels import NO_ACCOUNT, cross_rows, named_codes
from levcore.book.named_wallets import NamedWallets
from levcore.book.readers import join_balances, read_accounts, read_numbers, read_policies
from levcore.book.wallets import Wallets
from levcore.errors import DTypeError, InputError
from levcore.frozen import Frozen
from levcore.shown import Shown

if TYPE_CHECKING:
    from levcore.book.frames import Sizes
    from levcore.book.marks import Marks

__all__ = ["PositionBook"]

POSITION_MODES = ("one_way", "hedge")


class PositionBook(Frozen, Shown):
    """Positions, one a row, and the wallets or balances of cross accounts.

    One position alone may be given by values instead of columns.

    Parameters
    ----------
    instrument : sequence of str, shape (n,), or of int with `instrument_names`
        Instrument of each position by its name in the policy, or as a code into `instrument_names`. A name
        that the policy does not know fails its rows, not the call.
    quantity : array_like, shape (n,)
        Signed number of contracts (base units where the contract size is 1): positive long, negative short, 0
        flat.
    entry_price : array_like, shape (n,), quote per base
        Average entry price.
    account : sequence of str or int, shape (n,), optional
        Account of each position; needed for cross positions unless the book is one account.
    margin_mode : {"isolated", "cross"} or a sequence of them, shape (n,)
        How each position is margined.
    isolated_margin : array_like, shape (n,), settlement currency, optional
        Margin of isolated positions without unrealized PnL; NaN or absent: the initial margin at entry, from
        `leverage`. That of a cross position is not read; `levcore.BookRisk.unread_margins` lists those that
        are not 0.
    leverage : array_like, shape (n,), or a number, optional
        Leverage chosen by the trader; NaN or absent: initial margin and return on equity are NaN.
    accrued_funding : array_like, shape (n,), settlement currency, optional
        Funding accrued and not yet settled; positive: received. Absent: none has accrued.
    risk_limit : array_like, shape (n,), optional
        Risk limit chosen by the trader, for tables keyed by it.
    policy : str, or sequence of str, shape (n,), or of int with `policy_names`, optional
        Policy of each position, by its label in the engine (`levcore.Engine`); needed where the engine has
        several. The cross positions of an account have one.
    accounts : sequence of str or int, shape (a,), optional
        Account ids that `wallet_balance` belongs to; they come first in the results, in this order.
    wallet_balance : mapping of account to balance, array_like of shape (a,), or a number, optional
        Balance of each cross account in settlement currency, without unrealized PnL. A number: of the one
        account of a book without an `account` column. A cross account without a balance is incomplete. In a
        mapping also ``{account: {currency: balance}}``, for policies with a wallet a settlement currency.
    wallet_currency : sequence of str, shape (a,), optional
        Settlement currency of each of `wallet_balance`, empty where not said; `accounts` then names one
        account for each of its wallets.
    instrument_names : sequence of str, optional
        Names that integer codes in `instrument` point to.
    policy_names : sequence of str, optional
        Labels that integer codes in `policy` point to.
    position_mode : {"one_way", "hedge"}
        Whether a cross account has one leg an instrument, or may have a long and a short one, which then are
        solved together. Further legs of an instrument fail with ``DUPLICATE_LEG``.
    balances : Balances, optional
        What accounts hold and owe in several assets, instead of a wallet. An account may have balances and no
        positions.
    columns : levcore._levcore.Table, optional
        Columns of a frame, which come back in front of the results; `from_frame` sets it.
    marks : mapping, optional
        Mark prices that the frame held, as `levcore.Engine.evaluate` takes them; `from_frame` sets it.

    Raises
    ------
    ShapeError, DTypeError
        For columns of wrong length or type.
    InputError
        For unknown margin or position modes, codes outside of their table, duplicate account ids, cross
        positions without account, cross accounts under several policies, accounts with a wallet and balances.

    Notes
    -----
    A book does not change: setting an attribute raises `levcore.errors.ReadOnlyError`, `replace` builds
    another book. Contiguous float64 arrays are not copied: the book sees later changes of their values.
    ``copied`` names the columns of numbers that were copied; wallets by currency are. Decisions (instrument,
    account, margin mode, policy) are taken when it is built, from codes as from names: later changes are not
    seen.

    Examples
    --------
    >>> import levcore as lc
    >>> lc.PositionBook("BTCUSDT", 0.5, 60_000.0, isolated_margin=3_000.0, leverage=10)
    PositionBook(1 positions, 1 instruments, 0 cross accounts)
    """

    _instead = "build a new book, as with book.replace(quantity=...)"

    quantity: Floats
    entry_price: Floats
    isolated_margin: Floats | None
    leverage: Floats | None
    accrued_funding: Floats | None
    risk_limit: Floats | None
    instrument_codes: Codes
    instrument_names: tuple[str, ...]
    policy_codes: Codes | None
    policy_names: tuple[str, ...]
    is_cross: npt.NDArray[np.bool_]
    account: Sequence[Any] | npt.NDArray[Any] | None
    account_codes: Codes | None
    account_ids: tuple[Any, ...]
    wallet_balance: Floats
    named_wallets: NamedWallets | None
    balances: Balances | None
    balance_columns: BalanceColumns | None
    position_mode: Literal["one_way", "hedge"]
    copied: tuple[str, ...]
    columns: Table | None
    marks: Marks | None
    _layouts: dict[bool, Book]

    def __init__(
        self,
        instrument: Sequence[str] | npt.NDArray[Any],
        quantity: npt.ArrayLike,
        entry_price: npt.ArrayLike,
        account: Sequence[Any] | npt.NDArray[Any] | None = None,
        margin_mode: str | Sequence[str] | npt.NDArray[Any] = "isolated",
        isolated_margin: npt.ArrayLike | None = None,
        leverage: npt.ArrayLike | None = None,
        accrued_funding: npt.ArrayLike | None = None,
        risk_limit: npt.ArrayLike | None = None,
        policy: str | Sequence[str] | npt.NDArray[Any] | None = None,
        *,
        accounts: Sequence[Any] | npt.NDArray[Any] | None = None,
        wallet_balance: Mapping[Any, Any] | npt.ArrayLike | None = None,
        wallet_currency: Sequence[str] | npt.NDArray[Any] | None = None,
        instrument_names: Sequence[str] | None = None,
        policy_names: Sequence[str] | None = None,
        position_mode: Literal["one_way", "hedge"] = "one_way",
        balances: Balances | None = None,
        columns: Table | None = None,
        marks: Marks | None = None,
    ) -> None:
        if not is_word(position_mode, POSITION_MODES):
            raise InputError(
                "position_mode", "must be a position mode", "one_way or hedge", repr(position_mode)
            )
        if balances is not None and not isinstance(balances, Balances):
            raise DTypeError("balances", "must be Balances", "levcore.Balances(...)", type(balances).__name__)
        if isinstance(instrument, str) and not hasattr(quantity, "__len__"):
            # One position: the other columns of numbers and labels are one value for every row anyway.
            alone: list[list[Any]] = [[instrument], [quantity], [entry_price]]
            instrument, quantity, entry_price = alone
            account = None if account is None else [account]
        copied: list[str] = []
        numbers = read_numbers(
            quantity, entry_price, isolated_margin, leverage, accrued_funding, risk_limit, copied
        )
        rows = numbers.quantity.size
        codes, names = named_codes("instrument", instrument, instrument_names, rows)
        policies = read_policies(policy, policy_names, rows)
        is_cross = cross_rows(margin_mode, rows)
        owners = read_accounts(
            account, is_cross, accounts, wallet_balance, wallet_currency, balances, policies, copied
        )
        balance_columns, owners, policies = join_balances(balances, owners, policies, rows)
        # All at once: one by one, so many attributes would make a book of one position take a sixth longer.
        self.__dict__.update(
            instrument_codes=frozen(codes),
            instrument_names=names,
            quantity=numbers.quantity,
            entry_price=numbers.entry_price,
            isolated_margin=numbers.isolated_margin,
            leverage=numbers.leverage,
            accrued_funding=numbers.accrued_funding,
            risk_limit=numbers.risk_limit,
            is_cross=frozen(is_cross),
            policy_codes=frozen(policies.policy_codes),
            policy_names=policies.policy_names,
            account=read_only(owners.account),
            account_codes=frozen(owners.account_codes),
            account_ids=owners.account_ids,
            wallet_balance=frozen(owners.wallet_balance),
            named_wallets=owners.named_wallets,
            balances=balances,
            balance_columns=balance_columns,
            position_mode=position_mode,
            columns=columns,
            marks=marks,
            copied=(*copied, *(balances.copied if balances is not None else ())),
            _layouts={},
        )
        self.layout()

    @classmethod
    def from_frame(
        cls,
        frame: object,
        *,
        wallet_balance: Mapping[Any, Any] | None = None,
        balances: Balances | None = None,
        position_mode: Literal["one_way", "hedge"] = "one_way",
        instruments: Sizes | None = None,
        ignore_columns: Collection[str] = (),
        pass_columns: Collection[str] = (),
    ) -> PositionBook:
        """Book of a frame: polars, pandas, pyarrow, DuckDB, or anything else with Arrow's C stream.

        Every column of the frame comes back in front of the results (``pl.DataFrame(risk)``).

        Parameters
        ----------
        frame : object with ``__arrow_c_stream__``, or a pandas DataFrame
            One position a row. Columns by name or synonym (`levcore.book.column_names.NAMES`):
            ``instrument``, ``quantity`` (signed, or unsigned beside ``side``), ``entry_price`` and
            ``margin_mode`` always; ``account`` where a row is cross, ``isolated_margin`` or ``leverage``
            where one is isolated; optionally ``mark_price``, ``accrued_funding``, ``risk_limit``,
            ``contract_size``, ``wallet_balance``, ``wallet_currency`` and ``policy``. A null is missing,
            never zero.
        wallet_balance, balances, position_mode
            As above; `wallet_balance` a mapping, unless it is a column.
        instruments : InstrumentTable, or mapping of policy label to InstrumentTable, optional
            Needed with a column ``contract_size``: ``policy.instruments``, in whose contracts the engine
            counts.
        ignore_columns, pass_columns : sequence of str
            Columns that are no inputs whatever their name says: left out, or passed through.

        Raises
        ------
        InputError, DTypeError
            For a frame that breaks a rule, naming column and row: a column missing, two of one meaning, one
            that looks like an input and is not read.

        Examples
        --------
        >>> import levcore as lc
        >>> import polars as pl
        >>> frame = pl.DataFrame({
        ...     "desk": ["a"], "symbol": ["BTCUSDT"], "side": ["short"], "size": [0.5], "entry": [60_000.0],
        ...     "mark": [61_000.0], "margin_mode": ["isolated"], "margin": [3_000.0], "leverage": [10],
        ... })
        >>> book = lc.PositionBook.from_frame(frame)
        >>> risk = lc.Engine(lc.policy("binance-usdm@2024-10-24")).evaluate(book, book.marks)
        >>> pl.DataFrame(risk).select("desk", "symbol", "liquidation_price", "state").rows()
        [('a', 'BTCUSDT', 65737.05179282869, 'healthy')]
        """
        from levcore.book.frames import positions_of_frame

        positions = positions_of_frame(
            frame,
            ignore_columns=ignore_columns,
            pass_columns=pass_columns,
            wallet_balance=wallet_balance,
        )
        return positions.book(
            wallet_balance, balances=balances, position_mode=position_mode, instruments=instruments
        )

    def lay_out(self, pool_all: bool, wallets: Wallets | None = None) -> Book:
        """Find the order of evaluation, each of `wallets` an account of its own."""
        has_accounts = bool(self.account_ids)
        codes, balances = self.account_codes, self.balance_columns
        if wallets is not None:
            codes = wallets.of_row
            if balances is not None:
                balances = balances._replace(account=wallets.first_of(balances.account))
        if has_accounts and codes is None:
            codes = np.full(len(self), NO_ACCOUNT, dtype=np.uint32)
        return Book(
            self.instrument_codes,
            len(self.instrument_names),
            self.policy_codes if self.policy_names else None,
            len(self.policy_names),
            self.quantity,
            self.entry_price,
            self.isolated_margin,
            self.leverage,
            self.accrued_funding,
            self.risk_limit,
            self.is_cross if has_accounts else None,
            codes,
            self.wallet_balance if wallets is None else wallets.balance,
            None if wallets is None or wallets.status is None else wallets.status.tolist(),
            balances,
            self.position_mode == "hedge",
            pool_all,
        )

    def layout(self, *, pool_all: bool = False) -> Book:
        """Order of evaluation, found once; with `pool_all` every cross account is settled as one whole."""
        if pool_all not in self._layouts:
            self._layouts[pool_all] = self.lay_out(pool_all)
        return self._layouts[pool_all]

    def replace(self, **columns: Any) -> PositionBook:
        """Book with other columns: arguments of `PositionBook`, the rest as it is here.

        Names that codes point to go with their codes, and accounts with their wallets. The columns of a frame
        go along unless a column of positions is replaced, which they would contradict.

        Examples
        --------
        >>> import levcore as lc
        >>> book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0])
        >>> book.replace(quantity=[-0.5]).quantity.tolist()
        [-0.5]
        """
        from levcore.book.derived import replaced

        return PositionBook(**replaced(self, columns))

    def __len__(self) -> int:
        """Number of positions."""
        return self.quantity.size

    def __repr__(self) -> str:
        """Sizes of the book."""
        return (
            f"PositionBook({len(self):,} positions, {len(self.instrument_names):,} instruments, "
            f"{len(self.account_ids):,} cross accounts)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the columns; the order of evaluation is found again."""
        from levcore.book.derived import arguments_of

        return _rebuild, (arguments_of(self),)

    @property
    def has_pooled_accounts(self) -> bool:
        """Whether parts of an account move together: it has balances, or an instrument twice."""
        return self.layout().has_pooled_accounts

    @property
    def keeps_accounts_together(self) -> bool:
        """Whether the rows already stand in the order in which they are evaluated fastest."""
        return self.layout().keeps_accounts_together

    def row_order(self) -> npt.NDArray[np.uint32]:
        """Row order in which the same book is evaluated fastest, shape (n,): take every column in it."""
        return self.layout().row_order()

    def name_of(self, row: int) -> str:
        """Instrument of a row."""
        return self.instrument_names[int(self.instrument_codes[row])]

    def policy_of(self, row: int) -> str | None:
        """Label of the policy of a row; None if the book leaves it to the engine."""
        return None if self.policy_codes is None else self.policy_names[int(self.policy_codes[row])]

    def account_of(self, row: int) -> Any:
        """Account of a row as it was given; None if there is none."""
        if self.account is not None:
            label = self.account[row]
            return None if isinstance(label, str) and label == "" else label
        return self.account_ids[0] if self.account_codes is not None and self.is_cross[row] else None


def _rebuild(arguments: dict[str, Any]) -> PositionBook:
    return PositionBook(**arguments)
