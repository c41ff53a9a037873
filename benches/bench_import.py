"""What `import levcore` costs beyond `import numpy`, in a fresh interpreter each time."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

REPETITIONS = 15
MOST_MILLISECONDS = 30.0


def seconds(statement: str) -> float:
    """Wall time of an interpreter that runs a statement."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def extra_milliseconds() -> float:
    """Median over pairs, so that both halves meet the same machine."""
    pairs = [
        seconds("import numpy, numpy.typing, levcore") - seconds("import numpy, numpy.typing")
        for _ in range(REPETITIONS)
    ]
    return 1e3 * statistics.median(pairs)


def bench_import() -> None:
    """On a quiet machine it stays under 30 ms."""
    found = extra_milliseconds()
    print(f"import levcore: {found:.1f} ms beyond numpy")
    assert found < MOST_MILLISECONDS


if __name__ == "__main__":
    bench_import()
