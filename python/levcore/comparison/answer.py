"""What one policy answers to a book: numbers, a refusal, or numbers of the part that it knows the rules for.

A policy may know isolated positions alone, or accounts with one wallet alone. What it refuses then is told
with its reason and has the status ``REFUSED``; isolated positions and accounts do not touch each other, and
the numbers of the rest are those of the whole book.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.book.derived import some_positions
from levcore.book.positions import PositionBook
from levcore.comparison.instruments import Match, with_borrowed
from levcore.comparison.refusals import Refusal, Withheld, refusal_of
from levcore.engine.answers import rows_for_isolated_margin_alone
from levcore.engine.distances import AccountDistance, distance
from levcore.engine.engine import Engine
from levcore.engine.risk import BookRisk
from levcore.engine.wallet_places import accounts_in_assets
from levcore.errors import InputError, PolicyError
from levcore.measures import MEASURE_NAMES
from levcore.rules.policy import MarginPolicy
from levcore.status import AccountStatus, State, Status

__all__ = ["Answer", "answer", "distances"]

Places = npt.NDArray[np.intp]


class Answer(NamedTuple):
    """What a policy says of a book; `of` is what was evaluated, None where nothing was."""

    result: BookRisk | Refusal
    withheld: tuple[Withheld, ...] = ()
    of: PositionBook | None = None


class Part(NamedTuple):
    """Rows of a book that a policy knows or does not know the rules for, and places of their accounts."""

    what: str
    rows: Places
    accounts: Places


class Call(NamedTuple):
    """What every part of a book is evaluated with."""

    engine: Engine
    marks: Floats
    asset_prices: Mapping[str, float] | None

    def evaluate(self, book: PositionBook) -> BookRisk | Refusal:
        """Evaluate a book, or say why not."""
        prices = None if book.balances is None else self.asset_prices
        try:
            # Which accounts move as one depends on the policy as well, so that all store the same measures.
            return self.engine.evaluate(book, self.marks, asset_prices=prices, measures=MEASURE_NAMES)
        except (PolicyError, InputError) as error:
            return refusal_of(error)


def answer(
    policy: MarginPolicy,
    match: Match,
    book: PositionBook,
    marks: Floats,
    asset_prices: Mapping[str, float] | None,
) -> Answer:
    """Evaluate a book under one policy, or what of it the policy knows the rules for."""
    try:
        call = Call(Engine(with_borrowed(policy, match)), marks, asset_prices)
    except (PolicyError, InputError) as error:
        return Answer(refusal_of(error))
    whole = call.evaluate(book)
    if isinstance(whole, BookRisk):
        return Answer(whole, (), book)
    parts = list(_parts(policy, book))
    found = [(part, call.evaluate(_book_of(book, [part]))) for part in parts]
    known = [part for part, result in found if isinstance(result, BookRisk)]
    part_book = _book_of(book, known)
    if not len(part_book) and part_book.balances is None:
        return Answer(whole)
    evaluated = call.evaluate(part_book)
    if isinstance(evaluated, Refusal):
        return Answer(whole)
    withheld = tuple(Withheld(*part, refusal=result) for part, result in found if isinstance(result, Refusal))
    return Answer(_in_the_whole(book, evaluated, known), withheld, part_book)


def _parts(policy: MarginPolicy, book: PositionBook) -> Iterator[Part]:
    """Parts of a book that do not touch each other, each of what rules may be known for alone."""
    codes = np.full(len(book), -1) if book.account_codes is None else book.account_codes.astype(np.intp)
    in_assets = accounts_in_assets(book)
    alone = np.zeros(len(book.account_ids), dtype=np.bool_)
    rows = rows_for_isolated_margin_alone(policy, book.instrument_names, book.instrument_codes, book.is_cross)
    alone[codes[rows]] = True
    if not book.is_cross.all():
        yield Part("of isolated margin", np.flatnonzero(~book.is_cross), np.empty(0, np.intp))
    for what, chosen in (
        ("of accounts that hold contracts for isolated margin alone", alone),
        ("of accounts with balances", in_assets & ~alone),
        ("of cross margin", ~in_assets & ~alone),
    ):
        rows = np.flatnonzero(book.is_cross)
        rows = rows[chosen[codes[rows]]]
        if chosen.any():
            yield Part(what, rows, np.flatnonzero(chosen))


def _book_of(book: PositionBook, parts: list[Part]) -> PositionBook:
    """Rows of these parts, with balances if any of their accounts has them."""
    rows = np.sort(np.concatenate([np.empty(0, np.intp), *(part.rows for part in parts)]))
    accounts = np.concatenate([np.empty(0, np.intp), *(part.accounts for part in parts)])
    return some_positions(book, rows, with_balances=bool(accounts_in_assets(book)[accounts].any()))


def _in_the_whole(book: PositionBook, part: BookRisk, known: list[Part]) -> BookRisk:
    """Numbers of a part of a book in the places that they have in the whole one, the rest refused."""
    whole = BookRisk(book, part.policies, part.marks, part.measures)
    rows = np.sort(np.concatenate([np.empty(0, np.intp), *(one.rows for one in known)]))
    results, codes = whole.buffers
    results.fill(np.nan)
    codes[0], codes[1] = State.INCOMPLETE, Status.REFUSED
    results[:, rows] = part.buffers[0][:, : len(part)]
    codes[:, rows] = part.buffers[1][:, : len(part)]
    answered = np.zeros(len(book.account_ids), dtype=np.bool_)
    answered[np.concatenate([np.empty(0, np.intp), *(one.accounts for one in known)])] = True
    _wallets_in_the_whole(whole, part, answered)
    if book.balances is not None:
        results, codes = whole.balances.buffers
        results.fill(np.nan)
        codes.fill(Status.REFUSED)
        if part.book.balances is not None and book.balance_columns is not None:
            of_known = answered[book.balance_columns.account]
            results[:, of_known] = part.balances.buffers[0][:, of_known]
            codes[:, of_known] = part.balances.buffers[1][:, of_known]
    return whole


def _wallets_in_the_whole(whole: BookRisk, part: BookRisk, answered: npt.NDArray[np.bool_]) -> None:
    """Wallets of the accounts with an answer; in both books they stand in one order."""
    results, codes = whole.wallet_buffers
    results.fill(np.nan)
    codes[0], codes[1] = State.INCOMPLETE, AccountStatus.REFUSED
    to, of = answered[whole.wallet_columns.account], answered[part.wallet_columns.account]
    results[:, to], codes[:, to] = part.wallet_buffers[0][:, of], part.wallet_buffers[1][:, of]
    whole.join_wallets()


def distances(
    policy: MarginPolicy,
    match: Match,
    found: Answer,
    book: PositionBook,
    marks: Floats,
    asset_prices: Mapping[str, float] | None,
) -> AccountDistance:
    """How far all prices may move together until each account is liquidated; NaN for those refused."""
    result = AccountDistance(book)
    result.buffers[0].fill(np.nan)
    result.buffers[1].fill(AccountStatus.INCOMPLETE)
    assert found.of is not None, "asked of policies that answer alone"
    if len(found.of):
        prices = None if found.of.balances is None else asset_prices
        try:
            of_part = distance(Engine(with_borrowed(policy, match)), found.of, marks, asset_prices=prices)
            result.buffers[0][...], result.buffers[1][...] = of_part.buffers
        except InputError as error:
            refusal_of(error)
            # A move of all prices may need what an answer at the marks does not.
            result.buffers[1].fill(AccountStatus.REFUSED)
    # Without positions, nothing says which prices move.
    for withheld in found.withheld:
        result.buffers[0][:, withheld.accounts] = np.nan
        result.buffers[1][:, withheld.accounts] = AccountStatus.REFUSED
    return result
