"""Evaluation of a book row by row, results in the caller's order."""

import math
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from levcore.book.asset_prices import asset_price_columns
from levcore.book.policy_labels import labelled_policies, labels_of_book
from levcore.book.wallets import Wallets, wallets_of
from levcore.engine.answers import (
    check_accounts,
    check_isolated_only,
    check_modes,
    check_spellings,
    same_listed,
)
from levcore.engine.compiled import (
    compile_policy,
    pools_every_account,
)
from levcore.errors import DTypeError
from levcore.reference import kernel
from levcore.reference.accounts.reader import AccountReader
from levcore.reference.accounts.settle import BalanceResult, settle
from levcore.reference.accounts.verdict import Sums, Verdict, judge_wallet, wallet_status
from levcore.reference.classify import refuse_inputs, refuse_results
from levcore.reference.position import ROW_RESULTS, MarkedInstrument, Position
from levcore.reference.prices import find_prices
from levcore.reference.rows import fail, flat_isolated, flatten, join, withdraw, without_margin
from levcore.reference.rules.collateral import Asset, prepare_asset
from levcore.reference.rules.policy import Policy, prepare
from levcore.reference.rules.tables import prepare_tiers
from levcore.reference.words import AT_BANKRUPTCY
from levcore.status import FIRST_FAILURE, AccountStatus, State, Status

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.policy_labels import Policies
    from levcore.book.positions import PositionBook
    from levcore.engine.risk import BookRisk
    from levcore.rules.policy import MarginPolicy

__all__ = ["BookReplay", "evaluate"]

Inputs = tuple[float, float, float, float, float, float]
"""The first six of a `Position`."""


def evaluate(
    book: "PositionBook",
    policy: "Policies",
    marks: "Marks",
    *,
    asset_prices: Mapping[str, float] | None = None,
    measures: tuple[str, ...] | None = None,
) -> "BookRisk":
    """Evaluate a book in pure Python: the same result as `levcore.Engine.evaluate`, to the last bit.

    Parameters
    ----------
    book : PositionBook
        Positions and wallets.
    policy : MarginPolicy, mapping of label to MarginPolicy, or sequence of MarginPolicy
        Rules and instruments, as `levcore.Engine` takes them.
    marks : mapping or array_like
        Mark prices, quote per base, as `levcore.Engine.evaluate` takes them.
    asset_prices : mapping of asset name to price, optional
    measures : tuple of str, optional
        As `levcore.Engine.evaluate` takes them.

    Returns
    -------
    BookRisk
        In the caller's row order.
    """
    from levcore.book.marks import mark_prices, marks_by_policy
    from levcore.book.positions import PositionBook
    from levcore.engine.risk import BookRisk
    from levcore.measures import MEASURE_NAMES, chosen_measures, default_measures

    if not isinstance(book, PositionBook):
        raise DTypeError("book", "must be a PositionBook", "PositionBook", type(book).__name__)
    labelled = labelled_policies(policy)
    policies = tuple(labelled[label] for label in labels_of_book(book, tuple(labelled)))
    prices = mark_prices(book, marks)
    by_policy = marks_by_policy(prices, len(policies)).tolist()
    of_assets = [column.tolist() for column in asset_price_columns(book, policies, asset_prices)]
    replay = BookReplay(book, policies, by_policy, of_assets)
    names = default_measures(book.has_pooled_accounts) if measures is None else chosen_measures(measures)
    risk = BookRisk(book, policies, prices, names, replay.wallet_columns)
    results, codes = risk.buffers
    rows = range(len(book))
    positions = replay.positions(rows)
    attributes = dict(zip(MEASURE_NAMES, ROW_RESULTS, strict=True))
    for measure, attribute in enumerate(attributes[name] for name in names):
        results[measure, : len(book)] = list(map(attrgetter(attribute), positions))
    codes[0, : len(book)] = [position.state for position in positions]
    codes[1, : len(book)] = [position.status for position in positions]
    account_results, account_codes = risk.wallet_buffers
    for account, verdict in enumerate(replay.verdicts):
        account_results[:, account] = verdict.measures
        account_codes[:, account] = verdict.state, verdict.status
    risk.join_wallets()
    balance_results, balance_codes = risk.balances.buffers
    for balance in replay.balance_results:
        balance_results[:, balance.row] = balance.measures
        balance_codes[:, balance.row] = balance.status
    return risk


