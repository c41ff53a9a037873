"""Numbers out: compiled policies, the engine, results, totals, distances, quantities to close."""
