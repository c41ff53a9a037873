"""The report on a replay."""