class Part:
    """A policy of a book, with the book's instruments at their marks under it.

    Parameters
    ----------
    policy : MarginPolicy
    book : PositionBook
    code : int
        Code of the policy in the book.
    marks : list of float
        By ``book.instrument_names``, NaN where missing.
    asset_prices : list of float
        By the assets of the policy, NaN where missing; empty for a book without balances.
    """

    pools_every_account: bool
    assets: list[Asset]
    places_of_assets: list[int | None]

    def __init__(
        self,
        policy: "MarginPolicy",
        book: "PositionBook",
        code: int,
        marks: Sequence[float],
        asset_prices: Sequence[float],
    ) -> None:
        table = policy.instruments
        known = [name for name in book.instrument_names if name in table]
        compiled = compile_policy(policy, [table[name].name for name in known])
        own = np.full(len(book), True) if book.policy_codes is None else book.policy_codes == code
        check_modes(policy, compiled, book.is_cross[own], book.position_mode)
        check_isolated_only(policy, book.instrument_names, book.instrument_codes, book.is_cross & own)
        check_spellings(policy, same_listed(table, book.instrument_names), book, book.is_cross & own)
        check_accounts(policy, book)
        self.pools_every_account = pools_every_account(policy)
        self.assets = [prepare_asset(asset) for asset in compiled.assets]
        self.asset_prices = asset_prices
        names = () if book.balances is None else book.balances.asset_names
        self.places_of_assets = [compiled.places_of_assets.get(name) for name in names]
        self.policy: Policy = prepare(compiled)
        self.instruments: list[MarkedInstrument] = []
        for name, mark in zip(book.instrument_names, marks, strict=True):
            place = compiled.places[table[name].name] if name in table else None
            instrument = None if place is None else compiled.instruments[place]
            tiers = None
            if instrument is not None:
                tiers = prepare_tiers(instrument, self.policy.scale, self.policy.rules.initial_from_table)
            self.instruments.append(MarkedInstrument(instrument, tiers, mark))

    def price_status(self, asset: int) -> Status:
        """Whether there is a price of an asset of the policy."""
        price = self.asset_prices[asset]
        if math.isnan(price):
            return Status.MISSING_ASSET_PRICE
        return Status.OK if 0.0 < price < math.inf else Status.INVALID_ASSET_PRICE


