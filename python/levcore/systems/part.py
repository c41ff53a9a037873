"""A part of a book under changed inputs, rules or tables: what another system may have evaluated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.book.labels import NO_ACCOUNT
from levcore.book.marks import marks_by_policy
from levcore.book.positions import PositionBook
from levcore.engine.engine import Engine
from levcore.rules.instruments import Instrument, InstrumentTable
from levcore.rules.policy import MarginPolicy

if TYPE_CHECKING:
    from levcore.engine.risk import BookRisk

__all__ = ["Part"]

Rows = npt.NDArray[np.int64]
COLUMNS = ("quantity", "entry_price", "isolated_margin", "leverage", "accrued_funding", "risk_limit")


@dataclass(frozen=True)
class Part:
    """Rows of an evaluated book with all other positions of their accounts, ready to be changed.

    Parameters
    ----------
    risk : BookRisk
        The whole book.
    rows : ndarray of int64
        Rows of the part, ascending.
    columns : mapping of str to array
        Numbers of these rows, None where the book has none.
    cross : ndarray of bool
    names : tuple of str
        Instrument of each row as the policies below know it.
    instruments : tuple of dict of str to Instrument
        By policy: those that the rows name.
    marks : tuple of dict of str to float
        By policy and name.
    policies : tuple of MarginPolicy
    asset_prices : mapping of str to float or None
    """

    risk: "BookRisk"
    rows: Rows
    columns: Mapping[str, Floats | None]
    cross: npt.NDArray[np.bool_]
    names: tuple[str, ...]
    instruments: tuple[Mapping[str, Instrument], ...]
    marks: tuple[Mapping[str, float], ...]
    policies: tuple[MarginPolicy, ...]
    asset_prices: Mapping[str, float] | None

    @classmethod
    def of(
        cls, risk: "BookRisk", rows: npt.NDArray[np.bool_], asset_prices: Mapping[str, float] | None
    ) -> "Part":
        """The rows of a mask, and the cross positions of their accounts."""
        book = risk.book
        wanted = rows.copy()
        if book.account_codes is not None:
            codes = np.unique(book.account_codes[rows & book.is_cross])
            wanted |= book.is_cross & np.isin(book.account_codes, codes)
        chosen = np.flatnonzero(wanted)
        columns = {name: getattr(book, name) for name in COLUMNS}
        names = tuple(book.instrument_names[code] for code in book.instrument_codes[chosen].tolist())
        known = set(names)
        marks = marks_by_policy(risk.marks, len(risk.policies))
        return cls(
            risk,
            chosen,
            {name: None if column is None else np.array(column[chosen]) for name, column in columns.items()},
            np.array(book.is_cross[chosen]),
            names,
            tuple(_held(policy, known) for policy in risk.policies),
            tuple(dict(zip(book.instrument_names, prices.tolist(), strict=True)) for prices in marks),
            risk.policies,
            asset_prices,
        )

    def policy_code(self, place: int) -> int:
        """Code of the policy of a row of the part."""
        codes = self.risk.book.policy_codes
        return 0 if codes is None else int(codes[self.rows[place]])

    def instrument(self, place: int) -> Instrument | None:
        """Instrument of a row of the part; None: its policy has none."""
        return self.instruments[self.policy_code(place)].get(self.names[place])

    def with_columns(self, **changed: Floats) -> "Part":
        """The part with other numbers."""
        return replace(self, columns={**self.columns, **changed})

    def with_rules(self, change: Callable[[MarginPolicy], MarginPolicy]) -> "Part":
        """The part under changed policies."""
        return replace(self, policies=tuple(map(change, self.policies)))

    def with_rows_of_their_own(
        self, change: Callable[[int, Instrument], tuple[object, Instrument, float | None] | None]
    ) -> "Part":
        """The part with instruments of their own for some rows.

        `change` is given the place of a row and its instrument, and returns a key, the instrument and the
        mark (None: as it is) of all rows with that key, or None.
        """
        names = list(self.names)
        instruments = [dict(of_policy) for of_policy in self.instruments]
        marks = [dict(of_policy) for of_policy in self.marks]
        for place, name in enumerate(self.names):
            code, instrument = self.policy_code(place), self.instrument(place)
            changed = None if instrument is None else change(place, instrument)
            if changed is None:
                continue
            key, other, mark = changed
            names[place] = own = f"{name} {key}"
            instruments[code][own] = replace(other, name=own)
            price = marks[code].get(name, np.nan) if mark is None else mark
            for of_policy in marks:
                of_policy[own] = price
        return replace(self, names=tuple(names), instruments=tuple(instruments), marks=tuple(marks))

    def evaluate(self, measures: tuple[str, ...]) -> "BookRisk":
        """The part, evaluated."""
        book = self.risk.book
        labels = book.policy_names or ("",)
        engine = Engine(
            {
                label or policy.name: policy.replace(instruments=InstrumentTable(held.values()))
                for label, policy, held in zip(labels, self.policies, self.instruments, strict=True)
            }
        )
        marks: Any = self.marks[0] if not book.policy_names else dict(zip(labels, self.marks, strict=True))
        return engine.evaluate(self._book(), marks, asset_prices=self.asset_prices, measures=measures)

    def _book(self) -> PositionBook:
        book, rows = self.risk.book, self.rows
        account = None
        if book.account_codes is not None and book.account_ids:
            codes = np.where(book.account_codes[rows] == NO_ACCOUNT, 0, book.account_codes[rows])
            account = [book.account_ids[code] for code in codes.tolist()]
        known = zip(book.account_ids, book.wallet_balance.tolist(), strict=True)
        wallets: dict[Any, Any] = {label: balance for label, balance in known if not np.isnan(balance)}
        if book.named_wallets is not None:
            wallets = {book.account_ids[code]: {} for code in book.named_wallets.account.tolist()}
            of_wallet, currency, balance = book.named_wallets
            for code, name, held in zip(of_wallet.tolist(), currency, balance.tolist(), strict=True):
                wallets[book.account_ids[code]][name] = held
        numbers: Any = self.columns
        return PositionBook(
            self.names,
            account=account,
            margin_mode=np.where(self.cross, "cross", "isolated"),
            policy=None if book.policy_codes is None else book.policy_codes[rows],
            policy_names=book.policy_names or None,
            wallet_balance=wallets or None,
            position_mode=book.position_mode,
            balances=book.balances,
            **numbers,
        )


def _held(policy: MarginPolicy, names: set[str]) -> dict[str, Instrument]:
    """The policy's instruments under the names that the book has for them."""
    return {
        name: replace(policy.instruments[name], name=name) for name in names if name in policy.instruments
    }
