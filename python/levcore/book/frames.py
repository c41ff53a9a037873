"""Positions from the columns of a frame or of a file: what they mean, which must be there, what a gap says.

What is missing is never zero: the row then gets its status from the engine. What makes a table as a whole
contradictory is an error of the call, with the row or the line and the column.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from levcore.book.balances import Balances
from levcore.book.coded_labels import CodedLabels
from levcore.book.columns import Columns, frame_table
from levcore.book.marks import Marks
from levcore.book.named_wallets import ids_of_wallets
from levcore.book.sides import signed_quantity
from levcore.errors import InputError
from levcore.measures import MEASURES
from levcore.rules.instruments import InstrumentTable

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook

__all__ = [
    "NUMBER_COLUMNS",
    "REQUIRED_COLUMNS",
    "RESULTS",
    "TEXT_COLUMNS",
    "Positions",
    "Sizes",
    "check_named",
    "first_repeated",
    "merge_marks",
    "one_value_each",
    "positions_of_columns",
    "positions_of_frame",
]

TEXT_COLUMNS = ("account", "instrument", "margin_mode", "policy", "side", "wallet_currency")
NUMBER_COLUMNS = (
    "quantity",
    "entry_price",
    "mark_price",
    "isolated_margin",
    "leverage",
    "accrued_funding",
    "risk_limit",
    "contract_size",
    "wallet_balance",
)
REQUIRED_COLUMNS = ("instrument", "quantity", "entry_price", "margin_mode")
RESULTS = frozenset(measure.name for measure in MEASURES) | {"state", "status"}
CROSS_WORDS = {"isolated": False, "cross": True, "false": False, "true": True}

Sizes: TypeAlias = InstrumentTable | Mapping[str, InstrumentTable]
"""Instruments of the one policy, or of each policy by its label."""


@dataclass(frozen=True)
class Positions:
    """Positions of a table.

    Parameters
    ----------
    columns : Columns
        The table as read.
    is_cross : ndarray of bool, shape (n,)
        Whether a row's margin mode is cross.
    quantity : ndarray of float64, shape (n,)
        Signed quantities, in contracts of the column ``contract_size`` where there is one.
    marks : dict of str to float, quote per base
        Mark price by instrument from the column ``mark_price``; empty without it, and with a column
        ``policy``.
    marks_of_policies : dict of str to dict of str to float, quote per base
        The same by policy, with a column ``policy``.
    wallet_balance : dict of str or int to float, or to dict of str to float
        Wallet of each account from the column ``wallet_balance``, with a column ``wallet_currency`` by
        currency; empty without it.
    """

    columns: Columns
    is_cross: NDArray[np.bool_]
    quantity: NDArray[np.float64]
    marks: dict[str, float]
    marks_of_policies: dict[str, dict[str, float]] = field(default_factory=dict)
    wallet_balance: dict[Any, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.columns)

    @property
    def policy_names(self) -> tuple[str, ...]:
        """Policies that the column ``policy`` names; empty without it."""
        policy = self.columns.texts.get("policy")
        return () if policy is None else policy.labels

    @property
    def passed_through(self) -> tuple[str, ...]:
        """Columns that mean nothing here and go out again as they came."""
        return self.columns.passed_through

    def book(
        self,
        wallet_balance: Mapping[Any, Any] | None = None,
        *,
        balances: Balances | None = None,
        position_mode: Literal["one_way", "hedge"] = "one_way",
        instruments: Sizes | None = None,
    ) -> "PositionBook":
        """Position book of the table; its columns travel with it to the results.

        Parameters
        ----------
        wallet_balance : mapping of account to float, or to mapping of currency to float, optional
            Wallet balance by account. Its accounts come first, in its order, whether they have positions or
            not.
        balances : Balances, optional
            What accounts hold in several assets.
        position_mode : {"one_way", "hedge"}
            Whether an account may hold a long and a short position in one instrument.
        instruments : InstrumentTable, or mapping of policy label to InstrumentTable, optional
            Needed with a column ``contract_size``: whose contracts the engine counts in.

        Raises
        ------
        InputError
            For wallets given twice, and a column ``contract_size`` without `instruments`.
        """
        from levcore.book.positions import PositionBook

        if wallet_balance is not None and self.wallet_balance:
            raise InputError("wallet_balance", "is a column already", "one of both", "both")
        columns, numbers = self.columns, self.columns.numbers
        instrument, policy = columns.texts["instrument"], columns.texts.get("policy")
        return PositionBook(
            instrument=instrument.codes,
            instrument_names=[str(name) for name in instrument.labels],
            quantity=self._quantity(instruments),
            entry_price=numbers["entry_price"],
            account=columns.texts.get("account"),
            margin_mode=CodedLabels(self.is_cross.astype(np.uint32), ("isolated", "cross")),
            isolated_margin=numbers.get("isolated_margin"),
            leverage=numbers.get("leverage"),
            accrued_funding=numbers.get("accrued_funding"),
            risk_limit=numbers.get("risk_limit"),
            policy=None if policy is None else policy.codes,
            policy_names=None if policy is None else policy.labels,
            wallet_balance=wallet_balance if wallet_balance is not None else self.wallet_balance or None,
            balances=balances,
            position_mode=position_mode,
            columns=columns.kept,
            marks=self.marks_of_policies or self.marks or None,
        )

    def _quantity(self, instruments: Sizes | None) -> NDArray[np.float64]:
        """Quantities in the policy's contracts."""
        sizes = self.columns.numbers.get("contract_size")
        if sizes is None:
            return self.quantity
        if instruments is None:
            expected = "instruments=policy.instruments"
            raise InputError("contract_size", "needs the contract sizes of the policy", expected, "none")
        ours = self._contract_sizes(instruments)
        # Equal sizes leave the quantity as it is, to the last bit.
        return np.where(sizes == ours, self.quantity, self.quantity * sizes / ours)

    def _contract_sizes(self, instruments: Sizes) -> NDArray[np.float64]:
        """Contract size of the policy for each row, or the row's own where it has no such instrument."""
        instrument, policy = self.columns.texts["instrument"], self.columns.texts.get("policy")
        policies = (None,) if policy is None else policy.labels
        found = np.full((len(policies), len(instrument.labels)), np.nan)
        for place, label in enumerate(policies):
            if isinstance(instruments, InstrumentTable):
                own = instruments
            else:
                own = instruments.get(label or "", InstrumentTable())
            for code, name in enumerate(instrument.labels):
                if name in own:
                    found[place, code] = own[name].contract_size
        codes = np.zeros(len(self), np.uint32) if policy is None else policy.codes
        sizes = found[codes, instrument.codes] if len(self) else np.empty(0)
        return np.where(np.isnan(sizes), self.columns.numbers["contract_size"], sizes)


