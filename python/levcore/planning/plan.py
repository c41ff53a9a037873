"""The verb: what a position costs before it is opened, under one policy or several."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from levcore.arguments import of_kind, rows_of
from levcore.book.arrays import real_number
from levcore.errors import DTypeError, InputError
from levcore.planning.assemble import venue_plan
from levcore.planning.question import Question, Side
from levcore.planning.venue import VenuePlan
from levcore.rules.policies import policy
from levcore.rules.policy import MarginPolicy
from levcore.shown import Shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Plot

__all__ = ["Plan", "plan"]


@dataclass(frozen=True)
class Plan(Shown):
    """A position that is not there yet, under each of some policies; print it, or `levcore.report` it.

    Parameters
    ----------
    question : Question
        What was asked.
    venues : mapping of str to VenuePlan
        By the id of the policy, in the order asked for. The attributes of the first one are the plan's too.
    """

    question: Question
    venues: Mapping[str, VenuePlan]

    @property
    def first(self) -> VenuePlan:
        """The first policy's plan."""
        return next(iter(self.venues.values()))

    def __getitem__(self, name: str) -> VenuePlan:
        """Plan under a policy, by its id or its name."""
        for key, venue in self.venues.items():
            if name in (key, venue.policy.name):
                return venue
        raise InputError("policy", "is not in the plan", ", ".join(self.venues), repr(name))

    def __iter__(self) -> Iterator[VenuePlan]:
        """Iterate over the policies' plans."""
        return iter(self.venues.values())

    def to_dict(self) -> dict[str, Any]:
        """Everything as values that JSON knows: NaN is None.

        Returns
        -------
        dict
            ``question``, as it was asked, and ``venues``, a list in the order asked for: each the attributes
            of `VenuePlan` under their names.
        """
        from levcore.files.results import json_value

        venues = [venue.to_dict() for venue in self]
        plain: dict[str, Any] = json_value({"question": asdict(self.question), "venues": venues})
        return plain

    def __str__(self) -> str:
        """Text of the report."""
        # Reports stand above; only printing needs them.
        from importlib import import_module

        text: str = import_module("levcore.reports.report").report(self)
        return text.rstrip("\n")

    def plot(self) -> Plot:
        """Draw profit and equity over the price, with every mark on them, by matplotlib (extra ``plot``).

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        InputError
            Where matplotlib is not installed, or no policy could evaluate the position.
        """
        from importlib import import_module

        figure = import_module("levcore.reports.plan.figure").plan_figure(self)
        drawn: Plot = import_module("levcore.reports.charts.plot").plot(figure)
        return drawn


def plan(
    symbol: str,
    side: Side,
    size: float,
    *,
    entry: float,
    leverage: float | None = None,
    margin: float | None = None,
    cross: bool = False,
    wallet: float | None = None,
    stop: float | None = None,
    budget: float | None = None,
    move: float | None = None,
    gap: float | None = None,
    call_at: float | None = None,
    fees: Literal["regular"] | float | None = None,
    funding_a_day: float | None = None,
    policies: str | MarginPolicy | Sequence[str | MarginPolicy] = "binance-usdm",
) -> Plan:
    """Say what a position would cost, when it would be liquidated, and what would then be lost.

    What a policy leaves open is said in its place, and stops no other answer.

    Parameters
    ----------
    symbol : str
        Contract, in any spelling; each policy maps it to its own and says to which.
    side : {"long", "short"}
    size : float
        Base units (bitcoin, not contracts), positive.
    entry : float, quote per base
    leverage : float, optional
        Needed for an isolated position without `margin`.
    margin : float, settlement currency, optional
        Of an isolated position; its initial margin by default.
    cross : bool
        Whether the whole `wallet` stands behind it.
    wallet : float, settlement currency, optional
        Balance behind a cross position; beside an isolated one it adds the comparison with cross.
    stop : float, quote per base, optional
        Price of a stop order.
    budget : float, settlement currency, optional
        What may be lost at the stop; gives the size that loses it.
    move : float, fraction of the entry price, optional
        Move to survive: -0.15 is a fall by 15 %.
    gap : float, fraction of the price of liquidation, optional
        How far past its trigger the position is filled.
    call_at : float, optional
        Margin ratio at which a call of your own is made.
    fees : {"regular"} or float, optional
        Those of the venue's lowest account tier, or your taker rate as a fraction of value; none are assumed.
    funding_a_day : float, fraction of value, optional
        Funding, or interest, a day; positive: longs pay.
    policies : str, MarginPolicy or a sequence of them

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        For a number out of its range, or too little to make a position of.

    Examples
    --------
    >>> import levcore as lc
    >>> policy = "binance-usdm@2024-10-24"
    >>> asked = lc.plan("BTCUSDT", "long", 0.5, entry=60_000.0, leverage=10.0, policies=policy)
    >>> venue = asked.first
    >>> round(venue.liquidation_price, 2), venue.limit_of_loss
    (54216.87, 3000.0)
    """
    of_kind("symbol", symbol, str)
    numbers = {"size": size, "entry": entry, "leverage": leverage, "margin": margin, "wallet": wallet}
    numbers |= {"stop": stop, "budget": budget, "move": move, "gap": gap, "call_at": call_at}
    for name, value in (numbers | {"funding_a_day": funding_a_day}).items():
        if value is None and name in ("size", "entry"):
            raise DTypeError(name, "must be a number", "a number", "None")
        real_number(name, value)
    named = [policies] if isinstance(policies, str | MarginPolicy) else rows_of("policies", policies)
    for each in named:
        if not isinstance(each, str | MarginPolicy):
            raise DTypeError(
                "policies", "must be policies or names", "str or MarginPolicy", type(each).__name__
            )
    if not named:
        raise InputError("policies", "must name one", "such as 'binance-usdm'", "none")
    question = Question(
        symbol,
        side,
        float(size),
        float(entry),
        leverage,
        margin,
        cross,
        wallet,
        stop,
        budget,
        move,
        gap,
        call_at,
        fees,
        funding_a_day,
    )
    chosen = [policy(each) if isinstance(each, str) else each for each in named]
    return Plan(question, {each.id: venue_plan(question, each) for each in chosen})
