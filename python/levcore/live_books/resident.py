"""A book in the core, a part for each of its policies: what a step does to them, and where they stand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import LiveBook as CoreBook
from levcore.book.arrays import Codes, Floats, real_number
from levcore.book.positions import PositionBook
from levcore.engine.engine import Engine
from levcore.files.records import Columns
from levcore.live_books.arguments import tiers_of
from levcore.live_books.figures import LiveFigures, LiveTotals, TotalsBySide
from levcore.live_books.levels import engine_with_tiers
from levcore.live_books.owners import NUMBERS, BalanceTable, Owners, policy_of
from levcore.live_books.part import CoreEvents, Part
from levcore.rules.tiers import TierTable
from levcore.status import State

__all__ = ["EVERY_POLICY", "Resident"]

EVERY_POLICY = -1
"""Policy of a tick that holds under all of them."""
ABSENT = {"isolated_margin": np.nan, "leverage": np.nan, "accrued_funding": 0.0, "risk_limit": np.nan}
"""What a column says that a part does not have."""


class Resident:
    """The parts of a live book. Steps are records of a journal: a kind, columns, words.

    Attributes
    ----------
    engine : Engine
    names, assets : tuple of str
        Instruments and assets by code; in a tick the codes of assets follow those of instruments.
    owners : Owners
    parts : list of Part
    replaced_tiers : mapping of (label of the policy, instrument) to TierTable
    """

    __slots__ = ("assets", "engine", "names", "owners", "parts", "replaced_tiers")

    engine: Engine
    names: tuple[str, ...]
    assets: tuple[str, ...]
    owners: Owners
    parts: list[Part]

    def __init__(
        self,
        engine: Engine,
        book: PositionBook,
        labels: tuple[str, ...],
        levels: Sequence[tuple[str, ...]],
        marks: Floats,
        asset_prices: Mapping[str, float],
    ) -> None:
        self.engine, self.names = engine, book.instrument_names
        policies = [engine.policies[label] for label in labels]
        held = () if book.balances is None else book.balances.asset_names
        self.assets = tuple(dict.fromkeys((*held, *(name for policy in policies for name in policy.assets))))
        self.owners = Owners(book, labels, policies)
        self.replaced_tiers: Mapping[tuple[str, str], TierTable] = {}
        given = [real_number("asset_prices", asset_prices.get(name)) for name in self.assets]
        prices = np.array(given, dtype=np.float64)
        of_policy = np.broadcast_to(marks, (len(labels), len(self.names)))
        self.parts = [
            Part(engine, label, own, self.assets, book, self.owners, of_policy[code], prices)
            for code, (label, own) in enumerate(zip(labels, levels, strict=True))
        ]

    @property
    def cores(self) -> list[CoreBook]:
        """The core's book of each part."""
        return [part.core for part in self.parts]

    def do(self, kind: str, columns: Columns, words: Any) -> CoreEvents:
        """Events of a step: by instant, then positions by row, then accounts by place."""
        steps = {
            "ticks": self._ticks,
            "remark": self._ticks,
            "change": self._change,
            "wallets": self._wallets,
            "balances": self._balances,
            "tiers": self._tiers,
            "open": self._open,
        }
        return joined(steps[kind](kind, columns, words))

    def _ticks(self, kind: str, columns: Columns, _: Any) -> list[CoreEvents]:
        codes, prices, policies = columns["instrument"], columns["price"], columns.get("policy")
        apart = kind == "ticks"
        if len(self.parts) == 1:
            return [self.parts[0].ticks(np.arange(codes.size) if apart else None, codes, prices)]
        told = []
        for code, part in enumerate(self.parts):
            own = np.arange(codes.size)
            if policies is not None:
                own = np.flatnonzero((policies == code) | (policies == EVERY_POLICY))
            told.append(part.ticks(own if apart else None, codes[own], prices[own]))
        return told

    def _change(self, _: str, columns: Columns, __: Any) -> list[CoreEvents]:
        rows = columns["rows"].astype(np.int64)
        if len(self.parts) == 1:
            return [self.parts[0].change(rows, columns)]
        steps = []
        for code, part in enumerate(self.parts):
            own = np.flatnonzero(self.owners.policy[rows] == code)
            if own.size:
                given = {name: columns[name][own] for name in NUMBERS if name in columns}
                steps.append((part, np.searchsorted(part.rows, rows[own]), given))
        # Of all parts before any of them changes.
        for part, places, given in steps:
            part.ask_change(places, given)
        return [part.change(places, given) for part, places, given in steps]

    def _wallets(self, _: str, columns: Columns, __: Any) -> list[CoreEvents]:
        # All parts hold all wallets; an account stands in one of them.
        return [
            part.told(part.core.set_wallets(columns["account"], columns["balance"])) for part in self.parts
        ]

    def _balances(self, _: str, columns: Columns, __: Any) -> list[CoreEvents]:
        return [
            part.told(part.core.set_balances((accounts, assets, list(amounts))))
            for part, (accounts, assets, amounts) in zip(
                self.parts,
                self._held_by_part(columns, "account", "asset", self.owners.policy_of_account),
                strict=True,
            )
            if accounts.size
        ]

    def _tiers(self, _: str, columns: Columns, words: Any) -> list[CoreEvents]:
        code, part = int(columns["instrument"][0]), self.parts[int(columns["policy"][0])]
        tiers = tiers_of(words)
        engine = engine_with_tiers(self.engine, part.label, self.names[code], tiers)
        told = part.replace_tiers(engine, code)
        # Not before: a table that is refused changes nothing.
        self.engine = engine
        self.replaced_tiers = {**self.replaced_tiers, (part.label, self.names[code]): tiers}
        return [told]

    def _open(self, _: str, columns: Columns, words: Any) -> list[CoreEvents]:
        first, ids = len(self.owners.is_cross), list(words)
        policy, of_account = policy_of(columns), self.owners.policies_with(columns, len(ids))
        held = self._held_by_part(columns, "balance_account", "balance_asset", of_account)
        steps = [
            (part, policy == code, balances)
            for code, (part, balances) in enumerate(zip(self.parts, held, strict=True))
        ]
        # Of all parts before any of them changes.
        for part, chosen, balances in steps:
            part.ask_open(chosen, columns, balances)
        self.owners.take(columns, ids)
        return [part.open(first, chosen, columns, balances) for part, chosen, balances in steps]

    def _held_by_part(
        self, columns: Columns, account: str, asset: str, policies: npt.NDArray[np.int64]
    ) -> list[BalanceTable]:
        """Balances of a record by these policies of accounts; columns that it lacks are left out."""
        nothing = np.empty(0, np.uint32)
        accounts, assets = columns.get(account, nothing), columns.get(asset, nothing)
        found: list[BalanceTable] = []
        for code in range(len(self.parts)):
            own = np.flatnonzero(policies[accounts] == code)
            amounts: list[Any] = [
                columns[name][own] if name in columns else None
                for name in ("balance", "liability", "interest")
            ]
            found.append((accounts[own], assets[own], amounts))
        return found

    def marks(self) -> Floats:
        """Prices of the instruments, by policy where there are several."""
        marks = np.stack([core.prices()[0] for core in self.cores])
        return marks[0] if len(self.parts) == 1 else marks

    def asset_prices(self) -> dict[str, float]:
        """Prices of the assets that have one."""
        found: dict[str, float] = {}
        for label, core in zip(self.owners.labels, self.cores, strict=True):
            of_policy = zip(self.engine.policies[label].assets, core.prices()[1].tolist(), strict=True)
            found |= {name: price for name, price in of_policy if not np.isnan(price)}
        return found

    def balances_of(self, accounts: Codes, assets: Codes) -> list[Floats]:
        """Balances, liabilities and interest of accounts in assets; zero where there are none."""
        held = self.parts[0].core.balances(accounts, assets)
        for code, part in enumerate(self.parts[1:], 1):
            own = np.flatnonzero(self.owners.policy_of_account[accounts] == code)
            for column, found in zip(held, part.core.balances(accounts[own], assets[own]), strict=True):
                column[own] = found
        return held

    def book(self) -> PositionBook:
        """The positions as they stand."""
        instrument, numbers, wallets, balances = self.columns()
        columns: dict[str, Floats | None] = dict(zip(NUMBERS, numbers, strict=True))
        return self.owners.book(instrument, self.names, columns, wallets, self.assets, balances)

    def columns(self) -> tuple[Codes, list[Floats | None], Floats, BalanceTable]:
        """Columns of the positions as they stand, then the wallets and the balances, policy by policy."""
        columns = [core.columns() for core in self.cores]
        held = [core.balance_columns() for core in self.cores]
        if len(columns) == 1:
            return (*columns[0], held[0])
        instrument = self._scattered([found[0] for found in columns], np.uint32(0))
        numbers = []
        for place, name in enumerate(NUMBERS):
            given = [found[1][place] for found in columns]
            absent = ABSENT.get(name, np.nan)
            present = any(column is not None for column in given)
            numbers.append(self._scattered(given, np.float64(absent)) if present else None)
        amounts = [np.concatenate([found[2][place] for found in held]) for place in range(3)]
        balances = (
            np.concatenate([found[0] for found in held]),
            np.concatenate([found[1] for found in held]),
        )
        return instrument, numbers, columns[0][2], (*balances, amounts)

    def _scattered(self, of_parts: Sequence[npt.NDArray[Any] | None], absent: Any) -> npt.NDArray[Any]:
        """Values of the parts by the rows of the book."""
        found = np.full(len(self.owners.is_cross), absent)
        for part, values in zip(self.parts, of_parts, strict=True):
            if values is not None:
                found[part.rows] = values
        return found

    def totals(self) -> LiveTotals:
        """Totals of all parts."""
        equity, margin, (positions, accounts) = CoreBook.totals(self.cores)
        of_state = [dict(zip(State, counts, strict=True)) for counts in (positions, accounts)]
        return LiveTotals(equity, margin, *of_state)

    def totals_by_side(self) -> TotalsBySide:
        """Totals of each instrument, long and short, of all parts."""
        positions, sums = CoreBook.totals_by_side(self.cores)
        shape = (len(self.names), 2)
        return TotalsBySide(self.names, positions.reshape(shape), *(sum_.reshape(shape) for sum_ in sums))

    def figures(self) -> tuple[LiveFigures, LiveFigures]:
        """Numbers of the isolated positions by row, and of the accounts by place."""
        of_rows, of_accounts = [], []
        for part in self.parts:
            (state, numbers), codes, (account_state, account_numbers) = part.core.figures()
            own = np.flatnonzero(~self.owners.is_cross[part.rows])
            of_rows.append((part.rows[own], state[own], *(column[own] for column in numbers)))
            of_accounts.append((codes.astype(np.int64), account_state, *account_numbers))
        return ordered(of_rows), ordered(of_accounts)


def ordered(of_parts: Sequence[tuple[Any, ...]]) -> LiveFigures:
    """Figures of all parts by place."""
    columns = [np.concatenate(column) for column in zip(*of_parts, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return LiveFigures(*(column[order] for column in columns))


def joined(told: list[CoreEvents]) -> CoreEvents:
    """Events of all parts, in one order."""
    if len(told) == 1:
        return told[0]
    if not told:
        nothing, none = np.empty(0, np.int64), np.empty(0, np.uint8)
        return nothing, np.empty(0, np.bool_), nothing, none, (none, [np.empty(0)] * 3)
    flat = [
        (instant, is_account, place, before, state, *numbers)
        for instant, is_account, place, before, (state, numbers) in told
    ]
    columns = [np.concatenate(column) for column in zip(*flat, strict=True)]
    order = np.lexsort((columns[2], columns[1], columns[0]))
    instant, is_account, place, before, state, *numbers = (column[order] for column in columns)
    return instant, is_account, place, before, (state, numbers)
