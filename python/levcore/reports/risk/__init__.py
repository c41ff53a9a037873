"""A result of the engine, shown."""
