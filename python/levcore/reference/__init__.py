"""The pure-Python reference: the formulas of the Rust core in the same order of operations, row by row.

Each module has the name of its counterpart in ``rust/levcore/src``. No NumPy in the formulas; the results
agree with the kernel's to the last bit, and `levcore.Engine.explain` replays them step by step.
"""

from levcore.reference.evaluate import evaluate

__all__ = ["evaluate"]
