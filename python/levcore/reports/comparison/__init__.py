"""A comparison of policies, shown."""
