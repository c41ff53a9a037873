"""Sentences of a plan: its verdict, who owes, and what the words mean."""

import math
from collections.abc import Iterator, Sequence

from levcore.planning.desk import AT_ONCE
from levcore.planning.plan import Plan
from levcore.planning.question import Question
from levcore.planning.venue import VenuePlan
from levcore.reports.numbers import amount, percent, price
from levcore.status import State

__all__ = ["GLOSSARY", "owes_text", "questions", "verdict", "worst_state"]

OWES = {
    "no": "nothing can be owed",
    "yes": "a shortfall is owed by the trader",
    "claim_reserved": "the venue reserves a claim for a shortfall",
    "unknown": "whether a shortfall is owed is unknown",
}
SAYS = {
    "[V]": "shown by published numbers",
    "[R]": "says the venue's own text",
    "[3P]": "says a third party's copy of the venue's text",
    "[D]": "derived from the venue's rules",
    "[caller]": "stated by you",
}
GLOSSARY = (
    ("policy", "The rules of one product of a venue or broker, at a date."),
    (
        "leverage",
        "Value of the position over the margin that opens it. More of it makes no loss larger, it brings the"
        " liquidation nearer.",
    ),
    (
        "margin",
        "Your money that stands behind the position; the rest of its value is not yours. Some venues hold a"
        " reserve for the fee of closing in it.",
    ),
    ("taker fee", "What an order costs that is filled at once, as a share of the value; paid at both ends."),
    ("break-even", "The price at which closing has earned both fees."),
    (
        "equity",
        "Margin plus profit or minus loss: what is left of your money. At zero the position is bankrupt.",
    ),
    (
        "margin call",
        "A demand to deposit or to reduce before anything is closed. Brokers make them; many crypto venues"
        " state none, and there the next thing that happens is the liquidation. A call of your own"
        " (--call-at) is a reminder that nobody but you sends.",
    ),
    ("warning", "The level at which the venue tells you that a liquidation is near; nothing is closed yet."),
    (
        "liquidation",
        "Equity has fallen to what the venue requires. The venue closes the position in the market, without"
        " asking, at whatever price it gets; large positions are often closed in parts.",
    ),
    (
        "bankruptcy",
        "The price at which the margin is gone. A fill beyond it leaves money missing.",
    ),
    (
        "past it (gap)",
        "In a fall the market may have no buyers at the price of liquidation. What is lost between that price"
        " and the fill comes out of what is left, then out of the insurance fund, the winners (by"
        " auto-deleveraging), or you, as the venue's rules say.",
    ),
    (
        "shortfall",
        "The part of a loss that the margin does not cover. Who bears it decides whether a trade can cost"
        " more than was put in.",
    ),
    (
        "rule of thumb",
        "The rule of thumb is size over leverage, plus fees. It leaves out what a gap costs, what may be"
        " owed, funding, that the venue closes before the margin is gone, and the wallet behind a cross"
        " position.",
    ),
)


def questions(asked: Question) -> list[tuple[str, str]]:
    """Options of the command that a plan has not made use of, with an example, and what each tells."""
    side = -1 if asked.side == "long" else 1
    stop = f"--stop {asked.entry * (1 + side * 0.05):g}"
    every = (
        ("stop", stop, "what a stop order costs, and whether the liquidation comes before it"),
        (
            "budget",
            f"{stop} --budget 200",
            "the size that loses no more than that at the stop; 1 to 2 % of one's capital is a usual budget",
        ),
        ("move", f"--move {side * 15}%", "the highest leverage that is alive after that move"),
        ("gap", "--gap 5%", "the loss where the position is filled that far past its trigger"),
        ("call_at", "--call-at 50%", "a margin call of your own at that margin ratio, and what would end it"),
        ("funding_a_day", "--funding 0.03%", "what waiting costs, and the day on which it alone liquidates"),
        ("wallet", "--wallet 10000", "isolated and cross margin side by side"),
    )
    return [(option, what) for name, option, what in every if getattr(asked, name) is None]


def verdict(plan: Plan) -> str:
    """The answer in one sentence."""
    venues = list(plan)
    if len(venues) == 1:
        return _sentence(_alone(venues[0]))
    return _sentence(_together(plan, venues))


def _sentence(parts: Iterator[str]) -> str:
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "."


def _side(plan_move: float) -> str:
    return f"{percent(abs(plan_move))} {'below' if plan_move < 0 else 'above'}"


def _alone(venue: VenuePlan) -> Iterator[str]:
    if venue.refused:
        yield f"cannot be evaluated under {venue.policy.id}: {venue.refused}"
    elif "liquidation" in venue.points:
        point = venue.points["liquidation"]
        yield f"liquidated {_side(point.move)} entry, at {price(point.price)}"
    elif _at_once(venue):
        yield AT_ONCE
    else:
        yield f"no price of liquidation: {venue.why_not['liquidation']}"
    if not math.isnan(venue.limit_of_loss):
        yield f"at most {amount(venue.limit_of_loss)}{_unit(venue)} and fees are lost"
    elif not venue.refused:
        yield f"the loss may exceed the {amount(venue.at_stake)}{_unit(venue)} put in"
    yield owes_text(venue)


def _at_once(venue: VenuePlan) -> bool:
    return venue.why_not.get("liquidation") == AT_ONCE


def _unit(venue: VenuePlan) -> str:
    return f" {venue.currency}" if venue.currency else ""


def owes_text(venue: VenuePlan) -> str:
    """Who bears a shortfall, and who says so."""
    said = venue.owes_because
    mark = said.split(" ", 1)[0]
    who = SAYS.get(mark)
    if venue.owes == "unknown" or who is None:
        return f"{OWES[venue.owes]} ({said})"
    return f"{OWES[venue.owes]}, {who} ({said.removeprefix(mark).strip()})"


def _together(plan: Plan, venues: Sequence[VenuePlan]) -> Iterator[str]:
    known = sorted(
        (venue for venue in venues if "liquidation" in venue.points),
        key=lambda venue: abs(venue.points["liquidation"].move),
    )
    if known:
        first, last = known[0], known[-1]
        text = (
            f"liquidated {_side(first.points['liquidation'].move)} entry, at {price(first.liquidation_price)}"
        )
        text += f", under {first.policy.name}"
        if last is not first:
            at = last.points["liquidation"]
            text += f", and {_side(at.move)}, at {price(at.price)}, under {last.policy.name} at the latest"
        yield text
    opened = [venue for venue in venues if _at_once(venue)]
    if opened:
        yield f"{AT_ONCE} under {_names(opened)}"
    limited = [venue for venue in venues if not math.isnan(venue.limit_of_loss)]
    if limited:
        most = max(venue.limit_of_loss for venue in limited)
        yield f"at most {amount(most)} and fees are lost under {_names(limited)}"
    for owes in ("yes", "claim_reserved", "unknown"):
        owing = [venue for venue in venues if venue.owes == owes]
        if owing:
            yield f"{OWES[owes]} under {_names(owing)}"
    refused = [venue for venue in venues if venue.refused]
    if refused:
        yield f"not evaluated under {_names(refused)}"


def _names(venues: Sequence[VenuePlan]) -> str:
    names = [venue.policy.name for venue in venues]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def worst_state(plan: Plan) -> State:
    """State that colours the verdict: what is not known, or what a trade may come to."""
    if any(venue.refused for venue in plan):
        return State.INCOMPLETE
    if any(map(_at_once, plan)):
        return State.LIQUIDATION
    return State.WARNING if any(venue.owes != "no" for venue in plan) else State.HEALTHY
