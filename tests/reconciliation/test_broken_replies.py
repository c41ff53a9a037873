"""Recorded replies with one field broken: only levcore's exceptions, no hang, nothing healthy in it."""

import json
import os
import time
from collections.abc import Callable

import numpy as np
import pytest

import levcore as lc
from levcore.errors import FileFormatError, LevcoreError
from levcore.reconciliation.result import Verdict
from levcore.venues import read
from support.broken_replies import Broken, broken_replies

IS_THOROUGH = os.environ.get("LEVCORE_TESTS") == "thorough"
COUNT, SEEDS = (4000, range(5)) if IS_THOROUGH else (200, range(2))
LONGEST = 2.0
AGREES = (Verdict.SAME, Verdict.ROUNDED)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_broken_field_is_refused_or_costs_its_own_numbers(seed: int) -> None:
    read_at_all = 0
    for broken in broken_replies(COUNT, seed):
        start = time.process_time()
        read_at_all += not _refused(_reconcile, broken)
        _refused(_evaluate, broken)
        # Two calls; the time of this process, as other work of the machine is no hang.
        assert time.process_time() - start < 2 * LONGEST, broken
    assert read_at_all > COUNT // 5


def _refused(check: Callable[[Broken], None], broken: Broken) -> bool:
    """Whether one of levcore's exceptions ended a check."""
    try:
        check(broken)
    except LevcoreError as error:
        return bool(str(error))
    return False


def _reconcile(broken: Broken) -> None:
    result = lc.reconcile(broken.data, broken.source, **broken.options)
    json.dumps(result.to_dict(), allow_nan=False)
    assert lc.report(result)
    field = broken.path[-1]
    place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in broken.path[:-1])
    for number in result.numbers:
        if broken.is_garbage and number.field == field and number.place == place.lstrip("."):
            assert number.theirs is None or number.verdict not in AGREES, (broken, number)
        if number.verdict in AGREES and number.theirs is not None:
            assert number.ours is not None, (broken, number)
            assert np.isfinite(float(number.theirs)), (broken, number)


def _evaluate(broken: Broken) -> None:
    found = read(broken.data, broken.source, **broken.options)
    if not found.policies:
        return
    risk = lc.Engine(found.policies).evaluate(found.book, found.marks, asset_prices=found.asset_prices)
    healthy = risk.state == lc.State.HEALTHY
    for measure in ("notional", "unrealized_pnl", "maintenance_margin", "margin_ratio"):
        numbers = risk[measure][healthy]
        assert not np.isnan(numbers).any(), (broken, measure)
    assert np.isfinite(risk.equity[healthy & ~risk.book.is_cross]).all(), broken


@pytest.mark.parametrize(
    "text",
    [
        '[{"symbol": "BTCUSDT", "positionAmt": ' + "[" * 100_000 + "]" * 100_000 + "}]",
        '{"positions": ' * 20_000 + "1" + "}" * 20_000,
        "[" * 50_000,
        '[{"symbol": "BTCUSDT", "positionAmt": 1e999999999, "entryPrice": "1"}]',
        '[{"symbol": "BTCUSDT", "positionAmt": ' + "9" * 100_000 + ', "entryPrice": "1"}]',
        '[{"symbol": "\\u001b[31mBTCUSDT", "positionAmt": "1", "entryPrice": "1"}]',
        '[{"symbol": "BTC\\u202eUSDT", "positionAmt": "1", "entryPrice": "1"}]',
        '[{"symbol": "\\ud800", "positionAmt": "1", "entryPrice": "1"}]',
        '[{"symbol": {"a": 1}, "positionAmt": "1", "entryPrice": "1"}]',
        '[{"symbol": "BTCUSDT", "positionAmt": true, "entryPrice": "1"}]',
        '[{"symbol": "BTCUSDT", "positionAmt": "1_000", "entryPrice": "1"}]',
        '[{"symbol": "BTCUSDT", "positionAmt": "1", "entryPrice": "1e-400"}]',
        '[{"symbol": "BTCUSDT", "positionAmt": "1", "entryPrice": "1", "marginType": "both"}]',
        "\x00\x01",
        "",
    ],
)
def test_files_that_are_no_replies_are_refused_at_once(text: str, tmp_path: object) -> None:
    file = f"{tmp_path}/reply.json"
    with open(file, "w", encoding="utf-8") as stream:
        stream.write(text)
    start = time.process_time()
    with pytest.raises(FileFormatError) as raised:
        lc.reconcile(file, "binance")
    assert time.process_time() - start < LONGEST
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "data", [{1: 2}, [{1: 2}], {"positions": [{None: 1}]}, ({"a": 1},), b"[]", 3.0, object()]
)
@pytest.mark.parametrize("source", ["binance", "bybit", "ccxt", "hyperliquid", "okx"])
def test_python_data_that_is_no_reply_is_refused(source: str, data: object) -> None:
    with pytest.raises(LevcoreError):
        lc.reconcile(data, source)
