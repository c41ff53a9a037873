"""Where memory runs out a call ends in a `MemoryError`, and the process goes on."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

PREPARE = """
    import resource
    import numpy as np
    import levcore as lc

    rows = 400_000
    random = np.random.default_rng(3)
    terms = [lc.Instrument(f"X{n}", "linear", lc.TierTable.single_rate("0.01")) for n in range(50)]
    policy = lc.policy("generic").replace(hedge_requirement="sum").with_instruments(terms)
    engine = lc.Engine(policy, threads=1)
    columns = {
        "instrument": random.integers(0, 50, rows).astype(np.uint32),
        "quantity": random.choice([-1.0, 1.0], rows),
        "entry_price": np.full(rows, 100.0),
        "instrument_names": [each.name for each in terms],
    }
    cross = {
        "account": random.integers(0, 40_000, rows),
        "margin_mode": "cross",
        "accounts": np.arange(40_000),
        "wallet_balance": np.full(40_000, 1e4),
    }
    marks = np.full(50, 101.0)

    def held() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()

    def with_little(call, more):
        '''Whether a call came to its end with so much more memory.'''
        resource.setrlimit(resource.RLIMIT_AS, (held() + more, resource.RLIM_INFINITY))
        try:
            call()
        except MemoryError:
            return False
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
        return True
"""
CALLS = {
    "a book and its evaluation": """
        def call():
            book = lc.PositionBook(**columns, **cross)
            engine.evaluate(book, marks)
    """,
    "a hedged book": """
        def call():
            book = lc.PositionBook(**columns, **cross, position_mode="hedge")
            engine.evaluate(book, marks)
    """,
    "isolated rows": """
        def call():
            book = lc.PositionBook(**columns, isolated_margin=np.full(rows, 10.0))
            engine.evaluate(book, marks)
    """,
    "scenarios": """
        from levcore import _levcore
        contracts, moves = [("linear", 1.0, 1.0)] * 2_000, np.linspace(0.5, 1.5, 4_000)
        marks = np.full(2_000, 100.0)

        def call():
            _levcore.price_grid_profits(contracts, marks, moves, np.ones(4_000))
    """,
}


@pytest.mark.parametrize("kind", CALLS)
def test_running_out_of_memory_ends_the_call_and_not_the_process(kind: str) -> None:
    tries = """
        call()
        room = (0, 1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 1_000)
        finished = [with_little(call, more << 20) for more in room]
        assert not finished[0] and finished[-1], finished
        print(finished.count(False))
    """
    code = "".join(textwrap.dedent(part) for part in (PREPARE, CALLS[kind], tries))
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr[-2000:]
    assert int(found.stdout) > 0
