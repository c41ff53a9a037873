"""How far prices may move, all together or each by its beta, until an account is liquidated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from levcore._levcore import measure_distances
from levcore.arguments import of_kind
from levcore.book.arrays import Floats, real_number
from levcore.book.asset_prices import asset_price_columns
from levcore.book.marks import mark_prices
from levcore.book.wallets import Wallets
from levcore.engine.columns import AccountColumns, CodeColumn, Column
from levcore.engine.engine import Engine
from levcore.engine.wallet_risk import joined_status
from levcore.errors import DTypeError, InputError
from levcore.measures import DISTANCE_TABLE
from levcore.status import AccountStatus

if TYPE_CHECKING:
    from levcore.book.marks import Marks
    from levcore.book.positions import PositionBook
    from levcore.rules.policy import MarginPolicy

__all__ = ["AccountDistance", "beta_columns", "distance"]

BetaColumns = list[tuple[Floats, Floats]]


class AccountDistance(AccountColumns):
    """Distances of the cross accounts to liquidation, one value an account.

    Attributes
    ----------
    ids : tuple of str or int
        Accounts, as in `levcore.BookRisk.accounts`.
    lower, upper : ndarray of float64, shape (a,), fraction
        Moves ``t`` that liquidate as every price becomes ``P * (1 + beta * t)``: the largest below and the
        smallest above those at which the account is healthy. NaN where none in the range of positive prices
        does. Of an account that is liquidated already both may lie on one side of 0. Of one with several
        wallets: where the first of them is.
    status : ndarray of uint8, shape (a,)
        Codes of `AccountStatus`; both moves are NaN unless it is ``OK``.
    """

    __slots__ = ()

    table = DISTANCE_TABLE
    lower: Column = Column()
    upper: Column = Column()
    status: CodeColumn[AccountStatus] = CodeColumn(AccountStatus)

    def __init__(self, book: PositionBook) -> None:
        accounts = len(book.account_ids)
        self._fill(
            book=book, _results=np.empty((2, accounts)), _codes=np.empty((1, accounts), dtype=np.uint8)
        )

    @classmethod
    def of_wallets(
        cls, book: PositionBook, wallets: Wallets, moves: Floats, status: npt.NDArray[np.uint8]
    ) -> AccountDistance:
        """Distances of accounts from those of their wallets: where the first of them is liquidated.

        Parameters
        ----------
        book, wallets
        moves : ndarray of float64, shape (2, w)
        status : ndarray of uint8, shape (1, w)
        """
        result = cls(book)
        if wallets.is_split:
            status = joined_status(wallets, status, AccountStatus.OK)
            starts = wallets.first_of(np.arange(len(book.account_ids)))
            lower = np.fmax.reduceat(moves[0], starts) if starts.size else moves[0]
            upper = np.fmin.reduceat(moves[1], starts) if starts.size else moves[1]
            moves = np.where(status == AccountStatus.OK, (lower, upper), np.nan)
        result._results[...], result._codes[...] = moves, status
        return result

    @property
    def nearest(self) -> Floats:
        """Move of the smaller magnitude, a fraction; NaN where there is none."""
        below = np.isnan(self.upper) | (np.abs(self.lower) <= np.abs(self.upper))
        nearest: Floats = np.where(below, self.lower, self.upper)
        return nearest


def distance(
    engine: Engine,
    book: PositionBook,
    marks: Marks,
    betas: Mapping[str, float] | None = None,
    *,
    others: float | None = None,
    asset_prices: Mapping[str, float] | None = None,
    threads: int | None = None,
) -> AccountDistance:
    """Measure how far prices may move together until each cross account is liquidated.

    Parameters
    ----------
    engine : Engine
    book : PositionBook
        Its isolated positions are their own accounts and not measured here:
        `levcore.BookRisk.distance_to_liquidation` is theirs.
    marks, asset_prices
        As `levcore.Engine.evaluate` takes them.
    betas : mapping of name to number, optional
        How much each price moves as the ray does, by instrument or by underlying (an instrument's own name
        comes first). Absent: every instrument moves by 1, and so does every asset that is the underlying of
        one of the book's instruments; other assets stand still.
    others : float, optional
        Beta of instruments that `betas` does not name. Assets that it does not name stand still.
    threads : int, optional
        Threads of this call; any number gives the same bits.

    Returns
    -------
    AccountDistance

    Raises
    ------
    InputError
        For instruments without a beta, for betas of what neither the book nor its policies name, and for a
        book of balances alone without betas: which prices move?
    DTypeError
        For betas that are no numbers.

    Examples
    --------
    >>> import levcore as lc
    >>> from levcore.engine.distances import distance
    >>> book = lc.PositionBook(
    ...     ["BTCUSDT", "ETHUSDT"], [0.5, 4.0], [60_000.0, 3_000.0], account=["a", "a"], margin_mode="cross",
    ...     wallet_balance={"a": 6_000.0},
    ... )
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> found = distance(engine, book, {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0})
    >>> [round(float(move), 4) for move in (found.lower[0], found.upper[0])]
    [-0.1394, nan]
    """
    of_kind("engine", engine, Engine)
    bound = engine.bind(book)
    prices = mark_prices(book, marks)
    wallets = bound.wallets
    moves, codes = np.empty((2, len(wallets))), np.empty((1, len(wallets)), dtype=np.uint8)
    measure_distances(
        wallets.layout(book, pool_all=True),
        bound.kernel,
        prices.reshape(-1),
        asset_price_columns(book, bound.policies, asset_prices),
        beta_columns(book, bound.policies, betas, others),
        moves,
        codes,
        engine.used_instruction_set,
        engine.threads_of_call(threads, len(book)),
    )
    return AccountDistance.of_wallets(book, wallets, moves, codes)


def beta_columns(
    book: PositionBook,
    policies: Sequence[MarginPolicy],
    betas: Mapping[str, float] | None,
    others: float | None,
) -> BetaColumns:
    """Betas of the book's instruments and of the assets, for each policy; see `distance` for the errors."""
    given = None if betas is None else _numbers(betas)
    rest = None if others is None else _finite("others", real_number("others", others), "")
    if given is None and book.balances is not None and not len(book):
        raise InputError(
            "betas",
            "are needed for balances without positions",
            "asset to beta, such as {'WETH': 1.0}",
            "none",
        )
    if given is not None:
        _refuse_strangers(given, book, policies)
    columns = []
    for policy in policies:
        underlyings = {name: _underlying(policy, name) for name in book.instrument_names}
        of_instruments = [_beta(name, under, given, rest) for name, under in underlyings.items()]
        moving = {_settled_underlying(policy, name, under) for name, under in underlyings.items()}
        of_assets = [
            (1.0 if asset.moves_with in moving else 0.0)
            if given is None
            else given.get(asset.name, given.get(asset.moves_with, 0.0))
            for asset in policy.assets.values()
        ]
        columns.append((np.array(of_instruments, dtype=np.float64), np.array(of_assets, dtype=np.float64)))
    return columns


