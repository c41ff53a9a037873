"""What `help` prints of a public name begins with a signature that can be read."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import levcore as lc

LONGEST = 1_300
"""Characters of the longest signature, that of `PositionBook`; one of a policy has a word a rule."""


def public() -> Iterator[tuple[str, Any]]:
    """Every public name that can be called, and the methods of the classes among them."""
    for name in lc.__all__:
        found = getattr(lc, name)
        if not callable(found):
            continue
        yield name, found
        for method in vars(found) if inspect.isclass(found) else ():
            if not method.startswith("_") and callable(getattr(found, method)):
                yield f"{name}.{method}", getattr(found, method)


@pytest.mark.parametrize(
    ("name", "found"), list(public()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_a_signature_names_types_and_does_not_spell_them_out(name: str, found: Any) -> None:
    signature = str(inspect.signature(found))
    assert "numpy._typing" not in signature
    assert "numpy.dtype[" not in signature
    assert len(signature) < (4 * LONGEST if name == "MarginPolicy" else LONGEST)
