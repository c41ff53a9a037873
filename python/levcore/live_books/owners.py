"""Whose the positions of a live book are, under which policies, and the book as it stands."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Codes, Floats
from levcore.book.balances import Balances
from levcore.book.coded_labels import CodedLabels
from levcore.book.labels import NO_ACCOUNT
from levcore.book.positions import PositionBook
from levcore.errors import InputError

if TYPE_CHECKING:
    from levcore.files.records import Columns, Record
    from levcore.rules.policy import MarginPolicy

__all__ = ["NUMBERS", "BalanceTable", "Owners", "book_of_record"]

NUMBERS = ("quantity", "entry_price", "isolated_margin", "leverage", "accrued_funding", "risk_limit")
"""Columns of positions that may change, in the order of the kernel."""
NOWHERE = -1
"""Policy of an account that has none yet, and currency of one that settles in none that is known."""

Places = npt.NDArray[np.int64]
BalanceTable = tuple[Codes, Codes, Sequence[Floats]]
"""Codes of accounts and assets; balances, liabilities and interest."""


class Owners:
    """Accounts of a live book, what they settle in, and who owns which row under which policy.

    Attributes
    ----------
    ids : list
        Accounts by place.
    places : dict
        Place of each account.
    labels : tuple of str
        Labels of the policies, by code.
    is_cross, account, policy : ndarray, shape (n,)
        Whether each row is a leg, its account (without meaning for isolated ones), its policy.
    policy_of_account : ndarray of int64, shape (a,)
    in_assets : ndarray of bool, shape (a,)
        Whether an account has balances instead of a wallet.
    wallet_currency : list of str, shape (a,)
        Currency that the wallet of an account was given in; empty where none was said.
    """

    __slots__ = (
        "_currency",
        "_named",
        "_settles",
        "account",
        "ids",
        "in_assets",
        "is_cross",
        "labels",
        "places",
        "policy",
        "policy_of_account",
        "position_mode",
        "wallet_currency",
    )

    ids: list[Any]
    places: dict[Any, int]
    labels: tuple[str, ...]
    is_cross: npt.NDArray[np.bool_]
    account: Codes
    policy: Codes
    policy_of_account: Places
    in_assets: npt.NDArray[np.bool_]
    wallet_currency: list[str]
    position_mode: Literal["one_way", "hedge"]
    _currency: Places

    def __init__(
        self, book: PositionBook, labels: tuple[str, ...], policies: Sequence["MarginPolicy"]
    ) -> None:
        self.ids, self.places = [], {}
        self.labels, self.position_mode = labels, book.position_mode
        self._named = book.policy_codes is not None
        self.is_cross, self.account = np.empty(0, np.bool_), np.empty(0, np.uint32)
        self.policy = np.empty(0, np.uint32)
        self.policy_of_account, self._currency = np.empty((2, 0), np.int64)
        self.in_assets = np.empty(0, np.bool_)
        listed = [policy.instruments for policy in policies]
        settles = [
            [table[name].settlement if name in table else "" for name in book.instrument_names]
            for table in listed
        ]
        self.wallet_currency = _wallet_currencies(book)
        currencies = sorted({*chain(*settles), *self.wallet_currency} - {""})
        places = {currency: place for place, currency in enumerate(currencies)}
        of_policy = [[places.get(currency, NOWHERE) for currency in own] for own in settles]
        self._settles = np.array(of_policy, dtype=np.int64).reshape(len(policies), -1)
        named = [places.get(currency, NOWHERE) for currency in self.wallet_currency]
        self.take(self._columns_of(book), list(book.account_ids), np.array(named, dtype=np.int64))

    def _columns_of(self, book: PositionBook) -> "Columns":
        codes, held = book.account_codes, book.balance_columns
        columns = {
            "instrument": book.instrument_codes,
            "is_cross": book.is_cross,
            "account": np.full(len(book), NO_ACCOUNT, np.uint32) if codes is None else codes,
        }
        if book.policy_codes is not None:
            columns["policy"] = book.policy_codes
        if held is not None:
            columns["balance_account"] = held.account
            if held.policy is not None:
                columns["balance_policy"] = held.policy
        return columns

    def take(self, columns: "Columns", ids: Sequence[Any], settled_in: Places | None = None) -> None:
        """Take positions and accounts that have come: columns of a record, and the accounts' ids."""
        self.places |= {label: len(self.ids) + place for place, label in enumerate(ids)}
        self.ids += ids
        policy = policy_of(columns)
        self._currency = self._currencies_with(columns, len(ids), settled_in)
        self.wallet_currency += [""] * (len(self.ids) - len(self.wallet_currency))
        self.policy_of_account = self.policies_with(columns, len(ids))
        self.in_assets = self._in_assets_with(columns, len(ids))
        self.is_cross = np.concatenate((self.is_cross, columns["is_cross"]))
        self.account = np.concatenate((self.account, columns["account"]))
        self.policy = np.concatenate((self.policy, policy))

    def policies_with(self, columns: "Columns", count: int) -> Places:
        """Policy of each account, also of so many new ones, by its first leg, or its first balance."""
        found = np.concatenate((self.policy_of_account, np.full(count, NOWHERE, np.int64)))
        held = columns.get("balance_account", np.empty(0, np.uint32))
        of_held = columns.get("balance_policy", np.zeros(held.size, np.uint32))
        rows = np.flatnonzero(columns["is_cross"])
        for accounts, policies in ((columns["account"][rows], policy_of(columns)[rows]), (held, of_held)):
            open_ = np.flatnonzero(found[accounts] == NOWHERE)[::-1]
            found[accounts[open_]] = policies[open_]
        return found

    def refuse_second_policy(self, columns: "Columns", ids: Sequence[Any]) -> None:
        """Refuse legs of an account under another policy than its own."""
        policies, policy = self.policies_with(columns, len(ids)), policy_of(columns)
        rows = np.flatnonzero(columns["is_cross"])
        bad = rows[policies[columns["account"][rows]] != policy[rows]]
        if bad.size:
            row, every = int(bad[0]), [*self.ids, *ids]
            account = int(columns["account"][row])
            rule = f"must be one for all cross positions of account {every[account]!r}"
            expected, found = self.labels[int(policies[account])], self.labels[int(policy[row])]
            raise InputError("policy", rule, repr(expected), repr(found), row, int(bad.size))

    def refuse_second_currency(self, columns: "Columns", ids: Sequence[Any]) -> None:
        """Refuse legs by which an account would settle in two currencies: it would have two wallets."""
        currency = self._currencies_with(columns, len(ids))
        own = self._settlement(columns)
        of_wallet = columns["is_cross"] & (own != NOWHERE)
        bad = np.flatnonzero(of_wallet)
        bad = bad[~self._in_assets_with(columns, len(ids))[columns["account"][bad]]]
        bad = bad[currency[columns["account"][bad]] != own[bad]]
        if bad.size:
            row = int(bad[0])
            label = [*self.ids, *ids][int(columns["account"][row])]
            rule = "must settle in the currency of their account's other positions, or of its wallet"
            expected = "an account of its own for each currency, as engine.by_wallet(book) makes them"
            raise InputError("instrument", rule, expected, f"account {label!r}", row, int(bad.size))

    def book(
        self,
        instruments: Codes,
        names: tuple[str, ...],
        numbers: Mapping[str, Floats | None],
        wallets: Floats,
        assets: Sequence[str],
        balances: BalanceTable,
    ) -> PositionBook:
        """Book of positions as they stand."""
        nobody = len(self.ids)
        codes = np.where(self.is_cross, self.account, np.uint32(nobody)).astype(np.uint32)
        return PositionBook(
            instrument=instruments,
            instrument_names=names,
            account=CodedLabels(codes, [*self.ids, ""]) if self.is_cross.any() else None,
            margin_mode=np.where(self.is_cross, "cross", "isolated"),
            accounts=self.ids or None,
            wallet_balance=wallets if self.ids else None,
            wallet_currency=self.wallet_currency if any(self.wallet_currency) else None,
            position_mode=self.position_mode,
            policy=self.policy if self._named else None,
            policy_names=self.labels if self._named else None,
            balances=self._balances(assets, *balances),
            **numbers,  # type: ignore[arg-type]
        )

    def nobody(self, names: tuple[str, ...]) -> PositionBook:
        """Book of these instruments and policies without positions: what marks are read for."""
        nothing = np.empty(0)
        return PositionBook(
            instrument=np.empty(0, dtype=np.uint32),
            quantity=nothing,
            entry_price=nothing,
            instrument_names=names,
            position_mode=self.position_mode,
            policy=np.empty(0, dtype=np.uint32) if self._named else None,
            policy_names=self.labels if self._named else None,
        )

    def words(self) -> dict[str, Any]:
        """What of it is no column of numbers."""
        return {
            "position_mode": self.position_mode,
            "labels": self.labels,
            "named": self._named,
            "ids": self.ids,
            "wallet_currency": self.wallet_currency,
        }

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """What of it is a column."""
        return {
            "is_cross": self.is_cross,
            "account": self.account,
            "policy": self.policy,
            "policy_of_account": self.policy_of_account,
        }

    def _balances(
        self, assets: Sequence[str], accounts: Codes, of_asset: Codes, amounts: Sequence[Floats]
    ) -> Balances | None:
        if not accounts.size:
            return None
        policy = None
        if len(self.labels) > 1:
            policy = coded(self.policy_of_account[accounts], self.labels)
        balance, liability, interest = amounts
        owners, held = coded(accounts, self.ids), coded(of_asset, assets)
        return Balances(owners, held, balance, liability, interest, policy)

    def _settlement(self, columns: "Columns") -> Places:
        return self._settles[policy_of(columns), columns["instrument"]]

    def _in_assets_with(self, columns: "Columns", count: int) -> npt.NDArray[np.bool_]:
        in_assets = np.concatenate((self.in_assets, np.zeros(count, np.bool_)))
        in_assets[columns.get("balance_account", np.empty(0, np.uint32))] = True
        return in_assets

    def _currencies_with(self, columns: "Columns", count: int, settled_in: Places | None = None) -> Places:
        """Currency of each account: of its wallet if that was said, else by its first leg that has one."""
        new = np.full(count, NOWHERE, np.int64) if settled_in is None else settled_in
        found = np.concatenate((self._currency, new))
        own = self._settlement(columns)
        rows = np.flatnonzero(columns["is_cross"] & (own != NOWHERE))
        rows = rows[found[columns["account"][rows]] == NOWHERE][::-1]
        found[columns["account"][rows]] = own[rows]
        return found


