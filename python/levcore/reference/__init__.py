"""The pure-Python reference: the same formulas in the same order of operations as the Rust core, one row at a time.

Each module has the name of its counterpart in ``rust/levcore/src``. No NumPy in the formulas; the results agree with the
kernel's to the last bit, and `levcore.Engine.explain` replays them step by step.
"""

from levcore.reference.evaluate import evaluate

__all__ = ["evaluate"]
