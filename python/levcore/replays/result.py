"""What a replay leaves behind: events, the book over time, and the ledger of it all."""

import hashlib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore.book.arrays import Floats
from levcore.closing.money import Wholes
from levcore.shown import Shown

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook
    from levcore.rules.policy import MarginPolicy

__all__ = ["EVENT_KINDS", "Replay", "ReplayEvents", "ReplaySeries"]

EVENT_KINDS = ("liquidation", "deleveraging", "socialisation", "delisting", "netting")
LIQUIDATION, DELEVERAGING, SOCIALISATION, DELISTING, NETTING = range(len(EVENT_KINDS))
AMOUNTS = (
    "to_trigger",
    "past_trigger",
    "fees",
    "left",
    "kept_by_fund",
    "fund",
    "deleveraging",
    "socialised",
    "unpaid",
    "fund_after",
)
SERIES = ("liquidated", "fund", "unpaid", "margins")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayEvents:
    """A row a position at an instant, in the order in which they happened; amounts in quanta.

    Attributes
    ----------
    kind : ndarray of uint8, shape (e,)
        Place in `EVENT_KINDS`.
    step : ndarray of int64, shape (e,)
        Step of the replay.
    time : ndarray, shape (e,)
        As the prices have it.
    row : ndarray of int64, shape (e,)
        Row of the caller's book.
    quantity : ndarray of float64, shape (e,)
        Contracts that are closed, with the sign of the position.
    trigger, fill : ndarray of float64, shape (e,), quote per base
        Where it was liquidatable, of a cross position the mark; where it was closed.
    to_trigger, past_trigger, fees : ndarray of int64, shape (e,)
        Parts of the loss; negative: a gain.
    left : ndarray of int64, shape (e,)
        What is left of the margin or wallet, told with the first position of an account.
    kept_by_fund : ndarray of int64, shape (e,)
        The part of it that the fund keeps; the rest returns to the trader.
    fund, deleveraging, socialised, unpaid : ndarray of int64, shape (e,)
        Who pays what is missing; of a winner what it gives, negative.
    fund_after : ndarray of int64, shape (e,)
        Balance of the fund afterwards.
    """

    kind: npt.NDArray[np.uint8]
    step: Wholes
    time: npt.NDArray[Any]
    row: Wholes
    quantity: Floats
    trigger: Floats
    fill: Floats
    to_trigger: Wholes
    past_trigger: Wholes
    fees: Wholes
    left: Wholes
    kept_by_fund: Wholes
    fund: Wholes
    deleveraging: Wholes
    socialised: Wholes
    unpaid: Wholes
    fund_after: Wholes

    def __len__(self) -> int:
        """Number of events."""
        return self.kind.size

    @property
    def of_liquidations(self) -> npt.NDArray[np.bool_]:
        """Which events close something of a liquidated account or position."""
        return np.isin(self.kind, [LIQUIDATION, NETTING])

    def liquidated_rows(self) -> tuple[Wholes, Wholes]:
        """Rows that were liquidated, in part or whole, ascending, and the first such event of each."""
        events = np.flatnonzero(self.of_liquidations)
        rows, first = np.unique(self.row[events], return_index=True)
        return rows, events[first]

    def to_dict(self) -> dict[str, Any]:
        """Columns by name, kinds as words, for a data frame of any library."""
        words = np.array(EVENT_KINDS)[self.kind]
        return {each.name: getattr(self, each.name) for each in fields(self)} | {"kind": words.tolist()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySeries:
    """The book after each time of the prices.

    Attributes
    ----------
    time : ndarray, shape (t,)
    open : ndarray of int64, shape (t,)
        Open positions.
    equity : ndarray of float64, shape (t,), settlement currency
        Margins and wallets with all unrealized profit.
    open_interest : ndarray of float64, shape (t,), settlement currency
        Value of all positions, longs and shorts.
    liquidated, fund, unpaid, margins : ndarray of int64, shape (t,), quanta
        Value liquidated so far, balance of the fund, what nobody has paid so far, margins and wallets.
    """

    time: npt.NDArray[Any]
    open: Wholes
    equity: Floats
    open_interest: Floats
    liquidated: Wholes
    fund: Wholes
    unpaid: Wholes
    margins: Wholes

    def __len__(self) -> int:
        """Number of times."""
        return self.open.size

    def to_dict(self) -> dict[str, Any]:
        """Columns by name, for a data frame of any library."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay(Shown):
    """Result of `levcore.replay`. Amounts are int64 quanta; ``amount / per_unit`` is money.

    Attributes
    ----------
    policy : MarginPolicy
    book : PositionBook
        The caller's.
    path : str
        Which way prices were taken to have gone within a bar.
    per_unit : float
        Quanta a unit of settlement currency.
    events : ReplayEvents
    series : ReplaySeries
    instruments : tuple of str
        By name.
    closes : ndarray of float64, shape (t, i), quote per base
        Last price of each instrument at each time of the prices, stopped or not; NaN where there is none.
    times : ndarray, shape (t,)
        Times of the prices.
    steps, of_steps : int
        Steps that were taken, of how many; fewer: it was stopped.
    opening_money, opening_fund : int
        Margins and wallets at the beginning, the fund.
    money, fund : int
        The same at the end.
    funding : int
        What funding has brought the venue: paid by some less received by others.
    liquidated : int
        Value that was liquidated, at the fills.
    quantity : ndarray of float64, shape (n,)
        Contracts of each row of the book that are open at the end.
    margin : ndarray of int64, shape (n,)
        Margins of isolated rows.
    wallet : ndarray of int64, shape (a,)
        Wallets by ``book.account_ids``; those without positions took no part.
    stepped, stepped_accounts : ndarray of float64, shapes (n,) and (a,), seconds
        When each position and account had its last step of a liquidation; -inf where it had none.
    other : Replay or None
        The same book along the other path of its bars, if both were asked for.
    """

    policy: "MarginPolicy"
    book: "PositionBook"
    path: str
    per_unit: float
    events: ReplayEvents
    series: ReplaySeries
    instruments: tuple[str, ...]
    closes: Floats
    times: npt.NDArray[Any]
    steps: int
    of_steps: int
    opening_money: int
    opening_fund: int
    money: int
    fund: int
    funding: int
    liquidated: int
    quantity: Floats
    margin: Wholes
    wallet: Wholes
    stepped: Floats
    stepped_accounts: Floats
    other: "Replay | None" = field(default=None, repr=False)

    def __repr__(self) -> str:
        """How much was liquidated."""
        count = self.events.liquidated_rows()[0].size
        return f"Replay({count:,} of {len(self.book):,} positions liquidated under {self.policy.id})"

    @property
    def is_complete(self) -> bool:
        """Whether all steps were taken."""
        return self.steps == self.of_steps

    def ledger(self) -> dict[str, int]:
        """What each side has at the end, less what it had; together zero, to the last quantum.

        ``positions`` are margins and wallets, ``market`` is whoever took the other side of losses and gains,
        ``traders`` got what was left, ``rounding`` is what shares rounded down leave, borne by the venue, and
        ``unpaid`` what nobody has paid: owed, claimed or written off as `debts` says.
        """
        e = self.events
        liquidated = e.of_liquidations | (e.kind == DELISTING)
        returned = sum(e.left.tolist()) - sum(e.kept_by_fund.tolist())
        received = sum(e.deleveraging[liquidated].tolist()) + sum(e.socialised[liquidated].tolist())
        given = -sum(e.deleveraging[~liquidated].tolist()) - sum(e.socialised[~liquidated].tolist())
        return {
            "positions": self.money - self.opening_money,
            "fund": self.fund - self.opening_fund,
            "traders": returned,
            "market": sum(e.to_trigger.tolist()) + sum(e.past_trigger.tolist()),
            "fees": sum(e.fees.tolist()),
            "funding": self.funding,
            "rounding": given - received,
            "unpaid": -sum(e.unpaid.tolist()),
        }

    def debts(self) -> dict[str, int]:
        """What becomes of what nobody has paid: owed by traders, claimed, or written off, quanta."""
        words = {"no": "written off", "yes": "owed", "claim_reserved": "claim"}
        found = dict.fromkeys(words.values(), 0)
        cross = self.book.is_cross[self.events.row]
        for owes, chosen in ((self.policy.owes("cross"), cross), (self.policy.owes("isolated"), ~cross)):
            amount = sum(self.events.unpaid[chosen].tolist())
            if amount:
                found[words[owes]] += amount
        return found

    def totals(self) -> dict[str, float]:
        """Sums over the liquidations, in settlement currency, and how many positions they touched."""
        e, per_unit = self.events, self.per_unit
        kind, liquidated = e.of_liquidations, e.liquidated_rows()[0].size
        names = ("to_trigger", "past_trigger", "fees", "left", "fund", "deleveraging", "socialised")
        sums = {name: sum(getattr(e, name)[kind].tolist()) / per_unit for name in names}
        debts = {name.replace(" ", "_"): amount / per_unit for name, amount in self.debts().items()}
        held = int((self.book.quantity != 0).sum())
        unpaid = sum(e.unpaid[kind].tolist()) / per_unit
        paid = sum(sums[name] for name in ("fund", "deleveraging", "socialised"))
        return {
            "positions": held,
            "liquidated": liquidated,
            "share": liquidated / max(held, 1),
            **sums,
            "missing": paid + unpaid,
            "unpaid": unpaid,
            **debts,
            "deleveraged": int((e.kind == DELEVERAGING).sum()),
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything as values that JSON knows: NaN is None; amounts are quanta, `per_unit` of them money.

        Returns
        -------
        dict
            ``policy``, ``path``, ``steps``, ``of_steps``, ``per_unit``, ``totals`` (in settlement currency),
            ``ledger``, ``debts``; ``events`` and ``series``, a list a column; ``other``: the same along the
            other path, or None.
        """
        from levcore.files.results import json_value

        plain: dict[str, Any] = json_value(
            {
                "policy": self.policy.id,
                "path": self.path,
                "steps": self.steps,
                "of_steps": self.of_steps,
                "per_unit": self.per_unit,
                "totals": self.totals(),
                "ledger": self.ledger(),
                "debts": self.debts(),
                "events": self.events.to_dict(),
                "series": self.series.to_dict(),
                "other": None if self.other is None else self.other.to_dict(),
            }
        )
        return plain

    def hash(self) -> str:
        """SHA-256 of events, series and the book at the end, the same however rows were ordered.

        Rows are told by what they hold and not by their number.
        """
        digest = hashlib.sha256()
        e, book = self.events, self.book
        names = np.array(book.instrument_names, dtype=str)
        columns: list[npt.NDArray[Any]] = [
            e.kind,
            e.step,
            names[book.instrument_codes[e.row]],
            book.entry_price[e.row],
        ]
        columns += [e.quantity, e.trigger, e.fill, *(getattr(e, name) for name in AMOUNTS)]
        columns += [self.series.open, self.series.equity, self.series.open_interest]
        columns += [getattr(self.series, name) for name in SERIES]
        columns += [np.array([self.money, self.fund, self.funding, self.steps], dtype=np.int64)]
        for column in columns:
            text = column.dtype.kind == "U"
            digest.update(
                "\0".join(column.tolist()).encode() if text else np.ascontiguousarray(column).tobytes()
            )
        return digest.hexdigest()
