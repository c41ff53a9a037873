"""Small random replays, and the same by the twin that evaluates everybody after every step."""

from typing import Any

import numpy as np
import numpy.typing as npt

import levcore as lc
from levcore.reference.replay.twin import ReplayTwin, TwinStep
from levcore.reference.replay.twin import Rules as TwinRules
from levcore.replays.opening import open_book
from levcore.replays.prices import read_bars
from levcore.replays.result import AMOUNTS, SERIES
from levcore.replays.rules import rules_of
from levcore.replays.steps import ends_of, steps_of

__all__ = ["random_replay", "replay_policy", "twin_of"]

RANKINGS = ("profit_share_times_margin_ratio", "profit_share_times_effective_leverage", "random")
PAYERS: tuple[tuple[str, ...], ...] = (
    (),
    ("fund",),
    ("fund", "deleveraging"),
    ("deleveraging",),
    ("fund", "socialised"),
    ("fund", "deleveraging", "socialised"),
)
STEPS: tuple[dict[str, Any], ...] = (
    {"close_out_step": "whole"},
    {"close_out_step": "whole", "close_out_take_over_level": 1.5},
    {"close_out_step": "tiers", "close_out_tiers": 1},
    {"close_out_step": "tiers", "close_out_tiers": 0, "close_out_exit_level": 0.8},
    {"close_out_step": "largest_loss", "close_out_step_isolated": "share", "close_out_share": 0.3},
    {"close_out_step": "share", "close_out_share": 0.2, "close_out_whole_up_to": 50.0},
    {"close_out_step": "share", "close_out_share": 0.1, "close_out_least": 30.0, "close_out_exit_level": 0.9},
    {"close_out_step": "share", "close_out_share": 0.5, "close_out_whole_level": 2.0},
    {"close_out_step": "share", "close_out_share": 0.2, "close_out_cooldown": 2.0},
)
"""How much is closed at a time: half of the replays close everything at once."""
START = {"A": 100.0, "B": 20.0, "C": 3.0}


def replay_policy(random: np.random.Generator) -> lc.MarginPolicy:
    """Any rules about what follows a trigger."""
    from support.closing_books import ONE_RATE, RATE

    tiers = lc.TierTable.marginal([(0, "0.01"), (300, "0.02"), (2_000, "0.05")], unit="quote")
    instruments = [
        lc.Instrument("A", "linear", tiers=RATE),
        lc.Instrument("B", "linear", tiers=tiers, contract_size=0.1),
        lc.Instrument("C", "linear", tiers=RATE),
    ]
    payers = PAYERS[int(random.integers(len(PAYERS)))]
    stated = ONE_RATE | {
        "close_out_before": ("net",) if random.random() < 0.5 else ("cancel",),
        "close_out_next": str(random.choice(["whole", "same", "again"])),
        "close_out_fee_rate": float(random.choice([0.0, 0.001])),
        "close_out_remainder": str(random.choice(["trader", "fund"])),
        "close_out_payers": payers,
        "close_out_ranking": str(random.choice(RANKINGS)),
        "close_out_price": str(random.choice(["bankruptcy", "mark"])),
        "trader_owes": str(random.choice(["no", "yes", "claim_reserved"])),
        "hedge_requirement": "larger_leg",
    }
    steps = STEPS[int(random.integers(len(STEPS))) if random.random() < 0.6 else 0]
    return lc.policy("generic").replace(**stated, **steps).with_instruments(instruments)


