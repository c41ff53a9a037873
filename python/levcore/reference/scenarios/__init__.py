"""Portfolio margin, as in the core."""
