"""Instructions a row of the main kernels, counted by valgrind and compared with those of an earlier build.

Unlike times, counts do not depend on what else the machine does: a kernel that takes more of them than the
tolerance allows has lost something. They depend on the compiler, which is therefore noted, and on the
instruction set: AVX2, the widest that valgrind knows. Each kernel is counted as what a process executes more
that calls the engine a hundred times more. `--write` takes the counts as the new
ones to compare with. Exit code 1 where a kernel exceeds the tolerance, 2 where it cannot be counted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

KEPT = Path(__file__).parent / "results" / "instructions.json"
ROWS = 20_000
CALLS = 100
"""So many that what differs between two starts of Python, some millions, is little beside them."""
TOLERANCE = 0.05
"""Share of the kept count by which a kernel may exceed it."""
KERNELS = {
    "isolated, sorted by instrument": ("isolated", "sorted"),
    "isolated, random order": ("isolated", "random"),
    "cross, by account": ("cross", "sorted"),
    "cross, random order": ("cross", "random"),
}


def evaluate(name: str, calls: int) -> None:
    """Evaluate the book of a kernel so often; this is what valgrind runs."""
    from contender_levcore import Reused
    from workload import bundled_tables, generate

    mode, order = KERNELS[name]
    contender = Reused(generate(ROWS, mode, order, bundled_tables()), mode)
    for call in range(calls):
        contender.run("1", call % 2)


def executed(valgrind: str, name: str, calls: int) -> int:
    """Instructions of a process that evaluates so often."""
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command += [sys.executable, __file__, "--evaluate", name, "--calls", str(calls)]
    environment = os.environ | {"LEVCORE_INSTRUCTION_SET": "avx2", "PYTHONHASHSEED": "0"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", ran.stderr)
    if ran.returncode != 0 or found is None:
        print(ran.stderr[-2_000:], file=sys.stderr)
        raise SystemExit(2)
    return int(found[1])


def counted(valgrind: str) -> dict[str, float]:
    """Instructions a row of each kernel."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        few = [pool.submit(executed, valgrind, name, 2) for name in KERNELS]
        more = [pool.submit(executed, valgrind, name, 2 + CALLS) for name in KERNELS]
        pairs = zip(KERNELS, few, more, strict=True)
        return {name: round((b.result() - a.result()) / CALLS / ROWS, 2) for name, a, b in pairs}


def main() -> int:
    """Count, compare, and keep if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"keep the counts in {KEPT.name}")
    parser.add_argument("--evaluate", choices=KERNELS, help=argparse.SUPPRESS)
    parser.add_argument("--calls", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.evaluate:
        evaluate(options.evaluate, options.calls)
        return 0
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        print(
            "instructions are not counted: there is no valgrind here (apt-get install valgrind)",
            file=sys.stderr,
        )
        return 2
    compiler = subprocess.run(
        ["rustc", "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    found, kept = counted(valgrind), json.loads(KEPT.read_text()) if KEPT.exists() else None
    if options.write:
        described = {
            "rows": ROWS,
            "instruction_set": "avx2",
            "compiler": compiler,
            "instructions_a_row": found,
        }
        KEPT.write_text(json.dumps(described, indent=2) + "\n")
    before = kept["instructions_a_row"] if kept else found
    if kept and kept["compiler"] != compiler:
        print(f"kept counts are of {kept['compiler']}, these of {compiler}")
    exceeded = False
    for name, count in found.items():
        change = count / before[name] - 1
        exceeded |= change > TOLERANCE
        print(f"{name:32} {count:8.2f} instructions a row, {change:+.1%} of the kept {before[name]}")
    return int(exceeded and not options.write)


if __name__ == "__main__":
    raise SystemExit(main())
