"""A venue's reply against the engine."""
