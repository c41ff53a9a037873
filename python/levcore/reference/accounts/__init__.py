"""Accounts that are settled as a whole, as in the core."""