def _refuse_strangers(given: dict[str, float], book: PositionBook, policies: Sequence[MarginPolicy]) -> None:
    """Refuse a beta of nothing: mistyped, it would leave a price where it is and the account too far away."""
    strangers = set(given) - set(book.instrument_names)
    for policy in policies:
        strangers -= {name for asset in policy.assets.values() for name in (asset.name, asset.moves_with)}
        strangers = {name for name in strangers if name not in policy.instruments}
        if strangers:  # only then is it worth building every instrument of a table
            strangers -= {instrument.underlying for instrument in policy.instruments.values()}
    if strangers:
        raise InputError(
            "betas",
            "must be of an instrument, an underlying or an asset of the book or its policies",
            "a name that they have",
            ", ".join(map(repr, sorted(strangers)[:5])),
            count=len(strangers),
        )


def _underlying(policy: MarginPolicy, name: str) -> str:
    return policy.instruments[name].underlying if name in policy.instruments else ""


def _settled_underlying(policy: MarginPolicy, name: str, underlying: str) -> str:
    """Underlying of an instrument; that of its coin for an inverse one that does not say it."""
    if underlying or name not in policy.instruments:
        return underlying
    instrument = policy.instruments[name]
    asset = policy.assets.get(instrument.settlement)
    return asset.moves_with if asset is not None and instrument.payoff == "inverse" else ""


def _numbers(betas: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(betas, Mapping):
        raise DTypeError(
            "betas", "must be a mapping", "instrument or underlying to beta", type(betas).__name__
        )
    numbers = {name: real_number("betas", beta) for name, beta in betas.items()}
    return {name: _finite("betas", beta, f" for {name!r}") for name, beta in numbers.items()}


def _finite(argument: str, beta: float, owner: str) -> float:
    if not np.isfinite(beta):
        raise InputError(argument, "must be finite", "a number", f"{beta!r}{owner}")
    return beta


def _beta(name: str, underlying: str, given: dict[str, float] | None, others: float | None) -> float:
    if given is None:
        return 1.0
    beta = given.get(name, given.get(underlying) if underlying else None)
    if beta is None and others is None:
        raise InputError(
            "betas",
            "must have one for every instrument, or come with others=",
            "a beta",
            f"none for {name!r}",
        )
    return others if beta is None and others is not None else float(beta or 0.0)
