"""The formulas of one position, as in the core."""
