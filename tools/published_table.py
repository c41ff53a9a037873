"""Run every published case and write what became of it: ``docs/published.md``.

    python tools/published_table.py

Prints the table of venues. A number that does not agree with the printed one raises.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.published_fates import fates, render, summary_table  # noqa: E402


def main() -> None:
    """Write the page and print its table."""
    (ROOT / "docs" / "published.md").write_text(render(), encoding="utf-8")
    sys.stdout.write(summary_table(fates()))


if __name__ == "__main__":
    main()
