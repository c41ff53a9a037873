"""Names that the codes of a what-if point to, and what policies and marks say of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import BookPolicies
from levcore.book.arrays import Codes, Floats, real_number
from levcore.book.marks import Marks, mark_prices
from levcore.book.policy_labels import labels_of_book
from levcore.book.positions import PositionBook
from levcore.changes.changes import Changes
from levcore.engine.answers import same_listed
from levcore.engine.engine import Compiled, Engine
from levcore.errors import DTypeError, InputError
from levcore.rules.instruments import Instrument

if TYPE_CHECKING:
    from levcore.rules.policy import MarginPolicy

__all__ = [
    "Names",
    "extended_marks",
    "isolated_only",
    "kernels",
    "names_of",
    "refuse_second_spelling",
    "settlement_codes",
]


@dataclass(frozen=True, slots=True)
class Names:
    """Names that the codes of a what-if point to: those of the book, then what the changes add.

    `instruments` are those of the book and new ones; codes from their number on are the `tables`, each
    standing for the instrument of its name. `assets` are those of the balances and of the policies.
    """

    instruments: tuple[str, ...]
    tables: tuple[Instrument, ...]
    assets: tuple[str, ...]

    @property
    def base_of(self) -> Codes:
        """Code of the instrument whose table each code stands for."""
        place = {name: code for code, name in enumerate(self.instruments)}
        bases = [place[table.name] for table in self.tables]
        return np.array([*range(len(self.instruments)), *bases], dtype=np.uint32)


def names_of(
    book: PositionBook,
    changes: Changes,
    tables: Sequence[Instrument],
    policies: Sequence["MarginPolicy"],
    more: Sequence[str] = (),
) -> Names:
    """Names of a book, of its changes, and more that are named beside them."""
    for place, table in enumerate(tables):
        if not isinstance(table, Instrument):
            raise DTypeError("tables", "must hold instruments", "Instrument", type(table).__name__, place)
    _refuse_other_contracts(tables, policies)
    added = [*(table.name for table in tables), *more]
    if changes.instrument is not None:
        added += [str(label) for label in changes.instrument[1] if label != ""]
    instruments = tuple(dict.fromkeys((*book.instrument_names, *added)))
    refuse_second_spelling(policies, book.instrument_names, instruments)
    assets: tuple[str, ...] = ()
    if book.balances is not None:
        of_policies = (name for policy in policies for name in policy.assets)
        assets = tuple(dict.fromkeys((*book.balances.asset_names, *of_policies)))
    return Names(instruments, tuple(tables), assets)


def _refuse_other_contracts(tables: Sequence[Instrument], policies: Sequence["MarginPolicy"]) -> None:
    """A table takes the place of that of a contract, whose value it does not change."""
    for place, table in enumerate(tables):
        for policy in policies:
            own = policy.instruments.get(table.name)
            if own is not None:
                expected, found = (
                    f"{each.payoff}, contract_size={each.contract_size}, multiplier={each.multiplier}"
                    for each in (own, table)
                )
                if found != expected:
                    rule = f"must be of the contract {table.name} of {policy.id}"
                    raise InputError("tables", rule, expected, found, place)


def extended_marks(book: PositionBook, names: Names, marks: Marks) -> Floats:
    """Marks of all instruments of a what-if; NaN for new ones where `marks` is no mapping."""
    prices = mark_prices(book, marks)
    added = names.instruments[len(book.instrument_names) :]
    if added or names.tables:
        of_added = np.full((*prices.shape[:-1], len(added)), np.nan)
        if isinstance(marks, Mapping):
            of_added = _marks_of(added, marks, book.policy_names if prices.ndim == 2 else ())
        prices = np.concatenate((prices, of_added), axis=-1)
        prices = prices[..., names.base_of]
    return np.ascontiguousarray(prices)


def _marks_of(names: Sequence[str], marks: Mapping[str, Any], labels: Sequence[str]) -> Floats:
    """Marks of instruments that a book does not hold: one each, or one under every policy."""
    if not labels:
        return np.array([real_number("marks", marks.get(name)) for name in names], dtype=np.float64)
    of_policies = [marks.get(label) for label in labels]
    named = [prices if isinstance(prices, Mapping) else {} for prices in of_policies]
    rows = [[real_number("marks", prices.get(name)) for name in names] for prices in named]
    return np.array(rows, dtype=np.float64).reshape(len(labels), len(names))


def kernels(engine: Engine, book: PositionBook, names: Names) -> BookPolicies:
    """Policies with the places of all instruments and assets of a what-if."""
    bound = engine.bind(book)
    if not names.tables and not names.assets and names.instruments == book.instrument_names:
        return bound.kernel
    parts = []
    for label in labels_of_book(book, tuple(engine.policies)):
        compiled = engine.compiled(label)
        codes = [compiled.place(name) for name in names.instruments]
        if names.tables:
            renamed = [replace(table, name=f"{table.name} table {k}") for k, table in enumerate(names.tables)]
            known = [table.name in compiled.policy.instruments for table in names.tables]
            compiled = Compiled.of(compiled.policy.with_instruments(renamed))
            codes = [compiled.place(name) for name in names.instruments]
            codes += [
                compiled.place(table.name) if is_known else -1
                for table, is_known in zip(renamed, known, strict=True)
            ]
        places = compiled.rules.places_of_assets
        parts.append((compiled.kernel, codes, [places.get(name, -1) for name in names.assets]))
    return BookPolicies(parts)


def refuse_second_spelling(
    policies: Sequence["MarginPolicy"], known: Sequence[str], instruments: Sequence[str]
) -> None:
    """Refuse a contract of the book, or of another change, by another name: it would be another position.

    Raises
    ------
    InputError
        Naming both.
    """
    if len(instruments) == len(known):
        return
    for policy in policies:
        same = same_listed(policy.instruments, instruments)
        bad = np.empty(0, np.intp) if same is None else np.flatnonzero(same != np.arange(same.size))
        bad = bad[bad >= len(known)]
        if same is not None and bad.size:
            rule = f"must be spelled one way: one contract of {policy.id}"
            first, second = instruments[int(same[bad[0]])], instruments[int(bad[0])]
            raise InputError("instrument", rule, repr(first), repr(second), None, int(bad.size))


def settlement_codes(names: Names, policies: Sequence["MarginPolicy"]) -> Codes:
    """Settlement currencies as codes, shape (policies, instruments and tables); 0: not known."""
    places = {"": 0}
    rows = []
    for policy in policies:
        table = policy.instruments
        of_names = [table[name].settlement if name in table else "" for name in names.instruments]
        settlements = [*of_names, *(instrument.settlement for instrument in names.tables)]
        rows.append([places.setdefault(currency, len(places)) for currency in settlements])
    return np.array(rows, dtype=np.uint32).reshape(len(policies), -1)


def isolated_only(names: Names, policies: Sequence["MarginPolicy"]) -> npt.NDArray[np.bool_]:
    """What may be held on isolated margin alone, by policy and then by instrument and table, flat."""
    flags = []
    for policy in policies:
        listed = [policy.instruments.get(name) for name in names.instruments]
        flags += [each is not None and each.isolated_only for each in (*listed, *names.tables)]
    return np.array(flags, dtype=np.bool_)