class BookReplay:
    """A book under its policies at marks, ready to be evaluated row by row.

    Parameters
    ----------
    book : PositionBook
    policies : sequence of MarginPolicy
        By the policy codes of the book; one for a book without them.
    marks : list of lists of float
        By policy and ``book.instrument_names``, NaN where missing.
    asset_prices : list of lists of float, optional
        By policy and asset of the policy, NaN where missing; none for a book without balances.
    settle_accounts : bool
        Whether accounts are judged and their legs priced at once.

    Raises
    ------
    UnknownRuleError
        For positions that need a rule which no source states.
    """

    parts: list[Part]
    wallet_columns: Wallets
    hedge: bool

    def __init__(
        self,
        book: "PositionBook",
        policies: Sequence["MarginPolicy"],
        marks: Sequence[Sequence[float]],
        asset_prices: Sequence[Sequence[float]] = (),
        settle_accounts: bool = True,
    ) -> None:
        of_policies = zip(policies, marks, asset_prices or [()] * len(policies), strict=True)
        self.parts = [Part(policy, book, code, *prices) for code, (policy, *prices) in enumerate(of_policies)]
        # What follows knows no accounts but wallets; most accounts are one.
        self.wallet_columns = wallets = wallets_of(book, policies)
        self.part_codes: list[int] = (
            [0] * len(book) if book.policy_codes is None else book.policy_codes.tolist()
        )
        self.book = book
        self.codes: list[int] = book.instrument_codes.tolist()
        self.is_cross: list[bool] = book.is_cross.tolist()
        self.accounts: list[int] = [] if wallets.of_row is None else wallets.of_row.tolist()
        self._inputs: list[Inputs] = list(
            zip(
                _values(book.quantity, len(book), math.nan),
                _values(book.entry_price, len(book), math.nan),
                _values(book.isolated_margin, len(book), math.nan),
                _values(book.leverage, len(book), math.nan),
                _values(book.accrued_funding, len(book), 0.0),
                _values(book.risk_limit, len(book), math.nan),
                strict=True,
            )
        )
        self.hedge = book.position_mode == "hedge"
        self.wallets: list[float] = wallets.balance.tolist()
        self.known_status: list[int] = (
            [0] * len(wallets) if wallets.status is None else wallets.status.tolist()
        )
        self._balances = _balance_rows(book, wallets)
        # Cross rows after their first pass, each with what it releases.
        self.legs: dict[int, tuple[Position, float]] = {}
        self.rows_of_account: list[list[int]] = [[] for _ in self.wallets]
        self.balances_of_account: list[list[int]] = [[] for _ in self.wallets]
        for row, (account, *_) in enumerate(self._balances):
            self.balances_of_account[account].append(row)
        self.balance_results: list[BalanceResult] = []
        # Sums of the accounts whose legs are priced one by one; the others are settled as one whole.
        self.sums: dict[int, Sums] = {}
        self._value_legs()
        self.verdicts: list[Verdict] = []
        if settle_accounts:
            self.verdicts = [self._judge_account(account) for account in range(len(self.rows_of_account))]

    def quantity(self, row: int) -> float:
        """Quantity of a row."""
        return self._inputs[row][0]

    def balance(self, row: int) -> tuple[int, float, float, float]:
        """Asset, balance, liability and interest of a balance."""
        return self._balances[row][1:]

    def policy_of(self, row: int) -> Policy:
        """Policy of a row."""
        return self.parts[self.part_codes[row]].policy

    def marked_of(self, row: int) -> MarkedInstrument:
        """Instrument of a row under its policy, at its mark."""
        return self.parts[self.part_codes[row]].instruments[self.codes[row]]

    def positions(self, rows: Sequence[int]) -> list[Position]:
        """Positions of these rows, evaluated."""
        return [self.position(row) for row in rows]

    def position(self, row: int) -> Position:
        """Position of a row, evaluated."""
        if self.is_cross[row]:
            position, released = self.legs[row]
            if self.accounts[row] not in self.sums:
                return position
            return self._price_leg(position, released, row)
        return self._isolated(row)

    def _isolated(self, row: int) -> Position:
        position, marked, policy = Position(*self._inputs[row]), self.marked_of(row), self.policy_of(row)
        status = refuse_inputs(position, policy, marked, cross=False)
        if status == Status.FLAT:
            return flat_isolated(position, policy)
        if status != Status.OK or marked.instrument is None or marked.tiers is None:
            return fail(position, status)
        rules, basis = policy.rules, policy.rules.requirement_isolated
        kernel.mark_position(position, policy, marked.instrument, marked.mark)
        kernel.fund_isolated(position, policy)
        kernel.require_margin(
            position, policy, marked.tiers, basis, rules.initial_at_entry_isolated, cross=False
        )
        kernel.judge_isolated(position, policy, basis)
        find_prices(position, policy, marked.instrument, marked.tiers, marked.mark, basis, cross=False)
        status = refuse_results(
            position, policy, marked.tiers, cross=False, has_leverage=self.book.leverage is not None
        )
        if status == Status.WITHOUT_MARGIN:
            return without_margin(position, policy)
        return join(position, status)

    def _value_leg(self, row: int) -> tuple[Position, float]:
        """First pass over a leg: values and margins; what it releases."""
        position, marked, policy = Position(*self._inputs[row]), self.marked_of(row), self.policy_of(row)
        status = refuse_inputs(position, policy, marked, cross=True)
        if status == Status.FLAT:
            flatten(position)
            position.requirement = 0.0
            return position, 0.0
        if status != Status.OK or marked.instrument is None or marked.tiers is None:
            return fail(position, status), math.nan
        rules, basis = policy.rules, policy.rules.requirement_cross
        kernel.mark_position(position, policy, marked.instrument, marked.mark)
        if policy.cross_fees.fixed:
            kernel.fix_fee_by_leverage(position, policy.cross_fees)
        if basis == AT_BANKRUPTCY:
            kernel.go_bankrupt_by_leverage(position)
        kernel.require_margin(position, policy, marked.tiers, basis, rules.initial_at_entry_cross, cross=True)
        status = refuse_results(
            position, policy, marked.tiers, cross=True, has_leverage=self.book.leverage is not None
        )
        if status >= FIRST_FAILURE:
            return fail(position, status), math.nan
        position.status = status
        return position, kernel.release(position, policy, basis)

    def _value_legs(self) -> None:
        for row in (row for row, cross in enumerate(self.is_cross) if cross):
            self.legs[row] = self._value_leg(row)
            self.rows_of_account[self.accounts[row]].append(row)

    def _judge_account(self, account: int) -> Verdict:
        rows = self.rows_of_account[account]
        part = self.part_of_account(account)
        if self._is_pooled(account, part):
            reader = AccountReader(self, part, account, rows, self.balances_of_account[account])
            verdict, balances = settle(reader)
            self.balance_results += balances
            return verdict
        sums = self.sums[account] = Sums()
        for position, _ in (self.legs[row] for row in rows):
            profit = position.unrealized_pnl + position.funding
            sums.add(profit, position.requirement, position.initial_margin, position.maintenance_margin)
        return judge_wallet(self.wallets[account], self.status_of_account(account), sums, part.policy)

    def status_of_account(self, account: int) -> AccountStatus:
        """What is known of an account in a wallet before its legs are summed."""
        known = AccountStatus(self.known_status[account])
        return wallet_status(self.wallets[account]) if known == AccountStatus.OK else known

    def part_of_account(self, account: int) -> Part:
        """Policy of an account; without a requirement no rule matters, so any judges one that has nothing."""
        rows, balances = self.rows_of_account[account], self.balances_of_account[account]
        columns = self.book.balance_columns
        if rows:
            return self.parts[self.part_codes[rows[0]]]
        if balances and columns is not None and columns.policy is not None:
            return self.parts[int(columns.policy[balances[0]])]
        return self.parts[0]

    def _is_pooled(self, account: int, part: Part) -> bool:
        """Whether the parts of an account move together."""
        if self.balances_of_account[account] or any(each.pools_every_account for each in self.parts):
            return True
        codes = [self.codes[row] for row in self.rows_of_account[account]]
        return len(set(codes)) < len(codes)

    def _price_leg(self, position: Position, released: float, row: int) -> Position:
        """Second pass over a leg: prices with the other legs at their marks, and the account's verdict."""
        verdict, marked, policy = self.verdicts[self.accounts[row]], self.marked_of(row), self.policy_of(row)
        first_pass = position.status
        if first_pass >= FIRST_FAILURE:
            return position
        if verdict.state == State.INCOMPLETE:
            position.state, position.status = State.INCOMPLETE, Status.ACCOUNT_INCOMPLETE
            withdraw(position)
            return position
        position.equity, position.margin_ratio, position.state = (
            verdict.equity,
            verdict.margin_ratio,
            verdict.state,
        )
        if first_pass == Status.FLAT or marked.instrument is None or marked.tiers is None:
            return position
        basis = policy.rules.requirement_cross
        kernel.need_of_leg(position, verdict.surplus, released)
        find_prices(position, policy, marked.instrument, marked.tiers, marked.mark, basis, cross=True)
        return join(position, Status(first_pass))


def _balance_rows(book: "PositionBook", wallets: Wallets) -> list[tuple[int, int, float, float, float]]:
    """Account, asset, balance, liability and interest of each balance."""
    columns = book.balance_columns
    if columns is None:
        return []
    rows = columns.balance.size
    return list(
        zip(
            wallets.first_of(columns.account).tolist(),
            columns.asset.tolist(),
            columns.balance.tolist(),
            _values(columns.liability, rows, 0.0),
            _values(columns.interest, rows, 0.0),
            strict=True,
        )
    )


def _values(column: np.ndarray | None, rows: int, absent: float) -> list[float]:
    return [absent] * rows if column is None else column.tolist()
