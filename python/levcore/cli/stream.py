"""``levcore score --stream``: a file larger than memory, batch by batch, its totals to the last bit."""

import argparse
import json
from typing import Any

from levcore.cli.exit_codes import FOUND, NOTHING_COMPARED, OK
from levcore.cli.inputs import policy_of
from levcore.cli.notes import note_prices_apart
from levcore.cli.options import not_inputs, shown_name, wallets
from levcore.cli.progress import Progress
from levcore.cli.terminal import say
from levcore.cluster.batches import BatchRisks, evaluate_batches
from levcore.engine.engine import Engine
from levcore.engine.summary import Summary
from levcore.errors import InputError
from levcore.files.batches import check_folder, write_part
from levcore.files.positions import read_marks
from levcore.files.results import json_value
from levcore.measures import MEASURE_NAMES
from levcore.reports.numbers import amount, count
from levcore.reports.text import text_table
from levcore.status import State

__all__ = ["add_stream", "score_stream"]

WHOLE_ONLY = ("report", "leg_costs", "balances", "asset_prices", "source")
"""Options that need the whole book at once."""
FORMATS = ("table", "json")
COUNTS = ("positions", "accounts", "evaluated", "incomplete", "failed")


def add_stream(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--stream",
        action="store_true",
        help="POSITIONS is a Parquet or Arrow file whose rows are sorted by account: evaluate it in batches, "
        "whatever its size; counts and totals are shown (--format json: as an object), --out is a folder",
    )


def score_stream(options: argparse.Namespace) -> int:
    """Evaluate a file in batches; the exit code is that of an evaluation at once."""
    _check(options)
    folder = None if options.out is None else check_folder(options.out)
    engine = Engine(policy_of(options))
    progress = Progress()
    evaluated = progress.step("evaluating")
    risks = _risks(options, engine)
    for number, risk in enumerate(risks):
        if folder is not None:
            write_part(folder / f"part-{number:05}.parquet", risk)
        evaluated(risks.rows)
    progress.clear()
    _show(options, risks.summary())
    note_prices_apart(risks.prices_apart())
    return _exit_code(risks.counted())


def _check(options: argparse.Namespace) -> None:
    """Refuse options that a book in parts cannot follow."""
    given = next((name for name in WHOLE_ONLY if getattr(options, name)), None)
    if given is not None:
        flag = "--from" if given == "source" else f"--{given.replace('_', '-')}"
        raise InputError(flag, "needs the whole book at once", "either of them", f"{flag} with --stream")
    if options.format not in FORMATS:
        expected = "--out FOLDER, which gets the rows as Parquet"
        raise InputError("--format", "of a stream is its summary", expected, options.format)
    if options.policy is None:
        raise InputError("--policy", "is needed with --stream", "a policy", "none")


def _risks(options: argparse.Namespace, engine: Engine) -> BatchRisks:
    ignored = not_inputs(options)
    return evaluate_batches(
        engine,
        options.positions,
        read_marks(options.marks, ignore_columns=ignored) if options.marks else None,
        wallet_balance=wallets(options),
        position_mode="hedge" if options.position_mode == "hedge" else "one_way",
        ignore_columns=options.ignore_columns,
        pass_columns=options.pass_columns,
        measures=MEASURE_NAMES,
    )


def _show(options: argparse.Namespace, summary: dict[str, Any]) -> None:
    if options.format == "json":
        say(json.dumps(json_value(summary), indent=1, allow_nan=False))
        return
    say(f"Risk summary: {shown_name(options.positions)}, {summary['policy']}\n")
    say(text_table(("", "count"), [(name, count(summary[name])) for name in COUNTS]))
    words = [state.word for state in State]
    states, accounts = summary["states"], summary["account_states"]
    lines = [(word, count(states.get(word, 0)), count(accounts.get(word, 0))) for word in words]
    say("\n" + text_table(("state", "positions", "accounts"), lines))
    for kind in ("statuses", "account_statuses"):
        title = kind.replace("_", " ").replace("statuses", "status")
        say("\n" + text_table((title, "count"), [(word, count(n)) for word, n in summary[kind].items()]))
    for currency, sums in summary["totals"].items():
        amounts = [
            (name, count(sum_) if name == "positions" else amount(sum_)) for name, sum_ in sums.items()
        ]
        say("\n" + text_table((f"total, {currency}", ""), amounts))
    nearest = summary["nearest"]
    if nearest is not None:
        where = f"row {nearest['row']:,}, {nearest['instrument']}"
        say(f"\nclosest to liquidation: {where}, at a distance of {nearest['distance']:.4%}")


def _exit_code(found: Summary) -> int:
    if not found.positions and not found.accounts:
        return NOTHING_COMPARED
    kinds = ("states", "account_states", "wallet_states")
    return FOUND if any(code >= State.MARGIN_CALL for kind in kinds for code in found.codes[kind]) else OK