def positions_of_frame(
    frame: object,
    *,
    ignore_columns: Collection[str] = (),
    pass_columns: Collection[str] = (),
    wallet_balance: Mapping[Any, Any] | None = None,
) -> Positions:
    """Positions of a frame; see `levcore.PositionBook.from_frame`.

    Accounts with one of the wallets are then joined with them as they are read.
    """
    columns = Columns(
        frame_table(frame),
        TEXT_COLUMNS,
        NUMBER_COLUMNS,
        REQUIRED_COLUMNS,
        ignored=_names(ignore_columns, "ignore_columns"),
        passed=_names(pass_columns, "pass_columns"),
        results=RESULTS,
        known={"account": ids_of_wallets(None, wallet_balance)},
    )
    return positions_of_columns(columns)


def _names(names: Collection[str], argument: str) -> Collection[str]:
    if isinstance(names, str):
        raise InputError(argument, "must be a sequence of names", "a list of names", repr(names))
    return names


def positions_of_columns(columns: Columns) -> Positions:
    """Positions of columns that were read.

    Raises
    ------
    InputError
        Where the columns contradict themselves or each other: with the row or line.
    """
    is_cross = _is_cross(columns)
    _check_account(columns, is_cross)
    if not is_cross.all() and not {"isolated_margin", "leverage"} & set(columns.names):
        row = int(np.argmin(is_cross))
        expected = "isolated_margin or leverage for an isolated position"
        raise columns.error(row, "isolated_margin", "the column is missing", expected)
    _check_contract_size(columns)
    quantity = signed_quantity(columns)
    prices = columns.numbers.get("mark_price")
    wallets = _wallets(columns)
    policy = columns.texts.get("policy")
    if policy is None:
        marks = {} if prices is None else one_value_each(columns, "instrument", "mark_price", prices)
        return Positions(columns, is_cross, quantity, marks, {}, wallets)
    check_named(columns, "policy", np.arange(len(columns)))
    of_policies: dict[str, dict[str, float]] = {name: {} for name in policy.labels}
    if prices is not None:
        for code, name in enumerate(policy.labels):
            own = np.where(policy.codes == code, prices, np.nan)
            of_policies[name] = one_value_each(columns, "instrument", "mark_price", own)
    return Positions(columns, is_cross, quantity, {}, of_policies, wallets)


def merge_marks(positions: Positions, marks: Mapping[str, float]) -> Marks:
    """Marks from elsewhere together with those of the positions' own column; by policy if a column names it.

    Raises
    ------
    InputError
        The two give one instrument two prices: with the row or line of the position.
    """
    for own in (positions.marks, *positions.marks_of_policies.values()):
        _refuse_other_marks(positions, own, marks)
    if positions.policy_names:
        return {policy: {**own, **marks} for policy, own in positions.marks_of_policies.items()}
    return {**positions.marks, **marks}


