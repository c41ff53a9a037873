"""The fuzz targets of the readers, a little in every run; docs/trust.md has the long ones."""

import os
from itertools import islice
from pathlib import Path

import pytest

from support.reader_targets import TARGETS, mutations, seeds

DRAWS = 4_000 if os.environ.get("LEVCORE_TESTS") == "thorough" else 40


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_readers_refuse_what_they_cannot_read(target: str, tmp_path: Path) -> None:
    for data in (*seeds(target)[:20], *islice(mutations(target, 1), DRAWS)):
        try:
            TARGETS[target](data, tmp_path)
        except Exception as error:
            error.add_note(f"{target} fails on {data!r}")
            raise
