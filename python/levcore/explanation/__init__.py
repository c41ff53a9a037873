"""One row, step by step."""
