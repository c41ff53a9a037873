"""``levcore plan``: one position before it is opened."""

import argparse
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from levcore.cli.examples import add_command
from levcore.cli.formats import add_format, print_answer
from levcore.cli.numbers import amount, fees, fraction, leverage, rate, side
from levcore.cli.options import NOTHING_COMPARED, OK, add_traceback
from levcore.cli.rules import add_rules, named_policies, with_stated
from levcore.cli.told import remedies
from levcore.errors import InputError
from levcore.files.instruments import read_instruments
from levcore.planning.plan import Plan, plan
from levcore.reports.plan.page import plan_page
from levcore.reports.report import check_report_path, report
from levcore.reports.text import page_text

__all__ = ["add_plan"]

DEFAULT = "binance-usdm,bybit-linear,okx-linear-swap,mexc-linear,hyperliquid"
WIDEST = 120


def add_plan(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser's commands."""
    parser = add_command(
        commands,
        "plan",
        "what one position costs, when it is liquidated, what is then lost",
        "What a position costs before it is opened, when it is liquidated, what is then lost.",
        "Exit code: 0 answered; 3 no policy could evaluate the position; 1 the command failed.",
    )
    # -15% is a number, not an option.
    parser._negative_number_matcher = re.compile(r"^-(\d+\.?\d*|\.\d+)%?$")
    parser.add_argument("symbol", metavar="SYMBOL", help="contract in any spelling, such as BTCUSDT")
    parser.add_argument("side", type=side, metavar="{long,short}", help="or buy, sell")
    parser.add_argument("size", type=amount, metavar="SIZE", help="in base units: 0.5 is half a bitcoin")
    for name, meaning in (
        ("entry", "price at which it is opened"),
        ("leverage", "such as 10; of an isolated position without --margin needed"),
        ("margin", "margin of an isolated position; else what the leverage takes"),
        ("wallet", "balance behind a cross position, or to compare with one"),
        ("stop", "price of a stop order"),
        ("budget", "what may be lost at the stop: gives the size that loses it"),
        ("call-at", "margin ratio at which you call yourself, such as 80%%"),
        ("move", "move to survive, such as -15%%"),
        ("gap", "how far past its trigger the position is filled, such as 15%%"),
        ("funding", "funding or interest a day, such as 0.03%%; positive: longs pay"),
    ):
        parser.add_argument(
            f"--{name}", type=_type_of(name), required=name == "entry", metavar=_metavar(name), help=meaning
        )
    parser.add_argument("--cross", action="store_true", help="the whole --wallet stands behind the position")
    parser.add_argument(
        "--fees",
        type=fees,
        metavar="regular|RATE",
        help="fees of the venue's lowest account tier, or your taker rate, such as 0.05%%",
    )
    parser.add_argument("--policies", default=DEFAULT, metavar="NAME,NAME", help=f"by default {DEFAULT}")
    add_rules(parser, fees=False)
    parser.add_argument("--instruments", metavar="FILE", help="instruments and tiers, added to the policies'")
    parser.add_argument("--report", metavar="FILE.html", help="write the plan as one offline file")
    add_format(parser, "a policy")
    add_traceback(parser)
    parser.set_defaults(run=_plan)


def _type_of(name: str) -> Callable[[str], float]:
    if name == "funding":
        return rate
    return {"PERCENT": fraction, "RATIO": fraction, "X": leverage}.get(_metavar(name), amount)


def _metavar(name: str) -> str:
    return {"entry": "PRICE", "stop": "PRICE", "leverage": "X", "call-at": "RATIO"}.get(
        name, "PERCENT" if name in ("move", "gap", "funding") else "AMOUNT"
    )


def _plan(options: argparse.Namespace) -> int:
    if options.report:
        check_report_path(options.report, "--report")
    policies = named_policies(options.policies)
    if options.instruments:
        table = read_instruments(options.instruments)
        policies = {label: one.with_instruments(table) for label, one in policies.items()}
    policies = with_stated(policies, options, fees=False)
    if not policies:
        raise InputError("--policies", "must name one", DEFAULT, repr(options.policies))
    asked = plan(
        options.symbol,
        options.side,
        options.size,
        entry=options.entry,
        leverage=options.leverage,
        margin=options.margin,
        cross=options.cross,
        wallet=options.wallet,
        stop=options.stop,
        budget=options.budget,
        move=options.move,
        gap=options.gap,
        call_at=options.call_at,
        fees=options.fees,
        funding_a_day=options.funding,
        policies=list(policies.values()),
    )
    asked = _as_typed(asked)
    width = min(WIDEST, shutil.get_terminal_size().columns)
    print_answer(
        options.format, lambda: page_text(plan_page(asked), width), asked.to_dict, lambda: _rows(asked)
    )
    if options.report:
        report(asked, options.report)
    return NOTHING_COMPARED if all(venue.refused for venue in asked) else OK


def _as_typed(asked: Plan) -> Plan:
    """Plan whose refusals name options."""
    venues = {name: replace(venue, refused=remedies(venue.refused)) for name, venue in asked.venues.items()}
    return replace(asked, venues=venues)


def _rows(asked: Plan) -> Iterator[dict[str, Any]]:
    """Row a policy: its numbers, and of each point its price."""
    points = dict.fromkeys(name for venue in asked for name in venue.points)
    for venue in asked:
        flat = {name: value for name, value in venue.to_dict().items() if not isinstance(value, dict | list)}
        flat.pop("other_mode")
        yield flat | {f"{name.replace(' ', '_')}_price": venue.price(name) for name in points}
