"""The engine: policies compiled once, books evaluated many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from levcore._levcore import Book, BookPolicies, Evaluation, Policy, instruction_sets
from levcore._levcore import used_instruction_set as core_used_instruction_set
from levcore.arguments import is_word
from levcore.book.asset_prices import asset_price_columns
from levcore.book.marks import Marks, mark_prices
from levcore.book.policy_labels import Policies, labelled_policies, labels_of_book, the_one_policy
from levcore.book.positions import PositionBook
from levcore.book.wallets import Wallets, wallets_of
from levcore.engine.answers import (
    check_accounts,
    check_isolated_only,
    check_modes,
    check_spellings,
    same_contracts,
)
from levcore.engine.compiled import (
    CompiledPolicy,
    compile_policy,
    pools_every_account,
)
from levcore.engine.risk import BookRisk
from levcore.engine.shared_memory import refuse_shared_memory
from levcore.engine.threads import checked_threads, threads_of_call
from levcore.errors import DTypeError, InputError, InvalidRowsError, ShapeError
from levcore.frozen import Frozen
from levcore.measures import DEFAULT_MEASURES, chosen_measures, default_measures, measure_mask
from levcore.rules.policy import MarginPolicy
from levcore.status import FIRST_PARTIAL, Status

if TYPE_CHECKING:
    from levcore.engine.over_time import RiskOverTime

__all__ = ["Engine", "Marks"]

DEFAULT_MASK = measure_mask(DEFAULT_MEASURES)
MOST_PLACED = 64
"""Lists of instruments whose places in the policies an engine keeps."""


class Compiled(NamedTuple):
    """A policy of an engine."""

    policy: MarginPolicy
    rules: CompiledPolicy
    kernel: Policy
    pools_all: bool
    """Whether legs of different instruments in one account are charged together."""

    @classmethod
    def of(cls, policy: MarginPolicy) -> Compiled:
        """Compile a policy for all of its instruments."""
        compiled = compile_policy(policy)
        kernel = Policy(compiled.rules, list(compiled.instruments), list(compiled.assets))
        return cls(policy, compiled, kernel, pools_every_account(policy))

    def place(self, name: str) -> int:
        """Place of an instrument among those of the kernel's policy; -1: the policy does not know it."""
        place = self.rules.places.get(name)
        if place is None and name in self.policy.instruments:
            place = self.rules.places.get(self.policy.instruments[name].name)
        return -1 if place is None else place

    def part(self, instruments: Sequence[str], assets: Sequence[str]) -> tuple[Policy, list[int], list[int]]:
        """The kernel's policy, and the places in it of a book's instruments and assets; -1: not known."""
        places = self.rules.places_of_assets
        return (
            self.kernel,
            [self.place(name) for name in instruments],
            [places.get(name, -1) for name in assets],
        )


class Placed(NamedTuple):
    """Policies with the places of names; by policy, which names stand for one contract (None: none do)."""

    kernel: BookPolicies
    same: tuple[npt.NDArray[np.intp] | None, ...]


class Binding(NamedTuple):
    """Policies of an engine that a book's policy codes point to; the book's wallets and layout for them."""

    policies: tuple[MarginPolicy, ...]
    kernel: BookPolicies
    handle: Book
    wallets: Wallets


