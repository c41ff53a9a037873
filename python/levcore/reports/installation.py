"""What this installation is made of, and whether it gives the numbers that it should."""

import hashlib
import platform
import sys
from collections.abc import Mapping
from importlib import metadata, util

import numpy as np

from levcore._levcore import __version__, default_threads, instruction_sets, used_instruction_set
from levcore.engine.engine import Engine
from levcore.reference.evaluate import evaluate
from levcore.reports.speed import check_agreement, dollar_instruments
from levcore.rules.bundles import bundle_names, bundle_sums, read_bundle
from levcore.rules.policies import policies, policy
from levcore.samples import generate

__all__ = ["check_installation", "installation", "installation_text", "show_versions"]

EXTRAS = {"polars": "files", "jinja2": "report", "matplotlib": "plot"}
"""Packages that some functions need, and the extra that brings each."""

SAMPLE_ROWS = 2_000
"""Positions on which kernel and reference are compared."""


def installation() -> dict[str, str]:
    """What this installation is made of.

    Returns
    -------
    dict of str
        By name: versions of levcore, Python, NumPy and the packages of the extras (``"absent, ..."`` where
        one is missing), the platform, the instruction sets of this processor and the one that is used,
        the threads of a large call, the number of policies and of files with tier tables, and one SHA-256
        over the sums of these files: two installations with the same one have the same tables.

    Examples
    --------
    >>> import numpy
    >>> from levcore.reports.installation import installation
    >>> installation()["numpy"] == numpy.__version__
    True
    """
    found = {
        "levcore": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "numpy": np.__version__,
    }
    for package, extra in EXTRAS.items():
        present = util.find_spec(package) is not None
        found[package] = metadata.version(package) if present else f'absent, pip install "levcore[{extra}]"'
    dated, sets = policies(), ", ".join(instruction_sets())
    sums = "".join(f"{name} {digest}\n" for name, digest in sorted(bundle_sums().items()))
    return found | {
        "platform": f"{sys.platform} {platform.machine()}",
        "instruction sets": f"{sets}; used: {used_instruction_set()}",
        "threads": str(default_threads()),
        "policies": f"{len({each.name for each in dated})} products, {len(dated)} dated",
        "tier tables": f"{len(bundle_names())} files",
        "SHA-256 of the tables": hashlib.sha256(sums.encode()).hexdigest(),
    }


def show_versions() -> None:
    """Print what this installation is made of, for a report of a fault.

    Examples
    --------
    >>> import levcore as lc
    >>> lc.show_versions()
    levcore                ...
    """
    sys.stdout.write(f"{installation_text(installation())}\n")


def installation_text(facts: Mapping[str, str]) -> str:
    """What `installation` found, as lines."""
    return "\n".join(f"{name:22} {value}" for name, value in facts.items())


def check_installation() -> list[str]:
    """Read every bundled table and policy, and hold the kernel against the reference.

    Returns
    -------
    list of str
        What was checked, a line each.

    Raises
    ------
    FileFormatError
        Where a file is not the one that was written.
    InternalError
        Where kernel and reference differ in a bit.
    """
    for name in bundle_names():
        read_bundle(name)
    dated = policies()
    for each in dated:
        policy(f"{each.name}@{each.as_of}" if each.as_of else each.name)
    rules, sets = policy("binance-usdm"), instruction_sets()
    book, marks = generate.book(SAMPLE_ROWS, dollar_instruments(rules), seed=1, margin_mode="mixed")
    expected = evaluate(book, rules, marks)
    for name in sets:
        check_agreement(Engine(rules, instruction_set=name).evaluate(book, marks), expected, name)
    return [
        f"{len(bundle_names())} files of tier tables: each is the one that was written",
        f"{len(dated)} policies: each loads",
        f"{SAMPLE_ROWS} positions, {len(sets)} instruction sets: kernel and reference agree to the bit",
    ]