def _wallet_currencies(book: PositionBook) -> list[str]:
    """Currency that the one wallet of each account was given in; empty where none was said."""
    found, named = [""] * len(book.account_ids), book.named_wallets
    if named is not None:
        for code, currency in zip(named.account.tolist(), named.currency, strict=True):
            found[code] = currency
    return found


def policy_of(columns: "Columns") -> Codes:
    """Policy of each row of a record; the first one where only one is known."""
    return columns.get("policy", np.zeros(columns["is_cross"].size, np.uint32))


def coded(codes: npt.NDArray[np.integer], labels: Sequence[Any]) -> CodedLabels:
    """Labels by these codes, without those that no code points to."""
    used, places = np.unique(codes, return_inverse=True)
    return CodedLabels(places.astype(np.uint32), [labels[code] for code in used.tolist()])


def book_of_record(record: "Record") -> PositionBook:
    """Book of a snapshot."""
    words, columns = record
    owners = object.__new__(Owners)
    owners.ids, owners.labels = words["ids"], tuple(words["labels"])
    owners.position_mode, owners._named = words["position_mode"], words["named"]
    # Snapshots of earlier builds do not know it.
    owners.wallet_currency = words.get("wallet_currency", [])
    owners.is_cross, owners.account = columns["is_cross"], columns["account"]
    owners.policy, owners.policy_of_account = columns["policy"], columns["policy_of_account"]
    amounts = [columns[name] for name in ("balance", "liability", "interest")]
    return owners.book(
        columns["instrument"],
        tuple(words["instrument_names"]),
        {name: columns.get(name) for name in NUMBERS},
        columns["wallets"],
        words["asset_names"],
        (columns["balance_account"], columns["balance_asset"], amounts),
    )