class Engine(Frozen):
    """Evaluates books under one policy, or under several at once.

    Immutable; one engine may serve many threads at once. Pickles as its policies.

    Parameters
    ----------
    policy : MarginPolicy, mapping of label to MarginPolicy, or sequence of MarginPolicy
        Rules and instruments, compiled here. With several, each row of a book names its own by its label
        (``PositionBook(policy=...)``): the key of the mapping; for a sequence the policy's name, or its id
        where several have that name.
    threads : int, optional
        Threads of a call, 1 to 256. Default: ``LEVCORE_NUM_THREADS``, else what machine, affinity and quota
        allow; small books are evaluated on the calling thread.
    instruction_set : {"baseline", "avx2", "avx512"}, optional
        Forces one; default: ``LEVCORE_INSTRUCTION_SET``, else the best that the processor has. All give the
        same bits.

    Raises
    ------
    InputError
        For no policy, and for two under one label.
    UnknownRuleError
        If a rule that every position needs is unknown in a policy.
    TierError
        If a tier table does not fit its instrument.

    Examples
    --------
    >>> import levcore as lc
    >>> book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0], leverage=[10.0])
    >>> risk = lc.Engine(lc.policy("binance-usdm@2024-10-24")).evaluate(book, {"BTCUSDT": 61_000.0})
    >>> round(float(risk.liquidation_price[0]), 2)
    54216.87
    """

    __slots__ = (
        "_bound",
        "_compiled",
        "_placed",
        "instruction_set",
        "policies",
        "threads",
        "used_instruction_set",
    )

    _instead = "build a new engine, levcore.Engine(...), or say it in the call, as with evaluate(threads=...)"

    policies: Mapping[str, MarginPolicy]
    threads: int | None
    instruction_set: str | None
    used_instruction_set: str
    _compiled: dict[str, Compiled]
    _bound: WeakKeyDictionary[PositionBook, Binding]
    _placed: dict[tuple[tuple[str, ...], ...], Placed]

    def __init__(
        self, policy: Policies, *, threads: int | None = None, instruction_set: str | None = None
    ) -> None:
        if instruction_set is not None and not is_word(instruction_set, instruction_sets()):
            available = ", ".join(instruction_sets())
            raise InputError(
                "instruction_set", "must be one that this processor has", available, repr(instruction_set)
            )
        policies = labelled_policies(policy)
        self._fill(
            policies=MappingProxyType(policies),
            threads=None if threads is None else checked_threads(threads),
            instruction_set=instruction_set,
            used_instruction_set=instruction_set or core_used_instruction_set(),
            _compiled={label: Compiled.of(one) for label, one in policies.items()},
            # What was found for a book goes with the book.
            _bound=WeakKeyDictionary(),
            _placed={},
        )

    @property
    def policy(self) -> MarginPolicy:
        """The policy.

        Raises
        ------
        InputError
            If there are several.
        """
        return the_one_policy(tuple(self.policies.values()), "engine", "policies")

    def __repr__(self) -> str:
        """Policies and number of instruments."""
        count = sum(len(compiled.rules.instruments) for compiled in self._compiled.values())
        return f"Engine({', '.join(policy.id for policy in self.policies.values())}, {count:,} instruments)"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the policies; the other side compiles them again."""
        return _rebuild, (dict(self.policies), self.threads, self.instruction_set)

    def evaluate(
        self,
        book: PositionBook,
        marks: Marks,
        *,
        asset_prices: Mapping[str, float] | None = None,
        out: BookRisk | None = None,
        measures: tuple[str, ...] | None = None,
        on_bad_row: Literal["status", "raise"] = "status",
        threads: int | None = None,
    ) -> BookRisk:
        """Evaluate a book at mark prices.

        Parameters
        ----------
        book : PositionBook
            Positions and wallets.
        marks : mapping of instrument name to price, or array_like of shape (len(book.instrument_names),)
            Mark prices, quote per base; NaN or absent: missing. Also a series with the names as its index, a
            frame with a column ``instrument`` and one of ``mark_price``, ``mark`` and ``price``, or an array
            of one price a row of the book, the same for all rows of an instrument. For a book with
            policies also a mapping of their labels to either of these, or an array_like of shape (policies,
            instruments), by ``book.policy_names`` and ``book.instrument_names``.
        asset_prices : mapping of asset name to price, optional
            Prices of the assets that accounts hold balances in, and that their positions settle in, in the
            accounts' currency; absent: missing. Needed for a book with balances.
        out : BookRisk, optional
            Result of an earlier call on a book of the same size with the same measures; its memory is used
            again.
        measures : tuple of str, optional
            Store only these, of `levcore.MEASURES`. Default: all but ``liquidation_price_lower`` and
            ``liquidation_price_upper``.
        on_bad_row : {"status", "raise"}
            Whether a row that fails gets a status and NaN, or the call raises.
        threads : int, optional
            Threads of this call, 1 to 256; any number gives the same bits.

        Returns
        -------
        BookRisk
            In the caller's row order; `out` if it was given.

        Raises
        ------
        ShapeError, DTypeError
            For marks or `out` of the wrong size or type.
        InputError
            For a book whose policies the engine lacks.
        UnknownRuleError
            If a policy does not know a rule that positions of this book need.
        InvalidRowsError
            If `on_bad_row` is ``"raise"`` and a row fails; `out` is then written all the same.
        """
        if out is not None and not isinstance(out, BookRisk):
            raise DTypeError("out", "must be a BookRisk", "BookRisk", type(out).__name__)
        names = None if measures is None else chosen_measures(measures)
        if not is_word(on_bad_row, ("status", "raise")):
            raise InputError("on_bad_row", "must be a known choice", "'status' or 'raise'", repr(on_bad_row))
        bound = self.bind(book)
        prices = mark_prices(book, marks)
        of_assets = asset_price_columns(book, bound.policies, asset_prices)
        if out is None:
            names = names or default_measures(book.has_pooled_accounts)
            risk = BookRisk(book, bound.policies, prices, names, bound.wallets)
            evaluation = self._evaluation(book, bound, risk)
            risk.keep(evaluation)
        else:
            risk, evaluation = out, self._evaluation_again(book, bound, names, out)
        evaluation.run(
            prices if prices.ndim == 1 else prices.ravel(),
            of_assets,
            self.threads_of_call(threads, len(book)),
        )
        # Not before: a call that is refused leaves the result with the book that its numbers are of.
        risk.written(book, bound.policies, prices, bound.wallets, evaluation)
        risk.join_wallets()
        if on_bad_row == "raise":
            raise_for_bad_rows(risk)
        return risk

    def compiled(self, label: str) -> Compiled:
        """A policy of the engine by its label, compiled for all of its instruments."""
        return self._compiled[label]

    def evaluate_over(self, book: PositionBook, marks: Any, **options: Any) -> RiskOverTime:
        """Evaluate a book at the marks of many times; see `levcore.engine.over_time.evaluate_over`."""
        from levcore.engine.over_time import evaluate_over

        return evaluate_over(self, book, marks, **options)

    def by_wallet(self, book: PositionBook) -> PositionBook:
        """Book in which each wallet is an account: (``"a"``, ``"USDT"``) is the account ``"a USDT"``.

        For what knows an account by its id alone, such as changes and orders. A book whose accounts have one
        wallet each comes back as it is.

        Raises
        ------
        InputError
            Where another account has the name of such a wallet.

        Examples
        --------
        >>> import levcore as lc
        >>> book = lc.PositionBook(
        ...     ["BTCUSDT", "BTCUSDC"], [0.5, -0.5], [60_000.0, 60_000.0], ["a", "a"], "cross",
        ...     wallet_balance={"a": {"USDT": 4_000.0, "USDC": 5_000.0}},
        ... )
        >>> lc.Engine(lc.policy("binance-usdm")).by_wallet(book).account_ids
        ('a USDC', 'a USDT')
        """
        return self.bind(book).wallets.apart(book)

    def bind(self, book: PositionBook) -> Binding:
        """Policies of the book with the places of its instruments, found once a book."""
        if not isinstance(book, PositionBook):
            raise DTypeError("book", "must be a PositionBook", "PositionBook", type(book).__name__)
        bound = self._bound.get(book)
        if bound is not None:
            return bound
        labels = labels_of_book(book, tuple(self.policies))
        chosen = [self._compiled[label] for label in labels]
        placed = self._placed_policies(labels, book)
        for code, compiled in enumerate(chosen):
            own = book.is_cross if len(chosen) < 2 else book.is_cross[book.policy_codes == code]
            check_modes(compiled.policy, compiled.rules, own, book.position_mode)
            if book.account_codes is not None:  # some position is cross
                cross = own if len(chosen) < 2 else book.is_cross & (book.policy_codes == code)
                check_isolated_only(compiled.policy, book.instrument_names, book.instrument_codes, cross)
                check_spellings(compiled.policy, placed.same[code], book, cross)
            check_accounts(compiled.policy, book)
        policies = tuple([compiled.policy for compiled in chosen])
        wallets = wallets_of(book, policies)
        handle = wallets.layout(book, pool_all=True in [compiled.pools_all for compiled in chosen])
        # Two threads may find it at once: they find the same.
        bound = self._bound[book] = Binding(policies, placed.kernel, handle, wallets)
        return bound

    def _placed_policies(self, labels: tuple[str, ...], book: PositionBook) -> Placed:
        """Policies with the places of a book's instruments and assets, found once for these names."""
        assets = () if book.balances is None else book.balances.asset_names
        names = labels, book.instrument_names, assets
        known = self._placed.get(names)
        if known is not None:
            return known
        parts = [self._compiled[label].part(book.instrument_names, assets) for label in labels]
        if len(self._placed) >= MOST_PLACED:
            self._placed.clear()
        same = tuple(same_contracts(codes) for _, codes, _ in parts)
        placed = self._placed[names] = Placed(BookPolicies(parts), same)
        return placed

    def _evaluation(self, book: PositionBook, bound: Binding, risk: BookRisk) -> Evaluation:
        """What a call on a book does that writes to this result, all but the prices."""
        names = risk.measures
        return Evaluation(
            bound.handle,
            bound.kernel,
            DEFAULT_MASK if names is DEFAULT_MEASURES else measure_mask(names),
            risk.buffers,
            risk.wallet_buffers if book.account_ids else None,
            risk.balances.buffers if book.balances is not None else None,
            risk.accounts.buffers if bound.wallets.is_split else None,
            self.used_instruction_set,
        )

    def _evaluation_again(
        self, book: PositionBook, bound: Binding, names: tuple[str, ...] | None, out: BookRisk
    ) -> Evaluation:
        """The same of a result of an earlier call: its own, if that was on this book."""
        if names is not None and out.measures != names:
            raise InputError("out", "must hold the same measures", ", ".join(names), ", ".join(out.measures))
        known = out.evaluation
        if known is not None and out.book is book and known.policies is bound.kernel:
            return known
        balances = 0 if book.balances is None else len(book.balances)
        needed = len(book), len(book.account_ids), len(bound.wallets), balances
        held = len(out), len(out.accounts), len(out.wallet_columns), len(out.balances)
        if needed != held:
            words = "{} rows, {} accounts, {} wallets, {} balances"
            raise ShapeError("out", "must fit the book", words.format(*needed), words.format(*held))
        refuse_shared_memory(out, book)
        return self._evaluation(book, bound, out)

    def threads_of_call(self, threads: int | None, rows: int) -> int:
        """Threads of a call on so many rows: those asked for, one for a small book, else the engine's."""
        return threads_of_call(threads, rows, self.threads)


def _rebuild(policy: dict[str, MarginPolicy], threads: int | None, instruction_set: str | None) -> Engine:
    return Engine(policy, threads=threads, instruction_set=instruction_set)


def raise_for_bad_rows(risk: BookRisk) -> None:
    """Raise `InvalidRowsError` if any row is without some of its numbers."""
    rows = np.flatnonzero(risk.status >= FIRST_PARTIAL)
    if rows.size:
        first = Status(risk.status[rows[0]])
        raise InvalidRowsError(
            "book",
            "holds rows that cannot be evaluated",
            "",
            first.word,
            rows.tolist(),
            risk.status[rows].tolist(),
        )
