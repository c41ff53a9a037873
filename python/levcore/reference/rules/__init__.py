"""Policies, tables and collateral as numbers, as in the core."""
