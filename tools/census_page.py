"""Change every rule value of every policy to each neighbour and write what notices: ``docs/census.md``.

    python tools/census_page.py

Prints the count of values by mark, and each ``[V]`` that no published number holds.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.census_page import render, summary  # noqa: E402
from support.rule_census import census, empty_texts, unheld  # noqa: E402


def main() -> int:
    """Write the page; 1 where a ``[V]`` is not held."""
    lines = census()
    (ROOT / "docs" / "census.md").write_text(render(lines), encoding="utf-8")
    sys.stdout.write(summary(lines))
    missed = [f"{product}: {rule}" for product, rule in unheld(lines)]
    missed += [f"{policy}: {text}" for policy, text in empty_texts(lines).items()]
    sys.stdout.writelines(f"not held: {each}\n" for each in missed)
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
