"""A book of positions: columns checked once, grouped once, evaluated many times."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from levcore._levcore import Book, BookPolicies, Table
from levcore.book.arrays import Codes, Floats, float_column, label_sequence
from levcore.book.balances import BalanceColumns, Balances, join_accounts, policy_codes_of_balances
from levcore.book.labels import (
    MODES,
    NO_ACCOUNT,
    account_codes,
    cross_rows,
    named_codes,
    refuse_accounts_of_several_policies,
)
from levcore.errors import DTypeError, InputError

if TYPE_CHECKING:
    from levcore.book.frames import Sizes
    from levcore.book.marks import Marks
    from levcore.rules.policy import MarginPolicy

__all__ = ["Binding", "PositionBook"]


POSITION_MODES = ("one_way", "hedge")


class Binding(NamedTuple):
    """The policies of an engine that a book's policy codes point to, found once."""

    engine: object
    policies: tuple["MarginPolicy", ...]
    kernel: "BookPolicies"
    handle: "Book"


class PositionBook:
    """Positions, one a row, and the wallets or balances of cross accounts.

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
        `leverage`.
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
        account of a book without an `account` column. A cross account without a balance is incomplete.
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
    Contiguous float64 arrays are not copied: the book sees later changes of their values, but not of the sign
    of a decision taken when it was built (instrument, account, margin mode, policy). ``copied`` names the
    columns that were copied.
    """

    __slots__ = (
        "__weakref__",
        "account",
        "account_codes",
        "account_ids",
        "accrued_funding",
        "balance_columns",
        "balances",
        "binding",
        "columns",
        "copied",
        "entry_price",
        "handle",
        "instrument_codes",
        "instrument_names",
        "is_cross",
        "isolated_margin",
        "leverage",
        "marks",
        "policy_codes",
        "policy_names",
        "position_mode",
        "quantity",
        "risk_limit",
        "wallet_balance",
        "whole_handle",
    )

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
        wallet_balance: Mapping[Any, float] | npt.ArrayLike | None = None,
        instrument_names: Sequence[str] | None = None,
        policy_names: Sequence[str] | None = None,
        position_mode: Literal["one_way", "hedge"] = "one_way",
        balances: Balances | None = None,
        columns: Table | None = None,
        marks: "Marks | None" = None,
    ) -> None:
        if position_mode not in POSITION_MODES:
            raise InputError(
                "position_mode", "must be a position mode", "one_way or hedge", repr(position_mode)
            )
        if balances is not None and not isinstance(balances, Balances):
            raise DTypeError("balances", "must be Balances", "levcore.Balances(...)", type(balances).__name__)
        self.position_mode = position_mode
        self.balances = balances
        self.columns = columns
        self.marks = marks
        copied: list[str] = []
        self.quantity: Floats = float_column("quantity", quantity, None, copied)
        rows = self.quantity.size
        self.entry_price: Floats = float_column("entry_price", entry_price, rows, copied)

        def optional(name: str, values: npt.ArrayLike | None) -> Floats | None:
            return None if values is None else float_column(name, values, rows, copied)

        self.isolated_margin: Floats | None = optional("isolated_margin", isolated_margin)
        self.leverage: Floats | None = optional("leverage", leverage)
        self.accrued_funding: Floats | None = optional("accrued_funding", accrued_funding)
        self.risk_limit: Floats | None = optional("risk_limit", risk_limit)
        self.instrument_codes: Codes
        self.instrument_names: tuple[str, ...]
        self.instrument_codes, self.instrument_names = named_codes(
            "instrument", instrument, instrument_names, rows
        )
        self.policy_codes: Codes | None = None
        self.policy_names: tuple[str, ...] = ()
        if isinstance(policy, str) and policy_names is None:
            self.policy_codes, self.policy_names = np.zeros(rows, dtype=np.uint32), (policy,)
        elif policy is not None:
            self.policy_codes, self.policy_names = named_codes("policy", policy, policy_names, rows)
        elif policy_names is not None:
            raise InputError("policy", "is needed with policy_names", "one policy a row", "none")
        self.is_cross: npt.NDArray[np.bool_] = cross_rows(margin_mode, rows)
        if account is None and wallet_balance is None and balances is not None:
            # The one account of the balances is that of the positions, too.
            account = balances.account_labels * rows if len(balances.account_labels) == 1 else None
        if account is not None:
            account = label_sequence("account", account)
        self.account: Sequence[Any] | npt.NDArray[Any] | None = account
        self.account_codes: Codes | None
        self.account_ids: list[Any]
        self.wallet_balance: Floats
        self.account_codes, self.account_ids, self.wallet_balance = account_codes(
            account, self.is_cross, accounts, wallet_balance, copied
        )
        if self.policy_codes is not None and self.account_codes is not None:
            refuse_accounts_of_several_policies(
                self.policy_codes, self.policy_names, self.account_codes, self.account_ids
            )
        self.balance_columns: BalanceColumns | None = self._join_balances(balances)
        self.copied: tuple[str, ...] = tuple(copied) + (balances.copied if balances is not None else ())
        self.binding: Binding | None = None
        self.whole_handle: Book | None = None
        self.handle = self._lay_out(pool_all=False)

    @classmethod
    def from_frame(
        cls,
        frame: object,
        *,
        wallet_balance: Mapping[Any, float] | None = None,
        balances: Balances | None = None,
        position_mode: Literal["one_way", "hedge"] = "one_way",
        instruments: "Sizes | None" = None,
        ignore_columns: Collection[str] = (),
        pass_columns: Collection[str] = (),
    ) -> "PositionBook":
        """Book of a frame: polars, pandas, pyarrow, DuckDB, or anything else with Arrow's C stream.

        Every column of the frame comes back in front of the results (``pl.DataFrame(risk)``).

        Parameters
        ----------
        frame : object with ``__arrow_c_stream__``, or a pandas DataFrame
            One position a row. Columns by name or synonym (`levcore.book.column_names.NAMES`):
            ``instrument``, ``quantity`` (signed, or unsigned beside ``side``), ``entry_price`` and
            ``margin_mode`` always; ``account`` where a row is cross, ``isolated_margin`` or ``leverage``
            where one is isolated; optionally ``mark_price``, ``accrued_funding``, ``risk_limit``,
            ``contract_size``, ``wallet_balance`` and ``policy``. A null is missing, never zero.
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

        positions = positions_of_frame(frame, ignore_columns=ignore_columns, pass_columns=pass_columns)
        return positions.book(
            wallet_balance, balances=balances, position_mode=position_mode, instruments=instruments
        )

    def _join_balances(self, balances: Balances | None) -> BalanceColumns | None:
        if balances is None:
            return None
        accounts, self.account_ids, self.wallet_balance = join_accounts(
            balances, self.account_ids, self.wallet_balance
        )
        of_account = np.full(len(self.account_ids), -1, dtype=np.int64)
        if self.account_codes is not None:
            legs = self.account_codes != NO_ACCOUNT
            of_account[self.account_codes[legs]] = 0 if self.policy_codes is None else self.policy_codes[legs]
        if balances.policy is not None and self.policy_codes is None and len(self):
            raise InputError("policy", "is needed where balances name theirs", "one policy a row", "none")
        policies, self.policy_names = policy_codes_of_balances(
            balances, accounts, self.account_ids, self.policy_names, of_account
        )
        if self.policy_names and self.policy_codes is None:
            self.policy_codes = np.empty(0, dtype=np.uint32)
        return BalanceColumns(
            accounts,
            balances.asset_codes,
            len(balances.asset_names),
            policies,
            balances.balance,
            balances.liability,
            balances.interest,
        )

    def _lay_out(self, pool_all: bool) -> "Book":
        has_accounts = bool(self.account_ids)
        codes = self.account_codes
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
            self.wallet_balance,
            self.balance_columns,
            self.position_mode == "hedge",
            pool_all,
        )

    def whole(self) -> "Book":
        """Layout in which every cross account is settled as one whole, for rules that need it."""
        if self.whole_handle is None:
            self.whole_handle = self._lay_out(pool_all=True)
        return self.whole_handle

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
        arguments = {
            "instrument": self.instrument_codes,
            "instrument_names": self.instrument_names,
            "quantity": self.quantity,
            "entry_price": self.entry_price,
            "account": self._account_labels(),
            "margin_mode": np.where(self.is_cross, MODES[1], MODES[0]),
            "isolated_margin": self.isolated_margin,
            "leverage": self.leverage,
            "accrued_funding": self.accrued_funding,
            "risk_limit": self.risk_limit,
            "policy": self.policy_codes,
            "policy_names": None if self.policy_codes is None else self.policy_names,
            "accounts": self.account_ids,
            "wallet_balance": self.wallet_balance,
            "position_mode": self.position_mode,
            "balances": self.balances,
            "columns": self.columns,
            "marks": self.marks,
        }
        return _rebuild, (arguments,)

    def _account_labels(self) -> list[Any] | npt.NDArray[Any] | None:
        """Account of each row, also of a book that was given as one account."""
        if self.account is not None or self.account_codes is None:
            return (
                self.account
                if self.account is None or isinstance(self.account, np.ndarray)
                else list(self.account)
            )
        return [self.account_ids[0]] * len(self)

    @property
    def has_pooled_accounts(self) -> bool:
        """Whether parts of an account move together: it has balances, or an instrument twice."""
        return self.handle.has_pooled_accounts

    @property
    def keeps_accounts_together(self) -> bool:
        """Whether the rows already stand in the order in which they are evaluated fastest."""
        return self.handle.keeps_accounts_together

    def row_order(self) -> npt.NDArray[np.uint32]:
        """Row order in which the same book is evaluated fastest, shape (n,): take every column in it."""
        return self.handle.row_order()

    def name_of(self, row: int) -> str:
        """Instrument of a row."""
        return self.instrument_names[int(self.instrument_codes[row])]

    def policy_of(self, row: int) -> str | None:
        """Label of the policy of a row; None if the book leaves it to the engine."""
        return None if self.policy_codes is None else self.policy_names[int(self.policy_codes[row])]

    def account_of(self, row: int) -> Any:
        """Account of a row as it was given; None if there is none."""
        if self.account is not None:
            return self.account[row]
        return self.account_ids[0] if self.account_codes is not None and self.is_cross[row] else None


def _rebuild(arguments: dict[str, Any]) -> PositionBook:
    return PositionBook(**arguments)
