"""Fuzz a reader for some time, from the folder of the tests: ``python -m fuzz.run TARGET --seconds 300``.

With atheris installed (``pip install atheris``) inputs follow the branches they reach; without it they are
mutations of the seeds at random. An input that fails is written as a Python literal.
"""

import argparse
import sys
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

TARGETS = ("number", "reply", "table", "tiers")


def main() -> None:
    """Run one target until the time is over or an input fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # The reader of numbers is compiled: atheris would see no branch of it.
        if find_spec("atheris") is None or options.target == "number":
            at_random(options.target, options.seconds, options.seed, Path(folder))
        else:
            guided(options.target, options.seconds, options.seed, Path(folder))


def guided(name: str, seconds: int, seed: int, folder: Path) -> None:
    """Run a target on inputs that follow the branches of this package."""
    atheris = import_module("atheris")
    # What is imported here is instrumented; the libraries below it are not ours to look at.
    with atheris.instrument_imports(include=["levcore"]):
        targets = import_module("support.reader_targets")
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(targets.seeds(name)):
        (corpus / str(number)).write_bytes(data)
    target = targets.TARGETS[name]
    flags = [f"-max_total_time={seconds}", f"-seed={seed + 1}", "-max_len=8192", str(corpus)]
    atheris.Setup([sys.argv[0], *flags], lambda data: target(data, folder))
    atheris.Fuzz()


def at_random(name: str, seconds: int, seed: int, folder: Path) -> None:
    """Run a target on mutations of its seeds."""
    targets = import_module("support.reader_targets")
    start, count = time.monotonic(), 0
    for data in targets.mutations(name, seed):
        if time.monotonic() - start > seconds:
            break
        count += 1
        try:
            targets.TARGETS[name](data, folder)
        except BaseException:
            sys.stderr.write(f"{name} fails on {data!r}\n")
            raise
    sys.stdout.write(f"{name}: {count:,} inputs in {seconds} s, none failed\n")


if __name__ == "__main__":
    main()
