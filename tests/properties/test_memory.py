"""Where memory runs out a call ends in a `MemoryError`, and the process goes on."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

PREPARE = """
    import ctypes
    import resource
    import numpy as np
    import levcore as lc

    # Without this the allocator keeps what was freed, and a call finds room that it should not.
    M_MMAP_THRESHOLD = -3
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1 << 16)

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
    "one large account in hedge mode": """
        large = {"account": np.zeros(rows, np.int64), "margin_mode": "cross", "accounts": np.arange(1)}
        book = lc.PositionBook(
            **columns, **large, wallet_balance=np.full(1, 1e9), position_mode="hedge"
        )
        out = engine.evaluate(book, marks)

        def call():
            engine.evaluate(book, marks, out=out)
    """,
    "a distance": """
        book = lc.PositionBook(**columns, **cross)

        def call():
            lc.distance(engine, book, marks)
    """,
    "quantities to close": """
        book = lc.PositionBook(**columns, **cross)

        def call():
            lc.quantities_to_close(engine, book, marks)
    """,
    "a row order": """
        book = lc.PositionBook(**columns, **cross)

        def call():
            fresh = lc.PositionBook(**columns, **cross)
            fresh.row_order()
    """,
    "what if": """
        book = lc.PositionBook(**columns, **cross)
        changes = lc.Changes("order", row=np.arange(20_000), quantity=np.full(20_000, 0.5))
        out = lc.what_if(engine, book, marks, changes, threads=1)

        def call():
            lc.what_if(engine, lc.PositionBook(**columns, **cross), marks, changes, out=out, threads=1)
    """,
    "totals of a result": """
        risk = engine.evaluate(lc.PositionBook(**columns, isolated_margin=np.full(rows, 10.0)), marks)
        groups = np.arange(rows)

        def call():
            from levcore._levcore import exact_sums
            exact_sums(risk.notional, groups, rows)
    """,
    "frames in and out": """
        import pyarrow as pa
        own = {name: columns[name] for name in ("quantity", "entry_price")}
        names = pa.array([f"X{code}" for code in columns["instrument"]])
        frame = pa.table({"instrument": names, **own, "isolated_margin": np.full(rows, 10.0)})
        frame = frame.append_column("margin_mode", pa.array(["isolated"] * rows))

        def call():
            book = lc.PositionBook.from_frame(frame)
            lc.Engine(policy).evaluate(book, {f"X{n}": 101.0 for n in range(50)}).frame()
    """,
    "an account over scenarios": """
        from levcore.scenarios import ScenarioArrays, scenario_margin
        profits = np.tile(np.linspace(-1.0, 1.0, 400), (50, 1))
        names, labels = [each.name for each in terms], [str(number) for number in range(400)]
        arrays = ScenarioArrays.from_profits(profits, names, scenarios=labels)
        book = lc.PositionBook(**columns, **cross)

        def call():
            scenario_margin(book, arrays, threads=1)
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
