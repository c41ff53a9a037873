"""What `import levcore` costs beyond `import numpy`, and what the first evaluation imports.

Processor time of fresh interpreters in turns, the fastest of each, with bytecode as a wheel has it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile

REPETITIONS = 20
MOST_MILLISECONDS = 10.0
STATEMENTS = {
    "numpy": "import numpy",
    "levcore": "import numpy, levcore",
    "its engine, books and policies": "import numpy, levcore as lc; lc.Engine, lc.PositionBook, lc.policy",
    "a policy read and compiled": "import numpy, levcore as lc; lc.Engine(lc.policy('binance-usdm'))",
}


def milliseconds(statement: str, environment: dict[str, str]) -> float:
    """Processor time of an interpreter that runs a statement."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def fastest() -> dict[str, float]:
    """Of each statement, the fastest run after one that writes the bytecode."""
    best = dict.fromkeys(STATEMENTS, float("inf"))
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for repetition in range(REPETITIONS + 1):
            for name, statement in STATEMENTS.items():
                found = milliseconds(statement, environment)
                if repetition:
                    best[name] = min(best[name], found)
    return best


def bench_import() -> None:
    """`import levcore` stays under 10 ms beyond NumPy; what it puts off is told too."""
    best = fastest()
    for name, found in best.items():
        print(f"{name}: {found:.1f} ms, {found - best['numpy']:.1f} beyond numpy")
    assert best["levcore"] - best["numpy"] < MOST_MILLISECONDS


if __name__ == "__main__":
    bench_import()
