"""A part of a book under changed inputs, rules or tables: what another system may have evaluated."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.book.labels import NO_ACCOUNT
from levcore.book.marks import marks_by_policy
from levcore.book.positions import PositionBook
from levcore.engine.compiled import pools_every_account
from levcore.engine.engine import Engine
from levcore.rules.instruments import Instrument
from levcore.rules.policy import MarginPolicy
from levcore.rules.shared_instruments import SharedInstruments

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
        Instruments as the policies below know them.
    codes : ndarray of int64
        The one of each row.
    instruments : tuple of dict of str to Instrument
        By policy: those of these names that it knows; several names may stand for one.
    marks : tuple of ndarray of float64
        By policy, one a name.
    policies : tuple of MarginPolicy
    asset_prices : mapping of str to float or None
    """

    risk: "BookRisk"
    rows: Rows
    columns: Mapping[str, Floats | None]
    cross: npt.NDArray[np.bool_]
    names: tuple[str, ...]
    codes: Rows
    instruments: tuple[Mapping[str, Instrument], ...]
    marks: tuple[Floats, ...]
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
        held, of_rows = np.unique(book.instrument_codes[chosen], return_inverse=True)
        names = tuple(book.instrument_names[code] for code in held.tolist())
        return cls(
            risk,
            chosen,
            {name: None if column is None else np.array(column[chosen]) for name, column in columns.items()},
            np.array(book.is_cross[chosen]),
            names,
            of_rows.astype(np.int64),
            tuple(_held(policy, names) for policy in risk.policies),
            tuple(prices[held] for prices in marks_by_policy(risk.marks, len(risk.policies))),
            risk.policies,
            asset_prices,
        )

    @cached_property
    def policy_codes(self) -> Rows:
        """Code of the policy of each row."""
        codes = self.risk.book.policy_codes
        return np.zeros(self.rows.size, np.int64) if codes is None else codes[self.rows].astype(np.int64)

    def by_row(self, of: Callable[[Instrument | None], float]) -> Floats:
        """A number of each row's instrument; None: its policy has none."""
        by_policy = np.array([[of(held.get(name)) for name in self.names] for held in self.instruments])
        found: Floats = by_policy.reshape(len(self.instruments), -1)[self.policy_codes, self.codes]
        return found

    @property
    def mark_of_rows(self) -> Floats:
        """Mark of each row."""
        found: Floats = np.stack(self.marks)[self.policy_codes, self.codes]
        return found

    def with_columns(self, **changed: Floats) -> "Part":
        """The part with other numbers."""
        return replace(self, columns={**self.columns, **changed})

    def with_rules(self, change: Callable[[MarginPolicy], MarginPolicy]) -> "Part":
        """The part under changed policies."""
        return replace(self, policies=tuple(map(change, self.policies)))

    def with_instruments_by(self, keys: Floats, change: Callable[[int, Instrument], Instrument]) -> "Part":
        """The part with an instrument of their own for all rows of an instrument that have one key.

        `change` makes it, given the place of one of these rows and the instrument. Rows without a key (NaN)
        stay as they are.
        """
        groups = _Groups.of(self, keys)
        made = [
            replace(change(place, self._instrument(place)), name=name)
            for place, name in zip(groups.places, groups.names, strict=True)
        ]
        return self._with_groups(groups, made, self.mark_of_rows[groups.places])

    def with_marks(self, marks: Floats) -> "Part":
        """The part with a mark of its own for each row; those of one instrument at one mark share it."""
        groups = _Groups.of(self, marks)
        pooled = self.risk.book.has_pooled_accounts or any(map(pools_every_account, self.policies))
        made = [self._instrument(place) for place in groups.places]
        if pooled or self.risk.book.position_mode == "hedge":
            # In an account settled as a whole what has one price moves together: here each has its own.
            made = [replace(own, name=name) for own, name in zip(made, groups.names, strict=True)]
        return self._with_groups(groups, made, marks[groups.places])

    def _instrument(self, place: int) -> Instrument:
        held: Mapping[str, Instrument] = self.instruments[int(self.policy_codes[place])]
        return held[self.names[int(self.codes[place])]]

    def _with_groups(self, groups: "_Groups", made: Sequence[Instrument], marks: Floats) -> "Part":
        codes = self.codes.copy()
        codes[groups.rows] = len(self.names) + groups.of_rows
        instruments = [dict(of_policy) for of_policy in self.instruments]
        for policy, name, instrument in zip(
            self.policy_codes[groups.places].tolist(), groups.names, made, strict=True
        ):
            instruments[policy][name] = instrument
        return replace(
            self,
            names=(*self.names, *groups.names),
            codes=codes,
            instruments=tuple(instruments),
            marks=tuple(np.concatenate((prices, marks)) for prices in self.marks),
        )

    @cached_property
    def at_entry(self) -> "Part":
        """The part with the entry prices as marks."""
        entry = self.columns["entry_price"]
        return self if entry is None else self.with_marks(entry)

    def evaluate(self, measures: tuple[str, ...]) -> "BookRisk":
        """The part, evaluated."""
        engine, book = self._bound
        marks = np.stack(self.marks) if book.policy_names else self.marks[0]
        return engine.evaluate(book, marks, asset_prices=self.asset_prices, measures=measures)

    @cached_property
    def _bound(self) -> tuple[Engine, PositionBook]:
        labels = self.risk.book.policy_names or ("",)
        policies = {
            label or policy.name: policy.replace(instruments=SharedInstruments(held))
            for label, policy, held in zip(labels, self.policies, self.instruments, strict=True)
        }
        return Engine(policies), self._book()

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
            self.codes.astype(np.uint32),
            instrument_names=self.names,
            account=account,
            margin_mode=np.where(self.cross, "cross", "isolated") if self.cross.any() else "isolated",
            policy=None if book.policy_codes is None else book.policy_codes[rows],
            policy_names=book.policy_names or None,
            wallet_balance=wallets or None,
            position_mode=book.position_mode,
            balances=book.balances,
            **numbers,
        )


@dataclass(frozen=True)
class _Groups:
    """Rows of one policy, instrument and key.

    Those rows that have all three, the group of each, and by group the place of one of its rows and a name.
    """

    rows: Rows
    of_rows: Rows
    places: Rows
    names: tuple[str, ...]

    @classmethod
    def of(cls, part: Part, keys: Floats) -> "_Groups":
        known = part.by_row(lambda instrument: float(instrument is not None))
        rows = np.flatnonzero(~np.isnan(keys) & (known != 0.0))
        _, of_keys = np.unique(keys[rows], return_inverse=True)
        kinds = (of_keys * len(part.policies) + part.policy_codes[rows]) * len(part.names) + part.codes[rows]
        _, first, of_rows = np.unique(kinds, return_index=True, return_inverse=True)
        places = rows[first]
        bases = [part.names[code] for code in part.codes[places].tolist()]
        names = (f"{base} {{{number}}}" for number, base in enumerate(bases, len(part.names)))
        return cls(rows, of_rows, places, tuple(names))


def _held(policy: MarginPolicy, names: Sequence[str]) -> dict[str, Instrument]:
    """The policy's instruments under the names that the book has for them."""
    return {
        name: replace(policy.instruments[name], name=name) for name in names if name in policy.instruments
    }
