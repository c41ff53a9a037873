"""Positions in a venue's reply, one file a venue."""