def random_replay(random: np.random.Generator, rows: int, times: int) -> dict[str, Any]:
    """Arguments of `levcore.replay`, and the columns of its book."""
    names = np.array(list(START))[random.integers(0, 3, rows)]
    cross = random.random(rows) < random.choice([0.0, 0.5, 1.0])
    account = random.integers(0, max(rows // 2, 1), rows)
    hedge = bool(random.random() < 0.3)
    side = random.choice([-1.0, 1.0], rows)
    taken: set[Any] = set()
    for row in np.flatnonzero(cross):  # one leg of an instrument and account, of hedged ones a leg a side
        leg = (account[row], names[row], hedge and side[row])
        cross[row] = leg not in taken
        taken.add(leg)
    account = np.where(cross, account, rows + np.arange(rows))
    marks = np.array([START[name] for name in names])
    leverage = random.integers(2, 40, rows).astype(float)
    quantity = side * np.round(random.lognormal(1, 1, rows) + 0.01, 2)
    accounts = np.unique(account[cross])
    value = np.abs(quantity) * marks * np.where(names == "B", 0.1, 1.0)
    wallet = [float(np.round((value / leverage)[cross & (account == each)].sum(), 6)) for each in accounts]
    columns = {
        "instrument": names,
        "quantity": quantity,
        "entry_price": np.round(marks * random.uniform(0.97, 1.03, rows), 4),
        "account": account,
        "margin_mode": np.where(cross, "cross", "isolated"),
        "leverage": leverage,
        "accrued_funding": np.round(random.normal(0, 0.01, rows), 9),
        "accounts": accounts if cross.any() else None,
        "wallet_balance": wallet if cross.any() else None,
        "position_mode": "hedge" if hedge else "one_way",
    }
    arguments: dict[str, Any] = {
        "prices": _bars(random, sorted(set(names.tolist())), times),
        "fund": float(random.choice([0.0, 5.0, 1e6])),
        "slippage": float(random.choice([0.0, 30.0])),
        "path": str(random.choice(["low_first", "high_first", "close"])),
        "seed": int(random.integers(1000)),
    }
    if random.random() < 0.5:
        due = np.arange(1, times, 3)
        arguments["funding"] = {
            "time": due,
            "instrument": np.full(due.size, names[0]),
            "rate": random.normal(0, 0.01, due.size),
        }
    if random.random() < 0.3:
        arguments["delisted"] = {str(names[0]): times // 2}
    return {"columns": columns, "arguments": arguments}


def _bars(random: np.random.Generator, names: list[str], times: int) -> dict[str, npt.NDArray[Any]]:
    parts = []
    for name in names:
        moves = random.normal(0, 0.02, times) + np.where(
            random.random(times) < 0.15, random.normal(0, 0.2), 0.0
        )
        close = START[name] * np.exp(np.cumsum(moves))
        before = np.r_[START[name], close[:-1]]
        high = np.maximum(before, close) * (1 + random.exponential(0.01, times))
        low = np.minimum(before, close) * (1 - random.uniform(0, 0.02, times))
        parts.append((np.arange(times), np.full(times, name), before, high, low, close))
    columns = [np.concatenate(each) for each in zip(*parts, strict=True)]
    return dict(zip(("time", "instrument", "open", "high", "low", "close"), columns, strict=True))


def twin_of(engine: lc.Engine, book: lc.PositionBook, arguments: dict[str, Any]) -> dict[str, Any]:
    """Columns of events and series by the twin, named as those of `levcore.Replay`."""
    per_unit, given = 1e8, arguments
    from levcore.closing.fund import Fund

    fund = Fund(given["fund"])
    rules = rules_of(engine.policy, book, fund, given["slippage"] / 10_000.0, per_unit, 1e8, given["seed"])
    bars = read_bars(given["prices"], sorted(book.instrument_names), "refuse")
    first = slice(0, bars.starts[1])
    opened = {
        sorted(book.instrument_names)[c]: float(p)
        for c, p in zip(bars.instrument[first], bars.prices[first, 0], strict=True)
    }
    opening = open_book(engine, book, opened, per_unit)
    names = opening.book.instrument_names
    ending = ends_of(bars, names, given.get("delisted"))
    steps = steps_of(bars, names, given["path"], given.get("funding"), ending)
    twin = ReplayTwin(
        opening.book,
        engine.policy,
        TwinRules(**{name: getattr(rules, name) for name in TwinRules.__slots__}),
        [opened[name] for name in names],
        opening.margin.tolist(),
        opening.wallet.tolist(),
        opening.key.tolist(),
        round(fund.balance * per_unit),
    )

    def pairs(starts: Any, codes: Any, numbers: Any, place: int) -> list[tuple[int, float]]:
        own = slice(int(starts[place]), int(starts[place + 1]))
        return list(zip(codes[own].tolist(), numbers[own].tolist(), strict=True))

    for place in range(len(steps)):
        prices = pairs(steps.price_starts, steps.price_instrument, steps.price, place)
        rates = pairs(steps.funding_starts, steps.funding_instrument, steps.funding_rate, place)
        ends = pairs(steps.delisted_starts, steps.delisted, steps.delisted, place)
        time, sample = float(steps.seconds[place]), bool(steps.sample[place])
        twin.step(TwinStep(time, prices, rates, [code for code, _ in ends], sample))
    event_names = ("kind", "step", "row", "quantity", "trigger", "fill", *AMOUNTS)
    sample_names = ("step", "open", "equity", "open_interest", *SERIES)
    events = {name: [event[place] for event in twin.events] for place, name in enumerate(event_names)}
    events["row"] = opening.order[events["row"]].tolist()
    series = {name: [each[place] for each in twin.samples] for place, name in enumerate(sample_names)}
    return {"events": events, "series": series, "fund": twin.fund, "funding": twin.funding}
