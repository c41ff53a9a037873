"""The book with the changes of a sequence in it, every row and wallet at hand."""

from typing import Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Codes, Floats
from levcore.book.balances import Balances
from levcore.book.positions import PositionBook
from levcore.changes.names import Names
from levcore.engine.compiled import CompiledInstrument, CompiledPolicy
from levcore.reference.what_if.position import Position

__all__ = ["Ledger"]


class Ledger:
    """A book under changes.

    Parameters
    ----------
    book : PositionBook
    names : Names
    policies : list of CompiledPolicy
        By the policy codes of the book, compiled for all instruments of the names: tables last.
    marks : ndarray of float64, shape (policies, instruments and tables)
    settlement : ndarray of uint32, shape (policies, instruments and tables)
        Codes of the settlement currencies; 0: not known.
    isolated_only : ndarray of bool, shape (policies, instruments and tables)
        Whether each may be held on isolated margin alone.
    """

    book: PositionBook
    names: Names
    policies: list[CompiledPolicy]
    marks: Floats
    settlement: list[list[int]]
    isolated_only: list[list[bool]]
    base_of: list[int]
    positions: list[Position]
    wallets: list[float]
    pooled: set[int]

    def __init__(
        self,
        book: PositionBook,
        names: Names,
        policies: list[CompiledPolicy],
        marks: Floats,
        settlement: Codes,
        isolated_only: npt.NDArray[np.bool_],
    ) -> None:
        self.book, self.names, self.policies, self.marks = book, names, policies, marks
        self.settlement = settlement.reshape(len(policies), -1).tolist()
        self.isolated_only = isolated_only.reshape(len(policies), -1).tolist()
        self.base_of = names.base_of.tolist()
        self.positions = [self._given(row) for row in range(len(book))]
        self.wallets = book.wallet_balance.tolist()
        self.balances: dict[tuple[int, int], float] = {}
        columns = book.balance_columns
        if columns is not None:
            pairs = zip(columns.account.tolist(), columns.asset.tolist(), strict=True)
            self.balances = dict(zip(pairs, columns.balance.tolist(), strict=True))
        self.pooled = {account for account, _ in self.balances}

    def _given(self, row: int) -> Position:
        book = self.book

        def of(column: Floats | None, absent: float) -> float:
            return absent if column is None else float(column[row])

        account = None
        if book.is_cross[row] and book.account_codes is not None:
            account = int(book.account_codes[row])
        return Position(
            instrument=int(book.instrument_codes[row]),
            policy=0 if book.policy_codes is None else int(book.policy_codes[row]),
            account=account,
            quantity=float(book.quantity[row]),
            entry_price=float(book.entry_price[row]),
            isolated_margin=of(book.isolated_margin, np.nan),
            leverage=of(book.leverage, np.nan),
            funding=of(book.accrued_funding, 0.0),
            risk_limit=of(book.risk_limit, np.nan),
        )

    def legs(self, account: int) -> list[int]:
        """Rows of the legs of an account, ascending."""
        return [row for row, position in enumerate(self.positions) if position.account == account]

    def leg(self, account: int, instrument: int, quantity: float) -> int | None:
        """The leg of an account in an instrument, in hedge mode the one on the side of `quantity`."""
        for row in self.legs(account):
            position = self.positions[row]
            same = self.base_of[position.instrument] == self.base_of[instrument]
            side = position.quantity == 0.0 or (position.quantity > 0.0) == (quantity > 0.0)
            if same and (side or self.book.position_mode != "hedge"):
                return row
        return None

    def instrument(self, position: Position) -> CompiledInstrument | None:
        """Terms of a position's instrument; None: the policy does not know it."""
        return self.compiled(position.policy, position.instrument)

    def compiled(self, policy: int, code: int) -> CompiledInstrument | None:
        """Terms of an instrument or of a replaced table, by its code."""
        compiled = self.policies[policy]
        place = compiled.places.get(self.key(code))
        return None if place is None else compiled.instruments[place]

    def key(self, code: int) -> str:
        """Name under which an instrument or a replaced table stands in the compiled policies."""
        first = len(self.names.instruments)
        if code < first:
            return self.names.instruments[code]
        return f"{self.names.tables[code - first].name} table {code - first}"

    def must_be_isolated(self, position: Position) -> bool:
        """Whether a position is a cross one in a contract that may be held on isolated margin alone."""
        return position.account is not None and self.isolated_only[position.policy][position.instrument]

    def settles_apart(self, account: int, position: Position) -> bool:
        """Whether an account is one wallet whose legs settle in another currency than a position."""
        own = self.settlement[position.policy][position.instrument]
        if own == 0 or account in self.pooled:
            return False
        legs = [self.positions[row] for row in self.legs(account)]
        return any(self.settlement[leg.policy][leg.instrument] not in (0, own) for leg in legs)

    def policy_of_balances(self, account: int) -> int | None:
        """Policy that the balances of an account name, if they do."""
        columns = self.book.balance_columns
        if columns is None or columns.policy is None or account not in self.pooled:
            return None
        return int(columns.policy[columns.account.tolist().index(account)])

    def credit(self, account: int, position: Position, amount: float) -> None:
        """Pay an amount into the wallet of an account, or the balance of the currency it settles in."""
        if account not in self.pooled:
            self.wallets[account] += amount
            return
        instrument = self.instrument(position)
        if instrument is None or instrument.settlement is None:
            return
        places = self.policies[position.policy].places_of_assets
        name = next(name for name, place in places.items() if place == instrument.settlement)
        if name in self.names.assets:
            self.receive(account, self.names.assets.index(name), amount)

    def receive(self, account: int, asset: int, amount: float) -> None:
        """Pay units of an asset into an account with balances."""
        self.balances[account, asset] = self.balances.get((account, asset), 0.0) + amount

    def changed_book(self, has_leverage: bool) -> PositionBook:
        """The book as it is now, rows and balances that changes have added last."""
        book, positions = self.book, self.positions
        ids = book.account_ids
        arguments: dict[str, Any] = {
            "instrument": [position.instrument for position in positions],
            "instrument_names": [self.key(code) for code in range(len(self.base_of))],
            "quantity": [position.quantity for position in positions],
            "entry_price": [position.entry_price for position in positions],
            "isolated_margin": [position.isolated_margin for position in positions],
            "accrued_funding": [position.funding for position in positions],
            "risk_limit": [position.risk_limit for position in positions],
            "margin_mode": ["isolated" if position.account is None else "cross" for position in positions],
            "position_mode": book.position_mode,
        }
        if has_leverage:
            arguments["leverage"] = [position.leverage for position in positions]
        if ids:
            owners = [position.account for position in positions]
            arguments["account"] = [None if owner is None else ids[owner] for owner in owners]
        if book.policy_names:
            arguments["policy"] = np.array([position.policy for position in positions], dtype=np.int64)
            arguments["policy_names"] = book.policy_names
        for column in ("instrument", "quantity", "entry_price", "isolated_margin", "accrued_funding"):
            kind = np.int64 if column == "instrument" else np.float64
            arguments[column] = np.array(arguments[column], dtype=kind)
        wallets: dict[Any, Any] = {
            each: wallet
            for code, (each, wallet) in enumerate(zip(ids, self.wallets, strict=True))
            if code not in self.pooled
        }
        wallets |= self._named_wallets()
        if wallets:
            arguments["wallet_balance"] = wallets
        return PositionBook(**arguments, balances=self._changed_balances())

    def _named_wallets(self) -> dict[Any, dict[str, float]]:
        """Wallets that were given by currency, the only one of an account as it is now."""
        named = self.book.named_wallets
        if named is None:
            return {}
        found: dict[int, dict[str, float]] = {}
        for code, currency, balance in zip(
            named.account.tolist(), named.currency, named.balance, strict=True
        ):
            found.setdefault(code, {})[currency] = float(balance)
        for code, held in found.items():
            if len(held) == 1:
                held[next(iter(held))] = self.wallets[code]
        return {self.book.account_ids[code]: held for code, held in found.items()}

    def _changed_balances(self) -> Balances | None:
        book, columns = self.book, self.book.balance_columns
        if book.balances is None or columns is None:
            return None
        given = list(zip(columns.account.tolist(), columns.asset.tolist(), strict=True))
        pairs = [*given, *(pair for pair in self.balances if pair not in set(given))]
        added = [0.0] * (len(pairs) - len(given))
        policy = None
        if columns.policy is not None:
            of_account = dict(zip(columns.account.tolist(), columns.policy.tolist(), strict=True))
            policy = [book.policy_names[of_account[account]] for account, _ in pairs]
        return Balances(
            [book.account_ids[account] for account, _ in pairs],
            [self.names.assets[asset] for _, asset in pairs],
            [self.balances[pair] for pair in pairs],
            liability=None if columns.liability is None else [*columns.liability.tolist(), *added],
            interest=None if columns.interest is None else [*columns.interest.tolist(), *added],
            policy=policy,
        )
