"""The report of a plan: one position before it is opened."""
