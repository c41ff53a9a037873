"""States, as in the core."""