def _refuse_other_marks(positions: Positions, own: Mapping[str, float], marks: Mapping[str, float]) -> None:
    for name, price in own.items():
        if name in marks and marks[name] != price:
            columns = positions.columns
            rows = columns.texts["instrument"].rows_of(name)
            row = int(rows[np.argmax(columns.numbers["mark_price"][rows] == price)])
            rule = f"contradicts the marks given for {name}"
            raise columns.error(row, "mark_price", rule, repr(marks[name]), repr(price))


def _is_cross(columns: Columns) -> NDArray[np.bool_]:
    mode = columns.texts["margin_mode"]
    for code, word in enumerate(mode.labels):
        if str(word).casefold() not in CROSS_WORDS:
            row = int(np.argmax(mode.codes == code))
            found = repr(word) if word != "" else "nothing"
            raise columns.error(row, "margin_mode", "must be a margin mode", "isolated or cross", found)
    cross = np.array([CROSS_WORDS[str(word).casefold()] for word in mode.labels], np.bool_)
    return cross[mode.codes] if len(columns) else np.empty(0, np.bool_)


def _check_account(columns: Columns, is_cross: NDArray[np.bool_]) -> None:
    """A cross position belongs to an account; an isolated one stands alone."""
    rows = np.flatnonzero(is_cross)
    if not len(rows):
        return
    if "account" not in columns.texts:
        raise columns.error(
            int(rows[0]), "account", "the column is missing", "the account of a cross position"
        )
    check_named(columns, "account", rows)


def _check_contract_size(columns: Columns) -> None:
    sizes = columns.numbers.get("contract_size")
    if sizes is None:
        return
    bad = ~((sizes > 0) & np.isfinite(sizes))
    if bad.any():
        row = int(np.argmax(bad))
        found = repr(float(sizes[row])) if not np.isnan(sizes[row]) else "nothing"
        raise columns.error(row, "contract_size", "must be positive and finite", "> 0", found)


def _wallets(columns: Columns) -> dict[Any, Any]:
    """Wallet of each account; by currency with a column ``wallet_currency``."""
    wallets = columns.numbers.get("wallet_balance")
    if wallets is None:
        return {}
    if "account" not in columns.texts:
        raise columns.error(0, "account", "the column is missing", "whose wallet_balance it is")
    currency = columns.texts.get("wallet_currency")
    if currency is None:
        found = one_value_each(columns, "account", "wallet_balance", wallets)
        return {account: balance for account, balance in found.items() if account != ""}
    by_currency: dict[Any, dict[str, float]] = {}
    for code, name in enumerate(currency.labels):
        own = np.where(currency.codes == code, wallets, np.nan)
        for account, balance in one_value_each(columns, "account", "wallet_balance", own).items():
            if account != "":
                by_currency.setdefault(account, {})[str(name)] = balance
    return by_currency


def check_named(columns: Columns, name: str, rows: NDArray[np.int64]) -> None:
    """Refuse an empty cell of a text column in one of these rows."""
    texts = columns.texts[name]
    if "" not in texts.labels:
        return
    empty = texts.codes[rows] == texts.labels.index("")
    if empty.any():
        row = int(rows[int(np.argmax(empty))])
        raise columns.error(row, name, "must not be empty", f"the {name}", "an empty cell")


def first_repeated(codes: NDArray[np.integer[Any]]) -> int:
    """First row whose code an earlier row has."""
    first = np.full(len(codes), True)
    first[np.unique(codes, return_index=True)[1]] = False
    return int(np.argmax(first))


def one_value_each(columns: Columns, key: str, name: str, values: NDArray[np.float64]) -> dict[Any, float]:
    """Value of column `name` by the text of column `key`, without those that have none."""
    texts = columns.texts[key]
    given = np.flatnonzero(~np.isnan(values))
    # Written backwards, so that the first row of each code is the one that stays.
    first = np.full(len(texts.labels), -1, np.int64)
    first[texts.codes[given[::-1]]] = given[::-1]
    codes = np.flatnonzero(first >= 0)
    contradicting = given[values[given] != values[first[texts.codes[given]]]]
    if len(contradicting):
        row = int(contradicting[0])
        earlier = int(first[texts.codes[row]])
        expected = f"{float(values[earlier])!r} as in {columns.row_word(earlier)}"
        rule = f"contradicts itself for {texts[row]}{_several_times(columns, name)}"
        raise columns.error(row, name, rule, expected, repr(float(values[row])))
    return {texts.labels[code]: float(values[first[code]]) for code in codes.tolist()}


TIMES = frozenset(("time", "timestamp", "ts", "date", "datetime", "day", "hour", "at", "as_of"))


def _several_times(columns: Columns, name: str) -> str:
    """What to do about marks of several times: one evaluation has one mark an instrument."""
    if name != "mark_price":
        return ""
    times = [column for column in columns.passed_through if column.strip().casefold() in TIMES]
    if not times:
        return " (one evaluation values an instrument at one mark)"
    return (
        f" (one evaluation is at one time: split the table by {times[0]!r} and evaluate each part, or keep "
        "the positions once and evaluate them at each time's marks)"
    )
