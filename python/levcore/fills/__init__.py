"""Positions from the fills that made them."""
